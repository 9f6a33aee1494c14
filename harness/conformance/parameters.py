"""Reads parameter and header text the way the contract says it is written."""

from __future__ import annotations

from collections.abc import Sequence

from harness.conformance.violations import resolved
from harness.model.values import Json, JsonObject, pointer

_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}


def decoded_value(
    schemas: JsonObject, at: str, texts: Sequence[str], *, style: str = "form"
) -> Json:
    """Return the value that ``texts`` stand for under the schema at pointer ``at``.

    Text that cannot be read as the declared type stays text, so that the validator objects to it.
    """
    try:
        at, schema = resolved(schemas, at)
    except LookupError:
        return texts[0]
    types = _types(schema)
    if "array" in types:
        parts = list(texts)
        if len(parts) == 1:
            parts = parts[0].split(_SEPARATORS.get(style, ",")) if parts[0] else []
        element = at + pointer("items")
        if not isinstance(schema, dict) or "items" not in schema:
            return parts
        return [decoded_value(schemas, element, [part]) for part in parts]
    return _scalar(texts[0], types)


def _types(schema: Json) -> tuple[str, ...]:
    declared = schema.get("type", ()) if isinstance(schema, dict) else ()
    return (declared,) if isinstance(declared, str) else tuple(declared)


def _scalar(text: str, types: tuple[str, ...]) -> Json:
    if "string" in types:
        return text
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if "integer" in types or "number" in types:
        try:
            number = float(text)
        except ValueError:
            return text
        return int(text) if text.lstrip("-").isdecimal() else number
    return text
