"""Reads scenario files: checks them against the schema, then resolves moments and names.

Unknown keys are refused with file and line. Shipped scenarios are found by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

from harness.chaos.invariants import INVARIANTS
from harness.chaos.scenario import (
    PPM,
    Burst,
    ChangeStep,
    CrashStep,
    FaultStep,
    Percentile,
    Phases,
    PlayedSystem,
    Scenario,
    ServiceLevels,
    SqueezeStep,
    Tolerances,
    Workload,
)
from harness.model.errors import MetadataError, SourceLocation, UsageError
from harness.model.instants import from_text
from harness.model.values import JsonObject
from harness.simulation.faults import FaultKind

# What must_happen may count beside ``fault.<kind>``.
COUNTS = (
    "orders.placed",
    "orders.created",
    "quantities.published",
    "calls.throttled",
    "calls.failed",
    "engine.crashed",
    "changes.made",
)
_UNITS_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}


def duration_us(text: str) -> int:
    """Read ``90s``, ``10m``, ``500ms`` or ``2h``; raises ``ValueError`` for anything else."""
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", text)
    if match is None:
        msg = f"{text!r} is no duration"
        raise ValueError(msg)
    return int(match[1]) * _UNITS_US[match[2]]


def scenario_schema() -> JsonObject:
    """Return the JSON Schema of scenario files."""
    text = resources.files("harness.chaos").joinpath("scenario.schema.json").read_text("utf-8")
    schema: JsonObject = json.loads(text)
    return schema


def scenario_folder() -> Path:
    """Return the folder of the scenarios that come with driftgate."""
    return Path(str(resources.files("mocks").joinpath("scenarios")))


def shipped_scenarios() -> tuple[Path, ...]:
    """Return the scenario files that come with driftgate, by name."""
    return tuple(sorted(scenario_folder().glob("*.yaml")))


def find_scenario(text: str) -> Path:
    """Return the file a user means by a path or by the name of a shipped scenario.

    Raises ``UsageError`` when there is neither.
    """
    path = Path(text)
    if path.is_file():
        return path
    shipped = scenario_folder() / f"{text}.yaml"
    if re.fullmatch(r"[a-z0-9-]+", text) and shipped.is_file():
        return shipped
    names = ", ".join(p.stem for p in shipped_scenarios())
    msg = f"there is no scenario file or shipped scenario {text!r}."
    raise UsageError(msg, remedy=f"Shipped scenarios: {names}.")


def load_scenario(path: Path | str) -> Scenario:
    """Read and check one scenario; raises ``MetadataError`` with file and line."""
    # YAML and the validator load only when a file is really read.
    from harness.catalog import load_metadata

    return _Reader(str(path), load_metadata(Path(path), scenario_schema())).read()


class _Reader:
    """Resolves a file that already fits the schema."""

    def __init__(self, path: str, data: JsonObject) -> None:
        self.path = path
        self.data = data
        self.phases = self._phases()

    def read(self) -> Scenario:
        data = self.data
        world = data["world"]
        steps = list(self._timeline())
        scenario = Scenario(
            name=data["scenario"],
            title=data["title"],
            seed=data["seed"],
            start_us=self._start(),
            channels=tuple(_played(c) for c in world["channels"]),
            erp=_played(world["erp"]),
            skus=world["catalog"]["skus"],
            currency=world["catalog"]["currency"],
            phases=self.phases,
            workload=self._workload(),
            faults=tuple(s for s in steps if isinstance(s, FaultStep)),
            squeezes=tuple(s for s in steps if isinstance(s, SqueezeStep)),
            changes=tuple(s for s in steps if isinstance(s, ChangeStep)),
            crashes=tuple(s for s in steps if isinstance(s, CrashStep)),
            invariants=tuple(data["invariants"]["use"]),
            tolerances=self._tolerances(),
            service_levels=self._service_levels(),
            must_happen=dict(data.get("must_happen", {})),
            path=self.path,
        )
        self._check_names(scenario)
        return scenario

    def _fail(self, message: str, remedy: str) -> MetadataError:
        return MetadataError(message, remedy=remedy, location=SourceLocation(self.path))

    def _start(self) -> int:
        text = str(self.data["clock"]["start"])
        try:
            return from_text(text)
        except ValueError:
            msg = f"clock.start is no instant with an offset: {text!r}."
            raise self._fail(msg, "Write it like '2026-03-29T00:30:00Z', in quotes.") from None

    def _phases(self) -> Phases:
        phases = self.data["phases"]
        quiesce = phases["quiesce"]
        return Phases(
            warm_us=duration_us(phases["warm"]),
            chaos_us=duration_us(phases["chaos"]),
            heal_us=duration_us(phases["heal"]),
            quiesce_max_us=duration_us(quiesce["max"]),
            idle_us=duration_us(quiesce.get("idle_for", "6m")),
        )

    def _moment(self, text: str) -> int:
        phase, _, rest = text.partition("+")
        return self.phases.start_us(phase) + (duration_us(rest) if rest else 0)

    def _workload(self) -> Workload:
        orders = self.data["workload"]["orders"]
        stock = self.data["workload"].get("stock")
        return Workload(
            orders_per_minute=orders["per_minute"],
            lines_max=orders.get("lines_max", 3),
            gift_ppm=round(orders.get("gift_share", 0) * PPM),
            pending_ppm=round(orders.get("pending_share", 0) * PPM),
            bursts=tuple(
                Burst(self._moment(b["at"]), b["count"], duration_us(b.get("for", "1s")))
                for b in orders.get("bursts", ())
            ),
            stock_every_us=duration_us(stock["every"]) if stock else None,
            zero_ppm=round(stock.get("zero_share", 0) * PPM) if stock else 0,
        )

    def _timeline(self) -> Iterator[FaultStep | SqueezeStep | ChangeStep | CrashStep]:
        for index, step in enumerate(self.data.get("timeline", ())):
            at_us = self._moment(step["at"])
            if "change" in step:
                until = at_us + duration_us(step["for"]) if "for" in step else None
                touches = float(step.get("touches", 0))
                yield ChangeStep(step["change"], step["on"], at_us, until, touches)
                continue
            self._inside_chaos(index, step, at_us)
            if "crash" in step:
                yield CrashStep(at_us, step.get("after"), duration_us(step["restart"]))
            elif "squeeze" in step:
                until_us = at_us + duration_us(step["for"])
                yield SqueezeStep(step["squeeze"], step["on"], step["to"], at_us, until_us)
            else:
                yield self._fault(step, at_us)

    def _fault(self, step: JsonObject, at_us: int) -> FaultStep:
        heal_us = self.phases.start_us("heal")
        return FaultStep(
            kind=step["fault"],
            system=step["on"],
            operations=tuple(step.get("operations", ("*",))),
            from_us=at_us,
            until_us=at_us + duration_us(step["for"]) if "for" in step else heal_us,
            probability=float(step.get("probability", 1)),
            max_count=step.get("max"),
            nth=step.get("nth"),
            parameters=dict(step.get("parameters", {})),
        )

    def _inside_chaos(self, index: int, step: JsonObject, at_us: int) -> None:
        start, end = self.phases.start_us("chaos"), self.phases.start_us("heal")
        until = at_us + (duration_us(step["for"]) if "for" in step else 0)
        if start <= at_us < end and until <= end:
            return
        msg = f"timeline[{index}] ({step['at']}) is not inside the chaos phase."
        raise self._fail(msg, "Trouble must end before heal, or recovery cannot be judged.")

    def _tolerances(self) -> Tolerances:
        given = {k: v for k, v in self.data["invariants"].items() if k != "use"}
        if "neighbours_within" in given:
            given["neighbours_within_us"] = duration_us(given.pop("neighbours_within"))
        return Tolerances(**given)

    def _service_levels(self) -> ServiceLevels:
        levels = self.data.get("service_levels", {})

        def percentiles(name: str) -> tuple[Percentile, ...]:
            return tuple(
                Percentile(p["percentile"], duration_us(p["max"]), p.get("during", "all"))
                for p in levels.get(name, ())
            )

        recover = levels.get("recover_after_heal")
        return ServiceLevels(
            percentiles("order_to_erp"),
            percentiles("stock_to_channel"),
            None if recover is None else duration_us(recover),
        )

    def _check_names(self, scenario: Scenario) -> None:
        self._known("invariant", scenario.invariants, tuple(INVARIANTS))
        self._known("fault", (f.kind for f in scenario.faults), tuple(FaultKind))
        on_stage = tuple(s.system for s in scenario.systems)
        named = [s.system for s in scenario.faults]
        named += [s.system for s in scenario.squeezes]
        named += [s.system for s in scenario.changes]
        self._known("system on the timeline", named, on_stage)
        wanted = (name.removeprefix("fault.") for name in scenario.must_happen if "fault." in name)
        self._known("fault under must_happen", wanted, tuple(FaultKind))
        counts = (name for name in scenario.must_happen if not name.startswith("fault."))
        self._known("count under must_happen", counts, COUNTS)

    def _known(self, what: str, names: Iterable[str], known: tuple[str, ...]) -> None:
        unknown = sorted(set(names) - set(known))
        if unknown:
            msg = f"unknown {what}: {', '.join(unknown)}."
            raise self._fail(msg, f"Known: {', '.join(sorted(known))}.")


def _played(data: JsonObject) -> PlayedSystem:
    return PlayedSystem(data["system"], data.get("drift_pack"), dict(data.get("settings", {})))
