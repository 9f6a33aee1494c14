"""Which members a contract declares at a place of an answer."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import reference_pointer
from harness.model.values import Json, pointer, resolve_pointer


def declared_members(schemas: Json, root: str | None, at: str) -> frozenset[str]:
    """Return the names that the schema at ``root`` declares for the object at ``at`` of a value."""
    places = [] if root is None else list(_parts(schemas, root, set()))
    for token in at.split("/")[1:]:
        places = [
            part
            for place in places
            if token in _properties(schemas, place)
            for part in _parts(schemas, place + pointer("properties", token), set())
        ]
    return frozenset(name for place in places for name in _properties(schemas, place))


def _properties(schemas: Json, place: str) -> dict[str, Json]:
    found = resolve_pointer(schemas, place).get("properties")
    return found if isinstance(found, dict) else {}


def _parts(schemas: Json, place: str, seen: set[str]) -> Iterator[str]:
    """Yield a schema's pointer and those of all it refers to or is combined from."""
    if place in seen:
        return
    seen.add(place)
    try:
        schema = resolve_pointer(schemas, place)
    except LookupError:
        return
    if not isinstance(schema, dict):
        return
    yield place
    target = reference_pointer(str(schema.get("$ref", "")))
    if target is not None:
        yield from _parts(schemas, target, seen)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index in range(len(schema.get(keyword, ()))):
            yield from _parts(schemas, place + pointer(keyword, index), seen)
