"""Where events go: receivers in the same process, addresses on loopback, queues.

In a simulation every receiver is registered; on the wire a real HTTP client posts, to loopback
only unless told otherwise, with few connections at a time.
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from harness.model.errors import AnswerLost, AnswerTimedOut, ConnectFailed
from harness.model.exchange import HttpRequest, HttpResponse, lower_headers
from harness.model.instants import SECOND_US
from harness.model.values import Json

if TYPE_CHECKING:
    import httpx

AsgiApp = Callable[..., Awaitable[None]]
Handler = Callable[[HttpRequest], "HttpResponse | int | Awaitable[HttpResponse | int]"]
REPLY_BYTES_MAX = 65_536
CONNECTIONS_MAX = 8


class Poster(Protocol):
    """Sends one request to an address."""

    async def post(self, url: str, request: HttpRequest) -> HttpResponse:
        """Return the reply; raises ``TransportError``."""
        ...


class Receivers:
    """Receivers in this process, by the beginning of their address."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._handlers: dict[str, Handler] = {}

    def register(self, receiver: Handler, url: str | None = None) -> str:
        """Let ``receiver`` take what is sent to ``url`` or below; return that address.

        A receiver is a function of the request, plain or async, that returns a response or just
        a status; see :func:`asgi_receiver` for applications.
        """
        at = url or f"https://receiver-{len(self._handlers) + 1}.test"
        self._handlers[at.rstrip("/")] = receiver
        return at

    @property
    def empty(self) -> bool:
        """Say whether nobody ever registered."""
        return not self._handlers

    async def post(self, url: str, request: HttpRequest) -> HttpResponse:
        """Deliver; raises ``ConnectFailed`` when nobody listens there."""
        fitting = [at for at in self._handlers if url == at or url.startswith((f"{at}/", f"{at}?"))]
        if not fitting:
            msg = f"nobody listens at {url}."
            raise ConnectFailed(msg)
        reply = self._handlers[max(fitting, key=len)](request)
        if inspect.isawaitable(reply):
            reply = await reply
        return HttpResponse(reply) if isinstance(reply, int) else reply


class StatusPoster:
    """Posts through a function that only returns the status, such as a chaos world's deliveries."""

    def __init__(self, post: Callable[[str, HttpRequest], Awaitable[int | None]]) -> None:
        """Post with ``post``, which is handed the address without its path."""
        self._post = post

    async def post(self, url: str, request: HttpRequest) -> HttpResponse:
        """Deliver; raises ``ConnectFailed`` when the function returns no status."""
        parts = urlsplit(url)
        status = await self._post(f"{parts.scheme}://{parts.netloc}", request)
        if status is None:
            msg = f"nobody listens at {url}."
            raise ConnectFailed(msg)
        return HttpResponse(status)


def asgi_receiver(app: AsgiApp) -> Handler:
    """Return a receiver that hands requests to an ASGI application."""

    async def receive_request(request: HttpRequest) -> HttpResponse:
        status = 0
        headers: list[tuple[str, str]] = []
        body = b""

        async def receive() -> Mapping[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers.extend((k.decode(), v.decode()) for k, v in message.get("headers", ()))
            else:
                body += message.get("body", b"")

        path, _, query = request.target().partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode("latin-1", "replace")) for k, v in request.headers],
        }
        await app(scope, receive, send)
        if not status:
            msg = "the application ended without an answer."
            raise AnswerLost(msg)
        return HttpResponse(status, lower_headers(headers), body)

    return receive_request


class WirePoster:
    """Posts over real sockets; refuses every address that is not loopback or allowed by name."""

    def __init__(self, *, allowed_hosts: Iterable[str] = (), timeout_s: float = 30.0) -> None:
        """Open nothing yet; ``timeout_s`` is the most a reply may take in real seconds."""
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)

    async def post(self, url: str, request: HttpRequest) -> HttpResponse:
        """Deliver; raises ``ConnectFailed``, ``AnswerTimedOut`` or ``AnswerLost``."""
        import httpx

        if not self._may_reach(url):
            msg = f"events go to loopback only, not to {urlsplit(url).hostname!r}."
            raise ConnectFailed(msg)
        if self._client is None:
            limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
            self._client = httpx.AsyncClient(
                limits=limits, timeout=self._timeout_s, trust_env=False, follow_redirects=False
            )
        parts = urlsplit(url)
        target = f"{parts.scheme}://{parts.netloc}{request.target()}"
        try:
            async with (
                self._slots,
                self._client.stream(
                    request.method, target, content=request.body, headers=list(request.headers)
                ) as reply,
            ):
                body = b""
                async for chunk in reply.aiter_bytes():
                    body += chunk
                    if len(body) > REPLY_BYTES_MAX:
                        break
                headers = lower_headers(reply.headers.multi_items())
                return HttpResponse(reply.status_code, headers, body[:REPLY_BYTES_MAX])
        except httpx.ConnectError as error:
            raise ConnectFailed(str(error)) from error
        except httpx.TimeoutException as error:
            raise AnswerTimedOut(str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AnswerLost(str(error)) from error

    def _may_reach(self, url: str) -> bool:
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            return False
        if host in self._allowed or host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    async def close(self) -> None:
        """Close what is open."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


@dataclass(slots=True)
class _Message:
    body: Json
    hidden_until_us: int = 0
    received: int = 0


class Queue:
    """A queue of messages, at least once and in no promised order, as cloud queues are.

    What is received hides for a while and comes back unless it is deleted.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._messages: deque[tuple[str, _Message]] = deque()

    def __len__(self) -> int:
        """Return how many messages are there, hidden ones included."""
        return len(self._messages)

    def put(self, handle: str, body: Json) -> None:
        """Add a message."""
        self._messages.append((handle, _Message(body)))

    def receive(self, now_us: int, *, count: int = 10, hide_s: int = 30) -> list[tuple[str, Json]]:
        """Return up to ``count`` visible messages and hide them for ``hide_s`` seconds."""
        got: list[tuple[str, Json]] = []
        for handle, message in self._messages:
            if len(got) == count:
                break
            if message.hidden_until_us <= now_us:
                message.hidden_until_us = now_us + hide_s * SECOND_US
                message.received += 1
                got.append((handle, message.body))
        return got

    def delete(self, handle: str) -> bool:
        """Take a message away for good; return whether it was there."""
        for index, (mine, _) in enumerate(self._messages):
            if mine == handle:
                del self._messages[index]
                return True
        return False
