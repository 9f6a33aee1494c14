"""Proves the manners of the warehouse: tokens, window, pages, references, versions, settings."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import UsageError
from harness.model.exchange import HttpRequest
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


stories = _load("test_mocks_wms")
Client, lines, by_line, TO = stories.Client, stories.lines, stories.by_line, stories.TO
NEW, OLD = stories.NEW, stories.OLD


def stocked(units: int = 100, **settings: Any) -> Any:
    made = Client(**settings)
    made.wms.set_stock("MUG", units, made.now_us)
    return made


def test_every_operation_of_both_contracts_is_imitated() -> None:
    edge = Client().estate.edges["wms"]
    routes = [route for route in edge.router.routes if not route.operation.incoming]
    assert len(routes) == 42
    simulator = Client().wms
    assert [
        r.address for r in routes if not simulator.handler(r.api, r.operation.operation_id)
    ] == []


# Authentication and the window


def test_a_token_is_good_for_an_hour_and_an_unknown_one_never() -> None:
    client = stocked()
    assert client.read(f"{NEW}/stock")["items"]
    client.pass_seconds(3600)
    expired = client.call("GET", f"{NEW}/stock")
    client.tokens.clear()
    assert client.call("GET", f"{NEW}/stock").status == 200
    client.tokens[None] = "made-up"
    for answer in (expired, client.call("GET", f"{NEW}/stock")):
        body = answer.json()
        assert (answer.status, body["errors"][0]["code"]) == (401, "UNAUTHORIZED")
        assert body["request_id"] == answer.header("x-request-id")


def test_the_window_slides_and_says_when_in_a_header_of_its_own() -> None:
    client = stocked()
    answers = [client.call("GET", f"{NEW}/webhooks") for _ in range(150)]
    assert {answer.status for answer in answers} == {200}
    shown = [answers[at].header("x-remaining-calls") for at in (0, -1)]
    assert shown == ["149", "0"]
    client.pass_seconds(20)
    refused = client.call("GET", f"{NEW}/webhooks")
    assert (refused.status, refused.json()["statusCode"]) == (429, 429)
    assert (refused.header("x-retry-after"), refused.header("retry-after")) == ("40", None)
    client.pass_seconds(40)
    assert client.call("GET", f"{NEW}/webhooks").status == 200


def test_the_window_may_refuse_with_status_200_where_the_setting_says_so() -> None:
    client = stocked(throttled_at_200=True)
    answers = [client.call("GET", f"{NEW}/webhooks") for _ in range(151)]
    assert (answers[-1].status, answers[-1].json()["statusCode"]) == (200, 429)


def test_the_window_of_one_client_leaves_others_alone() -> None:
    client = Client(accounts=("A", "B"))
    client.account = "A"
    answers = [client.call("GET", f"{NEW}/webhooks").status for _ in range(151)]
    client.account = "B"
    assert (answers[-1], client.call("GET", f"{NEW}/webhooks").status) == (429, 200)


def test_nothing_of_one_client_shows_in_another() -> None:
    client = Client(accounts=("A", "B"))
    client.wms.set_stock("MUG", 5, client.now_us, account="A")
    client.account = "A"
    order = client.order(("MUG", 1), reference_id="SAME")
    client.account = "B"
    assert client.read(f"{NEW}/stock")["items"] == []
    assert client.call("GET", f"{NEW}/orders/{order['id']}").status == 404
    client.wms.set_stock("MUG", 9, client.now_us, account="B")
    client.order(("MUG", 1), reference_id="SAME")
    assert (client.wms.available("MUG"), client.wms.available("MUG", account="B")) == (4, 8)
    entries = client.wms.books.of(BookKind.SALES_ORDER_CREATED)
    assert [entry.account for entry in entries] == ["A", "B"]


# Lists


def test_lists_are_walked_by_an_opaque_cursor_that_repeats_nothing() -> None:
    client = stocked()
    made = [client.order(("MUG", 1))["id"] for _ in range(5)]
    first = client.read(f"{NEW}/orders", limit="2")
    assert [row["id"] for row in first["items"]] == made[:2]
    client.pass_seconds(1)
    client.pick({"id": made[3]}, 1)
    second = client.read(f"{NEW}/orders", limit="2", cursor=first["next_cursor"])
    third = client.read(f"{NEW}/orders", limit="2", cursor=second["next_cursor"])
    # The changed order moves to the end, where a walk by change finds it.
    assert [row["id"] for row in second["items"]] == [made[2], made[4]]
    assert [row["id"] for row in third["items"]] == [made[3]]
    assert "next_cursor" not in third
    changed = client.read(f"{NEW}/orders", changed_since="2026-11-20T10:00:01Z")["items"]
    assert [row["id"] for row in changed] == [made[3]]
    found = client.read(f"{NEW}/orders", reference_id=changed[0]["reference_id"])["items"]
    assert [row["id"] for row in found] == [made[3]]
    assert [row["id"] for row in client.read(f"{NEW}/orders", state="PICKING")["items"]] == [
        made[3]
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "251"},
        {"cursor": "nonsense"},
        {"changed_since": "yesterday"},
        {"state": "LOST"},
    ],
)
def test_what_cannot_be_listed_is_a_bad_request(query: dict[str, str]) -> None:
    client = stocked()
    answer = client.call("GET", f"{NEW}/orders", query=query)
    assert (answer.status, answer.json()["errors"][0]["code"]) == (400, "BAD_REQUEST")
    assert answer.header("x-driftgate-explain")


def test_a_cursor_belongs_to_its_query_and_ends_after_an_hour() -> None:
    client = stocked()
    client.adjust("MUG", 1, "SHOP")
    cursor = client.read(f"{NEW}/stock", limit="1")["next_cursor"]
    other = client.call("GET", f"{NEW}/stock", query={"cursor": cursor, "sku": "POT"})
    assert other.status == 400
    assert client.call("GET", f"{NEW}/orders", query={"cursor": cursor}).status == 400
    (row,) = client.read(f"{NEW}/stock", cursor=cursor)["items"]
    assert row["location_id"] == "SHOP"
    client.pass_seconds(3601)
    client.tokens.clear()
    assert client.call("GET", f"{NEW}/stock", query={"cursor": cursor}).status == 400


def test_a_lagging_list_shows_changes_later_than_they_happen() -> None:
    client = stocked(list_lag_seconds=30)
    client.pass_seconds(60)
    order = client.order(("MUG", 1))
    assert (client.stock(), client.wms.available("MUG")) == ({"MAIN": (100, 0, 100)}, 99)
    assert client.read(f"{NEW}/orders/{order['id']}")["id"] == order["id"]
    assert client.read(f"{NEW}/orders")["items"] == []
    client.pass_seconds(30)
    assert client.stock() == {"MAIN": (100, 1, 99)}
    assert [row["id"] for row in client.read(f"{NEW}/orders")["items"]] == [order["id"]]
    client.pick(order, 1)
    assert client.read(f"{NEW}/orders/{order['id']}")["state"] == "PICKING"
    assert [row["state"] for row in client.read(f"{NEW}/orders")["items"]] == ["ACCEPTED"]


def test_the_published_mapping_reads_all_stock() -> None:
    client = stocked()
    client.adjust("MUG", 3, "SHOP")
    mapping = stories.CATALOG.mapping("wms", "warehouse", "2026-01")
    told = mapping["capabilities"]["list_stock"]
    rows = client.read(f"{NEW}/stock", **told["query"])[told["records"]["at"].strip("/")]
    fields = mapping["objects"][told["records"]["object"]]["fields"]
    needed = [field["system"].strip("/") for field in fields if field.get("required")]
    assert [row[needed[0]] for row in rows] == ["MUG", "MUG"]
    assert all(name in row for row in rows for name in needed)


# References


def writes(client: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return one good request of every operation that takes a reference."""
    goods = [{"sku": "MUG", "quantity": 1}]
    order = client.order(("MUG", 9))
    client.pick(order, 4)
    receipt = client.do(f"{NEW}/receipts", location_id="MAIN", lines=goods)
    back = client.do(f"{NEW}/returns", lines=[{"sku": "MUG", "quantity": 5}])
    judged = {"sku": "MUG", "quantity": 1, "condition": "AS_NEW", "disposition": "RESTOCK"}
    adjusted = {"sku": "MUG", "location_id": "MAIN", "difference": 1, "reason": "FOUND"}
    at = f"{NEW}/orders/{order['id']}"
    return [
        (f"{NEW}/stock-adjustments", adjusted),
        (f"{NEW}/reservations", {"lines": goods}),
        (f"{NEW}/orders", {"ship_to": TO, "lines": lines(("MUG", 1))}),
        (f"{at}/picks", {"location_id": "MAIN", "lines": by_line(1)}),
        (f"{at}/shipments", {"carrier": "UPS", "lines": by_line(1)}),
        (f"{NEW}/receipts", {"location_id": "MAIN", "lines": goods}),
        (f"{NEW}/receipts/{receipt['id']}/arrivals", {"lines": goods}),
        (f"{NEW}/returns", {"lines": goods}),
        (f"{NEW}/returns/{back['id']}/inspections", {"lines": [judged]}),
    ]


