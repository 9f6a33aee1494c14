"""Proves that the NetSuite simulator keeps the published manners and its own contract.

Every request goes through the edge (routing, token, slots, contract check) with answers checked
against the contract, and time moves only when a test says so.
"""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US, from_text
from harness.simulation.clock import VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import ErpSystem
from mocks.netsuite import NetSuite

ORDERS = "/services/rest/record/v1/salesOrder"
JOB_KEY = "0f9d3a52-7c1e-4a3e-9d3e-6f1b8a2c4d5e"


def base64url(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class Company:
    """One estate with one NetSuite, called without an event loop: nothing waits."""

    def __init__(self, **settings: Any) -> None:
        self.clock = VirtualClock(from_text("2026-11-20T10:00:00Z"))
        self.estate = Estate(
            ["netsuite"],
            catalog=Catalog(contracts_root()),
            clock=self.clock,
            streams=SeededStreams(7),
            settings={"netsuite": settings},
            check_answers=True,
            latency=False,
        )
        simulator = self.estate.simulators["netsuite"]
        assert isinstance(simulator, NetSuite)
        self.erp = simulator
        self.token = ""

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def pass_seconds(self, seconds: int) -> None:
        self.clock.advance_us(seconds * SECOND_US)

    def send(self, request: HttpRequest) -> HttpResponse:
        steps = self.estate.edges["netsuite"].exchange(request)
        try:
            steps.send(None)
        except StopIteration as finished:
            assert self.estate.failures == []
            response: HttpResponse = finished.value.response
            return response
        message = "an exchange without latency must not wait"
        raise AssertionError(message)

    def token_request(self) -> HttpRequest:
        access = self.estate.access("netsuite")
        now = self.now_us // SECOND_US
        header = {"alg": "PS256", "typ": "JWT", "kid": access.credentials["certificate_id"]}
        claims = {
            "iss": access.credentials["client_id"],
            "aud": access.parameters["token_url"],
            "scope": "rest_webservices",
            "iat": now,
            "exp": now + 3600,
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": f"{base64url(header)}.{base64url(claims)}.c2lnbmVk",
        }
        return HttpRequest(
            "POST",
            "/services/rest/auth/oauth2/v1/token",
            headers=(("content-type", "application/x-www-form-urlencoded"),),
            body=urlencode(form).encode(),
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        **headers: str,
    ) -> HttpResponse:
        if not self.token:
            answer = self.send(self.token_request())
            assert answer.status == 200, answer.body
            self.token = answer.json()["access_token"]
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        all_headers = (("authorization", f"Bearer {self.token}"), *named)
        pairs = tuple((query or {}).items())
        if body is None:
            return self.send(HttpRequest(method, path, pairs, all_headers))
        return self.send(
            HttpRequest.with_json(method, path, body, query=pairs, headers=all_headers)
        )

    def read(self, path: str, **query: str) -> Any:
        answer = self.call("GET", path, query=query)
        assert answer.status == 200, answer.body
        return answer.json()

    def ask(self, text: str, **query: str) -> Any:
        answer = self.call(
            "POST", "/services/rest/query/v1/suiteql", {"q": text}, query, prefer="transient"
        )
        assert answer.status == 200, answer.body
        return answer.json()

    def create(self, body: Any, **headers: Any) -> str:
        answer = self.call("POST", ORDERS, body, **headers)
        assert answer.status == 204, answer.body
        return (answer.header("location") or "").rsplit("/", 1)[-1]

    def upsert(self, external_id: str, body: Any, **headers: Any) -> HttpResponse:
        return self.call("PUT", f"{ORDERS}/eid:{external_id}", body, **headers)

    def ship(self, order_id: str, body: Any = None) -> HttpResponse:
        return self.call("POST", f"{ORDERS}/{order_id}/!transform/itemFulfillment", body)

    def booked(self, kind: BookKind) -> list[tuple[str, Any]]:
        return [(entry.key, entry.data) for entry in self.erp.books.of(kind)]


def order(sku: str = "MUG", quantity: float = 2, **more: Any) -> dict[str, Any]:
    line = {"item": {"externalId": sku}, "quantity": quantity, "rate": 9.99}
    return {"entity": {"id": "110"}, "orderStatus": "B", "item": {"items": [line]}, **more}


def code(answer: HttpResponse) -> tuple[int, str]:
    body = answer.json()
    assert body["status"] == answer.status
    return answer.status, body["o:errorDetails"][0]["o:errorCode"]


@pytest.fixture
def company() -> Company:
    made = Company()
    made.erp.set_stock("MUG", 10, made.now_us)
    made.erp.set_stock("POT", 5, made.now_us)
    return made


def test_it_is_an_erp(company: Company) -> None:
    assert isinstance(company.erp, ErpSystem)
    assert company.estate.access("netsuite").role == "erp"
    assert company.booked(BookKind.STOCK_SET)[0] == ("MUG", {"quantity": 10})


def test_an_order_created_twice_is_there_twice(company: Company) -> None:
    first, second = company.create(order()), company.create(order())
    assert first != second
    booked = company.booked(BookKind.SALES_ORDER_CREATED)
    assert [key for key, _ in booked] == [first, second]
    assert booked[0][1] == {
        "id": first,
        "currency": "USD",
        "lines": [{"sku": "MUG", "quantity": 2, "unit_price": "9.99"}],
    }


def test_an_external_id_can_be_taken_once(company: Company) -> None:
    company.create(order(externalId="A-1"))
    assert code(company.call("POST", ORDERS, order(externalId="A-1")))[0] == 400
    assert [k for k, _ in company.booked(BookKind.SALES_ORDER_CREATED)] == ["A-1"]


def test_an_upsert_repeated_makes_one_order(company: Company) -> None:
    answers = [company.upsert("A-1", order()) for _ in range(2)]
    assert [a.status for a in answers] == [204, 204]
    assert answers[0].header("location") == answers[1].header("location")
    assert [k for k, _ in company.booked(BookKind.SALES_ORDER_CREATED)] == ["A-1"]
    assert [k for k, _ in company.booked(BookKind.SALES_ORDER_UPDATED)] == ["A-1"]
    assert company.erp.available("MUG") == 8


def test_an_upsert_sets_lines_absolutely(company: Company) -> None:
    company.upsert("A-1", order("MUG", 2))
    company.upsert("A-1", order("POT", 1))
    assert (company.erp.available("MUG"), company.erp.available("POT")) == (10, 4)
    shown = company.read(f"{ORDERS}/eid:A-1", expandSubResources="true")
    assert [(n["item"]["externalId"], n["quantity"]) for n in shown["item"]["items"]] == [
        ("POT", 1)
    ]
    assert shown["total"] == 9.99


def test_an_order_reads_the_same_by_both_ids(company: Company) -> None:
    order_id = company.create(order(externalId="A-1", otherRefNum="111-1", memo="hello"))
    by_id = company.read(f"{ORDERS}/{order_id}")
    assert by_id == company.read(f"{ORDERS}/eid:A-1")
    assert "items" not in by_id["item"]
    assert (by_id["orderStatus"], by_id["otherRefNum"], by_id["memo"]) == ("B", "111-1", "hello")
    assert "memo" not in company.read(f"{ORDERS}/{order_id}", fields="total")


def test_orders_reserve_stock_and_the_rest_is_back_ordered(company: Company) -> None:
    company.create(order("POT", 7))
    assert company.erp.available("POT") == 0
    rows = company.ask("SELECT quantitybackordered AS b FROM inventorybalance WHERE sku = 'POT'")
    assert rows["items"] == [{"links": [], "b": "2"}]
    company.erp.set_stock("POT", 4, company.now_us)
    assert company.erp.available("POT") == 4


@pytest.mark.parametrize(
    "body",
    [
        order("GHOST"),
        order(currency={"id": "99"}),
        order(quantity=0),
        order(quantity=1.5),
        order(quantity=10**30),
        order(quantity=10**400),
        {"entity": {"id": "1"}, "item": {"items": []}},
        order(colour="blue"),
    ],
)
def test_a_body_that_fits_no_record_is_refused(company: Company, body: Any) -> None:
    assert company.call("POST", ORDERS, body).status == 400
    assert company.booked(BookKind.SALES_ORDER_CREATED) == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "-1e400"])
