"""A small HTTP/1.1 server that can do to a connection what real networks do.

ASGI servers cannot reset a connection, cut a body or stay silent; this one carries out a
:class:`ResponsePlan` as bytes. One port per system, loopback unless told otherwise.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httptools
from typing_extensions import override

from harness.model.errors import UsageError
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US
from mocks.kit.accounts import ANY_DOOR, Door
from mocks.kit.pipeline import Edge
from mocks.kit.plan import Delivery, ResponsePlan
from mocks.kit.posting import Receivers, WirePoster

_BODILESS = (204, 304)
_REJECTION_READ_SECONDS = 1.0
_REJECTIONS = {
    413: "the body is larger than this server takes",
    431: "the request line and headers are longer than this server takes",
}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class WireLimits:
    """What a client may send before it is told to stop. Times are real seconds."""

    header_bytes_max: int = 65_536
    body_bytes_max: int = 10_000_000
    pipelined_max: int = 64
    request_seconds_max: float = 30.0
    idle_seconds_max: float = 75.0
    silent_seconds_max: float = 300.0


class WireServer:
    """Serves one edge on one port."""

    def __init__(
        self,
        edge: Edge,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: WireLimits | None = None,
        door: Door = ANY_DOOR,
    ) -> None:
        """Prepare to listen; port 0 takes a free one.

        ``door`` makes this the address of one region or account: start one server for each where
        the vendor has hosts of their own.
        """
        self.edge = edge
        self.door = door
        self.limits = limits or WireLimits()
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self.connections: dict[int, _Connection] = {}
        self.workers: dict[int, asyncio.Task[None]] = {}
        self._connection_count = 0

    async def start(self) -> str:
        """Listen and return the base URL; raises ``UsageError`` when the port cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._connect, self._host, self._port)
        except OSError as error:
            msg = f"cannot listen on {self._host}:{self._port}: {error.strerror or error}."
            raise UsageError(msg, remedy="Choose another --port, or 0 for a free one.") from error
        courier = self.edge.courier
        if isinstance(courier.poster, Receivers) and courier.poster.empty:
            courier.poster = WirePoster()
        port = self._server.sockets[0].getsockname()[1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"

    def _connect(self) -> _Connection:
        self._connection_count += 1
        return _Connection(self, self._connection_count)

    async def close(self) -> None:
        """Stop listening, drop every connection and wait until all are gone."""
        if self._server is None:
            return
        self._server.close()
        waiting: list[asyncio.Future[None]] = []
        for connection in list(self.connections.values()):
            connection.abort()
            waiting.append(connection.closed)
        for worker in list(self.workers.values()):
            worker.cancel()
            waiting.append(worker)
        if waiting:
            await asyncio.wait(waiting)
        await self._server.wait_closed()
        self._server = None
        await self.edge.courier.stop()


class _TooLarge(Exception):
    """The client sent more than the limits allow; carries the status to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Connection(asyncio.Protocol):
    """One connection. httptools calls the ``on_...`` methods while it parses."""

    def __init__(self, server: WireServer, number: int) -> None:
        self._server = server
        self._edge = server.edge
        self._limits = server.limits
        self._number = number
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._transport: Any = None
        self._parser: Any = httptools.HttpRequestParser(self)
        self._queue: deque[tuple[HttpRequest, bool]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._rejected: int | None = None
        self._gone = False
        self._reading = False
        self._ended = 0  # requests read to their end
        self._in_headers = 0
        self._begin()

    # -- asyncio calls these --------------------------------------------------------------------

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._server.connections[self._number] = self
        self._restart_timer(self._limits.idle_seconds_max)

    @override
    def data_received(self, data: bytes) -> None:
        if self._rejected is not None or self._gone:
            return
        if not self._reading:
            self._reading = True
            self._restart_timer(self._limits.request_seconds_max)
        ended = self._ended
        try:
            self._parser.feed_data(data)
            # Where a request ended within these bytes, nobody knows how many belong to the next.
            if not self._headers_done and self._ended == ended:
                self._in_headers += len(data)
                if self._in_headers > self._limits.header_bytes_max:
                    self._reject(431)
        except httptools.HttpParserUpgrade:
            self._reject(400)
        except httptools.HttpParserError as error:
            too_large = error.__context__
            self._reject(too_large.status if isinstance(too_large, _TooLarge) else 400)
        if len(self._queue) > self._limits.pipelined_max and not self._gone:
            self._transport.pause_reading()

    @override
    def eof_received(self) -> bool:
        # A half-closed client still reads: answer what it asked, then close.
        if not self._queue and self._worker is None:
            return False
        self._queue.append((_END, False))
        return True

    @override
    def pause_writing(self) -> None:
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writable.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        self._writable.set()
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._server.connections.pop(self._number, None)
        if not self.closed.done():
            self.closed.set_result(None)

    # -- httptools calls these ------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._begin()
        self._reading = True

    def _begin(self) -> None:
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._header_bytes = 0
        self._headers_done = False
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._reading = False

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_header(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))
        self._count_header(len(name) + len(value) + 4)

    def _count_header(self, length: int) -> None:
        self._header_bytes += length
        if self._header_bytes > self._limits.header_bytes_max:
            raise _TooLarge(431)

    def on_headers_complete(self) -> None:
        self._headers_done = True
        for name, value in self._headers:
            if name == "content-length" and value.isdecimal():
                if int(value) > self._limits.body_bytes_max:
                    raise _TooLarge(413)
            elif name == "expect" and value.lower() == "100-continue" and self._worker is None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes_max:
            raise _TooLarge(413)
        self._body.append(body)

    def on_message_complete(self) -> None:
        target = self._url.decode("latin-1")
        if not target.startswith("/"):
            # An absolute target, as sent to proxies: keep the path.
            target = "/" + target.partition("://")[2].partition("/")[2]
        method = self._parser.get_method().decode("ascii", "replace")
        request = HttpRequest.from_target(
            method, _plain(target), tuple(self._headers), b"".join(self._body)
        )
        self._queue.append((request, self._parser.should_keep_alive()))
        self._begin()
        self._ended += 1
        self._in_headers = 0
        self._stop_timer()
        if self._worker is None:
            self._worker = self._loop.create_task(self._work())
            self._server.workers[self._number] = self._worker

    # -- answering, strictly in order -----------------------------------------------------------

    async def _work(self) -> None:
        try:
            while self._queue and not self._gone:
                request, keep_alive = self._queue.popleft()
                if request is _END:
                    self._transport.close()
                    return
                if len(self._queue) <= self._limits.pipelined_max // 2:
                    self._transport.resume_reading()
                plan = await self._edge.serve(request, door=self._server.door)
                if plan.delay_us:
                    await self._edge.clock.sleep(plan.delay_us / SECOND_US)
                self._edge.settle(plan, delivered=not self._gone)
                if self._gone or not self._deliver(request, plan, keep_alive=keep_alive):
                    return
                await self._writable.wait()
        except Exception:
            self.abort()
            raise
        finally:
            self._worker = None
            self._server.workers.pop(self._number, None)
        if self._rejected is not None:
            self._write_rejection()
        elif not self._gone:
            self._restart_timer(
                self._limits.request_seconds_max if self._reading else self._limits.idle_seconds_max
            )

    def _deliver(self, request: HttpRequest, plan: ResponsePlan, *, keep_alive: bool) -> bool:
        """Carry out a plan; return whether the connection goes on."""
        if plan.delivery is Delivery.COMPLETE:
            head = request.method == "HEAD"
            self._transport.write(_encode(plan.response, keep_alive=keep_alive, head=head))
            if not keep_alive:
                self._transport.close()
            return keep_alive
        if plan.delivery is Delivery.TRUNCATED:
            whole = _encode(plan.response, keep_alive=False, head=False)
            missing = len(plan.response.body) - (plan.keep_bytes or 0)
            self._transport.write(whole[: len(whole) - max(1, missing)])
            self._transport.close()
        elif plan.delivery is Delivery.LOST:
            self._transport.close()
        elif plan.delivery is Delivery.SILENT:
            self._restart_timer(self._limits.silent_seconds_max)
        else:
            self._reset()
        return False

    def _reset(self) -> None:
        """Send RST rather than FIN: the client's kernel reports a reset."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _reject(self, status: int) -> None:
        """Stop reading; answer ``status`` after the answers still owed."""
        self._rejected = status
        if self._worker is None:
            self._write_rejection()

    def _write_rejection(self) -> None:
        status = self._rejected or 400
        answer = self._edge.reject(status, _REJECTIONS.get(status, "this is not HTTP/1.1"))
        if self._gone:
            return
        self._transport.write(_encode(answer, keep_alive=False, head=False))
        if self._transport.can_write_eof():
            # Closing over unread bytes resets the connection, and the client would never read why.
            self._transport.write_eof()
            self._restart_timer(_REJECTION_READ_SECONDS)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    # -- patience -------------------------------------------------------------------------------

    def _restart_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, self.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


_END = HttpRequest("", "")


def _plain(target: str) -> str:
    """Drop a fragment and double slashes at the start, which would read as a host."""
    return "/" + target.partition("#")[0].lstrip("/")


def _encode(answer: HttpResponse, *, keep_alive: bool, head: bool) -> bytes:
    """Return the answer as bytes; line breaks inside a header value become spaces."""
    lines = [f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, 'Status')}"]
    for name, value in answer.headers:
        if name not in ("content-length", "connection", "transfer-encoding"):
            lines.append(f"{name}: {value}".replace("\r", " ").replace("\n", " "))
    if answer.status not in _BODILESS:
        lines.append(f"content-length: {len(answer.body)}")
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    text = "\r\n".join(lines) + "\r\n\r\n"
    body = b"" if head or answer.status in _BODILESS else answer.body
    return text.encode("latin-1", "replace") + body


async def serve_all(
    edges: dict[str, Edge], ports: Callable[[str], int], *, host: str = "127.0.0.1"
) -> dict[str, tuple[WireServer, str]]:
    """Start one server per edge; return server and base URL by name, or none at all."""
    running: dict[str, tuple[WireServer, str]] = {}
    try:
        for name, edge in edges.items():
            server = WireServer(edge, host=host, port=ports(name))
            running[name] = (server, await server.start())
    except BaseException:
        for server, _url in running.values():
            await server.close()
        raise
    return running
