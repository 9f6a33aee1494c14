"""Pairs the operations of two contracts, and holds what a walk over the pairs collects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.compatibility.wire import filled, query
from harness.model.contract import Contract, Operation
from harness.model.finding import Direction, Proof, Sides, Verdict
from harness.model.values import Json

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
NOWHERE = Sides()


@dataclass(frozen=True)
class Root:
    """One pair of schemas that an operation sends: where a containment question starts."""

    request: bool
    operation: str
    old: str | None
    new: str | None
    part: str
    place: str = ""
    wire: str = ""
    exchange: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Structural:
    """A difference that needs no value to be shown."""

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


@dataclass
class Walk:
    """Everything found on the way."""

    roots: list[Root] = field(default_factory=list)
    structural: list[Structural] = field(default_factory=list)
    compared: int = 0

    def breaks(self, rule: str, operation: str, message: str, **facts: Any) -> None:
        """Note a difference that breaks by what is missing or newly demanded."""
        self.structural.append(Structural(rule, Verdict.BREAKING, operation, message, **facts))

    def notes(self, rule: str, operation: str, message: str, **facts: Any) -> None:
        """Note a difference that harms nobody."""
        self.structural.append(Structural(rule, Verdict.COMPATIBLE, operation, message, **facts))


def matched_operations(
    old: Contract, new: Contract, left: tuple[Operation, ...], right: tuple[Operation, ...]
) -> Iterator[tuple[Operation | None, Operation | None]]:
    """Pair by exact path, then by position of placeholders, then with the base path in front."""
    remaining = {id(o): o for o in right}
    pairs: dict[int, Operation] = {}
    for key in (_exact, _positional, None):
        index: dict[tuple[str, str], Operation] = {}
        for operation in remaining.values():
            index.setdefault(key(operation) if key else _full(new, operation), operation)
        for operation in left:
            if id(operation) in pairs:
                continue
            found = index.pop(key(operation) if key else _full(old, operation), None)
            if found is not None:
                pairs[id(operation)] = found
                del remaining[id(found)]
    for operation in left:
        yield operation, pairs.get(id(operation))
    for operation in remaining.values():
        yield None, operation


def _exact(operation: Operation) -> tuple[str, str]:
    return operation.method, operation.path


def _positional(operation: Operation) -> tuple[str, str]:
    return operation.method, PLACEHOLDER.sub("{}", operation.path).rstrip("/")


def _full(contract: Contract, operation: Operation) -> tuple[str, str]:
    base = re.sub(r"^[a-z]+://[^/]*", "", contract.servers[0]) if contract.servers else ""
    method, path = _positional(operation)
    return method, base.rstrip("/") + path


def request_exchange(root: Root, value: Json) -> dict[str, Json]:
    """Return the exchange around a witness of a request or an answer."""
    made = dict(root.exchange)
    parameter = made.pop("parameter", None)
    if parameter is not None:
        location, name = str(parameter).split(".", 1)
        target = str(made["target"])
        if location == "query":
            separator = "&" if "?" in target else "?"
            return {**made, "target": f"{target}{separator}{query(name, value)}"}
        if location == "path":
            return {**made, "target": PLACEHOLDER.sub("a", filled(target, name, value))}
        return {**made, "headers" if location == "header" else "cookies": {name: value}}
    header = made.pop("header", None)
    if header is not None:
        return {**made, "headers": {str(header): value}}
    return {**made, "body": value}
