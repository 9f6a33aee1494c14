"""Refunds: asked for now, paid later, and paid again by whoever asks again.

There is no idempotency key; what a repeat does is the setting ``refund_repeat``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.model.values import fingerprint
from mocks._ebay_inventory import read_amount
from mocks._ebay_money import Till
from mocks._ebay_orders import Order, OrderBook, Refund
from mocks.kit.jobs import Job, JobDesk
from mocks.kit.money import Money
from mocks.kit.simulator import RefusalKind, Refused


class Refunds:
    """The refunds of every seller on their way."""

    def __init__(self, desk: JobDesk, *, on_repeat: str) -> None:
        """Pay through ``desk``; ``on_repeat`` is ``accept`` or ``refuse``."""
        self._desk = desk
        self._on_repeat = on_repeat

    def settle(self, now_us: int) -> None:
        """Pay everything whose time has come."""
        self._desk.settle(now_us)

    def state(self, refund: Refund) -> str:
        """Return the vendor's word for where a refund is."""
        return "PENDING" if refund.paid_us is None else "REFUNDED"

    def ask(
        self,
        account: str,
        book: OrderBook,
        till: Till,
        order: Order,
        amount: Money,
        *,
        reason: str,
        asked: Any,
        now_us: int,
        then: Callable[[Refund], None] | None = None,
    ) -> Refund:
        """Take a refund; ``asked`` is what was asked for, word by word, to recognise a repeat."""
        mark = fingerprint("refund", asked)
        if self._on_repeat == "refuse" and any(r.asked == mark for r in order.refunds):
            msg = f"The same refund of order {order.order_id} was asked for before."
            raise Refused(RefusalKind.INVALID, msg)
        if amount.minor <= 0:
            raise Refused(RefusalKind.INVALID, "A refund must be more than nothing.")
        if amount > order.refundable:
            left = order.refundable
            msg = f"Order {order.order_id} has {left.text()} {left.currency} left to refund."
            raise Refused(RefusalKind.INVALID, msg)
        refund = Refund(book.digits(10), amount, reason, now_us, mark)
        order.refunds.append(refund)
        order.modified_us = now_us

        def pay(_job: Job, at_us: int) -> None:
            refund.paid_us = at_us
            order.modified_us = max(order.modified_us, at_us)
            till.refund(order, refund, at_us)
            if then is not None:
                then(refund)

        self._desk.start(account, pay, now_us, job_id=f"{account}/{refund.refund_id}")
        return refund


def refund_amount(order: Order, body: Mapping[str, Any]) -> Money:
    """Return what a body of issueRefund adds up to; refuses what cannot be for this order."""
    if "orderLevelRefundAmount" in body:
        return _in_currency(order, read_amount(body["orderLevelRefundAmount"]))
    total = Money(order.currency, 0)
    asked: dict[str, Money] = {}
    for entry in body["refundItems"]:
        line_id = str(entry.get("lineItemId", ""))
        line = order.line(line_id)
        if line is None:
            msg = f"Order {order.order_id} has no line {line_id!r}."
            raise Refused(RefusalKind.INVALID, msg)
        amount = _in_currency(order, read_amount(entry["refundAmount"]))
        asked[line_id] = asked.get(line_id, Money(order.currency, 0)) + amount
        if asked[line_id] > line.cost:
            msg = f"Line {line_id} cost {line.cost.text()} {line.cost.currency}."
            raise Refused(RefusalKind.INVALID, msg)
        total += amount
    return total


def _in_currency(order: Order, amount: Money) -> Money:
    if amount.currency != order.currency:
        msg = f"Order {order.order_id} is in {order.currency}, not in {amount.currency}."
        raise Refused(RefusalKind.INVALID, msg)
    return amount
