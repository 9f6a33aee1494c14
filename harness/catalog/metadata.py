"""Our own files (``system.yaml``, ``behaviour.yaml``, ...): every mistake by file and line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.catalog.parsing import Parsed, parse, positions
from harness.model.contract import Problem
from harness.model.errors import MetadataError, SourceLocation, UsageError
from harness.model.values import Json, JsonObject, pointer

_SCHEMAS = Path(__file__).parent / "schemas"

# What a schema cannot say of a file that follows it: names given twice, names of unknown rules.
Further = Callable[[Json], Iterable[Problem]]


def _nothing(_value: Json) -> Iterable[Problem]:
    return ()


def load_metadata(path: Path, schema: JsonObject, *, further: Further = _nothing) -> JsonObject:
    """Return one of our YAML or JSON files, known to follow ``schema`` and the ``further`` check.

    Raises ``MetadataError`` that lists every mistake as ``file:line:column message``, and
    ``DocumentError`` when the text is not YAML or JSON at all.
    """
    return checked_metadata(_bytes_of(path), str(path), schema, further=further)


def checked_metadata(
    data: bytes, label: str, schema: JsonObject, *, further: Further = _nothing
) -> JsonObject:
    """Return what bytes hold that follow ``schema``; raises as :func:`load_metadata`."""
    parsed, mistakes = _checked(data, label, schema, further)
    if not mistakes:
        result: JsonObject = parsed.value
        return result
    first, *others = [f"{p.pointer or 'the file'}: {p.message}" for p in mistakes]
    places = [str(p.location) for p in mistakes[1:]]
    rest = "".join(f"\n{place}: {text}" for place, text in zip(places, others, strict=True))
    msg = f"{first}{rest}"
    raise MetadataError(msg, location=mistakes[0].location)


def metadata_problems(
    path: Path, schema: JsonObject, *, further: Further = _nothing
) -> tuple[Problem, ...]:
    """Return every mistake in one of our files, each with its place, in document order.

    ``further`` is asked only about a file that follows ``schema``. Raises like
    :func:`load_metadata` when the file cannot be read as YAML or JSON at all.
    """
    return _checked(_bytes_of(path), str(path), schema, further)[1]


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"the file cannot be read: {error.strerror}"
        raise MetadataError(
            msg,
            remedy="Check the path and its permissions.",
            location=SourceLocation(str(path)),
        ) from error


def _checked(
    data: bytes, label: str, schema: JsonObject, further: Further
) -> tuple[Parsed, tuple[Problem, ...]]:
    parsed = parse(data, label)
    mistakes = [*parsed.problems, *_against(schema, parsed.value)]
    mistakes = mistakes or list(further(parsed.value))
    if not mistakes:
        return parsed, ()
    places = positions(data, label)
    found = [replace(p, location=SourceLocation(label, *places.at(p.pointer))) for p in mistakes]
    found.sort(key=_in_file_order)
    return parsed, tuple(found)


def _in_file_order(problem: Problem) -> tuple[int, int, str]:
    place = problem.location or SourceLocation("")
    return place.line or 0, place.column or 0, problem.message


def _against(schema: JsonObject, value: Any) -> list[Problem]:
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)
    mistakes: list[Problem] = []
    for error in validator.iter_errors(value):
        here = pointer(*error.instance_path)
        names = getattr(error.kind, "unexpected", ())
        for name in names:  # a misspelt name is shown where it stands, not where its object begins
            mistakes.append(
                Problem("unknown-name", f"{name!r} is not a known name here", here + pointer(name))
            )
        if not names:
            mistakes.append(Problem("invalid-metadata", _one_line(error.message), here))
    return mistakes


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
