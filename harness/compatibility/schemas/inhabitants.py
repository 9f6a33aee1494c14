"""Finds a value of a claim, or proves that there is none: the heart of every containment answer.

The search takes a claim apart case by case until only facts about one type are left. Members and
items are claims of their own, remembered by what they say. A claim that comes up again while it is
being answered has no value *through itself*: values are finite, so the smallest one never needs
the same claim twice. Answers that lean on that are kept only once the claim they lean on is
settled. Everything is counted in steps; beyond the bound the answer is "unknown".

Leaving a demand out can only make a claim larger, so "empty" stays a proof wherever something was
not understood. A value is a candidate: whoever reports it confirms it with the validators.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.compatibility.schemas import demands, leaves, obligations, refusals, structures
from harness.compatibility.schemas.algebra import Algebra
from harness.compatibility.schemas.claims import (
    READER,
    WRITER,
    Case,
    Claim,
    Part,
    Place,
    Refusal,
    Split,
    State,
    made,
)
from harness.compatibility.schemas.keywords import SCALARS, same_value
from harness.compatibility.schemas.listed import EMPTY, UNKNOWN, Listed
from harness.compatibility.schemas.matching import matches
from harness.compatibility.schemas.naming import Outcome
from harness.compatibility.schemas.refusals_within import merged
from harness.compatibility.schemas.sameness import Sameness
from harness.compatibility.schemas.shapes import Opaque, Shape, as_object
from harness.compatibility.schemas.side import Node, Side
from harness.model.values import JsonObject

DEPTH_MAX = 40
STEPS_MAX = 4_000
_ORDER = ("null", "boolean", "integer", "fraction", "string", "array", "object")
_NO_LEAN = DEPTH_MAX + 1


class Inhabitants:
    """Answers claims about one writer side and one reader side."""

    def __init__(self, algebra: Algebra, sameness: Sameness) -> None:
        """Use these sides; answers are remembered."""
        self.algebra = algebra
        self.sameness = sameness
        writer = algebra.writer
        self._closed = writer
        aside = Side(writer.schemas, dropped=writer.dropped, writer=True, closed=False)
        self._open = {WRITER: aside, READER: algebra.reader}
        self._values = Listed(algebra, self.side)
        self._known: dict[Claim, Outcome] = {}
        self._pending: list[Claim] = []
        self._provisional: list[list[Claim]] = []
        self._leaned = _NO_LEAN
        self._allowed = self._steps = 0

    def side(self, document: int) -> Side:
        """Return the open side of a document."""
        return self._open[document]

    def find(self, claim: Claim, *, steps: int = STEPS_MAX) -> Outcome:
        """Answer a claim from the outside, within a number of steps."""
        self._allowed = self._steps = steps
        return self.solve(claim)

    @property
    def spent(self) -> int:
        """Return how many steps the last question took."""
        return self._allowed - max(self._steps, 0)

    def solve(self, claim: Claim) -> Outcome:
        """Answer a claim that another one rests on."""
        known = self._known.get(claim)
        if known is not None:
            return known
        if claim in self._pending:
            self._leaned = min(self._leaned, self._pending.index(claim))
            return EMPTY
        if len(self._pending) >= DEPTH_MAX or self._steps <= 0:
            return UNKNOWN
        depth = len(self._pending)
        before, self._leaned = self._leaned, _NO_LEAN
        self._pending.append(claim)
        self._provisional.append([])
        try:
            answer = self._search(State(claim))
        finally:
            self._pending.pop()
            provisional = self._provisional.pop()
            leaned, self._leaned = self._leaned, before
        if answer.found:
            self._known[claim] = answer
        elif answer.empty and leaned >= depth:
            self._known.update(dict.fromkeys((claim, *provisional), EMPTY))
        elif answer.empty:
            self._leaned = min(before, leaned)
            self._provisional[-1] += [claim, *provisional]
        else:
            self._leaned = min(before, leaned) if leaned < depth else before
        return answer

    def answer(self, state: State) -> Outcome:
        """Answer a state of its own, without remembering it."""
        self._steps = self._steps if self._pending else STEPS_MAX
        return self._search(state)

    def shapes(self, claim: Claim) -> list[Shape]:
        """Return what the three parts of the claim say: closed writer, writer aside, reader."""
        return [
            self._closed.shape(claim.writer),
            self._open[WRITER].shape(claim.aside),
            self._open[READER].shape(claim.reader),
        ]

    def _search(self, state: State) -> Outcome:
        self._steps -= 1
        if self._steps <= 0:
            return UNKNOWN
        shapes = self.shapes(state.claim)
        kinds = state.claim.kinds
        for shape in shapes:
            if shape.empty:
                return EMPTY
            kinds &= shape.types
        if not kinds:
            return EMPTY
        if kinds != state.claim.kinds:
            state = state.copy()
            state.claim = replace(state.claim, kinds=kinds)
        listed = next((s.enum for s in shapes if s.enum is not None), None)
        if listed is not None:
            return self._values.answer(state, listed)
        ready = self._prepared(state, shapes)
        if ready is None:
            return EMPTY
        state = ready
        if not state.splits:
            return self._leaf(state, self.shapes(state.claim))
        split = min(state.splits, key=len)
        rest = list(state.splits)
        rest.remove(split)
        best = EMPTY
        for case in split:
            following = self._taken(state, rest, case)
            outcome = EMPTY if following is None else self._search(following)
            if outcome.found and not outcome.doubtful:
                return outcome
            if outcome.found or (not outcome.empty and not best.found):
                best = outcome
        return best

    def _taken(self, state: State, rest: list[Split], case: Case) -> State | None:
        following = made(state, case)
        if following is None:
            return None
        following.splits = tuple(rest)
        touched = [a[0] for name, a in case if name == "member"]
        if touched and rest and not self.shapes(following.claim)[0].unions:
            for name in touched:
                if structures.member(self, following, name).empty:
                    return None
        return following

    def _prepared(self, state: State, shapes: list[Shape]) -> State | None:
        """Turn what is new in the claim into splits; ``None`` when it contradicts itself."""
        mixed = self._by_kind(state, shapes)
        if mixed is not None:
            state = state.copy()
            state.splits = (mixed,)
            return state
        splits = [self._still(state, s) for s in state.splits]
        told = set(state.told)
        found: list[Split] = []
        for split in self._fresh(state, shapes, told):
            if not split:
                return None
            found.append(split)
        if not splits and not found:
            for refusal in sorted(state.deferred - told):
                told.add(refusal)
                found.append(refusals.last_cases(self, state, shapes, refusal))
                break
        if any(not s for s in (*splits, *found)):
            return None
        state = state.copy()
        state.splits = (*splits, *found)
        state.told = frozenset(told)
        return state

    def _still(self, state: State, split: Split) -> Split:
        """Leave out cases whose types are gone."""
        kinds = state.claim.kinds
        # Moves that narrow the types always come first in a case.
        return tuple(c for c in split if not c or c[0][0] != "kinds" or c[0][1] & kinds)

    def _by_kind(self, state: State, shapes: list[Shape]) -> Split | None:
        """Look at arrays, objects and the rest one after the other."""
        kinds = state.claim.kinds
        groups = [kinds & SCALARS, kinds & {"array"}, kinds & {"object"}]
        present = [g for g in groups if g]
        busy = state.claim.refused or any(s.opaque or s.unions for s in shapes)
        if len(present) < 2 or not busy or state.splits:
            return None
        return tuple((("kinds", g),) for g in present)

    def _fresh(self, state: State, shapes: list[Shape], told: set[object]) -> Iterator[Split]:
        parts = (("writer", WRITER), ("aside", WRITER), ("reader", READER))
        for (part, document), shape in zip(parts, shapes, strict=True):
            for union in shape.unions:
                key = (part, union)
                if key not in told:
                    told.add(key)
                    yield demands.choices(self._closed, state.claim, part, document, union)
            for opaque in shape.opaque:
                if (part, opaque.pointer) not in told:
                    told.add((part, opaque.pointer))
                    yield from demands.demands(state, document, opaque)
        for refusal in sorted(state.claim.refused):
            if refusal in told:
                continue
            told.add(refusal)
            if self._contradicts(shapes, refusal):
                yield ()
                return
            if self._moot(state, shapes, refusal):
                continue
            cases = refusals.cases(self, state, shapes, refusal)
            if cases is not None:
                yield cases

    def _contradicts(self, shapes: list[Shape], refusal: Refusal) -> bool:
        """Say whether the refused schema is one of those that hold."""
        if refusal.keyword:
            return False
        refused = self.side(refusal.place.document).target(refusal.place.pointer)
        for index, shape in enumerate(shapes):
            document = READER if index == 2 else WRITER
            for where, _ in shape.members:
                if document == refusal.place.document:
                    if where == refused:
                        return True
                elif self._alike(where, refused, document):
                    return True
        return False

    def _alike(self, holds: str, refused: str, document: int) -> bool:
        left, right = (holds, refused) if document == WRITER else (refused, holds)
        if not self.sameness.same(left, right):
            return False
        # The two sides read a flagged property otherwise: only one of the two ways is a proof.
        return document == WRITER or not self.sameness.mentions(right, self._closed.dropped)

    def _moot(self, state: State, shapes: list[Shape], refusal: Refusal) -> bool:
        """Say whether the refused schema takes none of these values anyway."""
        if refusal.keyword:
            return False
        side = self.side(refusal.place.document)
        other = side.shape(side.node(refusal.place.pointer))
        if other.empty or not other.types & state.claim.kinds:
            return True
        holding = (self._closed, self._open[WRITER], self._open[READER])
        return any(
            s.members and obligations.never_both(mine, s, side, other)
            for mine, s in zip(holding, shapes, strict=True)
        )

    def _leaf(self, state: State, shapes: list[Shape]) -> Outcome:
        best = EMPTY
        for kind in _ORDER:
            if kind not in state.claim.kinds:
                continue
            outcome = self._of_kind(state, shapes, kind)
            if state.doubtful and outcome.found:
                outcome = replace(outcome, doubtful=True)
            if outcome.found and not outcome.doubtful:
                return outcome
            if outcome.found or (not outcome.empty and not best.found):
                best = outcome
        return best

    def _of_kind(self, state: State, shapes: list[Shape], kind: str) -> Outcome:
        if kind in {"null", "boolean"}:
            options = [None] if kind == "null" else [False, True]
            left = [v for v in options if same_value(v) not in state.claim.excluded]
            return Outcome(found=True, value=left[0]) if left else EMPTY
        if kind in {"integer", "fraction"}:
            return leaves.number(state, shapes, whole=kind == "integer")
        if kind == "string":
            return leaves.text(state, shapes)
        if kind == "array":
            return structures.array(self, state, shapes)
        return structures.whole_object(self, state, shapes)

    def item_claim(self, state: State, shapes: list[Shape], index: int, part: Part) -> Claim | None:
        """Return what an item must satisfy; ``None`` when the place must stay empty."""
        sides = zip(self._sides(), shapes, strict=True)
        nodes = [side.item_node(shape, index) for side, shape in sides]
        rest = frozenset(
            Place(d, o.pointer)
            for d, o, shape in self._unevaluated(shapes, "unevaluatedItems")
            if index >= shape.prefix and not any("items" in s for _, s in shape.members)
        )
        return self._child(nodes, part.joined(state.items.get(index, Part())).joined(Part(rest)))

    def member_claim(self, state: State, shapes: list[Shape], name: str) -> Claim | None:
        """Return what a member must satisfy; ``None`` when there must be none of that name."""
        if name in state.absent:
            return None
        sides = zip(self._sides(), shapes, strict=True)
        nodes = [side.property_node(shape, name) for side, shape in sides]
        rest = frozenset(
            Place(d, o.pointer)
            for d, o, shape in self._unevaluated(shapes, "unevaluatedProperties")
            if not any(_speaks_of(schema, name) for _, schema in shape.members)
        )
        return self._child(nodes, state.members.get(name, Part()).joined(Part(rest)))

    def _unevaluated(
        self, shapes: list[Shape], keyword: str
    ) -> Iterator[tuple[int, Opaque, Shape]]:
        """Yield each keyword of what is left, with all that its schema says where that is clear."""
        for document, shape in zip((WRITER, WRITER, READER), shapes, strict=True):
            for opaque in shape.opaque:
                if opaque.keyword == keyword:
                    parent = Place(document, opaque.pointer.rsplit("/", 1)[0])
                    said = merged(self, parent)
                    if said is not None:
                        yield document, opaque, said

    def accepts_name(self, place: Place, name: str) -> bool:
        """Say whether a schema of names takes a name; in doubt yes."""
        document, node = self._values.node(place)
        test = self._values.whole(document, node, scalar=True)
        return test is None or test(name)

    def _sides(self) -> tuple[Side, Side, Side]:
        return self._closed, self._open[WRITER], self._open[READER]

    def _child(self, nodes: list[Node | None], part: Part) -> Claim | None:
        writer, aside, reader = nodes
        if writer is None or aside is None or reader is None:
            return None
        claim = Claim(writer, aside, reader, refused=part.refused)
        for place in sorted(part.holds):
            claim = claim.holding(place)
        return claim


def _speaks_of(schema: JsonObject, name: str) -> bool:
    """Say whether a schema describes a member of this name."""
    if "additionalProperties" in schema or name in as_object(schema.get("properties")):
        return True
    return any(matches(p, name) for p in as_object(schema.get("patternProperties")))
