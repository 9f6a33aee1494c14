"""Records, lists and errors in the words of each version of the interface; nothing changes here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.model.instants import to_text
from harness.model.values import Json
from mocks._wms_inbound import GoodsReturn, Receipt
from mocks._wms_orders import ON_HOLD, Order, Reservation, Shipment
from mocks._wms_refusals import Problem, unprocessable
from mocks._wms_stock import Shelf
from mocks.kit.calls import Answer, RefusalKind, Refused
from mocks.kit.paging import Page

_KILOGRAMS_A_POUND = 0.45359237
_WEIGHT_MAX = 100_000
# Lists show the same instants again and again, and writing one costs more than the rest of a row.
_text = lru_cache(maxsize=10_000)(to_text)
# Kind of refusal: status and code.
_ERRORS: Mapping[RefusalKind, tuple[int, str]] = {
    RefusalKind.UNKNOWN_PATH: (404, "NOT_FOUND"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, "METHOD_NOT_ALLOWED"),
    RefusalKind.UNAUTHENTICATED: (401, "UNAUTHORIZED"),
    RefusalKind.TOKEN_EXPIRED: (401, "UNAUTHORIZED"),
    RefusalKind.FORBIDDEN: (403, "FORBIDDEN"),
    RefusalKind.THROTTLED: (429, "TOO_MANY_REQUESTS"),
    RefusalKind.INVALID: (400, "BAD_REQUEST"),
    RefusalKind.UNSUPPORTED_MEDIA_TYPE: (415, "UNSUPPORTED_MEDIA_TYPE"),
    RefusalKind.TOO_LARGE: (413, "TOO_LARGE"),
    RefusalKind.NOT_FOUND: (404, "NOT_FOUND"),
    RefusalKind.CONFLICT: (409, "CONFLICT"),
    RefusalKind.PRECONDITION_FAILED: (412, "PRECONDITION_FAILED"),
    RefusalKind.UNAVAILABLE: (503, "UNAVAILABLE"),
    RefusalKind.INTERNAL: (500, "INTERNAL_ERROR"),
}


def error(refused: Refused, call_id: str, *, throttled_at_200: bool) -> Answer:
    """Return the list of errors of a refusal; a full window has a shape of its own."""
    status, code = _ERRORS[refused.kind]
    status = refused.status or status
    if refused.kind is RefusalKind.THROTTLED:
        body: Json = {"statusCode": status, "message": f"Too many calls: {refused.explanation}"}
        return Answer(200 if throttled_at_200 else status, body, refused.headers)
    entry = {"code": refused.code or code, "message": refused.explanation}
    return Answer(status, {"errors": [entry], "request_id": call_id}, refused.headers)


def _in_kilograms(weight: Json) -> Json:
    if isinstance(weight, Mapping):
        value = float(weight["value"])
        return round(value * _KILOGRAMS_A_POUND, 4) if weight["unit"] == "lb" else weight["value"]
    return weight


def _with_unit(weight: Json) -> Json:
    return weight if isinstance(weight, Mapping) else {"value": weight, "unit": "kg"}


@dataclass(frozen=True, slots=True)
class Words:
    """How one version of the interface says what all versions share."""

    rows: str  # the member that holds the rows of a list
    location: str
    weight: Callable[[Json], Json]
    knows_hold: bool

    def listed(self, page: Page[Any], show: Callable[[Any], Json]) -> dict[str, Json]:
        """Return one page; the last has no cursor."""
        body: dict[str, Json] = {self.rows: [show(row) for row in page.items]}
        if page.next is not None:
            body["next_cursor"] = page.next
        return body

    def stock(self, shelf: Shelf) -> dict[str, Json]:
        """Return one shelf."""
        return {
            "sku": shelf.sku,
            self.location: shelf.location,
            "on_hand": shelf.on_hand,
            "reserved": shelf.reserved,
            "available": shelf.available,
            "incoming": shelf.incoming,
            "updated_at": _text(shelf.updated_us),
        }

    def state(self, order: Order) -> str:
        """Return an order's state; a version without ON_HOLD calls it accepted."""
        state = order.state
        return "ACCEPTED" if state == ON_HOLD and not self.knows_hold else state

    def order(self, order: Order) -> dict[str, Json]:
        """Return an order with its lines."""
        shown: dict[str, Json] = {
            "id": order.id,
            "reference_id": order.reference,
            "state": self.state(order),
            "updated_at": _text(order.updated_us),
            "lines": [
                {
                    "line_id": line.line_id,
                    "line_reference": line.reference,
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "picked": line.picked,
                    "shipped": line.shipped,
                    "cancelled": line.cancelled,
                }
                for line in order.lines
            ],
        }
        if order.ship_by is not None:
            shown["ship_by"] = order.ship_by
        return shown

    def shipment(self, shipment: Shipment) -> dict[str, Json]:
        """Return a parcel; its location only when all of it came from one."""
        shown: dict[str, Json] = {
            "id": shipment.id,
            "order_id": shipment.order.id,
            "order_reference_id": shipment.order.reference,
            **shipment.facts,
            "shipped_at": _text(shipment.shipped_us),
            "lines": [
                {
                    "line_id": line.line_id,
                    "line_reference": line.reference,
                    "sku": line.sku,
                    "quantity": units,
                }
                for line, units in shipment.lines
            ],
        }
        if shipment.location:
            shown[self.location] = shipment.location
        if "weight" in shown:
            shown["weight"] = self.weight(shown["weight"])
        return shown

    def receipt(self, receipt: Receipt) -> dict[str, Json]:
        """Return an announcement and what has arrived of it."""
        shown: dict[str, Json] = {
            "id": receipt.id,
            "reference_id": receipt.reference,
            "state": receipt.state,
            self.location: receipt.location,
            "lines": [
                {"sku": sku, "expected": units, "received": receipt.received.get(sku, 0)}
                for sku, units in receipt.expected.items()
            ],
        }
        if receipt.expected_on is not None:
            shown["expected_on"] = receipt.expected_on
        return shown

    def reservation(self, shown: Reservation) -> dict[str, Json]:
        """Return a reservation."""
        return {
            "id": shown.id,
            "reference_id": shown.reference,
            "state": shown.state,
            "expires_at": _text(shown.expires_us),
            "lines": [{"sku": sku, "quantity": units} for sku, units in shown.wanted.items()],
        }

    def goods_return(self, shown: GoodsReturn) -> dict[str, Json]:
        """Return a return."""
        body: dict[str, Json] = {
            "id": shown.id,
            "reference_id": shown.reference,
            "state": shown.state,
            "updated_at": _text(shown.updated_us),
            "lines": [
                {
                    "sku": line.sku,
                    "expected": line.expected,
                    "inspected": line.inspected,
                    "restocked": line.restocked,
                    "scrapped": line.scrapped,
                }
                for line in shown.lines.values()
            ],
        }
        if shown.order_reference is not None:
            body["order_reference_id"] = shown.order_reference
        return body


WORDS: Mapping[str, Words] = {
    "2025-07": Words("data", "location_code", _in_kilograms, knows_hold=False),
    "2026-01": Words("items", "location_id", _with_unit, knows_hold=True),
}


def check_weight(weight: Json) -> None:
    """Refuse a parcel that weighs nothing, or more than any; the contracts allow both."""
    value = weight["value"] if isinstance(weight, Mapping) else weight
    if not 0 < value <= _WEIGHT_MAX:
        msg = f"A parcel weighs more than nothing and {_WEIGHT_MAX} at most."
        raise unprocessable(Problem.VALUE_OUT_OF_RANGE, msg)