@pytest.mark.parametrize("at", range(9))
def test_a_reference_does_its_work_once_and_only_when_it_was_done(at: int) -> None:
    client = stocked()
    path, body = writes(client)[at]
    named = {"reference_id": "ONCE", **body}
    impossible = {**named, "lines": []}
    assert client.call("POST", path, impossible).status == 400
    assert client.call("POST", path, named).status == 201
    before = (client.stock(), len(client.wms.books.entries))
    for again in (named, json.loads(json.dumps(named).replace("location_id", "location_code"))):
        answer = client.call("POST", path if again is named else path.replace(NEW, OLD), again)
        code = answer.json()["errors"][0]["code"]
        assert (answer.status, code) == (422, "DUPLICATE_REFERENCE")
    assert (client.stock(), len(client.wms.books.entries)) == before
    assert client.call("POST", path, {**named, "reference_id": "TWICE"}).status == 201


# Versions


def test_both_versions_say_the_same_of_one_warehouse_in_their_own_words() -> None:
    client = stocked(10)
    order = client.do(f"{OLD}/orders", ship_to=TO, lines=lines(("MUG", 3)))
    at = f"{OLD}/orders/{order['id']}"
    client.do(f"{at}/picks", location_code="MAIN", lines=by_line(3))
    client.do(f"{at}/shipments", carrier="UPS", lines=by_line(1), weight=0.9)
    pounds = {"value": 2, "unit": "lb"}
    client.ship(order, 1, weight=pounds)
    old, new = (client.read(f"{version}/shipments") for version in (OLD, NEW))
    assert [row["weight"] for row in old["data"]] == [0.9, 0.9072]
    assert [row["weight"] for row in new["items"]] == [{"value": 0.9, "unit": "kg"}, pounds]
    for name, rows in (("location_code", old["data"]), ("location_id", new["items"])):
        assert {row[name] for row in rows} == {"MAIN"}
    (shelf,) = client.read(f"{OLD}/stock", location_code="MAIN")["data"]
    assert (shelf["location_code"], shelf["on_hand"]) == ("MAIN", 8)
    assert client.read(f"{OLD}/webhooks") == {"data": []}
    goods = [{"sku": "MUG", "quantity": 1}]
    made = client.do(f"{OLD}/receipts", location_code="SHOP", lines=goods)
    assert client.read(f"{NEW}/receipts/{made['id']}")["location_id"] == "SHOP"
    weightless = {"carrier": "UPS", "lines": by_line(1), "weight": 0}
    assert client.refused(f"{at}/shipments", 422, **weightless) == "VALUE_OUT_OF_RANGE"


