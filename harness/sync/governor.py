"""Keeps calls inside every quota they fall under, and learns the real rate from answers.

One bucket per declared rate, one gate per declared number of slots. Rates are paced before the
call; a refusal empties the bucket and slows it down until answers are good again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from harness.model.instants import SECOND_US
from harness.model.ports import Clock
from harness.model.values import JsonObject

_SLOWEST = 1 / 16  # of the known rate, after repeated refusals


@dataclass(slots=True)
class Bucket:
    """A token bucket as we believe the other side keeps it."""

    rate: float  # tokens per second, as declared or as answers say
    burst: float
    tokens: float
    at_us: int
    factor: float = 1.0  # below 1 after refusals

    def _refill(self, now_us: int) -> None:
        elapsed = max(0, now_us - self.at_us) / SECOND_US
        self.tokens = min(self.burst, self.tokens + elapsed * self.rate * self.factor)
        self.at_us = max(self.at_us, now_us)

    def take(self, now_us: int) -> float:
        """Take one token, on credit if need be; return the seconds until it is really there."""
        self._refill(now_us)
        self.tokens -= 1
        closed_s = max(0, self.at_us - now_us) / SECOND_US  # after a refusal
        return closed_s + max(0.0, -self.tokens) / (self.rate * self.factor)

    def refused(self, now_us: int, wait_s: float) -> None:
        """Believe the refusal: nothing is left now, and one token after ``wait_s``."""
        self.factor = max(_SLOWEST, self.factor / 2)
        self.tokens = min(self.tokens, 0.0) + 1
        self.at_us = max(self.at_us, now_us + round(wait_s * SECOND_US))

    def one_token_s(self) -> float:
        """Return how long one token takes at the rate now believed."""
        return 1 / (self.rate * self.factor)

    def accepted(self, told_rate: float | None) -> None:
        """Learn from a good answer: its own word about the rate, and some trust back."""
        self.factor = min(1.0, self.factor * 1.5)
        if told_rate is not None and told_rate > 0:
            self.rate = told_rate


class Governor:
    """The quotas of one system, from ``behaviour.yaml``."""

    def __init__(self, behaviour: JsonObject, clock: Clock, *, paces: bool = True) -> None:
        """Read the quotas; ``paces`` false only counts slots and learns nothing (a bad manner)."""
        self._clock = clock
        self._paces = paces
        self._buckets: dict[str, Bucket] = {}
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._covers: dict[str, tuple[str, ...]] = {}
        for quota in behaviour.get("quotas", ()):
            name = str(quota["id"])
            self._covers[name] = tuple(quota["operations"])
            if quota["kind"] == "concurrency":
                self._gates[name] = asyncio.Semaphore(int(quota["slots"]))
            else:
                burst = float(quota["burst"])
                rate = float(quota["rate_per_second"])
                self._buckets[name] = Bucket(rate, burst, burst, clock.now_us())
        header: Mapping[str, object] = behaviour.get("limit_header") or {}
        self.limit_header = str(header.get("name", "")) or None

    def _names(self, address: str) -> list[str]:
        return [n for n, covered in self._covers.items() if "*" in covered or address in covered]

    def buckets(self, address: str) -> list[Bucket]:
        """Return the buckets a call to ``address`` drinks from."""
        return [self._buckets[n] for n in self._names(address) if n in self._buckets]

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until a call to ``address`` is allowed, and hold its slot while it runs."""
        if not self._paces:
            yield
            return
        wait_s = max((b.take(self._clock.now_us()) for b in self.buckets(address)), default=0.0)
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        gates = [self._gates[n] for n in self._names(address) if n in self._gates]
        held: list[asyncio.Semaphore] = []
        try:
            for gate in gates:
                await gate.acquire()
                held.append(gate)
            yield
        finally:
            for gate in reversed(held):
                gate.release()

    def learned_wait_s(self, address: str, otherwise: float) -> float:
        """Return how long one more call surely needs, as far as we know."""
        return max((b.one_token_s() for b in self.buckets(address)), default=otherwise)

    def refused(self, address: str, wait_s: float) -> None:
        """Learn from a throttled answer."""
        for bucket in self.buckets(address):
            bucket.refused(self._clock.now_us(), wait_s)

    def accepted(self, address: str, told: str | None) -> None:
        """Learn from a good answer and its limit header."""
        try:
            rate = float(told) if told is not None else None
        except ValueError:
            rate = None
        for bucket in self.buckets(address):
            bucket.accepted(rate)
