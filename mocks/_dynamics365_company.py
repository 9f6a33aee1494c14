"""One company of Business Central: how its documents and sales orders come and change.

Pure state. What posting makes of documents stands in :mod:`mocks._dynamics365_posting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from harness.model.instants import to_text
from harness.model.values import JsonObject
from mocks import _dynamics365_reading as reading
from mocks._dynamics365_masters import Masters
from mocks._dynamics365_records import DRAFT, Document, Item, Line
from mocks.kit.books import BookKind
from mocks.kit.simulator import Call

_IMITATED_LINES = ("Item", "Account", "Comment")


class Company(Masters):
    """Everything one tenant's company remembers, with what clients do to its sales orders."""

    def draft(self, body: JsonObject, series: str, date_name: str, now_us: int) -> Document:
        """Return a new document after a body, with its lines; keeps it nowhere yet."""
        body_lines = body.get(_LINES[series]) or []
        customer = self.find_customer(body)
        if body_lines and customer is None:
            msg = "The document has lines but no customer."
            raise reading.invalid(msg)
        named = customer.fields.get("currencyCode") if customer is not None else None
        currency = self.currency(body.get("currencyCode") or named)
        today = to_text(now_us)[:10]
        date = reading.day(body, date_name, today)
        number = body.get("number")
        document = Document(
            **self.key(now_us),
            number=str(number) if number else "",
            external=str(body.get("externalDocumentNumber") or ""),
            date=date,
            posting_date=reading.day(body, "postingDate", date),
            customer=customer,
            currency=currency,
            status=DRAFT,
            discount=reading.minor(body, "discountAmount", currency, 0),
            ship_to=reading.ship_to(body),
            invoice_id=str(body.get("invoiceId") or ""),
        )
        document.lines = []
        for entry in body_lines:
            document.lines.append(self.new_line(document, entry, now_us))
        self._check_discount(document)
        # A refused body must not use a number up.
        document.number = document.number or self.next_number(series)
        return document

    def _check_discount(self, document: Document) -> None:
        total = sum(line.net(document.currency) for line in document.lines)
        if document.discount > max(0, total) and document.lines:
            msg = "The discount is larger than the document."
            raise reading.invalid(msg)

    def new_line(self, document: Document, body: JsonObject, now_us: int) -> Line:
        """Return a new line after a body; keeps it nowhere yet."""
        kind = str(body.get("lineType") or ("Account" if "accountId" in body else "Item"))
        if kind not in _IMITATED_LINES:
            msg = f"The simulator does not imitate lines of type {kind!r}."
            raise reading.invalid(msg)
        item = self._line_item(body) if kind == "Item" else None
        numbers = [line.sequence for line in document.lines]
        sequence = body.get("sequence")
        if sequence in numbers:
            msg = f"The line {sequence} already exists."
            raise reading.invalid(msg, "Internal_EntityWithSameKeyExists")
        if sequence is not None and not (isinstance(sequence, int) and 0 < sequence < 2**31):
            msg = "sequence must be a whole number from 1."
            raise reading.invalid(msg, "Application_FieldValidationException")
        line = Line(
            id=self.new_id(),
            sequence=sequence or max(numbers, default=0) + 10_000,
            modified_us=now_us,
            line_type=kind,
            item=item,
            object_number=item.number
            if item is not None
            else str(body.get("lineObjectNumber", "")),
            description=str(body.get("description") or (item.name if item is not None else "")),
            quantity=reading.number(body, "quantity", Decimal(0 if kind == "Comment" else 1)),
            unit_price=reading.number(
                body, "unitPrice", item.price if item is not None else Decimal(0)
            ),
            discount_percent=_percent(body, Decimal(0)),
            tax_code=str(body.get("taxCode") or self.settings.get("default_tax_code", "")),
            location=body.get("locationId"),
            account_id=reading.guid(body, "accountId"),
        )
        _plan(line, body)
        return line

    def _line_item(self, body: JsonObject) -> Item:
        wanted, number = body.get("itemId"), body.get("lineObjectNumber")
        found = self.items.get(str(wanted)) if wanted else self.items_by_number.get(str(number))
        if found is None or number not in (None, found.number):
            msg = f"The item cannot be found: {number or wanted!r}."
            raise reading.invalid(msg, "Internal_InvalidTableRelation")
        if found.blocked:
            msg_0 = f"The item {found.number} is blocked."
            raise reading.invalid(msg_0)
        return found

    # -- sales orders ------------------------------------------------------------------------------

    def create_order(self, body: JsonObject, call: Call) -> Document:
        """Create a sales order; the same body again makes a second one."""
        number = body.get("number")
        if number and any(order.number == number for order in self.orders.values()):
            msg = f"The sales order {number} already exists."
            raise reading.invalid(msg, "Internal_EntityWithSameKeyExists")
        self._check_external(body.get("externalDocumentNumber"), None)
        order = self.draft(body, "SO", "orderDate", call.now_us)
        order.status = str(self.settings.get("new_order_status", DRAFT))
        self.orders[order.id] = order
        demand(order.lines, 1)
        self.book(BookKind.SALES_ORDER_CREATED, order, call)
        self.told("salesOrders", order.id, "created", call.now_us)
        return order

    def _check_external(self, external: Any, own_id: str | None) -> None:
        if not external or self.settings.get("duplicate_external_document_number") != "refuse":
            return
        documents = [*self.orders.values(), *self.invoices.values()]
        if any(d.external == external and d.id != own_id for d in documents):
            msg = f"The external document number {external!r} is in use."
            raise reading.invalid(msg)

    def update_order(self, order: Document, body: JsonObject, call: Call) -> Document:
        """Change the header of an order; what is not named stays."""
        number = body.get("number")
        if number not in (None, order.number):
            msg = "The number of an order cannot change."
            raise reading.invalid(msg)
        self._check_external(body.get("externalDocumentNumber"), order.id)
        customer = self.find_customer(body)
        currency = self.currency(body["currencyCode"]) if "currencyCode" in body else order.currency
        if currency != order.currency and any(line.shipped for line in order.lines):
            msg = "The currency cannot change: some lines have shipped."
            raise reading.invalid(msg)
        date = reading.day(body, "orderDate", order.date)
        posting_date = reading.day(body, "postingDate", order.posting_date)
        before = (order.discount, order.currency)
        order.discount = reading.minor(body, "discountAmount", currency, order.discount)
        order.currency = currency
        try:
            if order.discount < order.discount_posted:
                msg = "The discount is less than what is invoiced of it."
                raise reading.invalid(msg)
            self._check_discount(order)
        except Exception:
            order.discount, order.currency = before
            raise
        order.customer = customer or order.customer
        order.date, order.posting_date = date, posting_date
        order.external = str(body.get("externalDocumentNumber", order.external) or "")
        order.ship_to.update(reading.ship_to(body))
        self.changed(order, call)
        return order

    def add_line(self, order: Document, body: JsonObject, call: Call) -> Line:
        """Add a line to an order."""
        if order.customer is None:
            msg = "The order has no customer yet."
            raise reading.invalid(msg)
        line = self.new_line(order, body, call.now_us)
        order.lines.append(line)
        demand([line], 1)
        self.changed(order, call)
        return line

    def update_line(self, order: Document, line: Line, body: JsonObject, call: Call) -> Line:
        """Change a line; what has shipped cannot be taken back here."""
        kind, item = line.line_type, line.item
        for name, now in (("lineType", kind), ("sequence", line.sequence)):
            if body.get(name, now) != now:
                msg = f"The {name} of a line cannot change."
                raise reading.invalid(msg)
        if kind == "Item" and ("itemId" in body or "lineObjectNumber" in body):
            item = self._line_item(body)
        if line.shipped and item is not line.item:
            msg = "The item cannot change: some of the line has shipped."
            raise reading.invalid(msg)
        quantity = reading.number(body, "quantity", line.quantity)
        if quantity < line.shipped:
            msg = "The quantity cannot be less than what has shipped."
            raise reading.invalid(msg)
        price = reading.number(body, "unitPrice", line.unit_price)
        percent = _percent(body, line.discount_percent)
        account_id = reading.guid(body, "accountId") or line.account_id
        probe = Line(**{**_values(line), "quantity": quantity, "item": item})
        _plan(probe, _plan_body(line, body))
        demand([line], -1)
        line.item, line.quantity = item, quantity
        line.unit_price, line.discount_percent = price, percent
        line.ship, line.invoice = probe.ship, probe.invoice
        if item is not None:
            line.object_number = item.number
        line.description = str(body.get("description", line.description))
        line.tax_code = str(body.get("taxCode", line.tax_code))
        line.location = body.get("locationId", line.location)
        line.account_id = account_id
        demand([line], 1)
        line.touch(call.now_us)
        self.changed(order, call)
        return line

    def delete_order(self, order: Document, call: Call) -> None:
        """Delete an order; its stock is free again."""
        demand(order.lines, -1)
        del self.orders[order.id]
        data = {"id": order.id, "deleted": True, "currency": order.currency, "lines": []}
        self.books.enter(
            call.now_us,
            BookKind.SALES_ORDER_UPDATED,
            order.book_key,
            data,
            request_id=call.request_id,
        )
        self.told("salesOrders", order.id, "deleted", call.now_us)

    def changed(self, order: Document, call: Call) -> None:
        """Book a change of an order and tell the subscribers."""
        order.touch(call.now_us)
        self.book(BookKind.SALES_ORDER_UPDATED, order, call)
        self.told("salesOrders", order.id, "updated", call.now_us)

    def book(self, kind: BookKind, order: Document, call: Call) -> None:
        """Enter an order into the books, item lines only."""
        data = {
            "id": order.id,
            "currency": order.currency,
            "lines": [
                {
                    "sku": line.object_number,
                    "quantity": reading.shown_number(line.quantity),
                    "unit_price": str(line.unit_price),
                }
                for line in order.lines
                if line.item is not None
            ],
        }
        self.books.enter(call.now_us, kind, order.book_key, data, request_id=call.request_id)


