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
    """One effect. ``request_id`` names the request that caused it, ``None`` for the world.

    ``account`` is whose shop or company changed; ``None`` where a system knows no accounts.
    """

    sequence: int
    at_us: int
    kind: BookKind
    key: str
    data: JsonObject = field(default_factory=dict)
    request_id: str | None = None
    account: str | None = None


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


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One attempt to deliver one event to one subscription.

    ``outcome`` is ``delivered``, ``failed`` (an answer that does not count as success),
    ``timed_out``, ``unreachable``, or ``lost`` (never sent). ``attempt`` counts from 1; a
    duplicate starts over with another ``delivery_id`` and the same ``event_id``.
    """

    sequence: int
    at_us: int
    event_id: str
    delivery_id: str
    topic: str
    account: str
    subscription: str
    attempt: int
    status: int | None
    outcome: str


class Books:
    """Append-only; one per simulated system."""

    def __init__(self, system: str) -> None:
        """Open empty books for one system."""
        self.system = system
        self.entries: list[BookEntry] = []
        self.calls: list[CallRecord] = []
        self.deliveries: list[DeliveryRecord] = []

    def enter(
        self,
        at_us: int,
        kind: BookKind,
        key: str,
        data: JsonObject | None = None,
        *,
        request_id: str | None = None,
        account: str | None = None,
    ) -> BookEntry:
        """Append one effect and return it."""
        entry = BookEntry(len(self.entries), at_us, kind, key, data or {}, request_id, account)
        self.entries.append(entry)
        return entry

    def for_account(self, account: str) -> AccountBooks:
        """Return the same books as one account writes in them."""
        return AccountBooks(self, account)

    def record_call(self, **facts: Any) -> CallRecord:
        """Append one call; takes the fields of :class:`CallRecord` but ``sequence``."""
        call = CallRecord(sequence=len(self.calls), **facts)
        self.calls.append(call)
        return call

    def record_delivery(self, **facts: Any) -> DeliveryRecord:
        """Append one delivery; takes the fields of :class:`DeliveryRecord` but ``sequence``."""
        delivery = DeliveryRecord(sequence=len(self.deliveries), **facts)
        self.deliveries.append(delivery)
        return delivery

    def of(self, *kinds: BookKind, account: str | None = None) -> Iterator[BookEntry]:
        """Yield the entries of these kinds, oldest first; of one account when it is named."""
        wanted = frozenset(kinds)
        return (
            entry
            for entry in self.entries
            if entry.kind in wanted and (account is None or entry.account == account)
        )


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """The books of a system with one account's name already on every entry."""

    books: Books
    account: str

    def enter(
        self,
        at_us: int,
        kind: BookKind,
        key: str,
        data: JsonObject | None = None,
        *,
        request_id: str | None = None,
    ) -> BookEntry:
        """Append one effect of this account and return it."""
        return self.books.enter(at_us, kind, key, data, request_id=request_id, account=self.account)
