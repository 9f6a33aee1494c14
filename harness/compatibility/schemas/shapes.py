"""What a conjunction of schemas says, merged into one shape that shows its obligations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.compatibility.schemas.formats import NUMERIC
from harness.compatibility.schemas.keywords import (
    ALL_TYPES,
    OPAQUE,
    named_types,
    same_value,
    vacuous,
    whole,
)
from harness.compatibility.schemas.numbers import Bound, tighter
from harness.model.values import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Union:
    """A union nobody has chosen from yet."""

    pointer: str
    keyword: str
    branches: int

    def branch(self, index: int) -> str:
        """Return the pointer of one branch."""
        return f"{self.pointer}/{self.keyword}/{index}"


@dataclass(frozen=True, slots=True)
class Opaque:
    """A keyword taken as a whole."""

    keyword: str
    pointer: str
    value: Json


@dataclass(slots=True)
class Shape:
    """Everything the members of a node say, merged; read-only once built."""

    members: list[tuple[str, JsonObject]] = field(default_factory=list)
    unions: list[Union] = field(default_factory=list)
    opaque: list[Opaque] = field(default_factory=list)
    types: frozenset[str] = ALL_TYPES
    enum: list[Json] | None = None
    never: bool = False
    low: Bound | None = None
    high: Bound | None = None
    multiples: tuple[Json, ...] = ()
    floors: dict[str, int] = field(default_factory=dict)  # minLength, minItems, minProperties
    ceilings: dict[str, int] = field(default_factory=dict)  # maxLength, maxItems, maxProperties
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ()  # how bytes are written as text; format byte is base64
    media: tuple[str, ...] = ()  # what the text is a document of
    unique: bool = False
    required: frozenset[str] = frozenset()
    names: dict[str, None] = field(default_factory=dict)  # declared property names, in order
    silent: bool = True  # nobody spoke about additional properties
    loose: set[str] = field(default_factory=set)  # names that only a condition declares
    prefix: int = 0  # how many leading items are described one by one

    @property
    def empty(self) -> bool:
        """Say whether no value can match, as far as types and enums tell."""
        return self.never or not self.types or self.enum == []


def absorb(shape: Shape, where: str, schema: JsonObject) -> None:
    """Add what one schema says to a shape that is being built."""
    shape.members.append((where, schema))
    if "type" in schema:
        shape.types &= named_types(schema["type"])
    for values in ([schema["const"]] if "const" in schema else None, schema.get("enum")):
        if isinstance(values, list):
            shape.enum = _common(shape.enum, values)
    _absorb_numbers(shape, schema)
    _absorb_sizes(shape, schema)
    if isinstance(schema.get("pattern"), str):
        shape.patterns = _with(shape.patterns, schema["pattern"])
    if isinstance(schema.get("format"), str):
        shape.formats = _with(shape.formats, schema["format"])
        if schema["format"] == "byte":
            shape.encodings = _with(shape.encodings, "base64")
    if isinstance(schema.get("contentEncoding"), str):
        shape.encodings = _with(shape.encodings, schema["contentEncoding"].lower())
    if isinstance(schema.get("contentMediaType"), str):
        shape.media = _with(shape.media, schema["contentMediaType"].lower())
    shape.unique = shape.unique or schema.get("uniqueItems") is True
    shape.required |= {r for r in as_list(schema.get("required")) if isinstance(r, str)}
    shape.names.update(dict.fromkeys(as_object(schema.get("properties"))))
    if {"additionalProperties", "unevaluatedProperties"} & schema.keys():
        shape.silent = False
    shape.prefix = max(shape.prefix, len(as_list(schema.get("prefixItems"))))
    for keyword in OPAQUE:
        if keyword in schema and not vacuous(keyword, schema):
            shape.opaque.append(Opaque(keyword, f"{where}/{keyword}", whole(keyword, schema)))


def _absorb_sizes(shape: Shape, schema: JsonObject) -> None:
    for keyword in ("minLength", "minItems", "minProperties"):
        if isinstance(schema.get(keyword), int | float):
            shape.floors[keyword] = max(shape.floors.get(keyword, 0), int(schema[keyword]))
    for keyword in ("maxLength", "maxItems", "maxProperties"):
        if isinstance(schema.get(keyword), int | float):
            limit = int(schema[keyword])
            shape.ceilings[keyword] = min(shape.ceilings.get(keyword, limit), limit)


def _absorb_numbers(shape: Shape, schema: JsonObject) -> None:
    for keyword, is_low, exclusive in (
        ("minimum", True, False),
        ("exclusiveMinimum", True, True),
        ("maximum", False, False),
        ("exclusiveMaximum", False, True),
    ):
        value = schema.get(keyword)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        bound = Bound.of(value, exclusive=exclusive)
        if is_low:
            shape.low = tighter(shape.low, bound, low=True)
        else:
            shape.high = tighter(shape.high, bound, low=False)
    numeric = NUMERIC.get(schema["format"]) if isinstance(schema.get("format"), str) else None
    if numeric is not None:
        shape.low = tighter(shape.low, numeric.low, low=True)
        shape.high = tighter(shape.high, numeric.high, low=False)
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and not isinstance(step, bool) and step > 0:
        shape.multiples = _with(shape.multiples, step)


def _common(known: list[Json] | None, values: list[Json]) -> list[Json]:
    unique = list({same_value(v): v for v in values}.values())
    if known is None:
        return unique
    allowed = {same_value(v) for v in unique}
    return [v for v in known if same_value(v) in allowed]


def _with(known: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    return known if value in known else tuple(sorted((*known, value)))


def as_list(value: Json) -> list[Json]:
    """Return the value when it is a list, and no items otherwise."""
    return value if isinstance(value, list) else []


def as_object(value: Json) -> Mapping[str, Json]:
    """Return the value when it is an object, and no members otherwise."""
    return value if isinstance(value, Mapping) else {}
