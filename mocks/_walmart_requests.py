"""Reads what a seller says about lines, checks it as a whole, and only then lets it happen.

The contract has checked shapes already; here are the things no schema can say. A call is taken or
refused as one: nothing is done for its first line when the second is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from harness.model.instants import SECOND_US, from_text
from harness.model.values import Json
from mocks._walmart_orders import (
    CANCELLED,
    CREATED,
    OPEN,
    Line,
    Order,
    Return,
    ReturnLine,
    Tracking,
)
from mocks._walmart_shop import Shipment
from mocks._walmart_till import Till
from mocks.kit.calls import RefusalKind, Refused
from mocks.kit.money import Money

_QUANTITY_DIGITS_MAX = 9
MINOR_MAX = 100_000_000_000  # more than any article costs, in cents


def invalid(explanation: str, *, code: str | None = None) -> Refused:
    """Return the refusal of a body that its contract allows and this order does not."""
    return Refused(RefusalKind.INVALID, explanation, code=code, reason="body.wrong")


def instant(text: str, name: str) -> int:
    """Read an instant or a day, which starts at midnight in UTC; raises ``Refused``."""
    whole = f"{text}T00:00:00Z" if len(text) == len("2026-11-20") else text
    try:
        return from_text(whole)
    except (ValueError, OverflowError):
        try:
            return from_text(f"{whole}Z")
        except (ValueError, OverflowError):
            msg = f"{name} must be an instant such as 2026-11-20T00:00:00Z or a day"
            raise Refused(RefusalKind.INVALID, msg, reason="parameter.wrong") from None


def _units(quantity: Json) -> int:
    text = str(quantity["amount"])
    if not (text.isascii() and text.isdecimal() and len(text) <= _QUANTITY_DIGITS_MAX):
        msg = "statusQuantity.amount must be a whole number as text"
        raise invalid(msg)
    if int(text) < 1:
        msg = "statusQuantity.amount must be at least 1"
        raise invalid(msg)
    return int(text)


def _statuses(order: Order, lines: Json) -> Iterator[tuple[Line, Json, Json]]:
    for row in lines["orderLine"]:
        line = order.line(row["lineNumber"])
        for status in row["orderLineStatuses"]["orderLineStatus"]:
            yield line, row, status


def shipments(order: Order, body: Json, *, repeat_code: str, acknowledged: bool) -> list[Shipment]:
    """Read what leaves; with ``acknowledged``, only units the seller has acknowledged may."""
    made: list[Shipment] = []
    left: dict[str, int] = {}
    for line, row, status in _statuses(order, body["orderShipment"]["orderLines"]):
        quantity = _units(status["statusQuantity"])
        if acknowledged and line.units(CREATED):
            msg = f"line {line.number} is not acknowledged yet"
            raise invalid(msg)
        if line.cancel_asked and row.get("intentToCancelOverride") is not True:
            msg = f"the buyer asked to cancel line {line.number}; intentToCancelOverride ships it"
            raise invalid(msg)
        left.setdefault(line.number, line.units(*OPEN))
        if quantity > left[line.number]:
            msg = f"line {line.number}: {quantity} units, {left[line.number]} left to ship"
            raise invalid(msg, code=repeat_code)
        left[line.number] -= quantity
        tracking = _tracking(status["trackingInfo"])
        made.append(Shipment(line, quantity, tracking, row["sellerOrderId"]))
    return made


def _tracking(info: Json) -> Tracking:
    name = info["carrierName"]
    carrier, other = name.get("carrier"), name.get("otherCarrier")
    if not (carrier or other):
        msg = "carrierName needs carrier or otherCarrier"
        raise invalid(msg)
    number = info["trackingNumber"]
    return Tracking(
        int(info["shipDateTime"]),
        carrier,
        other,
        info["methodCode"],
        number,
        info.get("trackingURL"),
    )


def cancellations(order: Order, body: Json, *, accept_repeat: bool) -> list[tuple[Line, int, str]]:
    """Read what is cancelled; with ``accept_repeat``, cancelled units may be cancelled again."""
    made: list[tuple[Line, int, str]] = []
    left: dict[str, int] = {}
    for line, _row, status in _statuses(order, body["orderCancellation"]["orderLines"]):
        quantity = _units(status["statusQuantity"])
        left.setdefault(line.number, line.units(*OPEN))
        if quantity <= left[line.number]:
            left[line.number] -= quantity
            made.append((line, quantity, status["cancellationReason"]))
        elif not (accept_repeat and quantity <= line.units(CANCELLED)):
            msg = f"line {line.number}: {quantity} units, {left[line.number]} left to cancel"
            raise invalid(msg)
    return made


def amount(value: Json) -> Money:
    """Read an amount of money; its sign does not matter, as refunds are written negative."""
    try:
        found = Money.of(str(value["amount"]), value["currency"])
    except ValueError as error:
        raise invalid(str(error)) from error
    if abs(found.minor) > MINOR_MAX:
        msg = "the amount is too large"
        raise invalid(msg)
    return Money(found.currency, abs(found.minor))


def refunds(order: Order, body: Json) -> list[tuple[Line, Money, str]]:
    """Read what is given back, by line."""
    wanted = body["orderRefund"]
    if wanted.get("purchaseOrderId", order.id) != order.id:
        msg = "orderRefund.purchaseOrderId is another order than the address names"
        raise invalid(msg)
    made: list[tuple[Line, Money, str]] = []
    for row in wanted["orderLines"]["orderLine"]:
        line = order.line(row["lineNumber"])
        for refund in row["refunds"]["refund"]:
            for one in refund["refundCharges"]["refundCharge"]:
                charge = one["charge"]
                if charge.get("chargeType") != "PRODUCT" or "chargeAmount" not in charge:
                    msg = f"line {line.number} has no such charge: its only one is PRODUCT"
                    raise invalid(msg)
                made.append((line, amount(charge["chargeAmount"]), one["refundReason"]))
    return made


def return_refunds(found: Return, body: Json) -> list[tuple[ReturnLine, int, Money]]:
    """Read which units of a return are refunded, and what that is in money.

    The last units of a line get what is left of it, should an order refund have taken a part.
    """
    if body["customerOrderId"] != found.order.customer_order_id:
        msg = "customerOrderId is not the order of this return"
        raise invalid(msg)
    made: list[tuple[ReturnLine, int, Money]] = []
    done: dict[int, int] = {}
    for wanted in body["refundLines"]:
        row = found.line(wanted["returnOrderLineNumber"])
        quantity = _whole(wanted["quantity"]["measurementValue"])
        done[row.number] = done.get(row.number, row.refunded) + quantity
        if quantity < 1 or done[row.number] > row.quantity:
            msg = f"line {row.number}: more units than are left to refund"
            raise invalid(msg)
        money = row.line.money
        left = (money.sold - money.refunded).minor
        price = row.line.unit_price.times(quantity)
        made.append((row, quantity, Money(price.currency, min(price.minor, left))))
    return made


def _whole(value: Any) -> int:
    try:
        number = int(value)
    except (ValueError, OverflowError):
        number = 0
    return number if number == value else 0


def check_refunds(till: Till, rows: Iterable[tuple[Line, Money]]) -> None:
    """Refuse refunds that together are more than is left of a line; ``rows`` are not done yet."""
    totals: dict[str, tuple[Line, Money]] = {}
    for line, part in rows:
        till.check_refund(line, part)
        before = totals.get(line.number)
        total = part if before is None else before[1] + part
        till.check_refund(line, total)
        totals[line.number] = (line, total)


def days_before(now_us: int, days: int) -> int:
    """Return the instant so many days ago."""
    return now_us - days * 86_400 * SECOND_US
