"""One seller's corner of the marketplace: what buyers, the seller and the marketplace do there.

Every change happens here, and is booked and told here, whichever call asked for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.instants import SECOND_US
from harness.model.ports import Randomness
from harness.model.values import JsonObject
from mocks._walmart_hooks import Herald
from mocks._walmart_orders import (
    CANCELLED,
    CREATED,
    CUSTOMER_CANCELS,
    OPEN,
    OUT_OF_STOCK,
    REFUNDED,
    SHIPPED,
    Line,
    Order,
    Portion,
    Return,
    ReturnLine,
    Tracking,
)
from mocks._walmart_stock import Assortment, Item
from mocks._walmart_till import Till, no_money
from mocks.kit.books import AccountBooks, BookKind
from mocks.kit.money import Money
from mocks.kit.roles import OrderDraft, OutOfStock

DAY_US = 86_400 * SECOND_US
_SHIP_DAYS, _DELIVERY_DAYS = 2, 5


@dataclass(frozen=True, slots=True)
class Shipment:
    """Units of one line that left with one tracking number."""

    line: Line
    quantity: int
    tracking: Tracking
    reference: str


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that was taken and is not shown yet."""

    due_us: int
    item: Item
    kind: str
    currency: str
    amount: str
    request_id: str | None


class Shop:
    """Everything this simulator remembers of one seller."""

    def __init__(
        self,
        books: AccountBooks,
        chance: Randomness,
        assortment: Assortment,
        till: Till,
        herald: Herald,
        *,
        cancel_days: int,
    ) -> None:
        """Open an empty shop; what is late by ``cancel_days`` is cancelled by the marketplace."""
        self.books = books
        self.assortment = assortment
        self.till = till
        self.herald = herald
        self.orders: dict[str, Order] = {}
        self.returns: dict[str, Return] = {}
        self._chance = chance
        self._cancel_us = cancel_days * DAY_US
        self._late: list[tuple[int, str]] = []
        self._prices: list[PriceChange] = []

    def digits(self, count: int) -> str:
        """Return a number of so many digits that does not start with zero."""
        return str(self._chance.randrange(10 ** (count - 1), 10**count))

    def new_id(self) -> str:
        """Return an id in the form of a UUID."""
        text = "".join(format(self._chance.randrange(0, 16), "x") for _ in range(32))
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def settle(self, now_us: int) -> None:
        """Do what has become due: show prices, cancel what nobody shipped."""
        while self._prices and self._prices[0].due_us <= now_us:
            self._show_price(self._prices.pop(0))
        while self._late and self._late[0][0] <= now_us:
            late_us, order_id = heapq.heappop(self._late)
            order = self.orders[order_id]
            if order.units(*OPEN):
                self._cancel_open(order, "NOT_SHIPPED_IN_TIME", late_us)
                self.herald.order(order.id, "PO_LINE_AUTOCANCELLED", late_us)

    # Buyers

    def place(self, draft: OrderDraft, now_us: int) -> Order:
        """Take an order and reserve its units; raises ``OutOfStock`` and books nothing."""
        wanted: dict[str, int] = {}
        for line in draft.lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
        for sku, quantity in wanted.items():
            item = self.assortment.get(sku)
            if item is None or item.sellable < quantity:
                raise OutOfStock(sku, quantity, None if item is None else item.sellable)
        lines = [
            Line(
                number=str(number),
                sku=n.sku,
                title=n.title,
                quantity=n.quantity,
                unit_price=Money.of(n.unit_price, draft.currency),
                changed_us=now_us,
                money=no_money(draft.currency),
                portions=[Portion(CREATED, n.quantity)],
                taken=self.assortment.find(n.sku).take(n.quantity),
            )
            for number, n in enumerate(draft.lines, start=1)
        ]
        order_id = self._new_order_id()
        order = Order(order_id, f"2{self.digits(12)}", draft, lines, 0, 0, 0, 0, released=False)
        self.orders[order_id] = order
        self.books.enter(now_us, BookKind.ORDER_PLACED, order_id, draft.to_json())
        for sku in wanted:
            if not self.assortment.find(sku).sellable:
                self.herald.sold_out(sku, self.assortment.nodes[0], now_us)
        self._date(order, now_us)
        if not draft.pending:
            self._show(order, now_us)
        return order

    def _new_order_id(self) -> str:
        while True:
            order_id = f"1{self.digits(12)}"
            if order_id not in self.orders:
                return order_id

    @staticmethod
    def _date(order: Order, now_us: int) -> None:
        order.created_us = order.updated_us = now_us
        order.ship_by_us = now_us + _SHIP_DAYS * DAY_US
        order.deliver_by_us = now_us + _DELIVERY_DAYS * DAY_US

    def _show(self, order: Order, now_us: int) -> None:
        order.released = True
        heapq.heappush(self._late, (order.ship_by_us + self._cancel_us, order.id))
        self.herald.order(order.id, "PO_CREATED", now_us)

    def release(self, order_id: str, now_us: int) -> None:
        """Let the seller see a pending order, dated now; a released one stays as it is."""
        order = self.orders[order_id]
        if not order.released and order.units(*OPEN):
            self._date(order, now_us)
            self.books.enter(now_us, BookKind.ORDER_RELEASED, order_id)
            self._show(order, now_us)

    def cancel_for_buyer(self, order_id: str, now_us: int) -> None:
        """Cancel an order nothing of which has shipped, and put its units back on offer."""
        order = self.orders[order_id]
        if order.units(*OPEN) != sum(line.quantity for line in order.lines):
            msg = f"order {order_id} is not untouched: only an unshipped order can be cancelled"
            raise ValueError(msg)
        self._cancel_open(order, CUSTOMER_CANCELS, now_us)
        if order.released:
            self.herald.order(order.id, "PO_LINE_AUTOCANCELLED", now_us)

    def ask_to_cancel(self, order_id: str, now_us: int) -> None:
        """Mark the open lines of an order: the buyer wants out, nothing is cancelled yet."""
        order = self.orders[order_id]
        for line in order.lines:
            line.cancel_asked = line.cancel_asked or line.units(*OPEN) > 0
        order.updated_us = now_us
        self.herald.order(order.id, "INTENT_TO_CANCEL", now_us)

    # The seller

    def acknowledge(self, order: Order, now_us: int) -> None:
        """Take note of an order; once it is, nothing changes any more."""
        for line in order.lines:
            units = line.units(CREATED)
            if units:
                line.move(units, (CREATED,), Portion("Acknowledged", 0), now_us)
                order.updated_us = now_us

    def ship(
        self, order: Order, shipments: Sequence[Shipment], now_us: int, request_id: str
    ) -> None:
        """Book what has left, once it was checked, and charge the buyer for it."""
        packages: dict[tuple[str, str], list[JsonObject]] = {}
        for s in shipments:
            s.line.move(
                s.quantity, tuple(reversed(OPEN)), Portion(SHIPPED, 0, None, s.tracking), now_us
            )
            item = self.assortment.find(s.line.sku)
            item.free(s.line.taken, s.quantity, sellable=False)
            self.till.ship(order, s.line, s.quantity, now_us)
            carrier = s.tracking.carrier or s.tracking.other_carrier or ""
            package = packages.setdefault((s.tracking.number, carrier), [])
            package.append({"item_id": s.line.number, "quantity": s.quantity})
        order.updated_us = now_us
        for (number, carrier), items in packages.items():
            data = {"package": number, "carrier": carrier, "tracking": number}
            self.books.enter(
                now_us,
                BookKind.SHIPMENT_CONFIRMED,
                order.id,
                {**data, "items": items, "replaces": False},
                request_id=request_id,
            )

    def cancel(
        self, order: Order, line: Line, quantity: int, reason: str, now_us: int, request_id: str
    ) -> None:
        """Cancel open units; what is not out of stock may be bought again.

        The books know cancelled orders, not lines: the entry comes with the last unit.
        """
        line.move(quantity, OPEN, Portion(CANCELLED, 0, reason), now_us)
        item = self.assortment.find(line.sku)
        item.free(line.taken, quantity, sellable=reason != OUT_OF_STOCK)
        order.updated_us = now_us
        self._book_cancelled(order, now_us, request_id)

    def _cancel_open(self, order: Order, reason: str, now_us: int) -> None:
        for line in order.lines:
            units = line.units(*OPEN)
            if units:
                line.move(units, OPEN, Portion(CANCELLED, 0, reason), now_us)
                self.assortment.find(line.sku).free(line.taken, units, sellable=True)
        order.updated_us = now_us
        self._book_cancelled(order, now_us, None)

    def _book_cancelled(self, order: Order, now_us: int, request_id: str | None) -> None:
        if order.units(CANCELLED) == sum(line.quantity for line in order.lines):
            self.books.enter(now_us, BookKind.ORDER_CANCELLED, order.id, request_id=request_id)

    def refund(self, order: Order, line: Line, amount: Money, reason: str, now_us: int) -> None:
        """Give money back; so many whole units as it pays for count as refunded."""
        self.till.check_refund(line, amount)
        self.till.refund(order, line, amount, reason, now_us)
        gone = line.units(SHIPPED, REFUNDED)
        due = gone * line.money.refunded.minor // line.money.sold.minor - line.units(REFUNDED)
        if due > 0:
            line.move(due, (SHIPPED,), Portion(REFUNDED, 0), now_us)
        order.updated_us = now_us

    # Returns

    def open_return(
        self, order_id: str, lines: Sequence[tuple[str, int]], reason: str, now_us: int
    ) -> Return:
        """Let a buyer send back shipped units; raises ``ValueError`` for others."""
        order = self.orders[order_id]
        made: list[ReturnLine] = []
        for number, (line_number, quantity) in enumerate(lines, start=1):
            line = order.line(line_number)
            back = sum(
                r.quantity for one in self.returns.values() for r in one.lines if r.line is line
            ) + sum(r.quantity for r in made if r.line is line)
            if not 0 < quantity <= line.units(SHIPPED, REFUNDED) - back:
                msg = f"line {line_number} of order {order_id} has not {quantity} units to return"
                raise ValueError(msg)
            made.append(ReturnLine(number, line, quantity))
        return_id = f"1{self.digits(15)}"
        found = Return(return_id, order, reason, made, now_us, f"1Z{self.digits(16)}")
        self.returns[return_id] = found
        self.herald.returned(return_id, now_us)
        return found

    def receive_return(self, return_id: str, now_us: int) -> None:
        """Let the parcel arrive at the seller."""
        found = self.returns[return_id]
        if found.status == "INITIATED":
            found.status = "DELIVERED"
            self.herald.returned(return_id, now_us)

    def refund_return(
        self, found: Return, amounts: Sequence[tuple[ReturnLine, int, Money]], now_us: int
    ) -> None:
        """Refund units of a return, once it was checked; the last one completes it."""
        for row, quantity, amount in amounts:
            if amount.minor:  # an order refund may have paid for these units before
                self.refund(found.order, row.line, amount, found.reason, now_us)
            row.refunded += quantity
        if all(row.refunded == row.quantity for row in found.lines):
            found.status = "COMPLETED"
        self.herald.returned(found.id, now_us)

    # Stock and prices

    def publish_quantity(
        self, sku: str, node: str, quantity: int, now_us: int, request_id: str | None
    ) -> Item:
        """State what a node holds, as an absolute number."""
        item = self.assortment.to_change(sku)
        sold_out = self.assortment.set_quantity(item, self.assortment.check_node(node), quantity)
        if request_id is not None:
            data = {"quantity": item.sellable, "node": node}
            self.books.enter(now_us, BookKind.QUANTITY_PUBLISHED, sku, data, request_id=request_id)
        if sold_out:
            self.herald.sold_out(sku, node, now_us)
        return item

    def publish_price(self, change: PriceChange, now_us: int) -> None:
        """Take a price; it shows when its time has come."""
        self._prices.append(change)
        self._prices.sort(key=lambda c: c.due_us)  # stable: equal times keep their order
        self.settle(now_us)

    def _show_price(self, change: PriceChange) -> None:
        change.item.prices[change.kind] = (change.currency, change.amount)
        data = {"amount": change.amount, "currency": change.currency, "type": change.kind}
        self.books.enter(
            change.due_us,
            BookKind.PRICE_PUBLISHED,
            change.item.sku,
            data,
            request_id=change.request_id,
        )