def test_a_version_ends_on_its_announced_day_and_the_next_goes_on() -> None:
    client = Client(start="2027-01-30T23:59:59Z")
    assert client.call("GET", f"{OLD}/stock").status == 200
    client.pass_seconds(1)
    ended = client.call("GET", f"{OLD}/stock")
    assert (ended.status, ended.json()["errors"][0]["code"]) == (410, "VERSION_ENDED")
    assert client.call("GET", f"{NEW}/stock").status == 200


def test_a_drift_pack_changes_what_clients_see() -> None:
    client = stocked()
    edge = client.estate.edges["wms"]
    edge.switch_drift_pack(stories.CATALOG.drift_pack("wms", "2026-01-31-lists-lose-their-wrapper"))
    assert sorted(client.read(f"{OLD}/stock")) == ["items"]
    edge.switch_drift_pack(stories.CATALOG.drift_pack("wms", "2026-05-01-counts-as-text"))
    assert client.read(f"{NEW}/stock")["items"][0]["available"] == "100"


# Settings


def test_returns_go_to_the_location_of_the_settings_which_must_exist() -> None:
    client = Client(locations=["EAST", "WEST"], return_location="WEST")
    client.wms.set_stock("MUG", 1, client.now_us)
    made = client.do(f"{NEW}/returns", lines=[{"sku": "MUG", "quantity": 2}])
    judged = {"sku": "MUG", "quantity": 2, "condition": "AS_NEW", "disposition": "RESTOCK"}
    client.do(f"{NEW}/returns/{made['id']}/inspections", lines=[judged])
    assert client.stock() == {"EAST": (1, 0, 1), "WEST": (2, 0, 2)}
    client.wms.set_stock("MUG", 1, client.now_us)
    assert client.stock() == {"EAST": (0, 0, 0), "WEST": (1, 0, 1)}
    with pytest.raises(UsageError, match="zero or more"):
        client.wms.set_stock("MUG", -1, client.now_us)


