"""Media types and ranges: which body of one side the other side takes.

A range takes every type inside it. A parameter the reader names must be there and equal, except
``charset=utf-8``, which JSON and most texts have anyway, and what only frames the message
(``boundary``, ``q``). A parameter only the writer names is an addition nobody refuses. A
structured suffix makes another type: ``application/problem+json`` is not ``application/json``,
though a parser of JSON reads both.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from harness.model.contract import MediaType

_FRAMING = frozenset({"boundary", "q"})


class Kind(NamedTuple):
    """A media type taken apart; ``parameters`` without those that change nothing."""

    essence: str
    parameters: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1024)
def kind_of(name: str) -> Kind:
    """Take a media type apart: names without case, quotes and spaces."""
    first, *rest = name.split(";")
    found = {}
    for part in rest:
        key, _, value = part.partition("=")
        key, value = key.strip().lower(), value.strip().strip('"')
        plain = key == "charset" and value.lower().replace("_", "-") in {"utf-8", "utf8"}
        if key and key not in _FRAMING and not plain:
            found[key] = value.lower() if key == "charset" else value
    return Kind(first.strip().lower(), tuple(sorted(found.items())))


def essence(name: str) -> str:
    """Return type and subtype in lower case, without parameters."""
    return kind_of(name).essence


def takes(reader: str, writer: str) -> bool:
    """Say whether a reader of one media type or range takes everything of another."""
    mine, theirs = kind_of(reader), kind_of(writer)
    named = dict(theirs.parameters)
    return _inside(theirs.essence, mine.essence) and all(
        named.get(key) == value for key, value in mine.parameters
    )


def meets(one: str, other: str) -> bool:
    """Say whether a body may be of both media types or ranges."""
    return takes(one, other) or takes(other, one)


def is_json(name: str) -> bool:
    """Say whether bodies of a type are JSON: by name or by structured suffix."""
    kind = essence(name)
    return kind.endswith(("/json", "+json"))


def is_form(name: str) -> bool:
    """Say whether the properties of a body travel as texts or parts."""
    return essence(name).startswith(("application/x-www-form-urlencoded", "multipart/"))


def media_pairs(
    mine: tuple[MediaType, ...], theirs: tuple[MediaType, ...]
) -> Iterator[tuple[MediaType, MediaType | None]]:
    """Pair each of ``mine`` with the most specific of ``theirs`` that takes it, or ``None``.

    A range of mine that nobody takes as a whole meets the first of theirs inside it.
    """
    for media in mine:
        taking = [t for t in theirs if takes(t.name, media.name)]
        taking = taking or [t for t in theirs if takes(media.name, t.name)]
        yield media, min(taking, key=_breadth) if taking else None


def resembling(name: str, offered: tuple[MediaType, ...]) -> str:
    """Return a type that a person may mistake for ``name``: other parameters, or the suffix."""
    wanted = essence(name)
    for other in offered:
        near = essence(other.name)
        if near == wanted or (is_json(near) and is_json(wanted)):
            return other.name
    return ""


def _breadth(media: MediaType) -> tuple[int, int]:
    kind = kind_of(media.name)
    return kind.essence.count("*"), -len(kind.parameters)


def _inside(name: str, wanted: str) -> bool:
    if wanted in {"*/*", "*"} or name == wanted:
        return True
    if wanted.endswith("/*"):
        return name.startswith(wanted[:-1])
    prefix, star, suffix = wanted.partition("/*+")
    return bool(star) and name.startswith(f"{prefix}/") and name.endswith(f"+{suffix}")
