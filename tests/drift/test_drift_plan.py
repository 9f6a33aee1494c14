"""Proves that a scan reads only, spends at most half of any burst, and stops where it is told to.

A target that throttles, fails or shuts the door is not checked: that is never drift.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.catalog import Catalog, contracts_root, load_contract
from harness.drift import Budget, ScanResult, ScanTarget, scan
from harness.drift.known import KnownValues
from harness.drift.plan import plan, reading_operations
from harness.drift.scan import usual_values
from harness.model.contract import Contract
from harness.model.errors import ExitCode
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.finding import Verdict
from harness.model.ports import Credentials
from harness.model.values import JsonObject
from harness.simulation.clock import VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams

THING = {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string"}}}


def operation(name: str, *parameters: str, many: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": THING} if many else THING
    return {
        "operationId": name,
        "parameters": [
            {"name": p, "in": "path", "required": True, "schema": {"type": "string"}}
            for p in parameters
        ],
        "responses": {
            "200": {"description": "ok", "content": {"application/json": {"schema": schema}}},
            "404": {"description": "none"},
        },
    }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/things": {"get": operation("listThings", many=True), "post": operation("makeThing")},
        # Sorted by its address this one comes before the read that tells the note.
        "/things/by:{note}": {"get": operation("getThingByNote", "note")},
        "/things/{id}": {
            "get": operation("getThing", "id"),
            "put": operation("setThing", "id"),
            "patch": operation("changeThing", "id"),
            "delete": operation("dropThing", "id"),
        },
        "/search": {"post": operation("search", many=True)},
    },
}
READS = ["listThings", "search", "getThing", "getThingByNote"]


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    path = tmp_path_factory.mktemp("plan") / "openapi.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return load_contract(path).contract


def target(
    quotas: tuple[JsonObject, ...] = (), reads: tuple[str, ...] = ("shop/v1#search",)
) -> ScanTarget:
    behaviour = {"quotas": list(quotas), "reads": list(reads)}
    return ScanTarget("shop", "shop/v1", Credentials(), behaviour=behaviour)


def quota(name: str, burst: int, *operations: str) -> JsonObject:
    return {
        "id": name,
        "kind": "token_bucket",
        "operations": list(operations),
        "rate_per_second": 1,
        "burst": burst,
    }


def granted(planned: Any) -> dict[str, int]:
    return {p.operation.operation_id: p.calls for p in planned}


def test_only_reading_operations_are_planned(contract: Contract) -> None:
    assert sorted(granted(plan(target(), contract, Budget()))) == sorted(READS)
    assert "search" not in granted(plan(target(reads=()), contract, Budget()))
    assert "search" not in granted(plan(target(reads=("other/v1#search",)), contract, Budget()))


def test_the_reads_of_our_own_contracts_change_nothing() -> None:
    catalog = Catalog(contracts_root())
    for name in catalog.system_names():
        for api in catalog.apis(name):
            own = ScanTarget(name, "/".join(api), Credentials(), behaviour=catalog.behaviour(name))
            for read in reading_operations(own, catalog.contract(name, *api).contract):
                assert read.method == "GET", read.operation_id


@pytest.mark.parametrize("burst", [1, 2, 3, 5, 8, 20])
@pytest.mark.parametrize("samples", [1, 6, 100])
def test_at_most_half_a_burst_is_spent_by_all_that_share_it(
    contract: Contract, burst: int, samples: int
) -> None:
    one = plan(target((quota("q", burst, "*"),)), contract, Budget(samples=samples))

    # A bucket of one would never be checked otherwise.
    assert 1 <= sum(p.calls for p in one) <= max(1, burst // 2)
    assert max(p.calls for p in one) <= samples


def test_every_quota_of_an_operation_counts_and_a_foreign_one_does_not(
    contract: Contract,
) -> None:
    quotas = (
        quota("all", 40, "shop/v1#*"),
        quota("own", 6, "shop/v1#getThing"),
        quota("other", 2, "other/v1#listThings"),
    )
    calls = granted(plan(target(quotas), contract, Budget(samples=5)))

    assert calls == {"listThings": 5, "search": 5, "getThing": 3, "getThingByNote": 5}


def test_our_own_buckets_are_never_more_than_half_spent() -> None:
    catalog = Catalog(contracts_root())
    for name in catalog.system_names():
        behaviour = catalog.behaviour(name)
        for api in catalog.apis(name):
            own = ScanTarget(name, "/".join(api), Credentials(), behaviour=behaviour)
            calls = granted(plan(own, catalog.contract(name, *api).contract, Budget(samples=1000)))
            for declared in behaviour["quotas"]:
                if declared["kind"] != "token_bucket":
                    continue
                spent = sum(
                    n for o, n in calls.items() if f"{own.api}#{o}" in declared["operations"]
                )
                assert spent <= declared["burst"] / 2, (name, declared["id"])


def test_named_operations_are_the_only_ones(contract: Contract) -> None:
    budget = Budget(operations=("getThing", "setThing"))

    assert list(granted(plan(target(), contract, budget))) == ["getThing"]


def test_a_value_told_for_one_operation_goes_to_no_other(contract: Contract) -> None:
    known = KnownValues({"getThing.id": ["7"], "note": ["n"]}, {"getThingByNote.note": ["usual"]})
    by_name = {o.operation_id: known.for_operation(o) for o in contract.operations}

    assert by_name["getThing"] == {"id": ["7"]}
    assert by_name["setThing"] == {}
    assert by_name["getThingByNote"] == {"note": ["n"]}  # the user knows better than the mapping


def test_a_scan_asks_what_our_own_engine_asks() -> None:
    catalog = Catalog(contracts_root())
    mapping = catalog.mapping("amazon_spapi", "orders", "2026-01-01")
    own = ScanTarget("amazon_spapi", "orders/2026-01-01", Credentials(), mapping=mapping)

    usual = usual_values(own)
    assert usual["searchOrders.includedData"] == ["PROCEEDS", "FULFILLMENT"]
    assert not any("{" in v for values in usual.values() for v in values)
    assert "searchOrders.lastUpdatedAfter" not in usual


# Against a target -----------------------------------------------------------------------------

Answer = Callable[[HttpRequest, int], HttpResponse]


def answer(status: int, value: Any = None) -> HttpResponse:
    if value is None:
        return HttpResponse(status)
    made = HttpRequest.with_json("POST", "/", value)
    return HttpResponse(status, (("content-type", "application/json"),), made.body)


class Target:
    """Answers each call by a rule, with the number of the call to that path (from 1)."""

    def __init__(self, rule: Answer) -> None:
        self._rule = rule
        self.calls: dict[str, int] = {}

    async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
        assert request.method == "GET"
        self.calls[request.path] = self.calls.get(request.path, 0) + 1
        return self._rule(request, self.calls[request.path])


def scanned(contract: Contract, rule: Answer) -> tuple[ScanResult, Mapping[str, int]]:
    clock, client = VirtualClock(0), Target(rule)

    async def story() -> ScanResult:
        return await scan(
            target(reads=()),
            contract,
            client=client,
            clock=clock,
            streams=SeededStreams(1),
            budget=Budget(samples=4),
        )

    return run_virtual(story, clock=clock, limit_s=1000), client.calls


def good(request: HttpRequest, _number: int) -> HttpResponse:
    thing = {"id": "t1", "note": "n1"} if request.path == "/things/t1" else {"id": "t1"}
    if request.path == "/things":
        return answer(200, [{"id": "t1"}])
    return answer(200, thing) if request.path in ("/things/t1", "/things/by:n1") else answer(404)


@pytest.mark.slow
def test_ids_are_learned_in_the_order_in_which_they_become_known(contract: Contract) -> None:
    result, calls = scanned(contract, good)

    assert list(calls) == ["/things", "/things/t1", "/things/by:n1"]
    assert result.verdict is Verdict.COMPATIBLE
    assert result.findings == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "sent", "reason"),
    [
        (429, 1, "throttled (429)"),
        (401, 1, "authorisation was refused (401)"),
        (403, 1, "authorisation was refused (403)"),
        (500, 2, "the target answered 500"),
        (503, 2, "the target answered 503"),
    ],
)
def test_a_closed_operation_is_left_at_once_and_is_not_drift(
    contract: Contract, status: int, sent: int, reason: str
) -> None:
    def closed(request: HttpRequest, number: int) -> HttpResponse:
        return answer(status) if request.path == "/things/t1" else good(request, number)

    result, calls = scanned(contract, closed)

    assert calls["/things/t1"] == sent
    assert result.findings == ()
    (entry, *_) = result.not_checked
    assert entry.target == "GET /things/{id}"
    assert reason in entry.reason
    assert entry.remedy
    assert result.report().exit_code() is ExitCode.NOT_CHECKED


@pytest.mark.slow
def test_a_throttle_after_answers_stops_and_keeps_what_was_seen(contract: Contract) -> None:
    def tired(request: HttpRequest, number: int) -> HttpResponse:
        if request.path == "/things" and number > 1:
            return answer(429)
        return answer(200, [{"id": 5}]) if request.path == "/things" else good(request, number)

    result, calls = scanned(contract, tired)

    assert calls["/things"] == 2
    assert [(f.rule, f.field) for f in result.findings] == [("observed-type-changed", "[].id")]
    row = next(c for c in result.coverage if c.operation == "GET /things")
    assert (row.judged, row.note) == (1, "throttled (429)")
