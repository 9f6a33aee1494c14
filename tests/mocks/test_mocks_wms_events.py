"""Proves that the warehouse tells subscribers what happened, signed, and gives up as declared."""

from __future__ import annotations

import base64
import hmac
import importlib.util
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from harness.model.exchange import HttpRequest, HttpResponse
from harness.simulation.loop import run_virtual

HOOK = "https://engine.test/hooks/wms"


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


class Receiver:
    """Keeps what arrives; answers with one status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.got: list[HttpRequest] = []

    def __call__(self, request: HttpRequest) -> int:
        self.got.append(request)
        return self.status


class Live:
    """A client on a running loop, where events travel."""

    def __init__(self, client: Any, receiver: Receiver) -> None:
        self.client = client
        self.receiver = receiver
        client.estate.receivers.register(receiver, "https://engine.test")
        self.bearer = client.token()

    async def call(self, method: str, path: str, body: Any = None) -> HttpResponse:
        headers = (("authorization", f"Bearer {self.bearer}"),)
        if body is None:
            request = HttpRequest(method, path, (), headers)
        else:
            request = HttpRequest.with_json(method, path, body, headers=headers)
        answer: HttpResponse = await self.client.estate.client("wms").send(request)
        return answer

    async def do(self, path: str, **body: Any) -> Any:
        self.client.references += 1
        named = {"reference_id": f"live-{self.client.references}", **body}
        answer = await self.call("POST", path, named)
        assert answer.status == 201, answer.body
        return answer.json()

    async def subscribe(self, topic: str, version: str = NEW) -> Any:
        answer = await self.call("POST", f"{version}/webhooks", {"topic": topic, "url": HOOK})
        assert answer.status == 201, answer.body
        return answer.json()

    async def wait(self, seconds: float) -> None:
        await self.client.clock.sleep(seconds)


Story = Callable[[Live], Coroutine[Any, Any, None]]


def live(
    client: Any, receiver: Receiver, story: Callable[[Live], Coroutine[Any, Any, None]]
) -> None:
    play = Live(client, receiver)
    run_virtual(lambda: story(play), clock=client.clock, limit_s=100_000)
    assert client.estate.failures == []


def test_an_order_tells_its_story_in_signed_events() -> None:
    receiver, secrets = Receiver(), {}

    async def story(play: Live) -> None:
        topics = [
            "order.shipped",
            "order.short",
            "order.cancelled",
            "stock.changed",
            "receipt.received",
            "return.inspected",
        ]
        for topic in topics:
            made = await play.subscribe(topic)
            secrets[topic] = made["secret"]
        goods = [{"sku": "MUG", "quantity": 1}]
        order = await play.do(f"{NEW}/orders", ship_to=TO, lines=lines(("MUG", 3)))
        await play.wait(10)
        at = f"{NEW}/orders/{order['id']}"
        short = [{"line_id": "1", "quantity": 1, "short_reason": "NOT_FOUND"}]
        await play.do(f"{at}/picks", location_id="MAIN", lines=short)
        await play.wait(10)
        await play.do(f"{at}/shipments", carrier="UPS", lines=by_line(1))
        await play.wait(10)
        assert (await play.call("POST", f"{at}/cancellation")).status == 200
        await play.wait(10)
        receipt = await play.do(f"{NEW}/receipts", location_id="MAIN", lines=goods)
        await play.wait(10)
        await play.do(f"{NEW}/receipts/{receipt['id']}/arrivals", lines=goods)
        await play.wait(10)
        back = await play.do(f"{NEW}/returns", lines=goods)
        judged = {**goods[0], "condition": "DAMAGED", "disposition": "SCRAP"}
        await play.do(f"{NEW}/returns/{back['id']}/inspections", lines=[judged])
        await play.wait(10)
        listed = (await play.call("GET", f"{NEW}/webhooks")).json()["items"]
        assert [(row["topic"], row["state"]) for row in listed] == [(t, "HEALTHY") for t in topics]
        assert all("secret" not in row for row in listed)

    live(stocked(), receiver, story)
    bodies = [request.json() for request in receiver.got]
    told = [body["topic"] for body in bodies if body["topic"] != "stock.changed"]
    assert told == [
        "order.short",
        "order.shipped",
        "order.cancelled",
        "receipt.received",
        "return.inspected",
    ]
    stock = [body["data"] for body in bodies if body["topic"] == "stock.changed"]
    assert [(row["on_hand"], row["reserved"], row["incoming"]) for row in stock] == [
        (100, 3, 0),
        (100, 3, 0),
        (99, 2, 0),
        (99, 0, 0),
        (99, 0, 1),
        (100, 0, 0),
    ]
    for request in receiver.got:
        secret = secrets[request.json()["topic"]].encode()
        signed = base64.b64encode(hmac.digest(secret, request.body, "sha256")).decode()
        assert request.header("webhook-signature") == signed
        assert request.header("webhook-id")
        assert request.header("webhook-timestamp")
    assert len({request.header("webhook-id") for request in receiver.got}) == len(receiver.got)


def test_events_come_in_the_version_of_their_subscription() -> None:
    receiver = Receiver()

    async def story(play: Live) -> None:
        await play.subscribe("stock.changed")
        await play.subscribe("stock.changed", OLD)
        play.client.wms.set_stock("MUG", 7, play.client.now_us)
        await play.wait(10)

    live(stocked(), receiver, story)
    named = [
        [name for name in request.json()["data"] if name.startswith("location")]
        for request in receiver.got
    ]
    assert sorted(named) == [["location_code"], ["location_id"]]
    assert {request.json()["topic"] for request in receiver.got} == {"stock.changed"}


def test_a_receiver_that_fails_six_times_makes_its_subscription_unhealthy() -> None:
    receiver, client = Receiver(500), stocked()

    async def story(play: Live) -> None:
        made = await play.subscribe("stock.changed")
        play.client.wms.set_stock("MUG", 7, play.client.now_us)
        await play.wait(400)
        (row,) = (await play.call("GET", f"{NEW}/webhooks")).json()["items"]
        assert row == {
            "id": made["id"],
            "topic": "stock.changed",
            "url": HOOK,
            "state": "UNHEALTHY",
        }
        play.client.wms.set_stock("MUG", 8, play.client.now_us)
        await play.wait(400)
        path = f"{NEW}/webhooks/{made['id']}"
        assert [(await play.call("DELETE", path)).status for _ in range(2)] == [204, 404]
        await play.subscribe("stock.changed")

    live(client, receiver, story)
    assert len(receiver.got) == 6
    assert len({request.header("webhook-id") for request in receiver.got}) == 1
    assert [record.attempt for record in client.wms.books.deliveries] == [1, 2, 3, 4, 5, 6]


def test_a_subscription_is_made_once_for_a_known_topic_and_an_address() -> None:
    client = stocked()
    path, body = f"{NEW}/webhooks", {"topic": "order.short", "url": HOOK}
    assert client.call("POST", path, body).status == 201
    again = client.call("POST", path, body)
    assert (again.status, again.json()["errors"][0]["code"]) == (409, "CONFLICT")
    assert client.call("POST", path, {**body, "topic": "2025-07/order.short"}).status == 400
    wrong = client.call("POST", path, {**body, "url": "engine.test"})
    assert (wrong.status, wrong.json()["errors"][0]["code"]) == (422, "WRONG_URL")
