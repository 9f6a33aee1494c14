"""Proves the Walmart simulator: stories of buyers and sellers, held against the contract."""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import Headers, HttpRequest, HttpResponse
from harness.model.instants import SECOND_US, from_text
from harness.simulation.clock import VirtualClock
from harness.simulation.streams import SeededStreams
from mocks.kit.accounts import Account
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import DraftLine, OrderDraft, OutOfStock, SalesChannel
from mocks.walmart import WalmartMarketplace

DAY_S = 86_400
CATALOG = Catalog(contracts_root())
CONTEXT = (("wm_qos.correlation_id", "test"), ("wm_svc.name", "Walmart Marketplace"))
TRACKING = {
    "shipDateTime": 1795168800000,
    "carrierName": {"carrier": "UPS"},
    "methodCode": "Standard",
    "trackingNumber": "1Z17",
}


class Seller:
    """One estate with one Walmart, called without an event loop: with latency off nothing waits."""

    def __init__(
        self, *, seed: int = 7, accounts: tuple[Account, ...] = (), **settings: Any
    ) -> None:
        self.clock = VirtualClock(from_text("2026-11-20T10:00:00Z"))
        self.estate = Estate(
            ["walmart"],
            catalog=CATALOG,
            clock=self.clock,
            streams=SeededStreams(seed),
            settings={"walmart": settings},
            accounts={"walmart": accounts} if accounts else None,
            check_answers=True,
            latency=False,
        )
        simulator = self.estate.simulators["walmart"]
        assert isinstance(simulator, WalmartMarketplace)
        self.walmart = simulator
        self.edge = self.estate.edges["walmart"]
        self.tokens: dict[str, str] = {}
        self.account: str | None = None

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def pass_seconds(self, seconds: int) -> None:
        self.clock.advance_us(seconds * SECOND_US)
        self.tokens.clear()  # a client would log in again at the first 401

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

    def log_in(self) -> str:
        secrets = self.walmart.access("", self.account).credentials
        pair = f"{secrets['client_id']}:{secrets['client_secret']}".encode()
        headers = (
            ("authorization", f"Basic {base64.b64encode(pair).decode()}"),
            ("content-type", "application/x-www-form-urlencoded"),
            *CONTEXT,
        )
        form = b"grant_type=client_credentials"
        response = self.send(HttpRequest("POST", "/v3/token", headers=headers, body=form))
        assert response.status == 200, response.body
        assert response.json()["expires_in"] == 900
        return str(response.json()["access_token"])

    def call(self, method: str, target: str, body: Any = None, **options: Any) -> HttpResponse:
        name = self.account or ""
        if name not in self.tokens:
            self.tokens[name] = self.log_in()
        headers: Headers = (*CONTEXT, ("wm_sec.access_token", self.tokens[name]))
        content = b""
        if "raw" in options:
            content = options["raw"]
            headers = (*headers, ("content-type", options["media_type"]))
        elif body is not None:
            content = json.dumps(body).encode()
            headers = (*headers, ("content-type", "application/json"))
        return self.send(HttpRequest.from_target(method, target, headers, content))

    def ok(self, method: str, target: str, body: Any = None, **options: Any) -> Any:
        response = self.call(method, target, body, **options)
        assert response.status == 200, response.body
        return response.json()

    def refused(self, method: str, target: str, body: Any = None) -> tuple[int, str]:
        response = self.call(method, target, body)
        return response.status, response.json()["errors"][0]["code"]

    def order(self, *lines: tuple[str, int, str], **options: Any) -> str:
        wanted = lines or (("MUG", 2, "14.99"),)
        for sku, _quantity, _price in wanted:
            if self.walmart.listed_quantity(sku, account=self.account) is None:
                self.walmart.list_sku(sku, 50, self.now_us, account=self.account)
        rows = tuple(DraftLine(s, q, p, f"Title of {s}") for s, q, p in wanted)
        draft = OrderDraft(rows, "USD", "Zoë Example", "Springfield", "US", "62701", **options)
        return self.walmart.place_order(draft, self.now_us, account=self.account)

    def ship(self, order_id: str, line: str, units: int, **row: Any) -> HttpResponse:
        return self.call("POST", f"/v3/orders/{order_id}/shipping", shipment(line, units, **row))

    def feed(self, kind: str, document: Any) -> str:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        head = b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="f.json"\r\n\r\n'
        found = self.ok(
            "POST",
            f"/v3/feeds?feedType={kind}",
            raw=head + content + b"\r\n--xyz--\r\n",
            media_type="multipart/form-data; boundary=xyz",
        )
        return str(found["feedId"])


