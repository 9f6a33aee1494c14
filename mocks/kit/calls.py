"""What passes between the kit and a simulator: a call, an answer, a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from harness.model.contract import Operation
from harness.model.exchange import Headers, HttpRequest, HttpResponse
from harness.model.values import Json


class Meter(Protocol):
    """The cost-based quota of one call, for handlers that decide what a call costs."""

    def charge(self, cost: int) -> None:
        """Take ``cost`` points; raises ``Refused`` THROTTLED and takes none when too few."""
        ...

    def refund(self, cost: int) -> None:
        """Give back what was charged and not used."""
        ...

    def standing(self) -> tuple[int, int, float]:
        """Return (maximum, currently available, restored a second) in points."""
        ...


class _Unmetered:
    """No cost-based quota covers the operation: everything is free."""

    def charge(self, cost: int) -> None:
        """Take nothing."""

    def refund(self, cost: int) -> None:
        """Give nothing back."""

    def standing(self) -> tuple[int, int, float]:
        """Return nothing at all."""
        return 0, 0, 0.0


UNMETERED: Meter = _Unmetered()


@dataclass(frozen=True, slots=True)
class Call:
    """One request after routing, authentication, metering and validation.

    ``path`` and ``query`` hold decoded values by parameter name (a repeated query parameter keeps
    its raw comma list or its first value; use ``request.query`` for all); ``body`` is the parsed
    JSON body or ``None``; ``account`` is the authenticated seller or company, ``region`` the one
    it called in, where the vendor has regions. ``meter`` takes what a call costs. ``repeat`` asks
    for the answer of an earlier request again, rebuilt from what is there now, and no effect.
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
    region: str | None = None
    meter: Meter = UNMETERED
    repeat: bool = False

    @property
    def address(self) -> str:
        """Return ``orders/v0#getOrders``, the operation's name in all metadata."""
        operation = self.operation
        return f"{self.api}/{self.version}#{operation.operation_id or operation.label}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a simulator answers. ``body`` is JSON, or ``None`` for no body at all.

    ``content`` is for bodies that are no JSON (a report, a settlement file): bytes as they
    travel, with their media type among ``headers``; ``body`` is then ignored.
    """

    status: int
    body: Json = None
    headers: Headers = ()
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class AskFirst:
    """A handler's wish: ask somebody outside before answering (a subscriber's handshake).

    The kit sends ``request`` to ``url``, waits ``timeout_s`` at most, and answers the call with
    what ``then`` makes of the reply; ``None`` means that none came.
    """

    url: str
    request: HttpRequest
    timeout_s: float
    then: Callable[[HttpResponse | None], Answer]


class RefusalKind(StrEnum):
    """Why the kit or a simulator refuses a call; each system words it in its own error shape."""

    UNKNOWN_PATH = "unknown_path"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a kind of refusal, not a secret
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    INVALID = "invalid"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_LARGE = "too_large"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
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
        reason: str = "",
        first: Answer | None = None,
    ) -> None:
        """Keep what :meth:`Simulator.error_answer` needs.

        ``explanation`` and ``pointer`` (into the contract) also go into the
        ``x-driftgate-explain`` header; ``code`` and ``status`` override the system's default.
        ``reason`` is the kit's stable word for refusals of one kind that vendors word
        differently (``idempotency.in_flight``, ``paging.expired``); ``first`` is the answer the
        original request got, where this one repeats it.
        """
        super().__init__(explanation)
        self.kind = kind
        self.explanation = explanation
        self.pointer = pointer
        self.code = code
        self.status = status
        self.headers = headers
        self.reason = reason
        self.first = first
