"""Values as text on the wire: what a reader may make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from harness.model.values import Json, canonical_json


def text(value: Json) -> str:
    """Return how a scalar travels in a URL or a header."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else canonical_json(value)


def readings(value: Json) -> Iterator[Json]:
    """Return every JSON value a reader may see in the text of ``value``."""
    if isinstance(value, list):
        yield [text(v) for v in value]
        yield [list(_scalar(text(v)))[-1] for v in value]
        if len(value) == 1:
            yield from _scalar(text(value[0]))
    elif isinstance(value, dict):
        yield {k: text(v) for k, v in value.items()}
        yield {k: list(_scalar(text(v)))[-1] for k, v in value.items()}
        yield value
    else:
        yield from _scalar(text(value))
        yield from ([v] for v in _scalar(text(value)))


def _scalar(written: str) -> Iterator[Json]:
    yield written
    if written in {"true", "false"}:
        yield written == "true"
        return
    try:
        number = json.loads(written)
    except ValueError:
        return
    if isinstance(number, int | float) and not isinstance(number, bool):
        yield number


def query(name: str, value: Json) -> str:
    """Return one parameter as a query string, lists repeated."""
    values = value if isinstance(value, list) else [value]
    return "&".join(f"{quote(name)}={quote(text(v))}" for v in values)


def filled(template: str, name: str, value: Json) -> str:
    """Return a path template with one placeholder replaced by a value."""
    values = value if isinstance(value, list) else [value]
    return template.replace("{" + name + "}", ",".join(quote(text(v), safe="") for v in values))
