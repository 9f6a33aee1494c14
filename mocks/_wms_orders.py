"""Reservations, orders and parcels: promises made on stock, and how they are kept in parts.

Pure state over :mod:`mocks._wms_stock`. A method refuses before it changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.errors import UsageError
from harness.model.values import JsonObject
from mocks._wms_refusals import Problem, conflict, known, unprocessable, whole
from mocks._wms_stock import Holding, Stock, take
from mocks.kit.calls import Refused

HELD, USED, RELEASED, EXPIRED = "HELD", "USED", "RELEASED", "EXPIRED"
ON_HOLD = "ON_HOLD"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "short_order": ("refuse", "hold"),
    "short_pick": ("keep_open", "cancel"),
}


@dataclass(slots=True)
class Reservation:
    """Goods set aside for a time."""

    id: str
    reference: str
    expires_us: int
    wanted: dict[str, int]
    held: dict[str, Holding]
    state: str = HELD


@dataclass(slots=True)
class OrderLine:
    """One line. ``held`` is reserved and still on the shelf, ``packed`` picked and not sent."""

    line_id: str
    reference: str
    sku: str
    quantity: int
    picked: int = 0
    shipped: int = 0
    cancelled: int = 0
    held: Holding = field(default_factory=dict)
    packed: Holding = field(default_factory=dict)

    @property
    def open(self) -> int:
        """Return what is neither picked nor cancelled."""
        return self.quantity - self.picked - self.cancelled


@dataclass(slots=True)
class Order:
    """One order to send; ``number`` tells orders of one instant apart in a list."""

    id: str
    number: int
    reference: str
    ship_by: str | None
    lines: list[OrderLine]
    updated_us: int
    on_hold: bool = False

    @property
    def state(self) -> str:
        """Return the state that follows from the lines."""
        ordered = picked = shipped = cancelled = 0
        for line in self.lines:
            ordered += line.quantity
            picked += line.picked
            shipped += line.shipped
            cancelled += line.cancelled
        if cancelled == ordered:
            return "CANCELLED"
        if shipped:
            return "SHIPPED" if shipped + cancelled == ordered else "PART_SHIPPED"
        if picked:
            return "PICKING"
        return ON_HOLD if self.on_hold else "ACCEPTED"


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel. ``location`` is empty when its units come from several."""

    id: str
    number: int
    order: Order
    facts: JsonObject
    location: str
    shipped_us: int
    lines: tuple[tuple[OrderLine, int], ...]


