"""Proves that the Amazon simulator keeps the published manners and its own contract.

Every request goes through the edge (routing, token, quota, contract check) with answers checked
against the contract, and time moves only when a test says so.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US, from_text, to_text
from harness.model.ports import SystemAccess
from harness.simulation.clock import VirtualClock
from harness.simulation.streams import SeededStreams
from mocks.amazon_spapi import AmazonSellingPartnerApi
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import DraftLine, OrderDraft, OutOfStock, SalesChannel

START = "2026-11-20T10:00:00Z"
EVERYTHING = "BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,PACKAGES"


class Seller:
    """One estate with one Amazon, called without an event loop: with latency off nothing waits."""

    def __init__(self, *, seed: int = 7, **settings: Any) -> None:
        self.clock = VirtualClock(from_text(START))
        self.estate = Estate(
            ["amazon_spapi"],
            catalog=Catalog(contracts_root()),
            clock=self.clock,
            streams=SeededStreams(seed),
            settings={"amazon_spapi": settings},
            check_answers=True,
            latency=False,
        )
        simulator = self.estate.simulators["amazon_spapi"]
        assert isinstance(simulator, AmazonSellingPartnerApi)
        self.amazon = simulator
        self.access: SystemAccess = self.estate.access("amazon_spapi")
        self.token = ""

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def pass_seconds(self, seconds: int) -> None:
        self.clock.advance_us(seconds * SECOND_US)

    def send(self, request: HttpRequest) -> HttpResponse:
        steps = self.estate.edges["amazon_spapi"].exchange(request)
        try:
            steps.send(None)
        except StopIteration as finished:
            assert self.estate.failures == []
            response: HttpResponse = finished.value.response
            return response
        message = "an exchange without latency must not wait"
        raise AssertionError(message)

    def log_in(self) -> None:
        secrets = self.access.credentials
        form = "&".join(
            f"{name}={secrets[name].replace('|', '%7C')}"
            for name in ("client_id", "client_secret", "refresh_token")
        )
        request = HttpRequest(
            "POST",
            "/auth/o2/token",
            headers=(("content-type", "application/x-www-form-urlencoded"),),
            body=f"grant_type=refresh_token&{form}".encode(),
        )
        response = self.send(request)
        assert response.status == 200, response.body
        self.token = response.json()["access_token"]

    def call(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None
    ) -> HttpResponse:
        if not self.token:
            self.log_in()
        pairs = tuple((query or {}).items())
        headers = (("x-amz-access-token", self.token),)
        if body is None:
            return self.send(HttpRequest(method, path, pairs, headers))
        return self.send(HttpRequest.with_json(method, path, body, query=pairs, headers=headers))

    def get(self, path: str, **query: str) -> Any:
        response = self.call("GET", path, query)
        assert response.status == 200, response.body
        return response.json()

    def refusal(self, path: str, **query: str) -> tuple[int, str]:
        response = self.call("GET", path, query)
        return response.status, response.json()["errors"][0]["code"]

    def order(self, *lines: tuple[str, int, str], pending: bool = False) -> str:
        draft = OrderDraft(
            tuple(
                DraftLine(s, q, p, f"Title of {s}") for s, q, p in lines or (("MUG", 2, "9.99"),)
            ),
            "USD",
            "Ada Example",
            "Springfield",
            "US",
            "12345",
            pending=pending,
        )
        for sku, quantity, _ in lines or (("MUG", 2, ""),):
            self.amazon.list_sku(sku, quantity + 10, self.now_us)
        return self.amazon.place_order(draft, self.now_us)

    def confirm(self, order_id: str, reference: str, quantity: int) -> HttpResponse:
        item = self.amazon.shop.orders[order_id].items[0]
        package = {
            "packageReferenceId": reference,
            "carrierCode": "UPS",
            "trackingNumber": "1Z1",
            "shipDate": to_text(self.now_us),
            "orderItems": [{"orderItemId": item.item_id, "quantity": quantity}],
        }
        body = {"marketplaceId": self.amazon.marketplace_id, "packageDetail": package}
        return self.call("POST", f"/orders/v0/orders/{order_id}/shipmentConfirmation", body=body)

    def patch(self, sku: str, path: str, value: Any, **query: str) -> HttpResponse:
        body = {
            "productType": "PRODUCT",
            "patches": [{"op": "replace", "path": path, "value": value}],
        }
        query = {"marketplaceIds": self.amazon.marketplace_id, **query}
        return self.call(
            "PATCH", f"/listings/2021-08-01/items/{self.amazon.seller_id}/{sku}", query, body
        )

    def publish(self, sku: str, quantity: int, **query: str) -> HttpResponse:
        value = [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]
        return self.patch(sku, "/attributes/fulfillment_availability", value, **query)


@pytest.fixture
def seller() -> Seller:
    return Seller()


def test_it_is_a_sales_channel(seller: Seller) -> None:
    assert isinstance(seller.amazon, SalesChannel)
    assert seller.access.role == "channel"


def test_both_order_versions_tell_of_the_same_order(seller: Seller) -> None:
    order_id = seller.order(("MUG", 2, "9.99"), ("POT", 1, "20.00"))
    seller.pass_seconds(121)
    since = "2026-11-20T09:00:00Z"
    old = seller.get(
        "/orders/v0/orders", MarketplaceIds=seller.amazon.marketplace_id, CreatedAfter=since
    )["payload"]
    new = seller.get("/orders/2026-01-01/orders", createdAfter=since, includedData=EVERYTHING)
    assert [o["AmazonOrderId"] for o in old["Orders"]] == [order_id]
    assert [o["orderId"] for o in new["orders"]] == [order_id]
    assert old["Orders"][0]["OrderTotal"] == {"CurrencyCode": "USD", "Amount": "39.98"}
    assert new["orders"][0]["proceeds"]["grandTotal"] == {"amount": "39.98", "currencyCode": "USD"}
    assert "payload" not in new
    assert old["CreatedBefore"] == new["createdBefore"] == "2026-11-20T10:00:01.000Z"
    items = seller.get(f"/orders/v0/orders/{order_id}/orderItems")["payload"]["OrderItems"]
    assert [(i["SellerSKU"], i["ItemPrice"]["Amount"]) for i in items] == [
        ("MUG", "19.98"),
        ("POT", "20.00"),
    ]
    single = seller.get(f"/orders/v0/orders/{order_id}")["payload"]
    assert single == old["Orders"][0]
    assert [i["orderItemId"] for i in new["orders"][0]["orderItems"]] == [
        i["OrderItemId"] for i in items
    ]


def test_an_order_is_not_listed_before_the_high_water_mark_passes_it(seller: Seller) -> None:
    seller.order()
    seller.pass_seconds(119)
    found = seller.get("/orders/2026-01-01/orders", lastUpdatedAfter="2026-11-20T09:00:00Z")
    assert found["orders"] == []
    assert found["lastUpdatedBefore"] == "2026-11-20T09:59:59.000Z"
    seller.pass_seconds(1)
    found = seller.get("/orders/2026-01-01/orders", lastUpdatedAfter="2026-11-20T09:00:00Z")
    assert len(found["orders"]) == 1


def test_a_read_view_that_lags_hides_orders_below_the_mark() -> None:
    seller = Seller(list_lag_seconds=600)
    seller.order()
    seller.pass_seconds(599)
    since = "2026-11-20T09:00:00Z"
    assert seller.get("/orders/2026-01-01/orders", createdAfter=since)["orders"] == []
    seller.pass_seconds(1)
    assert len(seller.get("/orders/2026-01-01/orders", createdAfter=since)["orders"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": "2026-11-20T09:00:00Z", "lastUpdatedAfter": "2026-11-20T09:00:00Z"},
        {"createdAfter": "2026-11-20T09:00:00Z", "createdBefore": "2026-11-20T09:58:01Z"},
        {"createdAfter": "2026-11-20T09:00:00Z", "lastUpdatedBefore": "2026-11-20T09:10:00Z"},
        {"createdAfter": "2026-11-20T10:00:01Z"},
        {"createdAfter": "2026-11-20T09:00:00Z", "createdBefore": "2026-11-20T08:00:00Z"},
        {"paginationToken": "not-a-token"},
        {"createdAfter": "yesterday"},
    ],
)
def test_a_search_that_breaks_a_rule_is_refused(seller: Seller, query: dict[str, str]) -> None:
    assert seller.refusal("/orders/2026-01-01/orders", **query) == (400, "InvalidInput")


def test_the_old_list_needs_a_marketplace_and_a_window(seller: Seller) -> None:
    since = "2026-11-20T09:00:00Z"
    assert seller.refusal("/orders/v0/orders", CreatedAfter=since) == (400, "InvalidInput")
    here = seller.amazon.marketplace_id
    assert seller.refusal("/orders/v0/orders", MarketplaceIds=here) == (400, "InvalidInput")


def test_filters_choose_orders(seller: Seller) -> None:
    pending = seller.order(pending=True)
    shipped = seller.order()
    seller.confirm(shipped, "1", 2)
    seller.pass_seconds(300)
    here, since = seller.amazon.marketplace_id, "2026-11-20T09:00:00Z"

    def old(**filters: str) -> list[str]:
        answer = seller.get("/orders/v0/orders", MarketplaceIds=here, CreatedAfter=since, **filters)
        return [o["AmazonOrderId"] for o in answer["payload"]["Orders"]]

    def new(**filters: str) -> list[str]:
        answer = seller.get("/orders/2026-01-01/orders", createdAfter=since, **filters)
        return [o["orderId"] for o in answer["orders"]]

    assert old(OrderStatuses="Shipped,Canceled") == [shipped]
    assert old(AmazonOrderIds=pending) == [pending]
    assert old(FulfillmentChannels="AFN") == []
    assert new(fulfillmentStatuses="PENDING") == [pending]
    assert new(fulfilledBy="AMAZON") == []
    assert new(marketplaceIds="ELSEWHERE") == []


def test_a_walk_neither_repeats_nor_misses_when_orders_change_meanwhile(seller: Seller) -> None:
    placed = []
    for _ in range(7):
        placed.append(seller.order())
        seller.pass_seconds(1)
    seller.pass_seconds(120)
    query = {"createdAfter": "2026-11-20T09:00:00Z", "maxResultsPerPage": "2"}
    seen: list[str] = []
    token: str | None = None
    pages = 0
    while True:
        step = {**query, "paginationToken": token} if token else query
        page = seller.get("/orders/2026-01-01/orders", **step)
        seen += [o["orderId"] for o in page["orders"]]
        pages += 1
        seller.amazon.cancel_order(placed[pages], seller.now_us)
        seller.order()
        seller.pass_seconds(400)
        token = page.get("pagination", {}).get("nextToken")
        if token is None:
            break
    assert seen == placed
    assert pages == 4


def test_a_walk_by_update_leaves_a_changed_order_to_the_next_window(seller: Seller) -> None:
    placed = [seller.order() for _ in range(4)]
    seller.pass_seconds(200)
    since = "2026-11-20T09:00:00Z"
    first = seller.get("/orders/2026-01-01/orders", lastUpdatedAfter=since, maxResultsPerPage="2")
    later = [i for i in sorted(placed) if i not in {o["orderId"] for o in first["orders"]}]
    seller.amazon.cancel_order(later[0], seller.now_us)
    seller.pass_seconds(300)
    token = first["pagination"]["nextToken"]
    rest = seller.get("/orders/2026-01-01/orders", paginationToken=token)
    assert [o["orderId"] for o in rest["orders"]] == later[1:]
    assert rest["lastUpdatedBefore"] == first["lastUpdatedBefore"]
    following = seller.get("/orders/2026-01-01/orders", lastUpdatedAfter=first["lastUpdatedBefore"])
    assert [o["orderId"] for o in following["orders"]] == [later[0]]


def test_a_token_belongs_to_its_query_its_operation_and_its_day(seller: Seller) -> None:
    for _ in range(3):
        seller.order()
    seller.pass_seconds(200)
    here, since = seller.amazon.marketplace_id, "2026-11-20T09:00:00Z"
    page = seller.get("/orders/2026-01-01/orders", createdAfter=since, maxResultsPerPage="1")
    token = page["pagination"]["nextToken"]
    path = "/orders/2026-01-01/orders"
    changed = {"paginationToken": token, "createdAfter": "2026-11-20T08:00:00Z"}
    assert seller.refusal(path, **changed) == (400, "InvalidInput")
    assert seller.refusal(path, paginationToken=token[:-4] + "AAA=") == (400, "InvalidInput")
    other = {"MarketplaceIds": here, "NextToken": token}
    assert seller.refusal("/orders/v0/orders", **other) == (400, "InvalidInput")
    assert len(seller.get(path, paginationToken=token)["orders"]) == 1
    seller.pass_seconds(86_400)
    seller.log_in()
    assert seller.refusal(path, paginationToken=token) == (400, "InvalidInput")


def test_tokens_can_be_for_one_use_only() -> None:
    seller = Seller(paging_token_reuse=False)
    for _ in range(2):
        seller.order()
    seller.pass_seconds(200)
    path = "/orders/2026-01-01/orders"
    page = seller.get(path, createdAfter="2026-11-20T09:00:00Z", maxResultsPerPage="1")
    token = page["pagination"]["nextToken"]
    assert len(seller.get(path, paginationToken=token)["orders"]) == 1
    assert seller.refusal(path, paginationToken=token) == (400, "InvalidInput")


def test_lines_come_in_pages_too() -> None:
    seller = Seller(order_items_per_page=2)
    order_id = seller.order(("A", 1, "1"), ("B", 1, "1"), ("C", 1, "1"))
    other = seller.order()
    path = f"/orders/v0/orders/{order_id}/orderItems"
    first = seller.get(path)["payload"]
    second = seller.get(path, NextToken=first["NextToken"])["payload"]
    skus = [i["SellerSKU"] for i in first["OrderItems"] + second["OrderItems"]]
    assert skus == ["A", "B", "C"]
    assert "NextToken" not in second
    elsewhere = f"/orders/v0/orders/{other}/orderItems"
    assert seller.refusal(elsewhere, NextToken=first["NextToken"]) == (400, "InvalidInput")


def test_a_pending_order_shows_no_money_until_it_is_released(seller: Seller) -> None:
    order_id = seller.order(pending=True)
    old = seller.get(f"/orders/v0/orders/{order_id}")["payload"]
    assert old["OrderStatus"] == "Pending"
    assert "OrderTotal" not in old
    assert "ShippingAddress" not in old
    item = seller.get(f"/orders/v0/orders/{order_id}/orderItems")["payload"]["OrderItems"][0]
    assert "ItemPrice" not in item
    path = f"/orders/2026-01-01/orders/{order_id}"
    new = seller.get(path, includedData=EVERYTHING)["order"]
    assert "proceeds" not in new
    assert "price" not in new["orderItems"][0]["product"]
    seller.pass_seconds(60)
    seller.amazon.release_order(order_id, seller.now_us)
    new = seller.get(path, includedData=EVERYTHING)["order"]
    assert new["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert new["lastUpdatedTime"] == "2026-11-20T10:01:00.000Z"
    assert new["orderItems"][0]["product"]["price"]["unitPrice"]["amount"] == "9.99"


def test_buyers_appear_only_when_asked_for(seller: Seller) -> None:
    order_id = seller.order()
    bare = seller.get(f"/orders/2026-01-01/orders/{order_id}")["order"]
    assert sorted(bare) == [
        "createdTime",
        "lastUpdatedTime",
        "orderId",
        "orderItems",
        "salesChannel",
    ]
    full = seller.get(f"/orders/2026-01-01/orders/{order_id}", includedData=EVERYTHING)["order"]
    assert full["buyer"]["buyerName"] == "Ada Example"


def test_shipping_in_parts_moves_the_order_on(seller: Seller) -> None:
    order_id = seller.order(("MUG", 3, "9.99"))
    assert seller.confirm(order_id, "1", 1).status == 204
    assert (
        seller.get(f"/orders/v0/orders/{order_id}")["payload"]["OrderStatus"] == "PartiallyShipped"
    )
    assert seller.confirm(order_id, "2", 3).status == 400
    assert seller.confirm(order_id, "2", 2).status == 204
    shown = seller.get(f"/orders/2026-01-01/orders/{order_id}", includedData=EVERYTHING)["order"]
    assert shown["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert [p["packageReferenceId"] for p in shown["packages"]] == ["1", "2"]
    booked = list(seller.amazon.books.of(BookKind.SHIPMENT_CONFIRMED))
    assert [(e.key, e.data["package"]) for e in booked] == [(order_id, "1"), (order_id, "2")]


@pytest.mark.parametrize(("setting", "status", "entries"), [("accept", 204, 2), ("refuse", 400, 1)])
def test_a_repeated_package_does_what_the_setting_says(
    setting: str, status: int, entries: int
) -> None:
    seller = Seller(confirm_shipment_repeat=setting)
    order_id = seller.order(("MUG", 3, "9.99"))
    assert seller.confirm(order_id, "1", 1).status == 204
    assert seller.confirm(order_id, "1", 1).status == status
    assert len(list(seller.amazon.books.of(BookKind.SHIPMENT_CONFIRMED))) == entries
    assert seller.amazon.shop.orders[order_id].items[0].shipped == 1


def test_a_cancelled_order_cannot_be_shipped(seller: Seller) -> None:
    order_id = seller.order()
    seller.amazon.cancel_order(order_id, seller.now_us)
    assert seller.confirm(order_id, "1", 1).status == 400
    assert seller.amazon.listed_quantity("MUG") == 12


def test_buying_lowers_what_is_listed_and_an_empty_listing_takes_no_order(seller: Seller) -> None:
    line = DraftLine("MUG", 2, "9.99", "Mug")
    draft = OrderDraft((line, line), "USD", "Ada", "Springfield", "US", "12345")
    with pytest.raises(OutOfStock, match="not on offer"):
        seller.amazon.place_order(draft, seller.now_us)
    seller.amazon.list_sku("MUG", 5, seller.now_us)
    seller.amazon.place_order(draft, seller.now_us)
    assert seller.amazon.listed_quantity("MUG") == 1
    with pytest.raises(OutOfStock, match="has 1 left, 4 wanted"):
        seller.amazon.place_order(draft, seller.now_us)
    assert len(list(seller.amazon.books.of(BookKind.ORDER_PLACED))) == 1


def test_a_published_quantity_is_booked_and_seen_by_buyers(seller: Seller) -> None:
    seller.amazon.list_sku("MUG", 5, seller.now_us)
    answer = seller.publish("MUG", 3)
    assert answer.json()["status"] == "ACCEPTED"
    assert seller.amazon.listed_quantity("MUG") == 3
    (entry,) = seller.amazon.books.of(BookKind.QUANTITY_PUBLISHED)
    assert (entry.key, entry.data) == ("MUG", {"quantity": 3})
    assert entry.request_id is not None
    path = f"/listings/2021-08-01/items/{seller.amazon.seller_id}/MUG"
    shown = seller.get(
        path,
        marketplaceIds=seller.amazon.marketplace_id,
        includedData="attributes,fulfillmentAvailability",
    )
    assert shown["fulfillmentAvailability"][0]["quantity"] == 3


def test_a_published_price_is_booked(seller: Seller) -> None:
    seller.amazon.list_sku("MUG", 5, seller.now_us)
    offer = {"currency": "USD", "our_price": [{"schedule": [{"value_with_tax": 12.5}]}]}
    assert seller.patch("MUG", "/attributes/purchasable_offer", [offer]).status == 200
    (entry,) = seller.amazon.books.of(BookKind.PRICE_PUBLISHED)
    assert entry.data == {"amount": "12.5", "currency": "USD"}


def test_accepted_only_means_queued() -> None:
    seller = Seller(listing_apply_seconds=30)
    seller.amazon.list_sku("MUG", 5, seller.now_us)
    assert seller.publish("MUG", 3).json()["status"] == "ACCEPTED"
    assert seller.amazon.listed_quantity("MUG") == 5
    seller.pass_seconds(31)
    seller.publish("MUG", 4)
    assert seller.amazon.listed_quantity("MUG") == 3
    (entry,) = seller.amazon.books.of(BookKind.QUANTITY_PUBLISHED)
    assert entry.at_us == from_text("2026-11-20T10:00:30Z")


def test_a_preview_changes_nothing(seller: Seller) -> None:
    seller.amazon.list_sku("MUG", 5, seller.now_us)
    assert seller.publish("MUG", 3, mode="VALIDATION_PREVIEW").json()["status"] == "VALID"
    assert seller.amazon.listed_quantity("MUG") == 5


def test_a_patch_the_simulator_does_not_imitate_is_invalid_and_says_so(seller: Seller) -> None:
    seller.amazon.list_sku("MUG", 5, seller.now_us)
    answer = seller.patch("MUG", "/attributes/colour", [{"value": "blue"}]).json()
    assert answer["status"] == "INVALID"
    assert "imitates" in answer["issues"][0]["message"]
    assert seller.publish("MUG", -1).json()["status"] == "INVALID"
    assert list(seller.amazon.books.of(BookKind.QUANTITY_PUBLISHED)) == []


@pytest.mark.parametrize(("setting", "status"), [("refuse", 404), ("accept", 200)])
def test_an_unknown_sku_does_what_the_setting_says(setting: str, status: int) -> None:
    seller = Seller(unknown_sku=setting)
    assert seller.publish("GHOST", 3).status == status
    assert seller.amazon.listed_quantity("GHOST") is None
    assert list(seller.amazon.books.of(BookKind.QUANTITY_PUBLISHED)) == []


def test_a_seller_reaches_only_its_own_listings(seller: Seller) -> None:
    here = seller.amazon.marketplace_id
    path = "/listings/2021-08-01/items/SOMEBODY/MUG"
    assert seller.refusal(path, marketplaceIds=here)[0] == 403
    own = f"/listings/2021-08-01/items/{seller.amazon.seller_id}/MUG"
    assert seller.refusal(own, marketplaceIds=here) == (404, "NotFound")
    assert seller.refusal(own, marketplaceIds="ELSEWHERE") == (400, "InvalidInput")


def test_answers_carry_the_published_headers(seller: Seller) -> None:
    answer = seller.call("GET", "/orders/v0/orders/111-1111111-1111111")
    assert answer.status == 404
    assert answer.header("x-amzn-requestid")
    assert answer.header("x-amzn-ratelimit-limit") == "0.5"
    assert answer.header("x-amzn-errortype") == "NotFound"
    assert answer.json()["errors"][0]["code"] == "NotFound"


def test_the_twenty_first_list_in_a_row_is_throttled_without_a_promise(seller: Seller) -> None:
    since = "2026-11-20T09:00:00Z"
    for _ in range(20):
        seller.get("/orders/2026-01-01/orders", createdAfter=since)
    refused = seller.call("GET", "/orders/2026-01-01/orders", {"createdAfter": since})
    assert refused.status == 429
    error = refused.json()["errors"][0]
    assert (error["code"], error["details"]) == ("QuotaExceeded", "")
    assert refused.header("retry-after") is None
    assert refused.header("x-amzn-ratelimit-limit") is None
    seller.pass_seconds(179)
    assert seller.get("/orders/2026-01-01/orders", createdAfter=since)["orders"] == []


def test_an_old_access_token_is_refused_in_amazons_words(seller: Seller) -> None:
    seller.log_in()
    seller.pass_seconds(3600)
    path = "/orders/v0/orders/111-1111111-1111111"
    assert seller.refusal(path) == (401, "Unauthorized")


def test_ids_and_answers_repeat_with_the_seed() -> None:
    def story(seed: int) -> tuple[str, bytes]:
        seller = Seller(seed=seed)
        order_id = seller.order()
        return order_id, seller.call("GET", f"/orders/v0/orders/{order_id}").body

    assert story(3) == story(3)
    assert story(3)[0] != story(4)[0]