def quantity(units: int) -> dict[str, str]:
    return {"unitOfMeasurement": "EACH", "amount": str(units)}


def shipment(line: str, units: int, **row: Any) -> Any:
    status = {"status": "Shipped", "statusQuantity": quantity(units), "trackingInfo": TRACKING}
    statuses = {"orderLineStatus": [status]}
    one = {"lineNumber": line, "sellerOrderId": "SO-1", "orderLineStatuses": statuses, **row}
    return {"orderShipment": {"orderLines": {"orderLine": [one]}}}


def cancellation(line: str, units: int, reason: str = "SELLER_CANCEL_OUT_OF_STOCK") -> Any:
    status = {
        "status": "Cancelled",
        "cancellationReason": reason,
        "statusQuantity": quantity(units),
    }
    one = {"lineNumber": line, "orderLineStatuses": {"orderLineStatus": [status]}}
    return {"orderCancellation": {"orderLines": {"orderLine": [one]}}}


def refund(line: str, amount: float) -> Any:
    charge = {
        "chargeType": "PRODUCT",
        "chargeName": "ItemPrice",
        "chargeAmount": {"currency": "USD", "amount": -amount},
    }
    charges = {"refundCharge": [{"refundReason": "DamagedItem", "charge": charge}]}
    one = {"lineNumber": line, "refunds": {"refund": [{"refundCharges": charges}]}}
    return {"orderRefund": {"orderLines": {"orderLine": [one]}}}


def states(order: Any, line: int = 0) -> dict[str, int]:
    row = order["order"]["orderLines"]["orderLine"][line]
    listed = row["orderLineStatuses"]["orderLineStatus"]
    return {one["status"]: int(one["statusQuantity"]["amount"]) for one in listed}


def ids(answer: Any) -> list[str]:
    return [order["purchaseOrderId"] for order in answer["list"]["elements"]["order"]]


# Orders


def test_an_order_is_acknowledged_shipped_in_parts_cancelled_and_booked() -> None:
    """A line may be in several states at once, and each step leaves its entry in the books."""
    seller = Seller()
    order_id = seller.order(("MUG", 3, "14.99"), ("KETTLE", 1, "34.50"))
    assert ids(seller.ok("GET", "/v3/orders/released")) == [order_id]
    path = f"/v3/orders/{order_id}"
    assert states(seller.ok("POST", f"{path}/acknowledge")) == {"Acknowledged": 3}
    assert seller.refused("GET", "/v3/orders/released")[0] == 404
    assert states(seller.ship(order_id, "1", 2).json()) == {"Acknowledged": 1, "Shipped": 2}
    after = seller.ok("POST", f"{path}/cancel", cancellation("2", 1))
    assert states(after, 1) == {"Cancelled": 1}
    assert states(seller.ship(order_id, "1", 1).json()) == {"Shipped": 3}
    shipped = list(seller.walmart.books.of(BookKind.SHIPMENT_CONFIRMED))
    assert [e.data["items"][0]["quantity"] for e in shipped] == [2, 1]
    assert all(e.request_id for e in shipped)
    assert seller.walmart.listed_quantity("MUG") == 47
    assert seller.walmart.listed_quantity("KETTLE") == 49  # out of stock: not back on offer


