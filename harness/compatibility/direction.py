"""One direction of a comparison: all its containment questions, explored together.

What fails at one pair of schemas is one finding, however many operations reach the pair.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from harness.compatibility import rules
from harness.compatibility.causes import Cause, cause_of_gap, cause_of_member
from harness.compatibility.exchanges.pairing import Root, request_exchange
from harness.compatibility.findings import identity
from harness.compatibility.schemas.containment import BudgetSpent, Containment, Pair
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.side import Side
from harness.compatibility.schemas.witness import Confirmation, Confirmer, Path
from harness.compatibility.summaries import told_once
from harness.model.contract import Contract
from harness.model.finding import (
    Category,
    Direction,
    Finding,
    Occurrence,
    Proof,
    Sides,
    Verdict,
    Witness,
)
from harness.model.values import Json, canonical_json

T = TypeVar("T")
ROOTS_TRIED = 6
SIGHTINGS_TRIED = 12


class Exploration:
    """All containment questions of one direction, explored together so that causes are shared."""

    def __init__(
        self,
        old: Contract,
        new: Contract,
        roots: list[Root],
        *,
        request: bool,
        strict_open: bool,
        steps_max: int,
        judged: frozenset[Category],
    ) -> None:
        """Take the questions of this direction; the writer is old in requests, new in answers."""
        dropped = "readOnly" if request else "writeOnly"
        first, second = (old, new) if request else (new, old)
        writer = Side(first.schemas, dropped=dropped, writer=True, closed=not strict_open)
        reader = Side(second.schemas, dropped=dropped, writer=False, closed=False)
        self.direction = Direction.REQUEST if request else Direction.RESPONSE
        self.request = request
        self.judged = judged
        self.containment = Containment(writer, reader, steps=steps_max)
        self.confirmer = Confirmer(self.containment)
        self.roots: dict[Pair, list[Root]] = {}
        for root in roots:
            mine, theirs = (root.old, root.new) if request else (root.new, root.old)
            pair = Pair(writer.node(mine), reader.node(theirs), root.wire)
            self.roots.setdefault(pair, []).append(root)
        self.parents: dict[Pair, list[tuple[Pair, tuple[str, ...]]]] = {}
        self.spent: Pair | None = None  # where the budget ended

    def findings(self) -> list[Finding]:
        """Return what fails, and what came or went without failing: one finding a cause."""
        order = self._explore()
        failed: dict[Cause, list[tuple[Pair, Gap]]] = {}
        told: dict[Cause, list[tuple[Pair, str, str]]] = {}
        writer, reader = self.containment.writer, self.containment.reader
        for pair in order:
            for gap in self.containment.expand(pair).gaps:
                cause = cause_of_gap(pair, gap, writer, reader)
                failed.setdefault(cause, []).append((pair, gap))
            for name, what in self._facts(pair):
                cause = cause_of_member(pair, name, what, writer, reader)
                told.setdefault(cause, []).append((pair, name, what))
        if self.spent is not None:
            gap = Gap("size", reason="budget: too many schema pairs to look at")
            cause = cause_of_gap(self.spent, gap, writer, reader)
            failed[cause] = [(self.spent, gap)]
        judged = [(sightings, self._judge(c, sightings)) for c, sightings in failed.items()]
        return [
            *told_once(judged, self.containment, order, self.roots),
            *(self._fact(cause, sightings) for cause, sightings in told.items()),
            *self._vacuous(p for p in order if p in self.roots),
        ]

    def _explore(self) -> list[Pair]:
        visited = dict.fromkeys(self.roots)
        todo = deque(self.roots)
        order: list[Pair] = []
        while todo:
            pair = todo.popleft()
            try:
                expansion = self.containment.expand(pair)
            except BudgetSpent:
                self.spent = pair
                break
            order.append(pair)
            for edge in expansion.edges:
                self.parents.setdefault(edge.pair, []).append((pair, edge.step))
                if edge.pair not in visited:
                    visited[edge.pair] = None
                    todo.append(edge.pair)
        return order

    def _routes(self, pair: Pair) -> Iterator[tuple[Pair, Path]]:
        """Yield every root that reaches the pair, with the shortest way down."""
        seen = {pair}
        todo: deque[tuple[Pair, Path]] = deque([(pair, ())])
        while todo:
            here, path = todo.popleft()
            if here in self.roots:
                yield here, path
            for parent, step in self.parents.get(here, ()):
                if parent not in seen:
                    seen.add(parent)
                    todo.append((parent, ((parent, step), *path)))

    def _judge(self, cause: Cause, sightings: list[tuple[Pair, Gap]]) -> Finding:
        """Return the finding of one cause; the first sighting that a witness confirms speaks."""
        confirmed: Confirmation | None = None
        routes = {pair: list(self._routes(pair)) for pair, _ in sightings}
        pair, gap = sightings[0]
        root, path = routes[pair][0]
        tries = ((p, g, r, w) for p, g in sightings for r, w in routes[p][:ROOTS_TRIED])
        for seen, gap_there, candidate, way in islice(tries, SIGHTINGS_TRIED):
            confirmed = self.confirmer.confirm(candidate, way, seen, gap_there)
            if confirmed is not None:
                gap, root, path = gap_there, candidate, way
                break
        everywhere = [route for found in routes.values() for route in found]
        return self._finding(cause, gap, everywhere, root, path, confirmed)

    def _finding(
        self,
        cause: Cause,
        gap: Gap,
        routes: list[tuple[Pair, Path]],
        root: Pair,
        path: Path,
        confirmed: Confirmation | None,
    ) -> Finding:
        start = self.roots[root][0]
        keyword = "required-known" if gap.keyword == "required" and gap.known else gap.keyword
        rule, pattern = rules.data_rule(keyword, request=self.request)
        old, new = (gap.mine, gap.new) if self.request else (gap.new, gap.mine)
        if gap.keyword == "enum":
            old, new = (gap.mine, None) if self.request else (None, gap.mine)
        if gap.keyword == "required" and not gap.known:
            old, new = (None, "required") if self.request else ("required", None)
        elif gap.keyword == "required":
            old, new = ("optional", "required") if self.request else ("required", "optional")
        text = pattern.format(mine=_shown(gap.mine), theirs=_shown(gap.new), name=gap.name)
        # Encoded text is the same JSON to any validator; what it stands for is not.
        proved = confirmed is not None or gap.structural
        reason = gap.reason or "no value was found that both full schemas confirm"
        made = self._at(cause, rule, routes, (root, path), gap.name, old=old, new=new)
        return replace(
            made,
            verdict=Verdict.BREAKING if proved else Verdict.UNPROVEN,
            message=f"{made.field or 'body'}: {text}.",
            proof=Proof.WITNESS if confirmed else Proof.STRUCTURE if proved else Proof.NONE,
            witness=_witness(start, confirmed),
            reason="" if proved else reason,
        )

    def _vacuous(self, roots: Iterable[Pair]) -> Iterator[Finding]:
        for pair in roots:
            why = self.containment.vacuous(pair)
            if why is not None:
                yield self._nothing_sent(pair, why)

    def _nothing_sent(self, pair: Pair, why: str) -> Finding:
        """Return the finding of a writer that can send nothing, so that nothing can fail.

        A whole answer that nobody can give any more breaks who waits for it. Of the old side it
        only says that the proof is worth little: who calls all the same sends something else.
        """
        routes = list(self._routes(pair))
        root, path = routes[0]
        rule = rules.STRUCTURE[f"{self.direction.value}-nothing-possible"]
        cause = Cause("", "", "", pair.writer.pointers, pair.reader.pointers)
        made = self._at(cause, rule, routes, (root, path), "")
        used_to_come = None if self.request or path else self._old_answer(pair)
        which = "old" if self.request else "new"
        told = replace(made, message=f"{made.field or 'body'}: {why} in the {which} contract.")
        if used_to_come is None:
            return replace(
                told, reason="what nothing can match says nothing of what is really sent"
            )
        return replace(
            told,
            verdict=Verdict.BREAKING,
            proof=Proof.STRUCTURE,
            witness=_witness(self.roots[root][0], used_to_come),
        )

    def _old_answer(self, pair: Pair) -> Confirmation | None:
        """Return an answer that the old contract allowed, ``None`` when there is none either."""
        old = self.containment.reader
        sender = Side(old.schemas, dropped=old.dropped, writer=True, closed=True)
        try:
            return Confirmation(Containment(sender, old, steps=1).proofs.example(pair.reader))
        except LookupError:
            return None

    def _occurrences(self, routes: list[tuple[Pair, Path]], name: str) -> tuple[Occurrence, ...]:
        """Return every operation that shows a cause, with the shortest field path there."""
        fields: dict[str, str] = {}
        for root, path in routes:
            for start in self.roots[root]:
                where = field_path(start.place, path, name)
                known = fields.setdefault(start.operation, where)
                fields[start.operation] = min(known, where, key=lambda f: (f.count("."), f))
        return tuple(Occurrence(operation, fields[operation]) for operation in sorted(fields))

    def _pointers(self, cause: Cause) -> Sides:
        mine = cause.writer[0] if cause.writer else None
        theirs = cause.reader[0] if cause.reader else None
        return Sides(mine, theirs) if self.request else Sides(theirs, mine)

    def _facts(self, pair: Pair) -> Iterator[tuple[str, str]]:
        """Yield properties that came or went without breaking anything."""
        expansion = self.containment.expand(pair)
        writer = self.containment.writer.shape(pair.writer)
        reader = self.containment.reader.shape(pair.reader)
        if not (expansion.edges or expansion.gaps) or writer.unions or reader.unions:
            return
        if not ("object" in writer.types and "object" in reader.types):
            return
        told = {g.name for g in expansion.gaps if g.name}
        came = sorted(reader.names.keys() - writer.names.keys() - told)
        went = sorted(writer.names.keys() - reader.names.keys() - told)
        added, removed = (came, went) if self.request else (went, came)
        yield from ((name, "added") for name in added)
        yield from ((name, "removed") for name in removed)

    def _fact(self, cause: Cause, sightings: list[tuple[Pair, str, str]]) -> Finding:
        _, name, what = sightings[0]
        routes = [route for pair, _, _ in sightings for route in self._routes(pair)]
        root, path = routes[0]
        rule = rules.STRUCTURE[f"{self.direction.value}-property-{what}"]
        text = "is new" if what == "added" else "is not described any more"
        lost = rule.category in self.judged and rule.category not in rules.ALWAYS_JUDGED
        made = self._at(cause, rule, routes, (root, path), name)
        return replace(
            made,
            verdict=Verdict.BREAKING if lost else Verdict.COMPATIBLE,
            message=f"{made.field}: the property {name} {text}.",
            old=None if what == "added" else name,
            new=name if what == "added" else None,
            proof=Proof.STRUCTURE if lost else Proof.NONE,
        )

    def _at(
        self,
        cause: Cause,
        rule: rules.Rule,
        routes: list[tuple[Pair, Path]],
        shown: tuple[Pair, Path],
        name: str,
        *,
        old: Json = None,
        new: Json = None,
    ) -> Finding:
        """Return a finding with its places and its identity, not judged yet.

        ``routes`` are all ways to the cause, ``shown`` the one that is told in full.
        """
        root, path = shown
        start = self.roots[root][0]
        where = field_path(start.place, path, name)
        first = Occurrence(start.operation, where)
        occurrences = self._occurrences(routes, name)
        return Finding(
            fingerprint=identity(rule.id, self.direction, occurrences[0], old, new),
            rule=rule.id,
            category=rule.category,
            verdict=Verdict.COMPATIBLE,
            message="",
            direction=self.direction,
            operations=_led_by(first, occurrences, lambda o: o.operation),
            occurrences=_led_by(first, occurrences, lambda o: o),
            pointer=self._pointers(cause),
            field=where,
            old=old,
            new=new,
        )


def _witness(start: Root, confirmed: Confirmation | None) -> Witness | None:
    if confirmed is None:
        return None
    return Witness(confirmed.value, request_exchange(start, confirmed.value))


def _led_by(
    first: Occurrence, others: tuple[Occurrence, ...], part: Callable[[Occurrence], T]
) -> tuple[T, ...]:
    """Return a part of every occurrence, that of the one shown in full before the others."""
    rest = [part(o) for o in others if o.operation != first.operation]
    return (part(first), *rest)


def field_path(place: str, path: Path, name: str = "") -> str:
    """Return the path a person reads: ``payload.Orders[].Status``, ``*`` for any member."""
    text = place
    for _, step in path:
        if not step:
            continue
        if step[0] == "property":
            text = f"{text}.{step[1]}" if text else step[1]
        elif step[0] in {"extra", "pattern"}:
            text = f"{text}.*" if text else "*"
        else:
            text += "[]"
    return (f"{text}.{name}" if text else name) if name else text


def _shown(value: Json) -> str:
    return "nothing" if value in (None, []) else canonical_json(value)