class Orders:
    """All promises of one client: reservations, orders, and the parcels that kept them."""

    def __init__(self, stock: Stock, settings: Mapping[str, Any]) -> None:
        """Promise from ``stock``; ``settings`` are what nobody prescribes.

        Raises ``UsageError`` for a setting with an unknown word.
        """
        for name, words in _CHOICES.items():
            if settings.get(name, words[0]) not in words:
                msg = f"the setting {name} is {settings[name]!r}."
                raise UsageError(msg, remedy=f"Use one of: {', '.join(words)}.")
        self.stock = stock
        self.orders: dict[str, Order] = {}
        self.by_reference: dict[str, Order] = {}
        self.reservations: dict[str, Reservation] = {}
        self.shipments: dict[str, Shipment] = {}
        self._settings = settings
        self._running: dict[str, Reservation] = {}
        self._waiting: dict[str, Order] = {}
        self._changed: dict[str, Order] = {}

    def _touch(self, order: Order, now_us: int) -> None:
        order.updated_us = now_us
        self._changed[order.id] = order

    def take_changed(self) -> list[Order]:
        """Return the orders changed since this was last asked, in the order of the changes."""
        changed = list(self._changed.values())
        self._changed.clear()
        return changed

    # Reservations

    def reserve(
        self, reservation_id: str, body: JsonObject, expires_us: int, now_us: int
    ) -> Reservation:
        """Set all of it aside, or nothing: refuses with 409 what is short."""
        wanted = totals(body["lines"])
        for sku in wanted:
            self.stock.check_sku(sku)
        self.stock.check_available(wanted, {})
        held = {sku: self.stock.hold(sku, quantity, now_us) for sku, quantity in wanted.items()}
        made = Reservation(reservation_id, body["reference_id"], expires_us, wanted, held)
        self.reservations[made.id] = self._running[made.id] = made
        return made

    def reservation(self, reservation_id: str) -> Reservation:
        """Return one reservation; refuses with 404."""
        return known(self.reservations, reservation_id, "reservation")

    def release(self, reservation: Reservation, now_us: int) -> None:
        """Give the goods back; again changes nothing, and what an order used is refused."""
        if reservation.state == USED:
            msg = f"{reservation.id} has become an order; cancel that."
            raise conflict(Problem.RESERVATION_USED, msg)
        if reservation.state == HELD:
            self._end(reservation, RELEASED, now_us)

    def _end(self, reservation: Reservation, state: str, now_us: int) -> None:
        for sku, holding in reservation.held.items():
            self.stock.let_go(sku, holding, sum(holding.values()), now_us)
        reservation.state = state
        self._running.pop(reservation.id, None)

    def settle(self, now_us: int) -> list[Order]:
        """Let what is over expire, and return the waiting orders that can go ahead now."""
        for reservation in list(self._running.values()):
            if reservation.expires_us <= now_us:
                self._end(reservation, EXPIRED, reservation.expires_us)
        ready = []
        for order in list(self._waiting.values()):
            wanted = _open_units(order)
            if all((self.stock.available(sku) or 0) >= units for sku, units in wanted.items()):
                self._hold(order, now_us)
                self._touch(order, now_us)
                ready.append(order)
        return ready

    # Orders

    def create(self, order_id: str, number: int, body: JsonObject, now_us: int) -> Order:
        """Take an order and reserve its goods, those of its reservation first.

        What is short is refused with 409, or waits where the setting ``short_order`` says so.
        """
        lines = [
            OrderLine(str(at), entry["line_reference"], entry["sku"], _units(entry))
            for at, entry in enumerate(body["lines"], start=1)
        ]
        if len({line.reference for line in lines}) < len(lines):
            raise unprocessable(Problem.DUPLICATE_LINE, "Two lines have the same line_reference.")
        wanted = totals(body["lines"])
        for sku in wanted:
            self.stock.check_sku(sku)
        used = self._usable(body.get("reservation_id"))
        order = Order(order_id, number, body["reference_id"], body.get("ship_by"), lines, now_us)
        try:
            self.stock.check_available(wanted, used.wanted if used is not None else {})
        except Refused:
            if self._settings.get("short_order", "refuse") != "hold":
                raise
            order.on_hold = True
        if used is not None:
            self._end(used, USED, now_us)
        if order.on_hold:
            self._waiting[order.id] = order
        else:
            self._hold(order, now_us)
        self.orders[order.id] = self.by_reference[order.reference] = order
        self._touch(order, now_us)
        return order

    def _usable(self, reservation_id: str | None) -> Reservation | None:
        if reservation_id is None:
            return None
        found = self.reservations.get(reservation_id)
        if found is None:
            msg = f"There is no reservation {reservation_id!r}."
            raise unprocessable(Problem.UNKNOWN_RESERVATION, msg)
        if found.state != HELD:
            msg = f"{found.id} is {found.state} and holds nothing."
            raise conflict(Problem.RESERVATION_NOT_HELD, msg)
        return found

    def _hold(self, order: Order, now_us: int) -> None:
        for line in order.lines:
            line.held = self.stock.hold(line.sku, line.open, now_us)
        order.on_hold = False
        self._waiting.pop(order.id, None)

    def order(self, order_id: str) -> Order:
        """Return one order; refuses with 404."""
        return known(self.orders, order_id, "order")

    def cancel(self, order: Order, now_us: int) -> None:
        """Cancel what has not been picked; refuses with 409 when that is nothing."""
        open_lines = [line for line in order.lines if line.open]
        if not open_lines:
            msg = f"{order.id} is {order.state}: nothing is left to cancel."
            raise conflict(Problem.NOTHING_TO_CANCEL, msg)
        for line in open_lines:
            self._cancel_rest(line, now_us)
        order.on_hold = False
        self._waiting.pop(order.id, None)
        self._touch(order, now_us)

    def _cancel_rest(self, line: OrderLine, now_us: int) -> None:
        self.stock.let_go(line.sku, line.held, sum(line.held.values()), now_us)
        line.cancelled += line.open

    # Picking and shipping

    def pick(self, order: Order, location: str, entries: list[Any], now_us: int) -> bool:
        """Take units from a location, wherever they were reserved; say whether any fell short.

        A line is short when its pick gives a reason or finds nothing at all; less without a
        reason is one wave of several.
        """
        self.stock.check_location(location)
        if order.on_hold:
            raise conflict(Problem.ORDER_ON_HOLD, f"{order.id} waits for stock.")
        plan = _planned(order, entries)
        for line, units, entry in plan:
            if units > line.open:
                msg = f"Line {line.line_id}: {units} to pick, {line.open} open."
                raise conflict(Problem.MORE_THAN_ORDERED, msg)
            if units == line.open and "short_reason" in entry:
                msg = f"Line {line.line_id} is not short of anything."
                raise unprocessable(Problem.NOT_SHORT, msg)
        for sku, units in _summed((line.sku, units) for line, units, _ in plan).items():
            shelf = self.stock.find(sku, location)
            there = shelf.on_hand - shelf.picked if shelf is not None else 0
            if units > there:
                raise conflict(
                    Problem.OUT_OF_STOCK, f"{sku}: {units} to pick, {there} at {location}."
                )
        short = False
        for line, units, entry in plan:
            self._pick_line(line, units, location, now_us)
            if "short_reason" in entry or not units:
                short = True
                if self._settings.get("short_pick", "keep_open") == "cancel":
                    self._cancel_rest(line, now_us)
        self._touch(order, now_us)
        return short

    def _pick_line(self, line: OrderLine, units: int, location: str, now_us: int) -> None:
        if not units:
            return
        self.stock.let_go(line.sku, line.held, units, now_us, first=location)
        shelf = self.stock.shelf(line.sku, location, now_us)
        shelf.reserved += units
        shelf.picked += units
        line.packed[location] = line.packed.get(location, 0) + units
        line.picked += units

    def ship(
        self, shipment_id: str, number: int, order: Order, body: JsonObject, now_us: int
    ) -> Shipment:
        """Send a parcel of picked units; refuses with 409 what has not been picked."""
        plan = _planned(order, body["lines"])
        for line, units, _ in plan:
            if units > line.picked - line.shipped:
                msg = f"Line {line.line_id}: {units} to send, {line.picked - line.shipped} picked."
                raise conflict(Problem.NOT_PICKED, msg)
        places: dict[str, None] = {}
        for line, units, _ in plan:
            line.shipped += units
            places.update(dict.fromkeys(self._send(line, units, now_us)))
        self._touch(order, now_us)
        names = ("reference_id", "carrier", "service", "tracking_number", "weight")
        made = Shipment(
            shipment_id,
            number,
            order,
            {name: body[name] for name in names if name in body},
            next(iter(places)) if len(places) == 1 else "",
            now_us,
            tuple((line, units) for line, units, _ in plan),
        )
        self.shipments[made.id] = made
        return made

    def _send(self, line: OrderLine, units: int, now_us: int) -> list[str]:
        used = []
        for location in sorted(line.packed):
            part = min(units, line.packed[location])
            if part:
                shelf = self.stock.shelf(line.sku, location, now_us)
                shelf.on_hand -= part
                shelf.reserved -= part
                shelf.picked -= part
                take(line.packed, location, part)
                units -= part
                used.append(location)
        return used


def totals(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return units by SKU; a SKU that is named twice counts twice."""
    return _summed((entry["sku"], _units(entry)) for entry in entries)


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    summed: dict[str, int] = {}
    for sku, units in pairs:
        summed[sku] = summed.get(sku, 0) + units
    return summed


def _units(entry: Mapping[str, Any]) -> int:
    return whole(entry["quantity"], "quantity")


def _open_units(order: Order) -> dict[str, int]:
    return _summed((line.sku, line.open) for line in order.lines)


def _planned(order: Order, entries: list[Any]) -> list[tuple[OrderLine, int, Mapping[str, Any]]]:
    """Return line, units and entry of each; refuses unknown lines and one named twice."""
    by_id = {line.line_id: line for line in order.lines}
    seen: dict[str, None] = {}
    plan = []
    for entry in entries:
        line_id = entry["line_id"]
        if line_id not in by_id:
            raise unprocessable(Problem.UNKNOWN_LINE, f"{order.id} has no line {line_id!r}.")
        if line_id in seen:
            raise unprocessable(Problem.DUPLICATE_LINE, f"Line {line_id} is named twice.")
        seen[line_id] = None
        plan.append((by_id[line_id], _units(entry), entry))
    return plan
