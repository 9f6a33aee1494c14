"""What it takes for one schema to be refused: the cases, keyword by keyword."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

from harness.compatibility.schemas import formats, naming, numbers
from harness.compatibility.schemas.claims import (
    UNKNOWN_CASE,
    Case,
    Place,
    Refusal,
    Split,
    State,
)
from harness.compatibility.schemas.keywords import (
    ALL_TYPES,
    is_annotation,
    named_types,
    reference,
    same_value,
)
from harness.compatibility.schemas.numbers import Bound
from harness.compatibility.schemas.refusals_within import LAST, STRUCTURES
from harness.compatibility.schemas.shapes import Shape, as_list
from harness.model.values import Json, JsonObject

BRANCH_PAIRS_MAX = 300
_NUMBER = frozenset({"integer", "fraction"})
_IN_PLACE = ("allOf", "anyOf", "oneOf")


def cases(world: naming.Names, state: State, shapes: list[Shape], refusal: Refusal) -> Split | None:
    """Return the ways to refuse the schema; ``None`` when nothing needs to be done for it."""
    place = refusal.place
    schema = world.side(place.document).at(place.pointer)
    if schema is False:
        return None
    if schema is True:
        return ()
    if not isinstance(schema, Mapping):
        return (UNKNOWN_CASE,)
    if refusal.keyword:
        return tuple(_keyword(world, state, shapes, place, schema, refusal.keyword))
    found: list[Case] = []
    for keyword in schema:
        if not is_annotation(keyword):
            found += _keyword(world, state, shapes, place, schema, keyword)
    return tuple(found)


def last_cases(world: naming.Names, state: State, shapes: list[Shape], refusal: Refusal) -> Split:
    """Return the ways to refuse a keyword of ``LAST``, all names and prefixes being known."""
    place = refusal.place
    schema = world.side(place.document).at(place.pointer)
    _, make = STRUCTURES[refusal.keyword]
    return tuple(make(world, state, shapes, place, schema))


def _keyword(
    world: naming.Names,
    state: State,
    shapes: list[Shape],
    place: Place,
    schema: JsonObject,
    keyword: str,
) -> Iterator[Case]:
    kinds = state.claim.kinds
    if keyword in STRUCTURES:
        kind, make_structure = STRUCTURES[keyword]
        if kind in kinds and keyword in LAST:
            yield (("kinds", frozenset({kind})), ("defer", Refusal(place, keyword)))
        elif kind in kinds:
            for case in make_structure(world, state, shapes, place, schema):
                yield (("kinds", frozenset({kind})), *case)
    elif keyword in _SIMPLE:
        needed, make = _SIMPLE[keyword]
        if kinds & needed:
            for case in make(schema[keyword]):
                yield (("kinds", needed), *case)
    elif keyword in _LOGIC:
        yield from _LOGIC[keyword](world, place, schema)
    elif keyword in _SIZES and isinstance(schema[keyword], int | float):
        kind, low = _SIZES[keyword]
        limit = int(schema[keyword])
        if kind in kinds and not (low and limit <= 0):
            ends = (0, limit - 1) if low else (limit + 1, None)
            yield (("kinds", frozenset({kind})), ("size", (kind, *ends)))
    elif keyword == "$dynamicRef":
        yield UNKNOWN_CASE


def _type(value: Json) -> Iterator[Case]:
    yield (("kinds", ALL_TYPES - named_types(value)),)


def _values(value: Json) -> Iterator[Case]:
    if isinstance(value, list):
        yield (("exclude", frozenset(same_value(v) for v in value)),)


def _const(value: Json) -> Iterator[Case]:
    yield (("exclude", frozenset({same_value(value)})),)


def _bound(*, low: bool, exclusive: bool) -> Callable[[Json], Iterator[Case]]:
    def make(value: Json) -> Iterator[Case]:
        if isinstance(value, int | float) and not isinstance(value, bool):
            bound = Bound.of(value, exclusive=not exclusive)
            yield (("high" if low else "low", bound),)

    return make


def _step(value: Json) -> Iterator[Case]:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        yield (("missed", numbers.exact(value)),)


def _pattern(value: Json) -> Iterator[Case]:
    if isinstance(value, str):
        yield (("failing", value),)


def _format(value: Json) -> Iterator[Case]:
    if not isinstance(value, str):
        return
    if value in formats.NUMERIC:
        low, high = formats.NUMERIC[value]
        yield (("kinds", _NUMBER), ("high", Bound(low.value, exclusive=True)))
        yield (("kinds", _NUMBER), ("low", Bound(high.value, exclusive=True)))
    elif value in formats.ASSERTED:
        yield (("kinds", frozenset({"string"})), ("unformatted", value))
    elif formats.demands(value):
        yield (("kinds", frozenset({"string"})), *UNKNOWN_CASE)


_SIMPLE: dict[str, tuple[frozenset[str], Callable[[Json], Iterator[Case]]]] = {
    "type": (ALL_TYPES, _type),
    "enum": (ALL_TYPES, _values),
    "const": (ALL_TYPES, _const),
    "minimum": (_NUMBER, _bound(low=True, exclusive=False)),
    "exclusiveMinimum": (_NUMBER, _bound(low=True, exclusive=True)),
    "maximum": (_NUMBER, _bound(low=False, exclusive=False)),
    "exclusiveMaximum": (_NUMBER, _bound(low=False, exclusive=True)),
    "multipleOf": (_NUMBER, _step),
    "pattern": (frozenset({"string"}), _pattern),
    "format": (_NUMBER | {"string"}, _format),
}
_SIZES = {
    "minLength": ("string", True),
    "maxLength": ("string", False),
    "minItems": ("array", True),
    "maxItems": ("array", False),
    "minProperties": ("object", True),
    "maxProperties": ("object", False),
}


def _reference(_world: naming.Names, place: Place, schema: JsonObject) -> Iterator[Case]:
    target = reference(schema)
    if target is None:
        yield UNKNOWN_CASE
    else:
        yield (("refuse", Refusal(Place(place.document, target))),)


def _branches(place: Place, schema: JsonObject, keyword: str) -> list[Place]:
    return [
        Place(place.document, f"{place.pointer}/{keyword}/{i}")
        for i in range(len(as_list(schema.get(keyword))))
    ]


def _all_of(_world: naming.Names, place: Place, schema: JsonObject) -> Iterator[Case]:
    for branch in _branches(place, schema, "allOf"):
        yield (("refuse", Refusal(branch)),)


def _any_of(_world: naming.Names, place: Place, schema: JsonObject) -> Iterator[Case]:
    branches = _branches(place, schema, "anyOf")
    if branches:
        yield tuple(("refuse", Refusal(b)) for b in branches)


def _one_of(_world: naming.Names, place: Place, schema: JsonObject) -> Iterator[Case]:
    branches = _branches(place, schema, "oneOf")
    if branches:
        yield tuple(("refuse", Refusal(b)) for b in branches)
    pairs = list(combinations(branches, 2))
    if len(pairs) > BRANCH_PAIRS_MAX:
        yield UNKNOWN_CASE
        return
    for left, right in pairs:
        yield (("hold", left), ("hold", right))


def _not(_world: naming.Names, place: Place, _schema: JsonObject) -> Iterator[Case]:
    yield (("hold", Place(place.document, f"{place.pointer}/not")),)


def _if(_world: naming.Names, place: Place, schema: JsonObject) -> Iterator[Case]:
    parts = {k: Place(place.document, f"{place.pointer}/{k}") for k in ("if", "then", "else")}
    if "then" in schema:
        yield (("hold", parts["if"]), ("refuse", Refusal(parts["then"])))
    if "else" in schema:
        yield (("refuse", Refusal(parts["if"])), ("refuse", Refusal(parts["else"])))


_LOGIC: dict[str, Callable[[naming.Names, Place, JsonObject], Iterator[Case]]] = {
    "$ref": _reference,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
}
