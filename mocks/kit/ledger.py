"""The money ledger of one account: every posting, closed into statements that add up.

A vendor's settlement, payout or reconciliation file is one statement in that vendor's words. A
statement always satisfies ``opening + postings == payout + closing``, per currency and to the
last minor unit, because all four come from the same integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harness.model.errors import MetadataError
from harness.model.instants import SECOND_US, from_datetime, to_datetime
from harness.model.values import JsonObject, fingerprint
from mocks.kit.money import ROUNDINGS, Money

DAY_US = 86_400 * SECOND_US
_EVERY = ("day", "week", "two_weeks", "month")
_FIRST_MONDAY = date(1970, 1, 5)


class PostingKind(StrEnum):
    """What a posting is; amounts are signed as the seller sees them."""

    SALE = "sale"
    TAX = "tax"
    SHIPPING = "shipping"
    FEE = "fee"
    REFUND = "refund"
    TAX_REFUND = "tax_refund"
    FEE_REFUND = "fee_refund"
    RESERVE_HELD = "reserve_held"
    RESERVE_RELEASED = "reserve_released"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement. ``reference`` is the order, return or shipment; ``line`` one of its lines."""

    sequence: int
    at_us: int
    kind: PostingKind
    reference: str
    amount: Money
    line: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """One closed period of one currency; the end is excluded."""

    id: str
    account: str
    currency: str
    from_us: int
    until_us: int
    opening: Money
    postings: tuple[Posting, ...]
    payout: Money
    closing: Money

    @property
    def difference(self) -> Money:
        """Return what does not add up; zero unless somebody tampered with the statement."""
        total = self.opening
        for posting in self.postings:
            total += posting.amount
        return total - self.payout - self.closing

    def sums(self) -> dict[PostingKind, Money]:
        """Return the total of each kind that occurs, in order of first occurrence."""
        totals: dict[PostingKind, Money] = {}
        for posting in self.postings:
            zero = Money(self.currency, 0)
            totals[posting.kind] = totals.get(posting.kind, zero) + posting.amount
        return totals


@dataclass(frozen=True, slots=True)
class SettlementRule:
    """When periods close and what is held back; ``settlement`` of ``behaviour.yaml``."""

    every: str
    zone: ZoneInfo
    closes_at: time
    reserve_share: Fraction = Fraction(0)
    reserve_days: int = 0
    minimum: int = 0  # in minor units: a smaller balance waits for the next period
    rounding: str = "half_up"

    def close_after_us(self, at_us: int) -> int:
        """Return the first closing after an instant, by the wall clock of the zone."""
        day = to_datetime(at_us).astimezone(self.zone).date() - timedelta(days=1)
        while True:
            closes_us = from_datetime(datetime.combine(day, self.closes_at, tzinfo=self.zone))
            if closes_us > at_us and self._closes_on(day):
                return closes_us
            day += timedelta(days=1)

    def _closes_on(self, day: date) -> bool:
        if self.every == "month":
            return day.day == 1
        step = {"day": 1, "week": 7, "two_weeks": 14}[self.every]
        return (day - _FIRST_MONDAY).days % step == 0


def settlement_rule(behaviour: JsonObject) -> SettlementRule:
    """Read ``settlement``; raises ``MetadataError`` where it is missing or cannot be."""
    rules: Mapping[str, Any] = behaviour.get("settlement") or {}
    reserve = rules.get("reserve") or {}
    every, rounding = rules.get("every"), str(rules.get("rounding", "half_up"))
    try:
        zone = ZoneInfo(str(rules.get("zone", "UTC")))
        closes_at = time.fromisoformat(str(rules.get("closes_at", "00:00")))
    except (ValueError, ZoneInfoNotFoundError) as error:
        msg = f"periods cannot close at {rules.get('closes_at')!r} in {rules.get('zone')!r}."
        raise MetadataError(msg, remedy="Give HH:MM and a zone of the tz database.") from error
    if every not in _EVERY or rounding not in ROUNDINGS:
        msg = f"settlement says every {every!r}, rounding {rounding!r}."
        remedy = f"every: {', '.join(_EVERY)}; rounding: {', '.join(ROUNDINGS)}."
        raise MetadataError(msg, remedy=remedy)
    return SettlementRule(
        every=str(every),
        zone=zone,
        closes_at=closes_at,
        reserve_share=Fraction(str(reserve.get("share", 0))),
        reserve_days=int(reserve.get("days", 0)),
        minimum=int(rules.get("minimum_minor", 0)),
        rounding=rounding,
    )


