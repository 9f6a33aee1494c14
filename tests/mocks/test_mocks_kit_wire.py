"""Proves that the wire server carries out every plan as bytes and survives hostile input."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.model.errors import UsageError
from harness.simulation.clock import SystemClock
from harness.simulation.faults import FaultKind, FaultRule
from mocks.kit.asgi import AnswerCutError, asgi_app
from mocks.kit.plan import Delivery, ResponsePlan
from mocks.kit.wire import WireLimits, WireServer, serve_all


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


toy = _load("toy_shop")
PLACE = ("placeOrder",)
ORDER = {"sku": "A", "quantity": 1}
LIMITS = WireLimits(header_bytes_max=2000, body_bytes_max=1000)


def serve(
    story: Callable[[Any, str, int], Awaitable[Any]],
    *,
    rules: tuple[FaultRule, ...] = (),
    limits: WireLimits = LIMITS,
) -> Any:
    """Run a story against a toy shop on loopback, a thousand times faster than real time."""

    async def main() -> Any:
        authentication = {**toy.BEHAVIOUR["authentication"], "token_seconds": 10**6}
        behaviour = {**toy.BEHAVIOUR, "quotas": [], "authentication": authentication}
        shop = toy.Shop(behaviour=behaviour, clock=SystemClock(speed=1000), rules=rules)
        server = WireServer(shop.edge, limits=limits)
        base_url = await server.start()
        await shop.log_in()
        try:
            return await asyncio.wait_for(story(shop, base_url, int(base_url[-5:])), 20)
        finally:
            await server.close()

    return asyncio.run(main())


async def raw(port: int, data: bytes, *, half_close: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        if half_close:
            writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


def ask(token: str, target: str = "/orders", *, close: bool = False) -> bytes:
    end = "connection: close\r\n" if close else ""
    text = f"GET {target} HTTP/1.1\r\nhost: x\r\nx-access-token: {token}\r\n{end}\r\n"
    return text.encode()


def test_httpx_places_and_lists_an_order_over_one_connection() -> None:
    async def story(shop: Any, url: str, _port: int) -> Any:
        headers = {"x-access-token": shop.token}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
            placed = await client.post("/orders", json=ORDER)
            listed = await client.get("/orders", params={"size": 2})
            sent = await client.post("/orders/1/!transform/parcel")
        return placed, listed, sent

    placed, listed, sent = serve(story)
    assert (placed.status_code, placed.json()) == (200, ORDER)
    assert listed.json() == {"orders": [ORDER]}
    assert (sent.status_code, sent.content) == (204, b"")


def test_pipelined_requests_are_answered_in_order() -> None:
    async def story(shop: Any, _url: str, port: int) -> bytes:
        wanted = [f"/orders/{n}" for n in range(20)]
        data = b"".join(ask(shop.token, target) for target in wanted)
        return await raw(port, data + ask(shop.token, "/orders/last", close=True))

    answer = serve(story)
    assert answer.count(b"HTTP/1.1 200 OK") == 21
    order = [part.split(b'"')[0] for part in answer.split(b'{"id":"')[1:]]
    assert order == [*(str(n).encode() for n in range(20)), b"last"]


def test_a_half_closed_client_still_gets_its_answer() -> None:
    async def story(shop: Any, _url: str, port: int) -> bytes:
        return await raw(port, ask(shop.token), half_close=True)

    assert serve(story).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * 5000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 900, 431),
        (b"POST / HTTP/1.1\r\ncontent-length: 5000\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n" + b"a" * 2000, 413),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 400),
    ],
)
def test_malformed_or_oversized_input_is_refused_and_the_server_lives(
    data: bytes, status: int
) -> None:
    async def story(shop: Any, _url: str, port: int) -> tuple[bytes, bytes]:
        first = await raw(port, data)
        return first, await raw(port, ask(shop.token, close=True))

    first, second = serve(story)
    assert f"HTTP/1.1 {status} ".encode() in first
    assert second.startswith(b"HTTP/1.1 200 OK")


def test_odd_targets_are_answered_not_crashed_on() -> None:
    targets = ["//evil/orders", "http://host/orders", "/%ff%00", "/orders#x", "/[::1", "/?%zz=1"]

    async def story(shop: Any, _url: str, port: int) -> list[bytes]:
        answers = [await raw(port, ask(shop.token, t, close=True)) for t in targets]
        assert shop.edge.failures == []
        return answers

    assert all(a.startswith(b"HTTP/1.1 ") for a in serve(story))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.CONNECTION_REFUSED, httpx.ReadError),
        (FaultKind.CONNECTION_RESET, httpx.ReadError),
        (FaultKind.ANSWER_LOST_AFTER_COMMIT, httpx.RemoteProtocolError),
        (FaultKind.BODY_TRUNCATED, httpx.RemoteProtocolError),
    ],
)
def test_transport_faults_reach_a_real_client(kind: FaultKind, error: type[Exception]) -> None:
    async def story(shop: Any, url: str, _port: int) -> int:
        headers = {"x-access-token": shop.token}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
            with pytest.raises(error):
                await client.post("/orders", json=ORDER)
            return (await client.post("/orders", json=ORDER)).status_code

    assert serve(story, rules=(FaultRule(kind, operations=PLACE, nth=1),)) == 200


def test_a_silent_answer_keeps_the_connection_open_until_the_limit() -> None:
    async def story(shop: Any, _url: str, port: int) -> bytes:
        real = shop.edge.serve

        async def silent(request: Any, **options: Any) -> ResponsePlan:
            plan = await real(request, **options)
            return ResponsePlan(plan.response, Delivery.SILENT, call=plan.call)

        shop.edge.serve = silent
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ask(shop.token))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        assert not shop.books.calls[-1].delivered
        try:
            rest = await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            rest = b""
        writer.close()
        return rest

    assert serve(story, limits=WireLimits(silent_seconds_max=0.2)) == b""


def test_idle_and_dawdling_connections_are_dropped() -> None:
    async def story(_shop: Any, _url: str, port: int) -> list[bytes]:
        answers = []
        for data in (b"", b"GET / HT"):
            try:
                answers.append(await asyncio.wait_for(raw(port, data), 5))
            except ConnectionResetError:
                answers.append(b"")
        return answers

    limits = WireLimits(idle_seconds_max=0.05, request_seconds_max=0.05)
    assert serve(story, limits=limits) == [b"", b""]


def test_a_client_that_hangs_up_does_not_stop_the_effect() -> None:
    async def story(shop: Any, _url: str, port: int) -> None:
        body = b'{"sku":"A","quantity":1}'
        booked = asyncio.Event()
        real = shop.edge.settle

        def settle(plan: Any, *, delivered: bool) -> None:
            real(plan, delivered=delivered)
            booked.set()

        shop.edge.settle = settle
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /orders HTTP/1.1\r\nx-access-token: {shop.token}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        shop.clock.speed = 10.0
        writer.close()
        async with asyncio.timeout(5):
            await booked.wait()
        assert shop.simulator.orders == [ORDER]

    serve(story)


def test_a_taken_port_is_a_clear_mistake_and_leaves_nothing_running() -> None:
    async def story(shop: Any, _url: str, port: int) -> None:
        ports = {"first": 0, "second": port}
        edges = {"first": shop.edge, "second": shop.edge}
        with pytest.raises(UsageError, match="cannot listen"):
            await serve_all(edges, lambda name: ports[name])

    serve(story)


def test_the_asgi_mount_answers_the_same_and_raises_where_asgi_cannot_follow() -> None:
    async def story(shop: Any, _url: str, _port: int) -> int:
        transport = httpx.ASGITransport(asgi_app(shop.edge))
        headers = {"x-access-token": shop.token}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://toy.test", headers=headers
        ) as client:
            with pytest.raises(AnswerCutError):
                await client.post("/orders", json=ORDER)
            return (await client.get("/orders")).status_code

    rules = (FaultRule(FaultKind.CONNECTION_RESET, operations=PLACE, nth=1),)
    assert serve(story, rules=rules) == 200
