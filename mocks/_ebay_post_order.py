"""The post-order service: returns and cancellations, older than the rest and unlike it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.model.instants import from_text
from mocks import _ebay_shapes as shapes
from mocks._ebay_orders import Refund, Return
from mocks._ebay_sellers import DAY_US, Sellers
from mocks.kit.money import Money
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused

REQUESTED, ACCEPTED, DECLINED = "RETURN_REQUESTED", "RETURN_ACCEPTED", "RETURN_DECLINED"
RECEIVED, CLOSED = "ITEM_DELIVERED", "CLOSED"
_AMOUNT_END = 10**12
_DECISIONS = {"ACCEPT": ACCEPTED, "DECLINE": DECLINED}


class PostOrderService:
    """Answers what is asked about returns and cancellations."""

    def __init__(self, sellers: Sellers) -> None:
        """Work for these sellers."""
        self._sellers = sellers

    def returns(self, call: Call) -> Answer:
        """List returns by the day they were opened, newest first."""
        after = _instant(call, "creation_date_range_from")
        before = _instant(call, "creation_date_range_to")
        order_id, state = call.query.get("order_id"), call.query.get("return_state")
        oldest_us = call.now_us - self._days() * DAY_US
        rows = [
            made
            for made in self._sellers.at(call.account, call.now_us).orders.returns.values()
            if order_id in (None, made.order.order_id)
            and state in (None, made.state)
            and made.opened_us >= max(oldest_us, after or 0)
            and (before is None or made.opened_us < before)
        ]
        rows.sort(key=lambda r: (r.opened_us, r.return_id), reverse=True)
        return _page(call, rows, "members", shapes.returned, 25)

    def cancellations(self, call: Call) -> Answer:
        """List cancellations, newest first."""
        oldest_us = call.now_us - self._days() * DAY_US
        seller = self._sellers.at(call.account, call.now_us)
        rows = [made for made in seller.orders.cancellations if made.at_us >= oldest_us]
        return _page(call, rows[::-1], "cancellations", shapes.cancellation, 10)

    def _days(self) -> int:
        return int(self._sellers.limits.get("post_order_lookback_days", 548))

    def decide(self, call: Call) -> Answer:
        """Accept or decline a return that was asked for."""
        made = self._return(call)
        decision = call.body.get("decision")
        if not isinstance(decision, str) or decision not in _DECISIONS:
            msg = f"decision must be one of {', '.join(_DECISIONS)}."
            raise Refused(RefusalKind.INVALID, msg)
        _must_be(made, REQUESTED)
        made.state = _DECISIONS[decision]
        return Answer(200, {})

    def received(self, call: Call) -> Answer:
        """Take note that the goods have come back."""
        made = self._return(call)
        _must_be(made, ACCEPTED)
        made.state = RECEIVED
        return Answer(200, {})

    def refund(self, call: Call) -> Answer:
        """Refund a return; it is paid a while later, and again by whoever asks again."""
        self._sellers.check_signature(call)
        made = self._return(call)
        _must_be(made, ACCEPTED, RECEIVED, CLOSED)
        detail = call.body.get("refundDetail")
        total = detail.get("totalAmount") if isinstance(detail, dict) else None
        amount = made.estimated if total is None else _read(total, made)
        seller = self._sellers.look(call.account)

        def paid(refund: Refund) -> None:
            made.refunded = refund.amount + (made.refunded or Money(refund.amount.currency, 0))

        refund = self._sellers.refunds.ask(
            call.account,
            seller.orders,
            seller.till,
            made.order,
            amount,
            reason="BUYER_RETURN",
            asked=[made.return_id, call.body],
            now_us=call.now_us,
            then=paid,
        )
        made.state = CLOSED
        return Answer(200, {"refundStatus": self._sellers.refunds.state(refund)})

    def _return(self, call: Call) -> Return:
        wanted = call.path.get("returnId", "")
        found = self._sellers.at(call.account, call.now_us).orders.returns.get(wanted)
        if found is None:
            raise Refused(RefusalKind.NOT_FOUND, f"There is no return {wanted!r}.")
        return found


def _must_be(made: Return, *states: str) -> None:
    if made.state not in states:
        msg = f"Return {made.return_id} is {made.state}; this needs {' or '.join(states)}."
        raise Refused(RefusalKind.INVALID, msg)


def _read(total: Any, made: Return) -> Money:
    value = total.get("value") if isinstance(total, dict) else None
    currency = total.get("currency") if isinstance(total, dict) else None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    if not 0 < number < _AMOUNT_END or currency != made.estimated.currency:
        msg = f"totalAmount needs value, a number, and currency {made.estimated.currency}."
        raise Refused(RefusalKind.INVALID, msg)
    try:
        return Money.of(str(number), str(currency))
    except ValueError as error:
        raise Refused(RefusalKind.INVALID, f"The value is no amount in {currency}.") from error


def _instant(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    try:
        return None if text is None else from_text(text)
    except (ValueError, OverflowError) as error:
        msg = f"{name} must be an instant such as 2026-11-20T09:58:00.000Z."
        raise Refused(RefusalKind.INVALID, msg) from error


def _page(
    call: Call,
    rows: Sequence[Any],
    name: str,
    word: Callable[[Any], dict[str, Any]],
    usual: int,
) -> Answer:
    """Cut a page; here the first one is number 1, which no other service does."""
    size, number = int(call.query.get("limit", usual)), int(call.query.get("offset", 1))
    first = (number - 1) * size
    info = {
        "offset": number,
        "limit": size,
        "totalPages": -(-len(rows) // size),
        "totalEntries": len(rows),
    }
    shown = [word(row) for row in rows[first : first + size]]
    return Answer(200, {"total": len(rows), name: shown, "paginationOutput": info})
