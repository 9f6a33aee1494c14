"""Makes a confirmed value smaller, without touching what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.model.values import Json

TRIES_MAX = 60


def smaller(value: Json, path: Sequence[tuple[str, ...]], shows: Callable[[Json], bool]) -> Json:
    """Return a part of the value that still ``shows`` the same thing at the end of ``path``.

    Members and items beside the path are left out one by one; what lies on the path and beneath
    its end stays as it is, so that the value goes on showing this cause and no other.
    """
    tries = TRIES_MAX
    shrunk = True
    while shrunk and tries > 0:
        shrunk = False
        for candidate in _without_one(value, list(path)):
            tries -= 1
            if tries < 0:
                break
            if shows(candidate):
                value, shrunk = candidate, True
                break
    return value


def _without_one(value: Json, path: list[tuple[str, ...]]) -> Iterator[Json]:
    if not path:
        return
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        kept = step[1] if step[0] == "property" else None
        for name in value if kept in value else ():
            if name != kept:
                yield {k: v for k, v in value.items() if k != name}
        for inner in _without_one(value[kept], rest) if kept in value else ():
            yield {**value, kept: inner}
    elif isinstance(value, list) and step[0] in {"item", "items"}:
        index = int(step[1])
        if index < len(value):
            if len(value) > index + 1:
                yield value[: index + 1]
            for inner in _without_one(value[index], rest):
                yield [*value[:index], inner, *value[index + 1 :]]
