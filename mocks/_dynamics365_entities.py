"""Sales orders and stock as data entities of Finance and Operations show them.

A tenant has one legal entity beside its Business Central company; both look at one shelf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from harness.model.values import JsonObject
from mocks import _dynamics365_reading as reading
from mocks._dynamics365_company import Company
from mocks._dynamics365_records import Item, Record
from mocks.kit.books import BookKind
from mocks.kit.simulator import Call, RefusalKind, Refused

_HEADER_FIELDS = (
    "OrderingCustomerAccountNumber",
    "CustomersOrderReference",
    "RequestedShippingDate",
)


def no_entity(message: str) -> Refused:
    """Return the refusal of a record that does not exist."""
    return Refused(RefusalKind.NOT_FOUND, message, code="NotFound")


def bad_entity(message: str) -> Refused:
    """Return the refusal of a write that breaks a rule."""
    return reading.invalid(message, "BadRequest")


@dataclass(slots=True, kw_only=True)
class OrderLine(Record):
    """One order line; its lot id is its key."""

    lot: str
    item: Item
    quantity: Decimal
    price: Decimal
    warehouse: str


@dataclass(slots=True, kw_only=True)
class OrderHeader(Record):
    """One sales order of the legal entity."""

    number: str
    currency: str
    fields: dict[str, str] = field(default_factory=dict)
    lines: list[OrderLine] = field(default_factory=list)

    @property
    def book_key(self) -> str:
        """Return the key under which the books know this order."""
        return self.fields.get("CustomersOrderReference") or self.number


class LegalEntity:
    """The sales orders of one legal entity."""

    def __init__(self, company: Company, name: str, warehouse: str) -> None:
        """Share the shelf, the ids and the books of ``company``."""
        self.company = company
        self.name = name
        self.warehouse = warehouse
        self.headers: dict[str, OrderHeader] = {}  # by number

    def check_area(self, body: JsonObject) -> None:
        """Refuse a legal entity the tenant has not."""
        area = body.get("dataAreaId", self.name)
        if str(area).lower() != self.name:
            msg = f"There is no legal entity {area!r}."
            raise bad_entity(msg)

    def find(self, area: str, number: str) -> OrderHeader:
        """Return an order by its whole key."""
        found = self.headers.get(number) if area.lower() == self.name else None
        if found is None:
            msg = f"There is no sales order {number!r} in {area!r}."
            raise no_entity(msg)
        return found

    def create(self, body: JsonObject, call: Call) -> OrderHeader:
        """Create an order; only a number the client gives itself keeps it from being doubled."""
        self.check_area(body)
        number = body.get("SalesOrderNumber")
        if number in self.headers:
            msg = f"The sales order {number} already exists."
            raise bad_entity(msg)
        currency = self.company.currency(body.get("CurrencyCode"))
        header = OrderHeader(
            **self.company.key(call.now_us),
            number=str(number or self.company.next_number("FO")),
            currency=currency,
            fields={name: str(body[name]) for name in _HEADER_FIELDS if body.get(name)},
        )
        self.headers[header.number] = header
        self._book(BookKind.SALES_ORDER_CREATED, header, call)
        return header

    def update(self, header: OrderHeader, body: JsonObject, call: Call) -> None:
        """Change an order; keys stay."""
        self.check_area(body)
        if body.get("SalesOrderNumber", header.number) != header.number:
            msg = "The number of an order cannot change."
            raise bad_entity(msg)
        if "CurrencyCode" in body:
            header.currency = self.company.currency(body["CurrencyCode"])
        header.fields.update({name: str(body[name]) for name in _HEADER_FIELDS if name in body})
        header.touch(call.now_us)
        self._book(BookKind.SALES_ORDER_UPDATED, header, call)

    def add_line(self, body: JsonObject, call: Call) -> tuple[OrderHeader, OrderLine]:
        """Add a line to an order; it wants its quantity of the shelf."""
        self.check_area(body)
        header = self.headers.get(str(body["SalesOrderNumber"]))
        item = self.company.items_by_number.get(str(body["ItemNumber"]))
        if header is None or item is None:
            msg = "The sales order or the item of the line does not exist."
            raise bad_entity(msg)
        key = self.company.key(call.now_us)
        line = OrderLine(
            **key,
            lot=f"{key['sequence']:06d}",
            item=item,
            quantity=reading.number(body, "OrderedSalesQuantity", Decimal(0)),
            price=reading.number(body, "SalesPrice", item.price),
            warehouse=str(body.get("ShippingWarehouseId") or self.warehouse),
        )
        header.lines.append(line)
        item.demand += line.quantity
        header.touch(call.now_us)
        self._book(BookKind.SALES_ORDER_UPDATED, header, call)
        return header, line

    def _book(self, kind: BookKind, header: OrderHeader, call: Call) -> None:
        data = {
            "id": header.number,
            "currency": header.currency,
            "lines": [
                {
                    "sku": line.item.number,
                    "quantity": reading.shown_number(line.quantity),
                    "unit_price": str(line.price),
                }
                for line in header.lines
            ],
        }
        self.company.books.enter(
            call.now_us, kind, header.book_key, data, request_id=call.request_id
        )

    # How they look

    def show_header(self, header: OrderHeader) -> dict[str, Any]:
        """Return an order as its entity shows it."""
        return {
            "@odata.etag": header.etag,
            "dataAreaId": self.name,
            "SalesOrderNumber": header.number,
            "CurrencyCode": header.currency,
            "SalesOrderStatus": "Backorder",
            **header.fields,
        }

    def show_line(self, header: OrderHeader, line: OrderLine) -> dict[str, Any]:
        """Return a line as its entity shows it."""
        return {
            "@odata.etag": line.etag,
            "dataAreaId": self.name,
            "InventoryLotId": line.lot,
            "SalesOrderNumber": header.number,
            "ItemNumber": line.item.number,
            "OrderedSalesQuantity": reading.shown_number(line.quantity),
            "SalesPrice": reading.shown_number(line.price),
            "ShippingWarehouseId": line.warehouse,
        }

    def show_on_hand(self, item: Item) -> dict[str, Any]:
        """Return what is on the shelf of an item; reserved is never more than that."""
        on_hand = max(Decimal(0), item.on_hand)
        reserved = min(item.demand, on_hand)
        return {
            "@odata.etag": item.etag,
            "dataAreaId": self.name,
            "ItemNumber": item.number,
            "InventoryWarehouseId": self.warehouse,
            "OnHandQuantity": reading.shown_number(item.on_hand),
            "ReservedOnHandQuantity": reading.shown_number(reserved),
            "AvailableOnHandQuantity": reading.shown_number(on_hand - reserved),
        }
