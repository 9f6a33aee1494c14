"""Quotas as the systems publish them: token buckets and concurrency slots, in exact integers.

A bucket counts in units so small that one microsecond refills a whole number of them: no
fraction is ever rounded away, however odd the rate (0.0056 a second) or long the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from harness.model.errors import MetadataError
from harness.model.exchange import Headers
from harness.model.instants import SECOND_US
from harness.model.values import JsonObject
from mocks.kit.simulator import RefusalKind, Refused


class TokenBucket:
    """One bucket: ``burst`` tokens at most, refilled at ``rate`` tokens a second."""

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
        self._gain = rate.numerator  # units per microsecond
        self._price = rate.denominator * SECOND_US  # units per token
        self._full = burst * self._price

    def change(self, rate: Fraction, burst: int, now_us: int) -> None:
        """Take another rate and burst; what is in the bucket stays, up to the new burst."""
        self._refill(now_us)
        level, old_price = self._level, self._price
        self._set(rate, burst)
        self._level = min(self._full, level * self._price // old_price)

    def _refill(self, now_us: int) -> None:
        passed_us = now_us - self._at_us
        if passed_us > 0:
            self._level = min(self._full, self._level + passed_us * self._gain)
            self._at_us = now_us

    def holds_one(self, now_us: int) -> bool:
        """Say whether a call would be let through now."""
        self._refill(now_us)
        return self._level >= self._price

    def take(self) -> None:
        """Take one token; ask :meth:`holds_one` first."""
        self._level -= self._price

    def wait_us(self, now_us: int) -> int:
        """Return microseconds until a token is there."""
        self._refill(now_us)
        missing = self._price - self._level
        return 0 if missing <= 0 else -(-missing // self._gain)

    def tokens(self, now_us: int) -> Fraction:
        """Return how many tokens are in the bucket, fractions included."""
        self._refill(now_us)
        return Fraction(self._level, self._price)


@dataclass(slots=True, eq=False)
class Quota:
    """One entry of ``behaviour.yaml`` and its current, possibly squeezed, values."""

    id: str
    kind: str
    operations: tuple[str, ...]
    scope: str
    published_rate: Fraction = Fraction(1)
    published_burst: int = 1
    published_slots: int = 1
    rate: Fraction = Fraction(1)
    burst: int = 1
    slots: int = 1
    rate_text: str = ""
    buckets: dict[str, TokenBucket] = field(default_factory=dict)
    in_use: dict[str, int] = field(default_factory=dict)

    def covers(self, address: str) -> bool:
        """Say whether this quota meters an operation."""
        return "*" in self.operations or address in self.operations

    def key(self, account: str) -> str:
        """Return whose share is used."""
        return account if self.scope == "account" else "*"

    def bucket(self, account: str, now_us: int) -> TokenBucket:
        """Return the bucket of this account; new ones start full."""
        key = self.key(account)
        found = self.buckets.get(key)
        if found is None:
            found = self.buckets[key] = TokenBucket(self.rate, self.burst, now_us)
        return found

    def adjust(self, rate: Fraction, burst: int, slots: int, now_us: int) -> None:
        """Take other values at once, also for buckets already in use."""
        self.rate, self.burst, self.slots = rate, burst, slots
        self.rate_text = rate_text(rate)
        for bucket in self.buckets.values():
            bucket.change(rate, burst, now_us)


def _nothing() -> None:
    """Release nothing."""


def rate_text(rate: Fraction) -> str:
    """Return a rate as decimal text, as limit headers show it."""
    return repr(int(rate) if rate.denominator == 1 else float(rate))


def read_quota(entry: JsonObject) -> Quota:
    """Build a quota from ``behaviour.yaml``; raises ``MetadataError`` for an unknown kind."""
    kind = str(entry["kind"])
    quota = Quota(
        str(entry["id"]), kind, tuple(entry["operations"]), str(entry.get("scope", "account"))
    )
    if kind == "token_bucket":
        quota.published_rate = quota.rate = Fraction(str(entry["rate_per_second"]))
        quota.published_burst = quota.burst = int(entry["burst"])
        quota.rate_text = str(entry["rate_per_second"])
        TokenBucket(quota.rate, quota.burst, 0)
    elif kind == "concurrency":
        quota.published_slots = quota.slots = int(entry["slots"])
    else:
        msg = f"quota {quota.id!r} has the unknown kind {kind!r}."
        raise MetadataError(msg, remedy="Use token_bucket or concurrency.")
    return quota


class Quotas:
    """All quotas of one system. :meth:`admit` is the only way in."""

    def __init__(self, behaviour: JsonObject) -> None:
        """Read ``quotas``, ``throttled`` and ``limit_header``."""
        self.quotas = tuple(read_quota(entry) for entry in behaviour.get("quotas", ()))
        self._throttled: Mapping[str, Any] = behaviour.get("throttled", {})
        header = behaviour.get("limit_header") or {}
        self._header_name = str(header.get("name", "")).lower()
        self._header_statuses = tuple(str(status) for status in header.get("statuses", ("2XX",)))
        self._by_address: dict[str, tuple[Quota, ...]] = {}

    def of(self, address: str) -> tuple[Quota, ...]:
        """Return the quotas that meter an operation, in the order written."""
        found = self._by_address.get(address)
        if found is None:
            found = tuple(quota for quota in self.quotas if quota.covers(address))
            self._by_address[address] = found
        return found

    def admit(self, address: str, account: str, now_us: int) -> Callable[[], None]:
        """Use one share of every quota, or of none and raise ``Refused`` THROTTLED.

        Returns what gives concurrency slots back; call it when the service ends.
        """
        quotas = self.of(address)
        for quota in quotas:
            if quota.kind == "concurrency":
                if quota.in_use.get(quota.key(account), 0) >= quota.slots:
                    raise self.refusal(quota, SECOND_US)
            else:
                bucket = quota.bucket(account, now_us)
                if not bucket.holds_one(now_us):
                    raise self.refusal(quota, bucket.wait_us(now_us))
        held: list[tuple[Quota, str]] = []
        for quota in quotas:
            key = quota.key(account)
            if quota.kind == "concurrency":
                quota.in_use[key] = quota.in_use.get(key, 0) + 1
                held.append((quota, key))
            else:
                quota.buckets[key].take()
        if not held:
            return _nothing

        def release() -> None:
            for quota, key in held:
                quota.in_use[key] -= 1
            held.clear()

        return release

    def refusal(self, quota: Quota | None, wait_us: int) -> Refused:
        """Return the refusal of a call that came too early, with the system's own manners."""
        which = f"quota {quota.id!r}" if quota is not None else "the quota"
        return Refused(
            RefusalKind.THROTTLED,
            f"{which} is used up; a call can pass in {wait_us / SECOND_US:.3f} s",
            status=int(self._throttled.get("status", 429)),
            headers=self._retry_after(wait_us),
        )

    def _retry_after(self, wait_us: int) -> Headers:
        manner = self._throttled.get("retry_after", "none")
        if manner == "seconds":
            return (("retry-after", str(max(1, -(-wait_us // SECOND_US)))),)
        if manner == "wrong":  # too short: seen in the wild, and a client must survive it
            return (("retry-after", "0"),)
        return ()

    def limit_header(self, address: str, status: int) -> Headers:
        """Return the header that shows the current rate, where this system sends one."""
        if not self._header_name:
            return ()
        text = str(status)
        if not any(s == text or (s[1:] == "XX" and s[0] == text[0]) for s in self._header_statuses):
            return ()
        for quota in self.of(address):
            if quota.kind == "token_bucket":
                return ((self._header_name, quota.rate_text),)
        return ()

    def squeeze(
        self,
        quota_id: str,
        now_us: int,
        *,
        factor: float | None = None,
        rate: float | None = None,
        burst: int | None = None,
        slots: int | None = None,
    ) -> None:
        """Tighten (or widen) quotas; ``*`` means all. Values are relative to the published ones."""
        for quota in self._named(quota_id):
            new_rate, new_burst, new_slots = (
                quota.published_rate,
                quota.published_burst,
                quota.published_slots,
            )
            if factor is not None:
                share = Fraction(str(factor))
                new_rate = new_rate * share
                new_burst = max(1, int(new_burst * share))
                new_slots = max(1, int(new_slots * share))
            if rate is not None:
                new_rate = Fraction(str(rate))
            quota.adjust(new_rate, burst or new_burst, slots or new_slots, now_us)

    def restore(self, now_us: int) -> None:
        """Go back to the published values."""
        for quota in self.quotas:
            quota.adjust(quota.published_rate, quota.published_burst, quota.published_slots, now_us)

    def _named(self, quota_id: str) -> Iterable[Quota]:
        found = [quota for quota in self.quotas if quota_id in ("*", quota.id)]
        if not found:
            known = ", ".join(quota.id for quota in self.quotas) or "none"
            msg = f"there is no quota {quota_id!r}."
            raise MetadataError(msg, remedy=f"Known quotas: {known}.")
        return found
