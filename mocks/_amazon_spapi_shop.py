"""The seller's corner of the marketplace: orders, packages and listings, and how they change.

Pure state. Every change happens here and is booked here, whichever API version asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.ports import Randomness
from harness.model.values import Json, JsonObject, fingerprint
from mocks.kit.books import AccountBooks, BookKind
from mocks.kit.roles import OrderDraft, OutOfStock


class OrderStatus(StrEnum):
    """Where an order stands; the values are those of orders v0."""

    PENDING = "Pending"
    UNSHIPPED = "Unshipped"
    PARTIALLY_SHIPPED = "PartiallyShipped"
    SHIPPED = "Shipped"
    CANCELED = "Canceled"


@dataclass(slots=True)
class OrderItem:
    """One line of an order."""

    item_id: str
    sku: str
    title: str
    unit_price: str
    quantity: int
    shipped: int = 0

    @property
    def asin(self) -> str:
        """Return the catalogue number: always the same for the same SKU."""
        return asin_of(self.sku)

    @property
    def open_quantity(self) -> int:
        """Return what is not shipped yet."""
        return self.quantity - self.shipped


@dataclass(frozen=True, slots=True)
class Package:
    """One confirmed package; ``items`` are (order item id, quantity)."""

    reference: str
    carrier: str
    tracking: str
    shipped_at: str
    items: tuple[tuple[str, int], ...]
    confirmed_us: int
    carrier_name: str | None = None
    service: str | None = None


@dataclass(slots=True)
class Order:
    """One order, as every API version sees it."""

    order_id: str
    draft: OrderDraft
    items: list[OrderItem]
    status: OrderStatus
    created_us: int
    updated_us: int
    packages: list[Package] = field(default_factory=list)

    def item(self, item_id: str) -> OrderItem | None:
        """Return the line of that id."""
        return next((item for item in self.items if item.item_id == item_id), None)

    def package(self, reference: str) -> Package | None:
        """Return the package of that reference."""
        return next((p for p in self.packages if p.reference == reference), None)


@dataclass(slots=True)
class Listing:
    """One SKU on offer."""

    sku: str
    product_type: str
    quantity: int
    created_us: int
    updated_us: int
    price: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A change the listings service accepted and has not applied yet."""

    due_us: int
    sku: str
    attributes: JsonObject
    request_id: str


def asin_of(sku: str) -> str:
    """Return the catalogue number of a SKU."""
    return f"B0{fingerprint('asin', sku)[:8].upper()}"


