"""Which schemas are the same on both sides, words included, with all that they refer to.

Found out once for everything the roots reach, in linear time: a difference spreads backwards along
the references that lead to it, and what it does not reach is unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.compatibility.rules.schema_views import Views
from harness.compatibility.schemas.keywords import reference
from harness.model.values import Json


class Unchanged:
    """Says whether two pointers hold the same schema."""

    def __init__(self, left: Views, right: Views, starts: Iterable[str]) -> None:
        """Look at everything that ``starts``, pointers of the left side, refer to."""
        self._left, self._right = left, right
        self._equal: dict[tuple[str, str], bool] = {}
        self._differing = self._reached(list(starts))

    def same(self, left: str, right: str) -> bool:
        """Say whether both are equal, and equal wherever they lead."""
        key = (left, right)
        if key not in self._equal:
            schema = self._left.at(left)
            self._equal[key] = _alike(schema, self._right.at(right)) and not any(
                target in self._differing for target in _references(schema)
            )
        return self._equal[key]

    def _reached(self, todo: list[str]) -> set[str]:
        """Return the pointers from which a difference can be reached."""
        callers: dict[str, list[str]] = {}
        seen: set[str] = set()
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                for target in _references(self._left.at(here)):
                    callers.setdefault(target, []).append(here)
                    todo.append(target)
        found: set[str] = set()
        spread = [p for p in seen if not _alike(self._left.at(p), self._right.at(p))]
        while spread:
            here = spread.pop()
            if here not in found:
                found.add(here)
                spread += callers.get(here, ())
        return found


def _alike(left: Json, right: Json) -> bool:
    # The second test tells true from 1, which Python's equality does not.
    return bool(left == right) and repr(left) == repr(right)


def _references(schema: Json) -> Iterator[str]:
    todo = [schema]
    while todo:
        here = todo.pop()
        if isinstance(here, Mapping):
            target = reference(here)
            if target is not None:
                yield target
            todo += here.values()
        elif isinstance(here, list):
            todo += here