def test_a_repeat_is_harmless_refused_or_real_as_declared() -> None:
    """Acknowledging twice changes nothing, shipping twice is refused, refunding twice refunds."""
    seller = Seller()
    order_id = seller.order()
    path = f"/v3/orders/{order_id}"
    first = seller.ok("POST", f"{path}/acknowledge")
    seller.pass_seconds(60)
    assert seller.ok("POST", f"{path}/acknowledge") == first
    assert seller.ship(order_id, "1", 2).status == 200
    again = seller.ship(order_id, "1", 2)
    assert (again.status, again.json()["errors"][0]["code"]) == (
        400,
        "INVALID_REQUEST_CONTENT.GMP_ORDER_API",
    )
    assert states(seller.ok("POST", f"{path}/refund", refund("1", 14.99))) == {
        "Shipped": 1,
        "Refund": 1,
    }
    assert states(seller.ok("POST", f"{path}/refund", refund("1", 14.99))) == {"Refund": 2}
    assert seller.refused("POST", f"{path}/refund", refund("1", 0.01))[0] == 400


def test_a_wrong_line_leaves_the_right_one_untouched() -> None:
    """A call is taken or refused as a whole."""
    seller = Seller()
    order_id = seller.order(("MUG", 1, "14.99"), ("KETTLE", 1, "34.50"))
    body = shipment("1", 1)
    rows = body["orderShipment"]["orderLines"]["orderLine"]
    rows.append({**rows[0], "lineNumber": "9"})
    status, code = seller.refused("POST", f"/v3/orders/{order_id}/shipping", body)
    assert (status, code) == (400, "INVALID_REQUEST_CONTENT.GMP_ORDER_API")
    assert states(seller.ok("GET", f"/v3/orders/{order_id}")) == {"Created": 1}
    assert not list(seller.walmart.books.of(BookKind.SHIPMENT_CONFIRMED))


@pytest.mark.parametrize("amount", ["0", "-1", "two", "1.5", "9" * 40, "²"])
def test_units_are_whole_numbers_in_text(amount: str) -> None:
    """What is no number of units is refused in the vendor's shape."""
    seller = Seller()
    order_id = seller.order()
    body = shipment("1", 1)
    status = body["orderShipment"]["orderLines"]["orderLine"][0]["orderLineStatuses"]
    status["orderLineStatus"][0]["statusQuantity"]["amount"] = amount
    assert seller.refused("POST", f"/v3/orders/{order_id}/shipping", body)[0] == 400


def test_the_cursor_is_a_query_string_that_reaches_every_order_once() -> None:
    """A walk sees each order once, though new ones come and old ones change meanwhile."""
    seller = Seller()
    placed = []
    for _ in range(5):
        placed.append(seller.order())
        seller.pass_seconds(1)
    answer = seller.ok("GET", "/v3/orders?createdStartDate=2026-11-20&limit=2")
    seen = ids(answer)
    assert answer["list"]["meta"]["totalCount"] == 5
    while "nextCursor" in answer["list"]["meta"]:
        cursor = answer["list"]["meta"]["nextCursor"]
        assert cursor.startswith("?limit=2&")
        assert "hasMoreElements=true" in cursor
        seller.ok("POST", f"/v3/orders/{placed[0]}/acknowledge")
        answer = seller.ok("GET", f"/v3/orders{cursor}")
        seen += ids(answer)
    assert seen == placed


def test_a_cursor_dies_and_belongs_to_its_seller() -> None:
    """An old, edited or foreign cursor is refused."""
    accounts = (Account("10000000017", region="us"), Account("10000000018", region="us"))
    seller = Seller(accounts=accounts)
    seller.order()
    seller.order()
    cursor = seller.ok("GET", "/v3/orders?limit=1")["list"]["meta"]["nextCursor"]
    assert seller.refused("GET", f"/v3/orders{cursor}&sku=MUG")[0] == 400
    seller.account = "10000000018"
    assert seller.refused("GET", f"/v3/orders{cursor}")[0] == 400
    seller.account = None
    seller.pass_seconds(3600)
    code = "INVALID_REQUEST_PARAM.GMP_ORDER_API"
    assert seller.refused("GET", f"/v3/orders{cursor}") == (400, code)


