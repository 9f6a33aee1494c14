"""Proves the scenario files: shipped ones load, a mistake is told with file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.chaos.scenario_file import (
    duration_us,
    find_scenario,
    load_scenario,
    shipped_scenarios,
)
from harness.chaos.workload import OrderArrival, plan_workload
from harness.model.errors import MetadataError, UsageError
from harness.simulation.streams import SeededStreams

THROTTLE = find_scenario("throttle-squeeze")


def test_every_shipped_scenario_loads_under_its_own_name() -> None:
    names = [load_scenario(path).name for path in shipped_scenarios()]
    assert names == [path.stem for path in shipped_scenarios()]
    assert {"answer-lost-after-commit", "shape-change-mid-run", "throttle-squeeze"} <= set(names)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("per_minute: 6", "per_minuet: 6", "per_minuet"),
        ("quota.respected", "quota.ignored", "unknown invariant: quota.ignored"),
        ("fault: throttle.squeeze", "fault: throttle.more", "unknown fault: throttle.more"),
        ("squeeze: searchOrders, on: amazon_spapi", "squeeze: searchOrders, on: ebay", "ebay"),
        ("at: chaos+25m", "at: heal+5m", "not inside the chaos phase"),
        ('"2026-11-27T00:30:00Z"', '"2026-11-27T00:30:00"', "2026-11-27T00:30:00"),
        ("orders.placed: 300", "orders.plaecd: 300", "orders.plaecd"),
    ],
)
def test_a_mistake_is_refused_with_the_file_and_what_is_wrong(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = THROTTLE.read_text("utf-8")
    assert old in text
    path = tmp_path / "night.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(MetadataError) as caught:
        load_scenario(path)
    assert "night.yaml" in str(caught.value)
    assert told in str(caught.value)


def test_an_unknown_key_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    lines = THROTTLE.read_text("utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("phases:"))
    lines.insert(at + 1, "  calm: 10m")
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(MetadataError, match=rf"night\.yaml:{at + 1}\b|night\.yaml:{at + 2}\b"):
        load_scenario(path)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError, match="throttle-squeeze"):
        find_scenario("throttle-sqeeze")


def test_durations_are_whole_microseconds() -> None:
    assert [duration_us(t) for t in ("500ms", "2s", "3m", "1h")] == [
        500_000,
        2_000_000,
        180_000_000,
        3_600_000_000,
    ]
    with pytest.raises(ValueError, match="no duration"):
        duration_us("1.5h")


def test_one_seed_is_one_workload_and_another_seed_is_another() -> None:
    scenario = load_scenario(THROTTLE)
    once, again = (plan_workload(scenario, SeededStreams(5)) for _ in range(2))
    assert once == again
    assert once != plan_workload(scenario, SeededStreams(6))


def test_the_workload_has_what_breaks_engines() -> None:
    scenario = load_scenario(THROTTLE)
    plan = plan_workload(scenario, SeededStreams(5))
    orders = [e for e in plan.events if isinstance(e, OrderArrival)]
    at = [o.at_us for o in orders]
    assert len(at) - len(set(at)) > 20, "a burst has ties, or cursor bugs stay hidden"
    assert any(o.draft.pending and o.release_after_us is None for o in orders)
    assert any(o.draft.pending and o.release_after_us is not None for o in orders)
    assert any(len({n.sku for n in o.draft.lines}) < len(o.draft.lines) for o in orders)
    assert max(at) < scenario.phases.start_us("quiesce")
