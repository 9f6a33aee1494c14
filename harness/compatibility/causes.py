"""What makes two sightings of a difference one: the schema that a person would have to edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.compatibility.schemas.containment import Pair
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.side import Side
from harness.model.values import canonical_json

Pointers = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """The identity of a root cause; ``writer`` and ``reader`` point at the schemas to edit.

    A component that many others include through ``allOf`` changes in one place, so a member that
    came, went or changed its status belongs to the schema that speaks of it.
    """

    kind: str
    name: str
    values: str
    writer: Pointers
    reader: Pointers


def cause_of_gap(pair: Pair, gap: Gap, writer: Side, reader: Side) -> Cause:
    """Return the cause of an obligation that fails at a pair."""
    mine, theirs = pair.writer.pointers, pair.reader.pointers
    if gap.name:
        theirs = _speakers(reader, pair.reader.pointers, pair, gap.name, of_reader=True)
        mine = _speakers(writer, pair.writer.pointers, pair, gap.name, of_reader=False)
        mine, theirs = _facing(mine, theirs, pair)
    values = canonical_json([gap.mine, gap.new, gap.known])
    return Cause(gap.keyword, gap.name, values, mine, theirs)


def cause_of_member(pair: Pair, name: str, what: str, writer: Side, reader: Side) -> Cause:
    """Return the cause of a property that only one side describes."""
    theirs = _speakers(reader, pair.reader.pointers, pair, name, of_reader=True)
    mine = _speakers(writer, pair.writer.pointers, pair, name, of_reader=False)
    mine, theirs = _facing(mine, theirs, pair)
    return Cause(what, name, "", mine, theirs)


def _speakers(side: Side, usual: Pointers, pair: Pair, name: str, *, of_reader: bool) -> Pointers:
    """Return the members of a node that speak of a property; none when nobody does."""
    if len(usual) == 1 and not _is_composed(side, usual[0]):
        return usual
    shape = side.shape(pair.reader if of_reader else pair.writer)
    return tuple(
        sorted(
            where
            for where, schema in shape.members
            if name in _names(schema.get("properties")) or name in _names(schema.get("required"))
        )
    )


def _facing(mine: Pointers, theirs: Pointers, pair: Pair) -> tuple[Pointers, Pointers]:
    """Let a side that says nothing be spoken for by the schema of the same place."""
    return (
        mine or tuple(p for p in theirs if p) or pair.writer.pointers,
        theirs or tuple(p for p in mine if p) or pair.reader.pointers,
    )


def _is_composed(side: Side, where: str) -> bool:
    schema = side.at(where)
    return isinstance(schema, Mapping) and bool({"allOf", "anyOf", "oneOf", "$ref"} & schema.keys())


def _names(value: object) -> frozenset[str]:
    if isinstance(value, Mapping):
        return frozenset(map(str, value))
    return (
        frozenset(v for v in value if isinstance(v, str))
        if isinstance(value, list)
        else frozenset()
    )
