"""Proves the rest of the Walmart simulator: stock, feeds, reports, webhooks, errors, quotas."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import from_text
from harness.simulation.clock import VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from mocks.kit.accounts import Account
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.realistic import GOODS, Buyers
from mocks.kit.roles import DraftLine, OrderDraft
from mocks.walmart import WalmartMarketplace


def _load(name: str) -> Any:
    """Import the module of that name beside this one, which no import path reaches."""
    module = sys.modules.get(name)
    if module is None:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return module


stories = _load("test_mocks_walmart")
CONTEXT, Seller = stories.CONTEXT, stories.Seller
cancellation, ids = stories.cancellation, stories.ids
refund, shipment = stories.refund, stories.shipment

HOOK = "https://shop.example/hooks"


def stock(sku: str, units: int) -> Any:
    return {"sku": sku, "quantity": {"unit": "EACH", "amount": units}}


def wish(topic: str, **more: Any) -> Any:
    return {
        "eventType": topic,
        "eventVersion": "V1",
        "resourceName": "ORDER",
        "eventUrl": HOOK,
        **more,
    }


def test_every_operation_of_the_contracts_is_answered() -> None:
    """Nothing in the contracts is left to the kit's excuse, but for the token call it answers."""
    simulator = Seller().walmart
    missing = [
        f"{api}#{operation.operation_id}"
        for api, contract in simulator.setup.contracts.items()
        for operation in contract.operations
        if simulator.handler(api, operation.operation_id) is None
    ]
    assert missing == ["authentication/v3#createToken"]


# Stock and prices


def test_stock_is_absolute_and_reserved_by_orders() -> None:
    """A quantity may be sent again; orders lower what may be sold and shipping frees nothing."""
    seller = Seller()
    seller.walmart.list_sku("MUG", 1, seller.now_us)
    for _ in range(2):
        assert seller.ok("PUT", "/v3/inventory?sku=MUG", stock("MUG", 12)) == stock("MUG", 12)
    order_id = seller.order(("MUG", 2, "14.99"))
    assert seller.ok("GET", "/v3/inventory?sku=MUG") == stock("MUG", 10)
    (node,) = seller.ok("GET", "/v3/inventories/MUG")["nodes"]
    amounts = {name: node[name]["amount"] for name in node if name != "shipNode"}
    assert amounts == {"inputQty": 12, "availToSellQty": 10, "reservedQty": 2}
    assert seller.ship(order_id, "1", 2).status == 200
    (node,) = seller.ok("GET", "/v3/inventories/MUG")["nodes"]
    assert (node["availToSellQty"]["amount"], node["reservedQty"]["amount"]) == (10, 0)
    booked = [e.data["quantity"] for e in seller.walmart.books.of(BookKind.QUANTITY_PUBLISHED)]
    assert booked == [12, 12]
    assert seller.refused("PUT", "/v3/inventory?sku=MUG", stock("KETTLE", 1))[0] == 400
    code = "CONTENT_NOT_FOUND.GMP_INVENTORY_API"
    assert seller.refused("GET", "/v3/inventory?sku=NO") == (404, code)


def test_nodes_succeed_and_fail_one_by_one() -> None:
    """An answer of 200 may hold a node that failed; buyers get the units of all nodes."""
    seller = Seller()
    seller.walmart.list_sku("MUG", 0, seller.now_us)
    rows = [
        {"shipNode": node, "inputQty": {"unit": "EACH", "amount": units}}
        for node, units in (("10000000017", 3), ("1", 5), ("10000000099", 4))
    ]
    answer = seller.ok("PUT", "/v3/inventories/MUG", {"inventories": {"nodes": rows}})
    assert [node["status"] for node in answer["nodes"]] == ["Success", "Failed", "Success"]
    assert answer["nodes"][1]["errors"][0]["code"] == "INVALID_REQUEST_PARAM.GMP_INVENTORY_API"
    assert seller.walmart.listed_quantity("MUG") == 7
    order_id = seller.order(("MUG", 5, "14.99"))
    one = seller.ok("GET", "/v3/inventory?sku=MUG&shipNode=10000000099")
    assert one == stock("MUG", 2)
    seller.walmart.cancel_order(order_id, seller.now_us)
    assert seller.walmart.listed_quantity("MUG") == 7
    too_many = {"inventories": {"nodes": rows[:1] * 101}}
    assert seller.refused("PUT", "/v3/inventories/MUG", too_many)[0] == 400


