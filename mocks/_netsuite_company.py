"""The company's records: items and their stock, sales orders, fulfilments and how they change.

Pure state. Every change happens here and is booked here, whether it came at once or through a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from harness.model.values import Json, JsonObject
from mocks.kit.books import AccountBooks, BookKind
from mocks.kit.simulator import RefusalKind, Refused

CURRENCIES: Mapping[str, str] = {"1": "USD", "2": "GBP", "3": "CAD", "4": "EUR", "5": "JPY"}

_QUANTITY_MAX = 1_000_000_000

# Error codes nobody has confirmed; a setting of the same name overrides each.
_CODES: Mapping[str, str] = {
    "duplicate_external_id_code": "UNIQUE_CUST_ID_REQD",
    "invalid_reference_code": "INVALID_KEY_OR_REF",
    "bad_query_code": "INVALID_PARAMETER",
}

PENDING_APPROVAL, PENDING_FULFILLMENT = "A", "B"
CANCELLED, PARTIALLY_FULFILLED, PENDING_BILLING = "C", "D", "F"
STATUS_NAMES: Mapping[str, str] = {
    PENDING_APPROVAL: "Pending Approval",
    PENDING_FULFILLMENT: "Pending Fulfillment",
    CANCELLED: "Cancelled",
    PARTIALLY_FULFILLED: "Partially Fulfilled",
    PENDING_BILLING: "Pending Billing",
}


@dataclass(slots=True)
class StockItem:
    """One item and its stock in the one warehouse."""

    item_id: str
    sku: str
    created_us: int
    modified_us: int
    on_hand: int = 0
    demand: int = 0

    @property
    def committed(self) -> int:
        """Return what open sales orders hold of the stock there is."""
        return min(self.demand, max(0, self.on_hand))

    @property
    def available(self) -> int:
        """Return what may still be sold; never below zero, the rest is back-ordered."""
        return max(0, self.on_hand - self.demand)

    @property
    def back_ordered(self) -> int:
        """Return what open sales orders want and the warehouse has not."""
        return max(0, self.demand - max(0, self.on_hand))


@dataclass(slots=True)
class OrderLine:
    """One line of a sales order; ``number`` counts from 1."""

    number: int
    item: StockItem
    quantity: int
    unit_price: str
    fulfilled: int = 0

    @property
    def open_quantity(self) -> int:
        """Return what is not shipped yet."""
        return self.quantity - self.fulfilled


@dataclass(slots=True)
class SalesOrder:
    """One sales order. ``fields`` keeps the plain members of the body as they came."""

    order_id: str
    external_id: str | None
    entity: JsonObject
    status: str
    currency: str
    lines: list[OrderLine]
    created_us: int
    modified_us: int
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> str:
        """Return the document number people read."""
        return f"SO{self.order_id}"

    @property
    def book_key(self) -> str:
        """Return the key under which the books know this order."""
        return self.external_id if self.external_id is not None else self.order_id

    @property
    def total(self) -> Decimal:
        """Return the sum of the lines."""
        return sum((Decimal(n.unit_price) * n.quantity for n in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class OrderBody:
    """A sales order as a client words it, checked against the company's records."""

    external_id: str | None
    entity: JsonObject
    status: str | None
    currency: str
    lines: tuple[tuple[StockItem, int, str], ...] | None
    fields: dict[str, Any]


