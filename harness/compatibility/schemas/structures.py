"""Objects and arrays of a claim: every member and item is a claim of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Protocol

from harness.compatibility.schemas.claims import (
    READER,
    WRITER,
    Claim,
    Counted,
    Part,
    Place,
    Refusal,
    State,
)
from harness.compatibility.schemas.keywords import same_value
from harness.compatibility.schemas.naming import Names, Outcome, names, naming_rules
from harness.compatibility.schemas.shapes import Shape
from harness.compatibility.schemas.sizes import PARTS_MADE_MAX, too_large
from harness.model.values import Json

ITEMS_MAX = 12
COUNTED_MAX = 6  # each item matches a counted schema or not: two to the power of this
MEMBERS_MAX = 200
_NOTHING = Outcome(empty=True)


class Solver(Names, Protocol):
    """Answers claims about members and items."""

    def solve(self, claim: Claim) -> Outcome:
        """Answer a claim that another one rests on."""

    def shapes(self, claim: Claim) -> list[Shape]:
        """Return what the three parts of the claim say."""

    def member_claim(self, state: State, shapes: list[Shape], name: str) -> Claim | None:
        """Return what a member must satisfy; ``None`` when there must be none."""

    def item_claim(self, state: State, shapes: list[Shape], index: int, part: Part) -> Claim | None:
        """Return what an item must satisfy; ``None`` when the place must stay empty."""

    def accepts_name(self, place: Place, name: str) -> bool:
        """Say whether a schema of names takes a name; in doubt yes."""


def member(solver: Solver, state: State, name: str) -> Outcome:
    """Answer for one member of the object."""
    shapes = solver.shapes(state.claim)
    if not all(solver.accepts_name(p, name) for p in naming_rules(shapes, _DOCUMENTS)):
        return _NOTHING
    claim = solver.member_claim(state, shapes, name)
    return _NOTHING if claim is None else solver.solve(claim)


_DOCUMENTS = [WRITER, WRITER, READER]


def whole_object(solver: Solver, state: State, shapes: list[Shape]) -> Outcome:
    """Return an object of the claim with as few members as possible."""
    needed = dict.fromkeys([*state.members, *sorted(n for s in shapes for n in s.required)])
    least, most = _size(state, shapes, "object", "Properties")
    if most is not None and most < least:
        return _NOTHING
    if least > PARTS_MADE_MAX:
        return Outcome()
    made: dict[str, Json] = {}
    doubtful = False
    for name in needed:
        answer = member(solver, state, name)
        if answer.empty:
            return _NOTHING
        if not answer.found:
            return Outcome()
        made[name] = answer.value
        doubtful = doubtful or answer.doubtful
    if most is not None and len(made) > most:
        # Two of them may have been meant to be one: a name somebody made up stands for others.
        invented = [n for n in made if not any(n in s.names or n in s.required for s in shapes)]
        return Outcome() if len(invented) > 1 else _NOTHING
    if len(made) < least:
        return _filled(solver, state, shapes, made, least)
    if same_value(made) in state.claim.excluded:
        return _other_object(solver, state, shapes, made, most)
    return Outcome(found=True, value=made, doubtful=doubtful)


def _size(state: State, shapes: list[Shape], kind: str, suffix: str) -> tuple[int, int | None]:
    least, most = state.size(kind)
    for shape in shapes:
        least = max(least, shape.floors.get(f"min{suffix}", 0))
        limit = shape.ceilings.get(f"max{suffix}")
        most = limit if most is None else most if limit is None else min(most, limit)
    return least, most


def _more(
    solver: Solver, state: State, shapes: list[Shape], made: dict[str, Json]
) -> Iterator[tuple[str, Outcome]]:
    """Yield further members the object may have; a fresh name may be asked for again."""
    for name in sorted({n for s in shapes for n in s.names}):
        if name not in made:
            yield name, member(solver, state, name)


def _filled(
    solver: Solver, state: State, shapes: list[Shape], made: dict[str, Json], least: int
) -> Outcome:
    made = dict(made)
    unsure = least > MEMBERS_MAX
    doubtful = False
    for name, answer in _more(solver, state, shapes, made):
        if len(made) >= least or unsure:
            break
        unsure = unsure or not (answer.found or answer.empty)
        if answer.found:
            made[name], doubtful = answer.value, doubtful or answer.doubtful
    while len(made) < least and not unsure:
        grown = state.copy()
        grown.members = {**dict.fromkeys(made, Part()), **state.members}
        fresh = names(solver, grown, shapes)
        unsure = not fresh.all
        added = False
        for name in fresh.found:
            if name in made or name in state.absent:
                continue
            answer = member(solver, grown, name)
            unsure = unsure or not (answer.found or answer.empty)
            if answer.found:
                made[name], added = answer.value, True
                break
        if not added:
            break
    if len(made) < least:
        return Outcome() if unsure else _NOTHING
    if same_value(made) in state.claim.excluded:
        return Outcome()
    return Outcome(found=True, value=made, doubtful=doubtful)


def _other_object(
    solver: Solver, state: State, shapes: list[Shape], made: dict[str, Json], most: int | None
) -> Outcome:
    """Return the object with one more member, because the smallest one is excluded."""
    if most is not None and len(made) >= most:
        return Outcome()
    for name in names(solver, state, shapes).found:
        if name not in made and name not in state.absent:
            answer = member(solver, state, name)
            grown = {**made, name: answer.value}
            if answer.found and same_value(grown) not in state.claim.excluded:
                return Outcome(found=True, value=grown, doubtful=answer.doubtful)
    return Outcome()


def array(solver: Solver, state: State, shapes: list[Shape]) -> Outcome:
    """Return an array of the claim with as few items as possible."""
    least, most = _size(state, shapes, "array", "Items")
    if most is not None and most < least:
        return _NOTHING
    least = max([least, *(i + 1 for i in state.items)])
    if most is not None and least > most:
        return _NOTHING
    if least > PARTS_MADE_MAX:
        return Outcome()
    unique = any(s.unique for s in shapes)
    if state.twins:
        return _NOTHING if unique else _twins(solver, state, shapes, least, most)
    width = max([0, *(s.prefix for s in shapes)])
    reach = max(least, width) + sum(c.least for c in state.counted)
    longest = reach if most is None else min(reach, most)
    if longest > (COUNTED_MAX if state.counted else ITEMS_MAX) and (state.counted or unique):
        return Outcome()
    best = _NOTHING
    # The empty array is one value; when it is excluded, one item more makes another.
    longer = least == 0 and "[]" in state.claim.excluded and most != 0
    lengths = (
        range(least, longest + 1) if state.counted else range(least + longer, least + longer + 1)
    )
    for length in lengths:
        outcome = _of_length(solver, state, shapes, length, unique=unique)
        if outcome.found:
            return Outcome() if too_large(outcome.value) else outcome
        if not outcome.empty:
            best = outcome
    return best


def _of_length(
    solver: Solver, state: State, shapes: list[Shape], length: int, *, unique: bool
) -> Outcome:
    best = _NOTHING
    for marks in _markings(state.counted, length):
        parts = [_part(state.counted, marks, index) for index in range(length)]
        outcome = _items(solver, state, shapes, parts, unique=unique)
        if outcome.found:
            return outcome
        if not outcome.empty:
            best = outcome
    return best


def _markings(counted: tuple[Counted, ...], length: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield, for each count, which items are said to match; the others are said to fail."""
    if not counted:
        yield ()
        return
    options = []
    for count in counted:
        most = length if count.most is None else min(count.most, length)
        options.append(
            [places for places in _subsets(length) if count.least <= len(places) <= most]
        )
    yield from product(*options)