def test_filters_windows_and_the_default_of_seven_days() -> None:
    """Without a window a list goes back seven days; nothing found is 404."""
    seller = Seller()
    old = seller.order(("TOWEL", 1, "12.00"))
    seller.pass_seconds(7 * DAY_S + 1)
    new = seller.order()
    assert ids(seller.ok("GET", "/v3/orders")) == [new]
    assert ids(seller.ok("GET", "/v3/orders?createdStartDate=2026-11-01")) == [old, new]
    assert ids(seller.ok("GET", "/v3/orders?createdStartDate=2026-11-01&sku=TOWEL")) == [old]
    assert ids(seller.ok("GET", f"/v3/orders?purchaseOrderId={old}")) == [old]
    assert ids(seller.ok("GET", "/v3/orders?status=Created")) == [new]
    nothing = (404, "CONTENT_NOT_FOUND.GMP_ORDER_API")
    assert seller.refused("GET", "/v3/orders?shipNodeType=WFSFulfilled") == nothing
    assert seller.refused("GET", "/v3/orders?createdStartDate=yesterday")[0] == 400
    seller.pass_seconds(60)
    changed = seller.ok("POST", f"/v3/orders/{new}/acknowledge")
    assert states(changed) == {"Acknowledged": 2}
    assert ids(seller.ok("GET", "/v3/orders?lastModifiedStartDate=2026-11-27T10:00:30Z")) == [new]


def test_both_versions_share_their_addresses() -> None:
    """The version that is served decides about isWCPOrder and the form of miscAttributes."""
    seller = Seller()
    order_id = seller.order(gift=True)
    newer = seller.ok("GET", f"/v3/orders/{order_id}")["order"]
    assert newer["isWCPOrder"] is False
    assert newer["miscAttributes"]["type"] == "OTHER"
    seller.edge.serve_version("orders", "v3.2026-03-19")
    older = seller.ok("GET", f"/v3/orders/{order_id}")["order"]
    assert "isWCPOrder" not in older
    assert set(older["miscAttributes"]) == {"name", "details"}


def test_pending_orders_appear_when_they_are_released() -> None:
    """A pending order is nowhere; released, it is as new as the release."""
    seller = Seller()
    order_id = seller.order(pending=True)
    assert seller.refused("GET", f"/v3/orders/{order_id}")[0] == 404
    assert seller.refused("GET", "/v3/orders")[0] == 404
    seller.pass_seconds(3600)
    seller.walmart.release_order(order_id, seller.now_us)
    order = seller.ok("GET", f"/v3/orders/{order_id}")["order"]
    assert order["orderDate"] == seller.now_us // 1000


def test_buyers_cannot_buy_what_is_not_there_and_get_it_back_by_cancelling() -> None:
    """The role of a sales channel: out of stock books nothing, a cancelled order frees goods."""
    seller = Seller()
    assert isinstance(seller.walmart, SalesChannel)
    seller.walmart.list_sku("MUG", 3, seller.now_us)
    order_id = seller.order(("MUG", 2, "14.99"))
    with pytest.raises(OutOfStock):
        seller.order(("MUG", 2, "14.99"))
    assert len(list(seller.walmart.books.of(BookKind.ORDER_PLACED))) == 1
    seller.walmart.cancel_order(order_id, seller.now_us)
    assert seller.walmart.listed_quantity("MUG") == 3
    assert states(seller.ok("GET", f"/v3/orders/{order_id}")) == {"Cancelled": 2}
    assert len(list(seller.walmart.books.of(BookKind.ORDER_CANCELLED))) == 1


