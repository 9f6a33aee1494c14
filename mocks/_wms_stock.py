"""What lies where: shelves, what is reserved on them, and what a whole warehouse can promise.

Pure state. A shelf remembers its last change; whoever publishes takes the changed ones away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.model.errors import UsageError
from mocks._wms_refusals import Problem, conflict, unprocessable

# Units set aside or picked for somebody, by location.
Holding = dict[str, int]


@dataclass(slots=True)
class Shelf:
    """One SKU at one location. ``picked`` units stand packed: on hand and reserved still."""

    sku: str
    location: str
    updated_us: int
    on_hand: int = 0
    reserved: int = 0
    picked: int = 0
    incoming: int = 0

    @property
    def free(self) -> int:
        """Return on hand less reserved; below zero when goods went missing under a promise."""
        return self.on_hand - self.reserved

    @property
    def available(self) -> int:
        """Return what the shelf shows as available; never below zero."""
        return max(0, self.free)


class Stock:
    """All shelves of one client's goods. The first of ``locations`` takes what names none."""

    def __init__(self, locations: tuple[str, ...]) -> None:
        """Open empty shelves; raises ``UsageError`` for a warehouse without locations."""
        if not locations:
            msg = "a warehouse needs at least one location."
            raise UsageError(msg, remedy="Name one in the setting 'locations'.")
        self.locations = locations
        self._by_sku: dict[str, dict[str, Shelf]] = {}
        self._changed: dict[tuple[str, str], Shelf] = {}

    def __iter__(self) -> Iterator[Shelf]:
        """Yield the shelves, those of a SKU together."""
        return (shelf for at in self._by_sku.values() for shelf in at.values())

    def take_changed(self) -> list[Shelf]:
        """Return the shelves changed since this was last asked, in the order of the changes."""
        changed = list(self._changed.values())
        self._changed.clear()
        return changed

    def check_sku(self, sku: str) -> None:
        """Refuse a SKU this warehouse has never heard of."""
        if sku not in self._by_sku:
            raise unprocessable(Problem.UNKNOWN_SKU, f"There is no SKU {sku!r} in this warehouse.")

    def check_location(self, location: str) -> None:
        """Refuse a location this warehouse does not have."""
        if location not in self.locations:
            known = ", ".join(self.locations)
            msg = f"There is no location {location!r}; known: {known}."
            raise unprocessable(Problem.UNKNOWN_LOCATION, msg)

    def find(self, sku: str, location: str) -> Shelf | None:
        """Return one shelf, ``None`` where the SKU has never lain."""
        return self._by_sku.get(sku, {}).get(location)

    def shelf(self, sku: str, location: str, now_us: int) -> Shelf:
        """Return a shelf that is about to change; it is made when it is not there."""
        at = self._by_sku.setdefault(sku, {})
        found = at.get(location)
        if found is None:
            found = at[location] = Shelf(sku, location, now_us)
        found.updated_us = now_us
        self._changed[sku, location] = found
        return found

    def available(self, sku: str) -> int | None:
        """Return what may be promised over all locations, ``None`` for an unknown SKU.

        Missing goods at one location lessen what another can promise: whoever was promised them
        will be served from there.
        """
        return max(0, self._free(sku)) if sku in self._by_sku else None

    def _free(self, sku: str) -> int:
        return sum(shelf.free for shelf in self._by_sku.get(sku, {}).values())

    def check_available(self, wanted: Mapping[str, int], spare: Mapping[str, int]) -> None:
        """Refuse with 409 what cannot be promised; ``spare`` comes free at the same time."""
        for sku, quantity in wanted.items():
            there = max(0, self._free(sku) + spare.get(sku, 0))
            if quantity > there:
                msg = f"{sku}: {quantity} wanted, {there} available."
                raise conflict(Problem.OUT_OF_STOCK, msg)

    # Changes; whoever calls has checked that there is enough.

    def hold(self, sku: str, quantity: int, now_us: int) -> Holding:
        """Reserve units, at the locations in their order, and say where."""
        holding: Holding = {}
        for location in self.locations:
            there = self.find(sku, location)
            part = min(quantity, there.available) if there is not None else 0
            if part:
                self.shelf(sku, location, now_us).reserved += part
                holding[location] = part
                quantity -= part
        return holding

    def let_go(
        self, sku: str, holding: Holding, quantity: int, now_us: int, *, first: str | None = None
    ) -> None:
        """Free ``quantity`` units of a holding, those at the location ``first`` before others."""
        for location in sorted(holding, key=lambda name: (name != first, name)):
            part = min(quantity, holding[location])
            if part:
                self.shelf(sku, location, now_us).reserved -= part
                take(holding, location, part)
                quantity -= part

    def set_available(self, sku: str, quantity: int, now_us: int) -> None:
        """Count goods so that ``quantity`` may be promised; raises ``UsageError`` below zero."""
        if quantity < 0:
            msg = f"{sku} cannot have {quantity} available."
            raise UsageError(msg, remedy="Give zero or more.")
        shelf = self.shelf(sku, self.locations[0], now_us)
        missing = quantity - self._free(sku)
        if missing >= 0:
            shelf.on_hand += missing
            return
        for location in self.locations:
            there = self.find(sku, location)
            part = min(-missing, there.on_hand - there.picked) if there is not None else 0
            if part:
                self.shelf(sku, location, now_us).on_hand -= part
                missing += part


def take(holding: Holding, location: str, quantity: int) -> None:
    """Lessen a holding at one location; an empty one disappears."""
    holding[location] -= quantity
    if not holding[location]:
        del holding[location]
