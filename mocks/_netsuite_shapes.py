"""Records, lists, jobs and errors in NetSuite's words; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from harness.model.instants import to_text
from mocks._netsuite_company import CURRENCIES, SalesOrder, StockItem
from mocks.kit.calls import Answer, RefusalKind, Refused
from mocks.kit.jobs import Job, JobState
from mocks.kit.paging import Page

RECORD = "/services/rest/record/v1"
JOB = "/services/rest/async/v1/job"

_HTTP = "https://www.rfc-editor.org/rfc/rfc9110.html#section-"
# Kind of refusal: status, title, section of the HTTP standard, code.
_ERRORS: Mapping[RefusalKind, tuple[int, str, str, str]] = {
    RefusalKind.UNKNOWN_PATH: (404, "Not Found", f"{_HTTP}15.5.5", "NOT_FOUND"),
    RefusalKind.METHOD_NOT_ALLOWED: (
        405,
        "Method Not Allowed",
        f"{_HTTP}15.5.6",
        "METHOD_NOT_ALLOWED",
    ),
    RefusalKind.UNAUTHENTICATED: (
        401,
        "Unauthorized",
        f"{_HTTP}15.5.2",
        "INVALID_LOGIN_ATTEMPT",
    ),
    RefusalKind.TOKEN_EXPIRED: (401, "Unauthorized", f"{_HTTP}15.5.2", "INVALID_LOGIN_ATTEMPT"),
    RefusalKind.FORBIDDEN: (403, "Forbidden", f"{_HTTP}15.5.4", "INSUFFICIENT_PERMISSION"),
    RefusalKind.THROTTLED: (
        429,
        "Too Many Requests",
        "https://www.rfc-editor.org/rfc/rfc6585.html#section-4",
        "SSS_REQUEST_LIMIT_EXCEEDED",
    ),
    RefusalKind.INVALID: (400, "Bad Request", f"{_HTTP}15.5.1", "INVALID_CONTENT"),
    RefusalKind.UNSUPPORTED_MEDIA_TYPE: (
        415,
        "Unsupported Media Type",
        f"{_HTTP}15.5.16",
        "INVALID_CONTENT_TYPE",
    ),
    RefusalKind.TOO_LARGE: (413, "Content Too Large", f"{_HTTP}15.5.14", "INVALID_CONTENT"),
    RefusalKind.NOT_FOUND: (404, "Not Found", f"{_HTTP}15.5.5", "NONEXISTENT_ID"),
    RefusalKind.CONFLICT: (400, "Bad Request", f"{_HTTP}15.5.1", "USER_ERROR"),
    RefusalKind.PRECONDITION_FAILED: (
        412,
        "Precondition Failed",
        f"{_HTTP}15.5.13",
        "RCRD_HAS_BEEN_CHANGED",
    ),
    RefusalKind.UNAVAILABLE: (
        503,
        "Service Unavailable",
        f"{_HTTP}15.6.4",
        "SERVICE_UNAVAILABLE",
    ),
    RefusalKind.INTERNAL: (500, "Internal Server Error", f"{_HTTP}15.6.1", "UNEXPECTED_ERROR"),
}
IDEMPOTENCY_ERROR = "IDEMPOTENCY_ERROR"
IDEMPOTENCY_HEADER = "X-NetSuite-Idempotency-Key"


def error(refused: Refused, throttled_code: str) -> Answer:
    """Return the problem object of a refusal."""
    status, title, section, code = _ERRORS[refused.kind]
    if refused.kind is RefusalKind.THROTTLED:
        code = throttled_code
    detail = {"detail": refused.explanation, "o:errorCode": refused.code or code}
    headers = refused.headers
    if refused.reason.startswith("idempotency."):
        title = "Conflict"  # with status 400: so it is published
        detail["o:errorCode"] = IDEMPOTENCY_ERROR
        detail["o:errorHeader"] = IDEMPOTENCY_HEADER
        first = refused.first.headers if refused.first is not None else ()
        headers += tuple(pair for pair in first if pair[0] == "location")
    status = refused.status or status
    body = {"type": section, "title": title, "status": status, "o:errorDetails": [detail]}
    return Answer(status, body, headers)


def _self_link(path: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": path}]


def sales_order(order: SalesOrder, *, expand: bool) -> dict[str, Any]:
    """Return a sales order; its lines only when asked to expand."""
    path = f"{RECORD}/salesOrder/{order.order_id}"
    currency_id = next((i for i, name in CURRENCIES.items() if name == order.currency), "1")
    lines: dict[str, Any] = {"links": _self_link(f"{path}/item")}
    if expand:
        lines["items"] = [_line(path, order, at) for at in range(len(order.lines))]
    shown: dict[str, Any] = {
        "links": _self_link(path),
        "id": order.order_id,
        "tranId": order.number,
        "entity": _reference(order.entity),
        "orderStatus": order.status,
        "currency": {"id": currency_id, "refName": order.currency},
        "lastModifiedDate": to_text(order.modified_us),
        "total": _number(order.total),
        "item": lines,
    }
    if order.external_id is not None:
        shown["externalId"] = order.external_id
    shown.setdefault("tranDate", to_text(order.created_us)[:10])
    shown.update(order.fields)
    return shown


def _reference(entity: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: str(entity[name]) for name in ("externalId", "refName") if name in entity}
    # A reference by external id gets an id of its own, the one the record would have.
    return {"id": str(entity.get("id", entity.get("externalId", ""))), **shown}


def _line(path: str, order: SalesOrder, at: int) -> dict[str, Any]:
    line = order.lines[at]
    rate = Decimal(line.unit_price)
    return {
        "links": _self_link(f"{path}/item/{line.number}"),
        "line": line.number,
        "item": {"id": line.item.item_id, "externalId": line.item.sku, "refName": line.item.sku},
        "quantity": line.quantity,
        "rate": _number(rate),
        "amount": _number(rate * line.quantity),
    }


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def inventory_item(item: StockItem) -> dict[str, Any]:
    """Return an item with its stock."""
    return {
        "links": _self_link(f"{RECORD}/inventoryItem/{item.item_id}"),
        "id": item.item_id,
        "externalId": item.sku,
        "itemId": item.sku,
        "displayName": item.sku,
        "isInactive": False,
        "quantityOnHand": item.on_hand,
        "quantityAvailable": item.available,
        "lastModifiedDate": to_text(item.modified_us),
    }


def only_fields(record: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """Return the members a client asked for; those the contract promises stay."""
    if not fields:
        return record
    kept = {name.strip() for name in fields.split(",")}
    always = {
        "links", "id", "itemId", "entity", "orderStatus", "currency", "lastModifiedDate"
    }  # fmt: skip
    return {name: value for name, value in record.items() if name in kept or name in always}


def id_only(path: str, record_id: str) -> dict[str, Any]:
    """Return what a list says about a record."""
    return {"links": _self_link(f"{path}/{record_id}"), "id": record_id}


def collection(path: str, items: list[dict[str, Any]], page: Page[Any]) -> dict[str, Any]:
    """Return one page of a list with its links."""
    limit = page.size
    links = [{"rel": "self", "href": f"{path}?limit={limit}&offset={page.offset}"}]
    if page.next is not None:
        links.append({"rel": "next", "href": f"{path}?limit={limit}&offset={page.next}"})
    if page.offset:
        links.append({"rel": "first", "href": f"{path}?limit={limit}&offset=0"})
    return {
        "links": links,
        "count": len(items),
        "hasMore": page.next is not None,
        "items": items,
        "offset": page.offset,
        "totalResults": page.total,
    }


def job(shown: Job) -> dict[str, Any]:
    """Return how far a job is; its one task has the id 1."""
    path = f"{JOB}/{shown.id}"
    words = {JobState.DONE: "succeeded", JobState.FAILED: "failed"}
    return {
        "links": _self_link(path),
        "id": shown.id,
        "completed": shown.ended,
        "progress": words.get(shown.state, "pending"),
        "task": {"items": [{"links": _self_link(f"{path}/task/1"), "id": "1"}]},
    }