def test_prices_are_taken_together_and_shown_when_due() -> None:
    """All prices of a call or none; the books hold each when buyers see it."""
    seller = Seller(price_apply_seconds=60)
    seller.walmart.list_sku("MUG", 1, seller.now_us)

    def body(*amounts: float, currency: str = "USD") -> Any:
        price = [
            {"currentPriceType": "BASE", "currentPrice": {"currency": currency, "amount": amount}}
            for amount in amounts
        ]
        return {"sku": "MUG", "pricing": price}

    seller.ok("PUT", "/v3/price", body(14.99))
    assert not list(seller.walmart.books.of(BookKind.PRICE_PUBLISHED))
    for wrong in (body(9.99, 9.999), body(9.99, currency="EUR"), body(1e300)):
        assert seller.refused("PUT", "/v3/price", wrong)[0] == 400
    seller.pass_seconds(60)
    seller.ok("GET", "/v3/inventory?sku=MUG")
    (entry,) = seller.walmart.books.of(BookKind.PRICE_PUBLISHED)
    assert entry.data == {"amount": "14.99", "currency": "USD", "type": "BASE"}


# Feeds and reports


def test_a_processed_feed_may_hold_rows_that_failed() -> None:
    """A feed is received, worked on and processed; each row tells what became of it."""
    seller = Seller()
    seller.walmart.list_sku("MUG", 1, seller.now_us)
    rows = [
        stock("MUG", 9),
        stock("NO", 1),
        {"sku": "MUG", "quantity": {"unit": "EACH", "amount": -1}},
        "no row",
        {"sku": "MUG", "shipNodes": [{"shipNode": "1", "quantity": {"amount": 1}}]},
    ]
    feed_id = seller.feed("inventory", {"InventoryHeader": {"version": "1.4"}, "Inventory": rows})
    path = f"/v3/feeds/{feed_id}"
    first = seller.ok("GET", path)
    assert (first["feedStatus"], first["itemsProcessing"]) == ("RECEIVED", 5)
    seller.pass_seconds(150)
    done = seller.ok("GET", f"{path}?includeDetails=true&limit=3&offset=1")
    counts = [done[name] for name in ("itemsReceived", "itemsSucceeded", "itemsFailed")]
    assert (done["feedStatus"], counts) == ("PROCESSED", [5, 1, 4])
    shown = done["itemDetails"]["itemIngestionStatus"]
    assert [row["index"] for row in shown] == [1, 2, 3]
    fields = [row["ingestionErrors"]["ingestionError"][0]["field"] for row in shown]
    assert fields == ["sku", "quantity", "sku"]
    assert seller.walmart.listed_quantity("MUG") == 9


