"""Decides whether everything a writer may send can be read, pair of schemas by pair of schemas.

A pair is expanded into *gaps* (obligations that fail here) and *edges* (pairs that must hold too).
A pair holds exactly when no gap can be reached from it, so recursion needs no special case: the
set of visited pairs is its own proof. Only unions ask "does this hold?" on the way; those answers
are remembered unless they lean on a question that is still open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, islice
from typing import NamedTuple

from harness.compatibility import obligations
from harness.compatibility.algebra import Algebra
from harness.compatibility.gaps import Gap
from harness.compatibility.keywords import SCALARS, same_value
from harness.compatibility.sameness import Sameness
from harness.compatibility.side import Node, Shape, Side, Union
from harness.model.values import pointer

NESTING_MAX = 40
CASES_MAX = 64


class Pair(NamedTuple):
    """A question: may everything of ``writer`` be read as ``reader``?

    ``wire`` is empty for JSON; ``text`` and ``exploded`` are for values that travel as text.
    """

    writer: Node
    reader: Node
    wire: str = ""


class Edge(NamedTuple):
    """A question its parent rests on; ``step`` is ``()`` when it is about the same value."""

    step: tuple[str, ...]
    pair: Pair


@dataclass(frozen=True, slots=True)
class Expansion:
    """What one pair demands."""

    gaps: tuple[Gap, ...] = ()
    edges: tuple[Edge, ...] = ()


class BudgetSpent(Exception):
    """No steps are left for this comparison."""


class Containment:
    """Answers containment questions between one writer side and one reader side."""

    def __init__(self, writer: Side, reader: Side, *, steps: int) -> None:
        """Take the sides and the number of pairs that may be expanded."""
        self.writer = writer
        self.reader = reader
        self.algebra = Algebra(writer, reader)
        self.steps_left = steps
        self._sameness = Sameness(writer, reader)
        self._expanded: dict[Pair, Expansion] = {}
        self._proved: dict[Pair, bool] = {}
        self._open: list[Pair] = []
        self._nearing: list[Pair] = []
        self._leaned = len(self._open)  # the lowest open question that was taken for granted

    def expand(self, pair: Pair) -> Expansion:
        """Return the gaps and edges of one pair. Raises :class:`BudgetSpent`."""
        known = self._expanded.get(pair)
        if known is not None:
            return known
        if self.steps_left <= 0:
            raise BudgetSpent
        self.steps_left -= 1
        before, self._leaned = self._leaned, NESTING_MAX + 1
        found = self._expand(pair)
        if self._leaned > NESTING_MAX:
            self._expanded[pair] = found
        self._leaned = min(before, self._leaned)
        return found

    def holds(self, pair: Pair) -> bool:
        """Say whether the pair is proved. ``False`` means not proved, for whatever reason."""
        if pair in self._proved:
            return self._proved[pair]
        if pair in self._open:
            self._leaned = min(self._leaned, self._open.index(pair))
            return True
        if len(self._open) >= NESTING_MAX:
            return False
        depth = len(self._open)
        before, self._leaned = self._leaned, NESTING_MAX + 1
        self._open.append(pair)
        try:
            visited = self._explore(pair)
        finally:
            self._open.pop()
        leaned, self._leaned = self._leaned, before
        if visited is None:
            self._proved[pair] = False
        elif leaned >= depth:
            self._proved.update(dict.fromkeys(visited, True))
        else:
            self._leaned = min(before, leaned)
        return visited is not None

    def _explore(self, start: Pair) -> list[Pair] | None:
        visited: dict[Pair, None] = {}
        todo = [start]
        while todo:
            pair = todo.pop()
            if pair in visited or self._proved.get(pair):
                continue
            visited[pair] = None
            expansion = self.expand(pair)
            if expansion.gaps or any(self._proved.get(e.pair) is False for e in expansion.edges):
                return None
            todo += [e.pair for e in expansion.edges]
        return list(visited)

    def _expand(self, pair: Pair) -> Expansion:
        if self._equal(pair):
            return Expansion()
        writer, reader = self.writer.shape(pair.writer), self.reader.shape(pair.reader)
        if writer.empty:
            return Expansion()
        if any(o.keyword == "$ref" for o in (*writer.opaque, *reader.opaque)):
            return Expansion(gaps=(Gap("$ref", reason=_UNREADABLE),))
        finite = obligations.finite_values(writer)
        if finite is not None:
            return Expansion(gaps=self._finite(pair, writer, reader, finite))
        if writer.unions:
            return self._split(pair, writer.unions[0])
        if pair.wire and writer.types & (SCALARS | {"array"}):
            return self._on_the_wire(pair, writer, reader)
        if reader.unions:
            return self._choose(pair, writer, reader, reader.unions[0])
        return self._oblige(pair, writer, reader)

    def _equal(self, pair: Pair) -> bool:
        left, right = pair.writer, pair.reader
        if not right.pointers:
            return True
        if left.choices or right.choices:
            return False
        return all(any(self._sameness.same(w, r) for w in left.pointers) for r in right.pointers)

    def _finite(
        self, pair: Pair, writer: Shape, reader: Shape, values: list[object]
    ) -> tuple[Gap, ...]:
        valid = self.algebra.reader_test(pair.reader, wire=pair.wire)
        if valid is None:
            return (Gap("schema", reason="the reader's schema cannot be compiled"),)
        bad = [v for v in values if not valid(v)]
        sent = self.algebra.written_test(pair.writer) if bad else None
        if sent is not None:
            bad = [v for v in bad if sent(v)]
        if not bad and not self.algebra.reader_is_readable(pair.reader):
            return (Gap("$ref", reason=_UNREADABLE),)
        return obligations.finite_gaps(writer, reader, bad)

    def _split(self, pair: Pair, union: Union) -> Expansion:
        """Answer for each branch the writer may take."""
        if union.branches > CASES_MAX:
            return Expansion(gaps=(Gap("union", reason="the union has too many branches"),))
        cases = [
            pair.writer.choosing(union.pointer, union.keyword, i) for i in range(union.branches)
        ]
        alone = [Pair(c, pair.reader, pair.wire) for c in cases]
        edges = tuple(Edge((), p) for p in alone)
        if union.keyword == "oneOf":
            return Expansion(edges=edges)
        groups = self._together(union)
        if len(groups) > CASES_MAX:
            reason = "too many branches of the anyOf can match at once"
            return Expansion((Gap("union", hints=(("search", ""),), reason=reason),), edges)
        if groups and all(self.holds(p) for p in alone):
            mixed = [Pair(_joined(pair.writer, union, g), pair.reader, pair.wire) for g in groups]
            edges += tuple(Edge((), p) for p in mixed if not self.holds(p))
        return Expansion(edges=edges)

    def _together(self, union: Union) -> list[tuple[int, ...]]:
        """Return the groups of anyOf branches that one value may match, mixing their members."""
        nodes = [self.writer.node(union.branch(i)) for i in range(union.branches)]
        shapes = [self.writer.shape(n) for n in nodes]
        # Only a branch that describes members or items lets a closed writer send more.
        telling = [i for i, s in enumerate(shapes) if s.unions or _describes(s)]
        apart = {
            (i, j)
            for i, j in combinations(telling, 2)
            if nodes[i] == nodes[j]
            or obligations.never_both(self.writer, shapes[i], self.writer, shapes[j])
        }
        groups: list[tuple[int, ...]] = []
        for size in range(2, len(telling) + 1):
            found = [
                g
                for g in islice(combinations(telling, size), 20 * CASES_MAX)
                if not any(two in apart for two in combinations(g, 2))
            ]
            groups += found
            if not found or len(groups) > CASES_MAX:
                break
        return groups

    def _choose(self, pair: Pair, writer: Shape, reader: Shape, union: Union) -> Expansion:
        """Find the branches of the reader that take the writer's values."""
        stripped = pair.reader.choosing(union.pointer, union.keyword, -1)
        rest = self.reader.shape(stripped)
        edges: list[Edge] = []
        if obligations.says_something(rest) or rest.unions:
            edges.append(Edge((), Pair(pair.writer, stripped, pair.wire)))
        branches = [self.reader.node(union.branch(i)) for i in range(union.branches)]
        possible = [
            b
            for b in branches
            if not obligations.disjoint(self.writer, writer, self.reader, self.reader.shape(b))
        ]
        if len(possible) == 1:
            edges.append(Edge((), Pair(pair.writer, possible[0], pair.wire)))
            return Expansion(edges=tuple(edges))
        if not possible:
            return Expansion((obligations.no_branch(writer, reader, union.keyword),), tuple(edges))
        taken = [b for b in possible if self.holds(Pair(pair.writer, b, pair.wire))]
        if taken and (union.keyword == "anyOf" or self._exclusive(pair.writer, taken[0], possible)):
            return Expansion(edges=tuple(edges))
        whole = self.reader.node(union.pointer)
        if not pair.wire and self.algebra.covers(pair.writer, whole):
            return Expansion(edges=tuple(edges))
        if taken:
            gap = Gap(
                union.keyword,
                hints=(("any", ""), ("search", "")),
                reason="more than one branch of a oneOf may match",
            )
            return Expansion((gap,), tuple(edges))
        # Go into the nearest branch: what fails there is what a person wants to see.
        # The witness decides in the end, against the whole union.
        nearest = self._nearest(pair, possible, union)
        return Expansion(
            (obligations.no_branch(writer, reader, union.keyword),) if nearest is None else (),
            (*edges, *([] if nearest is None else [Edge((), nearest)])),
        )

    def _nearest(self, pair: Pair, possible: list[Node], union: Union) -> Pair | None:
        def distance(branch: Node) -> tuple[bool, int, int]:
            near = Pair(pair.writer, branch, pair.wire)
            if near in self._nearing:
                return True, 0, 0
            self._nearing.append(near)
            try:
                expansion = self.expand(near)
            finally:
                self._nearing.pop()
            kind = any(g.keyword in {"type", "const-tag", "enum"} for g in expansion.gaps)
            shared = self._shared_names(pair.writer, branch)
            return kind, len(expansion.gaps), -shared

        best = min(possible, key=distance)
        return None if distance(best)[0] else Pair(pair.writer, best, pair.wire)

    def _shared_names(self, writer: Node, reader: Node) -> int:
        return len(self.writer.shape(writer).names.keys() & self.reader.shape(reader).names.keys())

    def _exclusive(self, writer: Node, taken: Node, possible: list[Node]) -> bool:
        """Say whether no other branch of the reader's oneOf can match as well.

        A value of the writer's own oneOf matches no other branch of that one; so a branch of the
        reader that lies inside another branch of the writer cannot match either.
        """
        others = list(possible)
        others.remove(taken)  # once: a branch that is written twice always matches twice
        siblings = [
            f"{c.pointer}/oneOf/{i}"
            for c in writer.choices
            if c.keyword == "oneOf" and c.branch >= 0
            for i in range(len(self.writer.at(f"{c.pointer}/oneOf")))
            if i != c.branch
        ]
        return all(
            any(self._sameness.same(s, b.pointers[0]) for s in map(self.writer.target, siblings))
            for b in others
            if len(b.pointers) == 1
        ) and all(len(b.pointers) == 1 for b in others)

    def _on_the_wire(self, pair: Pair, writer: Shape, reader: Shape) -> Expansion:
        """Compare values that travel as text: an integer is a string there."""
        if reader.unions:
            return self._wire_union(pair, reader.unions[0])
        may_be_empty = bool(writer.types & {"null", "string"}) and not (
            writer.types == {"string"} and writer.floors.get("minLength", 0) > 0
        )
        open_text = "string" in reader.types and obligations.any_text(reader, empty=may_be_empty)
        if open_text and writer.types <= SCALARS:
            return Expansion()
        if writer.types <= SCALARS and "array" in reader.types and not reader.types & SCALARS:
            item = self.reader.item_node(reader, 0)
            if item is not None and reader.floors.get("minItems", 0) <= 1:
                split = pair.wire == "text" and "string" in writer.types
                if split and not self._takes_parts(reader, item):
                    reason = "a text with a separator in it is read as several items"
                    return Expansion((Gap("type", hints=(("search", ""),), reason=reason),))
                return Expansion(edges=(Edge((), Pair(pair.writer, item, pair.wire)),))
        odd = {
            t for t in writer.types if t not in reader.types and not (open_text and t in SCALARS)
        }
        if odd:
            return Expansion(gaps=(obligations.type_gap(writer, reader, odd),))
        return self._oblige(pair, writer, reader)

    def _takes_parts(self, reader: Shape, item: Node) -> bool:
        """Say whether any text, split at separators, is a list the reader takes."""
        bounded = reader.unique or "maxItems" in reader.ceilings or reader.opaque
        inner = self.reader.shape(item)
        takes = "string" in inner.types and obligations.any_text(inner, empty=True)
        return takes and not bounded and not inner.unions

    def _wire_union(self, pair: Pair, union: Union) -> Expansion:
        stripped = pair.reader.choosing(union.pointer, union.keyword, -1)
        edges: tuple[Edge, ...] = ()
        if obligations.says_something(self.reader.shape(stripped)):
            edges = (Edge((), Pair(pair.writer, stripped, pair.wire)),)
        branches = [self.reader.node(union.branch(i)) for i in range(union.branches)]
        taken = next((b for b in branches if self.holds(Pair(pair.writer, b, pair.wire))), None)
        if taken is not None and (union.keyword == "anyOf" or self._alone(taken, branches)):
            return Expansion(edges=edges)
        gap = Gap(
            union.keyword,
            hints=(("search", ""),),
            reason="no single branch takes every value",
        )
        return Expansion((gap,), edges)

    def _alone(self, taken: Node, branches: list[Node]) -> bool:
        """Say whether no other branch reads the same JSON type: a text is read as one of them."""
        types = self.reader.shape(taken).types
        others = list(branches)
        others.remove(taken)
        return not any(types & self.reader.shape(b).types for b in others)

    def _oblige(self, pair: Pair, writer: Shape, reader: Shape) -> Expansion:
        gaps = obligations.local_gaps(writer, reader)
        edges: list[Edge] = []
        if "array" in writer.types and "array" in reader.types:
            edges += self._arrays(pair, writer, reader, gaps)
        if "object" in writer.types and "object" in reader.types:
            edges += self._objects(pair, writer, reader, gaps)
        self._opaque(pair, writer, reader, gaps)
        return Expansion(tuple(gaps), tuple(edges))

    def _arrays(self, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> list[Edge]:
        edges = []
        reach = writer.ceilings.get("maxItems")
        width = max(writer.prefix, reader.prefix)
        for index in range(width + 1):
            if reach is not None and index >= reach:
                break
            mine, theirs = (
                self.writer.item_node(writer, index),
                self.reader.item_node(reader, index),
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

    def _objects(self, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> list[Edge]:
        edges = []
        wire = "text" if pair.wire else ""
        for name in sorted({*writer.names, *reader.names}):
            mine = self.writer.property_node(writer, name)
            if mine is None or self.writer.shape(mine).empty:
                continue
            theirs = self.reader.property_node(reader, name)
            if theirs is not None:
                edges.append(Edge(("property", name), Pair(mine, theirs, wire)))
            else:
                gaps.append(Gap("closed", name=name, hints=(("with", name),)))
        rest = self.writer.rest_node(writer)
        if rest is not None and not self.writer.shape(rest).empty:
            theirs = self.reader.rest_node(reader)
            if theirs is not None:
                edges.append(Edge(("extra",), Pair(rest, theirs, wire)))
            else:
                gaps.append(Gap("additionalProperties", hints=(("extra", ""),)))
        edges += self._patterns(pair, writer, reader, gaps)
        for name in sorted(reader.required - writer.required):
            default = _default(self.reader, reader, name)
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

    def _patterns(self, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> list[Edge]:
        """Compare the members that the writer names by pattern."""
        edges: list[Edge] = []
        for where, pattern in self.writer.patterns(writer):
            mine = self.writer.node(f"{where}{pointer('patternProperties', pattern)}")
            if self.writer.shape(mine).empty:
                continue
            theirs = self.reader.pattern_node(reader, pattern)
            if theirs is not None:
                edges.append(
                    Edge(("pattern", pattern), Pair(mine, theirs, "text" * bool(pair.wire)))
                )
            elif pair.wire or not self.algebra.covers(pair.writer, pair.reader):
                reason = "which other patterns a name of this one also matches is not decided"
                gaps.append(Gap("patternProperties", hints=(("search", ""),), reason=reason))
        return edges

    def _opaque(self, pair: Pair, writer: Shape, reader: Shape, gaps: list[Gap]) -> None:
        for keyword in reader.opaque:
            if any(
                o.keyword == keyword.keyword
                and keyword.keyword not in _IN_CONTEXT
                and same_value(o.value) == same_value(keyword.value)
                and self._sameness.same(o.pointer, keyword.pointer)
                for o in writer.opaque
            ):
                continue
            if not obligations.concerns(keyword, writer):
                continue
            if not pair.wire and self.algebra.covers(pair.writer, pair.reader):
                return
            gaps.append(
                Gap(
                    keyword.keyword,
                    new=keyword.value,
                    hints=(("search", ""),),
                    reason=f"no proof either way for {keyword.keyword!r}",
                )
            )


_UNREADABLE = "a reference leads nowhere or a keyword is unusable, so nothing is known here"
# What these mean depends on what stands around them, so equal text says nothing.
_IN_CONTEXT = frozenset({"unevaluatedProperties", "unevaluatedItems", "$dynamicRef"})


def _joined(node: Node, union: Union, branches: tuple[int, ...]) -> Node:
    for branch in branches:
        node = node.choosing(union.pointer, union.keyword, branch)
    return node


def _describes(shape: Shape) -> bool:
    keywords = {"items", "prefixItems", "patternProperties", "additionalProperties"}
    return bool(shape.names) or any(keywords & schema.keys() for _, schema in shape.members)


def _default(side: Side, shape: Shape, name: str) -> object:
    for _, schema in shape.members:
        declared = schema.get("properties")
        if isinstance(declared, Mapping) and isinstance(declared.get(name), Mapping):
            return declared[name].get("default")
    return None
