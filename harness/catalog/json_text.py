"""JSON text: values fast, positions on demand, nothing recursive and nothing lost silently."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.catalog.limits import Limits, count_values, nested_deeper, too_deep, too_many_nodes
from harness.catalog.places import LineIndex
from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import Json, pointer

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:(?P<mark>[{}\[\],:])|(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")"""
    r"""|(?P<word>[^\s{}\[\],:"]+))""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One value seen by :func:`scan`: its pointer, where it (or its name) starts, and whether
    the same name stood in the same object before."""

    pointer: str
    offset: int
    depth: int
    repeated: bool


@dataclass(slots=True)
class _Open:
    pointer: str
    names: set[str] | None  # None for an array
    index: int = 0
    name: str | None = None
    name_offset: int = 0


def scan(text: str) -> Iterator[Visit]:
    """Yield every value of well-formed JSON in order; what it yields for broken JSON is partial."""
    stack: list[_Open] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        start = match.start(kind) if kind else match.start()
        mark = match.group("mark")
        top = stack[-1] if stack else None
        if mark == ",":
            if top:
                top.index += 1
                top.name = None
            continue
        if mark == ":":
            continue
        if mark in {"}", "]"}:
            if stack:
                stack.pop()
            continue
        if kind == "text" and top and top.names is not None and top.name is None:
            try:
                top.name = json.loads(match.group("text"), strict=False)
            except ValueError:
                return
            top.name_offset = start
            continue
        visit = _visit(top, start, len(stack))
        yield visit
        if mark == "{":
            stack.append(_Open(visit.pointer, set()))
        elif mark == "[":
            stack.append(_Open(visit.pointer, None))


def _visit(top: _Open | None, start: int, depth: int) -> Visit:
    if top is None:
        return Visit("", start, depth, repeated=False)
    if top.names is None:
        return Visit(f"{top.pointer}/{top.index}", start, depth, repeated=False)
    name = top.name or ""
    repeated = name in top.names
    top.names.add(name)
    return Visit(top.pointer + pointer(name), top.name_offset, depth, repeated=repeated)


class _Reader:
    def __init__(self) -> None:
        self.repeated = False

    def pairs(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        result = dict(pairs)
        if len(result) != len(pairs):
            self.repeated = True
        return result

    def number(self, text: str) -> float:
        value = float(text)
        if math.isinf(value):
            msg = f"the number {text} is too large to be carried"
            raise _NotJsonError(msg)
        return value

    def constant(self, text: str) -> Json:
        msg = f"{text} is not JSON"
        raise _NotJsonError(msg)


class _NotJsonError(ValueError):
    pass


def read_json(text: str, label: str, limits: Limits) -> tuple[Json, tuple[Visit, ...]]:
    """Return the value and every repeated name; raises ``DocumentError`` for anything else."""
    reader = _Reader()
    options: dict[str, Any] = {
        "object_pairs_hook": reader.pairs,
        "parse_float": reader.number,
        "parse_constant": reader.constant,
    }
    punctuation = text.count(",") + text.count("[") + text.count("{")
    many = punctuation >= limits.nodes
    if many:
        _refuse_oversize(text, label, limits)
    try:
        value = json.loads(text, **options)
    except json.JSONDecodeError as error:
        raise _syntax_error(error, label) from error
    except RecursionError as error:
        _refuse_oversize(text, label, limits)
        raise too_deep(SourceLocation(label), limits) from error
    except ValueError as error:  # a constant or an integer of thousands of digits
        msg = f"not valid JSON: {error}"
        raise DocumentError(
            msg,
            remedy="Write a plain JSON number or text.",
            location=SourceLocation(label),
        ) from error
    if nested_deeper(value, limits.depth):
        _refuse_oversize(text, label, limits)
    if many and count_values(value, limits.nodes) > limits.nodes:
        raise too_many_nodes(SourceLocation(label), limits)
    repeated = tuple(v for v in scan(text) if v.repeated) if reader.repeated else ()
    return value, repeated


def _refuse_oversize(text: str, label: str, limits: Limits) -> None:
    """Walk brackets only: cheap, and exact enough to stop before memory is spent."""
    depth = nodes = 0
    for match in _STRUCTURE.finditer(text):
        mark = match.group(1)
        if mark is None:
            continue
        nodes += 1
        if mark in "[{":
            depth += 1
            if depth > limits.depth:
                raise too_deep(_place(text, match.start(1), label), limits)
        elif mark in "]}":
            depth -= 1
        if nodes > 2 * limits.nodes:
            raise too_many_nodes(_place(text, match.start(1), label), limits)


_STRUCTURE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|([{}\[\],])', re.DOTALL)


def _place(text: str, offset: int, label: str) -> SourceLocation:
    return SourceLocation(label, *LineIndex(text).at(offset))


def _syntax_error(error: json.JSONDecodeError, label: str) -> DocumentError:
    location = SourceLocation(label, error.lineno, error.colno)
    if error.msg == "Extra data":
        return DocumentError(
            "text follows the end of the JSON document",
            remedy="Keep one document per file; a second one may have been glued on.",
            location=location,
        )
    if not error.doc.strip():
        return DocumentError(
            "the document is empty", remedy="Name a file with content.", location=location
        )
    detail = error.msg[0].lower() + error.msg[1:]
    return DocumentError(
        f"not valid JSON: {detail}", remedy="Correct the text there.", location=location
    )
