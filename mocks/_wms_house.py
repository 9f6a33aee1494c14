"""One client's part of the warehouse: stock, orders, inbound goods, references and subscriptions.

What it does is entered into the books here, beside the request that caused it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.model.values import Json, JsonObject
from mocks._wms_inbound import Inbound
from mocks._wms_orders import Order, Orders, Shipment
from mocks._wms_refusals import Problem, unprocessable
from mocks._wms_stock import Shelf, Stock
from mocks.kit.books import AccountBooks, BookKind
from mocks.kit.events import Subscription
from mocks.kit.visibility import ListView


class House:
    """Everything the warehouse remembers of one client."""

    def __init__(
        self,
        books: AccountBooks,
        settings: Mapping[str, Any],
        shelves_shown: Mapping[str, ListView[Shelf]],
        orders_shown: Mapping[str, ListView[Order]],
    ) -> None:
        """Open empty shelves at the locations of the settings.

        ``shelves_shown`` and ``orders_shown`` are what lists show, by version of the interface.
        """
        self.stock = Stock(tuple(str(name) for name in settings.get("locations", ("MAIN",))))
        self.orders = Orders(self.stock, settings)
        self.inbound = Inbound(self.stock, self.orders, settings)
        self.shelves_shown = shelves_shown
        self.orders_shown = orders_shown
        self.subscriptions: dict[str, Subscription] = {}
        self._books = books
        self._references: set[tuple[str, str]] = set()  # looked up only, never iterated

    def check_reference(self, operation: str, reference: str) -> None:
        """Refuse with 422 a reference that an operation was called with before."""
        if (operation, reference) in self._references:
            msg = f"The reference_id {reference!r} was used before."
            raise unprocessable(Problem.DUPLICATE_REFERENCE, msg)

    def use_reference(self, operation: str, reference: str) -> None:
        """Remember a reference whose request has been carried out."""
        self._references.add((operation, reference))

    def take_changed(self, now_us: int) -> list[Shelf]:
        """Return the shelves changed since this was last asked; lists get to know what changed."""
        changed = self.stock.take_changed()
        for shelf in changed:
            for view in self.shelves_shown.values():
                view.note(f"{shelf.sku}@{shelf.location}", replace(shelf), now_us)
        for order in self.orders.take_changed():
            as_now = replace(order, lines=[replace(line) for line in order.lines])
            for orders in self.orders_shown.values():
                orders.note(order.id, as_now, now_us)
        return changed

    # Books

    def book_stock(self, sku: str, now_us: int, request_id: str | None, **facts: Json) -> None:
        """Book what may be promised of a SKU after goods were counted in or out."""
        data = {"quantity": self.stock.available(sku) or 0, **facts}
        self._books.enter(now_us, BookKind.STOCK_SET, sku, data, request_id=request_id)

    def book_order(self, kind: BookKind, order: Order, now_us: int, request_id: str) -> None:
        """Book an order as it is now, without what was cancelled; the key is its reference."""
        data: JsonObject = {
            "id": order.id,
            "state": order.state,
            "lines": [
                {"sku": line.sku, "quantity": line.quantity - line.cancelled}
                for line in order.lines
            ],
        }
        self._books.enter(now_us, kind, order.reference, data, request_id=request_id)

    def book_shipment(self, shipment: Shipment, now_us: int, request_id: str) -> None:
        """Book a parcel under the reference of its order."""
        data: JsonObject = {
            "id": shipment.id,
            "lines": [{"sku": line.sku, "quantity": units} for line, units in shipment.lines],
        }
        kind = BookKind.FULFILMENT_CREATED
        self._books.enter(now_us, kind, shipment.order.reference, data, request_id=request_id)
