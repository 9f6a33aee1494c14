"""A toy shop: the smallest system that uses every part of the kit. Not a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

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
from harness.model.exchange import HttpRequest
from harness.model.ports import Credentials, SystemAccess
from harness.simulation.clock import VirtualClock
from harness.simulation.faults import FaultPlan, FaultRule
from harness.simulation.streams import SeededStreams
from harness.simulation.trace import Trace
from mocks.kit.books import BookKind, Books
from mocks.kit.client import InProcessClient
from mocks.kit.pipeline import Edge
from mocks.kit.simulator import (
    Answer,
    Call,
    Refused,
    Simulator,
    SimulatorSetup,
    handles,
)

START_US = 1_790_000_000_000_000

DOCUMENT: dict[str, Any] = {
    "schemas": {
        "Size": {"type": "integer", "minimum": 1, "maximum": 5},
        "States": {"type": "array", "items": {"type": "string", "enum": ["NEW", "SENT"]}},
        "Order": {
            "type": "object",
            "required": ["sku", "quantity"],
            "properties": {
                "sku": {"type": "string", "minLength": 1},
                "quantity": {"type": "integer", "minimum": 1},
            },
            "additionalProperties": False,
        },
        "Orders": {
            "type": "object",
            "required": ["orders"],
            "properties": {"orders": {"type": "array", "items": {"$ref": "#/schemas/Order"}}},
        },
    }
}


def _query(name: str, schema: str, *, explode: bool = True) -> Parameter:
    return Parameter(
        name, ParameterLocation.QUERY, False, f"/p/{name}", f"/schemas/{schema}", "form", explode
    )


def _operation(
    method: str,
    path: str,
    operation_id: str,
    parameters: tuple[Parameter, ...] = (),
    body: RequestBody | None = None,
    answer: str | None = None,
) -> Operation:
    content = (MediaType("application/json", "/m", f"/schemas/{answer}"),) if answer else ()
    return Operation(
        method=method,
        path=path,
        pointer=f"/paths/{operation_id}",
        operation_id=operation_id,
        parameters=parameters,
        request_body=body,
        responses=(Response("200", "/r", content, ()), Response("default", "/r", (), ())),
        security=(),
    )


ORDER_BODY = RequestBody(True, "/b", (MediaType("application/json", "/b", "/schemas/Order"),))
CONTRACT = Contract(
    source="toy",
    dialect=Dialect.OPENAPI_3_1,
    title="Toy shop",
    version="1",
    document=DOCUMENT,
    schemas=DOCUMENT,
    operations=(
        _operation(
            "GET",
            "/orders",
            "listOrders",
            (_query("size", "Size"), _query("states", "States", explode=False)),
            answer="Orders",
        ),
        _operation("POST", "/orders", "placeOrder", body=ORDER_BODY, answer="Order"),
        _operation("GET", "/orders/{id}", "getOrder"),
        _operation("GET", "/orders/latest", "getLatest"),
        _operation("GET", "/orders/eid:{externalId}", "getByExternalId"),
        _operation("POST", "/orders/{id}/!transform/parcel", "sendOrder"),
        _operation("GET", "/notImitated", "notImitated"),
    ),
)
BEHAVIOUR: dict[str, Any] = {
    "authentication": {
        "kind": "oauth2_refresh_token",
        "token_path": "/token",
        "token_seconds": 60,
        "request_header": "x-access-token",
    },
    "quotas": [
        {
            "id": "list",
            "kind": "token_bucket",
            "operations": ["shop/v1#listOrders"],
            "rate_per_second": 0.5,
            "burst": 3,
        },
        {"id": "slots", "kind": "concurrency", "operations": ["*"], "slots": 2},
    ],
    "throttled": {"status": 429, "retry_after": "seconds"},
    "limit_header": {"name": "X-Limit", "statuses": ["2XX"]},
    "latency": {"network_ms": [5, 5], "service_ms": {"*": [100, 100]}},
}


class ToyShop(Simulator):
    """Keeps orders in a list; answers wrongly or raises on request."""

    system_name: ClassVar[str] = "toy_shop"

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.orders: list[dict[str, Any]] = []
        self.lie = False

    @handles("listOrders")
    def list_orders(self, call: Call) -> Answer:
        return Answer(200, {"orders": [{"sku": 7}] if self.lie else list(self.orders)})

    @handles("placeOrder")
    def place_order(self, call: Call) -> Answer:
        if call.body["sku"] == "BUG":
            msg = "secret detail"
            raise KeyError(msg)
        self.orders.append(call.body)
        self.books.enter(
            call.now_us, BookKind.ORDER_PLACED, str(len(self.orders)), request_id=call.request_id
        )
        return Answer(200, call.body)

    @handles("getOrder", api="shop/v1")
    def get_order(self, call: Call) -> Answer:
        return Answer(200, {"id": call.path["id"]})

    @handles("getLatest")
    def get_latest(self, call: Call) -> Answer:
        return Answer(200, {"latest": True})

    @handles("getByExternalId")
    def get_by_external_id(self, call: Call) -> Answer:
        return Answer(200, {"external": call.path["externalId"]})

    @handles("sendOrder")
    def send_order(self, call: Call) -> Answer:
        return Answer(204)

    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        statuses = {
            "unknown_path": 404,
            "method_not_allowed": 405,
            "unauthenticated": 401,
            "token_expired": 401,
            "throttled": 429,
            "invalid": 400,
            "unavailable": 503,
            "internal": 500,
        }
        status = refused.status or statuses[refused.kind.value]
        return Answer(status, {"error": refused.kind.value})

    def access(self, base_url: str) -> SystemAccess:
        secrets = {"client_id": "id", "client_secret": "secret", "refresh_token": "refresh"}
        return SystemAccess("toy_shop", "channel", base_url, "seller", Credentials(secrets))


@dataclass
class Shop:
    """A toy shop with everything around it."""

    behaviour: dict[str, Any] = field(default_factory=lambda: dict(BEHAVIOUR))
    rules: tuple[FaultRule, ...] = ()
    seed: int = 1
    clock: Any = field(default_factory=lambda: VirtualClock(START_US))
    check_answers: bool = False

    def __post_init__(self) -> None:
        streams = SeededStreams(self.seed)
        self.books = Books("toy_shop")
        setup = SimulatorSetup(
            contracts={"shop/v1": CONTRACT},
            behaviour=self.behaviour,
            system={},
            streams=streams,
            books=self.books,
        )
        self.simulator = ToyShop(setup)
        self.trace = Trace()
        self.faults = FaultPlan(self.rules, streams)
        self.edge = Edge(
            self.simulator,
            clock=self.clock,
            streams=streams,
            faults=self.faults,
            trace=self.trace,
            check_answers=self.check_answers,
        )
        self.client = InProcessClient(self.edge, self.clock)
        self.token = ""

    async def log_in(self) -> None:
        """Fetch an access token."""
        answer = await self.client.send(TOKEN_REQUEST)
        assert answer.status == 200, answer
        self.token = answer.json()["access_token"]

    def request(self, method: str, target: str, body: Any = None) -> HttpRequest:
        """Return a request with the token."""
        headers = (("x-access-token", self.token),)
        if body is None:
            return HttpRequest.from_target(method, target, headers)
        return HttpRequest.with_json(method, target, body, headers=headers)

    async def call(self, method: str, target: str, body: Any = None, **options: Any) -> Any:
        """Send a request with the token and return the answer."""
        return await self.client.send(self.request(method, target, body), **options)


TOKEN_REQUEST = HttpRequest(
    "POST",
    "/token",
    (),
    (("content-type", "application/x-www-form-urlencoded"),),
    b"grant_type=refresh_token&client_id=id&client_secret=secret&refresh_token=refresh",
)
