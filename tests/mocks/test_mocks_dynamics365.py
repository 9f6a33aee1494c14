"""Proves that Business Central's simulator books, posts and lists as its contract says.

Every request goes through the edge (routing, token, quota, contract check) with answers checked
against the contract, and time moves only when a test says so.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US, from_text
from harness.simulation.clock import VirtualClock
from harness.simulation.streams import SeededStreams
from mocks.dynamics365 import Dynamics365
from mocks.kit.accounts import Account
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import ErpSystem

ETAG = "@odata.etag"
CATALOG = Catalog(contracts_root())


class Tenant:
    """One estate with one Dynamics 365, called without an event loop: nothing waits."""

    def __init__(self, *accounts: str, seed: int = 7, **settings: Any) -> None:
        self.clock = VirtualClock(from_text("2026-11-20T10:00:00Z"))
        named = {"dynamics365": [Account(name) for name in accounts]} if accounts else None
        self.estate = Estate(
            ["dynamics365"],
            catalog=CATALOG,
            clock=self.clock,
            streams=SeededStreams(seed),
            settings={"dynamics365": settings},
            accounts=named,
            check_answers=True,
            latency=False,
        )
        simulator = self.estate.simulators["dynamics365"]
        assert isinstance(simulator, Dynamics365)
        self.erp = simulator
        self.account: str | None = None
        self.tokens: dict[str | None, str] = {}
        self.version = "v2.0"

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def pass_seconds(self, seconds: int) -> None:
        self.clock.advance_us(seconds * SECOND_US)

    def access(self) -> Any:
        return self.estate.access("dynamics365", account=self.account)

    def send(self, request: HttpRequest) -> HttpResponse:
        steps = self.estate.edges["dynamics365"].exchange(request)
        try:
            steps.send(None)
        except StopIteration as finished:
            assert self.estate.failures == []
            response: HttpResponse = finished.value.response
            return response
        message = "an exchange without latency must not wait"
        raise AssertionError(message)

    def sign_in(self, **form: str) -> HttpResponse:
        access = self.access()
        fields = {
            "grant_type": "client_credentials",
            "client_id": access.credentials["client_id"],
            "client_secret": access.credentials["client_secret"],
            "scope": access.parameters["scope"],
            **form,
        }
        path = f"/{access.parameters['tenant']}/oauth2/v2.0/token"
        kind = (("content-type", "application/x-www-form-urlencoded"),)
        return self.send(HttpRequest("POST", path, (), kind, urlencode(fields).encode()))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        **headers: str,
    ) -> HttpResponse:
        token = self.tokens.get(self.account)
        if token is None:
            answer = self.sign_in()
            assert answer.status == 200, answer.body
            token = self.tokens[self.account] = answer.json()["access_token"]
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        every = (("authorization", f"Bearer {token}"), *named)
        pairs = tuple((query or {}).items())
        if body is None:
            return self.send(HttpRequest(method, path, pairs, every))
        return self.send(HttpRequest.with_json(method, path, body, query=pairs, headers=every))

    @property
    def root(self) -> str:
        return f"/v2.0/production/api/{self.version}"

    def at(self, path: str) -> str:
        return f"{self.root}/companies({self.access().parameters['company']})/{path}"

    def read(self, path: str, query: dict[str, str] | None = None, **headers: str) -> Any:
        answer = self.call("GET", self.at(path), None, query, **headers)
        assert answer.status == 200, answer.body
        return answer.json()

    def rows(self, path: str, **query: str) -> list[Any]:
        value: list[Any] = self.read(path, {f"${k}": v for k, v in query.items()})["value"]
        return value

    def create(self, path: str, body: Any) -> Any:
        answer = self.call("POST", self.at(path), body)
        assert answer.status == 201, answer.body
        return answer.json()

    def post(self, path: str, action: str = "post") -> HttpResponse:
        return self.call("POST", self.at(f"{path}/Microsoft.NAV.{action}"))

    def patch(self, path: str, body: Any, tag: str = "*") -> HttpResponse:
        return self.call("PATCH", self.at(path), body, if_match=tag)

    def booked(self, kind: BookKind) -> list[tuple[str, Any]]:
        return [(entry.key, entry.data) for entry in self.erp.books.of(kind)]


def line(sku: str = "MUG", quantity: float = 2, price: float = 14.99, **more: Any) -> Any:
    return {
        "lineType": "Item",
        "lineObjectNumber": sku,
        "quantity": quantity,
        "unitPrice": price,
        **more,
    }


def order(*lines: Any, **more: Any) -> Any:
    return {
        "externalDocumentNumber": "113-1",
        "customerNumber": "C-110",
        "currencyCode": "USD",
        "salesOrderLines": list(lines or (line(),)),
        **more,
    }


def refused(answer: HttpResponse) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["message"]
    return answer.status, error["code"]


@pytest.fixture
def tenant() -> Tenant:
    made = Tenant()
    made.erp.set_stock("MUG", 10, made.now_us)
    made.erp.set_stock("POT", 5, made.now_us)
    return made


def test_it_is_an_erp(tenant: Tenant) -> None:
    assert isinstance(tenant.erp, ErpSystem)
    assert tenant.access().role == "erp"
    assert (tenant.erp.available("MUG"), tenant.erp.available("GHOST")) == (10, None)
    assert tenant.booked(BookKind.STOCK_SET)[0] == ("MUG", {"quantity": 10})


def test_the_example_shows_stock(tenant: Tenant) -> None:
    example = tenant.erp.example(tenant.now_us)
    assert example is not None
    answer = tenant.call(example.method, example.path, None, dict(example.query))
    assert [(row["number"], row["inventory"]) for row in answer.json()["value"]] == [
        ("MUG", 10),
        ("POT", 5),
    ]


def test_an_order_created_twice_is_there_twice(tenant: Tenant) -> None:
    first, second = (tenant.create("salesOrders", order()) for _ in range(2))
    assert first["number"] != second["number"]
    booked = tenant.booked(BookKind.SALES_ORDER_CREATED)
    assert [key for key, _ in booked] == ["113-1", "113-1"]
    assert booked[0][1] == {
        "id": first["id"],
        "currency": "USD",
        "lines": [{"sku": "MUG", "quantity": 2, "unit_price": "14.99"}],
    }
    assert tenant.erp.available("MUG") == 6
    found = tenant.rows("salesOrders", filter="externalDocumentNumber eq '113-1'")
    assert [row["id"] for row in found] == [first["id"], second["id"]]


def test_a_company_may_refuse_a_second_document_of_one_number() -> None:
    tenant = Tenant(duplicate_external_document_number="refuse")
    tenant.erp.set_stock("MUG", 10, tenant.now_us)
    tenant.create("salesOrders", order())
    answer = tenant.call("POST", tenant.at("salesOrders"), order())
    assert refused(answer) == (400, "Application_DialogException")
    assert len(tenant.booked(BookKind.SALES_ORDER_CREATED)) == 1


def test_amounts_add_up_to_the_cent(tenant: Tenant) -> None:
    made = tenant.create("salesOrders", order(line(), line("POT", 1, 34.5), discountAmount=4.48))
    assert made["totalAmountExcludingTax"] == 60.0
    assert made["totalTaxAmount"] == 4.2
    assert made["totalAmountIncludingTax"] == 64.2
    yen = tenant.create(
        "salesOrders", order(line(price=333, discountPercent=10), currencyCode="JPY")
    )
    assert (yen["totalAmountExcludingTax"], yen["totalTaxAmount"]) == (599, 42)


def test_order_ship_and_invoice_credit_and_settle(tenant: Tenant) -> None:
    """One sale from order to refund: stock, documents and the journal agree to the cent."""
    made = tenant.create("salesOrders", order(line(), line("POT", 1, 34.5)))
    assert tenant.post(f"salesOrders({made['id']})", "shipAndInvoice").status == 204
    assert refused(tenant.call("GET", tenant.at(f"salesOrders({made['id']})")))[0] == 404
    repeat = tenant.post(f"salesOrders({made['id']})", "shipAndInvoice")
    assert refused(repeat) == (404, "Internal_RecordNotFound")
    (shipment,) = tenant.rows("salesShipments", expand="salesShipmentLines")
    assert (shipment["orderNumber"], shipment["externalDocumentNumber"]) == (
        made["number"],
        "113-1",
    )
    assert [n["quantity"] for n in shipment["salesShipmentLines"]] == [2, 1]
    (invoice,) = tenant.rows("salesInvoices", filter=f"orderNumber eq '{made['number']}'")
    assert (invoice["status"], invoice["totalAmountIncludingTax"]) == (
        "Open",
        made["totalAmountIncludingTax"],
    )
    assert tenant.booked(BookKind.FULFILMENT_CREATED)[0][1]["lines"] == [
        {"sku": "MUG", "quantity": 2},
        {"sku": "POT", "quantity": 1},
    ]

    memo = tenant.create(
        "salesCreditMemos",
        {
            "externalDocumentNumber": "RMA-1",
            "customerNumber": "C-110",
            "invoiceId": invoice["id"],
            "salesCreditMemoLines": [line(quantity=1)],
        },
    )
    assert (memo["status"], memo["totalAmountIncludingTax"]) == ("Draft", 16.04)
    assert tenant.post(f"salesCreditMemos({memo['id']})").status == 204
    assert refused(tenant.post(f"salesCreditMemos({memo['id']})"))[0] == 400
    assert tenant.erp.available("MUG") == 9
    after = tenant.rows("salesInvoices")[0]["remainingAmount"]
    assert after == round(invoice["totalAmountIncludingTax"] - 16.04, 2)
    moved = tenant.rows("itemLedgerEntries", filter="itemNumber eq 'MUG'")
    assert [row["quantity"] for row in moved] == [10, -2, 1]
    (item,) = tenant.rows("items", filter="number eq 'MUG'")
    assert item["inventory"] == sum(row["quantity"] for row in moved)

    (journal,) = tenant.rows("journals")
    lines = f"journals({journal['id']})/journalLines"
    for account, amount in (("1200", -after), ("6170", 4.5), ("1010", round(after - 4.5, 2))):
        tenant.create(lines, {"accountNumber": account, "documentNumber": "ST-1", "amount": amount})
    assert len(tenant.rows(lines)) == 3
    assert tenant.post(f"journals({journal['id']})").status == 204
    assert tenant.rows(lines) == []
    booked = [tenant.erp.balance(account) for account in ("1200", "6170", "1010", "2910")]
    assert sum(booked) == 0
    assert booked[-1] == 0, "nothing was left for the balancing account"
    assert float(-booked[0]) == after


def test_part_of_an_order_ships_and_the_rest_follows(tenant: Tenant) -> None:
    made = tenant.create("salesOrders", order(line(quantity=3), discountAmount=1))
    (own,) = tenant.rows(f"salesOrders({made['id']})/salesOrderLines")
    answer = tenant.patch(f"salesOrderLines({own['id']})", {"shipQuantity": 1}, own[ETAG])
    assert (answer.json()["shipQuantity"], answer.json()["invoiceQuantity"]) == (1, 1)
    assert tenant.patch(f"salesOrderLines({own['id']})", {"shipQuantity": 4}).status == 400
    assert tenant.post(f"salesOrders({made['id']})", "shipAndInvoice").status == 204
    kept = tenant.read(f"salesOrders({made['id']})", {"$expand": "salesOrderLines,currency"})
    assert (kept["status"], kept["fullyShipped"]) == ("Open", False)
    assert kept["currency"] == {"code": "USD", "displayName": "US Dollar"}
    rest = kept["salesOrderLines"][0]
    assert (rest["shippedQuantity"], rest["shipQuantity"]) == (1, 2)
    assert tenant.patch(f"salesOrderLines({own['id']})", {"quantity": 0}).status == 400
    assert tenant.post(f"salesOrders({made['id']})", "shipAndInvoice").status == 204
    totals = [row["totalAmountExcludingTax"] for row in tenant.rows("salesInvoices")]
    assert round(sum(totals), 2) == made["totalAmountExcludingTax"] == 43.97
    assert tenant.erp.available("MUG") == 7


def test_a_line_is_added_and_an_order_deleted(tenant: Tenant) -> None:
    made = tenant.create("salesOrders", order())
    added = tenant.create(f"salesOrders({made['id']})/salesOrderLines", line("POT", 4, 1))
    assert (added["sequence"], added["itemId"] != made["id"]) == (20_000, True)
    assert tenant.erp.available("POT") == 1
    path = tenant.at(f"salesOrders({made['id']})")
    stale = tenant.call("DELETE", path, if_match=made[ETAG])
    assert refused(stale) == (409, "Request_EntityChanged")
    assert tenant.call("DELETE", path).status == 204
    assert tenant.call("DELETE", path).status == 404
    assert (tenant.erp.available("MUG"), tenant.erp.available("POT")) == (10, 5)
    assert tenant.booked(BookKind.SALES_ORDER_UPDATED)[-1][1]["deleted"] is True


def test_a_write_needs_the_tag_of_what_was_read(tenant: Tenant) -> None:
    made = tenant.create("salesOrders", order())
    path = f"salesOrders({made['id']})"
    assert tenant.call("PATCH", tenant.at(path), {"postingDate": "2026-11-21"}).status == 400
    first = tenant.patch(path, {"postingDate": "2026-11-21"}, made[ETAG])
    assert (first.status, first.json()["postingDate"]) == (200, "2026-11-21")
    assert first.header("etag") == first.json()[ETAG] != made[ETAG]
    late = tenant.patch(path, {"postingDate": "2026-11-22"}, made[ETAG])
    assert refused(late) == (409, "Request_EntityChanged")
    assert tenant.patch(path, {"externalDocumentNumber": "113-2"}).status == 200
    assert tenant.read(path)["externalDocumentNumber"] == "113-2"


def test_a_price_is_written_and_stock_is_not(tenant: Tenant) -> None:
    (item,) = tenant.rows("items", filter="number eq 'MUG'")
    path = f"items({item['id']})"
    changed = tenant.patch(path, {"unitPrice": 15.49}, item[ETAG]).json()
    assert (changed["unitPrice"], changed["inventory"]) == (15.49, 10)
    assert tenant.patch(path, {"inventory": 99}).status == 400
    assert tenant.booked(BookKind.PRICE_PUBLISHED) == [
        ("MUG", {"amount": "15.49", "currency": "USD"})
    ]
    assert tenant.patch(path, {"blocked": True}).json()["blocked"] is True
    assert tenant.call("POST", tenant.at("salesOrders"), order()).status == 400
    assert tenant.read(path) == tenant.rows("items", filter="blocked eq true")[0]
    assert tenant.call("GET", tenant.at(path), None, {"$expand": "picture"}).status == 400


def test_an_invoice_without_an_order_ships_its_goods(tenant: Tenant) -> None:
    body = {"customerNumber": "C-110", "salesInvoiceLines": [line()]}
    made = tenant.create("salesInvoices", body)
    assert (made["status"], tenant.erp.available("MUG")) == ("Draft", 10)
    draft = {"customerNumber": "C-110", "invoiceId": made["id"]}
    assert tenant.call("POST", tenant.at("salesCreditMemos"), draft).status == 400
    assert tenant.post(f"salesInvoices({made['id']})").status == 204
    assert refused(tenant.post(f"salesInvoices({made['id']})"))[0] == 400
    assert tenant.erp.available("MUG") == 8
    memo = {**draft, "salesCreditMemoLines": [line()]}
    whole = tenant.create("salesCreditMemos", memo)
    assert tenant.post(f"salesCreditMemos({whole['id']})").status == 204
    assert tenant.rows("salesInvoices")[0]["status"] == "Paid"
    more = tenant.create("salesCreditMemos", memo)
    assert tenant.post(f"salesCreditMemos({more['id']})").status == 400
    (listed, _) = tenant.rows("salesCreditMemos", expand="salesCreditMemoLines")
    assert listed["salesCreditMemoLines"][0]["lineObjectNumber"] == "MUG"
    assert tenant.erp.available("MUG") == 10


def test_a_closed_period_refuses_every_posting() -> None:
    tenant = Tenant(closed_before="2026-11-01", journal_balancing_account=None)
    tenant.erp.set_stock("MUG", 10, tenant.now_us)
    made = tenant.create("salesOrders", order(postingDate="2026-10-31"))
    assert refused(tenant.post(f"salesOrders({made['id']})", "shipAndInvoice"))[0] == 400
    assert tenant.erp.available("MUG") == 8
    assert tenant.rows("salesShipments") == []
    (journal,) = tenant.rows("journals")
    path = f"journals({journal['id']})"
    assert refused(tenant.post(path))[0] == 400
    good = {"accountNumber": "1", "amount": 5, "documentNumber": "A"}
    tenant.create(f"{path}/journalLines", good)
    assert refused(tenant.post(path))[0] == 400, "out of balance"
    tenant.create(f"{path}/journalLines", {**good, "amount": -5, "postingDate": "2026-10-01"})
    assert refused(tenant.post(path))[0] == 400, "one line lies in a closed period"
    assert len(tenant.rows(f"{path}/journalLines")) == 2
    assert tenant.erp.balance("1") == 0


def test_a_company_may_refuse_to_ship_what_it_has_not() -> None:
    tenant = Tenant(prevent_negative_inventory=True, post_repeat="refuse")
    tenant.erp.set_stock("MUG", 1, tenant.now_us)
    made = tenant.create("salesOrders", order())
    assert tenant.post(f"salesOrders({made['id']})", "shipAndInvoice").status == 400
    tenant.erp.set_stock("MUG", 5, tenant.now_us)
    assert tenant.post(f"salesOrders({made['id']})", "shipAndInvoice").status == 204
    assert tenant.post(f"salesOrders({made['id']})", "shipAndInvoice").status == 400
    assert tenant.erp.available("MUG") == 5


def test_customers_and_companies(tenant: Tenant) -> None:
    made = tenant.create("customers", {"displayName": "Zoë", "city": "Köln"})
    assert (made["city"], made["type"]) == ("Köln", "Company")
    taken = {"displayName": "Again", "number": made["number"]}
    answer = tenant.call("POST", tenant.at("customers"), taken)
    assert refused(answer) == (400, "Internal_EntityWithSameKeyExists")
    assert [row["number"] for row in tenant.rows("customers")] == ["C-110", made["number"]]
    (company,) = tenant.call("GET", f"{tenant.root}/companies").json()["value"]
    assert company["id"] == tenant.access().parameters["company"]


def test_the_older_version_shows_addresses_as_objects(tenant: Tenant) -> None:
    tenant.version = "v1.0"
    address = {"street": "17 Sample Street", "city": "Springfield", "countryLetterCode": "US"}
    made = tenant.create("salesOrders", order(shippingPostalAddress=address))
    assert made["shippingPostalAddress"] == address
    buyer = tenant.create("customers", {"displayName": "Zoë", "address": {"city": "Köln"}})
    assert buyer["address"] == {"city": "Köln"}
    (shown,) = tenant.rows("salesOrders", expand="currency")
    assert shown["currency"] == [{"code": "USD", "displayName": "US Dollar"}]
    loose = order({"lineType": "Account", "accountId": "no guid", "lineObjectNumber": "6170"})
    answer = tenant.call("POST", tenant.at("salesOrders"), loose)
    assert refused(answer) == (400, "Application_InvalidGUID")
    tenant.version = "v2.0"
    new = tenant.read(f"salesOrders({made['id']})")
    assert (new["shipToAddressLine1"], new["shipToCountry"]) == ("17 Sample Street", "US")
    assert "shippingPostalAddress" not in new


@pytest.mark.parametrize(
    "body",
    [
        order(line("GHOST")),
        order(line(quantity=-1)),
        order(line(quantity=10**400)),
        order(line(price=1.0000001)),
        order(line(discountPercent=101)),
        order(line(lineType="Resource")),
        order(line(shipQuantity=3)),
        order(currencyCode="XXX"),
        order(customerNumber="NOBODY"),
        order(discountAmount=1000),
        order(discountAmount=0.001),
        order(colour="blue"),
        order(orderDate="2026-02-30"),
        {"salesOrderLines": [line()]},
        {"customerId": "not-a-guid"},
        [],
    ],
)
def test_a_body_that_fits_no_record_is_refused(tenant: Tenant, body: Any) -> None:
    answer = tenant.call("POST", tenant.at("salesOrders"), body)
    assert refused(answer)[0] == 400
    assert tenant.booked(BookKind.SALES_ORDER_CREATED) == []
    assert tenant.create("salesOrders", order())["number"] == "SO-10001", "no number used up"


def test_two_tenants_share_nothing() -> None:
    tenant = Tenant("tenant-a", "tenant-b")
    tenant.erp.set_stock("MUG", 10, tenant.now_us, account="tenant-a")
    tenant.account = "tenant-a"
    made = tenant.create("salesOrders", order())
    path = tenant.at(f"salesOrders({made['id']})")
    tenant.account = "tenant-b"
    assert refused(tenant.call("GET", path)) == (404, "Internal_CompanyNotFound")
    assert tenant.rows("items") == tenant.rows("salesOrders") == []
    assert tenant.erp.available("MUG", account="tenant-b") is None
    entries = tenant.erp.books.of(BookKind.SALES_ORDER_CREATED, account="tenant-b")
    assert list(entries) == []


def test_the_same_seed_gives_the_same_bytes() -> None:
    def story(seed: int) -> list[bytes]:
        tenant = Tenant(seed=seed)
        tenant.erp.set_stock("MUG", 10, tenant.now_us)
        tenant.create("salesOrders", order())
        paths = ("salesOrders", "items", "customers", "itemLedgerEntries")
        return [tenant.call("GET", tenant.at(path)).body for path in paths]

    assert story(1) == story(1)
    assert story(1) != story(2)