def test_numbers_beyond_json_are_refused(company: Company, number: str) -> None:
    body = json.dumps(order()).replace("9.99", number)
    company.read(ORDERS)
    headers = (
        ("authorization", f"Bearer {company.token}"),
        ("content-type", "application/json"),
    )
    answer = company.send(HttpRequest("POST", ORDERS, (), headers, body.encode()))
    assert answer.status == 400
    assert company.booked(BookKind.SALES_ORDER_CREATED) == []


def test_an_upsert_that_creates_needs_lines(company: Company) -> None:
    assert company.upsert("A-1", {"entity": {"id": "1"}}).status == 400
    assert company.upsert("A-1", order(externalId="A-2")).status == 400


def test_the_list_gives_ids_only_page_by_page(company: Company) -> None:
    ids = [company.create(order(quantity=1)) for _ in range(5)]
    first = company.read(ORDERS, limit="2")
    assert [sorted(item) for item in first["items"]] == [["id", "links"]] * 2
    assert (first["hasMore"], first["totalResults"]) == (True, 5)
    last = company.read(ORDERS, limit="2", offset="4")
    assert ([i["id"] for i in last["items"]], last["hasMore"]) == (ids[4:], False)
    assert company.call("GET", ORDERS, query={"limit": "2", "offset": "3"}).status == 400
    assert company.call("GET", ORDERS, query={"limit": "1", "offset": "1000"}).status == 400


