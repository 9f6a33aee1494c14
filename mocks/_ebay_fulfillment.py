"""The fulfillment service: orders as the seller sees them, shipments and refunds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.instants import to_text
from mocks import _ebay_shapes as shapes
from mocks._ebay_filters import Filter, read_filter
from mocks._ebay_orders import Fulfilment, Order, Shipment
from mocks._ebay_refunds import refund_amount
from mocks._ebay_sellers import DAY_US, Sellers
from mocks.kit.paging import every_value, own_url
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused

_ROOT = "/sell/fulfillment/v1/order"
_SPANS = ("creationdate", "lastmodifieddate")
_STATES = "orderfulfillmentstatus"
_REPEATED = "32210"


class FulfillmentService:
    """Answers what is asked about orders."""

    def __init__(self, sellers: Sellers) -> None:
        """Work for these sellers."""
        self._sellers = sellers

    # Orders

    def orders(self, call: Call) -> Answer:
        """List orders: by ids, or by a filter of which creation dates win over changes."""
        walk = self._sellers.manners.pager.open(call)
        rows = self._named(call) if "orderIds" in call.query else self._filtered(call)
        page = walk.page(rows)
        shown = shapes.page_frame(call, page)
        shown["orders"] = [self._shown(order, call) for order in page.items]
        return Answer(200, shown)

    def _named(self, call: Call) -> list[Order]:
        wanted = every_value(call.request.query, "orderIds")
        most = int(self._sellers.limits.get("order_ids_max", 50))
        if len(wanted) > most:
            raise Refused(RefusalKind.INVALID, f"orderIds takes {most} ids at most.")
        return [order for order in self._listed(call) if order.order_id in wanted]

    def _filtered(self, call: Call) -> list[Order]:
        asked = read_filter(call.query.get("filter"), spans=_SPANS, choices=(_STATES,))
        by_change = "lastmodifieddate" in asked.spans and "creationdate" not in asked.spans
        rows = [order for order in self._listed(call) if _wanted(order, asked, by_change=by_change)]
        newest_first = bool(self._sellers.settings.get("order_list_newest_first", True))

        def place(order: Order) -> tuple[int, str]:
            return (order.modified_us if by_change else order.created_us), order.order_id

        return sorted(rows, key=place, reverse=newest_first)

    def _listed(self, call: Call) -> list[Order]:
        seller = self._sellers.at(call.account, call.now_us)
        days = int(self._sellers.limits.get("order_lookback_days", 730))
        oldest_us = call.now_us - days * DAY_US
        sees = self._sellers.manners.visibility.sees
        return [
            order
            for order in seller.orders.orders.values()
            if order.paid
            and order.created_us >= oldest_us
            and sees(call, order.order_id, order.created_us)
            and sees(call, order.order_id, order.modified_us)
        ]

    def order(self, call: Call) -> Answer:
        """Read one order."""
        return Answer(200, self._shown(self._sellers.order(call), call))

    def _shown(self, order: Order, call: Call) -> dict[str, Any]:
        days = int(self._sellers.limits.get("personal_data_days", 90))
        masked = order.created_us < call.now_us - days * DAY_US
        marketplace = self._sellers.marketplace
        return shapes.order(order, call.version, call.account, marketplace, masked=masked)

    # Shipments

    def shipments(self, call: Call) -> Answer:
        """List the shipments of an order."""
        shown = [shapes.shipment(made) for made in self._sellers.order(call).shipments]
        return Answer(200, {"fulfillments": shown, "total": len(shown)})

    def shipment(self, call: Call) -> Answer:
        """Read one shipment."""
        wanted = call.path.get("fulfillmentId", "")
        for made in self._sellers.order(call).shipments:
            if made.shipment_id == wanted:
                return Answer(200, shapes.shipment(made))
        raise Refused(RefusalKind.NOT_FOUND, f"There is no shipment {wanted!r}.")

    def ship(self, call: Call) -> Answer:
        """Take a shipment; only the Location header says which one it became."""
        order = self._sellers.order(call)
        if order.cancelled:
            old = call.version == shapes.OLD_FULFILLMENT
            kind = RefusalKind.INVALID if old else RefusalKind.CONFLICT
            msg = f"Order {order.order_id} is cancelled and cannot be shipped."
            raise Refused(kind, msg, code="32300")
        items = self._read_items(order, call.body["lineItems"])
        book = self._sellers.look(call.account).orders
        tracking = call.body.get("trackingNumber")
        made_id = "".join(c for c in tracking or "" if c.isascii() and c.isalnum())
        if not made_id or any(made.shipment_id == made_id for made in order.shipments):
            made_id = book.digits(16)
        shipment = Shipment(
            made_id,
            call.body.get("shippingCarrierCode"),
            tracking,
            call.body.get("shippedDate") or to_text(call.now_us),
            items,
        )
        book.ship(order, shipment, call.now_us, call.request_id)
        path = f"{_ROOT}/{order.order_id}/shipping_fulfillment/{made_id}"
        return Answer(201, "", (("location", own_url(call, path)),))

    def _read_items(
        self, order: Order, entries: list[Mapping[str, Any]]
    ) -> tuple[tuple[str, int], ...]:
        repeat = str(self._sellers.settings.get("ship_repeat", "accept"))
        items: dict[str, int] = {}
        for entry in entries:
            line = order.line(str(entry["lineItemId"]))
            if line is None:
                msg = f"Order {order.order_id} has no line {entry['lineItemId']!r}."
                raise Refused(RefusalKind.INVALID, msg)
            if line.line_id in items:
                msg = f"Line {line.line_id} stands there twice."
                raise Refused(RefusalKind.INVALID, msg, code=_REPEATED)
            quantity = int(entry.get("quantity", line.open_quantity or line.quantity))
            if quantity > line.quantity:
                msg = f"Line {line.line_id} has {line.quantity} units, not {quantity}."
                raise Refused(RefusalKind.INVALID, msg)
            if quantity > line.open_quantity and repeat == "refuse":
                msg = f"Line {line.line_id} has {line.open_quantity} units left to ship."
                raise Refused(RefusalKind.INVALID, msg, code=_REPEATED)
            items[line.line_id] = quantity
        return tuple(items.items())

    # Refunds

    def refund(self, call: Call) -> Answer:
        """Take a refund of an order or of lines; it is paid a while later."""
        self._sellers.check_signature(call)
        order = self._sellers.order(call)
        seller = self._sellers.look(call.account)
        refund = self._sellers.refunds.ask(
            call.account,
            seller.orders,
            seller.till,
            order,
            refund_amount(order, call.body),
            reason=str(call.body["reasonForRefund"]),
            asked=call.body,
            now_us=call.now_us,
        )
        state = self._sellers.refunds.state(refund)
        return Answer(200, {"refundId": refund.refund_id, "refundStatus": state})


def _wanted(order: Order, asked: Filter, *, by_change: bool) -> bool:
    if by_change:
        dated = asked.within("lastmodifieddate", order.modified_us)
    else:
        dated = asked.within("creationdate", order.created_us)
    if not dated or _STATES not in asked.choices:
        return dated
    # A cancelled order asks for no more work, whatever has left.
    open_still = order.fulfilment is not Fulfilment.FULFILLED and not order.cancelled
    return open_still and asked.allows(_STATES, order.fulfilment.value)
