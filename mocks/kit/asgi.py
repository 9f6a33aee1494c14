"""Mounts a simulator as an ASGI application, for tools that insist on one.

ASGI cannot refuse, reset or truncate a connection: where the plan asks for that, the application
raises, and the server drops the connection in its own way. Use the wire server for exact faults.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from harness.model.exchange import HttpRequest, lower_headers
from harness.model.instants import SECOND_US
from mocks.kit.pipeline import Edge
from mocks.kit.plan import Delivery

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

BODY_BYTES_MAX = 10_000_000


class AnswerCutError(ConnectionError):
    """The plan takes the answer away; raised into the ASGI server."""


def asgi_app(edge: Edge) -> AsgiApp:
    """Return an ASGI application that answers as ``edge`` does."""

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            msg = f"a simulator speaks HTTP, not {scope['type']}"
            raise ValueError(msg)
        await _answer(edge, scope, receive, send)

    return app


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(
    edge: Edge, scope: MutableMapping[str, Any], receive: Receive, send: Send
) -> None:
    body = await _read_body(receive)
    if body is None:
        await _send(send, 413, [(b"content-length", b"0")], b"")
        return
    raw_path = scope.get("raw_path") or scope["path"].encode()
    headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
    request = HttpRequest(
        scope["method"],
        raw_path.decode("latin-1").partition("?")[0],
        tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        lower_headers(headers),
        body,
    )
    plan = await edge.serve(request)
    if plan.delay_us:
        await edge.clock.sleep(plan.delay_us / SECOND_US)
    edge.settle(plan, delivered=True)
    if plan.delivery is not Delivery.COMPLETE:
        msg = f"{edge.system}: {plan.delivery}"
        raise AnswerCutError(msg)
    answer = plan.response
    pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers]
    if answer.status not in (204, 304):
        pairs.append((b"content-length", str(len(answer.body)).encode()))
    await _send(send, answer.status, pairs, b"" if scope["method"] == "HEAD" else answer.body)


async def _read_body(receive: Receive) -> bytes | None:
    """Return the whole body, ``None`` when it is too large."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
