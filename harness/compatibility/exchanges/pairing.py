"""What a walk over two contracts collects: questions about schemas, and facts without a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.model.contract import Operation
from harness.model.finding import Direction, Proof, Sides, Verdict
from harness.model.values import Json

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
NOWHERE = Sides()


def _no_exchange(_value: Json) -> dict[str, Json]:
    return {}


@dataclass(frozen=True)
class Root:
    """One pair of schemas that an operation sends: where a containment question starts.

    ``wire`` is empty for JSON, else how the value travels as text. ``exchange`` makes the whole
    exchange around a witness; it is called only when there is one.
    """

    request: bool
    operation: str
    old: str | None
    new: str | None
    part: str
    place: str = ""
    wire: str = ""
    exchange: Callable[[Json], dict[str, Json]] = _no_exchange


@dataclass(frozen=True)
class Structural:
    """A difference that needs no schema to be shown.

    ``value`` is a payload that shows it all the same, where one could be made and confirmed.
    """

    rule: str
    verdict: Verdict
    operation: str
    message: str
    direction: Direction | None = None
    field: str = ""
    old: Json = None
    new: Json = None
    pointer: Sides = NOWHERE
    exchange: Json = None
    reason: str = ""
    proof: Proof = Proof.STRUCTURE
    value: Json = None


@dataclass
class Walk:
    """Everything found on the way; ``matched`` are the operations of both sides, in pairs.

    ``sample`` makes the exchange that used to work for an old operation, by its label: what stands
    behind a breaking fact that no single request or answer shows. It is empty for an unknown label.
    """

    roots: list[Root] = field(default_factory=list)
    structural: list[Structural] = field(default_factory=list)
    matched: list[tuple[Operation, Operation]] = field(default_factory=list)
    compared: int = 0
    sample: Callable[[str], dict[str, Json]] = _no_exchange

    def asks(
        self,
        operation: str,
        schemas: tuple[str | None, str | None],
        part: str,
        *,
        request: bool,
        exchange: Callable[[Json], dict[str, Json]],
        place: str = "",
        wire: str = "",
    ) -> None:
        """Ask whether what is written by the one schema is read by the other: (old, new)."""
        root = Root(request, operation, *schemas, part, place, wire, exchange)
        self.roots.append(root)

    def breaks(self, rule: str, operation: str, message: str, **facts: Any) -> None:
        """Note a difference that breaks by what is missing or newly demanded."""
        self.structural.append(Structural(rule, Verdict.BREAKING, operation, message, **facts))

    def notes(self, rule: str, operation: str, message: str, **facts: Any) -> None:
        """Note a difference that harms nobody."""
        self.structural.append(Structural(rule, Verdict.COMPATIBLE, operation, message, **facts))

    def doubts(self, rule: str, operation: str, message: str, reason: str, **facts: Any) -> None:
        """Note a difference that could be neither proved harmless nor shown to break."""
        facts |= {"reason": reason, "proof": Proof.NONE}
        self.structural.append(Structural(rule, Verdict.UNPROVEN, operation, message, **facts))


def request_exchange(root: Root, value: Json) -> dict[str, Json]:
    """Return the exchange around a witness of a request or an answer."""
    return root.exchange(value)
