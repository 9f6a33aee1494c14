"""The member names that matter to a claim: those somebody mentions, and one of each other kind.

Two names that no schema mentions and that match the same patterns are treated alike everywhere,
so one fresh name stands for all names of its kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Protocol

from harness.compatibility.schemas.claims import READER, WRITER, Claim, Place, Refusal, State
from harness.compatibility.schemas.keywords import same_value
from harness.compatibility.schemas.matching import matches
from harness.compatibility.schemas.shapes import Shape, as_object
from harness.compatibility.schemas.side import Node, Side

PATTERNS_MAX = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer about a claim: ``empty``, a ``value``, or neither when nobody knows.

    A ``doubtful`` value may be no value of the claim; it has to be confirmed.
    """

    empty: bool = False
    found: bool = False
    value: object = None
    doubtful: bool = False


class Names(Protocol):
    """What is needed to make names."""

    def side(self, document: int) -> Side:
        """Return the open side of a document."""

    def answer(self, state: State) -> Outcome:
        """Answer a state of its own, without remembering it."""


@dataclass(slots=True)
class Candidates:
    """The names found; ``all`` is false when a kind of names may be missing."""

    found: list[str] = field(default_factory=list)
    all: bool = True


def names(
    world: Names,
    state: State,
    shapes: list[Shape],
    *,
    matching: tuple[str, ...] = (),
    failing: tuple[str, ...] = (),
    refused: Refusal | None = None,
) -> Candidates:
    """Return the names that match and fail these patterns, known ones first."""
    known = _known(world, state, shapes)
    candidates = Candidates()
    for name in known:
        fits = all(matches(p, name) for p in matching) and not any(
            matches(p, name) for p in failing
        )
        if fits and (refused is None or _refused(world, name, refused)):
            candidates.found.append(name)
    _fresh(world, state, shapes, known, candidates, matching, failing, refused)
    return candidates


def naming_rules(shapes: list[Shape], documents: list[int]) -> list[Place]:
    """Return the schemas that every member name must match."""
    return [
        Place(document, o.pointer)
        for shape, document in zip(shapes, documents, strict=True)
        for o in shape.opaque
        if o.keyword == "propertyNames"
    ]


def _known(world: Names, state: State, shapes: list[Shape]) -> list[str]:
    known: dict[str, None] = dict.fromkeys(state.members)
    for shape in shapes:
        known |= shape.names | dict.fromkeys(sorted(shape.required))
    for shape in _refused_shapes(world, state):
        known |= shape.names | dict.fromkeys(sorted(shape.required))
    return list(known)


def _refused_shapes(world: Names, state: State) -> list[Shape]:
    return [
        world.side(r.place.document).shape(Node((r.place.pointer,)))
        for r in sorted(state.claim.refused)
    ]


def _patterns(world: Names, state: State, shapes: list[Shape]) -> list[str]:
    every = [*shapes, *_refused_shapes(world, state)]
    found_in = {
        p for s in every for _, m in s.members for p in as_object(m.get("patternProperties"))
    }
    return sorted(found_in)


def _refused(world: Names, name: str, refused: Refusal) -> bool:
    """Say whether a name may fail a schema; in doubt yes, since values are confirmed."""
    one = State(_names_claim([], refused), matching=(f"^{re.escape(name)}$",))
    return not world.answer(one).empty


def _names_claim(rules: list[Place], refused: Refusal | None) -> Claim:
    claim = Claim(kinds=frozenset({"string"}))
    for place in rules:
        claim = claim.holding(place)
    return claim if refused is None else replace(claim, refused=frozenset({refused}))


def _fresh(
    world: Names,
    state: State,
    shapes: list[Shape],
    known: list[str],
    candidates: Candidates,
    matching: tuple[str, ...],
    failing: tuple[str, ...],
    refused: Refusal | None,
) -> None:
    patterns = sorted({*_patterns(world, state, shapes), *matching, *failing})
    rules = naming_rules(shapes, [WRITER, WRITER, READER])
    if not patterns and not rules and refused is None:
        candidates.found.append(fresh_name(known))
        return
    if len(patterns) > PATTERNS_MAX:
        candidates.all = False
        return
    claim = replace(_names_claim(rules, refused), excluded=frozenset(same_value(n) for n in known))
    free = [p for p in patterns if p not in matching and p not in failing]
    for size in range(len(free) + 1):
        for chosen in combinations(free, size):
            others = tuple(p for p in free if p not in chosen)
            one = State(claim, matching=(*matching, *chosen), failing=(*failing, *others))
            answer = world.answer(one)
            if answer.found and isinstance(answer.value, str):
                candidates.found.append(answer.value)
            candidates.all = candidates.all and (answer.found or answer.empty)


def fresh_name(known: list[str]) -> str:
    """Return a name that nobody mentions."""
    name = "other"
    while name in known:
        name += "_"
    return name
