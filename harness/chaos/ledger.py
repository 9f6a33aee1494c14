"""The books of one run, read once: who ordered what, and what the ERP made of it.

Sales orders are tied to channel orders by what the books hold: an external id that carries the
channel's order id, or else the same content. So an engine that invents a new key per attempt
still shows its duplicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from harness.chaos.scenario import ChangeStep, Scenario
from harness.model.values import Json, JsonObject
from mocks.kit.books import BookEntry, BookKind, Books, CallRecord

Content = tuple[str, tuple[tuple[str, int, Decimal], ...]]


@dataclass(frozen=True, slots=True)
class ChannelOrder:
    """One order as its channel booked it; ``released_us`` is ``None`` while it is pending."""

    channel: str
    order_id: str
    placed: BookEntry
    released_us: int | None
    cancelled: bool

    @property
    def content(self) -> Content:
        """Return currency and lines in a form that compares."""
        return content_of(self.placed.data)


@dataclass(frozen=True)
class Ledger:
    """Everything a verdict may look at.

    ``listed`` maps channel and SKU to what buyers saw at the end, ``available`` maps SKU to what
    the ERP had; ``behaviours`` holds each system's published manners.
    """

    scenario: Scenario
    channels: Mapping[str, Books]
    erp: Books
    listed: Mapping[str, Mapping[str, int | None]]
    available: Mapping[str, int | None]
    behaviours: Mapping[str, JsonObject]
    ended_us: int
    replay: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def books(self) -> tuple[Books, ...]:
        """Return all books, the ERP's last."""
        return (*self.channels.values(), self.erp)

    def since_start(self, at_us: int) -> int:
        """Return an instant as an offset from the start of the world."""
        return at_us - self.scenario.start_us

    @cached_property
    def orders(self) -> tuple[ChannelOrder, ...]:
        """Return every order of every channel, oldest first per channel."""
        return tuple(order for name in self.channels for order in self._orders_of(name))

    def _orders_of(self, channel: str) -> Iterator[ChannelOrder]:
        books = self.channels[channel]
        released = {e.key: e.at_us for e in books.of(BookKind.ORDER_RELEASED)}
        cancelled = {e.key for e in books.of(BookKind.ORDER_CANCELLED)}
        for entry in books.of(BookKind.ORDER_PLACED):
            held = bool(entry.data.get("pending", False))
            yield ChannelOrder(
                channel=channel,
                order_id=entry.key,
                placed=entry,
                released_us=released.get(entry.key) if held else entry.at_us,
                cancelled=entry.key in cancelled,
            )

    @cached_property
    def created(self) -> Mapping[str, tuple[BookEntry, ...]]:
        """Return the sales orders made for each channel order id, oldest first."""
        return {key: tuple(entries) for key, entries in self._links[0].items()}

    @cached_property
    def strays(self) -> tuple[BookEntry, ...]:
        """Return sales orders that belong to no channel order."""
        return tuple(self._links[1])

    @cached_property
    def _links(self) -> tuple[dict[str, list[BookEntry]], list[BookEntry]]:
        by_id = {order.order_id: order for order in self.orders}
        links: dict[str, list[BookEntry]] = {order_id: [] for order_id in by_id}
        nameless: list[BookEntry] = []
        for entry in self.erp.of(BookKind.SALES_ORDER_CREATED):
            named = self._named(entry.key, by_id)
            if named is None:
                nameless.append(entry)
            else:
                links[named].append(entry)
        strays = [entry for entry in nameless if not self._tie_by_content(entry, links)]
        return links, strays

    @staticmethod
    def _named(key: str, by_id: Mapping[str, ChannelOrder]) -> str | None:
        if key in by_id:
            return key
        return next((order_id for order_id in by_id if order_id in key), None)

    def _tie_by_content(self, entry: BookEntry, links: dict[str, list[BookEntry]]) -> bool:
        content = content_of(entry.data)
        twins = [
            o.order_id for o in self._by_content.get(content, ()) if o.placed.at_us <= entry.at_us
        ]
        if not twins:
            return False
        links[min(twins, key=lambda order_id: len(links[order_id]))].append(entry)
        return True

    @cached_property
    def _by_content(self) -> Mapping[Content, list[ChannelOrder]]:
        found: dict[Content, list[ChannelOrder]] = {}
        for order in self.orders:
            found.setdefault(order.content, []).append(order)
        return found

    def final_state(self, created: BookEntry) -> JsonObject:
        """Return a sales order as its last update left it."""
        return self._last_update.get(str(created.data.get("id")), created.data)

    @cached_property
    def _last_update(self) -> Mapping[str, JsonObject]:
        return {
            str(entry.data.get("id")): entry.data
            for entry in self.erp.of(BookKind.SALES_ORDER_UPDATED)
        }

    def excused(self, order: ChannelOrder) -> bool:
        """Say whether a shape change may have made this very order unreadable."""
        return any(self._touched(order, change) for change in self.scenario.changes)

    def _touched(self, order: ChannelOrder, change: ChangeStep) -> bool:
        # An order placed a little earlier is often read for the first time after the change.
        margin_us = self.scenario.tolerances.neighbours_within_us
        at_us = self.since_start(order.placed.at_us)
        if order.channel != change.system or at_us < change.from_us - margin_us:
            return False
        if change.until_us is not None and at_us >= change.until_us:
            return False
        return change.touches > 0

    def due(self) -> Iterator[ChannelOrder]:
        """Yield the orders that must be in the ERP in the end, and those excused that are."""
        for order in self.orders:
            if order.released_us is None or order.cancelled:
                continue
            if self.created[order.order_id] or not self.excused(order):
                yield order

    def call(self, books: Books, request_id: str | None) -> CallRecord | None:
        """Return the call of that request id."""
        if request_id is None:
            return None
        return self._calls[books.system].get(request_id)

    @cached_property
    def _calls(self) -> Mapping[str, Mapping[str, CallRecord]]:
        return {b.system: {c.request_id: c for c in b.calls} for b in self.books}


def content_of(data: JsonObject) -> Content:
    """Return currency and lines as placed: sorted, prices as exact decimals."""
    lines = sorted(
        (str(n["sku"]), int(n["quantity"]), _decimal(n["unit_price"]))
        for n in data.get("lines", ())
    )
    return str(data.get("currency")), tuple(lines)


def _decimal(text: Any) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return Decimal("NaN")


def entry_json(entry: BookEntry) -> Json:
    """Return a book entry as evidence."""
    return {
        "at_us": entry.at_us,
        "kind": entry.kind.value,
        "key": entry.key,
        "data": dict(entry.data),
        "request_id": entry.request_id,
    }


def call_json(call: CallRecord) -> Json:
    """Return a call as evidence."""
    return {
        "at_us": call.at_us,
        "method": call.method,
        "path": call.path,
        "operation": call.operation_id,
        "status": call.status,
        "outcome": call.outcome,
        "delivered": call.delivered,
    }
