"""From bytes to one JSON value, or a :class:`DocumentError` that says where and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.catalog.json_text import read_json
from harness.catalog.limits import DEFAULT_LIMITS, Limits, too_many_bytes
from harness.catalog.places import JsonPlaces, LineIndex, Places
from harness.model.contract import Problem
from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import Json, pointer_tokens

if TYPE_CHECKING:
    from harness.catalog.yaml_text import YamlDocument


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document: its value and what was wrong with it yet readable (a repeated name, ...).

    ``places`` is known where reading the text told it anyway.
    """

    value: Json
    problems: tuple[Problem, ...]
    places: Places | None = None


def parse_document(data: bytes, label: str, limits: Limits = DEFAULT_LIMITS) -> Json:
    """Return the value of JSON or YAML bytes.

    Raises ``DocumentError`` with line and column when the bytes are not one readable document.
    """
    return parse(data, label, limits).value


def parse(data: bytes, label: str, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """Return the value and its problems; raises ``DocumentError`` as :func:`parse_document`."""
    text = decode(data, label, limits)
    if not looks_like_json(text):
        return _from_yaml(text, label, limits)
    try:
        value, repeated = read_json(text, label, limits)
    except DocumentError as not_json:
        if _is_meant_as_json(text, label):
            raise
        try:  # YAML's own braces: {a: 1}
            return _from_yaml(text, label, limits)
        except DocumentError:
            raise not_json from None
    lines = LineIndex(text) if repeated else None
    problems = tuple(
        Problem(
            "duplicate-key",
            f"the name {pointer_tokens(visit.pointer)[-1]!r} stands twice in one object; "
            "the last one was read",
            visit.pointer,
            SourceLocation(label, *lines.at(visit.offset)) if lines else None,
        )
        for visit in repeated
    )
    return Parsed(value, problems)


def _from_yaml(text: str, label: str, limits: Limits) -> Parsed:
    document = _yaml(text, label, limits)
    problems = tuple(
        Problem(n.rule, n.message, n.pointer, SourceLocation(label, n.line, n.column))
        for n in document.notices
    )
    return Parsed(document.value, problems, document.places)


def _yaml(text: str, label: str, limits: Limits) -> YamlDocument:
    from harness.catalog.yaml_text import read_yaml  # not needed for JSON

    return read_yaml(text, label, limits)


def decode(data: bytes, label: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """Return the text of UTF-8 bytes, a byte order mark removed; else ``DocumentError``."""
    if len(data) > limits.bytes:
        raise too_many_bytes(label, limits)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        msg = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise DocumentError(
            msg,
            remedy="Save the file as UTF-8.",
            location=SourceLocation(label, line, column),
        ) from error


def _is_meant_as_json(text: str, label: str) -> bool:
    """Say whether text in braces that is not JSON is broken JSON, not YAML's own braces.

    A name decides where it can: ``.json`` is JSON, ``.yaml`` and ``.yml`` are YAML, whose rules
    read more. Elsewhere (standard input) a quoted first name decides: read as YAML, broken JSON
    such as ``{"a": NaN}`` would silently become something its writer never meant.
    """
    ending = label.lower().rpartition(".")[2]
    if ending in {"json", "yaml", "yml"}:
        return ending == "json"
    return text.lstrip("{[ \t\r\n")[:1] == '"'


def looks_like_json(text: str) -> bool:
    """Say whether the text starts as a JSON object or array does."""
    return text[:4096].lstrip()[:1] in {"{", "["}


def positions(data: bytes, label: str = "", limits: Limits = DEFAULT_LIMITS) -> Places:
    """Return where every part of a document stands, for when a person asks.

    Raises ``DocumentError`` when the bytes are not one readable document.
    """
    text = decode(data, label, limits)
    places = _json_places(text) if looks_like_json(text) else None
    return places or _yaml(text, label, limits).places


def _json_places(text: str) -> Places | None:
    try:
        return JsonPlaces(text)
    except (ValueError, RecursionError):
        return None


def locate(data: bytes, pointer: str, label: str = "") -> tuple[int, int] | None:
    """Return (line, column) of ``pointer`` in JSON or YAML bytes, both from 1."""
    return positions(data, label).at(pointer)
