"""Decides whether everything a writer may send can be read, pair of schemas by pair of schemas.

A pair is expanded into *gaps* (obligations that fail here) and *edges* (pairs that must hold too).
A pair holds exactly when no gap can be reached from it, so recursion needs no special case: the
set of visited pairs is its own proof. Only unions ask "does this hold?" on the way; those answers
are remembered unless they lean on a question that is still open.
"""

from __future__ import annotations

from dataclasses import replace

from harness.compatibility.schemas import members, obligations, texts_on_wire
from harness.compatibility.schemas.algebra import Algebra
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.keywords import SCALARS
from harness.compatibility.schemas.pairs import UNREADABLE, BudgetSpent, Edge, Expansion, Pair
from harness.compatibility.schemas.proofs import Decision, Proofs
from harness.compatibility.schemas.sameness import Sameness
from harness.compatibility.schemas.shapes import Shape, Union
from harness.compatibility.schemas.side import Node, Side
from harness.compatibility.schemas.unions import CASES_MAX, together
from harness.model.values import Json

NESTING_MAX = 40


class Containment:
    """Answers containment questions between one writer side and one reader side."""

    def __init__(self, writer: Side, reader: Side, *, steps: int) -> None:
        """Take the sides and the number of pairs that may be expanded."""
        self.writer = writer
        self.reader = reader
        self.algebra = Algebra(writer, reader)
        self.steps_left = steps
        self.sameness = Sameness(writer, reader)
        self.proofs = Proofs(self.algebra, self.sameness)
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
        if (found.gaps or found.edges) and self.impossible(pair.writer) is not None:
            # Nothing is ever sent here, so everything that is sent can be read.
            found = Expansion()
        if self._leaned > NESTING_MAX:
            self._expanded[pair] = found
        self._leaned = min(before, self._leaned)
        return found

    def vacuous(self, pair: Pair) -> str | None:
        """Return why nothing is ever sent at a pair that holds, ``None`` where something is.

        Two schemas that are equal say nothing new, whatever they say.
        """
        expansion = self.expand(pair)
        if expansion.gaps or expansion.edges or self._equal(pair):
            return None
        if self.writer.shape(pair.writer).empty:
            return "no value matches everything the schema says"
        return self.impossible(pair.writer)

    def impossible(self, node: Node) -> str | None:
        """Return why the writer can send nothing here, or ``None`` when it can or nobody knows."""
        return self.proofs.impossible(node)

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
            return Expansion(gaps=(Gap("$ref", reason=UNREADABLE),))
        finite = obligations.finite_values(writer)
        if finite is not None:
            return Expansion(gaps=self._finite(pair, writer, reader, finite))
        if writer.unions:
            return self._split(pair, writer.unions[0])
        if pair.wire and writer.types & (SCALARS | {"array"}):
            return texts_on_wire.on_the_wire(self, pair, writer, reader)
        if reader.unions:
            return self._choose(pair, writer, reader, reader.unions[0])
        return members.oblige(self, pair, writer, reader)

    def _equal(self, pair: Pair) -> bool:
        left, right = pair.writer, pair.reader
        if not right.pointers:
            return True
        if left.choices or right.choices:
            return False
        return all(any(self.sameness.same(w, r) for w in left.pointers) for r in right.pointers)

    def _finite(
        self, pair: Pair, writer: Shape, reader: Shape, values: list[Json]
    ) -> tuple[Gap, ...]:
        plain = not pair.wire and all(not isinstance(v, dict | list) for v in values)
        valid = self.algebra.reader_test(pair.reader, wire=pair.wire, scalar=plain)
        if valid is None:
            return (Gap("schema", reason="the reader's schema cannot be compiled"),)
        bad = [v for v in values if not valid(v)]
        sent = self.algebra.written_test(pair.writer, scalar=plain) if bad else None
        if sent is not None:
            bad = [v for v in bad if sent(v) and self.proofs.alone(pair.writer, v)]
        if not bad and not self.algebra.reader_is_readable(pair.reader, scalar=plain):
            return (Gap("$ref", reason=UNREADABLE),)
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
        groups = together(self.writer, union)
        if len(groups) > CASES_MAX:
            if not pair.wire and self.proofs.whole(pair.writer, pair.reader).holds:
                return Expansion()
            reason = "too many branches of the anyOf can match at once"
            return Expansion((Gap("union", hints=(("search", ""),), reason=reason),), edges)
        if groups and all(self.holds(p) for p in alone):
            mixed = [Pair(_joined(pair.writer, union, g), pair.reader, pair.wire) for g in groups]
            edges += tuple(Edge((), p) for p in mixed if not self.holds(p))
        return Expansion(edges=edges)

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
        if pair.wire:
            alone = union.keyword == "anyOf"
            if alone and any(self.holds(Pair(pair.writer, b, pair.wire)) for b in possible):
                return Expansion(edges=tuple(edges))
            return Expansion((obligations.no_branch(writer, reader, union.keyword),), tuple(edges))
        answer = self.proofs.union(pair.writer, pair.reader, union.pointer, union.keyword)
        if answer.holds is None and self._holds_somehow(pair, possible, union):
            answer = Decision(holds=True)
        if answer.holds:
            return Expansion(edges=tuple(edges))
        return self._refuted(pair, writer, union, possible, answer, edges)

    def _holds_somehow(self, pair: Pair, possible: list[Node], union: Union) -> bool:
        """Look for a proof where the search for values gave up."""
        if union.keyword == "anyOf" and any(self.holds(Pair(pair.writer, b)) for b in possible):
            return True
        return self.algebra.covers(pair.writer, self.reader.node(union.pointer))

    def _refuted(
        self,
        pair: Pair,
        writer: Shape,
        union: Union,
        possible: list[Node],
        answer: Decision,
        edges: list[Edge],
    ) -> Expansion:
        """Report that the union does not take everything, or that nobody knows."""
        gap = obligations.no_branch(writer, self.reader.shape(pair.reader), union.keyword)
        if answer.holds is None:
            return Expansion((gap,), tuple(edges))
        if self._matches(possible, answer.value) > 1:
            reason = "more than one branch of a oneOf matches"
            gap = Gap(union.keyword, hints=(("value", answer.value),), reason=reason)
            return Expansion((gap,), tuple(edges))
        gap = replace(gap, hints=(("value", answer.value),), summary=True)
        # Go into the nearest branch: what fails there is what a person wants to see.
        # The witness decides in the end, against the whole union.
        nearest = self._nearest(pair, possible)
        near = [] if nearest is None else [Edge((), nearest, soft=True)]
        return Expansion((gap,), (*edges, *near))

    def _matches(self, branches: list[Node], value: Json) -> int:
        plain = not isinstance(value, dict | list)
        tests = (
            self.algebra.reader_test(b, scalar=True) if plain else self.algebra.near_test(b)
            for b in branches
        )
        return sum(test is not None and test(value) for test in tests)

    def _nearest(self, pair: Pair, possible: list[Node]) -> Pair | None:
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


def _joined(node: Node, union: Union, branches: tuple[int, ...]) -> Node:
    for branch in branches:
        node = node.choosing(union.pointer, union.keyword, branch)
    return node


__all__ = ["BudgetSpent", "Containment", "Edge", "Expansion", "Pair"]
