"""Our own files (``system.yaml``, ``behaviour.yaml``, ...): every mistake by file and line."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from harness.catalog.parsing import parse, positions
from harness.model.errors import MetadataError, SourceLocation, UsageError
from harness.model.values import JsonObject, pointer

_SCHEMAS = Path(__file__).parent / "schemas"


def load_metadata(path: Path, schema: JsonObject) -> JsonObject:
    """Return one of our YAML or JSON files, known to follow ``schema``.

    Raises ``MetadataError`` that lists every mistake as ``file:line:column message``, and
    ``DocumentError`` when the text is not YAML or JSON at all.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        msg = f"the file cannot be read: {error.strerror}"
        raise MetadataError(
            msg,
            remedy="Check the path and its permissions.",
            location=SourceLocation(str(path)),
        ) from error
    parsed = parse(data, str(path))
    mistakes = [(p.pointer, p.message) for p in parsed.problems]
    mistakes += _against(schema, parsed.value)
    if not mistakes:
        result: JsonObject = parsed.value
        return result
    places = positions(data, str(path))
    lines = []
    for where, message in mistakes:
        place = SourceLocation(str(path), *(places.at(where) or (1, 1)))
        lines.append((place, f"{where or 'the file'}: {message}"))
    lines.sort(key=lambda entry: (entry[0].line or 0, entry[0].column or 0, entry[1]))
    first, message = lines[0]
    rest = "".join(f"\n{place}: {text}" for place, text in lines[1:])
    msg = f"{message}{rest}"
    raise MetadataError(msg, location=first)


def _against(schema: JsonObject, value: Any) -> list[tuple[str, str]]:
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)
    return [(pointer(*e.instance_path), _one_line(e.message)) for e in validator.iter_errors(value)]


def _one_line(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= 300 else text[:297] + "..."


@cache
def metadata_schema(name: str) -> JsonObject:
    """Return the JSON Schema of one kind of metadata: system, behaviour, mapping, ...

    Raises ``UsageError`` for a kind there is no schema for.
    """
    path = _SCHEMAS / f"{name}.schema.json"
    try:
        schema: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = sorted(p.name.removesuffix(".schema.json") for p in _SCHEMAS.glob("*.schema.json"))
        msg = f"there is no kind of metadata called {name!r}"
        raise UsageError(msg, remedy=f"Known: {', '.join(known)}.") from error
    return schema