def test_the_list_can_be_filtered_by_change_and_by_nothing_else(company: Company) -> None:
    company.create(order())
    company.pass_seconds(60)
    late = company.create(order())
    found = company.read(ORDERS, q='lastModifiedDate AFTER "2026-11-20T10:00:30Z"')
    assert [i["id"] for i in found["items"]] == [late]
    assert company.call("GET", ORDERS, query={"q": "memo IS x"}).status == 400


def test_shipping_again_ships_what_is_left_and_then_nothing(company: Company) -> None:
    order_id = company.create(order("MUG", 3, externalId="A-1"))
    part = {"item": {"items": [{"orderLine": 1, "quantity": 1}]}}
    assert company.ship(order_id, part).status == 204
    assert company.read(f"{ORDERS}/{order_id}")["orderStatus"] == "D"
    assert company.ship(order_id).status == 204
    assert company.read(f"{ORDERS}/{order_id}")["orderStatus"] == "F"
    assert company.ship(order_id).status == 400
    shipped = company.booked(BookKind.FULFILMENT_CREATED)
    assert [(k, d["lines"][0]["quantity"]) for k, d in shipped] == [("A-1", 1), ("A-1", 2)]
    assert company.erp.available("MUG") == 7


def test_an_order_not_approved_cannot_be_shipped(company: Company) -> None:
    order_id = company.create({**order(), "orderStatus": "A"})
    assert company.ship(order_id).status == 400


def test_a_fulfilment_with_an_external_id_is_made_once(company: Company) -> None:
    order_id = company.create(order("MUG", 3))
    part = {"externalId": "F-1", "item": {"items": [{"orderLine": 1, "quantity": 1}]}}
    assert company.ship(order_id, part).status == 204
    assert company.ship(order_id, part).status == 400
    assert len(company.booked(BookKind.FULFILMENT_CREATED)) == 1


def test_shipped_lines_cannot_be_replaced(company: Company) -> None:
    company.upsert("A-1", order("MUG", 3))
    company.ship(company.read(f"{ORDERS}/eid:A-1")["id"])
    assert company.upsert("A-1", order("MUG", 4)).status == 400
    assert company.upsert("A-1", order("MUG", 3, memo="paid")).status == 204


