"""What single keywords mean by themselves: types, values, annotations, references."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from harness.model.values import Json, JsonObject, canonical_json

ALL_TYPES = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
SCALARS = frozenset({"null", "boolean", "integer", "fraction", "string"})
_NAMED = {
    "null": {"null"},
    "boolean": {"boolean"},
    "integer": {"integer"},
    "number": {"integer", "fraction"},
    "string": {"string"},
    "array": {"array"},
    "object": {"object"},
}
# Keywords whose meaning the walker does not take apart; the algebra or a witness decides them.
OPAQUE = (
    "not",
    "if",
    "contains",
    "dependentSchemas",
    "dependentRequired",
    "propertyNames",
    "patternProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
    "contentMediaType",
    "contentEncoding",
)
_ANNOTATIONS = frozenset(
    {"description", "title", "example", "examples", "default", "deprecated", "$comment"}
    | {"readOnly", "writeOnly", "externalDocs", "xml", "summary", "discriminator"}
)


def whole(keyword: str, schema: JsonObject) -> Json:
    """Return the keyword with the neighbours that belong to it."""
    together = {
        "if": ("if", "then", "else"),
        "contains": ("contains", "minContains", "maxContains"),
    }.get(keyword)
    if together is None:
        return schema[keyword]
    return {k: schema[k] for k in together if k in schema}


def vacuous(keyword: str, schema: JsonObject) -> bool:
    """Say whether a keyword is written but demands nothing."""
    value = schema[keyword]
    if keyword == "if":
        return "then" not in schema and "else" not in schema
    if keyword == "not":
        return value is False
    if keyword == "contains":
        return schema.get("minContains", 1) == 0 and "maxContains" not in schema
    if keyword in {"contentMediaType", "contentEncoding"}:
        return True
    return value is True or value in ({}, [])


def named_types(value: Json) -> frozenset[str]:
    """Return the atomic types a ``type`` keyword names; unknown names allow anything."""
    names = value if isinstance(value, list) else [value]
    found: set[str] = set()
    for name in names:
        if name not in _NAMED:
            return ALL_TYPES
        found |= _NAMED[name]
    return frozenset(found)


def type_of(value: Json) -> str:
    """Return the atomic type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def same_value(value: Json) -> str:
    """Return one spelling per JSON value, with 1.0 and 1 alike."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return canonical_json(value)


def reference(schema: Json) -> str | None:
    """Return the pointer a local ``$ref`` names."""
    if isinstance(schema, Mapping):
        text = schema.get("$ref")
        if isinstance(text, str) and text.startswith("#"):
            return unquoted(text[1:])
    return None


def lone(schema: JsonObject) -> bool:
    """Say whether a schema says nothing but its reference."""
    return all(k == "$ref" or is_annotation(k) for k in schema)


def is_annotation(keyword: str) -> bool:
    """Say whether a keyword carries no constraint."""
    return keyword in _ANNOTATIONS or keyword.startswith("x-")


def unquoted(text: str) -> str:
    """Return the pointer in a reference without its percent escapes."""
    return unquote(text) if "%" in text else text