class MoneyLedger:
    """All money of one account. Post what happens, in any currency; ask for closed statements."""

    def __init__(self, account: str, rule: SettlementRule) -> None:
        """Start with nothing owed."""
        self.account = account
        self.rule = rule
        self.postings: list[Posting] = []
        self._statements: list[Statement] = []
        self._closed_until: dict[str, int] = {}
        self._closing: dict[str, Money] = {}

    def post(
        self,
        at_us: int,
        kind: PostingKind,
        reference: str,
        amount: Money,
        *,
        line: str = "",
        **facts: Any,
    ) -> Posting:
        """Enter one movement; a sale's reserve is held now and released when its days are over.

        Raises ``ValueError`` for an instant in a period that is closed already.
        """
        if at_us < self._closed_until.get(amount.currency, 0):
            msg = f"the {amount.currency} period of this posting is closed"
            raise ValueError(msg)
        made = self._enter(at_us, kind, reference, amount, line, facts)
        if kind is PostingKind.SALE and self.rule.reserve_share:
            held = amount.times(self.rule.reserve_share, self.rule.rounding)
            freed_us = at_us + self.rule.reserve_days * DAY_US
            self._enter(at_us, PostingKind.RESERVE_HELD, reference, -held, line, {})
            self._enter(freed_us, PostingKind.RESERVE_RELEASED, reference, held, line, {})
        return made

    def _enter(
        self,
        at_us: int,
        kind: PostingKind,
        reference: str,
        amount: Money,
        line: str,
        facts: Mapping[str, Any],
    ) -> Posting:
        posting = Posting(len(self.postings), at_us, kind, reference, amount, line, facts)
        self.postings.append(posting)
        return posting

    def balance(self, currency: str, now_us: int) -> Money:
        """Return what is owed and not paid out, everything up to ``now_us`` counted."""
        self.statements(now_us)
        total = self._closing.get(currency, Money(currency, 0))
        since_us = self._closed_until.get(currency, 0)
        for posting in self.postings:
            if posting.amount.currency == currency and since_us <= posting.at_us <= now_us:
                total += posting.amount
        return total

    def statements(self, now_us: int) -> list[Statement]:
        """Return every statement closed by now, in order of closing; periods without a row too."""
        for currency in dict.fromkeys(p.amount.currency for p in self.postings):
            first_us = min(p.at_us for p in self.postings if p.amount.currency == currency)
            from_us = self._closed_until.get(currency, first_us)
            until_us = self.rule.close_after_us(from_us)
            while until_us <= now_us:
                self._close(currency, from_us, until_us)
                from_us, until_us = until_us, self.rule.close_after_us(until_us)
        self._statements.sort(key=lambda s: (s.until_us, s.currency))
        return list(self._statements)

    def _close(self, currency: str, from_us: int, until_us: int) -> None:
        opening = self._closing.get(currency, Money(currency, 0))
        rows = tuple(
            sorted(
                (
                    p
                    for p in self.postings
                    if p.amount.currency == currency and from_us <= p.at_us < until_us
                ),
                key=lambda p: (p.at_us, p.sequence),
            )
        )
        balance = opening
        for row in rows:
            balance += row.amount
        nothing = Money(currency, 0)
        # A debt is carried on, never collected; so is what is too little to be worth a transfer.
        pays = balance.minor > 0 and balance.minor >= self.rule.minimum
        payout = balance if pays else nothing
        closing = nothing if pays else balance
        name = fingerprint("statement", self.account, currency, until_us)
        self._statements.append(
            Statement(
                name, self.account, currency, from_us, until_us, opening, rows, payout, closing
            )
        )
        self._closing[currency] = closing
        self._closed_until[currency] = until_us
