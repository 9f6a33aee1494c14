"""Decides whether a parameter that is spelled otherwise now still says the same.

Two spellings differ for a value when nothing a new reader may hear in the old text is valid there
and means the value. That is asked of sample values: scalars, lists of none, one and several items,
objects. A pair of spellings in which only single texts can travel is the same by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

from harness.compatibility.exchanges.wire import (
    Spelling,
    Wire,
    heard,
    same_meaning,
    serialise,
    texts,
    typed,
)
from harness.compatibility.schemas.algebra import compiled
from harness.compatibility.schemas.samples import NoValueError, Sampler
from harness.compatibility.schemas.side import Node, Side
from harness.model.contract import Contract
from harness.model.values import Json

VALUES_MAX = 40
UNDECIDED = "no value was found that is read otherwise, and not all can be tried"


class Answer(Enum):
    """What is known about a change of spelling."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer, and for ``OTHER`` a value that shows it."""

    answer: Answer
    value: Json = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """One side of the question: a schema of a contract and how its values are written."""

    contract: Contract
    schema: str | None
    name: str
    spelling: Spelling


def judge_spelling(writer: Spoken, reader: Spoken, *, flag: str = "readOnly") -> Judged:
    """Say whether every value of the writer is heard as itself by the reader."""
    sender = _side(writer, flag, is_writer=True)
    node = sender.node(writer.schema)
    # In matrix style the name is part of the text, so that a renamed placeholder shows.
    renamed = writer.spelling.style == "matrix" and writer.name != reader.name
    differing = {
        kind
        for kind in _types(sender, node)
        if renamed or writer.spelling.form_of(kind) != reader.spelling.form_of(kind)
    }
    if not differing:
        return Judged(Answer.SAME)
    taker = _side(reader, flag, is_writer=False)
    goal = taker.node(reader.schema)
    sends, takes = compiled(sender, node), compiled(taker, goal)
    if sends is None or takes is None:
        return Judged(Answer.UNKNOWN)
    for value in islice(_values(sender, node), VALUES_MAX):
        if value in ([], {}) or not sends(value):
            continue  # how nothing at all is written is not defined
        wire = serialise(writer.name, value, writer.spelling)
        if not _understood(value, wire, reader, takes):
            return Judged(Answer.OTHER, value)
    return Judged(Answer.SAME if _few(sender, node, differing) else Answer.UNKNOWN)


def _understood(value: Json, wire: Wire, reader: Spoken, takes: Any) -> bool:
    if not wire:
        return True  # nothing is sent, as if the parameter were left out
    if reader.spelling.json:
        return _json_understood(value, wire, reader, takes)
    wire = tuple((reader.name if not _is_member(k, value) else k, t) for k, t in wire)
    return any(
        same_meaning(value, said) and any(takes(v) for v in typed(said))
        for said in heard(wire, reader.name, reader.spelling)
    )


def _json_understood(value: Json, wire: Wire, reader: Spoken, takes: Any) -> bool:
    plain = Spelling(reader.spelling.place, "form", explode=False)
    said = [s for s in heard(wire, wire[0][0], plain) if isinstance(s, str)]
    return any(v == value and takes(v) for s in said for v in typed(s) if not isinstance(v, str))


def _is_member(key: str, value: Json) -> bool:
    said = texts(value)
    return isinstance(said, dict) and (key in said or "[" in key)


def _few(side: Side, node: Node, differing: set[str]) -> bool:
    """Say whether the samples cover all that can differ: lists of one item at most."""
    shape = side.shape(node)
    return differing == {"array"} and not shape.unions and shape.ceilings.get("maxItems", 2) <= 1


def _types(side: Side, node: Node) -> frozenset[str]:
    """Return every type a value may have, unions looked into one level deep."""
    shape = side.shape(node)
    found = set(shape.types)
    if shape.unions:
        inner: set[str] = set()
        union = shape.unions[0]
        for index in range(union.branches):
            inner |= side.shape(side.node(union.branch(index))).types
        found &= inner
    return frozenset(found)


def _values(side: Side, node: Node) -> Iterator[Json]:
    sampler = Sampler(side)
    shape = side.shape(node)
    if "array" in shape.types:
        for length in (2, 3, 1, 0):  # two items show most
            try:
                yield sampler.of_size(node, "array", length)
            except NoValueError:
                continue
    yield from sampler.variants(node)


def _side(spoken: Spoken, flag: str, *, is_writer: bool) -> Side:
    return Side(spoken.contract.schemas, dropped=flag, writer=is_writer, closed=is_writer)
