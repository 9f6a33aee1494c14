"""Pairs whose values travel as text: there an integer is a string."""

from __future__ import annotations

from typing import Protocol

from harness.compatibility.schemas import members, obligations
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.keywords import SCALARS
from harness.compatibility.schemas.pairs import Edge, Expansion, Pair
from harness.compatibility.schemas.shapes import Shape, Union
from harness.compatibility.schemas.side import Node


class Walk(members.Walk, Protocol):
    """What a comparison of texts needs."""

    def holds(self, pair: Pair) -> bool:
        """Say whether the pair is proved."""


def on_the_wire(walk: Walk, pair: Pair, writer: Shape, reader: Shape) -> Expansion:
    """Compare values that travel as text: an integer is a string there."""
    if reader.unions:
        return _wire_union(walk, pair, reader.unions[0])
    may_be_empty = bool(writer.types & {"null", "string"}) and not (
        writer.types == {"string"} and writer.floors.get("minLength", 0) > 0
    )
    open_text = "string" in reader.types and obligations.any_text(reader, empty=may_be_empty)
    if open_text and writer.types <= SCALARS:
        return Expansion()
    if writer.types <= SCALARS and "array" in reader.types and not reader.types & SCALARS:
        item = walk.reader.item_node(reader, 0)
        if item is not None and reader.floors.get("minItems", 0) <= 1:
            split = pair.wire == "text" and "string" in writer.types
            if split and not _takes_parts(walk, reader, item):
                reason = "a text with a separator in it is read as several items"
                return Expansion((Gap("type", hints=(("search", ""),), reason=reason),))
            return Expansion(edges=(Edge((), Pair(pair.writer, item, pair.wire)),))
    odd = {t for t in writer.types if t not in reader.types and not (open_text and t in SCALARS)}
    if odd:
        return Expansion(gaps=(obligations.type_gap(writer, reader, odd),))
    return members.oblige(walk, pair, writer, reader)


def _takes_parts(walk: Walk, reader: Shape, item: Node) -> bool:
    """Say whether any text, split at separators, is a list the reader takes."""
    bounded = reader.unique or "maxItems" in reader.ceilings or reader.opaque
    inner = walk.reader.shape(item)
    takes = "string" in inner.types and obligations.any_text(inner, empty=True)
    return takes and not bounded and not inner.unions


def _wire_union(walk: Walk, pair: Pair, union: Union) -> Expansion:
    stripped = pair.reader.choosing(union.pointer, union.keyword, -1)
    edges: tuple[Edge, ...] = ()
    if obligations.says_something(walk.reader.shape(stripped)):
        edges = (Edge((), Pair(pair.writer, stripped, pair.wire)),)
    branches = [walk.reader.node(union.branch(i)) for i in range(union.branches)]
    taken = next((b for b in branches if walk.holds(Pair(pair.writer, b, pair.wire))), None)
    if taken is not None and (union.keyword == "anyOf" or _alone(walk, taken, branches)):
        return Expansion(edges=edges)
    gap = Gap(
        union.keyword,
        hints=(("search", ""),),
        reason="no single branch takes every value",
    )
    return Expansion((gap,), edges)


def _alone(walk: Walk, taken: Node, branches: list[Node]) -> bool:
    """Say whether no other branch reads the same JSON type: a text is read as one of them."""
    types = walk.reader.shape(taken).types
    others = list(branches)
    others.remove(taken)
    return not any(types & walk.reader.shape(b).types for b in others)
