"""The timeline: turns a scenario's troubles into fault rules and into things done at a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.catalog import Catalog
from harness.chaos.scenario import Scenario
from harness.model.ports import Streams
from harness.simulation.faults import FaultKind, FaultPlan, FaultRule
from mocks.kit.estate import Estate


@dataclass(frozen=True, slots=True)
class Act:
    """Something the outside world does at ``at_us`` (after the start)."""

    at_us: int
    what: str
    system: str
    do: Callable[[], None]


def fault_plan(scenario: Scenario, streams: Streams) -> FaultPlan:
    """Return the faults at the edges, at absolute instants."""
    start_us = scenario.start_us
    return FaultPlan(
        (
            FaultRule(
                kind=FaultKind(step.kind),
                system=step.system,
                operations=step.operations,
                probability=step.probability,
                max_count=step.max_count,
                from_us=start_us + step.from_us,
                until_us=start_us + step.until_us,
                nth=step.nth,
                parameters=step.parameters,
            )
            for step in scenario.faults
        ),
        streams,
    )


def acts(scenario: Scenario, estate: Estate, catalog: Catalog) -> tuple[Act, ...]:
    """Return squeezes and changes of shape, oldest first.

    Raises ``UserMistake`` for a drift pack or quota that does not exist, before anything runs.
    """
    planned: list[Act] = []
    for squeeze in scenario.squeezes:
        edge = estate.edges[squeeze.system]
        # Tried once now, so that an unknown quota is told before the night starts.
        edge.squeeze(squeeze.quota, squeeze.factor)
        edge.restore_quotas()
        planned.append(
            Act(
                squeeze.from_us,
                f"squeeze {squeeze.quota} to {squeeze.factor:g}",
                squeeze.system,
                lambda e=edge, s=squeeze: e.squeeze(s.quota, s.factor),  # type: ignore[misc]
            )
        )
        planned.append(
            Act(squeeze.until_us, f"restore {squeeze.quota}", squeeze.system, edge.restore_quotas)
        )
    for change in scenario.changes:
        edge = estate.edges[change.system]
        pack = catalog.drift_pack(change.system, change.pack)
        planned.append(
            Act(
                change.from_us,
                f"change {change.pack}",
                change.system,
                lambda e=edge, p=pack: e.switch_drift_pack(p),  # type: ignore[misc]
            )
        )
        if change.until_us is not None:
            planned.append(
                Act(
                    change.until_us,
                    f"undo {change.pack}",
                    change.system,
                    lambda e=edge: e.switch_drift_pack(None),  # type: ignore[misc]
                )
            )
    return tuple(sorted(planned, key=lambda act: act.at_us))