class Shop:
    """Everything this simulator remembers of one seller."""

    def __init__(self, books: AccountBooks, chance: Randomness) -> None:
        """Open an empty shop whose order numbers come from ``chance``."""
        self.books = books
        self.chance = chance
        self.orders: dict[str, Order] = {}
        self.listings: dict[str, Listing] = {}
        self._queue: list[Submission] = []

    def _digits(self, count: int) -> str:
        return "".join(str(self.chance.randrange(0, 10)) for _ in range(count))

    def _new_order_id(self) -> str:
        while True:
            order_id = f"{self._digits(3)}-{self._digits(7)}-{self._digits(7)}"
            if order_id not in self.orders:
                return order_id

    # Buyers

    def place(self, draft: OrderDraft, now_us: int) -> Order:
        """Take an order and reduce what is listed; raises ``OutOfStock`` and books nothing."""
        wanted: dict[str, int] = {}
        for line in draft.lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
        for sku, quantity in wanted.items():
            listing = self.listings.get(sku)
            if listing is None:
                raise OutOfStock(sku, quantity, None)
            if listing.quantity < quantity:
                raise OutOfStock(sku, quantity, listing.quantity)
        for sku, quantity in wanted.items():
            self.listings[sku].quantity -= quantity
        order_id = self._new_order_id()
        items = [
            OrderItem(self._digits(14), n.sku, n.title, n.unit_price, n.quantity)
            for n in draft.lines
        ]
        status = OrderStatus.PENDING if draft.pending else OrderStatus.UNSHIPPED
        order = Order(order_id, draft, items, status, now_us, now_us)
        self.orders[order_id] = order
        self.books.enter(now_us, BookKind.ORDER_PLACED, order_id, draft.to_json())
        return order

    def release(self, order_id: str, now_us: int) -> None:
        """Let a pending order through to the seller; a released one stays as it is."""
        order = self.orders[order_id]
        if order.status is OrderStatus.PENDING:
            order.status = OrderStatus.UNSHIPPED
            order.updated_us = now_us
            self.books.enter(now_us, BookKind.ORDER_RELEASED, order_id)

    def cancel(self, order_id: str, now_us: int) -> None:
        """Cancel an order nothing of which has shipped, and put its goods back on offer."""
        order = self.orders[order_id]
        if order.status not in (OrderStatus.PENDING, OrderStatus.UNSHIPPED):
            msg = f"order {order_id} is {order.status}: only an unshipped order can be cancelled"
            raise ValueError(msg)
        order.status = OrderStatus.CANCELED
        order.updated_us = now_us
        for item in order.items:
            self.listings[item.sku].quantity += item.quantity
        self.books.enter(now_us, BookKind.ORDER_CANCELLED, order_id)

    # The seller

    def ship(self, order: Order, package: Package, now_us: int, request_id: str) -> None:
        """Book a package whose quantities were checked, and move the order on."""
        for item_id, quantity in package.items:
            item = order.item(item_id)
            if item is not None:
                item.shipped += quantity
        done = all(item.open_quantity == 0 for item in order.items)
        order.status = OrderStatus.SHIPPED if done else OrderStatus.PARTIALLY_SHIPPED
        order.packages.append(package)
        order.updated_us = now_us
        self._book_package(order, package, now_us, request_id, replaces=False)

    def replace_package(self, order: Order, package: Package, now_us: int, request_id: str) -> None:
        """Take new carrier data for a package already confirmed; quantities stay."""
        at = next(i for i, p in enumerate(order.packages) if p.reference == package.reference)
        order.packages[at] = package
        order.updated_us = now_us
        self._book_package(order, package, now_us, request_id, replaces=True)

    def _book_package(
        self, order: Order, package: Package, now_us: int, request_id: str, *, replaces: bool
    ) -> None:
        data = {
            "package": package.reference,
            "carrier": package.carrier,
            "tracking": package.tracking,
            "items": [{"item_id": i, "quantity": q} for i, q in package.items],
            "replaces": replaces,
        }
        self.books.enter(
            now_us, BookKind.SHIPMENT_CONFIRMED, order.order_id, data, request_id=request_id
        )

    # Listings

    def offer(self, sku: str, quantity: int, now_us: int) -> None:
        """Put a SKU on offer, or set what is on offer."""
        listing = self.listings.get(sku)
        if listing is None:
            self.listings[sku] = Listing(sku, "PRODUCT", quantity, now_us, now_us)
        else:
            listing.quantity = quantity
            listing.updated_us = now_us

    def submit(self, submission: Submission) -> None:
        """Queue an accepted change; it takes effect when its time has come."""
        self._queue.append(submission)
        self._queue.sort(key=lambda s: s.due_us)  # stable: equal times keep their order

    def settle(self, now_us: int) -> None:
        """Apply every queued change whose time has come."""
        while self._queue and self._queue[0].due_us <= now_us:
            self._apply(self._queue.pop(0))

    def _apply(self, submission: Submission) -> None:
        listing = self.listings.get(submission.sku)
        if listing is None:
            return
        quantity = submission.attributes.get("quantity")
        if quantity is not None:
            listing.quantity = quantity
            self._book_listing(BookKind.QUANTITY_PUBLISHED, submission, {"quantity": quantity})
        price = submission.attributes.get("price")
        if price is not None:
            listing.price = price["amount"]
            listing.currency = price["currency"]
            self._book_listing(BookKind.PRICE_PUBLISHED, submission, dict(price))
        listing.updated_us = submission.due_us

    def _book_listing(self, kind: BookKind, submission: Submission, data: Json) -> None:
        self.books.enter(
            submission.due_us, kind, submission.sku, data, request_id=submission.request_id
        )

    # Lists

    def listed_orders(self, *, by_update: bool) -> Iterator[tuple[int, Order]]:
        """Yield (instant, order) in the order every list walk uses: instant, then id."""
        keyed = [
            (order.updated_us if by_update else order.created_us, order)
            for order in self.orders.values()
        ]
        keyed.sort(key=lambda pair: (pair[0], pair[1].order_id))
        return iter(keyed)