def test_what_nobody_ships_is_cancelled_eight_days_after_the_ship_date() -> None:
    """The marketplace cancels open units by itself, shipped ones stay."""
    seller = Seller()
    order_id = seller.order()
    seller.ship(order_id, "1", 1)
    seller.pass_seconds(10 * DAY_S - 1)
    assert states(seller.ok("GET", f"/v3/orders/{order_id}")) == {"Created": 1, "Shipped": 1}
    seller.pass_seconds(1)
    assert states(seller.ok("GET", f"/v3/orders/{order_id}")) == {"Shipped": 1, "Cancelled": 1}


def test_a_buyer_who_wants_out_is_shipped_to_only_on_purpose() -> None:
    """intentToCancel is shown, and shipping needs intentToCancelOverride."""
    seller = Seller()
    order_id = seller.order()
    seller.walmart.ask_to_cancel(order_id, seller.now_us)
    order = seller.ok("GET", f"/v3/orders/{order_id}")["order"]
    assert order["orderLines"]["orderLine"][0]["intentToCancel"] == "CANCEL"
    assert seller.ship(order_id, "1", 1).status == 400
    assert seller.ship(order_id, "1", 1, intentToCancelOverride=True).status == 200


def test_settings_decide_what_the_vendor_leaves_open() -> None:
    """Each unverified manner can be turned."""
    strict = Seller(
        ship_unacknowledged="refuse",
        cancel_repeat="accept",
        charge_amount_per="unit",
        unknown_sku="accept",
    )
    order_id = strict.order()
    assert strict.ship(order_id, "1", 1).status == 400
    order = strict.ok("POST", f"/v3/orders/{order_id}/acknowledge")["order"]
    charge = order["orderLines"]["orderLine"][0]["charges"]["charge"][0]
    assert charge["chargeAmount"]["amount"] == 14.99
    assert charge["tax"]["taxAmount"]["amount"] == 1.05
    for _ in range(2):
        after = strict.ok("POST", f"/v3/orders/{order_id}/cancel", cancellation("1", 2))
        assert states(after) == {"Cancelled": 2}
    body = {"sku": "NEW", "quantity": {"unit": "EACH", "amount": 4}}
    assert strict.ok("PUT", "/v3/inventory?sku=NEW", body) == body
    plain = Seller()
    order_id = plain.order()
    plain.ok("POST", f"/v3/orders/{order_id}/cancel", cancellation("1", 2))
    assert plain.refused("POST", f"/v3/orders/{order_id}/cancel", cancellation("1", 2))[0] == 400
    assert plain.refused("PUT", "/v3/inventory?sku=NEW", body)[0] == 404


# Returns and money


