"""Which media type of one side meets which of the other."""

from __future__ import annotations

from collections.abc import Iterator

from harness.model.contract import MediaType


def media_pairs(
    mine: tuple[MediaType, ...], theirs: tuple[MediaType, ...]
) -> Iterator[tuple[MediaType, MediaType | None]]:
    """Pair each of ``mine`` with the most specific of ``theirs`` that takes it, or ``None``."""
    for media in mine:
        name = _plain(media.name)
        best = [t for t in theirs if _plain(t.name) == name]
        best = best or sorted(
            (t for t in theirs if _in_range(name, _plain(t.name))), key=lambda t: t.name == "*/*"
        )
        if not best and "*" in name:
            best = [t for t in theirs if _in_range(_plain(t.name), name)]
        yield media, best[0] if best else None


def _plain(name: str) -> str:
    return name.split(";")[0].strip().lower()


def _in_range(name: str, wanted: str) -> bool:
    if wanted == "*/*":
        return True
    return wanted.endswith("/*") and name.startswith(wanted[:-1])
