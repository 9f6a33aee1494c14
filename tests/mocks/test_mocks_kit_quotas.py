"""Proves that each kind of quota admits, refuses and shows itself exactly as declared."""

from __future__ import annotations

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from harness.model.errors import MetadataError
from harness.model.instants import from_text, to_text
from harness.simulation.faults import FaultKind, FaultRule
from mocks.kit.buckets import DayEnd, TokenBucket, Window
from mocks.kit.quotas import Caller, Quotas
from mocks.kit.simulator import Refused


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


manners = _load("toy_manners")
Market, play = manners.Market.of, manners.play


SECOND = 1_000_000


def quotas(kind: str, *, operations: tuple[str, ...] = ("*",), **more: Any) -> dict[str, Any]:
    entry = {"id": "q", "kind": kind, "operations": list(operations), **more}
    return {"quotas": [entry], "throttled": {"status": 429, "retry_after": "none"}}


def calls(behaviour: dict[str, Any], waits: tuple[float, ...], **options: Any) -> list[Any]:
    """Call once, wait, call again, and so on; return the answers."""

    async def story(m: Any) -> list[Any]:
        answers = []
        for wait in waits:
            await m.clock.sleep(wait)
            answers.append(await m.call("GET", "/items"))
        return answers

    return cast("list[Any]", play(Market(behaviour, **options), story))


def statuses(behaviour: dict[str, Any], *waits: float, **options: Any) -> list[int]:
    return [answer.status for answer in calls(behaviour, waits, **options)]


@pytest.mark.parametrize(
    ("behaviour", "waits", "seen"),
    [
        ({}, (0,) * 4, [200] * 4),
        (quotas("token_bucket", rate_per_second=1, burst=2), (0, 0, 0, 1), [200, 200, 429, 200]),
        (quotas("leaky_bucket", rate_per_second=2, burst=2), (0, 0, 0, 0.5), [200, 200, 429, 200]),
        (
            quotas("window", calls=2, seconds=60, sliding=True),
            (0, 40, 0, 19, 2),
            [200, 200, 429, 429, 200],
        ),
        (quotas("daily", calls=2), (0, 0, 0, 86_400), [200, 200, 429, 200]),
        (quotas("concurrency", slots=1), (0, 0, 0), [200] * 3),
        (quotas("daily", calls=1, operations=("shop/v1#pay",)), (0, 0), [200, 200]),
    ],
)
def test_a_quota_lets_through_what_it_declares(
    behaviour: dict[str, Any], waits: tuple[float, ...], seen: list[int]
) -> None:
    assert statuses(behaviour, *waits) == seen


def test_fixed_windows_begin_anew_and_sliding_ones_do_not() -> None:
    for sliding, wait_us in ((False, 1 * SECOND), (True, 60 * SECOND)):
        window = Window(2, 60 * SECOND, sliding=sliding)
        for _ in range(2):
            window.take(59 * SECOND)
        assert window.wait_us(59 * SECOND) == wait_us
        assert window.wait_us(59 * SECOND + wait_us) == 0


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-20T07:59:59Z", "2026-11-20T08:00:00.000Z"),
        ("2026-11-20T08:00:00Z", "2026-11-21T08:00:00.000Z"),
        ("2026-07-01T12:00:00Z", "2026-07-02T07:00:00.000Z"),
        ("2026-10-31T12:00:00Z", "2026-11-01T07:00:00.000Z"),
        ("2026-11-01T12:00:00Z", "2026-11-02T08:00:00.000Z"),
    ],
)
def test_a_day_ends_at_a_wall_clock_time_also_when_the_clocks_change(now: str, ends: str) -> None:
    assert to_text(DayEnd("00:00", "America/Los_Angeles").next_us(from_text(now))) == ends
    with pytest.raises(MetadataError, match="cannot end"):
        DayEnd("25:00", "UTC")
    with pytest.raises(MetadataError, match="cannot end"):
        DayEnd("00:00", "Nowhere/City")


COST = quotas("cost", points=1000, restore_per_second=50, cost_max=800)


def ask_cost(behaviour: dict[str, Any], *asked: tuple[int, int]) -> list[Any]:
    async def story(m: Any) -> list[Any]:
        answers = []
        for cost, actual in asked:
            body = {"cost": cost, "actual": actual}
            answers.append(await m.call("POST", "/graphql", body))
        return answers

    return cast("list[Any]", play(Market(behaviour), story))


def test_a_handler_charges_the_cost_and_refunds_what_was_not_used() -> None:
    first, second, third = ask_cost(COST, (700, 100), (800, 800), (101, 1))
    assert first.json() == {"maximum": 1000, "available": 900, "restored": 50.0}
    assert second.json()["available"] == 100
    assert third.status == 429
    (dear,) = ask_cost(COST, (801, 1))
    assert (dear.status, dear.json()["reason"]) == (400, "quota.cost_max")
    (free,) = ask_cost({}, (5000, 5000))
    assert free.json()["maximum"] == 0


