"""Proves that no request, however wrong, crashes a simulator: each gets the vendor's refusal."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest
from harness.simulation.clock import SystemClock, VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from mocks.kit.calls import Answer
from mocks.kit.estate import Estate, discover
from mocks.kit.wire import WireServer


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


manners = _load("toy_manners")
Market, play = manners.Market.of, manners.play


EXPLAIN = "x-driftgate-explain"
FUZZ = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "status", "explains"),
    [
        ("GET", "/nowhere", (), b"", 404, "no contract"),
        ("PATCH", "/items", (), b"", 405, "only GET"),
        ("GET", "/items?what=1", (), b"", 400, "knows no query parameter"),
        ("POST", "/bulk", (("content-type", "application/json"),), b"{", 400, "not JSON"),
        ("POST", "/bulk", (("content-type", "application/json"),), b"[" * 99_999, 400, "not JSON"),
        ("POST", "/bulk", (("content-type", "application/json"),), b'"\\ud800"', 400, "UTF-8"),
        ("POST", "/bulk", (("content-type", "text/plain"),), b"{}", 415, "content type"),
        ("POST", "/bulk", (), b"{}", 415, "content type"),
        ("POST", "/bulk", (("content-type", "application/json"),), b"3", 400, "the body at /"),
        ("POST", "/bulk", (("content-type", "application/json"),), b"x" * 2001, 413, "2000 bytes"),
        ("GET", "/items?filter=%7B%7D", (), b"", 400, "query parameter filter"),
        ("GET", "/items?filter=%7B", (), b"", 400, "is not JSON"),
        ("GET", "/items?filter=%7B%22colour%22%3A1%7D", (), b"", 200, None),
        ("GET", "/items", (("cookie", "shop=x; other=y"),), b"", 200, None),
        ("GET", "/items", (("cookie", "other=1; shop=75"),), b"", 400, "cookie parameter shop"),
        ("GET", "/items", (("cookie", "=; ;;shop"),), b"", 200, None),
    ],
)
def test_bad_input_gets_a_status_a_shape_and_a_reason(
    method: str, target: str, headers: Any, body: bytes, status: int, explains: str | None
) -> None:
    market = Market({"limits": {"request_bytes_max": 100_000 if len(body) > 9999 else 2000}})

    async def story(m: Any) -> Any:
        request = HttpRequest.from_target(method, target, headers, body)
        request = HttpRequest(
            method, request.path, request.query, (*headers, ("x-access-token", m.token)), body
        )
        return await m.client.send(request)

    answer = play(market, story)
    assert answer.status == status
    explanation = answer.header(EXPLAIN)
    assert (explanation is None) == (explains is None)
    assert (explains or "") in (explanation or "")
    if explains is not None:
        assert set(answer.json()) == {"error", "reason"}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, 431),
        (b"POST /bulk HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n", 413),
        (b"\x00\x01nonsense\r\n\r\n", 400),
    ],
)
def test_what_never_became_a_request_is_refused_in_the_vendors_shape(
    data: bytes, status: int
) -> None:
    async def story() -> bytes:
        market = Market(clock=SystemClock())
        server = WireServer(market.edge)
        port = int((await server.start()).rpartition(":")[2])
        answer = await _raw(port, data)
        await server.close()
        return answer

    head, _, body = asyncio.run(story()).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert EXPLAIN.encode() in head
    assert json.loads(body)["reason"] == "http"


async def _raw(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if writer.can_write_eof():
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


WORDS = st.sampled_from(
    [
        *(b"GET", b"POST", b" ", b"/items", b"/graphql", b"?limit=", b"&token=", b"%FF", b"%"),
        *(b" HTTP/1.1\r\n", b"\r\n", b"\r\n\r\n", b"\n", b":", b"content-length: ", b"5", b"-1"),
        *(b"transfer-encoding: chunked\r\n", b"expect: 100-continue\r\n", b"0\r\n\r\n", b"{}"),
        *(b"connection: upgrade\r\nupgrade: h2c\r\n", b"host: \xff\r\n", b"\x00"),
    ]
)


@given(data=st.lists(st.one_of(WORDS, st.binary(max_size=12)), max_size=14))
@FUZZ
def test_no_bytes_on_the_wire_crash_the_server_and_it_goes_on_answering(data: list[bytes]) -> None:
    async def story() -> tuple[list[Exception], list[dict[str, Any]], bytes]:
        trouble: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, c: trouble.append(c))
        market = Market(clock=SystemClock())
        server = WireServer(market.edge)
        port = int((await server.start()).rpartition(":")[2])
        await _raw(port, b"".join(data))
        good = await _raw(port, b"GET /nowhere HTTP/1.1\r\nconnection: close\r\n\r\n")
        await server.close()
        return market.edge.failures, trouble, good

    failures, trouble, good = asyncio.run(story())
    assert (failures, trouble) == ([], [])
    assert good.startswith(b"HTTP/1.1 404 ")


TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "0", "-1", "1", "9" * 400, "%", "/", "..", "eid:", "é", "\ud800", "\x00"]),
    st.sampled_from(["2026-11-20T09:00:00Z", "0001-01-01T00:00:00+23:59", "NaN", "{}", "[[["]),
)
JSON_TEXT = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def _template_filled(path: str, draw: Any) -> str:
    from urllib.parse import quote

    parts = path.split("{")
    filled = parts[0]
    for part in parts[1:]:
        value = quote(draw(TEXT), safe="", errors="replace") or "x"
        filled += value + part.partition("}")[2]
    return filled


@st.composite
def requests(draw: Any, operations: list[Any]) -> HttpRequest:
    """Draw a request that looks like one of the contract's, with nonsense in its parts."""
    operation = draw(st.sampled_from(operations))
    path = _template_filled(operation.path, draw)
    names = [p.name for p in operation.parameters if p.location == "query"] or ["x"]
    names.append("zz")
    query = tuple(draw(st.lists(st.tuples(st.sampled_from(names), TEXT), max_size=4)))
    body = b""
    headers: list[tuple[str, str]] = []
    if operation.request_body is not None or draw(st.booleans()):
        body = draw(
            st.one_of(
                st.binary(max_size=30),
                JSON_TEXT.map(lambda value: json.dumps(value).encode()),
            )
        )
        kinds = ("application/json", "text/plain", "", "application/json; charset=x")
        headers.append(("content-type", draw(st.sampled_from(kinds))))
    for name in ("prefer", "if-match", "host", "cookie", "idempotency-key", "authorization"):
        if draw(st.booleans()):
            headers.append(
                (name, draw(st.text(alphabet=st.characters(max_codepoint=255), max_size=12)))
            )
    return HttpRequest(operation.method, path, query, tuple(headers), body)


