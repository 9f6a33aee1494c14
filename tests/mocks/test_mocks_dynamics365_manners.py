"""Proves that each manner Dynamics 365 declares happens, and that bad input is refused its way."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.simulation.loop import run_virtual
from mocks.kit.books import BookKind


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


base = _load("test_mocks_dynamics365")
Tenant, order, line, refused = base.Tenant, base.order, base.line, base.refused
HOOK = "https://engine.test/hooks/bc"


@pytest.fixture
def tenant() -> Any:
    made = Tenant()
    for number in range(5):
        made.erp.set_stock(f"SKU-{number}", number, made.now_us)
        made.pass_seconds(60)
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("number eq 'SKU-1'", "1"),
        ("inventory gt 2", "34"),
        ("inventory ge 1 and inventory lt 3 or number eq 'SKU-4'", "124"),
        ("not (inventory le 3)", "4"),
        ("startswith(number,'sku-') and endswith(number, '2')", "2"),
        ("contains(displayName,'3')", "3"),
        ("lastModifiedDateTime gt 2026-11-20T10:02:30Z", "34"),
        ("lastModifiedDateTime ge 2026-11-20T11:03:00+01:00", "34"),
        ("lastModifiedDateTime lt 2026-11-20", ""),
        ("gtin eq null", ""),
        ("type ne null and blocked eq false", "01234"),
        ("number eq 'it''s'", ""),
    ],
)
def test_conditions_select_rows(tenant: Any, text: str, found: str) -> None:
    rows = tenant.rows("items", filter=text)
    assert "".join(row["number"][-1] for row in rows) == found


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": "number eq"},
        {"$filter": "number eq 'SKU-1"},
        {"$filter": "ghost eq 1"},
        {"$filter": "number eq 1"},
        {"$filter": "inventory has 1"},
        {"$filter": "inventory gt null"},
        {"$filter": "contains(inventory,'1')"},
        {"$filter": "(" * 200 + "inventory eq 1"},
        {"$filter": "not " * 400 + "inventory eq 1"},
        {"$filter": "inventory eq 1 and " * 400 + "inventory eq 1"},
        {"$filter": "lastModifiedDateTime gt 2026-99-20T10:00:00Z"},
        {"$filter": "number eq 'a' extra"},
        {"$filter": "§"},
        {"$orderby": "ghost"},
        {"$orderby": "number sideways"},
        {"$select": "ghost"},
        {"$top": "0"},
        {"$skip": "-1"},
        {"$skiptoken": "made-up"},
        {"$count": "true"},
    ],
)
def test_queries_that_cannot_be_read_are_refused(tenant: Any, query: dict[str, str]) -> None:
    answer = tenant.call("GET", tenant.at("items"), None, query)
    assert refused(answer)[0] == 400
    assert answer.header("x-driftgate-explain")


def follow(tenant: Any, answer: Any) -> list[str]:
    """Walk by the addresses the answers give; return the number of every row seen."""
    seen = [row["number"] for row in answer["value"]]
    while "@odata.nextLink" in answer:
        parts = urlsplit(answer["@odata.nextLink"])
        reply = tenant.call("GET", parts.path, None, dict(parse_qsl(parts.query)))
        assert reply.status == 200, reply.body
        answer = reply.json()
        seen += [row["number"] for row in answer["value"]]
    return seen


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "01234"),
        ({"$orderby": "number desc"}, "43210"),
        ({"$orderby": "inventory asc", "$skip": "1"}, "1234"),
        ({"$top": "3"}, "012"),
        ({"$top": "2", "$skip": "2", "$orderby": "inventory desc"}, "21"),
        ({"$filter": "inventory ge 1", "$orderby": "blocked,lastModifiedDateTime desc"}, "4321"),
    ],
)
def test_a_walk_shows_each_row_once(tenant: Any, query: dict[str, str], found: str) -> None:
    first = tenant.read("items", query, prefer="odata.maxpagesize=2")
    assert len(first["value"]) == 2
    assert "".join(number[-1] for number in follow(tenant, first)) == found


def test_a_walk_belongs_to_its_list_and_ends(tenant: Any) -> None:
    first = tenant.read("items", prefer="odata.maxpagesize=2")
    token = dict(parse_qsl(urlsplit(first["@odata.nextLink"]).query))
    assert tenant.call("GET", tenant.at("customers"), None, token).status == 400
    tenant.pass_seconds(3500)
    assert tenant.call("GET", tenant.at("items"), None, token).status == 200
    tenant.tokens.clear()
    tenant.pass_seconds(200)
    assert tenant.call("GET", tenant.at("items"), None, token).status == 400
    answer = tenant.call("GET", tenant.at("items"), prefer="odata.maxpagesize=20001")
    assert refused(answer) == (413, "Request_TooLarge")


def test_selected_members_only(tenant: Any) -> None:
    rows = tenant.rows("items", select="inventory", top="1")
    assert sorted(rows[0]) == ["@odata.etag", "id", "inventory", "number"]


def test_a_token_is_asked_for_and_ends(tenant: Any) -> None:
    answer = tenant.sign_in()
    assert (answer.status, answer.json()["expires_in"]) == (200, 3599)
    assert tenant.sign_in(client_secret="wrong").json()["error"] == "invalid_client"
    bare = tenant.send(HttpRequest("GET", tenant.at("items")))
    assert refused(bare) == (401, "Authentication_InvalidCredentials")
    tenant.rows("items")
    tenant.pass_seconds(3600)
    late = tenant.call("GET", tenant.at("items"))
    assert refused(late) == (401, "Authentication_InvalidCredentials")


def test_the_rate_of_a_user_slides_and_no_wait_is_named(tenant: Any) -> None:
    tenant.estate.edges["dynamics365"].squeeze("user_rate", burst=3)
    for _ in range(3):
        tenant.rows("items")
    answer = tenant.call("GET", tenant.at("items"))
    assert refused(answer) == (429, "Application_TooManyRequests")
    assert answer.header("retry-after") is None
    tenant.pass_seconds(301)
    assert len(tenant.rows("items")) == 5


def test_a_user_may_have_a_hundred_calls_open(tenant: Any) -> None:
    """Five run and 95 wait, so that the hundred and first is refused; here two of one are."""
    edge = tenant.estate.edges["dynamics365"]
    (slots,) = [q for q in edge.quotas.of("business_central/v2.0#listItems") if "conc" in q.kind]
    assert (slots.id, slots.limit) == ("user_concurrency", 100)
    edge.squeeze("user_concurrency", slots=1)

    async def story(live: Live) -> None:
        nested: list[Any] = []

        def during(request: HttpRequest) -> HttpResponse:
            nested.append(tenant.call("GET", tenant.at("items")).status)
            return HttpResponse(400)

        tenant.estate.receivers.register(during, HOOK)
        assert (await live.subscribe()).status == 400
        assert nested == [429], "the handshake held the only slot"

    play(tenant, Engine(), story)
    assert tenant.call("GET", tenant.at("items")).status == 200


def test_unknown_addresses_are_refused_in_the_vendors_shape(tenant: Any) -> None:
    ghost = "8f5a0f17-0000-4000-8000-000000000001"
    for path, status in (
        ("/v2.0/production/api/v9.0/companies", 404),
        ("/v2.0/elsewhere/api/v2.0/companies", 404),
        (f"{tenant.root}/companies({ghost})/items", 404),
        (tenant.at(f"items({ghost})"), 404),
        (tenant.at(f"salesOrderLines({ghost})"), 404),
        (tenant.at("items(nonsense)"), 400),
    ):
        method = "PATCH" if "Lines" in path else "GET"
        body: Any = {} if method == "PATCH" else None
        assert refused(tenant.call(method, path, body, if_match="*"))[0] == status, path
    assert tenant.call("DELETE", tenant.at("items")).status == 405


def test_lists_may_lag_behind_what_is_read_by_key(tenant: Any) -> None:
    tenant.estate.edges["dynamics365"].lag_lists(30)
    made = tenant.create("salesOrders", order(line("SKU-4")))
    assert tenant.rows("salesOrders") == []
    assert tenant.read(f"salesOrders({made['id']})")["number"] == made["number"]
    tenant.pass_seconds(31)
    assert len(tenant.rows("salesOrders")) == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "-1e400", "9" * 400])
def test_numbers_beyond_json_are_refused(tenant: Any, number: str) -> None:
    tenant.rows("items")
    path = tenant.at("salesOrders")
    body = '{"customerNumber":"C-110","salesOrderLines":[{"lineObjectNumber":"SKU-1","%s":%s}]}'
    headers = (
        ("authorization", f"Bearer {tenant.tokens[None]}"),
        ("content-type", "application/json"),
    )
    for name in ("quantity", "unitPrice", "sequence"):
        text = (body % (name, number)).encode()
        assert tenant.send(HttpRequest("POST", path, (), headers, text)).status == 400
        inner = b'{"requests":[{"id":"1","method":"POST","url":"%s","body":%s}]}'
        answer = tenant.send(
            HttpRequest("POST", f"{tenant.root}/$batch", (), headers, inner % (path.encode(), text))
        )
        assert answer.status == 400 or answer.json()["responses"][0]["status"] == 400


def batch(tenant: Any, *requests: Any) -> list[Any]:
    answer = tenant.call("POST", f"{tenant.root}/$batch", {"requests": list(requests)})
    assert answer.status == 200, answer.body
    responses: list[Any] = answer.json()["responses"]
    return responses


def test_a_batch_answers_each_request_by_itself(tenant: Any) -> None:
    company = f"companies({tenant.access().parameters['company']})"
    price = f"{company}/items({tenant.rows('items')[0]['id']})"
    answers = batch(
        tenant,
        {"id": "a", "method": "PATCH", "url": price, "headers": {"If-Match": "*"},
         "body": {"unitPrice": 3.5}},
        {"id": "b", "method": "PATCH", "url": price, "body": {"unitPrice": 4}},
        {"id": "c", "method": "POST", "url": f"{company}/salesOrders",
         "body": order(line("SKU-4", 1))},
        {"id": "d", "method": "GET", "url": f"{company}/items?$filter=inventory%20eq%204"},
        {"id": "e", "method": "GET", "url": f"https://any.example{tenant.root}/companies"},
        {"id": "f", "method": "GET", "url": "nowhere"},
        {"id": "g", "method": "POST", "url": "$batch", "body": {"requests": []}},
        {"id": "h", "method": "GET", "url": "//["},
        {"id": "i", "method": "GET", "url": "/v2.0/production/api/v1.0/companies"},
    )  # fmt: skip
    assert [(one["id"], one["status"]) for one in answers] == [
        ("a", 200), ("b", 400), ("c", 201), ("d", 200), ("e", 200), ("f", 404), ("g", 400),
        ("h", 400), ("i", 400),
    ]  # fmt: skip
    assert answers[0]["body"]["unitPrice"] == 3.5
    assert answers[5]["body"]["error"]["code"] == "BadRequest_ResourceNotFound"
    (booked,) = tenant.erp.books.of(BookKind.SALES_ORDER_CREATED)
    assert booked.request_id == tenant.erp.books.calls[-1].request_id
    gone = f"{company}/salesOrders({answers[2]['body']['id']})"
    assert batch(tenant, {"id": "1", "method": "DELETE", "url": gone}) == [
        {"id": "1", "status": 204, "headers": {}}
    ]


def test_a_batch_takes_a_hundred_requests_with_ids_of_their_own(tenant: Any) -> None:
    one = {"id": "1", "method": "GET", "url": "companies"}
    for requests in ([one, one], [{**one, "id": str(n)} for n in range(101)], []):
        answer = tenant.call("POST", f"{tenant.root}/$batch", {"requests": requests})
        assert refused(answer)[0] == 400
    assert len(batch(tenant, *({**one, "id": str(n)} for n in range(100)))) == 100


# -- events -------------------------------------------------------------------------------------


class Engine:
    """A subscriber: echoes the handshake, keeps what it is told, answers what it is given."""

    def __init__(self, *statuses: int, echoes: bool = True) -> None:
        self.statuses = list(statuses) or [200]
        self.echoes = echoes
        self.told: list[list[Any]] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request.query_value("validationToken")
        if token is not None:
            return HttpResponse(200, (), token.encode() if self.echoes else b"no")
        self.told.append(request.json()["value"])
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return HttpResponse(status)


class Live:
    """The same tenant inside a running virtual loop, where events are delivered."""

    def __init__(self, tenant: Any, engine: Engine) -> None:
        self.tenant = tenant
        tenant.estate.receivers.register(engine, HOOK)
        self.company = tenant.access().parameters["company"]

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """Let the tenant word the request, and answer it in the loop."""
        worded: list[HttpRequest] = []

        def keep(request: HttpRequest) -> HttpResponse:
            worded.append(request)
            return HttpResponse(200)

        if not self.tenant.tokens:
            self.tenant.tokens[None] = self.tenant.sign_in().json()["access_token"]
        self.tenant.send, send = keep, self.tenant.send
        self.tenant.call(method, path, body, **headers)
        self.tenant.send = send
        answer: HttpResponse = await self.tenant.estate.client("dynamics365").send(worded[0])
        assert self.tenant.estate.failures == []
        return answer

    async def subscribe(self, entity: str = "salesOrders", **more: Any) -> HttpResponse:
        body = {
            "notificationUrl": HOOK,
            "resource": f"/api/v2.0/companies({self.company})/{entity}",
            "clientState": "secret",
            **more,
        }
        return await self.call("POST", f"{self.tenant.root}/subscriptions", body)

    async def listed(self) -> list[Any]:
        answer = await self.call("GET", f"{self.tenant.root}/subscriptions")
        value: list[Any] = answer.json()["value"]
        return value

    async def order(self) -> Any:
        return (await self.call("POST", self.tenant.at("salesOrders"), order(line("SKU-4")))).json()


def play(tenant: Any, engine: Engine, story: Callable[[Live], Coroutine[Any, Any, None]]) -> None:
    live = Live(tenant, engine)
    run_virtual(lambda: story(live), clock=tenant.clock, limit_s=30 * 86_400)
    assert tenant.estate.failures == []


def test_changes_are_told_together_half_a_minute_after_the_first(tenant: Any) -> None:
    engine = Engine()

    async def story(live: Live) -> None:
        made = await live.subscribe()
        assert made.status == 201, made.body
        await live.subscribe("items")
        first, second = await live.order(), await live.order()
        path = tenant.at(f"salesOrders({first['id']})")
        await live.call("PATCH", path, {"postingDate": "2026-11-21"}, if_match="*")
        await asyncio.sleep(29)
        assert engine.told == []
        await asyncio.sleep(2)
        ((one, two),) = engine.told
        assert [(n["changeType"], n["clientState"]) for n in (one, two)] == [
            ("created", "secret"),
            ("created", "secret"),
        ]
        prefix = f"api/v2.0/companies({live.company})/salesOrders"
        assert one["resource"] == f"{prefix}({first['id']})"
        await live.call("DELETE", tenant.at(f"salesOrders({second['id']})"))
        await asyncio.sleep(31)
        assert [n["changeType"] for n in engine.told[1]] == ["deleted"]
        tenant.erp.set_stock("SKU-1", 77, tenant.now_us)
        await asyncio.sleep(31)
        assert [n["resource"].split("/")[-1].split("(")[0] for n in engine.told[2]] == ["items"]

    play(tenant, engine, story)


def test_very_many_changes_are_told_as_a_collection(tenant: Any) -> None:
    engine = Engine()

    async def story(live: Live) -> None:
        await live.subscribe("items")
        for number in range(1001):
            tenant.erp.set_stock(f"NEW-{number}", 1, tenant.now_us)
        await asyncio.sleep(31)

    play(tenant, engine, story)
    ((one,),) = engine.told
    assert (one["changeType"], one["resource"][-6:]) == ("collection", "/items")


def test_an_address_that_does_not_echo_is_not_subscribed(tenant: Any) -> None:
    async def story(live: Live) -> None:
        answer = await live.subscribe()
        assert refused(answer)[0] == 400
        assert await live.listed() == []
        for more in (
            {"resource": "/api/v2.0/companies(other)/salesOrders"},
            {"resource": f"/api/v2.0/companies({live.company})/vendors"},
            {"clientState": "x" * 2049},
            {"notificationUrl": "nowhere"},
            {"notificationUrl": "https://a.test//["},
        ):
            assert (await live.subscribe(**more)).status == 400

    play(tenant, Engine(echoes=False), story)


def test_a_subscription_is_renewed_ends_and_is_deleted(tenant: Any) -> None:
    async def story(live: Live) -> None:
        made = (await live.subscribe()).json()
        path = f"{tenant.root}/subscriptions('{made['subscriptionId']}')"
        body = {"notificationUrl": HOOK, "resource": made["resource"], "clientState": "new"}
        assert (await live.call("PATCH", path, body)).status == 400
        await asyncio.sleep(3000)
        renewed = await live.call("PATCH", path, body, if_match=made["@odata.etag"])
        assert renewed.status == 200, renewed.body
        assert renewed.json()["expirationDateTime"] > made["expirationDateTime"]
        stale = await live.call("PATCH", path, body, if_match=made["@odata.etag"])
        assert refused(stale) == (409, "Request_EntityChanged")
        other = {**body, "resource": f"companies({live.company})/items"}
        assert (await live.call("PATCH", path, other, if_match="*")).status == 400
        assert len(await live.listed()) == 1
        assert (await live.call("DELETE", path)).status == 204
        assert (await live.call("DELETE", path)).status == 404
        await live.subscribe()
        await asyncio.sleep(3 * 86_400 + 1)
        tenant.tokens.clear()
        assert await live.listed() == []

    play(tenant, Engine(), story)


@pytest.mark.parametrize(("status", "times", "left"), [(503, 6, 1), (410, 1, 0)])
def test_who_answers_wrongly_is_asked_again_or_forgotten(
    tenant: Any, status: int, times: int, left: int
) -> None:
    engine = Engine(status)

    async def story(live: Live) -> None:
        await live.subscribe()
        await live.order()
        await asyncio.sleep(40 * 3600)
        tenant.tokens.clear()
        assert len(await live.listed()) == left

    play(tenant, engine, story)
    assert len(engine.told) == times
    assert all(told == engine.told[0] for told in engine.told)


# -- drift and completeness ---------------------------------------------------------------------


def test_the_drift_packs_of_business_central_change_what_is_answered(tenant: Any) -> None:
    made = tenant.create("salesOrders", order(line("SKU-4")))
    edge, catalog = tenant.estate.edges["dynamics365"], Catalog(contracts_root())
    path = tenant.at(f"salesOrders({made['id']})")
    for name, member, value in (
        ("2024-04-09-related-country-dropped", "number", None),
        ("2026-10-01-choice-written-encoded", "status", "Not_x0020_Released"),
    ):
        edge.switch_drift_pack(catalog.drift_pack("dynamics365", name))
        assert tenant.call("GET", path).json().get(member) == value
    edge.switch_drift_pack(None)
    assert tenant.call("GET", path).json()["number"] == made["number"]


def test_every_operation_of_business_central_is_answered(tenant: Any) -> None:
    for name, contract in sorted(tenant.erp.setup.contracts.items()):
        if name.startswith("business_central/"):
            assert len(contract.operations) > 30
            missing = [
                operation.operation_id
                for operation in contract.operations
                if tenant.erp.handler(name, operation.operation_id) is None
            ]
            assert missing == [], name


def test_the_mapping_finds_and_creates_an_order(tenant: Any) -> None:
    mapping = Catalog(contracts_root()).mapping("dynamics365", "business_central", "v2.0")
    assert mapping is not None
    wanted = mapping["capabilities"]["find_sales_order"]["query"]["$filter"]
    tenant.create("salesOrders", order(line("SKU-4")))
    rows = tenant.rows("salesOrders", filter=wanted.replace("{natural_key}", "113-1"))
    assert [row["externalDocumentNumber"] for row in rows] == ["113-1"]