def test_a_throttled_answer_may_be_a_200_with_the_modules_own_body() -> None:
    behaviour = {**COST, "throttled": {"status": 200, "retry_after": "none"}}
    market = Market(behaviour)

    async def story(m: Any) -> Any:
        await m.call("POST", "/graphql", {"cost": 800, "actual": 800})
        return await m.call("POST", "/graphql", {"cost": 800, "actual": 800})

    answer = play(market, story)
    assert (answer.status, answer.json()["error"]) == (200, "throttled")
    assert market.books.calls[-1].outcome == "throttled"


@pytest.mark.parametrize(
    ("manner", "shown"),
    [
        ("none", None),
        ("seconds", "10"),
        ("decimal", "10.0"),
        ("wrong", "0"),
        ("date", "Mon, 21 Sep 2026 14:13:30 GMT"),
    ],
)
def test_retry_after_has_the_declared_form(manner: str, shown: str | None) -> None:
    behaviour = quotas("token_bucket", rate_per_second=0.1, burst=1)
    behaviour["throttled"] = {"status": 429, "retry_after": manner}
    answer = calls(behaviour, (0, 0))[-1]
    assert (answer.status, answer.header("retry-after")) == (429, shown)
    own = quotas("token_bucket", rate_per_second=0.1, burst=1, throttled={"status": 503})
    assert statuses(own, 0, 0) == [200, 503]


def shows(fact: str, **more: Any) -> dict[str, Any]:
    header = {"name": "X-Q", "shows": fact, "statuses": ["2XX", "429"], **more}
    return {**quotas("leaky_bucket", rate_per_second=2, burst=40), "quota_headers": [header]}


@pytest.mark.parametrize(
    ("fact", "texts"),
    [
        ("rate", ["2", "2"]),
        ("limit", ["40", "40"]),
        ("remaining", ["39", "38"]),
        ("used", ["1", "2"]),
        ("used_of_limit", ["1/40", "2/40"]),
        ("reset_seconds", ["1", "1"]),
        ("reset_at_seconds", ["1790000001", "1790000001"]),
        ("reset_at_ms", ["1790000000500", "1790000001000"]),
        ("reset_at", ["2026-09-21T14:13:20.500Z", "2026-09-21T14:13:21.000Z"]),
    ],
)
def test_a_header_shows_the_declared_fact(fact: str, texts: list[str]) -> None:
    assert [answer.header("x-q") for answer in calls(shows(fact), (0, 0))] == texts


def test_a_header_comes_only_on_the_declared_statuses_and_only_where_declared() -> None:
    behaviour = {
        **quotas("token_bucket", rate_per_second=0.1, burst=1),
        "quota_headers": [{"name": "X-Q", "shows": "remaining", "statuses": ["200"]}],
    }
    assert [answer.header("x-q") for answer in calls(behaviour, (0, 0))] == ["0", None]
    plain = calls(quotas("token_bucket", rate_per_second=0.1, burst=1), (0, 0))
    assert [answer.header("x-q") for answer in plain] == [None, None]
    limit = {
        **quotas("token_bucket", rate_per_second=0.1, burst=1),
        "limit_header": {"name": "X-Q"},
    }
    assert [answer.header("x-q") for answer in calls(limit, (0, 0))] == ["0.1", None]


def test_a_header_lies_by_declaration_or_by_fault() -> None:
    assert calls(shows("remaining", factor=0.5), (0,))[0].header("x-q") == "19"
    rule = FaultRule(FaultKind.HEADER_LIES, nth=2, parameters={"factor": 0})
    market_calls = calls(shows("remaining"), (0, 0, 0), rules=(rule,))
    assert [answer.header("x-q") for answer in market_calls] == ["39", "0", "37"]


def test_a_squeeze_of_one_account_leaves_the_others_alone() -> None:
    made = Quotas(quotas("token_bucket", rate_per_second=1, burst=10))
    one, other = Caller("one", "x"), Caller("other", "x")
    for caller in (one, other):
        made.admit(caller, 0)
    made.squeeze("q", 0, burst=1, account="one")
    made.admit(one, 0)
    with pytest.raises(Refused, match="quota 'q'"):
        made.admit(one, 0)
    made.admit(other, 0)
    made.restore(0)
    made.admit(one, 10 * SECOND)
    made.admit(one, 10 * SECOND)


def test_a_refund_never_overfills_a_bucket_and_an_unknown_scope_is_told() -> None:
    bucket = TokenBucket(Fraction(1), 10, 0)
    bucket.take(0, 4)
    bucket.give_back(7)
    assert bucket.standing(0).remaining == 10
    with pytest.raises(MetadataError, match="unknown scope"):
        Quotas(quotas("concurrency", slots=1, scope="planet"))
    with pytest.raises(MetadataError, match="unknown kind"):
        Quotas(quotas("water_wheel"))
