"""Line and column of every part of a text, found without building a pointer for each."""

from __future__ import annotations

import json
from bisect import bisect_right
from json import decoder
from re import compile as expression
from re import finditer
from typing import Any, Protocol

from harness.model.values import pointer_tokens

_SCAN_TEXT: Any = vars(decoder)["scanstring"]  # the decoder's own, untyped: text from a quote on
_SPACE = expression(r"[ \t\r\n]*")


class Places(Protocol):
    """Where the parts of one text stand."""

    def at(self, pointer: str) -> tuple[int, int]:
        """Return line and column of a part, or of the nearest thing around it, both from 1."""
        ...


_COLUMN_BITS = 32


class Place:
    """The place of an object or array, and of what is inside it.

    A member's place is its name's, an element's its value's. Places are packed into one number,
    because a large document has very many and the garbage collector would visit each.
    """

    __slots__ = ("_packed", "elements", "members")

    def __init__(self, packed: int) -> None:
        """Take the place (see :func:`packed_place`); nothing is inside yet."""
        self._packed = packed
        self.members: dict[str, Place | int] = {}
        self.elements: list[Place | int] = []

    def at(self, pointer: str) -> tuple[int, int]:
        """Return line and column of a part, or of the nearest thing around it, both from 1."""
        here: Place | int = self
        for token in pointer_tokens(pointer):
            inner = here._inner(token) if isinstance(here, Place) else None
            if inner is None:
                break
            here = inner
        packed = here._packed if isinstance(here, Place) else here
        return packed >> _COLUMN_BITS, packed & ((1 << _COLUMN_BITS) - 1)

    def _inner(self, token: str) -> Place | int | None:
        if not self.elements:
            return self.members.get(token)
        index = int(token) if token.isdecimal() and len(token) < 9 else len(self.elements)
        return self.elements[index] if index < len(self.elements) else None


def packed_place(line: int, column: int) -> int:
    """Return line and column, both from 1, as one number."""
    return line << _COLUMN_BITS | column


class LineIndex:
    """Turns offsets of one text into line and column, both from 1."""

    def __init__(self, text: str) -> None:
        """Remember where lines begin."""
        self._starts = [0, *(m.end() for m in finditer("\n", text))]

    def at(self, offset: int) -> tuple[int, int]:
        """Return (line, column) of ``offset``."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class JsonPlaces:
    """The places of well-formed JSON: only the objects on the way to a part are looked into.

    What stands beside the way is skipped by the C decoder, and what was looked into is remembered.
    """

    def __init__(self, text: str) -> None:
        """Take a text that the standard library can decode; raises ``ValueError`` for another."""
        self._text = text
        self._decode: Any = vars(json.JSONDecoder())["scan_once"]  # untyped: a value and its end
        self._lines = LineIndex(text)
        self._inside: dict[int, dict[str, tuple[int, int]]] = {}
        self._start = self._after_space(0)
        try:
            _, end = self._decode(text, self._start)
        except StopIteration as error:
            msg = "this is no JSON"
            raise ValueError(msg) from error
        if self._after_space(end) != len(text):
            msg = "text follows the JSON"
            raise ValueError(msg)

    def at(self, pointer: str) -> tuple[int, int]:
        """Return line and column of a part, or of the nearest thing around it, both from 1."""
        place = value = self._start
        for token in pointer_tokens(pointer):
            found = self._parts(value).get(token)
            if found is None:
                break
            place, value = found
        return self._lines.at(place)

    def _parts(self, start: int) -> dict[str, tuple[int, int]]:
        """Return (place, start of the value) of each part of the value that starts there."""
        if start not in self._inside:
            opener = self._text[start]
            self._inside[start] = (
                self._members(start + 1)
                if opener == "{"
                else self._elements(start + 1)
                if opener == "["
                else {}
            )
        return self._inside[start]

    def _members(self, offset: int) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        text = self._text
        offset = self._after_space(offset)
        while text[offset] == '"':
            name, end = _SCAN_TEXT(text, offset + 1)
            value = self._after_space(self._after_space(end) + 1)
            found[name] = (offset, value)
            offset = self._next(value)
        return found

    def _elements(self, offset: int) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        offset = self._after_space(offset)
        while self._text[offset] != "]":
            found[str(len(found))] = (offset, offset)
            offset = self._next(offset)
        return found

    def _next(self, value: int) -> int:
        """Return where the part after a value begins, or the bracket that ends them."""
        end = self._after_space(self._decode(self._text, value)[1])
        return self._after_space(end + 1) if self._text[end] == "," else end

    def _after_space(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        return match.end() if match else offset
