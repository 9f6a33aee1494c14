"""One schema's keywords in JSON Schema 2020-12; sub-schemas are the caller's to visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from harness.catalog.references import UNRESOLVED
from harness.model.contract import Dialect
from harness.model.values import Json

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
ONE_SCHEMA = frozenset({
    "items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
})  # fmt: skip
SCHEMA_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SCHEMA_MAP = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_NEWER = frozenset({
    "const", "contains", "propertyNames", "if", "then", "else", "unevaluatedItems",
    "unevaluatedProperties", "contentSchema", "prefixItems", "patternProperties",
    "dependentSchemas", "dependentRequired", "minContains", "maxContains", "contentEncoding",
    "contentMediaType", "$dynamicRef", "$recursiveRef", "dependencies", "additionalItems",
})  # fmt: skip
_OLDER = frozenset({"$recursiveRef", "dependencies", "additionalItems"})
WITHOUT_MEANING: dict[Dialect, frozenset[str]] = {
    Dialect.SWAGGER_2_0: _NEWER | {"oneOf", "anyOf", "not"},
    Dialect.OPENAPI_3_0: _NEWER,
    Dialect.OPENAPI_3_1: _OLDER,
    Dialect.JSON_SCHEMA: _OLDER,  # drafts that have them are modernised before
}
"""Keywords 2020-12 gives a meaning that the dialect does not: kept, they would change the set."""

MODERN = frozenset({Dialect.OPENAPI_3_1, Dialect.JSON_SCHEMA})
"""Dialects whose schemas are JSON Schema 2020-12 already."""

_NAMING = frozenset({"$id", "$schema", "$anchor", "$dynamicAnchor", "$vocabulary", "id"})


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Json) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def _is_list(value: Json) -> bool:
    return isinstance(value, list)


def _is_name_list(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _is_dependency_map(value: Json) -> bool:
    return isinstance(value, dict) and all(_is_name_list(v) for v in value.values())


def _is_step(value: Json) -> bool:
    return _is_number(value) and value > 0


@cache
def is_usable_pattern(pattern: str) -> bool:
    """Say whether the validator understands a regular expression."""
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def _is_pattern(value: Json) -> bool:
    return isinstance(value, str) and is_usable_pattern(value)


_CONSTRAINTS: dict[str, Callable[[Json], bool]] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(
        ("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties",
         "minContains", "maxContains"),
        _is_count,
    ),
    "multipleOf": _is_step,
    "pattern": _is_pattern,
    "uniqueItems": _is_flag,
    "enum": _is_list,
    "required": _is_name_list,
    "dependentRequired": _is_dependency_map,
}  # fmt: skip
_ANNOTATIONS: dict[str, Callable[[Json], bool]] = {
    **dict.fromkeys(
        ("title", "description", "format", "$comment", "contentEncoding", "contentMediaType"),
        _is_text,
    ),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly"), _is_flag),
    "examples": _is_list,
}


@dataclass(slots=True)
class Rewritten:
    """The new schema without its sub-schemas, and what could not be kept: (keyword, message)."""

    schema: dict[str, Any]
    complaints: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, keyword: str, message: str, *, constrains: bool = True) -> None:
        """Note a keyword that was left out; one that constrains makes the schema unproven."""
        self.complaints.append((keyword, message))
        if constrains:
            self.schema[UNRESOLVED] = keyword


def rewrite_keywords(node: dict[str, Any], dialect: Dialect) -> Rewritten:
    """Return a schema's own keywords in 2020-12; sub-schema keywords hold ``None`` for now."""
    result = Rewritten({})
    schema = result.schema
    for key, value in node.items():
        if key in _NAMING:
            continue
        if key in WITHOUT_MEANING[dialect]:
            result.refuse(key, f"{key!r} has no meaning in {dialect.value}", constrains=False)
        elif key in ONE_SCHEMA or key in SCHEMA_LIST or key in SCHEMA_MAP:
            _reserve(key, value, result)
        elif key == "type":
            _type(value, dialect, result)
        elif key in _CONSTRAINTS:
            _constraint(key, value, dialect, result)
        elif key not in _ANNOTATIONS or _ANNOTATIONS[key](value):
            schema[key] = value
        else:
            result.refuse(key, f"{key!r} has an unusable value", constrains=False)
    if dialect not in MODERN:
        _exclusive_bounds(node, schema)
        _nullable(node, dialect, schema)
    return result


def _reserve(key: str, value: Json, result: Rewritten) -> None:
    usable = (
        isinstance(value, list) and bool(value)
        if key in SCHEMA_LIST
        else isinstance(value, dict)
        if key in SCHEMA_MAP
        else isinstance(value, dict | bool)
    )
    if usable:
        result.schema[key] = None
    else:
        result.refuse(key, f"{key!r} has an unusable value")


def _type(value: Json, dialect: Dialect, result: Rewritten) -> None:
    if value == "file" and dialect is Dialect.SWAGGER_2_0:
        result.schema["type"] = "string"
        result.schema.setdefault("format", "binary")
        return
    names = value if isinstance(value, list) else [value]
    if names and all(isinstance(n, str) and n in TYPES for n in names):
        result.schema["type"] = list(dict.fromkeys(names)) if isinstance(value, list) else value
    else:
        result.refuse("type", f"{value!r} is not a type")


def _constraint(key: str, value: Json, dialect: Dialect, result: Rewritten) -> None:
    if _CONSTRAINTS[key](value):
        result.schema[key] = list(dict.fromkeys(value)) if key == "required" else value
    elif key.startswith("exclusive") and _is_flag(value) and dialect not in MODERN:
        return
    elif key == "required" and _is_flag(value):
        result.refuse(key, "'required' is a list of names here", constrains=False)
    else:
        result.refuse(key, f"{key!r} has an unusable value")


def _exclusive_bounds(node: dict[str, Any], schema: dict[str, Any]) -> None:
    for bound, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if node.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)


def _nullable(node: dict[str, Any], dialect: Dialect, schema: dict[str, Any]) -> None:
    """Widen by null. 3.0 widens ``type`` alone, so an enum without null still refuses null;
    Swagger's ``x-nullable`` is a vendor's word for "may be null" and widens the enum too."""
    keyword = "x-nullable" if dialect is Dialect.SWAGGER_2_0 else "nullable"
    if keyword == "nullable":
        schema.pop("nullable", None)
    if node.get(keyword) is not True:
        return
    named = schema.get("type")
    if isinstance(named, str) and named != "null":
        schema["type"] = [named, "null"]
    elif isinstance(named, list) and "null" not in named:
        schema["type"] = [*named, "null"]
    if dialect is Dialect.SWAGGER_2_0 and "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
