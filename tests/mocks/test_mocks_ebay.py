"""Proves that the eBay simulator keeps the published manners of orders, stock and tokens.

Every request goes through the edge (routing, token, quotas, contract check) with answers checked
against the contract, and time moves only when a test says so.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US, from_text, to_text
from harness.simulation.clock import VirtualClock
from harness.simulation.streams import SeededStreams
from mocks.ebay import Ebay
from mocks.kit.accounts import Account
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import DraftLine, OrderDraft, OutOfStock, SalesChannel

ORDERS = "/sell/fulfillment/v1/order"
ITEMS = "/sell/inventory/v1/inventory_item"
OFFERS = "/sell/inventory/v1/offer"
BULK = "/sell/inventory/v1/bulk_update_price_quantity"
BULK_ITEMS = "/sell/inventory/v1/bulk_create_or_replace_inventory_item"
LIMITS = "/developer/analytics/v1_beta/rate_limit"
RETURNS = "/post-order/v2/return"
TOKEN = "/identity/v1/oauth2/token"
US = {"content_language": "en-US"}


class Shop:
    """One estate with one eBay, called without an event loop: nothing waits."""

    def __init__(self, *sellers: str, seed: int = 7, **settings: Any) -> None:
        self.clock = VirtualClock(from_text("2026-11-20T10:00:00Z"))
        self.estate = Estate(
            ["ebay"],
            catalog=Catalog(contracts_root()),
            clock=self.clock,
            streams=SeededStreams(seed),
            settings={"ebay": settings},
            accounts={"ebay": [Account(name) for name in sellers]},
            check_answers=True,
            latency=False,
        )
        simulator = self.estate.simulators["ebay"]
        assert isinstance(simulator, Ebay)
        self.ebay = simulator
        self.edge = self.estate.edges["ebay"]
        self.tokens: dict[str | None, str] = {}

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def pass_seconds(self, seconds: int) -> None:
        self.clock.advance_us(seconds * SECOND_US)

    def send(self, request: HttpRequest) -> HttpResponse:
        steps = self.edge.exchange(request)
        try:
            steps.send(None)
        except StopIteration as finished:
            assert self.estate.failures == []
            response: HttpResponse = finished.value.response
            return response
        message = "an exchange without latency must not wait"
        raise AssertionError(message)

    def ask_token(self, account: str | None = None, **form: str) -> HttpResponse:
        secrets = self.estate.access("ebay", account=account).credentials
        pair = f"{secrets['client_id']}:{secrets['client_secret']}"
        form = form or {"grant_type": "refresh_token", "refresh_token": secrets["refresh_token"]}
        headers = (
            ("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),
            ("content-type", "application/x-www-form-urlencoded"),
        )
        return self.send(HttpRequest("POST", TOKEN, (), headers, urlencode(form).encode()))

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        *,
        seller: str | None = None,
        **headers: str,
    ) -> HttpRequest:
        if seller not in self.tokens:
            self.tokens[seller] = self.ask_token(seller).json()["access_token"]
        word = "IAF" if path.startswith("/post-order/") else "Bearer"
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        if not any(name == "authorization" for name, _ in named):
            named = (("authorization", f"{word} {self.tokens[seller]}"), *named)
        pairs = tuple((name, str(value)) for name, value in (query or {}).items())
        if body is None:
            return HttpRequest(method, path, pairs, named)
        return HttpRequest.with_json(method, path, body, query=pairs, headers=named)

    def call(self, method: str, path: str, *parts: Any, **more: Any) -> HttpResponse:
        return self.send(self.request(method, path, *parts, **more))

    def read(self, path: str, *, seller: str | None = None, **query: Any) -> Any:
        answer = self.call("GET", path, None, query, seller=seller)
        assert answer.status == 200, answer.body
        return answer.json()

    def buy(self, *lines: tuple[str, int], account: str | None = None, **more: Any) -> str:
        for sku, _ in lines:
            if self.ebay.listed_quantity(sku, account=account) is None:
                self.ebay.list_sku(sku, 50, self.now_us, account=account)
        return self.ebay.place_order(draft(*lines, **more), self.now_us, account=account)

    def order(self, order_id: str) -> Any:
        return self.read(f"{ORDERS}/{order_id}")

    def ship(self, order_id: str, items: list[Any], **more: Any) -> HttpResponse:
        path = f"{ORDERS}/{order_id}/shipping_fulfillment"
        return self.call("POST", path, {"lineItems": items, **more})

    def booked(self, kind: BookKind) -> list[tuple[str, Any]]:
        return [(entry.key, entry.data) for entry in self.ebay.books.of(kind)]


def draft(*lines: tuple[str, int], price: str = "14.99", **more: Any) -> OrderDraft:
    rows = tuple(DraftLine(sku, count, price, f"A {sku}") for sku, count in lines)
    facts = {"currency": "USD", "buyer_name": "Zoë Example", "city": "Springfield"}
    return OrderDraft(rows, **{**facts, "country": "US", "postal_code": "62701", **more})


def said(answer: HttpResponse) -> tuple[int, int, str]:
    error = answer.json()["errors"][0]
    return answer.status, error["errorId"], error["domain"]


# Tokens and errors


def test_a_token_lasts_two_hours_and_the_refresh_token_stays() -> None:
    shop = Shop()
    answer = shop.ask_token().json()
    assert answer["expires_in"] == 7200
    shop.read(ORDERS)
    shop.pass_seconds(7200)
    assert said(shop.call("GET", ORDERS)) == (401, 1001, "OAuth")
    shop.tokens.clear()
    assert shop.read(ORDERS)["total"] == 0


def test_a_consent_gives_a_refresh_token_of_eighteen_months() -> None:
    shop = Shop()
    code = shop.edge.tokens.consent(shop.ebay.seller_id, shop.now_us)
    answer = shop.ask_token(grant_type="authorization_code", code=code, redirect_uri="name")
    assert answer.json()["refresh_token_expires_in"] == 47_304_000
    again = shop.ask_token(grant_type="authorization_code", code=code, redirect_uri="name")
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("strict", [True, False])
def test_each_service_wants_its_own_word_before_the_token(strict: bool) -> None:
    shop = Shop(token_words=strict)
    token = shop.ask_token().json()["access_token"]
    wrong = 401 if strict else 200
    old = f"{RETURNS}/search"
    assert shop.call("GET", old, authorization=f"IAF {token}").status == 200
    refused = shop.call("GET", old, authorization=f"Bearer {token}")
    assert refused.status == wrong
    if strict:
        assert refused.json()["errorMessage"]["error"][0]["errorId"] == 1600
    assert shop.call("GET", ORDERS, authorization=f"IAF {token}").status == wrong
    assert shop.call("GET", ORDERS, authorization="Bearer nonsense").status == 401


def test_each_refusal_has_the_shape_of_the_service_that_was_called() -> None:
    shop = Shop()
    assert said(shop.call("GET", f"{ORDERS}/nope")) == (404, 32100, "API_FULFILLMENT")
    assert said(shop.call("GET", f"{ITEMS}/nope")) == (404, 25710, "API_INVENTORY")
    limit = shop.call("GET", ORDERS, None, {"limit": 201})
    assert said(limit) == (400, 30700, "API_FULFILLMENT")
    payout = shop.call("GET", "/sell/finances/v1/payout/17")
    assert said(payout) == (404, 135002, "API_FINANCES")
    key = shop.call("GET", "/commerce/notification/v1/public_key/nope")
    assert said(key) == (404, 195004, "API_NOTIFICATION")
    assert shop.call("GET", "/sell/nothing").status == 404
    gone = shop.call("POST", f"{RETURNS}/17/decide", {"decision": "ACCEPT"})
    assert (gone.status, gone.json()["errorMessage"]["error"][0]["errorId"]) == (404, 1604)


def test_the_calls_of_a_day_are_the_applications_and_come_back_at_eight() -> None:
    shop = Shop("one", "two")
    shop.edge.squeeze("fulfillment", burst=2)
    shop.read(ORDERS, seller="one")
    shop.read(ORDERS, seller="two")
    refused = shop.call("GET", ORDERS, seller="two")
    assert said(refused) == (429, 2001, "ACCESS")
    assert refused.header("retry-after") is None
    assert not [name for name, _ in refused.headers if "limit" in name]
    shop.pass_seconds(22 * 3600)
    shop.tokens.clear()
    shop.read(ORDERS, seller="one")


def test_only_the_analytics_service_tells_what_is_left() -> None:
    shop = Shop()
    shop.read(ORDERS)
    shop.read(ORDERS)
    [shown] = shop.read(LIMITS, api_name="fulfillment")["rateLimits"]
    [rate] = shown["resources"][0]["rates"]
    assert (rate["limit"], rate["remaining"]) == (100_000, 99_998)
    assert rate["reset"] == "2026-11-21T08:00:00.000Z"
    assert len(shop.read(LIMITS, api_context="sell")["rateLimits"]) > 2
    assert shop.read("/developer/analytics/v1_beta/user_rate_limit")["rateLimits"] == []
    shop.pass_seconds(22 * 3600)
    shop.tokens.clear()
    assert shop.read(LIMITS, api_name="Fulfillment")["rateLimits"][0]["resources"][0]["rates"][0][
        "count"
    ] == (0)


# Orders


def test_it_plays_the_role_and_an_order_is_shown_as_the_vendor_words_it() -> None:
    shop = Shop()
    assert isinstance(shop.ebay, SalesChannel)
    order = shop.order(shop.buy(("MUG", 2), ("KETTLE", 1), phone="+1-555-0117"))
    assert (order["orderFulfillmentStatus"], order["orderPaymentStatus"]) == ("NOT_STARTED", "PAID")
    assert order["pricingSummary"]["total"] == {"value": "44.97", "currency": "USD"}
    assert order["pricingSummary"]["priceDiscount"] == {"value": "0.0", "currency": "USD"}
    assert [line["sku"] for line in order["lineItems"]] == ["MUG", "KETTLE"]
    ship_to = order["fulfillmentStartInstructions"][0]["shippingStep"]["shipTo"]
    assert ship_to["contactAddress"]["countryCode"] == "US"
    assert "legacyOrderId" not in order


def test_the_older_version_words_the_same_order_its_own_way() -> None:
    shop = Shop(serves={"fulfillment": "v1.2021-11"})
    order = shop.order(shop.buy(("MUG", 2)))
    assert "priceDiscountSubtotal" in order["pricingSummary"]
    assert order["legacyOrderId"]
    step = order["fulfillmentStartInstructions"][0]["shippingStep"]
    assert step["shipTo"]["contactAddress"]["country"] == "US"


def test_an_order_is_not_there_before_its_checkout_is_complete() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 2), pending=True)
    assert shop.read(ORDERS)["total"] == 0
    assert said(shop.call("GET", f"{ORDERS}/{order_id}"))[1] == 32100
    shop.pass_seconds(600)
    shop.ebay.release_order(order_id, shop.now_us)
    shop.ebay.release_order(order_id, shop.now_us)
    assert shop.order(order_id)["creationDate"] == to_text(shop.now_us)
    assert len(shop.booked(BookKind.ORDER_RELEASED)) == 1


def test_pages_by_offset_shift_while_orders_arrive() -> None:
    shop = Shop()
    first: list[str] = []
    for _ in range(4):
        shop.pass_seconds(60)
        first.append(shop.buy(("MUG", 1)))
    page = shop.read(ORDERS, limit=2)
    assert [o["orderId"] for o in page["orders"]] == [first[3], first[2]]
    assert page["next"].endswith("?limit=2&offset=2")
    assert "prev" not in page
    shop.buy(("MUG", 1))
    again = shop.read(ORDERS, limit=2, offset=2)
    assert [o["orderId"] for o in again["orders"]] == [first[2], first[1]]  # one seen twice
    assert again["prev"].endswith("offset=0")
    assert "next" not in shop.read(ORDERS, limit=2, offset=4)


def test_creation_dates_win_over_changes_and_ids_over_every_filter() -> None:
    shop = Shop()
    old = shop.buy(("MUG", 1))
    shop.pass_seconds(3600)
    new = shop.buy(("MUG", 1))
    line = shop.order(old)["lineItems"][0]["lineItemId"]
    assert shop.ship(old, [{"lineItemId": line}]).status == 201

    def found(text: str, **more: Any) -> set[str]:
        return {o["orderId"] for o in shop.read(ORDERS, filter=text, **more)["orders"]}

    changed, created = "lastmodifieddate:[2026-11-20T10:30:00.000Z..]", "creationdate:[{}..{}]"
    early = created.format("2026-11-20T09:00:00.000Z", "2026-11-20T10:30:00.000Z")
    assert found(changed) == {old, new}
    assert found(early) == {old}
    assert found(f"{changed},{early}") == {old}
    assert found("orderfulfillmentstatus:{NOT_STARTED|IN_PROGRESS}") == {new}
    assert found("orderfulfillmentstatus:{NOT_STARTED}", orderIds=old) == {old}
    many = ",".join(f"17-{n:05}-17" for n in range(51))
    for query in (
        {"orderIds": many},
        {"filter": "creationdate:yesterday"},
        {"filter": "creationdate:[yesterday..]"},
        {"filter": "creationdate:[2026-11-20T10:00:00Z..2026-11-19T10:00:00Z]"},
        {"filter": "colour:{BLUE}"},
        {"filter": "x" * 5000},
    ):
        assert said(shop.call("GET", ORDERS, None, query)) == (400, 30700, "API_FULFILLMENT")


def test_buyers_are_masked_after_ninety_days_and_orders_gone_after_two_years() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 1))
    shop.pass_seconds(91 * 86_400)
    shop.tokens.clear()
    order = shop.order(order_id)
    assert order["buyer"]["username"] == "****"
    assert "fulfillmentStartInstructions" not in order
    shop.pass_seconds(640 * 86_400)
    shop.tokens.clear()
    assert shop.read(ORDERS)["total"] == 0


def test_lists_lag_only_where_a_run_lets_them() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 1))
    assert shop.read(ORDERS)["total"] == 1
    shop.edge.lag_lists(60)
    shop.buy(("MUG", 1))
    assert shop.read(ORDERS)["total"] == 0
    assert shop.order(order_id)["orderId"] == order_id
    shop.pass_seconds(60)
    assert shop.read(ORDERS)["total"] == 2


# Shipments


def test_a_shipment_answers_with_its_address_only_and_moves_the_order_on() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 3), ("KETTLE", 1))
    mug, kettle = (line["lineItemId"] for line in shop.order(order_id)["lineItems"])
    more = {"shippingCarrierCode": "UPS", "trackingNumber": "1Z-17"}
    answer = shop.ship(order_id, [{"lineItemId": mug, "quantity": 2}], **more)
    assert (answer.status, answer.json()) == (201, "")
    location = answer.header("location") or ""
    assert location.endswith(f"/order/{order_id}/shipping_fulfillment/1Z17")
    assert shop.read(location)["shipmentTrackingNumber"] == "1Z-17"
    order = shop.order(order_id)
    assert order["orderFulfillmentStatus"] == "IN_PROGRESS"
    assert [n["lineItemFulfillmentStatus"] for n in order["lineItems"]] == [
        "IN_PROGRESS",
        "NOT_STARTED",
    ]
    assert shop.ship(order_id, [{"lineItemId": mug}, {"lineItemId": kettle}]).status == 201
    assert shop.order(order_id)["orderFulfillmentStatus"] == "FULFILLED"
    made = shop.read(f"{ORDERS}/{order_id}/shipping_fulfillment")
    assert (made["total"], len({f["fulfillmentId"] for f in made["fulfillments"]})) == (2, 2)
    first = shop.booked(BookKind.SHIPMENT_CONFIRMED)[0]
    assert first[1]["items"] == [{"item_id": mug, "quantity": 2}]
    unknown = shop.call("GET", f"{ORDERS}/{order_id}/shipping_fulfillment/nope")
    assert unknown.status == 404


@pytest.mark.parametrize(("manner", "status"), [("accept", 201), ("refuse", 400)])
def test_a_repeated_shipment_is_a_second_one_unless_refused(manner: str, status: int) -> None:
    shop = Shop(ship_repeat=manner)
    order_id = shop.buy(("MUG", 2))
    line = shop.order(order_id)["lineItems"][0]["lineItemId"]
    items = [{"lineItemId": line, "quantity": 2}]
    assert shop.ship(order_id, items, trackingNumber="T1").status == 201
    again = shop.ship(order_id, items, trackingNumber="T1")
    assert again.status == status
    if status == 400:
        assert said(again)[1] == 32210
    assert shop.read(f"{ORDERS}/{order_id}/shipping_fulfillment")["total"] == (
        2 if status == 201 else 1
    )


def test_wrong_shipments_are_refused_and_change_nothing() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 2))
    line = shop.order(order_id)["lineItems"][0]["lineItemId"]
    assert said(shop.ship(order_id, [{"lineItemId": "17"}]))[:2] == (400, 30700)
    assert said(shop.ship(order_id, [{"lineItemId": line, "quantity": 3}]))[:2] == (400, 30700)
    twice = [{"lineItemId": line, "quantity": 1}, {"lineItemId": line, "quantity": 1}]
    assert said(shop.ship(order_id, twice))[:2] == (400, 32210)
    assert said(shop.ship(order_id, []))[:2] == (400, 30700)
    assert shop.order(order_id)["orderFulfillmentStatus"] == "NOT_STARTED"
    shop.ebay.cancel_order(order_id, shop.now_us)
    assert said(shop.ship(order_id, [{"lineItemId": line}]))[:2] == (409, 32300)
    older = Shop(serves={"fulfillment": "v1.2021-11"})
    order_id = older.buy(("MUG", 2))
    line = older.order(order_id)["lineItems"][0]["lineItemId"]
    older.ebay.cancel_order(order_id, older.now_us)
    assert said(older.ship(order_id, [{"lineItemId": line}]))[:2] == (400, 32300)


# Stock


def test_from_an_item_by_its_offer_to_a_listing_that_buyers_find() -> None:
    shop = Shop()
    item = {
        "availability": {"shipToLocationAvailability": {"quantity": 12}},
        "condition": "NEW",
        "product": {"title": "Mug", "aspects": {"Colour": ["Blue"]}},
    }
    assert shop.call("PUT", f"{ITEMS}/MUG", item).status == 400  # no Content-Language
    assert shop.call("PUT", f"{ITEMS}/MUG", item, **US).status == 201
    assert shop.call("PUT", f"{ITEMS}/MUG", item, **US).status == 204
    shown = shop.read(f"{ITEMS}/MUG")
    assert (shown["locale"], shown["product"]) == ("en_US", item["product"])
    body = {"sku": "MUG", "marketplaceId": "EBAY_US", "format": "FIXED_PRICE"}
    made = shop.call("POST", OFFERS, body, **US)
    assert made.status == 201
    offer = f"{OFFERS}/{made.json()['offerId']}"
    assert said(shop.call("POST", OFFERS, body, **US)) == (400, 25002, "API_INVENTORY")
    assert said(shop.call("POST", f"{offer}/publish"))[1] == 25002  # no price
    assert shop.ebay.listed_quantity("MUG") is None
    price = {"pricingSummary": {"price": {"value": "14.99", "currency": "USD"}}}
    assert shop.call("PUT", offer, {"availableQuantity": 5, **price}, **US).status == 204
    listing = shop.call("POST", f"{offer}/publish").json()["listingId"]
    assert shop.call("POST", f"{offer}/publish/").json()["listingId"] == listing
    assert shop.ebay.listed_quantity("MUG") == 5
    shop.buy(("MUG", 2))
    [found] = shop.read(OFFERS, sku="MUG")["offers"]
    assert (found["availableQuantity"], found["listing"]["soldQuantity"]) == (3, 2)
    assert found["listingPolicies"] == {"eBayPlusIfEligible": False}
    quantity = {"availability": {"shipToLocationAvailability": {"quantity": 10}}}
    assert quantity.items() <= shop.read(f"{ITEMS}/MUG").items()
    assert shop.call("PUT", f"{ITEMS}/MUG", {}, **US).status == 204  # erases what is left out
    assert shop.read(f"{ITEMS}/MUG") == {"sku": "MUG", "locale": "en_US"}
    assert shop.ebay.listed_quantity("MUG") == 0
    for wrong in ({"sku": "OTHER"}, {"pricingSummary": {"price": {"value": "x"}}}, {}):
        assert said(shop.call("PUT", offer, wrong, **US))[:2] == (400, 25709)
    assert said(shop.call("POST", OFFERS, {"sku": "MUG"}, **US))[:2] == (400, 25709)
    assert said(shop.call("POST", OFFERS, {**body, "sku": "NO"}, **US))[:2] == (404, 25710)


def test_a_bulk_change_succeeds_or_fails_row_by_row() -> None:
    shop = Shop()
    for sku in ("MUG", "KETTLE"):
        shop.ebay.list_sku(sku, 5, shop.now_us)
    [offer] = shop.read(OFFERS, sku="MUG")["offers"]
    price = {"value": "12.50", "currency": "USD"}
    good = {
        "sku": "MUG",
        "shipToLocationAvailability": {"quantity": 9},
        "offers": [{"offerId": offer["offerId"], "availableQuantity": 7, "price": price}],
    }
    all_taken = shop.call("POST", BULK, {"requests": [good]})
    [row] = all_taken.json()["responses"]
    assert (all_taken.status, row["statusCode"], row["offerId"]) == (200, 200, offer["offerId"])
    bad = {"sku": "NO", "shipToLocationAvailability": {"quantity": 9}}
    alien = {**good, "sku": "KETTLE"}
    rows = [bad, {"sku": "KETTLE", "shipToLocationAvailability": {"quantity": 1}}, alien, {}]
    partly = shop.call("POST", BULK, {"requests": rows})
    assert partly.status == 207
    assert [r["statusCode"] for r in partly.json()["responses"]] == [404, 200, 400, 400]
    assert partly.json()["responses"][0]["errors"][0]["errorId"] == 25710
    assert [shop.ebay.listed_quantity(sku) for sku in ("MUG", "KETTLE")] == [7, 1]
    assert ("MUG", {"amount": "12.50", "currency": "USD"}) in shop.booked(BookKind.PRICE_PUBLISHED)
    assert shop.booked(BookKind.QUANTITY_PUBLISHED)[-1] == ("KETTLE", {"quantity": 1})
    assert shop.call("POST", BULK, {"requests": [bad] * 26}).status == 400
    items = [{"sku": "NEW"}, {"sku": "NEW"}, {"sku": "MUG"}]
    answer = shop.call("POST", BULK_ITEMS, {"requests": items}, **US)
    assert answer.status == 207
    assert [r["statusCode"] for r in answer.json()["responses"]] == [201, 400, 200]


@pytest.mark.parametrize("value", ["-1", "1e9", "nan", "9.999", "", "1" * 40])
def test_what_is_no_amount_of_money_is_refused(value: str) -> None:
    shop = Shop()
    shop.ebay.list_sku("MUG", 5, shop.now_us)
    [offer] = shop.read(OFFERS, sku="MUG")["offers"]
    change = {"offerId": offer["offerId"], "price": {"value": value, "currency": "USD"}}
    answer = shop.call("POST", BULK, {"requests": [{"sku": "MUG", "offers": [change]}]})
    assert answer.json()["responses"][0]["errors"][0]["errorId"] == 25709
    assert shop.booked(BookKind.PRICE_PUBLISHED) == []


def test_a_listing_takes_so_many_revisions_a_day() -> None:
    shop = Shop()
    shop.ebay.list_sku("MUG", 5, shop.now_us)
    row = {"sku": "MUG", "shipToLocationAvailability": {"quantity": 4}}
    for _ in range(10):
        assert shop.call("POST", BULK, {"requests": [row] * 25}).status == 200
    assert shop.call("POST", BULK, {"requests": [row]}).status == 207
    shop.pass_seconds(86_400)
    shop.tokens.clear()
    assert shop.call("POST", BULK, {"requests": [row]}).status == 200


def test_the_offset_of_items_counts_pages() -> None:
    shop = Shop()
    for number in range(5):
        shop.ebay.list_sku(f"SKU-{number}", 1, shop.now_us)
    page = shop.read(ITEMS, limit=2, offset=1)
    assert [item["sku"] for item in page["inventoryItems"]] == ["SKU-2", "SKU-3"]
    assert (page["total"], page["size"]) == (5, 2)
    assert page["next"].endswith("limit=2&offset=2")
    assert page["prev"].endswith("limit=2&offset=0")


# Buyers


def test_a_buyer_gets_what_is_listed_and_a_cancelled_order_gives_it_back() -> None:
    shop = Shop()
    order_id = shop.buy(("MUG", 30), ("MUG", 15))
    assert shop.ebay.listed_quantity("MUG") == 5
    with pytest.raises(OutOfStock):
        shop.buy(("MUG", 6))
    with pytest.raises(OutOfStock):
        shop.ebay.place_order(draft(("NOWHERE", 1)), shop.now_us)
    assert len(shop.booked(BookKind.ORDER_PLACED)) == 1
    shop.ebay.cancel_order(order_id, shop.now_us)
    assert shop.ebay.listed_quantity("MUG") == 50
    order = shop.order(order_id)
    assert order["cancelStatus"]["cancelState"] == "CANCELED"
    assert order["orderPaymentStatus"] == "FULLY_REFUNDED"
    with pytest.raises(ValueError, match="cancelled"):
        shop.ebay.cancel_order(order_id, shop.now_us)
    [cancelled] = shop.read("/post-order/v2/cancellation/search")["cancellations"]
    assert cancelled["legacyOrderId"] == order_id


def test_sellers_see_nothing_of_each_other() -> None:
    shop = Shop("one", "two")
    order_id = shop.buy(("MUG", 1), account="two")
    assert shop.read(ORDERS, seller="one")["total"] == 0
    assert shop.call("GET", f"{ORDERS}/{order_id}", seller="one").status == 404
    assert shop.read(ORDERS, seller="two")["total"] == 1
    assert shop.read(OFFERS, seller="one", sku="MUG")["total"] == 0
    assert shop.call("GET", "/sell/finances/v1/transaction", seller="one").status == 204
    assert shop.ebay.listed_quantity("MUG", account="one") is None


def test_the_same_seed_gives_the_same_bytes() -> None:
    def story(seed: int) -> list[bytes]:
        shop = Shop(seed=seed)
        order_id = shop.buy(("MUG", 2))
        line = shop.order(order_id)["lineItems"][0]["lineItemId"]
        shipped = shop.ship(order_id, [{"lineItemId": line}])
        return [shop.call("GET", ORDERS).body, str(shipped.headers).encode()]

    assert story(7) == story(7)
    assert story(7) != story(8)
