"""How orders, returns and stock look in answers, and the vendor's error words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.instants import to_text
from mocks._walmart_orders import Line, Order, Portion, Return, ReturnLine
from mocks._walmart_stock import Item
from mocks._walmart_till import Till
from mocks.kit.calls import RefusalKind, Refused
from mocks.kit.money import Money

GATEWAY = "GMP_GATEWAY_API"
# The newest order version adds a mark, and tells the forms of miscAttributes apart by a type.
_WITH_MARKS = "v3.2026-10-02"

# Kind of refusal: status, code, category.
_ERRORS: Mapping[RefusalKind, tuple[int, str, str]] = {
    RefusalKind.UNKNOWN_PATH: (404, "URI_NOT_FOUND", "REQUEST"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, "METHOD_NOT_ALLOWED", "REQUEST"),
    RefusalKind.UNAUTHENTICATED: (401, "UNAUTHORIZED", "REQUEST"),
    RefusalKind.TOKEN_EXPIRED: (401, "UNAUTHORIZED", "REQUEST"),
    RefusalKind.FORBIDDEN: (403, "FORBIDDEN", "REQUEST"),
    RefusalKind.THROTTLED: (429, "REQUEST_THRESHOLD_VIOLATED", "REQUEST"),
    RefusalKind.INVALID: (400, "INVALID_REQUEST", "DATA"),
    RefusalKind.UNSUPPORTED_MEDIA_TYPE: (415, "UNSUPPORTED_MEDIA_TYPE", "REQUEST"),
    RefusalKind.TOO_LARGE: (413, "INVALID_REQUEST_CONTENT", "DATA"),
    RefusalKind.NOT_FOUND: (404, "CONTENT_NOT_FOUND", "DATA"),
    RefusalKind.CONFLICT: (400, "INVALID_REQUEST_CONTENT", "DATA"),
    RefusalKind.PRECONDITION_FAILED: (400, "INVALID_REQUEST_CONTENT", "DATA"),
    RefusalKind.UNAVAILABLE: (503, "SYSTEM_ERROR", "SYSTEM"),
    RefusalKind.INTERNAL: (500, "SYSTEM_ERROR", "SYSTEM"),
}
_BY_REASON = {
    "parameter.missing": "INVALID_REQUEST_PARAM",
    "parameter.wrong": "INVALID_REQUEST_PARAM",
    "parameter.unknown": "INVALID_REQUEST_PARAM",
    "body.missing": "INVALID_REQUEST_CONTENT",
    "body.wrong": "INVALID_REQUEST_CONTENT",
    "body.malformed": "MALFORMED_REQUEST_CONTENT",
    "node.unknown": "INVALID_REQUEST_PARAM",
    "batch.too_many": "INVALID_REQUEST_CONTENT",
    "events.topic": "INVALID_REQUEST_CONTENT",
}
_INFO = {"REQUEST": "The call was refused.", "DATA": "Request is not valid.", "SYSTEM": "Failed."}


def error_code(refused: Refused, api: str) -> str:
    """Return the vendor's code for a refusal by one of its APIs."""
    word = _ERRORS[refused.kind][1]
    if refused.kind is RefusalKind.INVALID:
        word = _BY_REASON.get(refused.reason, word)
        if refused.reason.startswith("paging."):
            word = "INVALID_REQUEST_PARAM"
        if refused.explanation.startswith("header parameter "):
            missing = refused.reason == "parameter.missing"
            word = "MISSING_REQUEST_HEADER" if missing else "INVALID_REQUEST_HEADER"
    return f"{word}.{api}"