class Company:
    """Everything this simulator remembers but its jobs."""

    def __init__(self, books: AccountBooks, settings: Mapping[str, Any]) -> None:
        """Open a company without records; ``settings`` are what nobody has confirmed."""
        self.books = books
        self.settings = settings
        self.items: dict[str, StockItem] = {}  # by SKU
        self.orders: dict[str, SalesOrder] = {}  # by internal id
        self.by_external: dict[str, SalesOrder] = {}
        self._fulfilments: dict[str, str] = {}  # external id to internal id
        self._last_id = 1000

    def code(self, setting: str) -> str:
        """Return the error code of this setting."""
        return str(self.settings.get(setting, _CODES[setting]))

    def _next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    # Stock

    def set_stock(self, sku: str, quantity: int, now_us: int) -> None:
        """Set what is available of a SKU; a new SKU becomes an item."""
        item = self.items.get(sku)
        if item is None:
            item = self.items[sku] = StockItem(self._next_id(), sku, now_us, now_us)
        item.on_hand = quantity + item.demand
        item.modified_us = now_us
        self.books.enter(now_us, BookKind.STOCK_SET, sku, {"quantity": quantity})

    def item_by_id(self, item_id: str) -> StockItem | None:
        """Return the item of an internal id."""
        return next((item for item in self.items.values() if item.item_id == item_id), None)

    def find_item(self, reference: Json) -> StockItem:
        """Return the item a reference names by id, external id or name; refuses when none does."""
        if isinstance(reference, Mapping):
            found = self.item_by_id(str(reference.get("id", "")))
            if found is None and self.settings.get("item_reference_by_external_id", True):
                found = self.items.get(str(reference.get("externalId", "")))
            if found is not None:
                return found
        shown = dict(reference) if isinstance(reference, Mapping) else reference
        msg = f"Invalid reference {shown} for item: there is no such item."
        raise Refused(RefusalKind.INVALID, msg, code=self.code("invalid_reference_code"))

    # Sales orders

    def read_body(self, body: Json, external_id: str | None) -> OrderBody:
        """Check a sales order against the records; refuses unknown items and currencies."""
        if not isinstance(body, Mapping):
            raise Refused(RefusalKind.INVALID, "The body must be one sales order.")
        own = body.get("externalId")
        if external_id is not None and own is not None and own != external_id:
            msg = f"externalId {own!r} differs from {external_id!r} in the path."
            raise Refused(RefusalKind.INVALID, msg)
        status = body.get("orderStatus")
        status_id = status.get("id") if isinstance(status, Mapping) else status
        if status_id not in (None, PENDING_APPROVAL, PENDING_FULFILLMENT):
            msg = f"orderStatus {status_id!r} cannot be written; A and B can."
            raise Refused(RefusalKind.INVALID, msg)
        entity = body.get("entity")
        structured = ("item", "entity", "orderStatus", "currency", "externalId", "id", "links")
        return OrderBody(
            external_id=external_id if external_id is not None else own,
            entity=entity if isinstance(entity, Mapping) else {},
            status=status_id,
            currency=self._currency(body.get("currency")),
            lines=self._lines(body["item"]) if "item" in body else None,
            fields={name: body[name] for name in sorted(body) if name not in structured},
        )

    def _currency(self, reference: Json) -> str:
        if reference is None:
            return CURRENCIES["1"]
        if isinstance(reference, Mapping):
            for name in ("id", "refName"):
                value = str(reference.get(name, ""))
                if value in CURRENCIES:
                    return CURRENCIES[value]
                if value in CURRENCIES.values():
                    return value
        msg = f"Invalid reference for currency; known ids: {', '.join(CURRENCIES)}."
        raise Refused(RefusalKind.INVALID, msg, code=self.code("invalid_reference_code"))

    def _lines(self, sublist: Json) -> tuple[tuple[StockItem, int, str], ...]:
        entries = sublist.get("items") if isinstance(sublist, Mapping) else None
        if not isinstance(entries, list) or not entries:
            raise Refused(RefusalKind.INVALID, "item.items must hold at least one line.")
        return tuple(self._line(entry) for entry in entries)

    def _line(self, entry: Json) -> tuple[StockItem, int, str]:
        if not isinstance(entry, Mapping):
            raise Refused(RefusalKind.INVALID, "A line must be an object.")
        item = self.find_item(entry.get("item"))
        if entry.get("isClosed"):
            raise Refused(RefusalKind.INVALID, "The simulator does not imitate closed lines.")
        quantity = whole(entry.get("quantity", 1), "quantity")
        try:
            if "rate" not in entry and "amount" in entry:
                rate = Decimal(str(entry["amount"])) / quantity
            else:
                rate = Decimal(str(entry.get("rate", 0)))
        except InvalidOperation as error:
            raise Refused(RefusalKind.INVALID, "rate and amount must be numbers.") from error
        if not rate.is_finite() or abs(rate) > _QUANTITY_MAX:
            msg = f"rate and amount must be numbers up to {_QUANTITY_MAX}."
            raise Refused(RefusalKind.INVALID, msg)
        return item, quantity, str(rate)

    def create(self, body: OrderBody, now_us: int, request_id: str) -> SalesOrder:
        """Create a sales order and reserve its stock; refuses an external id already taken."""
        if body.lines is None:
            raise Refused(RefusalKind.INVALID, "A sales order needs lines.")
        if body.external_id is not None and body.external_id in self.by_external:
            msg = f"This record already exists: externalId {body.external_id!r} is in use."
            raise Refused(RefusalKind.INVALID, msg, code=self.code("duplicate_external_id_code"))
        order = SalesOrder(
            self._next_id(),
            body.external_id,
            body.entity,
            body.status or str(self.settings.get("default_order_status", PENDING_APPROVAL)),
            body.currency,
            [],
            now_us,
            now_us,
            body.fields,
        )
        self.orders[order.order_id] = order
        if order.external_id is not None:
            self.by_external[order.external_id] = order
        self._set_lines(order, body.lines, now_us)
        self._book_order(BookKind.SALES_ORDER_CREATED, order, now_us, request_id)
        return order

    def update(
        self, order: SalesOrder, body: OrderBody, now_us: int, request_id: str
    ) -> SalesOrder:
        """Set an order to what ``body`` says; lines are replaced, refused once any has shipped."""
        if body.lines is not None:
            now = [(n.item, n.quantity, n.unit_price) for n in order.lines]
            if list(body.lines) != now:
                if any(n.fulfilled for n in order.lines):
                    msg = f"Lines of {order.number} cannot change: some have shipped."
                    raise Refused(RefusalKind.INVALID, msg)
                self._set_lines(order, body.lines, now_us)
        order.entity = body.entity or order.entity
        order.currency = body.currency
        order.fields.update(body.fields)
        if body.status is not None and order.status in (PENDING_APPROVAL, PENDING_FULFILLMENT):
            order.status = body.status
        order.modified_us = now_us
        self._book_order(BookKind.SALES_ORDER_UPDATED, order, now_us, request_id)
        return order

    def _set_lines(
        self, order: SalesOrder, lines: tuple[tuple[StockItem, int, str], ...], now_us: int
    ) -> None:
        for line in order.lines:
            line.item.demand -= line.open_quantity
            line.item.modified_us = now_us
        order.lines = [
            OrderLine(number, item, quantity, price)
            for number, (item, quantity, price) in enumerate(lines, start=1)
        ]
        for line in order.lines:
            line.item.demand += line.quantity
            line.item.modified_us = now_us

    def _book_order(self, kind: BookKind, order: SalesOrder, now_us: int, request_id: str) -> None:
        data = {
            "id": order.order_id,
            "currency": order.currency,
            "lines": [
                {"sku": n.item.sku, "quantity": n.quantity, "unit_price": n.unit_price}
                for n in order.lines
            ],
        }
        self.books.enter(now_us, kind, order.book_key, data, request_id=request_id)

    # Fulfilment

    def fulfil(
        self,
        order: SalesOrder,
        wanted: Mapping[int, int] | None,
        now_us: int,
        request_id: str,
        *,
        external_id: str | None = None,
    ) -> str:
        """Ship ``wanted`` (line number to quantity), or all that is left; return the new id."""
        if external_id is not None and external_id in self._fulfilments:
            msg = f"This record already exists: externalId {external_id!r} is in use."
            raise Refused(RefusalKind.INVALID, msg, code=self.code("duplicate_external_id_code"))
        if order.status not in (PENDING_FULFILLMENT, PARTIALLY_FULFILLED):
            name = STATUS_NAMES.get(order.status, order.status)
            msg = f"{order.number} is {name}: nothing can be fulfilled."
            raise Refused(RefusalKind.INVALID, msg)
        repeat = str(self.settings.get("transform_repeat", "ship_remaining"))
        if repeat == "refuse" and order.status == PARTIALLY_FULFILLED:
            raise Refused(RefusalKind.INVALID, f"{order.number} was fulfilled before.")
        by_number = {line.number: line for line in order.lines}
        plan = {n.number: n.open_quantity for n in order.lines} if wanted is None else dict(wanted)
        for number, quantity in plan.items():
            if number not in by_number or quantity > by_number[number].open_quantity:
                msg = f"Line {number} of {order.number} has not that much left to ship."
                raise Refused(RefusalKind.INVALID, msg)
        shipped = [(by_number[n], q) for n, q in plan.items() if q > 0]
        if not shipped:
            raise Refused(RefusalKind.INVALID, f"{order.number} has nothing left to ship.")
        for line, quantity in shipped:
            line.fulfilled += quantity
            line.item.demand -= quantity
            line.item.on_hand -= quantity
            line.item.modified_us = now_us
        done = all(line.open_quantity == 0 for line in order.lines)
        order.status = PENDING_BILLING if done else PARTIALLY_FULFILLED
        order.modified_us = now_us
        fulfilment_id = self._next_id()
        if external_id is not None:
            self._fulfilments[external_id] = fulfilment_id
        data = {
            "id": fulfilment_id,
            "lines": [{"sku": n.item.sku, "quantity": q} for n, q in shipped],
        }
        self.books.enter(
            now_us, BookKind.FULFILMENT_CREATED, order.book_key, data, request_id=request_id
        )
        return fulfilment_id


def whole(value: Json, name: str) -> int:
    """Return a whole number from 1 to a milliard; refuses anything else."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not 1 <= value <= _QUANTITY_MAX or value != int(value):
        msg = f"{name} must be a whole number from 1 to {_QUANTITY_MAX}."
        raise Refused(RefusalKind.INVALID, msg)
    return int(value)