def demand(lines: Iterable[Line], sign: int) -> None:
    """Let lines want their open quantity, or (-1) no longer want it."""
    for line in lines:
        if line.item is not None:
            line.item.demand += sign * line.open_quantity


_LINES: Mapping[str, str] = {
    "SO": "salesOrderLines",
    "SI": "salesInvoiceLines",
    "SC": "salesCreditMemoLines",
}


def _percent(body: JsonObject, default: Decimal) -> Decimal:
    found = reading.number(body, "discountPercent", default)
    if found > 100:
        msg = "discountPercent must be a number from 0 to 100."
        raise reading.invalid(msg)
    return found


def _plan_body(line: Line, body: JsonObject) -> JsonObject:
    """Return a body that keeps what is set to ship and to invoice, unless the client says more."""
    plan = dict(body)
    if "quantity" not in body:
        plan.setdefault("shipQuantity", reading.shown_number(line.ship))
        if "shipQuantity" not in body:
            plan.setdefault("invoiceQuantity", reading.shown_number(line.invoice))
    return plan


def _plan(line: Line, body: JsonObject) -> None:
    """Set what is to ship (all that is open) and to invoice (what will have shipped by then)."""
    line.ship = reading.number(body, "shipQuantity", line.open_quantity)
    if line.ship > line.open_quantity:
        msg = "You cannot ship more than is left of the line."
        raise reading.invalid(msg)
    most = line.shipped + line.ship - line.invoiced
    line.invoice = reading.number(body, "invoiceQuantity", most)
    if line.invoice > most:
        msg = "You cannot invoice more than has shipped."
        raise reading.invalid(msg)


def _values(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Line.__dataclass_fields__}
