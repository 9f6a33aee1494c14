"""Recognises unchanged schemas by content, so that they cost nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.compatibility.schemas.keywords import is_annotation, reference
from harness.compatibility.schemas.side import Side
from harness.model.values import Json


class Sameness:
    """Says whether two pointers hold the same schema, references followed."""

    def __init__(self, left: Side, right: Side) -> None:
        """Compare these two documents; answers are remembered."""
        self._left = left
        self._right = right
        self._equal: dict[tuple[str, str], bool] = {}
        self._known: dict[tuple[str, str], bool] = {}
        self._mentions: dict[tuple[str, str], bool] = {}

    def same(self, left: str, right: str) -> bool:
        """Say whether both sides are equal with everything they refer to."""
        start = (left, right)
        if start not in self._known:
            self._settle(start)
        return self._known[start]

    def _settle(self, start: tuple[str, str]) -> None:
        """Decide every pair that ``start`` reaches, each once, however they are entangled."""
        leads_to: dict[tuple[str, str], list[tuple[str, str]]] = {start: []}
        todo = [start]
        other: list[tuple[str, str]] = []
        while todo:
            pair = todo.pop()
            if self._known.get(pair) is False or not self._text_equal(pair):
                other.append(pair)
                continue
            if pair in self._known:
                continue
            for reached in _references(self._left.at(pair[0])):
                following = (reached, reached)
                if following not in leads_to:
                    leads_to[following] = []
                    todo.append(following)
                leads_to[following].append(pair)
        differs: set[tuple[str, str]] = set()
        while other:
            pair = other.pop()
            if pair not in differs:
                differs.add(pair)
                other += leads_to[pair]
        self._known.update((pair, pair not in differs) for pair in leads_to)

    def mentions(self, right: str, keyword: str) -> bool:
        """Say whether a keyword stands anywhere in what the right side's schema refers to."""
        key = (right, keyword)
        if key not in self._mentions:
            reached = {right}
            todo = [right]
            found = False
            while todo and not found:
                here = self._right.at(todo.pop())
                found = _has(here, keyword)
                fresh = [r for r in _references(here) if r not in reached]
                reached.update(fresh)
                todo += fresh
            self._mentions[key] = found
        return self._mentions[key]

    def _text_equal(self, pair: tuple[str, str]) -> bool:
        if pair not in self._equal:
            left, right = self._left.at(pair[0]), self._right.at(pair[1])
            # The second test tells true from 1, which Python's equality does not.
            self._equal[pair] = left == right and repr(left) == repr(right)
        return self._equal[pair]


def _has(schema: Json, keyword: str) -> bool:
    todo = [schema]
    while todo:
        here = todo.pop()
        if isinstance(here, Mapping):
            if keyword in here:
                return True
            todo += here.values()
        elif isinstance(here, list):
            todo += here
    return False


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
