"""The books: what a simulated system was told and what it did, when, in which order.

Verdicts on an engine come from here and nowhere else. Entries use one vocabulary for all systems,
so that an invariant needs no channel-specific code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.model.values import JsonObject


class BookKind(StrEnum):
    """What an entry records. ``key`` is the natural key named beside each kind."""

    # What the outside world did (key: channel order id, or sku).
    ORDER_PLACED = "order.placed"  # data: the OrderDraft as JSON
    ORDER_RELEASED = "order.released"  # a pending order may be worked on from now on
    ORDER_CANCELLED = "order.cancelled"
    STOCK_SET = "stock.set"  # data: {"quantity": n}
    # What a client made happen.
    SALES_ORDER_CREATED = "sales_order.created"  # key: external id; data: id, lines, currency
    SALES_ORDER_UPDATED = "sales_order.updated"
    FULFILMENT_CREATED = "fulfilment.created"  # key: sales order external id
    SHIPMENT_CONFIRMED = "shipment.confirmed"  # key: channel order id
    QUANTITY_PUBLISHED = "quantity.published"  # key: sku; data: {"quantity": n}
    PRICE_PUBLISHED = "price.published"  # key: sku
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - a kind of entry, not a secret


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One effect. ``request_id`` names the request that caused it, ``None`` for the world."""

    sequence: int
    at_us: int
    kind: BookKind
    key: str
    data: JsonObject = field(default_factory=dict)
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request as this system saw it.

    ``outcome`` is ``answered``, ``throttled``, ``unauthenticated``, ``invalid``, ``unknown``,
    ``failed``, ``unavailable`` or, when a fault cut in, the fault's kind. ``delivered`` is false
    when the client never got the complete answer. ``operation_id`` is the operation's address
    (``orders/v0#getOrders``, ``token`` for the token endpoint), as ids repeat between versions.
    ``at_us`` is when the request arrived; calls are booked in the order in which they end.
    """

    sequence: int
    at_us: int
    request_id: str
    method: str
    path: str
    operation_id: str | None
    account: str | None
    status: int | None
    outcome: str
    delivered: bool


class Books:
    """Append-only; one per simulated system."""

    def __init__(self, system: str) -> None:
        """Open empty books for one system."""
        self.system = system
        self.entries: list[BookEntry] = []
        self.calls: list[CallRecord] = []

    def enter(
        self,
        at_us: int,
        kind: BookKind,
        key: str,
        data: JsonObject | None = None,
        *,
        request_id: str | None = None,
    ) -> BookEntry:
        """Append one effect and return it."""
        entry = BookEntry(len(self.entries), at_us, kind, key, data or {}, request_id)
        self.entries.append(entry)
        return entry

    def record_call(self, **facts: Any) -> CallRecord:
        """Append one call; takes the fields of :class:`CallRecord` but ``sequence``."""
        call = CallRecord(sequence=len(self.calls), **facts)
        self.calls.append(call)
        return call

    def of(self, *kinds: BookKind) -> Iterator[BookEntry]:
        """Yield the entries of these kinds, oldest first."""
        wanted = frozenset(kinds)
        return (entry for entry in self.entries if entry.kind in wanted)