def test_each_upload_is_a_feed_of_its_own() -> None:
    """There is no key: the same file twice is two feeds; what cannot be read ends as ERROR."""
    seller = Seller()
    seller.walmart.list_sku("MUG", 1, seller.now_us)
    item = {"MPItem": [{"sku": "NEW"}]}
    promotion = {"MPItem": [{"Promo&Discount": {"sku": "MUG", "price": 12.5}}]}
    listed = {"sku": "MUG", "pricing": [{"currentPrice": {"currency": "USD", "amount": 13}}]}
    documents: list[tuple[str, Any]] = [
        ("MP_ITEM", item),
        ("MP_ITEM", item),
        ("price", {"Price": [listed, {"sku": "MUG"}]}),
        ("PRICE_AND_PROMOTION", promotion),
        ("inventory", b"<xml/>"),
        ("inventory", {"Price": []}),
    ]
    made = []
    for kind, document in documents:
        made.append(seller.feed(kind, document))
        seller.pass_seconds(200)
    feeds = seller.ok("GET", "/v3/feeds?limit=4&offset=2")
    assert feeds["totalResults"] == 6
    assert [feed["feedId"] for feed in feeds["results"]["feed"]] == made[3::-1]
    states = {
        f["feedId"]: f["feedStatus"] for f in seller.ok("GET", "/v3/feeds")["results"]["feed"]
    }
    assert [states[one] for one in made] == ["PROCESSED"] * 4 + ["ERROR"] * 2
    assert seller.walmart.listed_quantity("NEW") == 0
    prices = [e.data["amount"] for e in seller.walmart.books.of(BookKind.PRICE_PUBLISHED)]
    assert prices == ["13.00", "12.50"]


@pytest.mark.parametrize(
    ("media_type", "raw", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"--x", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nno part", 400),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"x" * 10_000_001, 413),
    ],
)
def test_what_is_no_feed_is_refused(media_type: str, raw: bytes, status: int) -> None:
    """A file that does not arrive as a form, or is too large, becomes no feed."""
    seller = Seller()
    answer = seller.call("POST", "/v3/feeds?feedType=inventory", raw=raw, media_type=media_type)
    assert answer.status == status
    assert answer.json()["errors"][0]["severity"] == "ERROR"
    assert seller.ok("GET", "/v3/feeds")["totalResults"] == 0


def test_reports_on_request_are_ready_later_and_gone_after_thirty_days() -> None:
    """RECEIVED, then READY; the address is told only then; each request is one of its own."""
    seller = Seller()
    path = "/v3/reports/reportRequests"
    made = [
        seller.ok("POST", f"{path}?reportType=ITEM&reportVersion=v4")["requestId"] for _ in range(2)
    ]
    assert len(set(made)) == 2
    download = f"/v3/reports/downloadReport?requestId={made[0]}"
    assert seller.ok("GET", f"{path}/{made[0]}")["requestStatus"] == "RECEIVED"
    assert seller.refused("GET", download)[0] == 404
    seller.pass_seconds(931)
    assert seller.ok("GET", f"{path}/{made[0]}")["requestStatus"] == "READY"
    assert made[0] in seller.ok("GET", download)["downloadURL"]
    assert seller.ok("GET", f"{path}?requestStatus=READY&reportType=ITEM")["totalCount"] == 2
    seller.pass_seconds(30 * 86_400)
    assert seller.refused("GET", f"{path}/{made[0]}")[0] == 404


# Webhooks


def played(start: str = "2026-11-20T10:00:00Z") -> list[HttpRequest]:
    """Sell the last unit at ``start`` and return what a receiver got."""
    clock = VirtualClock(from_text(start))
    got: list[HttpRequest] = []

    def receive(request: HttpRequest) -> HttpResponse:
        got.append(request)
        return HttpResponse(500 if len(got) == 1 else 200)

    async def story() -> None:
        estate = Estate(
            ["walmart"],
            catalog=Catalog(contracts_root()),
            clock=clock,
            streams=SeededStreams(3),
            check_answers=True,
        )
        walmart = estate.simulators["walmart"]
        assert isinstance(walmart, WalmartMarketplace)
        estate.receivers.register(receive, HOOK)
        desk = walmart.manners.events
        account = walmart.accounts.default.id
        for topic in desk.manners.topics if desk.manners is not None else ():
            desk.subscribe(account, topic, HOOK, clock.now_us(), secret="s3cret")
        walmart.list_sku("MUG-BLUE", 1, clock.now_us())
        lines = (DraftLine("MUG-BLUE", 1, "14.99", "Mug"),)
        draft = OrderDraft(lines, "USD", "Ada Sample", "Springfield", "US", "12345")
        walmart.place_order(draft, clock.now_us())
        estate.edges["walmart"].courier.wake()
        await estate.edges["walmart"].courier.idle()
        assert estate.failures == []

    run_virtual(story, clock=clock, limit_s=3600)
    return got


