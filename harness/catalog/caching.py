"""Contracts already loaded, recognised by content: a batch meets each document several times."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from harness.catalog.limits import MEBIBYTE, Limits
from harness.catalog.references import FILES
from harness.catalog.sources import Source

if TYPE_CHECKING:
    from harness.catalog.loading import Loaded
    from harness.catalog.overlay import Overlay

Key = tuple[str, Path | None, bytes, tuple[bytes, ...], Limits]


class ContractCache:
    """Remembers loaded contracts within a process, the least recently asked for forgotten first.

    A document is the same when its name, its bytes, its overlays and its limits are. One that
    pulls in other files is never remembered, because those may change unseen. ``bytes_max`` bounds
    the text remembered; the contracts built from it take some 20 times as much memory.
    """

    def __init__(self, *, bytes_max: int = 16 * MEBIBYTE) -> None:
        """Start with nothing remembered."""
        self._bytes_max = bytes_max
        self._bytes = 0
        self._known: OrderedDict[Key, tuple[Loaded, int]] = OrderedDict()

    def loaded(
        self,
        source: Source,
        overlays: tuple[Overlay, ...],
        limits: Limits,
        load: Callable[[], Loaded],
    ) -> Loaded:
        """Return what is remembered of a source, or what ``load`` returns, from then on."""
        corrections = tuple(sha256(o.source.text).digest() for o in overlays)
        key = (source.label, source.base, sha256(source.text).digest(), corrections, limits)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key][0]
        loaded = load()
        if FILES not in loaded.contract.document and len(source.text) <= self._bytes_max:
            self._known[key] = (loaded, len(source.text))
            self._bytes += len(source.text)
            self._forget()
        return loaded

    def _forget(self) -> None:
        while self._bytes > self._bytes_max:
            _, (_, size) = self._known.popitem(last=False)
            self._bytes -= size
