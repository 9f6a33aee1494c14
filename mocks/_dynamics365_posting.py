"""What posting does: orders become shipments and invoices, goods and money move, periods close.

Every function checks first and changes then: a posting that is refused changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from harness.model.instants import to_text
from harness.model.values import JsonObject
from mocks import _dynamics365_reading as reading
from mocks._dynamics365_company import Company
from mocks._dynamics365_records import (
    DRAFT,
    OPEN,
    PAID,
    ZERO,
    Document,
    Journal,
    JournalLine,
    Line,
)
from mocks.kit.books import BookKind
from mocks.kit.money import rounded
from mocks.kit.simulator import Call


def ship_and_invoice(company: Company, order: Document, call: Call) -> None:
    """Post what is set to ship and to invoice; an order with nothing left is gone."""
    company.check_period(order.posting_date)
    if order.customer is None:
        msg = "The order has no customer."
        raise reading.invalid(msg)
    goods = [line for line in order.lines if line.line_type != "Comment"]
    if not any(line.ship or line.invoice for line in goods):
        msg = "There is nothing to post."
        raise reading.invalid(msg)
    shipped = [(line, line.ship) for line in goods if line.ship]
    _check_stock(company, shipped)
    now_us = call.now_us
    if shipped:
        _ship(company, order, shipped, call)
    invoiced = [(line, line.invoice) for line in goods if line.invoice]
    if invoiced:
        _invoice(company, order, invoiced, now_us)
    for line in goods:
        line.ship = line.open_quantity
        line.invoice = line.quantity - line.invoiced
        line.touch(now_us)
    if all(line.invoiced == line.quantity for line in goods):
        del company.orders[order.id]
        company.posted_orders[order.id] = order.number
        company.told("salesOrders", order.id, "deleted", now_us)
        return
    order.status = OPEN
    order.touch(now_us)
    company.told("salesOrders", order.id, "updated", now_us)


def _check_stock(company: Company, shipped: list[tuple[Line, Decimal]]) -> None:
    if not company.settings.get("prevent_negative_inventory", False):
        return
    wanted: dict[str, Decimal] = {}
    for line, quantity in shipped:
        if line.item is not None:
            number = line.item.number
            wanted[number] = wanted.get(number, ZERO) + quantity
    for number, quantity in wanted.items():
        if quantity > company.items_by_number[number].on_hand:
            msg = f"You have insufficient quantity of item {number} on inventory."
            raise reading.invalid(msg)


def _ship(
    company: Company, order: Document, shipped: list[tuple[Line, Decimal]], call: Call
) -> None:
    now_us = call.now_us
    shipment = _posted(company, order, "SS", now_us)
    shipment.lines = [_copied(company, line, quantity, now_us) for line, quantity in shipped]
    company.shipments[shipment.id] = shipment
    for line, quantity in shipped:
        line.shipped += quantity
        if line.item is not None:
            line.item.demand -= quantity
            company.move(line.item, -quantity, "Sale", shipment.number, now_us, order.posting_date)
    lines = [
        {"sku": line.object_number, "quantity": reading.shown_number(quantity)}
        for line, quantity in shipped
        if line.item is not None
    ]
    company.books.enter(
        now_us,
        BookKind.FULFILMENT_CREATED,
        order.book_key,
        {"id": shipment.id, "lines": lines},
        request_id=call.request_id,
    )
    company.told("salesShipments", shipment.id, "created", now_us)


def _invoice(
    company: Company, order: Document, invoiced: list[tuple[Line, Decimal]], now_us: int
) -> None:
    invoice = _posted(company, order, "SI", now_us)
    invoice.lines = [_copied(company, line, quantity, now_us) for line, quantity in invoiced]
    for line, quantity in invoiced:
        line.invoiced += quantity
    last = all(line.invoiced == line.quantity for line in order.lines if line.quantity)
    invoice.discount = _discount_share(order, invoice, last=last)
    order.discount_posted += invoice.discount
    invoice.status = OPEN
    invoice.remaining = invoice.totals(company.rates).gross
    company.invoices[invoice.id] = invoice
    company.told("salesInvoices", invoice.id, "created", now_us)


def _discount_share(order: Document, invoice: Document, *, last: bool) -> int:
    """Return the part of the order's discount that goes by what is invoiced; the last gets rest."""
    left = order.discount - order.discount_posted
    whole = sum(line.net(order.currency) for line in order.lines)
    if last or whole <= 0:
        return left
    part = sum(line.net(order.currency) for line in invoice.lines)
    return min(left, rounded(Fraction(order.discount * part, whole)))


def _posted(company: Company, order: Document, series: str, now_us: int) -> Document:
    return Document(
        **company.key(now_us),
        number=company.next_number(series),
        external=order.external,
        date=order.posting_date,
        posting_date=order.posting_date,
        customer=order.customer,
        currency=order.currency,
        order_id=order.id,
        order_number=order.number,
        ship_to=dict(order.ship_to),
    )


def _copied(company: Company, line: Line, quantity: Decimal, now_us: int) -> Line:
    return replace(
        line,
        id=company.new_id(),
        modified_us=now_us,
        revision=0,
        shown={},
        quantity=quantity,
        ship=ZERO,
        shipped=quantity,
        invoice=ZERO,
        invoiced=quantity,
    )


