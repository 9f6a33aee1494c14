"""Finds members that an answer carries and the contract does not know.

A validator is silent about them wherever the schema is open, which is nearly everywhere. The
walk follows the value, so its cost is that of the answer, not of the contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.catalog import reference_pointer
from harness.conformance.violations import BodySchemas, Path
from harness.model.values import Json, pointer, resolve_pointer

_DEPTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Addition:
    """An undeclared member: where it stands, the schema of its owner, and its value."""

    path: Path
    owner: str
    value: Json


@dataclass(slots=True)
class _Shape:
    """All that the schemas valid for one value say about its members and elements."""

    owner: str
    members: dict[str, list[str]] = field(default_factory=dict)
    elements: list[str] = field(default_factory=list)
    described: bool = False
    anything_goes: bool = False


def additions(schemas: BodySchemas, at: str, value: Json) -> Iterator[Addition]:
    """Yield the undeclared members of ``value``, described by the schema at pointer ``at``.

    An object whose schema names no member at all, or gives one schema for all others
    (``additionalProperties: {...}``), is a map: nothing in it can be undeclared.
    """
    yield from _walk(schemas, [at], value, ())


def _walk(schemas: BodySchemas, pointers: list[str], value: Json, path: Path) -> Iterator[Addition]:
    if not isinstance(value, dict | list) or not pointers or len(path) > _DEPTH_MAX:
        return
    shape = _Shape(owner=pointers[0])
    seen: set[str] = set()
    for at in pointers:
        _gather(schemas, at, value, shape, seen)
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _walk(schemas, shape.elements, element, (*path, index))
        return
    for name, member in value.items():
        if name in shape.members:
            yield from _walk(schemas, shape.members[name], member, (*path, name))
        elif shape.described and not shape.anything_goes:
            yield Addition((*path, name), shape.owner, member)


def _gather(schemas: BodySchemas, at: str, value: Json, shape: _Shape, seen: set[str]) -> None:
    """Add what the schema at ``at`` says, following references and combinations."""
    if at in seen:
        return
    seen.add(at)
    try:
        schema = resolve_pointer(schemas.schemas, at)
    except LookupError:
        shape.anything_goes = True
        return
    if not isinstance(schema, dict):
        shape.anything_goes = shape.anything_goes or schema is True
        return
    _gather_own(schema, at, value, shape)
    target = reference_pointer(str(schema.get("$ref", "")))
    if target is not None:
        _gather(schemas, target, value, shape, seen)
    for index in range(len(schema.get("allOf", ()))):
        _gather(schemas, at + pointer("allOf", index), value, shape, seen)
    for keyword in ("anyOf", "oneOf"):
        _gather_fitting(schemas, at, keyword, len(schema.get(keyword, ())), value, shape, seen)
    for keyword in ("if", "then", "else"):
        if keyword in schema:
            _gather(schemas, at + pointer(keyword), value, shape, seen)


def _gather_fitting(
    schemas: BodySchemas,
    at: str,
    keyword: str,
    count: int,
    value: Json,
    shape: _Shape,
    seen: set[str],
) -> None:
    """Take the alternatives the value fits; when it fits none, any of them may be meant."""
    branches = [at + pointer(keyword, index) for index in range(count)]
    fitting = [b for b in branches if schemas.validator(b).is_valid(value)]
    for branch in fitting or branches:
        _gather(schemas, branch, value, shape, seen)


def _gather_own(schema: dict[str, Json], at: str, value: Json, shape: _Shape) -> None:
    members = schema.get("properties")
    if isinstance(members, dict):
        shape.owner = at if not shape.described else shape.owner
        shape.described = True
        for name in members:
            shape.members.setdefault(name, []).append(at + pointer("properties", name))
    others = schema.get("additionalProperties")
    if (isinstance(others, dict) and others) or "patternProperties" in schema:
        shape.anything_goes = True
    if others is False or schema.get("unevaluatedProperties") is False:
        # A closed object is the validator's business: it objects by itself.
        shape.anything_goes = True
    if isinstance(value, list):
        first = schema.get("prefixItems", ())
        shape.elements += [at + pointer("prefixItems", index) for index in range(len(first))]
        if isinstance(schema.get("items"), dict):
            shape.elements.append(at + pointer("items"))
