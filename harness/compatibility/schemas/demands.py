"""The cases of what holds: branches of unions, conditions, and keywords that count."""

from __future__ import annotations

from collections.abc import Iterator

from harness.compatibility.schemas.claims import (
    Case,
    Claim,
    Counted,
    Move,
    Part,
    Place,
    Refusal,
    Split,
    State,
)
from harness.compatibility.schemas.refusals_within import counts
from harness.compatibility.schemas.shapes import Opaque, Union, as_object
from harness.compatibility.schemas.side import ANYTHING, Node, Side
from harness.compatibility.schemas.unions import CASES_MAX, together
from harness.model.values import pointer


def choices(closed: Side, claim: Claim, part: str, document: int, union: Union) -> Split:
    """Return the branches that a value may take; of a closed writer's anyOf several at once."""
    node: Node = getattr(claim, part)
    groups: list[tuple[int, ...]] = [(i,) for i in range(union.branches)]
    if part == "writer" and union.keyword == "anyOf":
        mixed = together(closed, union)
        if len(mixed) > CASES_MAX:
            return (_opened(claim),)
        groups += mixed
    cases = []
    for group in groups:
        chosen = node
        for branch in group:
            chosen = chosen.choosing(union.pointer, union.keyword, branch)
        moves: list[Move] = [("node", (part, chosen))]
        if union.keyword == "oneOf":
            others = (i for i in range(union.branches) if i not in group)
            moves += [("refuse", Refusal(Place(document, union.branch(i)))) for i in others]
        cases.append(tuple(moves))
    return tuple(cases)


def _opened(claim: Claim) -> Case:
    """Take the writer as written: too many branches of its anyOf can match at once."""
    writer, aside = claim.writer, claim.aside
    both = Node(
        tuple(sorted({*writer.pointers, *aside.pointers})),
        tuple(sorted({*writer.choices, *aside.choices})),
    )
    return ("node", ("writer", ANYTHING)), ("node", ("aside", both))


def demands(state: State, document: int, opaque: Opaque) -> Iterator[Split]:
    """Turn a keyword that holds into splits; what has none is left out."""
    place, value = Place(document, opaque.pointer), opaque.value
    parent = opaque.pointer.rsplit("/", 1)[0]
    if opaque.keyword == "not":
        yield ((("refuse", Refusal(place)),),)
    elif opaque.keyword == "if":
        parts = {k: Place(document, f"{parent}/{k}") for k in ("then", "else") if k in value}
        met: Case = (("hold", place), *(("hold", parts[k]) for k in ("then",) if k in parts))
        unmet: Case = (("refuse", Refusal(place)),)
        yield (met, (*unmet, *(("hold", parts[k]) for k in ("else",) if k in parts)))
    elif opaque.keyword == "contains" and "array" in state.claim.kinds:
        least, most = counts(value)
        yield ((("counted", Counted(place, least, most)),),)
    elif opaque.keyword == "dependentRequired" and "object" in state.claim.kinds:
        for name, others in as_object(value).items():
            present: Case = tuple(("member", (n, Part())) for n in (name, *others))
            yield ((("absent", name),), present)
    elif opaque.keyword == "dependentSchemas" and "object" in state.claim.kinds:
        for name in as_object(value):
            inside = Place(document, opaque.pointer + pointer(name))
            yield ((("absent", name),), (("member", (name, Part())), ("hold", inside)))
