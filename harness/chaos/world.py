"""The world an engine is handed, and the fence that makes a crash final.

A crash is not a cancellation: cancelling runs the engine's own ``except`` and ``finally`` blocks,
which a dead process never does. So the fence falls first, and every port the dead incarnation
still holds raises a ``BaseException``; it also keeps its old storage, while the next incarnation
gets a copy as it was at the moment of the crash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.model.errors import UsageError
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import to_datetime
from harness.model.ports import Clock, HttpClient, Randomness, Streams, SystemAccess

if TYPE_CHECKING:
    import httpx

AsgiApp = Callable[..., Awaitable[None]]


class EngineCrashed(BaseException):
    """This incarnation of the engine is dead; nothing it does reaches the world any more."""


class Fence:
    """Alive until it falls, and never again."""

    def __init__(self) -> None:
        """Start alive."""
        self.fallen = False

    def fall(self) -> None:
        """Declare the incarnation behind this fence dead."""
        self.fallen = True

    def check(self) -> None:
        """Raise ``EngineCrashed`` when the fence has fallen."""
        if self.fallen:
            raise EngineCrashed


@dataclass(frozen=True, slots=True)
class FencedClock:
    """A clock that stops with its incarnation."""

    inner: Clock
    fence: Fence

    def now_us(self) -> int:
        """Return UTC microseconds since 1970."""
        self.fence.check()
        return self.inner.now_us()

    async def sleep(self, seconds: float) -> None:
        """Wait; dies instead of waking up after a crash."""
        self.fence.check()
        await self.inner.sleep(seconds)
        self.fence.check()


@dataclass(frozen=True, slots=True)
class FencedClient:
    """A client that stops with its incarnation; ``answered`` hears of every answer first."""

    system: str
    inner: HttpClient
    fence: Fence
    answered: Callable[[str], None]

    async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
        """Send, unless dead; an answer that comes after the crash is never seen."""
        self.fence.check()
        try:
            return await self.inner.send(request, timeout_s=timeout_s)
        finally:
            self.answered(self.system)
            self.fence.check()


class FencedRandomness:
    """A stream of chance that stops with its incarnation."""

    def __init__(self, inner: Randomness, fence: Fence) -> None:
        """Draw from ``inner`` while alive."""
        self._inner = inner
        self._fence = fence

    def __getattr__(self, name: str) -> Any:
        """Return the method of the stream; raises ``EngineCrashed`` when dead."""
        self._fence.check()
        return getattr(self._inner, name)


def _nobody_listens(_system: str) -> None:
    return None


@dataclass
class ChaosWorld:
    """Implements the ``World`` port for one incarnation of an engine.

    ``clients`` are thin clients of any kind (in process or wire), so the same world serves
    virtual and real time; ``wrap`` makes an ``httpx.AsyncClient`` over one of them.
    """

    systems: Mapping[str, SystemAccess]
    inner_clock: Clock
    storage: Path
    streams: Streams
    clients: Mapping[str, HttpClient]
    wrap: Callable[[HttpClient, str], httpx.AsyncClient]
    deliveries: Deliveries = field(default_factory=lambda: Deliveries())
    answered: Callable[[str], None] = _nobody_listens
    fence: Fence = field(default_factory=Fence)

    @property
    def clock(self) -> Clock:
        """Return the time of this world."""
        return FencedClock(self.inner_clock, self.fence)

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        return to_datetime(self.clock.now_us())

    def random(self, purpose: str) -> Randomness:
        """Return the engine's own stream for this purpose."""
        self.fence.check()
        stream: Randomness = FencedRandomness(self.streams.stream(f"engine/{purpose}"), self.fence)
        return stream

    def http(self, name: str) -> HttpClient:
        """Return the thin client of one system; raises ``UsageError`` for an unknown name."""
        self.fence.check()
        if name not in self.clients:
            msg = f"this world has no system {name!r}."
            raise UsageError(msg, remedy=f"Systems: {', '.join(self.clients)}.")
        return FencedClient(name, self.clients[name], self.fence, self.answered)

    def httpx(self, name: str) -> httpx.AsyncClient:
        """Return an httpx client of one system, fenced like the thin one."""
        return self.wrap(self.http(name), self.systems[name].base_url)

    def deliver(self, app: AsgiApp) -> str:
        """Register an ASGI application for webhooks and return the URL it is reached by."""
        self.fence.check()
        return self.deliveries.register(app, self.fence)


class Deliveries:
    """Where webhooks are delivered in process: ASGI applications by URL."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._apps: dict[str, tuple[AsgiApp, Fence]] = {}

    def register(self, app: AsgiApp, fence: Fence) -> str:
        """Return the URL of ``app`` from now on; the same number of apps, the same URLs."""
        alive = [url for url, (_, f) in self._apps.items() if not f.fallen]
        url = f"https://engine-{len(alive) + 1}.test"
        self._apps[url] = (app, fence)
        return url

    async def post(self, url: str, request: HttpRequest) -> int | None:
        """Deliver one request and return the status; ``None`` when nobody listens there."""
        app, fence = self._apps.get(url, (None, None))
        if app is None or fence is None or fence.fallen:
            return None
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(message["status"]))

        await app(_asgi_scope(request), receive, send)
        return statuses[0] if statuses else None


def _asgi_scope(request: HttpRequest) -> dict[str, Any]:
    path, _, query = request.target().partition("?")
    return {
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