def test_an_item_shows_its_stock(company: Company) -> None:
    row = company.ask("SELECT id FROM item WHERE itemid = 'MUG'")["items"][0]
    company.create(order("MUG", 4))
    shown = company.read(f"/services/rest/record/v1/inventoryItem/{row['id']}")
    assert (shown["itemId"], shown["quantityOnHand"], shown["quantityAvailable"]) == ("MUG", 10, 6)
    assert company.call("GET", "/services/rest/record/v1/inventoryItem/1").status == 404


def test_suiteql_answers_what_an_engine_polls(company: Company) -> None:
    mapping = Catalog(contracts_root()).mapping("netsuite", "record", "v1")
    assert mapping is not None
    query = mapping["capabilities"]["list_stock"]["body"]["q"]
    rows = company.ask(query)
    assert [(r["itemid"], r["quantityavailable"]) for r in rows["items"]] == [
        ("MUG", "10"),
        ("POT", "5"),
    ]
    company.pass_seconds(60)
    company.create(order("POT", 1))
    changed = company.ask(
        "SELECT itemid FROM item WHERE lastmodifieddate > '2026-11-20T10:00:30.000Z'"
    )
    assert [r["itemid"] for r in changed["items"]] == ["POT"]
    page = company.ask(query, limit="1", offset="1")
    assert ([r["itemid"] for r in page["items"]], page["hasMore"]) == (["POT"], False)


def test_suiteql_sees_orders(company: Company) -> None:
    company.create(order(externalId="A-1"))
    rows = company.ask(
        'SELECT t.externalid, l.quantity FROM "transaction" t '
        'JOIN transactionline l ON l."transaction" = t.id'
    )
    assert rows["items"] == [{"links": [], "externalid": "A-1", "quantity": "2"}]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT nothing FROM item",
        "DELETE FROM item",
        "SELECT 1; SELECT 2",
        "SELECT name FROM sqlite_master",
        "PRAGMA table_info(item)",
        "SELECT random()",
        "SELECT load_extension('x')",
        "ATTACH DATABASE 'file.db' AS other",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        # Two rows joined with themselves thirty times: ended by the step limit.
        "SELECT count(*) FROM " + ", ".join(f"item n{i}" for i in range(30)),  # noqa: S608 - our own text
        "nonsense",
        "SELECT '\x00' FROM item",
        "",
    ],
)
def test_suiteql_reads_and_does_nothing_else(company: Company, text: str) -> None:
    answer = company.call(
        "POST", "/services/rest/query/v1/suiteql", {"q": text}, prefer="transient"
    )
    assert answer.status == 400
    assert [r["itemid"] for r in company.ask("SELECT itemid FROM item ORDER BY id")["items"]] == [
        "MUG",
        "POT",
    ]


def test_suiteql_without_its_header_is_refused(company: Company) -> None:
    answer = company.call("POST", "/services/rest/query/v1/suiteql", {"q": "SELECT 1"})
    assert code(answer)[0] == 400


def test_an_asynchronous_request_is_done_later(company: Company) -> None:
    accepted = company.upsert("A-1", order(), prefer="respond-async")
    assert accepted.status == 202
    job = accepted.header("location") or ""
    assert company.booked(BookKind.SALES_ORDER_CREATED) == []
    assert company.read(job)["completed"] is False
    assert company.call("GET", f"{job}/task/1/result").status == 404
    company.pass_seconds(2)
    shown = company.read(job)
    assert (shown["completed"], shown["progress"]) == (True, "succeeded")
    result = company.call("GET", f"{job}/task/{shown['task']['items'][0]['id']}/result")
    assert (result.status, (result.header("location") or "").startswith(ORDERS)) == (204, True)
    assert [k for k, _ in company.booked(BookKind.SALES_ORDER_CREATED)] == ["A-1"]


def test_a_job_that_fails_says_why_in_its_result(company: Company) -> None:
    job = company.upsert("A-1", order("GHOST"), prefer="respond-async").header("location") or ""
    company.pass_seconds(2)
    assert company.read(job)["progress"] == "failed"
    assert company.call("GET", f"{job}/task/1/result").status == 400


