"""The money of one seller: transactions as things happen, payouts that are their sums.

A payout is one closed statement of the kit's ledger. What a debt carried over is listed with the
payout that finally settles it, so that every payout equals its credits less its debits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mocks._ebay_orders import Order, Refund
from mocks.kit.ledger import MoneyLedger, PostingKind, SettlementRule, Statement
from mocks.kit.money import Money


@dataclass(frozen=True, slots=True)
class LineFee:
    """What one line of a sale was charged, and on what."""

    line_id: str
    basis: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement. ``net`` is signed as the seller sees it; the vendor shows it without a sign."""

    transaction_id: str
    order_id: str
    kind: str
    at_us: int
    gross: Money
    fee: Money
    net: Money
    lines: tuple[LineFee, ...] = ()
    payout_id: str | None = None


@dataclass(frozen=True, slots=True)
class Payout:
    """One transfer to the seller's bank."""

    payout_id: str
    at_us: int
    amount: Money
    transaction_ids: tuple[str, ...]


class Till:
    """Transactions and payouts of one seller."""

    def __init__(
        self, account: str, rule: SettlementRule, *, fee_share: Fraction, returns_fee: bool
    ) -> None:
        """Charge ``fee_share`` of every sale; a refund gives it back when ``returns_fee``."""
        self._ledger = MoneyLedger(account, rule)
        self._transactions: dict[str, Transaction] = {}
        self._share = fee_share
        self._returns_fee = returns_fee

    def sale(self, order: Order, now_us: int) -> None:
        """Book a paid order and its fees."""
        fees = tuple(
            LineFee(line.line_id, line.cost, line.cost.times(self._share)) for line in order.lines
        )
        fee = sum(f.fee.minor for f in fees)
        gross = order.total
        self._enter(
            Transaction(
                order.order_id,
                order.order_id,
                "SALE",
                now_us,
                gross,
                Money(order.currency, fee),
                gross - Money(order.currency, fee),
                fees,
            ),
            (PostingKind.SALE, gross),
            (PostingKind.FEE, Money(order.currency, -fee)),
        )

    def refund(self, order: Order, refund: Refund, at_us: int) -> None:
        """Book a refund that was just paid, and the share of the fees that comes back with it."""
        fee = self._fee_back(order)
        self._enter(
            Transaction(
                refund.refund_id,
                order.order_id,
                "REFUND",
                at_us,
                refund.amount,
                fee,
                fee - refund.amount,
            ),
            (PostingKind.REFUND, -refund.amount),
            (PostingKind.FEE_REFUND, fee),
        )

    def _fee_back(self, order: Order) -> Money:
        """Return fees so that all refunds of an order together never return a cent too many."""
        sale = self._transactions.get(order.order_id)
        total = order.total.minor
        if sale is None or not self._returns_fee or not total:
            return Money(order.currency, 0)
        owed = sale.fee.times(Fraction(min(order.refunded.minor, total), total))
        for made in self._transactions.values():
            if made.order_id == order.order_id and made.kind == "REFUND":
                owed -= made.fee
        return owed

    def _enter(self, made: Transaction, *postings: tuple[PostingKind, Money]) -> None:
        self._transactions[made.transaction_id] = made
        for kind, amount in postings:
            if amount.minor:
                self._ledger.post(
                    made.at_us, kind, made.order_id, amount, transaction=made.transaction_id
                )

    def payouts(self, now_us: int) -> list[Payout]:
        """Return every payout made by now, oldest first."""
        made: list[Payout] = []
        carried: dict[str, list[str]] = {}
        for statement in self._ledger.statements(now_us):
            waiting = carried.setdefault(statement.currency, [])
            waiting += [name for name in _named(statement) if name not in waiting]
            if statement.payout.minor > 0:
                made.append(
                    Payout(
                        str(1_000_000_000 + int(statement.id, 16) % 9_000_000_000),
                        statement.until_us,
                        statement.payout,
                        tuple(waiting),
                    )
                )
                carried[statement.currency] = []
        return made

    def transactions(self, now_us: int) -> list[Transaction]:
        """Return every transaction, each with its payout once there is one, oldest first."""
        paid_in = {
            name: payout.payout_id
            for payout in self.payouts(now_us)
            for name in payout.transaction_ids
        }
        rows = [
            replace(made, payout_id=paid_in.get(made.transaction_id))
            for made in self._transactions.values()
        ]
        return sorted(rows, key=lambda t: (t.at_us, t.transaction_id))

    def balances(self, now_us: int) -> list[Money]:
        """Return what is owed and not paid out, by currency, those with nothing left out."""
        names = dict.fromkeys(t.net.currency for t in self._transactions.values())
        found = (self._ledger.balance(name, now_us) for name in names)
        return [balance for balance in found if balance.minor]


def _named(statement: Statement) -> Sequence[str]:
    return list(dict.fromkeys(str(p.facts["transaction"]) for p in statement.postings))
