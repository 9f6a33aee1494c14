"""Old and new as lines of JSON, with the lines that differ marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.model.values import Json
from reports.exchanges import body_text
from reports.spelling import cut, limited, pretty, visible

_TEXT_MAX = 12_000
_LINES_MAX = 120


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """One line of a side; ``changed`` when the other side has no equal line in its place."""

    text: str
    changed: bool


def one_line(value: Json) -> str:
    """Return a value on one line, or an empty text when it does not fit there."""
    if value is None:
        return "nothing"
    text = body_text(value)
    return "" if "\n" in text else visible(text)


def marked(old: Json, new: Json) -> tuple[list[MarkedLine], list[MarkedLine]]:
    """Return both sides as lines; nothing is marked where one side is absent."""
    left, right = _lines(old), _lines(new)
    if old is None or new is None:
        return _unmarked(left), _unmarked(right)
    same_left, same_right = _same(left, right)
    return (
        [MarkedLine(t, changed=i not in same_left) for i, t in enumerate(left)],
        [MarkedLine(t, changed=i not in same_right) for i, t in enumerate(right)],
    )


def _unmarked(lines: list[str]) -> list[MarkedLine]:
    return [MarkedLine(text, changed=False) for text in lines]


def unified(old: Json, new: Json) -> Iterator[str]:
    """Yield the lines of one text that shows both sides, each with ``-``, ``+`` or a space."""
    from difflib import unified_diff

    lines = unified_diff(_lines(old), _lines(new), lineterm="", n=3)
    yield from (line for line in lines if not line.startswith(("---", "+++", "@@")))


def _lines(value: Json) -> list[str]:
    if value is None:
        return ["nothing"]
    text = cut(pretty(value), _TEXT_MAX)
    return limited([visible(line) for line in text.split("\n")], _LINES_MAX)


def _same(left: list[str], right: list[str]) -> tuple[set[int], set[int]]:
    from difflib import SequenceMatcher

    first: set[int] = set()
    second: set[int] = set()
    for block in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        first.update(range(block.a, block.a + block.size))
        second.update(range(block.b, block.b + block.size))
    return first, second