def error(refused: Refused, code: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the error a refusal is worded as."""
    status, _, category = _ERRORS[refused.kind]
    return refused.status or status, {
        "code": code,
        "description": refused.explanation,
        "info": _INFO[category],
        "severity": "ERROR",
        "category": category,
        "causes": [],
        "errorIdentifiers": {},
    }


def _number(amount: Money) -> float:
    """Return an amount as the JSON number the vendor writes; nobody calculates with it here."""
    return float(amount.text())


def _each(quantity: int) -> dict[str, str]:
    return {"unitOfMeasurement": "EACH", "amount": str(quantity)}


def order(found: Order, version: str, till: Till, node: str, *, per_unit: bool) -> dict[str, Any]:
    """Return an order as its version shows it."""
    draft = found.draft
    shown: dict[str, Any] = {
        "purchaseOrderId": found.id,
        "customerOrderId": found.customer_order_id,
        "customerEmailId": f"{found.customer_order_id}@relay.walmart.com",
        "orderType": "REGULAR",
        "orderDate": found.created_us // 1000,
        "shippingInfo": {
            "phone": draft.phone or "",
            "estimatedDeliveryDate": found.deliver_by_us // 1000,
            "estimatedShipDate": found.ship_by_us // 1000,
            "methodCode": "Standard",
            "carrierMethodName": "Standard ground",
            "postalAddress": {
                "name": draft.buyer_name,
                "address1": draft.street,
                "address2": None,
                "city": draft.city,
                "postalCode": draft.postal_code,
                "country": draft.country,
                "addressType": "OFFICE" if draft.business else "RESIDENTIAL",
            },
        },
        "orderLines": {"orderLine": [_line(line, till, per_unit=per_unit) for line in found.lines]},
        "shipNode": {"type": "SellerFulfilled", "name": "Main warehouse", "id": node},
    }
    marks = version >= _WITH_MARKS
    if marks:
        shown["isWCPOrder"] = False
    if draft.gift:
        kind = {"type": "OTHER"} if marks else {}
        shown["miscAttributes"] = {**kind, "name": "GIFT", "details": {"wrap": True}}
    return shown


def _charges(line: Line, till: Till, *, per_unit: bool) -> dict[str, Any]:
    price = line.unit_price if per_unit else line.unit_price.times(line.quantity)
    currency = price.currency
    tax = {"currency": currency, "amount": _number(till.tax_on(price))}
    charge = {
        "chargeType": "PRODUCT",
        "chargeName": "ItemPrice",
        "chargeAmount": {"currency": currency, "amount": _number(price)},
        "tax": {"taxName": "Tax1", "taxAmount": tax},
    }
    return {"charge": [charge]}


def _line(line: Line, till: Till, *, per_unit: bool) -> dict[str, Any]:
    charges = line.charges.get(per_unit)
    if charges is None:
        charges = line.charges[per_unit] = _charges(line, till, per_unit=per_unit)
    return {
        "lineNumber": line.number,
        "item": {"productName": line.title, "sku": line.sku, "condition": "New"},
        "charges": charges,
        "orderLineQuantity": _each(line.quantity),
        "statusDate": line.changed_us // 1000,
        "orderLineStatuses": {"orderLineStatus": [_portion(p) for p in line.portions]},
        "intentToCancel": "CANCEL" if line.cancel_asked else None,
    }


def _portion(portion: Portion) -> dict[str, Any]:
    tracking = portion.tracking
    return {
        "status": portion.status,
        "statusQuantity": _each(portion.quantity),
        "cancellationReason": portion.reason,
        "trackingInfo": tracking
        and {
            "shipDateTime": tracking.shipped_ms,
            "carrierName": {"carrier": tracking.carrier, "otherCarrier": tracking.other_carrier},
            "methodCode": tracking.method,
            "trackingNumber": tracking.number,
            "trackingURL": tracking.url,
        },
    }


def returned(found: Return, keep_days: int) -> dict[str, Any]:
    """Return a return; its total is what its units were sold for."""
    currency = found.order.draft.currency
    total = Money(currency, sum(r.line.unit_price.times(r.quantity).minor for r in found.lines))
    by_us = found.created_us + keep_days * 86_400_000_000
    return {
        "returnOrderId": found.id,
        "customerOrderId": found.order.customer_order_id,
        "returnOrderDate": to_text(found.created_us),
        "returnByDate": to_text(by_us),
        "status": found.status,
        "totalRefundAmount": {"currencyUnit": currency, "currencyAmount": _number(total)},
        "returnOrderLines": [_return_line(found, row) for row in found.lines],
    }


def _return_line(found: Return, row: ReturnLine) -> dict[str, Any]:
    done = row.refunded == row.quantity
    return {
        "returnOrderLineNumber": row.number,
        "purchaseOrderId": found.order.id,
        "purchaseOrderLineNumber": int(row.line.number),
        "returnReason": found.reason,
        "item": {"sku": row.line.sku, "productName": row.line.title},
        "quantity": {"unitOfMeasure": "EACH", "measurementValue": row.quantity},
        "currentRefundStatus": "REFUND_COMPLETED" if done else "REFUND_INITIATED",
        "returnTrackingNumber": found.tracking,
    }


def nodes(item: Item, wanted: str | None) -> dict[str, Any]:
    """Return the stock of an item at every node, or at the wanted one."""
    rows = [
        {
            "shipNode": node,
            "inputQty": {"unit": "EACH", "amount": stock.stated},
            "availToSellQty": {"unit": "EACH", "amount": stock.sellable},
            "reservedQty": {"unit": "EACH", "amount": stock.reserved},
        }
        for node, stock in item.nodes.items()
        if wanted in (None, node)
    ]
    return {"sku": item.sku, "nodes": rows}
