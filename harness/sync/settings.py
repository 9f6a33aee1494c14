"""The engine's tunables, with the reason for each default beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from harness.model.values import Json


@dataclass(frozen=True, slots=True)
class Settings:
    """All intervals in seconds. The governor paces calls besides, so no poll exceeds a quota."""

    order_poll_s: float = 180.0  # a quota of 0.0056 per second is one call in three minutes
    order_overlap_s: float = 300.0  # late entries of an eventually consistent list fall in here
    order_history_s: float = 86_400.0  # how far back the very first poll looks
    stock_poll_s: float = 60.0  # freshness promised to channels
    compare_every_s: float = 900.0  # the sweep that reads channels back and repairs
    settle_s: float = 120.0  # an accepted quantity is only queued: do not judge it sooner
    timeout_s: float = 30.0
    backoff_first_s: float = 2.0
    backoff_ceiling_s: float = 120.0
    attempts_alarm: int = 8  # after so many attempts a person is told; trying goes on
    retry_budget: int = 50  # retries saved up per system; an empty budget waits at the ceiling
    read_attempts: int = 6  # of one read, before the poll is left to its next turn
    workers: int = 4  # outbox entries in flight per system
    pages_max: int = 1000
    idle_wait_s: float = 60.0  # the longest an idle dispatcher sleeps
    rejected_retry_s: float = 1800.0  # a refused record is offered again this often ...
    rejected_attempts: int = 5  # ... and so many times, unless it changes
    # What documents of the ERP need and no channel says; by capability context name.
    context: Mapping[str, Json] = field(
        default_factory=lambda: MappingProxyType({"customer": {"id": "110"}})
    )