def test_order_to_settlement_adds_up_to_the_cent() -> None:
    """Sales, a refund and a return of odd prices: the rows of the file sum to Total Payable."""
    seller = Seller()
    first = seller.order(("MUG", 3, "3.33"), ("KETTLE", 1, "34.57"))
    for units in (1, 2):
        assert seller.ship(first, "1", units).status == 200
    assert seller.ship(first, "2", 1).status == 200
    seller.ok("POST", f"/v3/orders/{first}/refund", refund("2", 7.77))
    return_id = seller.walmart.open_return(first, [("1", 2)], seller.now_us)
    order = seller.ok("GET", f"/v3/orders/{first}")["order"]
    row = {"returnOrderLineNumber": 1, "quantity": {"unitOfMeasure": "EACH", "measurementValue": 1}}
    body = {"customerOrderId": order["customerOrderId"], "refundLines": [row]}
    for status in ("DELIVERED", "COMPLETED"):
        seller.walmart.receive_return(return_id, seller.now_us)
        after = seller.ok("POST", f"/v3/returns/{return_id}/refund", body)
        assert after["status"] == status
    assert seller.refused("POST", f"/v3/returns/{return_id}/refund", body)[0] == 400
    listed = seller.ok("GET", "/v3/returns?status=COMPLETED")
    assert [one["returnOrderId"] for one in listed["returnOrders"]] == [return_id]

    base = "/v3/report/reconreport"
    assert seller.ok("GET", f"{base}/availableReconFiles")["availableApReportDates"] == []
    seller.pass_seconds(15 * DAY_S)
    days = seller.ok("GET", f"{base}/availableReconFiles?reportVersion=v1")
    (day,) = days["availableApReportDates"]
    rows = seller.ok("GET", f"{base}/reconFileJson?reportDate={day}")["reportData"]
    total = Decimal(rows[0]["Total Payable"])
    amounts = [Decimal(row["Amount"]) for row in rows[1:]]
    sold = Decimal("9.99") + Decimal("34.57") - Decimal("7.77") - Decimal("6.66")
    kept = {r["Amount Type"]: Decimal(0) for r in rows[1:]}
    for one in rows[1:]:
        kept[one["Amount Type"]] += Decimal(one["Amount"])
    assert sum(amounts) == total
    assert kept["Product Price"] == sold
    assert kept["Product tax"] + kept["Product tax withheld"] == 0
    assert total == sold + kept["Commission on Product"]

    answer = seller.call("GET", f"{base}/reconFile?reportDate={day}&reportVersion=v1")
    assert answer.header("content-type") == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    table = list(csv.DictReader(io.StringIO(text)))
    assert len(table[0]) == 32
    assert [{k: v for k, v in row.items() if v} for row in table] == rows
    page = seller.ok("GET", f"{base}/reconFileJson?reportDate={day}&pageNo=2&limit=3")
    assert page["reportData"] == rows[3:6]
    assert seller.refused("GET", f"{base}/reconFile?reportDate=01012020")[0] == 404
    assert seller.refused("GET", f"{base}/reconFile?reportDate={day}&reportVersion=v0")[0] == 400


def test_a_debt_is_carried_into_the_next_period() -> None:
    """Refunds above the sales of a period pay nothing out; the next file starts with the debt."""
    seller = Seller()
    order_id = seller.order(("MUG", 1, "10.00"))
    seller.ship(order_id, "1", 1)
    seller.pass_seconds(14 * DAY_S)
    seller.ok("POST", f"/v3/orders/{order_id}/refund", refund("1", 10.00))
    seller.pass_seconds(14 * DAY_S)
    other = seller.order(("MUG", 1, "20.00"))
    assert seller.ship(other, "1", 1).status == 200
    seller.pass_seconds(14 * DAY_S)
    base = "/v3/report/reconreport"
    totals = []
    for day in seller.ok("GET", f"{base}/availableReconFiles")["availableApReportDates"]:
        rows = seller.ok("GET", f"{base}/reconFileJson?reportDate={day}")["reportData"]
        assert sum(Decimal(r["Amount"]) for r in rows[1:]) == Decimal(rows[0]["Total Payable"])
        totals.append(rows[0]["Total Payable"])
    assert totals == ["8.50", "0.00", "8.50"]


def test_returns_are_listed_by_token_and_only_of_shipped_goods() -> None:
    """Ten on a page unless asked; the cursor goes back as a parameter."""
    seller = Seller()
    order_id = seller.order(("MUG", 4, "14.99"))
    with pytest.raises(ValueError, match="has not 1 units"):
        seller.walmart.open_return(order_id, [("1", 1)], seller.now_us)
    seller.ship(order_id, "1", 3)
    made = [seller.walmart.open_return(order_id, [("1", 1)], seller.now_us) for _ in range(3)]
    with pytest.raises(ValueError, match="has not 1 units"):
        seller.walmart.open_return(order_id, [("1", 1)], seller.now_us)
    seen, query = [], "limit=2"
    while True:
        answer = seller.ok("GET", f"/v3/returns?{query}")
        seen += [one["returnOrderId"] for one in answer["returnOrders"]]
        if "nextCursor" not in answer["meta"]:
            break
        query = f"limit=2&nextCursor={answer['meta']['nextCursor'].replace('=', '%3D')}"
    assert sorted(seen) == sorted(made)
    assert seller.ok("GET", "/v3/returns?customerOrderId=1")["returnOrders"] == []