def _subsets(length: int) -> list[tuple[int, ...]]:
    found = [tuple(i for i in range(length) if bits >> i & 1) for bits in range(2**length)]
    return sorted(found, key=len)


def _part(counted: tuple[Counted, ...], marks: tuple[tuple[int, ...], ...], index: int) -> Part:
    part = Part()
    for count, places in zip(counted, marks, strict=True):
        if index in places:
            part = part.joined(Part(holds=frozenset({count.place})))
        elif count.most is not None:
            part = part.joined(Part(refused=frozenset({Refusal(count.place)})))
    return part


def _items(
    solver: Solver, state: State, shapes: list[Shape], parts: list[Part], *, unique: bool
) -> Outcome:
    made: list[Json] = []
    claims: list[Claim] = []
    doubtful = False
    if len(parts) > 1_000:
        return Outcome()
    for index, part in enumerate(parts):
        claim = solver.item_claim(state, shapes, index, part)
        if claim is None:
            return _NOTHING
        claims.append(claim)
        if unique and made:
            claim = _without(claim, made)
        answer = solver.solve(claim)
        if answer.empty:
            # With different places another choice before might have left a value here.
            sure = not unique or not made or all(c == claims[0] for c in claims)
            sure = sure or solver.solve(claims[-1]).empty
            return _NOTHING if sure else Outcome()
        if not answer.found:
            return Outcome()
        made.append(answer.value)
        doubtful = doubtful or answer.doubtful
    if same_value(made) in state.claim.excluded:
        return Outcome()
    return Outcome(found=True, value=made, doubtful=doubtful)


def _without(claim: Claim, values: list[Json]) -> Claim:
    spelled = frozenset(same_value(v) for v in values)
    return Claim(
        claim.writer,
        claim.aside,
        claim.reader,
        claim.refused,
        claim.kinds,
        claim.excluded | spelled,
    )


def _twins(
    solver: Solver, state: State, shapes: list[Shape], least: int, most: int | None
) -> Outcome:
    """Return an array with two equal items."""
    if state.counted:
        return Outcome()
    width = max([0, *(s.prefix for s in shapes)])
    best = _NOTHING
    for second in range(1, max(least, width) + 2):
        for first in range(second):
            length = max(least, second + 1)
            if most is not None and length > most:
                continue
            outcome = _equal(solver, state, shapes, (first, second), length)
            if outcome.found:
                return outcome
            if not outcome.empty:
                best = outcome
    return best


def _equal(
    solver: Solver, state: State, shapes: list[Shape], places: tuple[int, int], length: int
) -> Outcome:
    if length > ITEMS_MAX:
        return Outcome()
    claims = [solver.item_claim(state, shapes, i, Part()) for i in range(length)]
    if any(c is None for c in claims):
        return _NOTHING
    left, right = (c for i, c in enumerate(claims) if i in places)
    if left is None or right is None:
        return _NOTHING
    shared = solver.solve(left.both(right))
    if not shared.found:
        return shared
    made: list[Json] = []
    for index, claim in enumerate(claims):
        answer = shared if index in places or claim is None else solver.solve(claim)
        if not answer.found:
            return answer
        made.append(answer.value)
    return Outcome(found=True, value=made, doubtful=shared.doubtful)
