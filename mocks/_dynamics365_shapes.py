"""How records of Business Central look on the wire, in v1.0 and in v2.0, and how it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.instants import to_text
from harness.model.values import JsonObject
from mocks._dynamics365_masters import CURRENCIES, Masters
from mocks._dynamics365_reading import POSTAL_ADDRESS, shown_amount, shown_number
from mocks._dynamics365_records import (
    Customer,
    Document,
    Item,
    Journal,
    JournalLine,
    Line,
    Movement,
)
from mocks.kit.simulator import Answer, RefusalKind, Refused

OLD = "v1.0"

_ERRORS: Mapping[RefusalKind, tuple[int, str]] = {
    RefusalKind.UNKNOWN_PATH: (404, "BadRequest_ResourceNotFound"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, "BadRequest_MethodNotAllowed"),
    RefusalKind.UNAUTHENTICATED: (401, "Authentication_InvalidCredentials"),
    RefusalKind.TOKEN_EXPIRED: (401, "Authentication_InvalidCredentials"),
    RefusalKind.FORBIDDEN: (403, "Authorization_RequestDenied"),
    RefusalKind.THROTTLED: (429, "Application_TooManyRequests"),
    RefusalKind.INVALID: (400, "BadRequest_InvalidToken"),
    RefusalKind.UNSUPPORTED_MEDIA_TYPE: (415, "BadRequest_UnsupportedMediaType"),
    RefusalKind.TOO_LARGE: (413, "Request_TooLarge"),
    RefusalKind.NOT_FOUND: (404, "Internal_RecordNotFound"),
    RefusalKind.CONFLICT: (400, "Internal_EntityWithSameKeyExists"),
    RefusalKind.PRECONDITION_FAILED: (412, "Request_EntityChanged"),
    RefusalKind.UNAVAILABLE: (503, "Application_ServiceUnavailable"),
    RefusalKind.INTERNAL: (500, "Internal_ServerError"),
}


def error(refused: Refused, call_id: str) -> Answer:
    """Return the error object; the correlation id ends the message, as support asks for it."""
    status, code = _ERRORS[refused.kind]
    message = refused.explanation
    if refused.kind is RefusalKind.PRECONDITION_FAILED:
        message = "Another user has already changed the record."
    body = {
        "error": {
            "code": refused.code or code,
            "message": f"{message}  CorrelationId:  {call_id}.",
        }
    }
    return Answer(refused.status or status, body)


def item(record: Item, version: str) -> JsonObject:
    """Return an item with what is on hand."""
    found = record.shown.get(version)
    if found is None:
        found = record.shown[version] = {
            "@odata.etag": record.etag,
            "id": record.id,
            "number": record.number,
            "displayName": record.name,
            "type": "Inventory",
            "gtin": record.gtin,
            "inventory": shown_number(record.on_hand),
            "unitPrice": shown_number(record.price),
            "blocked": record.blocked,
            "lastModifiedDateTime": to_text(record.modified_us),
        }
    return found


def customer(record: Customer, version: str) -> JsonObject:
    """Return a customer."""
    fields: dict[str, Any] = dict(record.fields)
    if version == OLD:
        names = (("street", "addressLine1"), ("city", "city"), ("countryLetterCode", "country"))
        fields["address"] = {old: fields.pop(new) for old, new in names if new in fields}
    return {
        "@odata.etag": record.etag,
        "id": record.id,
        "number": record.number,
        "displayName": record.name,
        **fields,
        "lastModifiedDateTime": to_text(record.modified_us),
    }


def _document(record: Document, date_name: str, company: Masters) -> dict[str, Any]:
    totals, currency = record.totals(company.rates), record.currency
    return {
        "@odata.etag": record.etag,
        "id": record.id,
        "number": record.number,
        "externalDocumentNumber": record.external,
        date_name: record.date,
        "customerNumber": record.customer.number if record.customer is not None else "",
        "currencyCode": currency,
        "totalAmountExcludingTax": shown_amount(totals.net, currency),
        "totalTaxAmount": shown_amount(totals.tax, currency),
        "totalAmountIncludingTax": shown_amount(totals.gross, currency),
        "status": record.status,
        "lastModifiedDateTime": to_text(record.modified_us),
    }


def order(record: Document, version: str, company: Masters) -> JsonObject:
    """Return a sales order without its lines."""
    known = record.shown.get(version)
    if known is not None:
        return known
    found = _document(record, "orderDate", company)
    found["postingDate"] = record.posting_date
    if record.customer is not None:
        found["customerId"] = record.customer.id
        found["customerName"] = record.customer.name
    found["pricesIncludeTax"] = False
    found["discountAmount"] = shown_amount(record.discount, record.currency)
    found["fullyShipped"] = all(not line.open_quantity for line in record.lines)
    status = str(company.settings.get("status_with_space", "In Review"))
    found["status"] = status if record.status == "In Review" else record.status
    if version == OLD:
        address = {
            old: record.ship_to[f"shipTo{new}"]
            for old, new in POSTAL_ADDRESS.items()
            if f"shipTo{new}" in record.ship_to
        }
        if address:
            found["shippingPostalAddress"] = address
    else:
        found.update(record.ship_to)
    record.shown[version] = found
    return found


def currency(record: Document, version: str) -> Any:
    """Return the currency an order is expanded with: a list of one in v1.0, an object since."""
    shown = {"code": record.currency, "displayName": CURRENCIES[record.currency]}
    return [shown] if version == OLD else shown


def line(record: Line, document: Document) -> JsonObject:
    """Return one line of an order, invoice or credit memo."""
    shown = {
        "@odata.etag": record.etag,
        "id": record.id,
        "documentId": document.id,
        "sequence": record.sequence,
        "lineType": record.line_type,
        "lineObjectNumber": record.object_number,
        "description": record.description,
        "quantity": shown_number(record.quantity),
        "unitPrice": shown_number(record.unit_price),
        "discountPercent": shown_number(record.discount_percent),
        "taxCode": record.tax_code,
        "shipQuantity": shown_number(record.ship),
        "shippedQuantity": shown_number(record.shipped),
        "invoiceQuantity": shown_number(record.invoice),
        "invoicedQuantity": shown_number(record.invoiced),
    }
    if record.item is not None:
        shown["itemId"] = record.item.id
    if record.account_id is not None:
        shown["accountId"] = record.account_id
    if record.location is not None:
        shown["locationId"] = record.location
    return shown


def shipment(record: Document) -> JsonObject:
    """Return a posted shipment without its lines."""
    return {
        "id": record.id,
        "number": record.number,
        "externalDocumentNumber": record.external,
        "orderNumber": record.order_number,
        "postingDate": record.posting_date,
        "customerNumber": record.customer.number if record.customer is not None else "",
        "lastModifiedDateTime": to_text(record.modified_us),
    }


def shipment_line(record: Line, _document: Document) -> JsonObject:
    """Return one line of a shipment."""
    return {
        "id": record.id,
        "sequence": record.sequence,
        "lineType": record.line_type,
        "lineObjectNumber": record.object_number,
        "quantity": shown_number(record.quantity),
    }


def invoice(record: Document, company: Masters) -> JsonObject:
    """Return an invoice; what remains to be paid stands beside its total."""
    shown = _document(record, "invoiceDate", company)
    if record.order_id:
        shown.update(orderId=record.order_id, orderNumber=record.order_number)
    shown["remainingAmount"] = shown_amount(record.remaining, record.currency)
    return shown


def memo(record: Document, company: Masters) -> JsonObject:
    """Return a credit memo."""
    shown = _document(record, "creditMemoDate", company)
    if record.invoice_id:
        shown["invoiceId"] = record.invoice_id
    return shown


def movement(record: Movement) -> JsonObject:
    """Return one item ledger entry."""
    return {
        "id": record.id,
        "entryNumber": record.entry_number,
        "itemNumber": record.item_number,
        "postingDate": record.posting_date,
        "entryType": record.entry_type,
        "documentNumber": record.document_number,
        "quantity": shown_number(record.quantity),
        "lastModifiedDateTime": to_text(record.modified_us),
    }


def journal(record: Journal) -> JsonObject:
    """Return a journal."""
    return {
        "@odata.etag": record.etag,
        "id": record.id,
        "code": record.code,
        "displayName": record.name,
        "lastModifiedDateTime": to_text(record.modified_us),
    }


def journal_line(record: JournalLine) -> JsonObject:
    """Return one journal line that is not posted."""
    return {
        "@odata.etag": record.etag,
        "id": record.id,
        "lineNumber": record.line_number,
        "amount": shown_number(record.amount),
        **record.fields,
        "lastModifiedDateTime": to_text(record.modified_us),
    }
