"""Bodies as they stand in a message: JSON as a value, forms and multipart as their text."""

from __future__ import annotations

from collections.abc import Mapping

from harness.compatibility.exchanges.media import essence
from harness.compatibility.exchanges.wire import Spelling, query_text, serialise, text
from harness.model.contract import MediaType, ParameterLocation, PartEncoding
from harness.model.values import Json, canonical_json

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "sample"

PartHeaders = Mapping[str, Mapping[str, str]]


def written_body(
    media: MediaType, value: Json, headers: PartHeaders | None = None
) -> dict[str, Json]:
    """Return ``content_type`` and ``body`` of a value; ranges become JSON or their first kind.

    ``headers`` are those of single parts, by the name of the part.
    """
    name = essence(media.name)
    encodings = {e.name: e for e in media.encoding}
    if name == FORM and isinstance(value, Mapping):
        pairs = [
            p for k, v in value.items() for p in serialise(k, v, _spelling(encodings.get(k), v))
        ]
        return {"content_type": FORM, "body": query_text(tuple(pairs))}
    if name.startswith("multipart/") and "*" not in name and isinstance(value, Mapping):
        known = headers or {}
        parts = [
            p for k, v in value.items() for p in _parts(k, v, encodings.get(k), known.get(k, {}))
        ]
        body = "".join(f"--{BOUNDARY}\r\n{p}\r\n" for p in parts) + f"--{BOUNDARY}--\r\n"
        return {"content_type": f"{name}; boundary={BOUNDARY}", "body": body}
    return {"content_type": concrete(media.name), "body": value}


def concrete(name: str) -> str:
    """Return a media type of a range: JSON where that is possible."""
    kind = essence(name)
    if kind in {"*/*", "application/*"}:
        return "application/json"
    return {"text/*": "text/plain", "image/*": "image/png"}.get(kind, name.replace("*", "any"))


def part_types(encoding: PartEncoding | None, value: Json) -> tuple[str, ...]:
    """Return the media types of one part: as stated, else by the kind of value."""
    if encoding is not None and encoding.content_types:
        return encoding.content_types
    return ("application/json",) if isinstance(value, Mapping) else ("text/plain",)


def _parts(
    name: str, value: Json, encoding: PartEncoding | None, headers: Mapping[str, str]
) -> list[str]:
    values = value if isinstance(value, list) else [value]
    made = []
    for one in values:
        kind = part_types(encoding, one)[0]
        head = f'Content-Disposition: form-data; name="{name}"\r\n'
        if kind != "text/plain":
            head += f"Content-Type: {concrete(kind)}\r\n"
        head += "".join(f"{key}: {content}\r\n" for key, content in headers.items())
        made.append(f"{head}\r\n{canonical_json(one) if 'json' in kind else text(one)}")
    return made


def _spelling(encoding: PartEncoding | None, value: Json) -> Spelling:
    """Return how a form field is written: an object without a style goes as JSON."""
    style = encoding.style if encoding else None
    explode = encoding.explode if encoding else None
    stated = encoding.content_types if encoding else ()
    json_text = style is None and (
        (isinstance(value, Mapping) and explode is None) or any("json" in t for t in stated)
    )
    form = style or "form"
    return Spelling(
        ParameterLocation.QUERY,
        form,
        explode if explode is not None else form == "form",
        json_text,
        bool(encoding and encoding.allow_reserved),
    )
