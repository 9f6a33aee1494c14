"""Quotas as the systems publish them, whom they are counted for, and what a refused call is told.

Kinds: ``token_bucket``, ``leaky_bucket``, ``cost`` (the handler says what a call costs),
``window``, ``daily`` and ``concurrency``; each counted per any combination of application,
account, region and operation.
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
from mocks.kit.buckets import Counter, Day, DayEnd, Slots, TokenBucket, Window
from mocks.kit.calls import UNMETERED, Meter, RefusalKind, Refused
from mocks.kit.quota_headers import QuotaHeaders, retry_after

__all__ = ["Caller", "Quota", "Quotas", "TokenBucket", "read_quota"]

_SCOPES = ("account", "application", "region", "operation")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls what: everything a quota may be counted for."""

    account: str
    address: str
    application: str = ""
    region: str = ""


@dataclass(slots=True, eq=False)
class Quota:
    """One entry of ``behaviour.yaml`` and its current, possibly squeezed, values.

    ``limit`` is the burst of a bucket, the calls of a window or day, or the slots.
    """

    id: str
    kind: str
    operations: tuple[str, ...]
    scope: tuple[str, ...]
    make: Callable[[Fraction, int, int], Counter]
    published_rate: Fraction
    published_limit: int
    published_text: str
    rate: Fraction
    limit: int
    rate_text: str
    cost_max: int | None = None
    throttled: Mapping[str, Any] = field(default_factory=dict)
    counters: dict[tuple[str, ...], Counter] = field(default_factory=dict)
    # What one account has instead of what all have: (rate, limit).
    own: dict[str, tuple[Fraction, int]] = field(default_factory=dict)

    def covers(self, address: str) -> bool:
        """Say whether this quota meters an operation."""
        return "*" in self.operations or address in self.operations

    def key(self, caller: Caller) -> tuple[str, ...]:
        """Return whose share is used."""
        if self.scope == ("account",):  # by far the most frequent one
            return (caller.account,)
        parts = {
            "account": caller.account,
            "application": caller.application,
            "region": caller.region,
            "operation": caller.address,
        }
        return tuple(parts[name] for name in self.scope)

    def counter(self, caller: Caller, now_us: int) -> Counter:
        """Return what counts for this caller; new ones start unused."""
        key = self.key(caller)
        found = self.counters.get(key)
        if found is None:
            rate, limit = self.own.get(caller.account, (self.rate, self.limit))
            found = self.counters[key] = self.make(rate, limit, now_us)
        return found

    def adjust(self, rate: Fraction, limit: int, now_us: int, account: str | None = None) -> None:
        """Take other values at once, for all or for one account, also where already in use."""
        if account is None:
            self.rate, self.limit = rate, limit
            published = rate == self.published_rate
            self.rate_text = self.published_text if published else rate_text(rate)
            self.own.clear()
        else:
            self.own[account] = (rate, limit)
        at = self.scope.index("account") if "account" in self.scope else None
        for key, counter in self.counters.items():
            if account is None or (at is not None and key[at] == account):
                counter.change(rate, limit, now_us)


def _nothing() -> None:
    """Release nothing."""


def rate_text(rate: Fraction) -> str:
    """Return a rate as decimal text, as limit headers show it."""
    return repr(int(rate) if rate.denominator == 1 else float(rate))


def read_quota(entry: JsonObject) -> Quota:
    """Build a quota from ``behaviour.yaml``; raises ``MetadataError`` for an unknown kind."""
    kind, name = str(entry["kind"]), str(entry["id"])
    make, rate, limit = _counting(kind, name, entry)
    scope = entry.get("scope", "account")
    named = (scope,) if isinstance(scope, str) else tuple(scope)
    if not set(named) <= set(_SCOPES):
        msg = f"quota {name!r} has the unknown scope {scope!r}."
        raise MetadataError(msg, remedy=f"Use one or several of: {', '.join(_SCOPES)}.")
    make(Fraction(str(rate)), limit, 0)  # refuse impossible values now
    return Quota(
        id=name,
        kind=kind,
        operations=tuple(entry["operations"]),
        scope=named,
        make=make,
        published_rate=Fraction(str(rate)),
        published_limit=limit,
        published_text=str(rate),
        rate=Fraction(str(rate)),
        limit=limit,
        rate_text=str(rate),
        cost_max=entry.get("cost_max"),
        throttled=entry.get("throttled") or {},
    )


def _counting(
    kind: str, name: str, entry: JsonObject
) -> tuple[Callable[[Fraction, int, int], Counter], Any, int]:
    if kind in ("token_bucket", "leaky_bucket"):
        return TokenBucket, entry["rate_per_second"], int(entry["burst"])
    if kind == "cost":
        return TokenBucket, entry["restore_per_second"], int(entry["points"])
    if kind == "concurrency":
        return lambda _rate, limit, _now: Slots(limit), 1, int(entry["slots"])
    if kind == "window":
        span_us, sliding = int(entry["seconds"]) * SECOND_US, bool(entry.get("sliding", False))
        rate = float(entry["calls"]) / float(entry["seconds"])
        return (
            lambda _rate, limit, _now: Window(limit, span_us, sliding=sliding),
            rate,
            int(entry["calls"]),
        )
    if kind == "daily":
        ends = DayEnd(str(entry.get("resets_at", "00:00")), str(entry.get("zone", "UTC")))
        calls = int(entry["calls"])
        return lambda _rate, limit, _now: Day(limit, ends), calls / 86_400, calls
    msg = f"quota {name!r} has the unknown kind {kind!r}."
    raise MetadataError(
        msg, remedy="Use token_bucket, leaky_bucket, cost, window, daily or concurrency."
    )


