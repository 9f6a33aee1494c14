"""Orders as the marketplace keeps them: lines whose units stand in several states at once.

Pure state; what goes with a change (stock, money, books, events) happens in the shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from harness.model.values import JsonObject
from mocks.kit.calls import RefusalKind, Refused
from mocks.kit.money import Money
from mocks.kit.roles import OrderDraft

CREATED, ACKNOWLEDGED, SHIPPED = "Created", "Acknowledged", "Shipped"
CANCELLED, REFUNDED = "Cancelled", "Refund"
OPEN = (CREATED, ACKNOWLEDGED)
CUSTOMER_CANCELS = "CUSTOMER_REQUESTED_SELLER_TO_CANCEL"
OUT_OF_STOCK = "SELLER_CANCEL_OUT_OF_STOCK"


@dataclass(frozen=True, slots=True)
class Tracking:
    """How units left; ``shipped_ms`` is what the seller said, in epoch milliseconds."""

    shipped_ms: int
    carrier: str | None
    other_carrier: str | None
    method: str
    number: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """So many units of a line in one state."""

    status: str
    quantity: int
    reason: str | None = None
    tracking: Tracking | None = None


@dataclass(slots=True)
class LineMoney:
    """What one line has brought in and given back. ``commission`` is what the seller paid."""

    sold: Money
    tax: Money
    commission: Money
    refunded: Money
    tax_refunded: Money
    commission_returned: Money


@dataclass(slots=True)
class Line:
    """One line. ``taken`` tells from which ship nodes its open units are reserved.

    ``charges`` keeps what answers show of its price, which never changes, by whether amounts are
    for one unit: reckoning it anew for each list would cost more than all the rest.
    """

    number: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    changed_us: int
    money: LineMoney
    portions: list[Portion] = field(default_factory=list)
    taken: list[tuple[str, int]] = field(default_factory=list)
    cancel_asked: bool = False
    charges: dict[bool, JsonObject] = field(default_factory=dict)

    def units(self, *states: str) -> int:
        """Return how many units stand in one of these states."""
        return sum(portion.quantity for portion in self.portions if portion.status in states)

    def move(self, quantity: int, sources: Sequence[str], target: Portion, now_us: int) -> None:
        """Move units to another state; ``quantity`` of them must stand in ``sources``.

        Units that leave later states first keep the earlier ones for later: an acknowledged unit
        ships before one that nobody acknowledged.
        """
        left, kept = quantity, []
        wanted = sorted(
            (p for p in self.portions if p.status in sources),
            key=lambda p: sources.index(p.status),
        )
        taken = {id(p): 0 for p in self.portions}
        for portion in wanted:
            taken[id(portion)] = min(left, portion.quantity)
            left -= taken[id(portion)]
        moved: list[Portion] = []
        for portion in self.portions:
            gone = taken[id(portion)]
            if gone:
                tracking = target.tracking or portion.tracking
                moved.append(replace(target, quantity=gone, tracking=tracking))
            if gone < portion.quantity:
                kept.append(replace(portion, quantity=portion.quantity - gone))
        self.portions = _merged((*kept, *moved))
        self.changed_us = now_us


def _merged(portions: Iterable[Portion]) -> list[Portion]:
    """Add up portions that differ in nothing but their number of units."""
    sums: dict[Portion, int] = {}
    for portion in portions:
        kind = replace(portion, quantity=0)
        sums[kind] = sums.get(kind, 0) + portion.quantity
    return [replace(kind, quantity=quantity) for kind, quantity in sums.items()]


@dataclass(slots=True)
class Order:
    """One purchase order; ``released`` is false while the seller must not see it yet."""

    id: str
    customer_order_id: str
    draft: OrderDraft
    lines: list[Line]
    created_us: int
    updated_us: int
    ship_by_us: int
    deliver_by_us: int
    released: bool = True

    def line(self, number: str) -> Line:
        """Return a line; raises ``Refused`` for one the order has not."""
        for line in self.lines:
            if line.number == number:
                return line
        msg = f"order {self.id} has no line {number!r}"
        raise Refused(RefusalKind.INVALID, msg, reason="body.wrong")

    def units(self, *states: str) -> int:
        """Return how many units of all lines stand in one of these states."""
        return sum(line.units(*states) for line in self.lines)


@dataclass(slots=True)
class ReturnLine:
    """Units a buyer sends back, and how many of them were refunded."""

    number: int
    line: Line
    quantity: int
    refunded: int = 0


@dataclass(slots=True)
class Return:
    """One return; ``status`` is INITIATED, DELIVERED or COMPLETED."""

    id: str
    order: Order
    reason: str
    lines: list[ReturnLine]
    created_us: int
    tracking: str
    status: str = "INITIATED"

    def line(self, number: int) -> ReturnLine:
        """Return a line; raises ``Refused`` for one the return has not."""
        for line in self.lines:
            if line.number == number:
                return line
        msg = f"return {self.id} has no line {number}"
        raise Refused(RefusalKind.INVALID, msg, reason="body.wrong")
