"""A toy shop: the smallest system that uses every part of the kit. Not a test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urlencode

from typing_extensions import override

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
from harness.model.exchange import Headers, HttpRequest
from harness.model.ports import Credentials, SystemAccess
from harness.simulation.clock import VirtualClock
from harness.simulation.faults import FaultPlan, FaultRule
from harness.simulation.streams import SeededStreams
from harness.simulation.trace import Trace
from mocks.kit.accounts import Account
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

    @override
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        statuses = {
            "unknown_path": 404,
            "method_not_allowed": 405,
            "unauthenticated": 401,
            "token_expired": 401,
            "throttled": 429,
            "invalid": 400,
            "forbidden": 403,
            "not_found": 404,
            "conflict": 409,
            "precondition_failed": 412,
            "too_large": 413,
            "unsupported_media_type": 415,
            "unavailable": 503,
            "internal": 500,
        }
        status = refused.status or statuses[refused.kind.value]
        return Answer(status, {"error": refused.kind.value, "reason": refused.reason})

    @override
    def default_account(self) -> Account:
        return Account("seller")

    @override
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        owner = self.accounts[account]
        base_url = self.doors.base_url(owner, base_url)
        end = "" if owner is self.accounts.default else f"-{owner.id}"
        names = {"client_id": "id", "client_secret": "secret", "refresh_token": "refresh"}
        secrets = {name: value + end for name, value in names.items()}
        secrets |= {"access_token": f"static{end}", "username": f"user{end}", "password": "pass"}
        secrets |= {"consumer_key": f"ck{end}", "consumer_secret": "cs"}
        secrets |= {"token_id": f"tk{end}", "token_secret": "ts"}
        return SystemAccess("toy_shop", "channel", base_url, owner.id, Credentials(secrets))


@dataclass
class Shop:
    """A toy shop with everything around it."""

    behaviour: dict[str, Any] = field(default_factory=lambda: dict(BEHAVIOUR))
    rules: tuple[FaultRule, ...] = ()
    seed: int = 1
    clock: Any = field(default_factory=lambda: VirtualClock(START_US))
    check_answers: bool = False
    contracts: dict[str, Contract] = field(default_factory=lambda: {"shop/v1": CONTRACT})
    settings: dict[str, Any] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()

    simulator_class: ClassVar[type[Simulator]] = ToyShop

    def __post_init__(self) -> None:
        streams = SeededStreams(self.seed)
        self.books = Books("toy_shop")
        setup = SimulatorSetup(
            contracts=self.contracts,
            behaviour=self.behaviour,
            system={},
            streams=streams,
            books=self.books,
            settings=self.settings,
            accounts=self.accounts,
        )
        self.simulator = self.simulator_class(setup)
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

    async def log_in(self, account: str | None = None) -> str:
        """Fetch an access token, of the default account unless another is named."""
        request = TOKEN_REQUEST
        if account is not None:
            secrets = self.simulator.access("", account).credentials.values
            names = ("client_id", "client_secret", "refresh_token")
            form = {"grant_type": "refresh_token", **{name: secrets[name] for name in names}}
            request = replace(request, body=urlencode(form).encode())
        answer = await self.client.send(request)
        assert answer.status == 200, answer
        token: str = answer.json()["access_token"]
        if account is None:
            self.token = token
        return token

    def request(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Headers = (),
    ) -> HttpRequest:
        """Return a request with the token."""
        headers = (("x-access-token", token or self.token), *headers)
        if body is None:
            return HttpRequest.from_target(method, target, headers)
        return HttpRequest.with_json(method, target, body, headers=headers)

    async def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Headers = (),
        **options: Any,
    ) -> Any:
        """Send a request with the token and return the answer."""
        request = self.request(method, target, body, token=token, headers=headers)
        return await self.client.send(request, **options)


TOKEN_REQUEST = HttpRequest(
    "POST",
    "/token",
    (),
    (("content-type", "application/x-www-form-urlencoded"),),
    b"grant_type=refresh_token&client_id=id&client_secret=secret&refresh_token=refresh",
)