def test_events_come_signed_and_repeats_carry_the_same_id() -> None:
    """A refused delivery comes again with its event id; the signature covers time and body."""
    got = played()
    topics = [request.json()["source"]["eventType"] for request in got]
    assert sorted(set(topics)) == ["INVENTORY_OOS", "ORDER_UPDATES", "PO_CREATED"]
    events = [request.json()["source"]["eventId"] for request in got]
    assert len(got) == 4
    assert events.count(events[0]) == 2
    for request in got:
        stamp = str(request.header("wm_sec.timestamp"))
        body = hashlib.sha256(request.body).hexdigest()
        signed = "\n".join(("POST", "/hooks", stamp, body)).encode()
        wanted = base64.b64encode(hmac.digest(b"s3cret", signed, "sha256")).decode()
        assert request.header("wm_sec.signature") == wanted


def test_the_old_order_events_end_on_their_day() -> None:
    """From 2026-12-15 on an order is told by ORDER_UPDATES alone."""
    topics = {r.json()["source"]["eventType"] for r in played("2026-12-15T00:00:00Z")}
    assert topics == {"INVENTORY_OOS", "ORDER_UPDATES"}


def test_subscriptions_are_made_changed_and_ended() -> None:
    """All of a call or none; an event that is not sent here cannot be subscribed to."""
    seller = Seller()
    path = "/v3/webhooks/subscriptions"
    types = seller.ok("GET", "/v3/webhooks/eventTypes")["events"]
    assert {"ORDER_UPDATES", "RETURN_NOTIFICATIONS"} <= {one["eventType"] for one in types}
    wrong = {"events": [wish("ORDER_UPDATES"), wish("BUY_BOX_CHANGED")]}
    assert seller.refused("POST", path, wrong)[0] == 400
    assert seller.ok("GET", path) == {"events": []}
    body = {"events": [wish("ORDER_UPDATES", authDetails={"authMethod": "HMAC"})]}
    (made,) = seller.ok("POST", path, body)["events"]
    one = f"{path}/{made['subscriptionId']}"
    (changed,) = seller.ok("PATCH", one, {"status": "INACTIVE"})["events"]
    assert (made["status"], changed["status"]) == ("ACTIVE", "INACTIVE")
    assert seller.refused("PATCH", one, {"eventUrl": "ftp://x"})[0] == 400
    seller.ok("DELETE", one)
    assert seller.refused("DELETE", one) == (404, "CONTENT_NOT_FOUND.GMP_WEBHOOK_API")


def test_a_sample_event_reports_what_the_receiver_said() -> None:
    """The test call sends one event at once and tells the status it got."""
    seller = Seller()
    seller.estate.receivers.register(lambda _request: HttpResponse(204), HOOK)
    token = seller.log_in()
    headers = (*CONTEXT, ("wm_sec.access_token", token), ("content-type", "application/json"))
    body = json.dumps(wish("ORDER_UPDATES")).encode()
    request = HttpRequest("POST", "/v3/webhooks/test", headers=headers, body=body)
    plan = asyncio.run(seller.edge.exchange(request))
    assert plan.response.json() == {"message": "The receiver answered 204."}


# Sign-in, errors, quotas


