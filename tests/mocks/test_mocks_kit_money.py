"""Proves that money adds up to the last minor unit, whatever the currency, share or period."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.errors import MetadataError
from harness.model.instants import from_text, to_text
from harness.simulation.streams import SeededStreams
from mocks.kit.ledger import MoneyLedger, PostingKind, settlement_rule
from mocks.kit.money import Money, Tax, rounded
from mocks.kit.realistic import GOODS, Buyers, Shares, components_of, price_in

WIDE = settings(max_examples=60, derandomize=True, deadline=None, database=None)
START = from_text("2026-03-02T10:00:00Z")  # a Monday
DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10", "USD", 1000),
        ("10.00", "USD", 1000),
        ("-0.01", "EUR", -1),
        ("1000", "JPY", 1000),
        ("0.5", "KWD", 500),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(text: str, currency: str, minor: int) -> None:
    money = Money.of(text, currency)
    assert money.minor == minor
    assert Money.of(money.text(), currency) == money
    digits = len(money.text().partition(".")[2])
    assert digits == {"JPY": 0, "KWD": 3}.get(currency, 2)


@pytest.mark.parametrize("text", ["0.5", "1.001", "x", "NaN", "Infinity", "1e400000000"])
def test_what_a_currency_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no amount|more digits"):
        Money.of(text, "JPY")


def test_currencies_never_mix() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        Money("USD", 1) + Money("EUR", 1)


@pytest.mark.parametrize(
    ("value", "half_up", "half_even", "down"),
    [(5, 3, 2, 2), (7, 4, 4, 3), (-5, -3, -2, -2), (4, 2, 2, 2), (-1, -1, 0, 0)],
)
def test_halves_are_rounded_as_told(value: int, half_up: int, half_even: int, down: int) -> None:
    half = Fraction(value, 2)
    modes = ("half_up", "half_even", "down")
    assert [rounded(half, mode) for mode in modes] == [half_up, half_even, down]


@given(minor=st.integers(-(10**9), 10**9), weights=st.lists(st.integers(0, 99), min_size=1))
@WIDE
def test_parts_always_add_up_to_the_whole(minor: int, weights: list[int]) -> None:
    if not any(weights):
        with pytest.raises(ValueError, match="weights"):
            Money("USD", minor).split(weights)
        return
    parts = Money("USD", minor).split(weights)
    assert sum(part.minor for part in parts) == minor
    exact = [Fraction(minor * weight, sum(weights)) for weight in weights]
    assert all(abs(p.minor - e) < 1 for p, e in zip(parts, exact, strict=True))


@given(minor=st.integers(0, 10**9), percent=st.integers(0, 40), included=st.booleans())
@WIDE
def test_net_and_tax_are_the_gross(minor: int, percent: int, included: bool) -> None:
    tax = Tax(Fraction(percent, 100), included=included)
    taken = tax.apply(Money("EUR", minor))
    assert taken.net + taken.tax == taken.gross
    assert (taken.gross if included else taken.net).minor == minor


def ledger(**rules: Any) -> MoneyLedger:
    return MoneyLedger("seller", settlement_rule({"settlement": {"every": "week", **rules}}))


@pytest.mark.parametrize(
    ("rules", "now", "closes"),
    [
        ({"every": "day"}, "2026-03-02T10:00:00Z", "2026-03-03T00:00:00.000Z"),
        ({"every": "week"}, "2026-03-02T10:00:00Z", "2026-03-09T00:00:00.000Z"),
        ({"every": "week"}, "2026-03-02T00:00:00Z", "2026-03-09T00:00:00.000Z"),
        ({"every": "month", "zone": "Europe/Berlin"}, START, "2026-03-31T22:00:00.000Z"),
        ({"every": "day", "zone": "America/New_York", "closes_at": "17:00"}, START, None),
    ],
)
def test_periods_close_by_the_wall_clock_of_their_zone(
    rules: dict[str, Any], now: Any, closes: str | None
) -> None:
    rule = settlement_rule({"settlement": rules})
    at_us = now if isinstance(now, int) else from_text(now)
    assert to_text(rule.close_after_us(at_us)) == (closes or "2026-03-02T22:00:00.000Z")


@pytest.mark.parametrize(
    "rules",
    [{}, {"every": "hour"}, {"every": "day", "zone": "X/Y"}, {"every": "day", "rounding": "up"}],
)
def test_a_settlement_that_cannot_be_is_told(rules: dict[str, Any]) -> None:
    with pytest.raises(MetadataError):
        settlement_rule({"settlement": rules})


def test_a_statement_holds_its_period_only_and_pays_out_what_is_owed() -> None:
    book = ledger()
    book.post(START, PostingKind.SALE, "O1", Money("USD", 10_000), line="1")
    book.post(START, PostingKind.FEE, "O1", Money("USD", -1_500))
    book.post(START + 7 * DAY, PostingKind.REFUND, "O1", Money("USD", -4_000))
    first, second = book.statements(START + 14 * DAY)
    assert [p.kind for p in first.postings] == [PostingKind.SALE, PostingKind.FEE]
    assert (first.payout.text(), first.closing.minor) == ("85.00", 0)
    assert (second.payout.minor, second.closing.text()) == (0, "-40.00")  # a debt is carried on
    assert second.from_us == first.until_us
    assert first.sums()[PostingKind.FEE] == Money("USD", -1_500)
    assert book.statements(START + 14 * DAY) == [first, second]
    with pytest.raises(ValueError, match="closed"):
        book.post(START, PostingKind.ADJUSTMENT, "O1", Money("USD", 1))


def test_a_reserve_is_held_and_released_and_a_small_balance_waits() -> None:
    book = ledger(reserve={"share": 0.1, "days": 7}, minimum_minor=1_000)
    book.post(START, PostingKind.SALE, "O1", Money("USD", 10_005))
    book.post(START, PostingKind.SALE, "O2", Money("JPY", 999))
    usd = [s for s in book.statements(START + 21 * DAY) if s.currency == "USD"]
    assert [s.payout.text() for s in usd] == ["90.04", "10.01", "0.00"]
    jpy = [s for s in book.statements(START + 21 * DAY) if s.currency == "JPY"]
    assert [s.payout.minor for s in jpy] == [0, 0, 0]
    assert book.balance("JPY", START + 21 * DAY).minor == 999


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 40 * DAY),
            st.sampled_from(list(PostingKind)),
            st.sampled_from(["USD", "JPY", "KWD"]),
            st.integers(-(10**6), 10**6),
        ),
        max_size=30,
    ),
    reserve=st.sampled_from([0, 0.1, 0.33]),
)
@WIDE
def test_statements_always_reconcile_with_what_was_posted(rows: Any, reserve: float) -> None:
    book = ledger(every="week", reserve={"share": reserve, "days": 5}, minimum_minor=500)
    for after_us, kind, currency, minor in rows:
        book.post(START + after_us, kind, "R", Money(currency, minor))
    end_us = START + 70 * DAY
    statements = book.statements(end_us)
    assert all(s.difference.minor == 0 for s in statements)
    for currency in ("USD", "JPY", "KWD"):
        posted = sum(p.amount.minor for p in book.postings if p.amount.currency == currency)
        paid = sum(s.payout.minor for s in statements if s.currency == currency)
        assert paid + book.balance(currency, end_us).minor == posted


def test_a_statement_somebody_changed_does_not_add_up() -> None:
    book = ledger()
    book.post(START, PostingKind.SALE, "O1", Money("USD", 100))
    (statement,) = book.statements(START + 7 * DAY)
    assert replace(statement, payout=Money("USD", 99)).difference == Money("USD", 1)


def test_drawn_orders_have_every_peculiarity_and_repeat_with_the_seed() -> None:
    def orders(seed: int, shares: Shares) -> list[Any]:
        buyers = Buyers(SeededStreams(seed).stream("buyers"), shares=shares)
        return [buyers.draft() for _ in range(400)]

    mixed = Shares(same_sku_twice=0.2, currencies={"USD": 3, "JPY": 1, "KWD": 1})
    drawn = orders(1, mixed)
    assert drawn == orders(1, mixed)
    assert drawn != orders(2, mixed)
    assert any(not d.buyer_name.isascii() for d in drawn)
    assert any(d.gift for d in drawn)
    assert any(d.business for d in drawn)
    assert any(d.pending for d in drawn)
    assert any(d.buyer_name == "" and d.email is None for d in drawn)
    assert any(len({n.sku for n in d.lines}) < len(d.lines) for d in drawn)
    assert any(len(d.lines) > 2 for d in drawn)
    assert {d.currency for d in drawn} == {"USD", "JPY", "KWD"}
    for draft in drawn:
        for line in draft.lines:
            Money.of(line.unit_price, draft.currency)
    none = Shares(0, 0, 0, 0, 0, 0)
    plain = orders(1, none)
    assert all(len(d.lines) == 1 and d.buyer_name and d.email for d in plain)
    assert not any(d.gift or d.business or d.pending for d in plain)


def test_prices_follow_their_currency_and_bundles_are_picked_from_their_parts() -> None:
    assert [price_in(c, GOODS[0]).text() for c in ("USD", "JPY", "KWD")] == [
        "14.99",
        "2248",
        "4.497",
    ]
    assert components_of("TEA-SET") == (("KETTLE-15", 1), ("MUG-BLUE", 2))
    assert components_of("MUG-BLUE") == (("MUG-BLUE", 1),)