@pytest.mark.parametrize(
    "wrong",
    [{"return_location": "MOON"}, {"locations": []}, {"short_order": "x"}, {"short_pick": "x"}],
)
def test_a_wrong_setting_is_told_before_the_run(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Client(**wrong)


# Bad input


@pytest.mark.parametrize(
    ("method", "path", "content_type", "body", "status"),
    [
        ("GET", "/2026-01/nothing", "", b"", 404),
        ("PUT", "/2026-01/orders", "application/json", b"{}", 405),
        ("POST", "/2026-01/orders", "application/json", b"{", 400),
        ("POST", "/2026-01/orders", "application/json", b"[]", 400),
        ("POST", "/2026-01/orders", "application/json", b'{"reference_id": 7}', 400),
        ("POST", "/2026-01/orders", "text/plain", b"hello", 415),
        ("GET", "/2026-01/orders/nobody", "", b"", 404),
        ("POST", "/2026-01/orders/nobody/cancellation", "", b"", 404),
        ("GET", "/2026-01/receipts/nobody", "", b"", 404),
        ("GET", "/2026-01/reservations/nobody", "", b"", 404),
    ],
)
def test_every_refusal_has_the_shape_of_an_error_and_its_explanation(
    method: str, path: str, content_type: str, body: bytes, status: int
) -> None:
    client = stocked()
    headers = [("authorization", f"Bearer {client.token()}")]
    if content_type:
        headers.append(("content-type", content_type))
    answer = client.send(HttpRequest(method, path, (), tuple(headers), body))
    assert answer.status == status
    assert sorted(answer.json()["errors"][0]) == ["code", "message"]
    assert answer.header("x-driftgate-explain")