def test_tokens_live_fifteen_minutes_and_travel_in_their_own_header() -> None:
    """The token's details tell its end; afterwards it is refused in the vendor's words."""
    seller = Seller()
    detail = seller.ok("GET", "/v3/token/detail")
    assert detail["is_valid"] is True
    assert int(detail["expire_at"]) - int(detail["issued_at"]) == 900_000
    token = seller.tokens[""]
    seller.log_in()
    assert set(seller.ok("GET", "/v3/token/detail")) == {"is_valid", "scopes"}  # which of the two?
    seller.pass_seconds(900)
    seller.tokens[""] = token
    assert seller.refused("GET", "/v3/orders") == (401, "UNAUTHORIZED.GMP_GATEWAY_API")
    bearer = (*CONTEXT, ("authorization", f"Bearer {seller.log_in()}"))
    assert seller.send(HttpRequest("GET", "/v3/orders", headers=bearer)).status == 401


def test_a_seller_may_grant_an_application_a_year() -> None:
    """A code is exchanged once, for a token and a refresh token that gives further tokens."""
    seller = Seller()
    secrets = seller.walmart.access("").credentials
    pair = f"{secrets['client_id']}:{secrets['client_secret']}".encode()
    headers = (
        ("authorization", f"Basic {base64.b64encode(pair).decode()}"),
        ("content-type", "application/x-www-form-urlencoded"),
    )

    def exchange(form: str) -> HttpResponse:
        answer: HttpResponse = seller.send(
            HttpRequest("POST", "/v3/token", headers=headers, body=form.encode())
        )
        return answer

    code = seller.edge.tokens.consent("10000000017", seller.now_us)
    first = exchange(f"grant_type=authorization_code&code={code}").json()
    assert exchange(f"grant_type=authorization_code&code={code}").status == 400
    refresh = f"grant_type=refresh_token&refresh_token={first['refresh_token']}"
    seller.pass_seconds(364 * 86_400)
    seller.tokens[""] = exchange(refresh).json()["access_token"]
    assert seller.ok("GET", "/v3/feeds")["totalResults"] == 0
    seller.pass_seconds(86_400)
    assert exchange(refresh).status == 400


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("GET", "/v3/nowhere", None, 404, "URI_NOT_FOUND.GMP_GATEWAY_API"),
        ("DELETE", "/v3/orders", None, 405, "METHOD_NOT_ALLOWED.GMP_GATEWAY_API"),
        ("GET", "/v3/orders/17", None, 404, "CONTENT_NOT_FOUND.GMP_ORDER_API"),
        ("GET", "/v3/orders?limit=201", None, 400, "INVALID_REQUEST_PARAM.GMP_GATEWAY_API"),
        ("GET", "/v3/orders?soIndex=x", None, 400, "INVALID_REQUEST_PARAM.GMP_ORDER_API"),
        ("GET", "/v3/inventory", None, 400, "INVALID_REQUEST_PARAM.GMP_GATEWAY_API"),
        ("PUT", "/v3/price", {}, 400, "INVALID_REQUEST_CONTENT.GMP_GATEWAY_API"),
        ("PUT", "/v3/price", None, 400, "INVALID_REQUEST_CONTENT.GMP_GATEWAY_API"),
        ("GET", "/v3/feeds/17", None, 404, "CONTENT_NOT_FOUND.GMP_FEED_API"),
        ("GET", "/v3/returns?nextCursor=x", None, 400, "INVALID_REQUEST_PARAM.GMP_RETURN_API"),
    ],
)
def test_each_mistake_is_worded_as_the_vendor_does(
    method: str, target: str, body: Any, status: int, code: str
) -> None:
    """Status, code with the name of the API, and an explanation beside them."""
    answer = Seller().call(method, target, body)
    assert (answer.status, answer.json()["errors"][0]["code"]) == (status, code)
    assert answer.header("x-driftgate-explain")


def test_the_headers_of_every_call_are_demanded() -> None:
    """A call without a correlation id is refused before anything else is read."""
    seller = Seller()
    headers = (("wm_sec.access_token", seller.log_in()), ("wm_svc.name", "x"))
    answer = seller.send(HttpRequest("GET", "/v3/orders", headers=headers))
    assert answer.json()["errors"][0]["code"] == "MISSING_REQUEST_HEADER.GMP_GATEWAY_API"