def test_an_idempotency_key_counts_only_for_jobs(company: Company) -> None:
    keyed: dict[str, Any] = {"x_netsuite_idempotency_key": JOB_KEY}
    first = company.call("POST", ORDERS, order(), prefer="respond-async", **keyed)
    again = company.call("POST", ORDERS, order(), prefer="respond-async", **keyed)
    assert code(again) == (400, "IDEMPOTENCY_ERROR")
    assert again.json()["title"] == "Conflict"
    assert again.header("location") == first.header("location")
    company.pass_seconds(2)
    company.create(order(), **keyed)
    company.create(order(), **keyed)
    assert len(company.booked(BookKind.SALES_ORDER_CREATED)) == 3


def test_a_key_is_forgotten_after_its_time(company: Company) -> None:
    made = Company(idempotency_key_seconds=10)
    made.erp.set_stock("MUG", 10, made.now_us)
    keyed: dict[str, Any] = {"x_netsuite_idempotency_key": JOB_KEY, "prefer": "respond-async"}
    assert made.call("POST", ORDERS, order(), **keyed).status == 202
    made.pass_seconds(11)
    assert made.call("POST", ORDERS, order(), **keyed).status == 202


def test_the_sixth_request_in_flight_is_refused() -> None:
    clock, streams = VirtualClock(from_text("2026-11-20T10:00:00Z")), SeededStreams(7)
    estate = Estate(["netsuite"], catalog=Catalog(contracts_root()), clock=clock, streams=streams)
    driver = Company()

    async def story() -> list[int]:
        import asyncio

        client = estate.client("netsuite")
        token = (await client.send(driver.token_request())).json()["access_token"]
        request = HttpRequest("GET", ORDERS, headers=(("authorization", f"Bearer {token}"),))
        answers = await asyncio.gather(*(client.send(request) for _ in range(6)))
        again = await client.send(request)
        refused = next(a for a in answers if a.status == 429)
        assert code(refused) == (429, "SSS_REQUEST_LIMIT_EXCEEDED")
        return [*sorted(a.status for a in answers), again.status]

    assert run_virtual(story, clock=clock, limit_s=60) == [200] * 5 + [429, 200]


def test_a_wrong_token_is_an_invalid_login(company: Company) -> None:
    request = HttpRequest("GET", ORDERS, headers=(("authorization", "Bearer wrong"),))
    assert code(company.send(request)) == (401, "INVALID_LOGIN_ATTEMPT")


def test_what_no_contract_describes_is_explained(company: Company) -> None:
    answer = company.call("GET", "/services/rest/record/v1/customer/1")
    assert answer.status == 404
    assert "customer" in (answer.header("x-driftgate-explain") or "")


def test_a_company_lets_in_signed_requests_beside_tokens() -> None:
    company = Company()
    secrets = company.erp.access("").credentials.values
    assert {"consumer_key", "consumer_secret", "token_id", "token_secret"} <= set(secrets)

    def signed(nonce: str, secret: str) -> HttpRequest:
        given = {
            "oauth_consumer_key": secrets["consumer_key"],
            "oauth_nonce": nonce,
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_timestamp": str(company.now_us // 1_000_000),
            "oauth_token": secrets["token_id"],
            "oauth_version": "1.0",
        }
        listed = "&".join(f"{k}={quote(v, safe='')}" for k, v in sorted(given.items()))
        base = quote(f"https://erp.test{ORDERS}", safe="")
        text = f"GET&{base}&{quote(listed, safe='')}"
        key = f"{quote(secrets['consumer_secret'], safe='')}&{quote(secret, safe='')}"
        digest = hmac.digest(key.encode(), text.encode(), "sha256")
        given["oauth_signature"] = base64.b64encode(digest).decode()
        shown = ", ".join(f'{k}="{quote(v, safe="")}"' for k, v in given.items())
        headers = (("host", "erp.test"), ("authorization", f'OAuth realm="X", {shown}'))
        return HttpRequest("GET", ORDERS, (), headers)

    statuses = [
        company.send(signed(nonce, secret)).status
        for nonce, secret in (("1", secrets["token_secret"]), ("2", "wrong"))
    ]
    assert statuses == [200, 401]