CATALOG = Catalog(contracts_root())  # reads each contract once, however many estates are made
SYSTEMS = [name for name in discover() if name in CATALOG.system_names()]


@pytest.mark.parametrize("name", SYSTEMS)
@given(data=st.data())
@FUZZ
def test_no_request_crashes_a_simulator_with_or_without_a_token(name: str, data: Any) -> None:
    clock, streams = VirtualClock(1_790_000_000_000_000), SeededStreams(1)
    estate = Estate([name], catalog=CATALOG, clock=clock, streams=streams, latency=False)
    edge: Any = estate.edges[name]
    operations = [route.operation for route in edge.router.routes]
    asked = [data.draw(requests(operations)) for _ in range(4)]
    real = edge.tokens.authenticate
    default = edge.simulator.accounts.default.id

    async def story() -> list[int]:
        statuses = []
        for request in asked:
            for authenticate in (real, lambda _request, _now: default):
                edge.tokens.authenticate = authenticate
                plan = await edge.exchange(request)
                statuses.append(plan.response.status)
        return statuses

    statuses = run_virtual(story, clock=clock, limit_s=1000)
    assert edge.failures == [], [repr(error) for error in edge.failures]
    assert all(100 <= status < 600 for status in statuses)


def test_a_body_that_is_no_json_is_a_bug_that_answers_500_and_is_kept() -> None:
    market = Market()
    body = {"price": float("nan")}
    market.simulator.handlers[None, "getItem"] = lambda _call: Answer(200, body)

    async def story() -> Any:
        await market.log_in()
        return await market.call("GET", "/items/A")

    answer = run_virtual(story, clock=market.clock, limit_s=1000)
    assert answer.status == 500
    assert answer.header(EXPLAIN).startswith("bug in the simulator: ValueError")
    assert [type(error) for error in market.edge.failures] == [ValueError]


def test_the_fuzzed_systems_are_those_that_exist() -> None:
    assert {"amazon_spapi", "netsuite"} <= set(SYSTEMS)
