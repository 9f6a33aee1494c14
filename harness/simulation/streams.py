"""Seeded chance: one independent stream per purpose, derived by hashing.

Streams never share state, so drawing one more number for a fault does not shift the workload, and
hashing (not ``hash()``) keeps a seed worth the same on every machine and Python process.
"""

from __future__ import annotations

import hashlib
import random


def derived_seed(seed: int, purpose: str) -> int:
    """Return the 128-bit seed of one purpose."""
    text = f"{seed}\x00{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "big")


class SeededStreams:
    """All chance of one run from one printed number; implements the ``Streams`` port."""

    def __init__(self, seed: int) -> None:
        """Keep the seed; streams are made when first asked for."""
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def stream(self, purpose: str) -> random.Random:
        """Return the stream of this purpose; the same object for the same purpose."""
        found = self._streams.get(purpose)
        if found is None:
            found = self._streams[purpose] = random.Random(derived_seed(self.seed, purpose))
        return found

    def child(self, name: str) -> SeededStreams:
        """Return streams for one part (an engine under test) that no other part can shift."""
        return SeededStreams(derived_seed(self.seed, f"child/{name}"))
