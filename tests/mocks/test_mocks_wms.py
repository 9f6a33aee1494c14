"""Proves that the warehouse keeps its promises on stock, and its own contract, in both versions.

Every request goes through the edge (routing, token, window, contract check) with answers checked
against the contract, and time moves only when a test says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US, from_text
from harness.simulation.clock import VirtualClock
from harness.simulation.streams import SeededStreams
from mocks.kit.accounts import Account
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import ErpSystem
from mocks.wms import Warehouse

NEW, OLD = "/2026-01", "/2025-07"
TO = {"name": "Zoë Example", "address1": "17 Sample Street", "city": "Springfield", "country": "US"}
CATALOG = Catalog(contracts_root())


class Client:
    """One client of one warehouse, called without an event loop: nothing waits."""

    def __init__(
        self, *, accounts: tuple[str, ...] = (), seed: int = 7, start: str = "", **settings: Any
    ) -> None:
        self.clock = VirtualClock(from_text(start or "2026-11-20T10:00:00Z"))
        self.estate = Estate(
            ["wms"],
            catalog=CATALOG,
            clock=self.clock,
            streams=SeededStreams(seed),
            settings={"wms": settings},
            accounts={"wms": [Account(name) for name in accounts]} if accounts else None,
            check_answers=True,
            latency=False,
        )
        simulator = self.estate.simulators["wms"]
        assert isinstance(simulator, Warehouse)
        self.wms = simulator
        self.account: str | None = None
        self.references = 0
        self.tokens: dict[str | None, str] = {}

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def pass_seconds(self, seconds: int) -> None:
        self.clock.advance_us(seconds * SECOND_US)

    def send(self, request: HttpRequest) -> HttpResponse:
        steps = self.estate.edges["wms"].exchange(request)
        try:
            steps.send(None)
        except StopIteration as finished:
            assert self.estate.failures == []
            response: HttpResponse = finished.value.response
            return response
        message = "an exchange without latency must not wait"
        raise AssertionError(message)

    def token(self) -> str:
        if self.account not in self.tokens:
            access = self.estate.access("wms", account=self.account)
            form = {
                "grant_type": "client_credentials",
                "client_id": access.credentials["client_id"],
                "client_secret": access.credentials["client_secret"],
            }
            headers = (("content-type", "application/x-www-form-urlencoded"),)
            body = urlencode(form).encode()
            answer = self.send(HttpRequest("POST", "/oauth/token", (), headers, body))
            assert answer.status == 200, answer.body
            self.tokens[self.account] = answer.json()["access_token"]
        return self.tokens[self.account]

    def call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> HttpResponse:
        headers = (("authorization", f"Bearer {self.token()}"),)
        pairs = tuple((query or {}).items())
        if body is None:
            return self.send(HttpRequest(method, path, pairs, headers))
        return self.send(HttpRequest.with_json(method, path, body, query=pairs, headers=headers))

    def read(self, path: str, **query: str) -> Any:
        answer = self.call("GET", path, query=query)
        assert answer.status == 200, answer.body
        return answer.json()

    def do(self, path: str, status: int = 201, **body: Any) -> Any:
        """Post with a reference of its own, and return what came back."""
        self.references += 1
        answer = self.call("POST", path, {"reference_id": f"ref-{self.references}", **body})
        assert answer.status == status, answer.body
        return answer.json()

    def refused(self, path: str, status: int, **body: Any) -> str:
        code: str = self.do(path, status, **body)["errors"][0]["code"]
        return code

    def order(self, *wanted: tuple[str, int], **more: Any) -> Any:
        return self.do(f"{NEW}/orders", ship_to=TO, lines=lines(*wanted), **more)

    def pick(self, order: Any, *units: int, location: str = "MAIN", **more: Any) -> Any:
        entries = [{**entry, **more} for entry in by_line(*units)]
        path = f"{NEW}/orders/{order['id']}/picks"
        return self.do(path, location_id=location, lines=entries)

    def ship(self, order: Any, *units: int, **more: Any) -> Any:
        path = f"{NEW}/orders/{order['id']}/shipments"
        return self.do(path, carrier="UPS", lines=by_line(*units), **more)

    def adjust(self, sku: str, difference: int, location: str = "MAIN") -> Any:
        facts: dict[str, Any] = {"sku": sku, "difference": difference, "reason": "COUNTED"}
        return self.do(f"{NEW}/stock-adjustments", location_id=location, **facts)

    def stock(self, sku: str = "MUG") -> dict[str, tuple[int, int, int]]:
        """Return (on hand, reserved, available) by location."""
        rows = self.read(f"{NEW}/stock", sku=sku)["items"]
        names = ("on_hand", "reserved", "available")
        return {row["location_id"]: tuple(row[name] for name in names) for row in rows}

    def booked(self, *kinds: BookKind) -> list[tuple[str, Any]]:
        return [(entry.key, dict(entry.data)) for entry in self.wms.books.of(*kinds)]


def lines(*wanted: tuple[str, int]) -> list[dict[str, Any]]:
    return [
        {"line_reference": f"L{at}", "sku": sku, "quantity": units}
        for at, (sku, units) in enumerate(wanted, start=1)
    ]


def by_line(*units: int) -> list[dict[str, Any]]:
    return [{"line_id": str(at), "quantity": n} for at, n in enumerate(units, start=1)]


@pytest.fixture
def client() -> Client:
    made = Client()
    made.wms.set_stock("MUG", 10, made.now_us)
    made.wms.set_stock("POT", 5, made.now_us)
    return made


def test_it_has_the_roles_of_a_warehouse(client: Client) -> None:
    assert isinstance(client.wms, ErpSystem)
    assert client.estate.access("wms").role == "wms"
    assert client.booked(BookKind.STOCK_SET)[0] == ("MUG", {"quantity": 10})
    assert client.read(f"{NEW}/stock")["items"][0]["sku"] == "MUG"


def test_an_order_goes_from_stock_to_shelf_to_parcel_in_parts(client: Client) -> None:
    order = client.order(("MUG", 3), ("POT", 1), ship_by="2026-11-23T07:59:59Z")
    assert (order["state"], order["ship_by"]) == ("ACCEPTED", "2026-11-23T07:59:59Z")
    assert client.stock() == {"MAIN": (10, 3, 7)}
    picked = client.pick(order, 2)
    assert (picked["state"], picked["lines"][0]["picked"]) == ("PICKING", 2)
    parcel = client.ship(order, 2, weight={"value": 2, "unit": "lb"}, tracking_number="1Z17")
    assert (parcel["location_id"], parcel["tracking_number"]) == ("MAIN", "1Z17")
    assert parcel["order_reference_id"] == order["reference_id"]
    assert client.stock() == {"MAIN": (8, 1, 7)}
    assert client.read(f"{NEW}/orders/{order['id']}")["state"] == "PART_SHIPPED"
    client.pick(order, 1, 1)
    client.ship(order, 1, 1)
    assert client.read(f"{NEW}/orders/{order['id']}")["state"] == "SHIPPED"
    assert client.stock() == {"MAIN": (7, 0, 7)}
    shipped = client.booked(BookKind.FULFILMENT_CREATED)
    reference = order["reference_id"]
    assert [(key, data["lines"]) for key, data in shipped] == [
        (reference, [{"sku": "MUG", "quantity": 2}]),
        (reference, [{"sku": "MUG", "quantity": 1}, {"sku": "POT", "quantity": 1}]),
    ]
    sent = client.read(f"{NEW}/shipments", order_id=order["id"])["items"]
    assert [parcel["lines"][0]["quantity"] for parcel in sent] == [2, 1]


def test_nothing_can_be_shipped_that_was_not_picked_or_picked_that_was_not_ordered(
    client: Client,
) -> None:
    order = client.order(("MUG", 2))
    parcels, picks = f"{NEW}/orders/{order['id']}/shipments", f"{NEW}/orders/{order['id']}/picks"
    one = by_line(1)
    assert client.refused(parcels, 409, carrier="UPS", lines=one) == "NOT_PICKED"
    too_many = {"location_id": "MAIN", "lines": by_line(3)}
    assert client.refused(picks, 409, **too_many) == "MORE_THAN_ORDERED"
    unknown = {"location_id": "MAIN", "lines": [{"line_id": "9", "quantity": 1}]}
    assert client.refused(picks, 422, **unknown) == "UNKNOWN_LINE"
    assert client.refused(picks, 422, location_id="MOON", lines=one) == "UNKNOWN_LOCATION"
    assert client.refused(picks, 422, location_id="MAIN", lines=one * 2) == "DUPLICATE_LINE"
    assert client.refused(picks, 409, location_id="SHOP", lines=one) == "OUT_OF_STOCK"
    full = [{"line_id": "1", "quantity": 2, "short_reason": "OTHER"}]
    assert client.refused(picks, 422, location_id="MAIN", lines=full) == "NOT_SHORT"
    assert client.stock() == {"MAIN": (10, 2, 8)}


def test_what_is_picked_stays_and_the_rest_can_be_cancelled_once(client: Client) -> None:
    order = client.order(("MUG", 3))
    client.pick(order, 1)
    path = f"{NEW}/orders/{order['id']}/cancellation"
    cancelled = client.call("POST", path)
    assert (cancelled.status, cancelled.json()["lines"][0]["cancelled"]) == (200, 2)
    assert client.stock() == {"MAIN": (10, 1, 9)}
    again = client.call("POST", path)
    assert (again.status, again.json()["errors"][0]["code"]) == (409, "NOTHING_TO_CANCEL")
    client.ship(order, 1)
    assert client.read(f"{NEW}/orders/{order['id']}")["state"] == "SHIPPED"
    whole = client.order(("POT", 5))
    gone = client.call("POST", f"{NEW}/orders/{whole['id']}/cancellation").json()
    assert (gone["state"], client.wms.available("POT")) == ("CANCELLED", 5)
    assert client.booked(BookKind.SALES_ORDER_UPDATED)[-1][1]["lines"] == [
        {"sku": "POT", "quantity": 0}
    ]


@pytest.mark.parametrize(("manner", "cancelled"), [("keep_open", 0), ("cancel", 2)])
def test_a_short_pick_leaves_the_rest_open_or_cancels_it(manner: str, cancelled: int) -> None:
    client = Client(short_pick=manner)
    client.wms.set_stock("MUG", 3, client.now_us)
    order = client.order(("MUG", 3))
    shown = client.pick(order, 1, short_reason="NOT_FOUND")
    assert shown["lines"][0] == {
        "line_id": "1",
        "line_reference": "L1",
        "sku": "MUG",
        "quantity": 3,
        "picked": 1,
        "shipped": 0,
        "cancelled": cancelled,
    }
    assert client.wms.available("MUG") == cancelled


def test_what_is_short_is_refused_as_a_whole(client: Client) -> None:
    entries = lines(("MUG", 6), ("MUG", 5))
    body = {"ship_to": TO, "lines": entries}
    assert client.refused(f"{NEW}/orders", 409, **body) == "OUT_OF_STOCK"
    goods = [{"sku": "MUG", "quantity": 1}, {"sku": "POT", "quantity": 6}]
    assert client.refused(f"{NEW}/reservations", 409, lines=goods) == "OUT_OF_STOCK"
    assert client.booked(BookKind.SALES_ORDER_CREATED) == []
    assert (client.stock(), client.wms.available("POT")) == ({"MAIN": (10, 0, 10)}, 5)
    body["lines"] = lines(("GHOST", 1))
    assert client.refused(f"{NEW}/orders", 422, **body) == "UNKNOWN_SKU"
    body["lines"] = [*lines(("MUG", 1)), *lines(("POT", 1))]
    assert client.refused(f"{NEW}/orders", 422, **body) == "DUPLICATE_LINE"


def test_a_short_order_waits_for_goods_where_the_setting_says_so() -> None:
    client = Client(short_order="hold")
    client.wms.set_stock("MUG", 1, client.now_us)
    order = client.order(("MUG", 3))
    assert order["state"] == "ON_HOLD"
    assert client.wms.available("MUG") == 1
    old = client.read(f"{OLD}/orders", state="ACCEPTED")["data"]
    assert [row["state"] for row in old] == ["ACCEPTED"]
    path = f"{NEW}/orders/{order['id']}/picks"
    wanted = {"location_id": "MAIN", "lines": by_line(1)}
    assert client.refused(path, 409, **wanted) == "ORDER_ON_HOLD"
    client.adjust("MUG", 2, "SHOP")
    assert client.read(f"{NEW}/orders/{order['id']}")["state"] == "ACCEPTED"
    assert client.stock() == {"MAIN": (1, 1, 0), "SHOP": (2, 2, 0)}
    other = client.order(("MUG", 1))
    gone = client.call("POST", f"{NEW}/orders/{other['id']}/cancellation").json()
    assert gone["state"] == "CANCELLED"


def test_a_reservation_holds_until_it_is_used_released_or_over(client: Client) -> None:
    def reserve(**more: Any) -> Any:
        goods = [{"sku": "MUG", "quantity": 4}]
        return client.do(f"{NEW}/reservations", lines=goods, **more)

    def state(reservation: Any) -> str:
        found: str = client.read(f"{NEW}/reservations/{reservation['id']}")["state"]
        return found

    used, released, over = reserve(), reserve(), None
    assert (used["state"], used["expires_at"]) == ("HELD", "2026-11-20T10:30:00.000Z")
    assert client.wms.available("MUG") == 2
    order = client.order(("MUG", 5), reservation_id=used["id"])
    assert (state(used), client.wms.available("MUG")) == ("USED", 1)
    path = f"{NEW}/reservations/{released['id']}"
    assert [client.call("DELETE", path).status for _ in range(2)] == [204, 204]
    assert (state(released), client.wms.available("MUG")) == ("RELEASED", 5)
    assert client.call("DELETE", f"{NEW}/reservations/{used['id']}").status == 409
    again = {"ship_to": TO, "lines": lines(("POT", 1)), "reservation_id": used["id"]}
    assert client.refused(f"{NEW}/orders", 409, **again) == "RESERVATION_NOT_HELD"
    again["reservation_id"] = "rsv-0"
    assert client.refused(f"{NEW}/orders", 422, **again) == "UNKNOWN_RESERVATION"
    over = reserve(expires_at="2026-11-20T10:00:30Z")
    client.pass_seconds(30)
    assert (client.stock(), state(over)) == ({"MAIN": (10, 5, 5)}, "EXPIRED")
    assert client.call("DELETE", f"{NEW}/reservations/{over['id']}").status == 204
    goods = [{"sku": "MUG", "quantity": 1}]
    past = {"lines": goods, "expires_at": "2026-11-20T10:00:30Z"}
    assert client.refused(f"{NEW}/reservations", 422, **past) == "VALUE_OUT_OF_RANGE"
    assert client.read(f"{NEW}/orders/{order['id']}")["state"] == "ACCEPTED"


def test_units_are_picked_where_they_lie_not_where_they_were_promised(client: Client) -> None:
    client.adjust("MUG", 4, "SHOP")
    first, second = client.order(("MUG", 10)), client.order(("MUG", 4))
    assert client.stock() == {"MAIN": (10, 10, 0), "SHOP": (4, 4, 0)}
    client.pick(second, 4, location="MAIN")
    assert client.wms.available("MUG") == 0
    body = {"ship_to": TO, "lines": lines(("MUG", 1))}
    assert client.refused(f"{NEW}/orders", 409, **body) == "OUT_OF_STOCK"
    client.pick(first, 6, location="MAIN")
    client.pick(first, 4, location="SHOP")
    assert "location_id" not in client.ship(first, 10)
    assert client.ship(second, 4)["location_id"] == "MAIN"
    assert client.stock() == {"MAIN": (0, 0, 0), "SHOP": (0, 0, 0)}


def test_what_stands_packed_cannot_be_counted_away(client: Client) -> None:
    client.pick(client.order(("MUG", 3)), 3)
    facts: dict[str, Any] = {"sku": "MUG", "location_id": "MAIN", "reason": "LOST"}
    path = f"{NEW}/stock-adjustments"
    assert client.refused(path, 409, difference=-8, **facts) == "OUT_OF_STOCK"
    assert client.do(path, difference=-7, **facts)["on_hand"] == 3
    assert client.refused(path, 422, difference=10**12, **facts) == "VALUE_OUT_OF_RANGE"
    facts["sku"] = "GHOST"
    assert client.refused(path, 422, difference=1, **facts) == "UNKNOWN_SKU"
    counted = client.booked(BookKind.STOCK_SET)[-1]
    assert counted == (
        "MUG",
        {"quantity": 0, "location": "MAIN", "difference": -7, "reason": "LOST"},
    )
    client.wms.set_stock("MUG", 2, client.now_us)
    assert client.stock() == {"MAIN": (5, 3, 2)}


def test_goods_announced_are_incoming_until_they_arrive(client: Client) -> None:
    goods = [{"sku": "NEW-ONE", "quantity": 24}]
    made = client.do(f"{NEW}/receipts", location_id="MAIN", lines=goods, expected_on="2026-11-27")
    assert (made["state"], made["expected_on"]) == ("ANNOUNCED", "2026-11-27")
    assert client.read(f"{NEW}/stock", sku="NEW-ONE")["items"][0]["incoming"] == 24
    path = f"{NEW}/receipts/{made['id']}/arrivals"
    part = client.do(path, lines=[{"sku": "NEW-ONE", "quantity": 20}])
    assert (part["state"], part["lines"][0]["received"]) == ("PART_RECEIVED", 20)
    assert client.refused(path, 422, lines=[{"sku": "MUG", "quantity": 1}]) == "UNKNOWN_LINE"
    more = client.do(path, lines=[{"sku": "NEW-ONE", "quantity": 5}])
    assert more == client.read(f"{NEW}/receipts/{made['id']}")
    assert (more["state"], more["lines"][0]["received"]) == ("RECEIVED", 25)
    row = client.read(f"{NEW}/stock", sku="NEW-ONE")["items"][0]
    assert (row["on_hand"], row["incoming"]) == (25, 0)
    elsewhere = {"location_id": "MOON", "lines": goods}
    assert client.refused(f"{NEW}/receipts", 422, **elsewhere) == "UNKNOWN_LOCATION"


def test_a_return_is_inspected_and_only_good_units_go_back_on_the_shelf(client: Client) -> None:
    order = client.order(("MUG", 4))
    client.pick(order, 4)
    client.ship(order, 4)
    back = {"order_reference_id": order["reference_id"], "lines": [{"sku": "MUG", "quantity": 3}]}
    made = client.do(f"{NEW}/returns", **back)
    assert client.refused(f"{NEW}/returns", 409, **back) == "NOT_SHIPPED"
    path = f"{NEW}/returns/{made['id']}/inspections"

    def judged(units: int, condition: str, disposition: str) -> dict[str, Any]:
        facts = {"condition": condition, "disposition": disposition}
        return {"sku": "MUG", "quantity": units, **facts}

    part = client.do(path, lines=[judged(1, "AS_NEW", "RESTOCK")])
    assert (part["state"], client.wms.available("MUG")) == ("ARRIVED", 7)
    wrong = [judged(1, "WRONG_ITEM", "RESTOCK")]
    assert client.refused(path, 422, lines=wrong) == "WRONG_DISPOSITION"
    many = [judged(2, "AS_NEW", "RESTOCK"), judged(1, "DAMAGED", "SCRAP")]
    assert client.refused(path, 409, lines=many) == "MORE_THAN_ANNOUNCED"
    rest = [judged(1, "DAMAGED", "SCRAP"), judged(1, "OPENED", "SUPPLIER")]
    client.pass_seconds(60)
    client.do(path, lines=rest)
    (done,) = client.read(f"{NEW}/returns", changed_since="2026-11-20T10:01:00Z")["items"]
    assert done["state"] == "INSPECTED"
    assert done["lines"] == [
        {"sku": "MUG", "expected": 3, "inspected": 3, "restocked": 1, "scrapped": 1}
    ]
    assert client.stock() == {"MAIN": (7, 0, 7)}
    back["order_reference_id"] = "nobody"
    assert client.refused(f"{NEW}/returns", 422, **back) == "UNKNOWN_ORDER"
    loose = client.do(f"{NEW}/returns", lines=[{"sku": "POT", "quantity": 1, "reason": "X"}])
    assert (loose["state"], "order_reference_id" in loose) == ("ANNOUNCED", False)
