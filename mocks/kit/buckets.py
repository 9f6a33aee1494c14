"""What quotas count with: buckets that refill, windows that roll, days that end, slots in use.

All in exact integers. A bucket counts in units so small that one microsecond refills a whole
number of them: no fraction is ever rounded away, however odd the rate (0.0056 a second) or long
the run.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harness.model.errors import MetadataError
from harness.model.instants import SECOND_US, from_datetime, to_datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a quota stands now; ``reset_us`` is the wait until it is as full as it gets."""

    limit: int
    remaining: int
    reset_us: int


class Counter(Protocol):
    """One account's share of one quota."""

    def wait_us(self, now_us: int, amount: int = 1) -> int:
        """Return microseconds until ``amount`` is there; 0 when it is."""
        ...

    def take(self, now_us: int, amount: int = 1) -> None:
        """Use ``amount``; ask :meth:`wait_us` first."""
        ...

    def give_back(self, amount: int) -> None:
        """Undo the use of ``amount``."""
        ...

    def standing(self, now_us: int) -> Standing:
        """Return how the quota stands."""
        ...

    def change(self, rate: Fraction, limit: int, now_us: int) -> None:
        """Take another rate and limit at once."""
        ...


class TokenBucket:
    """One bucket: ``burst`` tokens at most, refilled at ``rate`` tokens a second.

    A leaky bucket is the same seen from the other side: what is used leaks out at ``rate``.
    """

    def __init__(self, rate: Fraction, burst: int, now_us: int) -> None:
        """Start full."""
        self._at_us = now_us
        self._level = 0
        self._set(rate, burst)
        self._level = self._full

    def _set(self, rate: Fraction, burst: int) -> None:
        if rate <= 0 or burst < 1:
            msg = f"a token bucket needs a rate above 0 and a burst of 1 or more: {rate}, {burst}."
            raise MetadataError(msg, remedy="Correct the quota.")
        self._burst = burst
        self._gain = rate.numerator  # units per microsecond
        self._price = rate.denominator * SECOND_US  # units per token
        self._full = burst * self._price

    def change(self, rate: Fraction, limit: int, now_us: int) -> None:
        """Take another rate and burst; what is in the bucket stays, up to the new burst."""
        self._refill(now_us)
        level, old_price = self._level, self._price
        self._set(rate, limit)
        self._level = min(self._full, level * self._price // old_price)

    def _refill(self, now_us: int) -> None:
        passed_us = now_us - self._at_us
        if passed_us > 0:
            self._level = min(self._full, self._level + passed_us * self._gain)
            self._at_us = now_us

    def wait_us(self, now_us: int, amount: int = 1) -> int:
        """Return microseconds until ``amount`` tokens are there."""
        self._refill(now_us)
        missing = amount * self._price - self._level
        return 0 if missing <= 0 else -(-missing // self._gain)

    def take(self, now_us: int, amount: int = 1) -> None:
        """Take tokens; ask :meth:`wait_us` first."""
        self._level -= amount * self._price

    def give_back(self, amount: int) -> None:
        """Put tokens back, up to the burst."""
        self._level = min(self._full, self._level + amount * self._price)

    def tokens(self, now_us: int) -> Fraction:
        """Return how many tokens are in the bucket, fractions included."""
        self._refill(now_us)
        return Fraction(self._level, self._price)

    def standing(self, now_us: int) -> Standing:
        """Return whole tokens left and the time until the bucket is full."""
        self._refill(now_us)
        missing = self._full - self._level
        return Standing(self._burst, self._level // self._price, -(-missing // self._gain))


class Window:
    """At most ``limit`` calls in ``span_us``: sliding, or fixed windows counted from 1970."""

    def __init__(self, limit: int, span_us: int, *, sliding: bool) -> None:
        """Start unused."""
        self._limit = limit
        self._span_us = span_us
        self._sliding = sliding
        self._used: deque[int] = deque()

    def _begin_us(self, now_us: int) -> int:
        """Return the instant up to which uses no longer count."""
        if self._sliding:
            return now_us - self._span_us
        return now_us - now_us % self._span_us - 1

    def _forget(self, now_us: int) -> None:
        begin_us = self._begin_us(now_us)
        while self._used and self._used[0] <= begin_us:
            self._used.popleft()

    def wait_us(self, now_us: int, amount: int = 1) -> int:
        """Return microseconds until ``amount`` more calls fit."""
        self._forget(now_us)
        too_many = len(self._used) + amount - self._limit
        if too_many <= 0:
            return 0
        if self._sliding and too_many <= len(self._used):
            return self._used[too_many - 1] + self._span_us - now_us
        return self._span_us - now_us % self._span_us

    def take(self, now_us: int, amount: int = 1) -> None:
        """Count a call."""
        self._used.extend([now_us] * amount)

    def give_back(self, amount: int) -> None:
        """Forget the latest calls."""
        for _ in range(min(amount, len(self._used))):
            self._used.pop()

    def standing(self, now_us: int) -> Standing:
        """Return calls left and the time until the window has emptied."""
        self._forget(now_us)
        reset_us = self._span_us - now_us % self._span_us
        if self._sliding:
            reset_us = self._used[-1] + self._span_us - now_us if self._used else 0
        return Standing(self._limit, max(0, self._limit - len(self._used)), reset_us)

    def change(self, rate: Fraction, limit: int, now_us: int) -> None:
        """Take another limit; what was used stays used."""
        self._limit = limit


class Day:
    """At most ``limit`` calls a day; the day ends at a wall-clock time of a zone."""

    def __init__(self, limit: int, ends: DayEnd) -> None:
        """Start unused."""
        self._limit = limit
        self._ends = ends
        self._used = 0
        self._until_us = 0

    def _roll(self, now_us: int) -> None:
        if now_us >= self._until_us:
            self._until_us = self._ends.next_us(now_us)
            self._used = 0

    def wait_us(self, now_us: int, amount: int = 1) -> int:
        """Return microseconds until the day ends when too little is left of it."""
        self._roll(now_us)
        return 0 if self._used + amount <= self._limit else self._until_us - now_us

    def take(self, now_us: int, amount: int = 1) -> None:
        """Count a call."""
        self._used += amount

    def give_back(self, amount: int) -> None:
        """Forget calls of this day."""
        self._used = max(0, self._used - amount)

    def standing(self, now_us: int) -> Standing:
        """Return calls left and the time until the day ends."""
        self._roll(now_us)
        return Standing(self._limit, max(0, self._limit - self._used), self._until_us - now_us)

    def change(self, rate: Fraction, limit: int, now_us: int) -> None:
        """Take another limit; what was used stays used."""
        self._limit = limit


class DayEnd:
    """A time of day in a zone, with its summer time."""

    def __init__(self, at: str, zone: str) -> None:
        """Read ``HH:MM`` and a zone's name; raises ``MetadataError``."""
        try:
            self._at = time.fromisoformat(at)
            self._zone = ZoneInfo(zone)
        except (ValueError, ZoneInfoNotFoundError) as error:
            msg = f"a daily quota cannot end at {at!r} in {zone!r}."
            raise MetadataError(msg, remedy="Give HH:MM and a zone of the tz database.") from error

    def next_us(self, now_us: int) -> int:
        """Return the first such moment after ``now_us``."""
        here = to_datetime(now_us).astimezone(self._zone)
        day = here.date()
        while True:
            ends_us = from_datetime(datetime.combine(day, self._at, tzinfo=self._zone))
            if ends_us > now_us:
                return ends_us
            day += timedelta(days=1)


class Slots:
    """At most ``limit`` calls in flight at one time."""

    def __init__(self, limit: int, retry_us: int = SECOND_US) -> None:
        """Start free; ``retry_us`` is what a refused caller is told to wait."""
        self._limit = limit
        self._retry_us = retry_us
        self._used = 0

    def wait_us(self, now_us: int, amount: int = 1) -> int:
        """Return 0 for a free slot; nobody knows when one gets free."""
        return 0 if self._used + amount <= self._limit else self._retry_us

    def take(self, now_us: int, amount: int = 1) -> None:
        """Use a slot."""
        self._used += amount

    def give_back(self, amount: int) -> None:
        """Free a slot."""
        self._used -= amount

    def standing(self, now_us: int) -> Standing:
        """Return the free slots."""
        return Standing(self._limit, max(0, self._limit - self._used), 0)

    def change(self, rate: Fraction, limit: int, now_us: int) -> None:
        """Take another number of slots."""
        self._limit = limit
