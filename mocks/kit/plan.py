"""What becomes of an answer on its way to the client."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.model.exchange import HttpResponse
from mocks.kit.quotas import Caller


class Delivery(StrEnum):
    """How the answer travels. Only ``complete`` reaches the client whole."""

    COMPLETE = "complete"
    REFUSED = "refused"  # the connection never came up
    RESET = "reset"  # the connection broke before any answer
    LOST = "lost"  # the connection was closed without an answer
    TRUNCATED = "truncated"  # ``keep_bytes`` of the body, then the connection was closed
    SILENT = "silent"  # nothing at all, until the client gives up


@dataclass(slots=True)
class OpenCall:
    """The facts of one call, gathered on its way through the edge."""

    at_us: int
    request_id: str
    method: str
    path: str
    operation: str | None = None
    account: str | None = None
    region: str | None = None
    caller: Caller | None = None
    outcome: str = "answered"
    settled: bool = False


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """An answer and how it is to be delivered; every mount carries it out in its own way.

    ``delay_us`` is still to be waited before the first byte leaves.
    """

    response: HttpResponse
    delivery: Delivery = Delivery.COMPLETE
    delay_us: int = 0
    keep_bytes: int | None = None
    call: OpenCall | None = None
