"""What comes in: goods announced and counted at the dock, returns announced and inspected.

Pure state over :mod:`mocks._wms_stock`. A method refuses before it changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.errors import UsageError
from harness.model.values import JsonObject
from mocks._wms_orders import Orders, totals
from mocks._wms_refusals import Problem, conflict, known, unprocessable, whole
from mocks._wms_stock import Stock


@dataclass(slots=True)
class Receipt:
    """Goods on their way to one location; ``received`` may exceed ``expected``."""

    id: str
    reference: str
    location: str
    expected_on: str | None
    expected: dict[str, int]
    received: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Return the state that follows from what has been counted."""
        if not self.received:
            return "ANNOUNCED"
        done = all(self.received.get(sku, 0) >= units for sku, units in self.expected.items())
        return "RECEIVED" if done else "PART_RECEIVED"


@dataclass(slots=True)
class ReturnLine:
    """One SKU of a return, and what became of its units."""

    sku: str
    expected: int
    inspected: int = 0
    restocked: int = 0
    scrapped: int = 0


@dataclass(slots=True)
class GoodsReturn:
    """Goods a buyer sends back."""

    id: str
    number: int
    reference: str
    order_reference: str | None
    lines: dict[str, ReturnLine]
    updated_us: int

    @property
    def state(self) -> str:
        """Return the state that follows from what has been inspected."""
        if not any(line.inspected for line in self.lines.values()):
            return "ANNOUNCED"
        done = all(line.inspected == line.expected for line in self.lines.values())
        return "INSPECTED" if done else "ARRIVED"


class Inbound:
    """Receipts and returns of one client."""

    def __init__(self, stock: Stock, orders: Orders, settings: Mapping[str, Any]) -> None:
        """Put into ``stock`` what arrives; ``orders`` say what a buyer can send back.

        Raises ``UsageError`` for a ``return_location`` the warehouse does not have.
        """
        self.receipts: dict[str, Receipt] = {}
        self.returns: dict[str, GoodsReturn] = {}
        self._stock = stock
        self._orders = orders
        self._return_location = str(settings.get("return_location") or stock.locations[0])
        if self._return_location not in stock.locations:
            msg = f"return_location is {self._return_location!r}."
            raise UsageError(msg, remedy=f"Name one of: {', '.join(stock.locations)}.")

    def announce(self, receipt_id: str, location: str, body: JsonObject, now_us: int) -> Receipt:
        """Expect goods; a SKU nobody has seen before becomes known by this."""
        self._stock.check_location(location)
        expected = totals(body["lines"])
        for sku, units in expected.items():
            self._stock.shelf(sku, location, now_us).incoming += units
        made = Receipt(
            receipt_id, body["reference_id"], location, body.get("expected_on"), expected
        )
        self.receipts[made.id] = made
        return made

    def receipt(self, receipt_id: str) -> Receipt:
        """Return one receipt; refuses with 404."""
        return known(self.receipts, receipt_id, "receipt")

    def receive(self, receipt: Receipt, entries: list[Any], now_us: int) -> dict[str, int]:
        """Count what arrived, also in parts and also too much; return units by SKU."""
        arrived = totals(entries)
        for sku in arrived:
            if sku not in receipt.expected:
                raise unprocessable(Problem.UNKNOWN_LINE, f"{receipt.id} announces no {sku!r}.")
        for sku, units in arrived.items():
            before = receipt.received.get(sku, 0)
            shelf = self._stock.shelf(sku, receipt.location, now_us)
            shelf.on_hand += units
            shelf.incoming -= min(units, max(0, receipt.expected[sku] - before))
            receipt.received[sku] = before + units
        return arrived

    def announce_return(
        self, return_id: str, number: int, body: JsonObject, now_us: int
    ) -> GoodsReturn:
        """Expect goods back; where an order is named, no more than it sent out."""
        expected = totals(body["lines"])
        for sku in expected:
            self._stock.check_sku(sku)
        reference = body.get("order_reference_id")
        if reference is not None:
            self._check_shipped(reference, expected)
        lines = {sku: ReturnLine(sku, units) for sku, units in expected.items()}
        made = GoodsReturn(return_id, number, body["reference_id"], reference, lines, now_us)
        self.returns[made.id] = made
        return made

    def _check_shipped(self, reference: str, expected: Mapping[str, int]) -> None:
        order = self._orders.by_reference.get(reference)
        if order is None:
            raise unprocessable(
                Problem.UNKNOWN_ORDER, f"There is no order of reference {reference!r}."
            )
        for sku, units in expected.items():
            left = sum(line.shipped for line in order.lines if line.sku == sku)
            for other in self.returns.values():
                if other.order_reference == reference and sku in other.lines:
                    left -= other.lines[sku].expected
            if units > left:
                msg = f"{sku}: {units} to come back, {left} sent and not announced yet."
                raise conflict(Problem.NOT_SHIPPED, msg)

    def find_return(self, return_id: str) -> GoodsReturn:
        """Return one return; refuses with 404."""
        return known(self.returns, return_id, "return")

    def inspect(self, found: GoodsReturn, entries: list[Any], now_us: int) -> dict[str, int]:
        """Judge goods and put them on the shelf or away; return the restocked units by SKU.

        A line may be named several times, once for each condition.
        """
        for sku, units in totals(entries).items():
            line = found.lines.get(sku)
            if line is None:
                raise unprocessable(Problem.UNKNOWN_LINE, f"{found.id} announces no {sku!r}.")
            if units > line.expected - line.inspected:
                msg = f"{sku}: {units} inspected, {line.expected - line.inspected} expected."
                raise conflict(Problem.MORE_THAN_ANNOUNCED, msg)
        for entry in entries:
            if (entry["condition"], entry["disposition"]) == ("WRONG_ITEM", "RESTOCK"):
                # The shelf of this SKU would then hold something else.
                msg = f"A wrong item cannot be restocked as {entry['sku']}."
                raise unprocessable(Problem.WRONG_DISPOSITION, msg)
        restocked: dict[str, int] = {}
        for entry in entries:
            line, units = found.lines[entry["sku"]], whole(entry["quantity"], "quantity")
            line.inspected += units
            if entry["disposition"] == "RESTOCK":
                line.restocked += units
                restocked[line.sku] = restocked.get(line.sku, 0) + units
                self._stock.shelf(line.sku, self._return_location, now_us).on_hand += units
            elif entry["disposition"] == "SCRAP":
                line.scrapped += units
        found.updated_us = now_us
        return restocked
