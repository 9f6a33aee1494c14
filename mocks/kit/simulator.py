"""The base of every simulator: a pure state machine over calls the kit has already routed.

The kit routes by contract, authenticates, meters, and validates against the contract; a
simulator answers operations with its own memory. It never sleeps, never reads a clock and never
touches a socket: ``now_us`` and randomness are handed in, effects go to the books.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from harness.model.contract import Contract, Operation
from harness.model.exchange import Headers, HttpRequest
from harness.model.ports import Streams, SystemAccess
from harness.model.values import Json, JsonObject
from mocks.kit.books import Books


@dataclass(frozen=True, slots=True)
class Call:
    """One request after routing, authentication, metering and validation.

    ``path`` and ``query`` hold decoded values by parameter name (a repeated query parameter keeps
    its raw comma list or its first value; use ``request.query`` for all); ``body`` is the parsed
    JSON body or ``None``; ``account`` is the authenticated seller or company.
    """

    request: HttpRequest
    api: str
    version: str
    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    account: str
    now_us: int
    request_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a simulator answers. ``body`` is JSON, or ``None`` for no body at all."""

    status: int
    body: Json = None
    headers: Headers = ()


class RefusalKind(StrEnum):
    """Why the kit or a simulator refuses a call; each system words it in its own error shape."""

    UNKNOWN_PATH = "unknown_path"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a kind of refusal, not a secret
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Refused(Exception):
    """Raised by a handler or the kit; turned into the system's own error answer."""

    def __init__(
        self,
        kind: RefusalKind,
        explanation: str,
        *,
        pointer: str | None = None,
        code: str | None = None,
        status: int | None = None,
        headers: Headers = (),
    ) -> None:
        """Keep what :meth:`Simulator.error_answer` needs.

        ``explanation`` and ``pointer`` (into the contract) also go into the
        ``x-driftgate-explain`` header; ``code`` and ``status`` override the system's default.
        """
        super().__init__(explanation)
        self.kind = kind
        self.explanation = explanation
        self.pointer = pointer
        self.code = code
        self.status = status
        self.headers = headers


HandlerT = TypeVar("HandlerT", bound=Callable[..., Answer])


def handles(operation_id: str, *, api: str | None = None) -> Callable[[HandlerT], HandlerT]:
    """Mark a method as the answer to one operation; ``api`` is ``orders/v0`` when ids repeat."""

    def mark(function: HandlerT) -> HandlerT:
        function.__dict__["handled_operation"] = (api, operation_id)
        return function

    return mark


@dataclass(frozen=True, slots=True)
class SimulatorSetup:
    """What the kit hands to a simulator.

    ``contracts`` maps ``orders/v0`` to the contract served; ``behaviour`` is the parsed
    ``behaviour.yaml``; ``system`` the parsed ``system.yaml``; ``settings`` overrides what
    ``behaviour.yaml`` lists under ``settings``.
    """

    contracts: Mapping[str, Contract]
    behaviour: JsonObject
    system: JsonObject
    streams: Streams
    books: Books
    settings: Mapping[str, Any] = field(default_factory=dict)


class Simulator(ABC):
    """Subclass this once per system, in ``mocks/<system>.py``, with ``system_name`` set."""

    system_name: ClassVar[str] = ""

    def __init__(self, setup: SimulatorSetup) -> None:
        """Keep the set-up and find the handlers by their marks."""
        self.setup = setup
        self.books = setup.books
        self.settings: dict[str, Any] = {
            **{
                name: entry.get("value") if isinstance(entry, Mapping) else entry
                for name, entry in setup.behaviour.get("settings", {}).items()
            },
            **setup.settings,
        }
        self.handlers: dict[tuple[str | None, str], Callable[[Call], Answer]] = {}
        for name in sorted(dir(type(self))):
            mark = getattr(getattr(type(self), name), "handled_operation", None)
            if mark is not None:
                self.handlers[mark] = getattr(self, name)

    def handler(self, api: str, operation_id: str | None) -> Callable[[Call], Answer] | None:
        """Return the method that answers this operation, ``None`` when it is not imitated."""
        if operation_id is None:
            return None
        return self.handlers.get((api, operation_id)) or self.handlers.get((None, operation_id))

    @abstractmethod
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return this system's error shape and status for a refusal."""

    def example(self, now_us: int) -> HttpRequest | None:
        """Return a request worth trying first, without credentials; ``None`` when there is none."""
        return None

    def answer_headers(self, call_id: str) -> Headers:
        """Return headers this system puts on every answer (a request id, for instance)."""
        return ()

    @abstractmethod
    def access(self, base_url: str) -> SystemAccess:
        """Return what a client needs to call this simulator at ``base_url``."""