def test_the_error_list_may_have_its_older_name() -> None:
    """Older documents write error where newer ones write errors."""
    answer = Seller(error_list_name="error").call("GET", "/v3/nowhere")
    assert list(answer.json()) == ["error"]


def test_the_bucket_of_a_call_empties_and_fills_again() -> None:
    """Sixty acknowledgements, then 429 with the gateway's code; one more after a second."""
    seller = Seller()
    path = f"/v3/orders/{seller.order()}/acknowledge"
    left = [seller.call("POST", path).header("x-current-token-count") for _ in range(60)]
    assert (left[0], left[-1]) == ("59", "0")
    throttled = seller.call("POST", path)
    code = throttled.json()["errors"][0]["code"]
    assert (throttled.status, code) == (429, "REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API")
    assert throttled.header("retry-after") is None
    assert throttled.header("x-next-replenishment-time")
    seller.pass_seconds(1)
    assert seller.call("POST", path).status == 200


def test_nothing_of_one_seller_shows_at_another() -> None:
    """Orders, stock, feeds, events, money and buckets belong to one seller each."""
    accounts = (Account("10000000017", region="us"), Account("10000000018", region="us"))
    seller = Seller(accounts=accounts)
    order_id = seller.order()
    assert seller.ship(order_id, "1", 1).status == 200
    feed_id = seller.feed("inventory", {"Inventory": []})
    seller.walmart.open_return(order_id, [("1", 1)], seller.now_us)
    seller.pass_seconds(20 * 86_400)
    seller.account = "10000000018"
    assert seller.refused("GET", f"/v3/orders/{order_id}")[0] == 404
    assert seller.refused("GET", "/v3/inventory?sku=MUG")[0] == 404
    assert seller.refused("GET", f"/v3/feeds/{feed_id}")[0] == 404
    assert seller.ok("GET", "/v3/returns")["returnOrders"] == []
    days = seller.ok("GET", "/v3/report/reconreport/availableReconFiles")
    assert days["availableApReportDates"] == []
    assert {e.account for e in seller.walmart.books.entries} == {"10000000017", "10000000018"}


def test_drift_packs_change_what_clients_see() -> None:
    """A pack of this system reaches the list of orders."""
    seller = Seller()
    order_id = seller.order()
    catalog = Catalog(contracts_root())
    seller.edge.switch_drift_pack(catalog.drift_pack("walmart", "2025-02-27-members-vanish"))
    answer = seller.ok("GET", "/v3/orders")
    assert ids(answer) == [order_id]
    assert "totalCount" not in answer["list"]["meta"]


def a_day(seed: int) -> tuple[list[Any], bytes]:
    """Play a day of buyers of all kinds and return the books and the last list."""
    seller = Seller(seed=seed)
    buyers = Buyers(SeededStreams(seed).stream("buyers"))
    for goods in GOODS:
        seller.walmart.list_sku(goods.sku, 200, seller.now_us)
    for number in range(15):
        draft = buyers.draft()
        order_id = seller.walmart.place_order(draft, seller.now_us)
        if draft.pending:
            seller.walmart.release_order(order_id, seller.now_us)
        if number % 3 == 0:
            seller.ok("POST", f"/v3/orders/{order_id}/shipping", shipment("1", 1))
            seller.ok("POST", f"/v3/orders/{order_id}/refund", refund("1", 0.5))
        elif number % 5 == 1:
            seller.ok("POST", f"/v3/orders/{order_id}/cancel", cancellation("1", 1))
    books = [(e.at_us, e.kind, e.key, e.data) for e in seller.walmart.books.entries]
    return books, seller.call("GET", "/v3/orders").body


def test_the_same_seed_gives_the_same_day() -> None:
    """Ids, books and bytes follow from the seed; another seed gives others."""
    assert a_day(5) == a_day(5)
    assert a_day(5)[1] != a_day(6)[1]
