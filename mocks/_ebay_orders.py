"""The orders of one seller: lines, shipments, cancellations and returns, and how they change.

Pure state. Nothing here words an answer; every effect is booked beside the request that caused it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.ports import Randomness
from mocks.kit.books import AccountBooks, BookKind
from mocks.kit.money import Money
from mocks.kit.roles import OrderDraft


class Fulfilment(StrEnum):
    """How far an order or a line has left; the values are the vendor's."""

    NOT_STARTED = "NOT_STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    FULFILLED = "FULFILLED"


def how_far(shipped: int, wanted: int) -> Fulfilment:
    """Return the state of so many units out of so many."""
    if shipped >= wanted:
        return Fulfilment.FULFILLED
    return Fulfilment.IN_PROGRESS if shipped else Fulfilment.NOT_STARTED


@dataclass(slots=True)
class Line:
    """One line of an order; ``cost`` is for all its units."""

    line_id: str
    listing_id: str
    sku: str
    title: str
    quantity: int
    cost: Money
    shipped: int = 0

    @property
    def open_quantity(self) -> int:
        """Return what has not left yet."""
        return self.quantity - self.shipped


@dataclass(frozen=True, slots=True)
class Shipment:
    """One shipment; ``items`` are (line id, quantity)."""

    shipment_id: str
    carrier: str | None
    tracking: str | None
    shipped_at: str
    items: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Refund:
    """Money on its way back to the buyer; ``paid_us`` once it has arrived."""

    refund_id: str
    amount: Money
    reason: str
    asked_us: int
    asked: str  # a fingerprint of what was asked, to recognise a repeat
    paid_us: int | None = None


