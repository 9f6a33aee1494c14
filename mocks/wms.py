"""A warehouse that keeps goods for its clients: stock, orders, parcels, receipts and returns.

Both versions of the interface stand on the same shelves. What is imitated, and what is not, stands
in ``mocks/README.md``; everything no vendor prescribes is a setting of ``behaviour.yaml``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from harness.model.instants import SECOND_US, from_text, to_text
from harness.model.values import Json
from mocks._wms_base import WarehouseBase, hex_text, topic_in
from mocks._wms_house import House
from mocks._wms_inbound import GoodsReturn, Receipt
from mocks._wms_orders import Order, Reservation, Shipment
from mocks._wms_refusals import Problem, conflict, known, unprocessable, whole
from mocks._wms_shapes import WORDS, Words, check_weight
from mocks._wms_stock import Shelf
from mocks.kit.books import BookKind
from mocks.kit.events import Subscription
from mocks.kit.paging import Walk
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused, handles

_RESERVATION_SECONDS = 1800


class Warehouse(WarehouseBase):
    """The operations. Implements the ``ErpSystem`` role for whoever counts goods."""

    system_name: ClassVar[str] = "wms"

    # Stock

    @handles("listStock")
    def list_stock(self, call: Call) -> Answer:
        """List shelves by SKU and then by location."""
        words, house = WORDS[call.version], self.house(call)
        walk = self.manners.pager.open(call)
        sku, location = walk.value("sku"), walk.value(words.location)
        since_us = _since_us(walk)
        rows = sorted(
            (
                shelf
                for _, _, shelf in house.shelves_shown[call.version].rows(call.now_us)
                if sku in (None, shelf.sku)
                and location in (None, shelf.location)
                and shelf.updated_us >= since_us
            ),
            key=_place,
        )
        page = walk.page(rows, _place)
        return Answer(200, words.listed(page, words.stock))

    @handles("adjustStock")
    def adjust_stock(self, call: Call) -> Answer:
        """Change a shelf by a difference; what stands packed cannot be counted away."""
        body, location = call.body, call.body[WORDS[call.version].location]

        def adjust(house: House) -> Shelf:
            sku, difference = body["sku"], whole(body["difference"], "difference")
            house.stock.check_location(location)
            house.stock.check_sku(sku)
            there = house.stock.find(sku, location)
            on_hand, picked = (there.on_hand, there.picked) if there is not None else (0, 0)
            if on_hand + difference < picked:
                msg = f"{sku} at {location}: {on_hand} on hand, {picked} of them picked."
                raise conflict(Problem.OUT_OF_STOCK, msg)
            shelf = house.stock.shelf(sku, location, call.now_us)
            shelf.on_hand += difference
            facts = {"location": location, "difference": difference, "reason": body["reason"]}
            house.book_stock(sku, call.now_us, call.request_id, **facts)
            return shelf

        return self.write(call, adjust, Words.stock)

    @handles("createReservation")
    def create_reservation(self, call: Call) -> Answer:
        """Set goods aside until an instant, or for the time of the settings."""
        seconds = int(self.settings.get("reservation_seconds", _RESERVATION_SECONDS))
        expires_us = call.now_us + seconds * SECOND_US
        if "expires_at" in call.body:
            expires_us = _instant_us(call.body["expires_at"], "expires_at", status=422)
        if expires_us <= call.now_us:
            raise unprocessable(Problem.VALUE_OUT_OF_RANGE, "expires_at must lie in the future.")

        def reserve(house: House) -> Reservation:
            made = f"rsv-{next(self._numbers)}"
            return house.orders.reserve(made, call.body, expires_us, call.now_us)

        return self.write(call, reserve, Words.reservation)

    @handles("getReservation")
    def get_reservation(self, call: Call) -> Answer:
        """Read a reservation."""
        found = self.house(call).orders.reservation(call.path["reservation_id"])
        return Answer(200, WORDS[call.version].reservation(found))

    @handles("releaseReservation")
    def release_reservation(self, call: Call) -> Answer:
        """Release what was set aside; a repeat is answered the same way."""
        house = self.house(call)
        found = house.orders.reservation(call.path["reservation_id"])
        house.orders.release(found, call.now_us)
        self.tell_stock(house, call.account, call.now_us)
        return Answer(204)

    # Orders

    @handles("createOrder")
    def create_order(self, call: Call) -> Answer:
        """Take an order to be sent; a reference makes one order."""

        def create(house: House) -> Order:
            number = next(self._numbers)
            made = house.orders.create(f"ord-{number}", number, call.body, call.now_us)
            kind = BookKind.SALES_ORDER_CREATED
            house.book_order(kind, made, call.now_us, call.request_id)
            return made

        return self.write(call, create, Words.order)

    @handles("listOrders")
    def list_orders(self, call: Call) -> Answer:
        """List orders by the time of their last change."""
        words, house = WORDS[call.version], self.house(call)
        walk = self.manners.pager.open(call)
        reference, state = walk.value("reference_id"), walk.value("state")
        since_us = _since_us(walk)
        rows = [
            order
            for _, _, order in house.orders_shown[call.version].rows(call.now_us)
            if order.updated_us >= since_us
            and reference in (None, order.reference)
            and (state is None or state == words.state(order))
        ]
        return Answer(200, words.listed(walk.page(*_by_change(rows)), words.order))

    @handles("getOrder")
    def get_order(self, call: Call) -> Answer:
        """Read an order."""
        order = self.house(call).orders.order(call.path["order_id"])
        return Answer(200, WORDS[call.version].order(order))

    @handles("cancelOrder")
    def cancel_order(self, call: Call) -> Answer:
        """Cancel what has not been picked; a repeat finds nothing and is refused."""
        house = self.house(call)
        order = house.orders.order(call.path["order_id"])
        house.orders.cancel(order, call.now_us)
        house.book_order(BookKind.SALES_ORDER_UPDATED, order, call.now_us, call.request_id)
        self.tell(house, call, "order.cancelled", Words.order, order)
        self.tell_stock(house, call.account, call.now_us)
        return Answer(200, WORDS[call.version].order(order))

    @handles("pickOrder")
    def pick_order(self, call: Call) -> Answer:
        """Take units of an order from a location; a short pick is told to who subscribed."""
        location = call.body[WORDS[call.version].location]

        def pick(house: House) -> Order:
            order = house.orders.order(call.path["order_id"])
            short = house.orders.pick(order, location, call.body["lines"], call.now_us)
            kind = BookKind.SALES_ORDER_UPDATED
            house.book_order(kind, order, call.now_us, call.request_id)
            if short:
                self.tell(house, call, "order.short", Words.order, order)
            return order

        return self.write(call, pick, Words.order)

    @handles("shipOrder")
    def ship_order(self, call: Call) -> Answer:
        """Hand a parcel of picked units to a carrier."""
        check_weight(call.body.get("weight", 1))

        def ship(house: House) -> Shipment:
            order = house.orders.order(call.path["order_id"])
            number = next(self._numbers)
            made = house.orders.ship(f"shp-{number}", number, order, call.body, call.now_us)
            house.book_shipment(made, call.now_us, call.request_id)
            self.tell(house, call, "order.shipped", Words.shipment, made)
            return made

        return self.write(call, ship, Words.shipment)

    @handles("listShipments")
    def list_shipments(self, call: Call) -> Answer:
        """List parcels by the time they left."""
        words, house = WORDS[call.version], self.house(call)
        walk = self.manners.pager.open(call)
        order_id, since_us = walk.value("order_id"), _since_us(walk)
        rows = [
            made
            for made in house.orders.shipments.values()
            if made.shipped_us >= since_us
            and order_id in (None, made.order.id)
            and self.manners.visibility.sees(call, made.id, made.shipped_us)
        ]
        page = walk.page(rows, lambda made: (made.shipped_us, made.number))
        return Answer(200, words.listed(page, words.shipment))

    # What comes in

    @handles("announceReceipt")
    def announce_receipt(self, call: Call) -> Answer:
        """Announce goods; they count as incoming until they arrive."""
        location = call.body[WORDS[call.version].location]

        def announce(house: House) -> Receipt:
            made = f"rcv-{next(self._numbers)}"
            return house.inbound.announce(made, location, call.body, call.now_us)

        return self.write(call, announce, Words.receipt)

    @handles("getReceipt")
    def get_receipt(self, call: Call) -> Answer:
        """Read an announcement and what has arrived of it."""
        found = self.house(call).inbound.receipt(call.path["receipt_id"])
        return Answer(200, WORDS[call.version].receipt(found))

    @handles("receiveGoods")
    def receive_goods(self, call: Call) -> Answer:
        """Count goods that have arrived."""

        def receive(house: House) -> Receipt:
            found = house.inbound.receipt(call.path["receipt_id"])
            arrived = house.inbound.receive(found, call.body["lines"], call.now_us)
            for sku, units in arrived.items():
                facts = {"location": found.location, "difference": units, "receipt": found.id}
                house.book_stock(sku, call.now_us, call.request_id, **facts)
            self.tell(house, call, "receipt.received", Words.receipt, found)
            return found

        return self.write(call, receive, Words.receipt)

    @handles("announceReturn")
    def announce_return(self, call: Call) -> Answer:
        """Announce goods that a buyer sends back."""

        def announce(house: House) -> GoodsReturn:
            number = next(self._numbers)
            return house.inbound.announce_return(f"rtn-{number}", number, call.body, call.now_us)

        return self.write(call, announce, Words.goods_return)

    @handles("listReturns")
    def list_returns(self, call: Call) -> Answer:
        """List returns by the time of their last change."""
        words, house = WORDS[call.version], self.house(call)
        walk = self.manners.pager.open(call)
        since_us, sees = _since_us(walk), self.manners.visibility.sees
        rows = [
            found
            for found in house.inbound.returns.values()
            if found.updated_us >= since_us and sees(call, found.id, found.updated_us)
        ]
        return Answer(200, words.listed(walk.page(*_by_change(rows)), words.goods_return))

    @handles("inspectReturn")
    def inspect_return(self, call: Call) -> Answer:
        """Say what state goods came back in; what is restocked may be sold again."""

        def inspect(house: House) -> GoodsReturn:
            found = house.inbound.find_return(call.path["return_id"])
            restocked = house.inbound.inspect(found, call.body["lines"], call.now_us)
            for sku, units in restocked.items():
                facts = {"difference": units, "return": found.id}
                house.book_stock(sku, call.now_us, call.request_id, **facts)
            self.tell(house, call, "return.inspected", Words.goods_return, found)
            return found

        return self.write(call, inspect, Words.goods_return)

    # Subscriptions

    @handles("listSubscriptions")
    def list_subscriptions(self, call: Call) -> Answer:
        """List all subscriptions; one that failed too often is UNHEALTHY and gets nothing."""
        mine = self.house(call).subscriptions.values()
        shown = [self._subscription(subscription) for subscription in mine]
        return Answer(200, {WORDS[call.version].rows: shown})

    @handles("createSubscription")
    def create_subscription(self, call: Call) -> Answer:
        """Subscribe an address; its events come in the version it was made with."""
        topic, url = call.body["topic"], call.body["url"]
        if not url.startswith(("http://", "https://")):
            raise unprocessable(Problem.WRONG_URL, "url must start with https:// or http://.")
        made = self.manners.events.subscribe(
            call.account,
            topic_in(call.version, topic),
            url,
            call.now_us,
            secret=hex_text(self.stream("webhook_secrets", call.account), 32),
            topic_shown=topic,
        )
        self.house(call).subscriptions[made.id] = made
        return Answer(201, {**self._subscription(made), "secret": made.secret})

    @handles("deleteSubscription")
    def delete_subscription(self, call: Call) -> Answer:
        """End a subscription, healthy or not."""
        mine, named = self.house(call).subscriptions, call.path["subscription_id"]
        known(mine, named, "subscription")
        del mine[named]
        self.manners.events.remove(named)
        return Answer(204)

    def _subscription(self, shown: Subscription) -> dict[str, Json]:
        healthy = self.manners.events.is_alive(shown)
        return {
            "id": shown.id,
            "topic": shown.facts["topic_shown"],
            "url": shown.url,
            "state": "HEALTHY" if healthy else "UNHEALTHY",
        }


def _place(shelf: Shelf) -> tuple[str, str]:
    return shelf.sku, shelf.location


def _by_change(rows: list[Any]) -> tuple[list[Any], Callable[[Any], tuple[int, int]]]:
    def place(row: Any) -> tuple[int, int]:
        return row.updated_us, row.number

    return sorted(rows, key=place), place


def _since_us(walk: Walk) -> int:
    text = walk.value("changed_since")
    return 0 if text is None else _instant_us(text, "changed_since", status=400)


def _instant_us(text: str, name: str, *, status: int) -> int:
    try:
        instant_us = from_text(text)
        to_text(instant_us)  # an offset may push it out of the years that can be written
    except (ValueError, OverflowError) as error:
        msg = f"{name} is no instant with an offset, or one beyond the calendar."
        raise Refused(RefusalKind.INVALID, msg, status=status) from error
    return instant_us
