"""Layout for a terminal: folding to a width in cells, and two texts side by side."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import zip_longest

GUTTER = " │ "

# Fold after a space, or after the separators of paths and JSON, so that names stay whole.
_PIECES = re.compile(r"[^\s/,]*[\s/,]*")


def cells(text: str) -> int:
    """Return how many cells of a terminal ``text`` takes: East Asian letters take two."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fold(text: str, width: int) -> list[str]:
    """Return ``text`` as lines of at most ``width`` cells; its leading space is kept below."""
    if cells(text) <= width:
        return [text]
    lead = text[: len(text) - len(text.lstrip())]
    lead = lead if len(lead) <= width // 2 else ""
    lines: list[str] = []
    line = ""
    for piece in _bounded(text.rstrip(), max(1, width - len(lead))):
        if line.strip() and cells(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = lead + piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _bounded(text: str, width: int) -> Iterator[str]:
    for piece in _PIECES.findall(text):
        rest = piece
        while cells(rest.rstrip()) > width:
            head = _head(rest, width)
            yield head
            rest = rest[len(head) :]
        yield rest


def _head(text: str, width: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += _cell(character)
        if taken > width:
            return text[: max(1, index)]
    return text


def folded(text: str, width: int) -> list[str]:
    """Return every line of ``text`` folded."""
    return [line for source in text.split("\n") for line in fold(source, width)]


def side_by_side(left: list[str], right: list[str], width: int) -> list[str]:
    """Return both texts as two columns, each ``width`` cells wide at most."""
    return [
        (a + " " * (width - cells(a)) + GUTTER + b).rstrip()
        for a, b in zip_longest(left, right, fillvalue="")
    ]