@dataclass(slots=True)
class Order:
    """One order, as every version of the API sees it."""

    order_id: str
    draft: OrderDraft
    username: str
    lines: list[Line]
    created_us: int
    modified_us: int
    paid: bool
    cancelled: bool = False
    shipments: list[Shipment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """Return the currency everything in this order is in."""
        return self.draft.currency

    @property
    def total(self) -> Money:
        """Return what the buyer paid."""
        total = Money(self.currency, 0)
        for line in self.lines:
            total += line.cost
        return total

    @property
    def refunded(self) -> Money:
        """Return what has gone back to the buyer."""
        return self._sum(only_paid=True)

    @property
    def refundable(self) -> Money:
        """Return what may still be refunded, with what is on its way already taken off."""
        return self.total - self._sum(only_paid=False)

    def _sum(self, *, only_paid: bool) -> Money:
        total = Money(self.currency, 0)
        for refund in self.refunds:
            if refund.paid_us is not None or not only_paid:
                total += refund.amount
        return total

    @property
    def fulfilment(self) -> Fulfilment:
        """Return how far the whole order has left."""
        return how_far(sum(n.shipped for n in self.lines), sum(n.quantity for n in self.lines))

    @property
    def payment(self) -> str:
        """Return the state of the payment in the vendor's words."""
        if not self.paid:
            return "PENDING"
        gone = self.refunded
        if not gone.minor:
            return "PAID"
        return "FULLY_REFUNDED" if gone >= self.total else "PARTIALLY_REFUNDED"

    def line(self, line_id: str) -> Line | None:
        """Return the line of that id."""
        return next((line for line in self.lines if line.line_id == line_id), None)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A buyer's cancellation that took effect."""

    cancel_id: str
    order_id: str
    at_us: int


@dataclass(slots=True)
class Return:
    """Goods a buyer wants to send back; ``state`` is the vendor's word."""

    return_id: str
    order: Order
    line: Line
    quantity: int
    reason: str
    opened_us: int
    estimated: Money
    state: str = "RETURN_REQUESTED"
    refunded: Money | None = None


class OrderBook:
    """All orders of one seller."""

    def __init__(self, books: AccountBooks, chance: Randomness) -> None:
        """Start without orders; ids come from ``chance``."""
        self.books = books
        self._chance = chance
        self.orders: dict[str, Order] = {}
        self.cancellations: list[Cancellation] = []
        self.returns: dict[str, Return] = {}
        self._ids: set[str] = set()  # looked up only, never iterated

    def digits(self, count: int) -> str:
        """Return a number of so many digits that nobody here has yet."""
        while True:
            first = str(self._chance.randrange(1, 10))
            text = first + "".join(str(self._chance.randrange(0, 10)) for _ in range(count - 1))
            if text not in self._ids:
                self._ids.add(text)
                return text

    def place(self, draft: OrderDraft, listings: Sequence[str], now_us: int) -> Order:
        """Take an order whose lines were checked; ``listings`` names the listing of each line."""
        number = self.digits(12)
        order_id = f"{number[:2]}-{number[2:7]}-{number[7:]}"
        lines = [
            Line(
                self.digits(14),
                listing_id,
                line.sku,
                line.title,
                line.quantity,
                Money.of(line.unit_price, draft.currency).times(line.quantity),
            )
            for line, listing_id in zip(draft.lines, listings, strict=True)
        ]
        username = f"buyer-{self.digits(6)}"
        order = Order(order_id, draft, username, lines, now_us, now_us, paid=not draft.pending)
        self.orders[order_id] = order
        self.books.enter(now_us, BookKind.ORDER_PLACED, order_id, draft.to_json())
        return order

    def release(self, order: Order, now_us: int) -> None:
        """Let the checkout of an order be complete: for the seller it begins now."""
        order.paid = True
        order.created_us = order.modified_us = now_us
        self.books.enter(now_us, BookKind.ORDER_RELEASED, order.order_id)

    def cancel(self, order: Order, now_us: int) -> None:
        """Cancel an order nothing of which has left."""
        if order.cancelled or order.shipments:
            state = "cancelled" if order.cancelled else str(order.fulfilment)
            msg = f"order {order.order_id} is {state}: only an unshipped one can be cancelled"
            raise ValueError(msg)
        order.cancelled = True
        order.modified_us = now_us
        if order.paid:
            self.cancellations.append(Cancellation(self.digits(10), order.order_id, now_us))
        self.books.enter(now_us, BookKind.ORDER_CANCELLED, order.order_id)

    def ship(self, order: Order, shipment: Shipment, now_us: int, request_id: str) -> None:
        """Book a shipment that was checked; a line never has more than all its units shipped."""
        for line_id, quantity in shipment.items:
            line = order.line(line_id)
            if line is not None:
                line.shipped = min(line.quantity, line.shipped + quantity)
        order.shipments.append(shipment)
        order.modified_us = now_us
        data = {
            "package": shipment.shipment_id,
            "carrier": shipment.carrier,
            "tracking": shipment.tracking,
            "items": [{"item_id": i, "quantity": q} for i, q in shipment.items],
            "replaces": False,
        }
        self.books.enter(
            now_us, BookKind.SHIPMENT_CONFIRMED, order.order_id, data, request_id=request_id
        )

    def open_return(
        self, order: Order, line: Line, quantity: int, reason: str, now_us: int
    ) -> Return:
        """Let a buyer ask to send units of a line back."""
        already = sum(r.quantity for r in self.returns.values() if r.line is line)
        if not 1 <= quantity <= line.shipped - already:
            msg = f"{line.shipped - already} units of line {line.line_id} can come back"
            raise ValueError(msg)
        share = line.cost.split([quantity, line.quantity - quantity])[0]
        made = Return(self.digits(10), order, line, quantity, reason, now_us, share)
        self.returns[made.return_id] = made
        return made

    def delete_user(self, username: str) -> int:
        """Forget a user's name everywhere; return how many orders named it."""
        mine = [order for order in self.orders.values() if order.username == username]
        for order in mine:
            order.username = ""
        return len(mine)
