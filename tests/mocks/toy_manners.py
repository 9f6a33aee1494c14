"""A toy shop with one operation per manner of the kit. Not a test."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from harness.model.contract import (
    Contract,
    Dialect,
    MediaType,
    Operation,
    Parameter,
    ParameterLocation,
    RequestBody,
    Response,
)
from harness.model.exchange import HttpResponse
from harness.simulation.loop import run_virtual
from mocks.kit.batches import RowAnswer
from mocks.kit.books import BookKind
from mocks.kit.etags import etag_of
from mocks.kit.jobs import Job
from mocks.kit.simulator import (
    Answer,
    AskFirst,
    Call,
    RefusalKind,
    Refused,
    SimulatorSetup,
    handles,
)


def _load(name: str) -> Any:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


toy = _load("toy_shop")
SCHEMAS: dict[str, Any] = {
    "Text": {"type": "string"},
    "Any": {"type": "object"},
    "Filter": {"type": "object", "required": ["colour"]},
    "Cookie": {"type": "string", "pattern": "^[a-z]+$"},
    "Changed": {"type": "object", "required": ["id"]},
}
JSON_BODY = RequestBody(True, "/b", (MediaType("application/json", "/b", "/schemas/Any"),))


def _parameter(name: str, *, where: ParameterLocation = ParameterLocation.QUERY) -> Parameter:
    return Parameter(name, where, False, f"/p/{name}", "/schemas/Text", "form", True)


def operation(
    method: str, path: str, name: str, *parameters: Parameter, body: bool = False
) -> Operation:
    return Operation(
        method=method,
        path=path,
        pointer=f"/paths/{name}",
        operation_id=name,
        parameters=parameters,
        request_body=JSON_BODY if body else None,
        responses=(Response("default", "/r", (), ()),),
        security=(),
    )


FILTER = Parameter(
    "filter",
    ParameterLocation.QUERY,
    False,
    "/p/filter",
    "/schemas/Filter",
    "form",
    True,
    media_type="application/json",
)
CONTRACT = Contract(
    source="toy manners",
    dialect=Dialect.OPENAPI_3_1,
    title="Toy manners",
    version="1",
    document={"schemas": SCHEMAS},
    schemas={"schemas": SCHEMAS},
    operations=(
        operation(
            "GET",
            "/items",
            "listItems",
            *(_parameter(name) for name in ("limit", "offset", "token", "colour")),
            FILTER,
            Parameter(
                "shop", ParameterLocation.COOKIE, False, "/p/c", "/schemas/Cookie", "form", True
            ),
        ),
        operation("GET", "/items/{id}", "getItem"),
        operation("PUT", "/items/{id}", "putItem", body=True),
        operation("POST", "/bulk", "bulkItems", body=True),
        operation("POST", "/payments", "pay", body=True),
        operation("POST", "/graphql", "query", body=True),
        operation("POST", "/reports", "startReport", body=True),
        operation("GET", "/reports/{id}", "getReport"),
        operation("DELETE", "/reports/{id}", "cancelReport"),
        operation("POST", "/hooks", "subscribe", body=True),
        operation("DELETE", "/hooks/{id}", "unsubscribe"),
    ),
    webhooks=(
        Operation(
            method="POST",
            path="/itemChanged",
            pointer="/webhooks/itemChanged",
            operation_id="itemChanged",
            parameters=(),
            request_body=RequestBody(
                True, "/b", (MediaType("application/json", "/b", "/schemas/Changed"),)
            ),
            responses=(),
            security=(),
            incoming=True,
        ),
    ),
)
BEHAVIOUR: dict[str, Any] = {
    "authentication": toy.BEHAVIOUR["authentication"] | {"token_seconds": 9**9}
}


_ToyShop: Any = toy.ToyShop
_Shop: Any = toy.Shop


class ToyManners(_ToyShop):  # type: ignore[misc]
    """Items by account; every handler leaves the manner to the kit."""

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.items: dict[str, dict[str, dict[str, Any]]] = {}
        self.executed: list[Call] = []
        self.wrong_event = False

    def put(self, item_id: str, now_us: int, *, account: str = "seller", **facts: Any) -> None:
        item = {"id": item_id, "changed_us": now_us, **facts}
        self.items.setdefault(account, {})[item_id] = item
        body = {"wrong": True} if self.wrong_event else {"id": item_id, **facts}
        self.manners.events.publish("items/changed", account, body, now_us)

    @handles("listItems")
    def list_items(self, call: Call) -> Answer:
        walk = self.manners.pager.open(call)
        sees = self.manners.visibility.sees
        mine = self.items.get(call.account, {}).values()
        rows = sorted(
            (n for n in mine if sees(call, n["id"], n["changed_us"])),
            key=lambda n: (n["changed_us"], n["id"]),
        )
        page = walk.page(rows, lambda n: (n["changed_us"], n["id"]))
        body = {"items": [n["id"] for n in page.items], "total": page.total, "next": page.next}
        return Answer(200, body, page.headers)

    def _item(self, call: Call) -> dict[str, Any]:
        found = self.items.get(call.account, {}).get(call.path["id"])
        if found is None:
            raise Refused(RefusalKind.NOT_FOUND, "there is no such item")
        return found

    @handles("getItem")
    def get_item(self, call: Call) -> Answer:
        item = self._item(call)
        return Answer(200, item, (("etag", etag_of(item)),))

    @handles("putItem")
    def put_item(self, call: Call) -> Answer:
        self.manners.etags.guard(call, etag_of(self._item(call)))
        self.put(call.path["id"], call.now_us, account=call.account, **call.body)
        return Answer(204)

    @handles("bulkItems")
    def bulk_items(self, call: Call) -> Answer:
        def check(row: Any) -> None:
            if "id" not in row:
                raise Refused(RefusalKind.INVALID, "a row needs an id")

        def do(row: Any) -> RowAnswer:
            check(row)
            self.put(row["id"], call.now_us, account=call.account)
            return 200, {"id": row["id"]}

        def refuse(row: Any, refused: Refused) -> RowAnswer:
            return 400, {"error": refused.explanation}

        result = self.manners.batches.run(call, call.body["rows"], do, refuse, check=check)
        return Answer(result.status, {"rows": [[status, body] for status, body in result.rows]})

    @handles("pay")
    def pay(self, call: Call) -> Answer:
        if not call.repeat:
            self.executed.append(call)
            self.books.enter(call.now_us, BookKind.SHIPMENT_CONFIRMED, "payment")
        return Answer(200, {"payments": len(self.executed), "rebuilt": call.repeat})

    @handles("query")
    def query(self, call: Call) -> Answer:
        call.meter.charge(call.body["cost"])
        call.meter.refund(call.body["cost"] - call.body["actual"])
        maximum, available, restored = call.meter.standing()
        return Answer(200, {"maximum": maximum, "available": available, "restored": restored})

    @handles("startReport")
    def start_report(self, call: Call) -> Answer:
        def work(job: Job, now_us: int) -> Any:
            self.executed.append(call)
            return {"rows": len(self.items.get(call.account, {})), "at": now_us}

        desk = self.manners.jobs.desk("report")
        job = desk.start(call.account, work, call.now_us, group=str(call.body.get("type", "")))
        return Answer(202, {"id": job.id})

    @handles("getReport")
    def get_report(self, call: Call) -> Answer:
        desk = self.manners.jobs.desk("report")
        job = desk.find(call.path["id"], call.account, call.now_us)
        return Answer(200, {"state": desk.word(job), "result": job.result})

    @handles("cancelReport")
    def cancel_report(self, call: Call) -> Answer:
        desk = self.manners.jobs.desk("report")
        desk.cancel(call.path["id"], call.account, call.now_us)
        return Answer(204)

    @handles("subscribe")
    def subscribe(self, call: Call) -> Answer | AskFirst:
        events = self.manners.events
        made = events.subscribe(
            call.account, call.body["topic"], call.body["url"], call.now_us, secret="hush"
        )

        def answer(passed: bool) -> Answer:
            return Answer(201 if passed else 400, {"id": made.id, "state": made.state})

        verified: Answer | AskFirst = events.verify(made, answer, token="verify-me")
        return verified

    @handles("unsubscribe")
    def unsubscribe(self, call: Call) -> Answer:
        found = self.manners.events.find(call.account, call.path["id"], call.now_us)
        self.manners.events.remove(found.id)
        return Answer(204)


class Market(_Shop):  # type: ignore[misc]
    """A toy shop with manners and everything around it."""

    simulator_class = ToyManners

    @staticmethod
    def of(behaviour: dict[str, Any] | None = None, **options: Any) -> Any:
        """Return a market that declares ``behaviour`` and nothing else."""
        return Market(
            behaviour={**BEHAVIOUR, **(behaviour or {})},
            contracts={"shop/v1": CONTRACT},
            **options,
        )


def play(market: Any, story: Callable[[Any], Awaitable[Any]], *, limit_s: float = 10**7) -> Any:
    """Run a story in virtual time, logged in as the default account."""

    async def main() -> Any:
        await market.log_in()
        result = await story(market)
        assert market.edge.failures == [], market.edge.failures
        return result

    return run_virtual(main, clock=market.clock, limit_s=limit_s)


def status_and_json(answer: HttpResponse) -> tuple[int, Any]:
    """Return what most tests look at."""
    return answer.status, answer.json() if answer.body else None
