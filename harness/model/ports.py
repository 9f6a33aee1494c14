"""The ports: time, chance, identifiers and network are arguments.

Nothing outside ``harness/simulation`` and ``harness/cli/real_world.py`` reads the wall clock,
global randomness or a socket; everything else is handed one of these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    import httpx

    from harness.model.exchange import HttpRequest, HttpResponse

T = TypeVar("T")


class Clock(Protocol):
    """Time: virtual in a simulation, the machine's own on the wire."""

    def now_us(self) -> int:
        """Return UTC microseconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; other tasks run meanwhile."""
        ...


class Randomness(Protocol):
    """One seeded stream of chance (``random.Random`` has this shape)."""

    def random(self) -> float:
        """Return a float in [0, 1)."""
        ...

    def randrange(self, start: int, stop: int, /) -> int:
        """Return an integer in [start, stop)."""
        ...

    def choice(self, options: Sequence[T], /) -> T:
        """Return one of ``options``."""
        ...

    def shuffle(self, items: MutableSequence[Any], /) -> None:
        """Reorder ``items`` in place."""
        ...


class Streams(Protocol):
    """A seeded source of independent streams: adding one never shifts another."""

    def stream(self, purpose: str) -> Randomness:
        """Return the stream of this purpose; the same object for the same purpose."""
        ...


class HttpClient(Protocol):
    """Sends requests to one system."""

    async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
        """Return the complete answer.

        Raises ``ConnectFailed`` when the request certainly had no effect, ``AnswerLost`` or
        ``AnswerTimedOut`` when nobody knows.
        """
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets by name. Printing them shows the names only."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> str:
        """Return one secret; raises ``KeyError`` when it is not there."""
        return self.values[name]

    @override
    def __str__(self) -> str:
        """Return the names, never the values."""
        return f"Credentials({', '.join(sorted(self.values))})"


@dataclass(frozen=True, slots=True)
class SystemAccess:
    """What a client must know to call one system.

    ``role`` is ``channel``, ``erp`` or ``wms``; ``account`` is the seller or company alias;
    ``parameters`` are facts that are no secret (marketplace id, seller id, region).
    """

    name: str
    role: str
    base_url: str
    account: str
    credentials: Credentials
    parameters: Mapping[str, str] = field(default_factory=dict)


class World(Protocol):
    """Everything an engine under test may touch."""

    @property
    def systems(self) -> Mapping[str, SystemAccess]:
        """The systems by name."""
        ...

    @property
    def clock(self) -> Clock:
        """The time of this world."""
        ...

    @property
    def storage(self) -> Path:
        """A directory that survives a crash of the engine."""
        ...

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        ...

    def random(self, purpose: str) -> Randomness:
        """Return the engine's own stream for this purpose."""
        ...

    def http(self, name: str) -> HttpClient:
        """Return the thin client of one system."""
        ...

    def httpx(self, name: str) -> httpx.AsyncClient:
        """Return an httpx client of one system."""
        ...

    def deliver(self, app: Callable[..., Awaitable[None]]) -> str:
        """Register an ASGI application for webhooks and return the URL it is reached by."""
        ...


class Engine(Protocol):
    """A sync engine under test: one class. Started again on the same storage after a crash."""

    async def run(self, world: World) -> None:
        """Run until cancelled."""
        ...
