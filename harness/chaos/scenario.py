"""Scenarios: one YAML file that says who plays, what goes wrong when, and what must hold.

These are the resolved values; :mod:`harness.chaos.scenario_file` reads them from a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

PPM = 1_000_000
PHASE_NAMES = ("warm", "chaos", "heal", "quiesce")


@dataclass(frozen=True, slots=True)
class PlayedSystem:
    """One simulator on stage."""

    system: str
    drift_pack: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phases:
    """Where each phase starts, in microseconds after the start of the world.

    Faults live in chaos only; heal has traffic without faults; quiesce has no new traffic and
    ends when nothing happens for ``idle_us``, at the latest after ``quiesce_max_us``.
    """

    warm_us: int
    chaos_us: int
    heal_us: int
    quiesce_max_us: int
    idle_us: int

    def start_us(self, phase: str) -> int:
        """Return when a phase begins; raises ``KeyError`` for an unknown name."""
        starts = {
            "warm": 0,
            "chaos": self.warm_us,
            "heal": self.warm_us + self.chaos_us,
            "quiesce": self.warm_us + self.chaos_us + self.heal_us,
        }
        return starts[phase]

    @property
    def end_us(self) -> int:
        """Return the latest end of the whole run."""
        return self.start_us("quiesce") + self.quiesce_max_us

    def at(self, offset_us: int) -> str:
        """Return the phase an offset falls into."""
        begun = [name for name in PHASE_NAMES if offset_us >= self.start_us(name)]
        return begun[-1] if begun else PHASE_NAMES[0]


@dataclass(frozen=True, slots=True)
class Burst:
    """``count`` orders on top of the usual ones, at whole seconds, so that timestamps tie."""

    at_us: int
    count: int
    for_us: int


@dataclass(frozen=True, slots=True)
class Workload:
    """What buyers and the warehouse do; shares are in parts per million."""

    orders_per_minute: float
    lines_max: int
    gift_ppm: int
    pending_ppm: int
    bursts: tuple[Burst, ...]
    stock_every_us: int | None
    zero_ppm: int


@dataclass(frozen=True, slots=True)
class FaultStep:
    """A fault at the edge of one system between two offsets."""

    kind: str
    system: str
    operations: tuple[str, ...]
    from_us: int
    until_us: int
    probability: float
    max_count: int | None
    nth: int | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SqueezeStep:
    """A quota that shrinks to a fraction of itself for a while."""

    quota: str
    system: str
    factor: float
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """A drift pack that one system starts to serve; ``until_us`` is ``None`` when it stays.

    ``touches`` is the share of orders the change may make unreadable, 0 when a careful reader
    copes with it. The others are neighbours and must keep flowing.
    """

    pack: str
    system: str
    from_us: int
    until_us: int | None
    touches: float


@dataclass(frozen=True, slots=True)
class CrashStep:
    """The engine dies at ``at_us``, or at the first answer of ``after`` from then on."""

    at_us: int
    after: str | None
    restart_us: int


@dataclass(frozen=True, slots=True)
class Tolerances:
    """The numbers inside the invariants."""

    neighbours_within_us: int = 15 * 60_000_000
    calls_too_early_max: int = 5
    throttled_share_max: float = 0.2
    writes_per_effect_max: float = 3.0
    refused_repeats_max: int = 10


@dataclass(frozen=True, slots=True)
class Percentile:
    """``percentile`` percent of the things that begin in ``during`` take at most ``max_us``."""

    percentile: int
    max_us: int
    during: str


@dataclass(frozen=True, slots=True)
class ServiceLevels:
    """The promised times; empty when the scenario promises none."""

    order_to_erp: tuple[Percentile, ...] = ()
    stock_to_channel: tuple[Percentile, ...] = ()
    recover_after_heal_us: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole night, resolved: all offsets are microseconds after ``start_us``."""

    name: str
    title: str
    seed: int
    start_us: int
    channels: tuple[PlayedSystem, ...]
    erp: PlayedSystem
    skus: int
    currency: str
    phases: Phases
    workload: Workload
    faults: tuple[FaultStep, ...]
    squeezes: tuple[SqueezeStep, ...]
    changes: tuple[ChangeStep, ...]
    crashes: tuple[CrashStep, ...]
    invariants: tuple[str, ...]
    tolerances: Tolerances
    service_levels: ServiceLevels
    must_happen: Mapping[str, int]
    path: str = ""

    @property
    def systems(self) -> tuple[PlayedSystem, ...]:
        """Return channels, then the ERP."""
        return (*self.channels, self.erp)

    def without_faults(self) -> Scenario:
        """Return the same night with nothing going wrong: the control of the experiment."""
        return replace(self, faults=(), squeezes=(), changes=(), crashes=(), must_happen={})