def create_invoice(company: Company, body: JsonObject, call: Call) -> Document:
    """Create an invoice that is not posted yet."""
    invoice = company.draft(body, "SI", "invoiceDate", call.now_us)
    company.invoices[invoice.id] = invoice
    company.told("salesInvoices", invoice.id, "created", call.now_us)
    return invoice


def create_memo(company: Company, body: JsonObject, call: Call) -> Document:
    """Create a credit memo that is not posted yet; the invoice it names must be posted."""
    wanted = body.get("invoiceId")
    if wanted:
        _creditable(company, str(wanted))
    memo = company.draft(body, "SC", "creditMemoDate", call.now_us)
    company.memos[memo.id] = memo
    company.told("salesCreditMemos", memo.id, "created", call.now_us)
    return memo


def _creditable(company: Company, invoice_id: str) -> Document:
    invoice = company.invoices.get(invoice_id)
    if invoice is None or invoice.status == DRAFT:
        msg = f"There is no posted invoice {invoice_id!r}."
        raise reading.invalid(msg, "Internal_InvalidTableRelation")
    return invoice


def post_invoice(company: Company, invoice: Document, call: Call) -> None:
    """Post an invoice: it is owed from now on, and its goods leave."""
    _check_postable(company, invoice)
    shipped = [(line, line.quantity) for line in invoice.lines]
    _check_stock(company, shipped)
    for line, quantity in shipped:
        if line.item is not None:
            company.move(
                line.item, -quantity, "Sale", invoice.number, call.now_us, invoice.posting_date
            )
    invoice.status = OPEN
    invoice.remaining = invoice.totals(company.rates).gross
    invoice.touch(call.now_us)
    company.told("salesInvoices", invoice.id, "updated", call.now_us)


def post_memo(company: Company, memo: Document, call: Call) -> None:
    """Post a credit memo: goods come back, and the invoice it names is owed less."""
    _check_postable(company, memo)
    amount = memo.totals(company.rates).gross
    invoice = _creditable(company, memo.invoice_id) if memo.invoice_id else None
    if invoice is not None and (invoice.currency, True) != (
        memo.currency,
        amount <= invoice.remaining,
    ):
        msg = f"The credit memo does not fit what is open of invoice {invoice.number}."
        raise reading.invalid(msg)
    for line in memo.lines:
        if line.item is not None:
            company.move(
                line.item, line.quantity, "Sale", memo.number, call.now_us, memo.posting_date
            )
    memo.status = OPEN
    if invoice is not None:
        memo.status = PAID
        invoice.remaining -= amount
        invoice.status = PAID if not invoice.remaining else invoice.status
        invoice.touch(call.now_us)
        company.told("salesInvoices", invoice.id, "updated", call.now_us)
    memo.touch(call.now_us)
    company.told("salesCreditMemos", memo.id, "updated", call.now_us)


def _check_postable(company: Company, document: Document) -> None:
    if document.status != DRAFT:
        msg = f"{document.number} is already posted."
        raise reading.invalid(msg)
    if document.customer is None:
        msg = f"{document.number} has no customer."
        raise reading.invalid(msg)
    if not any(line.quantity for line in document.lines):
        msg = "There is nothing to post."
        raise reading.invalid(msg)
    company.check_period(document.posting_date)


def add_journal_line(
    company: Company, journal: Journal, body: JsonObject, call: Call
) -> JournalLine:
    """Add a line to a journal; whether it can be posted is seen when it is posted."""
    names = ("accountNumber", "documentNumber", "externalDocumentNumber", "description")
    fields = {name: str(body[name]) for name in names if body.get(name) is not None}
    fields["postingDate"] = reading.day(body, "postingDate", to_text(call.now_us)[:10])
    last = max((line.line_number for line in journal.lines), default=0)
    line = JournalLine(
        **company.key(call.now_us),
        line_number=last + 10_000,
        amount=reading.number(body, "amount", ZERO, least=-reading.NUMBER_MAX),
        fields=fields,
    )
    journal.lines.append(line)
    journal.touch(call.now_us)
    return line


def post_journal(company: Company, journal: Journal, call: Call) -> None:
    """Post all lines of a journal, or none; each document must balance."""
    if not journal.lines:
        msg = "There is nothing to post."
        raise reading.invalid(msg)
    sums: dict[tuple[str, str], Decimal] = {}
    for line in journal.lines:
        if not line.fields.get("accountNumber"):
            msg = f"Line {line.line_number} has no account."
            raise reading.invalid(msg)
        if not line.amount:
            msg = f"Line {line.line_number} has no amount."
            raise reading.invalid(msg)
        company.check_period(line.fields["postingDate"])
        key = (line.fields.get("documentNumber", ""), line.fields["postingDate"])
        sums[key] = sums.get(key, ZERO) + line.amount
    balancing = company.settings.get("journal_balancing_account")
    for (number, _), amount in sums.items():
        if amount and balancing is None:
            msg = f"Document {number} is out of balance by {amount}."
            raise reading.invalid(msg)
    for line in journal.lines:
        _add(company, line.fields["accountNumber"], line.amount)
    for amount in sums.values():
        if amount:
            _add(company, str(balancing), -amount)
    journal.lines.clear()
    journal.touch(call.now_us)


def _add(company: Company, account: str, amount: Decimal) -> None:
    company.balances[account] = company.balances.get(account, ZERO) + amount
