"""What the outside world (buyers, the warehouse, the price desk) can do to a simulator.

These are not HTTP: a workload calls them directly, as a buyer at a web shop never sees the
seller's API. One protocol per role, so that a workload drives any channel and any ERP. Each
method takes ``account``, the seller or company it happens to; ``None`` is the default one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line a buyer puts in the basket. ``unit_price`` is decimal text in the currency."""

    sku: str
    quantity: int
    unit_price: str
    title: str


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as a buyer places it. ``pending`` orders are not released to the seller yet.

    Personal data may be missing: an empty name or street, no e-mail, no telephone.
    """

    lines: tuple[DraftLine, ...]
    currency: str
    buyer_name: str
    city: str
    country: str
    postal_code: str
    gift: bool = False
    pending: bool = False
    business: bool = False
    street: str = ""
    email: str | None = None
    phone: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the books keep: no personal data."""
        return {
            "currency": self.currency,
            "gift": self.gift,
            "pending": self.pending,
            "lines": [
                {"sku": n.sku, "quantity": n.quantity, "unit_price": n.unit_price}
                for n in self.lines
            ],
        }


class OutOfStock(Exception):
    """A buyer asked for more than is listed: nothing was ordered and nothing was booked."""

    def __init__(self, sku: str, wanted: int, listed: int | None) -> None:
        """Keep the SKU, what was wanted and what is listed (``None``: not on offer at all)."""
        state = "is not on offer (list_sku offers it)" if listed is None else f"has {listed} left"
        super().__init__(f"{sku} {state}, {wanted} wanted")
        self.sku = sku
        self.wanted = wanted
        self.listed = listed


@runtime_checkable
class SalesChannel(Protocol):
    """A marketplace or storefront, seen from the buyers' side."""

    def place_order(self, draft: OrderDraft, now_us: int, *, account: str | None = None) -> str:
        """Take an order and return the channel's order id; books ``order.placed``.

        Raises :class:`OutOfStock` when fewer are listed than wanted. An oversell is still possible:
        buyers see the listed quantity, which runs behind the warehouse.
        """
        ...

    def release_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Let a pending order through to the seller; books ``order.released``."""
        ...

    def cancel_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Cancel an unshipped order; books ``order.cancelled``."""
        ...

    def list_sku(self, sku: str, quantity: int, now_us: int, *, account: str | None = None) -> None:
        """Offer a SKU for sale with a starting quantity."""
        ...

    def listed_quantity(self, sku: str, *, account: str | None = None) -> int | None:
        """Return the quantity buyers see, ``None`` when the SKU is not listed."""
        ...


@runtime_checkable
class ErpSystem(Protocol):
    """A system of record, seen from the warehouse and the back office."""

    def set_stock(
        self, sku: str, quantity: int, now_us: int, *, account: str | None = None
    ) -> None:
        """Set the available quantity of a SKU; books ``stock.set``."""
        ...

    def available(self, sku: str, *, account: str | None = None) -> int | None:
        """Return the available quantity, ``None`` for an unknown SKU."""
        ...
