"""The obligations of one pair that lie in its members and items, and those no rule sees through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from harness.compatibility.schemas import obligations
from harness.compatibility.schemas.algebra import Algebra
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.keywords import same_value
from harness.compatibility.schemas.pairs import Edge, Expansion, Pair
from harness.compatibility.schemas.proofs import Decision, Proofs
from harness.compatibility.schemas.sameness import Sameness
from harness.compatibility.schemas.shapes import Shape
from harness.compatibility.schemas.side import Side
from harness.model.values import pointer


class Walk(Protocol):
    """What the obligations of a pair need."""

    writer: Side
    reader: Side
    algebra: Algebra
    proofs: Proofs
    sameness: Sameness


def oblige(walk: Walk, pair: Pair, writer: Shape, reader: Shape) -> Expansion:
    """Return every obligation of a pair without unions, with what its members and items demand."""
    involved = any(o.keyword != "$ref" for o in (*writer.opaque, *reader.opaque))
    answer = Decision(None)
    if involved and not pair.wire:
        answer = walk.proofs.whole(pair.writer, pair.reader)
        if answer.holds:
            return Expansion()
    gaps = obligations.local_gaps(writer, reader)
    edges: list[Edge] = []
    if "array" in writer.types and "array" in reader.types:
        edges += _arrays(walk, pair, writer, reader, gaps)
    if "object" in writer.types and "object" in reader.types:
        edges += _objects(walk, pair, writer, reader, gaps)
    _opaque(walk, pair, writer, reader, gaps)
    kept = [g for gap in gaps for g in _checked(walk, pair, writer, reader, gap)]
    if answer.holds is False:
        # One keyword speaks about another here, so only the value found is sure to be refused.
        kept.append(Gap("schema", hints=(("value", answer.value),), summary=True))
        edges = [e._replace(soft=True) for e in edges]
    return Expansion(tuple(kept), tuple(edges))


def _checked(walk: Walk, pair: Pair, writer: Shape, reader: Shape, gap: Gap) -> list[Gap]:
    """Ask for a proof where the rule for one keyword does not see what others say beside it."""
    if gap.structural or (pair.wire and writer.types != {"string"}):
        return [gap]
    answer = walk.proofs.keyword(pair.writer, pair.reader, reader, gap.keyword)
    if answer.holds:
        return []
    if answer.holds is False:
        return [replace(gap, hints=(("value", answer.value), *gap.hints))]
    return [gap]


def _arrays(walk: Walk, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> list[Edge]:
    edges = []
    reach = writer.ceilings.get("maxItems")
    width = max(writer.prefix, reader.prefix)
    for index in range(width + 1):
        if reach is not None and index >= reach:
            break
        mine, theirs = (
            walk.writer.item_node(writer, index),
            walk.reader.item_node(reader, index),
        )
        if mine is None:
            break
        if theirs is None:
            gaps.append(Gap("items", hints=(("length", index + 1),)))
            break
        step = ("item", str(index)) if index < width else ("items", str(index))
        wire = "text" if pair.wire else ""
        edges.append(Edge(step, Pair(mine, theirs, wire)))
    return edges


def _objects(walk: Walk, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> list[Edge]:
    edges = []
    wire = "text" if pair.wire else ""
    for name in sorted({*writer.names, *reader.names}):
        mine = walk.writer.property_node(writer, name)
        if mine is None or walk.writer.shape(mine).empty:
            continue
        theirs = walk.reader.property_node(reader, name)
        if theirs is not None:
            edges.append(Edge(("property", name), Pair(mine, theirs, wire)))
        else:
            gaps.append(Gap("closed", name=name, hints=(("with", name),)))
    rest = walk.writer.rest_node(writer)
    if rest is not None and not walk.writer.shape(rest).empty:
        theirs = walk.reader.rest_node(reader)
        if theirs is not None:
            edges.append(Edge(("extra",), Pair(rest, theirs, wire)))
        else:
            gaps.append(Gap("additionalProperties", hints=(("extra", ""),)))
    edges += _patterns(walk, pair, writer, reader, gaps)
    for name in sorted(reader.required - writer.required):
        default = _default(walk.reader, reader, name)
        gaps.append(
            Gap(
                "required",
                name=name,
                known=name in writer.names,
                new=default,
                hints=(("without", name),),
            )
        )
    return edges


def _patterns(walk: Walk, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> list[Edge]:
    """Compare the members that the writer names by pattern."""
    edges: list[Edge] = []
    for where, pattern in walk.writer.patterns(writer):
        mine = walk.writer.node(f"{where}{pointer('patternProperties', pattern)}")
        if walk.writer.shape(mine).empty:
            continue
        theirs = walk.reader.pattern_node(reader, pattern)
        if theirs is not None:
            edges.append(Edge(("pattern", pattern), Pair(mine, theirs, "text" * bool(pair.wire))))
        elif pair.wire or not walk.algebra.covers(pair.writer, pair.reader):
            reason = "which other patterns a name of this one also matches is not decided"
            gaps.append(Gap("patternProperties", hints=(("search", ""),), reason=reason))
    return edges


def _opaque(walk: Walk, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> None:
    for keyword in reader.opaque:
        if any(
            o.keyword == keyword.keyword
            and keyword.keyword not in _IN_CONTEXT
            and same_value(o.value) == same_value(keyword.value)
            and walk.sameness.same(o.pointer, keyword.pointer)
            for o in writer.opaque
        ):
            continue
        if not obligations.concerns(keyword, writer):
            continue
        if not pair.wire and walk.algebra.covers(pair.writer, pair.reader):
            return
        gaps.append(
            Gap(
                keyword.keyword,
                new=keyword.value,
                hints=(("search", ""),),
                reason=f"no proof either way for {keyword.keyword!r}",
            )
        )


# What these mean depends on what stands around them, so equal text says nothing.
_IN_CONTEXT = frozenset({"unevaluatedProperties", "unevaluatedItems", "$dynamicRef"})


def _default(side: Side, shape: Shape, name: str) -> object:
    for _, schema in shape.members:
        declared = schema.get("properties")
        if isinstance(declared, Mapping) and isinstance(declared.get(name), Mapping):
            return declared[name].get("default")
    return None