class Quotas:
    """All quotas of one system. :meth:`admit` is the only way in."""

    def __init__(self, behaviour: JsonObject) -> None:
        """Read ``quotas``, ``throttled``, ``limit_header`` and ``quota_headers``."""
        self.quotas = tuple(read_quota(entry) for entry in behaviour.get("quotas", ()))
        self._throttled: Mapping[str, Any] = behaviour.get("throttled", {})
        self._headers = QuotaHeaders(behaviour)
        self.shows_headers = self._headers.declared
        self._by_address: dict[str, tuple[Quota, ...]] = {}
        self._shares: dict[Caller, tuple[tuple[Quota, Counter], ...]] = {}

    def of(self, address: str) -> tuple[Quota, ...]:
        """Return the quotas that meter an operation, in the order written."""
        found = self._by_address.get(address)
        if found is None:
            found = tuple(quota for quota in self.quotas if quota.covers(address))
            self._by_address[address] = found
        return found

    def admit(self, caller: Caller, now_us: int) -> Callable[[], None]:
        """Use one share of every quota, or of none and raise ``Refused`` THROTTLED.

        Cost-based quotas take nothing yet: see :meth:`meter`. Returns what gives concurrency
        slots back; call it when the service ends.
        """
        shares = self._shares.get(caller)
        if shares is None:
            shares = self._shares[caller] = tuple(
                (quota, quota.counter(caller, now_us))
                for quota in self.of(caller.address)
                if quota.kind != "cost"
            )
        held: list[Counter] = []
        for quota, counter in shares:
            wait_us = counter.wait_us(now_us)
            if wait_us:
                raise self.refusal(quota, wait_us, now_us)
            if quota.kind == "concurrency":
                held.append(counter)
        for _, counter in shares:
            counter.take(now_us)
        if not held:
            return _nothing

        def release() -> None:
            for counter in held:
                counter.give_back(1)
            held.clear()

        return release

    def meter(self, caller: Caller, now_us: int) -> Meter:
        """Return what a handler charges the cost of its call to."""
        for quota in self.of(caller.address):
            if quota.kind == "cost":
                return _CostMeter(self, quota, quota.counter(caller, now_us), now_us)
        return UNMETERED

    def refusal(self, quota: Quota | None, wait_us: int, now_us: int) -> Refused:
        """Return the refusal of a call that came too early, with the system's own manners."""
        which = f"quota {quota.id!r}" if quota is not None else "the quota"
        manners = self._throttled if quota is None else {**self._throttled, **quota.throttled}
        return Refused(
            RefusalKind.THROTTLED,
            f"{which} is used up; a call can pass in {wait_us / SECOND_US:.3f} s",
            status=int(manners.get("status", 429)),
            headers=retry_after(str(manners.get("retry_after", "none")), wait_us, now_us),
            reason=f"quota.{quota.id}" if quota is not None else "",
        )

    def headers(self, caller: Caller, status: int, now_us: int, factor: float = 1.0) -> Headers:
        """Return the headers that show the quotas, where this system sends any.

        ``factor`` other than 1 makes them lie.
        """
        return self._headers.shown(self.of(caller.address), caller, status, now_us, factor)

    def squeeze(
        self,
        quota_id: str,
        now_us: int,
        *,
        factor: float | None = None,
        rate: float | None = None,
        burst: int | None = None,
        slots: int | None = None,
        account: str | None = None,
    ) -> None:
        """Tighten (or widen) quotas; ``*`` means all. Values are relative to the published ones.

        ``burst`` sets the limit of every kind but concurrency, ``slots`` that of concurrency.
        """
        for quota in self._named(quota_id):
            new_rate, new_limit = quota.published_rate, quota.published_limit
            if factor is not None:
                share = Fraction(str(factor))
                new_rate = new_rate * share
                new_limit = max(1, int(new_limit * share))
            if rate is not None:
                new_rate = Fraction(str(rate))
            wanted = slots if quota.kind == "concurrency" else burst
            quota.adjust(new_rate, wanted or new_limit, now_us, account)

    def restore(self, now_us: int) -> None:
        """Go back to the published values."""
        for quota in self.quotas:
            quota.adjust(quota.published_rate, quota.published_limit, now_us)

    def _named(self, quota_id: str) -> Iterable[Quota]:
        found = [quota for quota in self.quotas if quota_id in ("*", quota.id)]
        if not found:
            known = ", ".join(quota.id for quota in self.quotas) or "none"
            msg = f"there is no quota {quota_id!r}."
            raise MetadataError(msg, remedy=f"Known quotas: {known}.")
        return found


class _CostMeter:
    """The cost-based quota of one call."""

    def __init__(self, quotas: Quotas, quota: Quota, counter: Counter, now_us: int) -> None:
        self._quotas = quotas
        self._quota = quota
        self._counter = counter
        self._now_us = now_us

    def charge(self, cost: int) -> None:
        """Take ``cost`` points, or refuse: THROTTLED, or INVALID for more than any call may."""
        most = self._quota.cost_max
        if most is not None and cost > most:
            msg = f"the call costs {cost} points, more than the {most} one call may cost"
            raise Refused(RefusalKind.INVALID, msg, reason="quota.cost_max")
        wait_us = self._counter.wait_us(self._now_us, cost)
        if wait_us:
            raise self._quotas.refusal(self._quota, wait_us, self._now_us)
        self._counter.take(self._now_us, cost)

    def refund(self, cost: int) -> None:
        """Give back what was charged and not used."""
        self._counter.give_back(cost)

    def standing(self) -> tuple[int, int, float]:
        """Return (maximum, currently available, restored a second) in points."""
        now = self._counter.standing(self._now_us)
        return now.limit, now.remaining, float(self._quota.rate)
