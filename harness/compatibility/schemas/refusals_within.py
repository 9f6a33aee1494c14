"""What it takes for a keyword about members or items to fail: the cases, one keyword each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.compatibility.schemas import naming
from harness.compatibility.schemas.claims import (
    UNKNOWN_CASE,
    Case,
    Counted,
    Part,
    Place,
    Refusal,
    State,
)
from harness.compatibility.schemas.shapes import Shape, as_list, as_object
from harness.compatibility.schemas.side import Node
from harness.model.values import JsonObject, pointer

# What these refuse depends on every name and prefix that anything else mentions, so they come last.
LAST = frozenset(
    {"additionalProperties", "patternProperties", "propertyNames", "unevaluatedProperties"}
    | {"items", "unevaluatedItems"}
)
_Structure = Callable[[naming.Names, State, list[Shape], Place, JsonObject], Iterator[Case]]


def _inside(place: Place, *tokens: str) -> Place:
    return Place(place.document, place.pointer + pointer(*tokens))


def _refusing(place: Place) -> Part:
    return Part(refused=frozenset({Refusal(place)}))


def _required(
    world: naming.Names, _state: State, _shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    declared = as_object(schema.get("properties"))
    for name in as_list(schema["required"]):
        flagged = name in declared and world.side(place.document).flagged(
            _inside(place, "properties", name).pointer
        )
        if isinstance(name, str) and not flagged:
            yield (("absent", name),)


def _properties(
    world: naming.Names, _state: State, _shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    side = world.side(place.document)
    for name in as_object(schema["properties"]):
        inside = _inside(place, "properties", name)
        if not side.flagged(inside.pointer):
            yield (("member", (name, _refusing(inside))),)
        elif side.writer:
            yield (("member", (name, Part())),)


def _pattern_properties(
    world: naming.Names, state: State, shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    for pattern in as_object(schema["patternProperties"]):
        part = _refusing(_inside(place, "patternProperties", pattern))
        names = naming.names(world, state, shapes, matching=(pattern,))
        yield from (((("member", (name, part))),) for name in names.found)
        if not names.all:
            yield UNKNOWN_CASE


def _additional(
    world: naming.Names, state: State, shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    part = _refusing(_inside(place, "additionalProperties"))
    if schema["additionalProperties"] in (True, {}):
        return
    declared = as_object(schema.get("properties"))
    patterns = tuple(as_object(schema.get("patternProperties")))
    yield from _undeclared(world, state, shapes, frozenset(declared), patterns, part)


def _undeclared(
    world: naming.Names,
    state: State,
    shapes: list[Shape],
    declared: frozenset[str],
    patterns: tuple[str, ...],
    part: Part,
) -> Iterator[Case]:
    names = naming.names(world, state, shapes, failing=patterns)
    for name in names.found:
        if name not in declared:
            yield (("member", (name, part)),)
    if not names.all:
        yield UNKNOWN_CASE


def _property_names(
    world: naming.Names, state: State, shapes: list[Shape], place: Place, _schema: JsonObject
) -> Iterator[Case]:
    refused = Refusal(_inside(place, "propertyNames"))
    names = naming.names(world, state, shapes, refused=refused)
    yield from ((("member", (name, Part())),) for name in names.found)
    if not names.all:
        yield UNKNOWN_CASE


def _dependent_required(
    _world: naming.Names, _state: State, _shapes: list[Shape], _place: Place, schema: JsonObject
) -> Iterator[Case]:
    for name, others in as_object(schema["dependentRequired"]).items():
        for other in as_list(others):
            if isinstance(other, str):
                yield (("member", (name, Part())), ("absent", other))


def _dependent_schemas(
    _world: naming.Names, _state: State, _shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    for name in as_object(schema["dependentSchemas"]):
        inside = _inside(place, "dependentSchemas", name)
        yield (("member", (name, Part())), ("refuse", Refusal(inside)))


def merged(world: naming.Names, place: Place) -> Shape | None:
    """Return what the schema and its conjuncts say, when that is the same for every value."""
    shape = world.side(place.document).shape(Node((place.pointer,)))
    undecided = {"if", "dependentSchemas", "$ref", "$dynamicRef", "contains"}
    if shape.unions or any(o.keyword in undecided for o in shape.opaque):
        return None
    return shape


def _unevaluated_properties(
    world: naming.Names, state: State, shapes: list[Shape], place: Place, _schema: JsonObject
) -> Iterator[Case]:
    shape = merged(world, place)
    if shape is None:
        yield UNKNOWN_CASE
    elif not any("additionalProperties" in s for _, s in shape.members):
        patterns = tuple(p for _, s in shape.members for p in as_object(s.get("patternProperties")))
        part = _refusing(_inside(place, "unevaluatedProperties"))
        declared = frozenset(n for _, s in shape.members for n in as_object(s.get("properties")))
        yield from _undeclared(world, state, shapes, declared, patterns, part)


def _items_from(state: State, shapes: list[Shape], start: int, part: Part) -> Iterator[Case]:
    """Refuse some item from a place on: places are alike after every prefix."""
    width = max([start, *(s.prefix for s in shapes)])
    end = max([width, *(i + 1 for i in state.items)])
    for index in range(start, end + 1):
        yield (("item", (index, part)),)


def _items(
    _world: naming.Names, state: State, shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    if schema["items"] in (True, {}):
        return
    start = len(as_list(schema.get("prefixItems")))
    yield from _items_from(state, shapes, start, _refusing(_inside(place, "items")))


def _prefix_items(
    _world: naming.Names, _state: State, _shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    for index in range(len(as_list(schema["prefixItems"]))):
        yield (("item", (index, _refusing(_inside(place, "prefixItems", str(index))))),)


def _unevaluated_items(
    world: naming.Names, state: State, shapes: list[Shape], place: Place, _schema: JsonObject
) -> Iterator[Case]:
    shape = merged(world, place)
    if shape is None:
        yield UNKNOWN_CASE
    elif not any("items" in s for _, s in shape.members):
        part = _refusing(_inside(place, "unevaluatedItems"))
        yield from _items_from(state, shapes, shape.prefix, part)


def counts(schema: JsonObject) -> tuple[int, int | None]:
    """Return how many items ``contains`` asks for, and the most it allows."""
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    return (
        int(least) if isinstance(least, int | float) else 1,
        int(most) if isinstance(most, int | float) else None,
    )


def _contains(
    _world: naming.Names, _state: State, _shapes: list[Shape], place: Place, schema: JsonObject
) -> Iterator[Case]:
    least, most = counts(schema)
    inside = _inside(place, "contains")
    if least > 0:
        yield (("counted", Counted(inside, 0, least - 1)),)
    if most is not None:
        yield (("counted", Counted(inside, most + 1, None)),)


def _unique(
    _world: naming.Names, _state: State, _shapes: list[Shape], _place: Place, schema: JsonObject
) -> Iterator[Case]:
    if schema["uniqueItems"] is True:
        yield (("twins", None),)


STRUCTURES: dict[str, tuple[str, _Structure]] = {
    "required": ("object", _required),
    "properties": ("object", _properties),
    "patternProperties": ("object", _pattern_properties),
    "additionalProperties": ("object", _additional),
    "propertyNames": ("object", _property_names),
    "dependentRequired": ("object", _dependent_required),
    "dependentSchemas": ("object", _dependent_schemas),
    "unevaluatedProperties": ("object", _unevaluated_properties),
    "items": ("array", _items),
    "prefixItems": ("array", _prefix_items),
    "unevaluatedItems": ("array", _unevaluated_items),
    "contains": ("array", _contains),
    "uniqueItems": ("array", _unique),
}
