"""Recognises unchanged schemas by content, so that they cost nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.compatibility.keywords import is_annotation, reference
from harness.compatibility.side import Side
from harness.model.values import Json


class Sameness:
    """Says whether two pointers hold the same schema, references followed."""

    def __init__(self, left: Side, right: Side) -> None:
        """Compare these two documents; answers are remembered."""
        self._left = left
        self._right = right
        self._equal: dict[tuple[str, str], bool] = {}
        self._clean: set[tuple[str, str]] = set()
        self._dirty: set[tuple[str, str]] = set()

    def same(self, left: str, right: str) -> bool:
        """Say whether both sides are equal with everything they refer to."""
        start = (left, right)
        if start in self._clean:
            return True
        seen: set[tuple[str, str]] = set()
        todo = [start]
        while todo:
            pair = todo.pop()
            if pair in seen or pair in self._clean:
                continue
            seen.add(pair)
            if pair in self._dirty or not self._text_equal(pair):
                self._dirty |= {pair, start}
                return False
            todo += [(r, r) for r in _references(self._left.at(pair[0]))]
        self._clean |= seen
        return True

    def _text_equal(self, pair: tuple[str, str]) -> bool:
        if pair not in self._equal:
            left, right = self._left.at(pair[0]), self._right.at(pair[1])
            # The second test tells true from 1, which Python's equality does not.
            self._equal[pair] = left == right and repr(left) == repr(right)
        return self._equal[pair]


def _references(schema: Json) -> Iterator[str]:
    todo = [schema]
    while todo:
        here = todo.pop()
        if isinstance(here, Mapping):
            found = reference(here)
            if found is not None:
                yield found
            todo += [v for k, v in here.items() if not is_annotation(k)]
            todo += [v for k, v in here.items() if is_annotation(k) and isinstance(v, Mapping)]
        elif isinstance(here, list):
            todo += here
