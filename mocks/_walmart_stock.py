"""What a seller offers: units by ship node, and prices."""

from __future__ import annotations

from dataclasses import dataclass, field

from mocks.kit.calls import RefusalKind, Refused


@dataclass(slots=True)
class NodeStock:
    """One SKU at one node: what was last said, what may still be sold, what waits to leave."""

    stated: int = 0
    sellable: int = 0
    reserved: int = 0


@dataclass(slots=True)
class Item:
    """One SKU on offer. ``prices`` holds (currency, decimal text) by type of price."""

    sku: str
    nodes: dict[str, NodeStock] = field(default_factory=dict)
    prices: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def sellable(self) -> int:
        """Return what buyers see: the units of all nodes."""
        return sum(stock.sellable for stock in self.nodes.values())

    def take(self, quantity: int) -> list[tuple[str, int]]:
        """Reserve units that are there, node by node, and return how many at which."""
        taken: list[tuple[str, int]] = []
        for node, stock in self.nodes.items():
            units = min(quantity, stock.sellable)
            if units:
                stock.sellable -= units
                stock.reserved += units
                quantity -= units
                taken.append((node, units))
        return taken

    def free(self, taken: list[tuple[str, int]], quantity: int, *, sellable: bool) -> None:
        """End the reservation of units; ``sellable`` ones may be bought again."""
        while quantity and taken:
            node, reserved = taken.pop()
            units = min(quantity, reserved)
            stock = self.nodes.setdefault(node, NodeStock())
            stock.reserved -= units
            stock.sellable += units if sellable else 0
            quantity -= units
            if reserved > units:
                taken.append((node, reserved - units))


class Assortment:
    """All SKUs of one seller and the nodes they lie at; the first node is the usual one."""

    def __init__(self, nodes: tuple[str, ...], *, unknown_sku: str) -> None:
        """Offer nothing yet; ``unknown_sku`` says what a change of an unknown SKU does."""
        self.nodes = nodes
        self._unknown_sku = unknown_sku
        self._items: dict[str, Item] = {}

    def get(self, sku: str) -> Item | None:
        """Return a SKU, ``None`` when it is not on offer."""
        return self._items.get(sku)

    def find(self, sku: str) -> Item:
        """Return a SKU; raises ``Refused`` NOT_FOUND."""
        item = self._items.get(sku)
        if item is None:
            msg = f"SKU {sku!r} is not known"
            raise Refused(RefusalKind.NOT_FOUND, msg, reason="sku.unknown")
        return item

    def to_change(self, sku: str) -> Item:
        """Return a SKU for a change; an unknown one is refused or made, as the setting says."""
        return self.add(sku) if self._unknown_sku == "accept" else self.find(sku)

    def add(self, sku: str) -> Item:
        """Return a SKU, new when it was not on offer."""
        return self._items.setdefault(sku, Item(sku))

    def check_node(self, node: str) -> str:
        """Return the name of a node; raises ``Refused`` for one the seller has not."""
        if node not in self.nodes:
            msg = f"the seller has no ship node {node!r}"
            raise Refused(RefusalKind.INVALID, msg, reason="node.unknown")
        return node

    def set_quantity(self, item: Item, node: str, quantity: int) -> bool:
        """State what a node holds; return whether the item has sold out by that."""
        before = item.sellable
        stock = item.nodes.setdefault(node, NodeStock())
        stock.stated = stock.sellable = quantity
        return before > 0 and item.sellable == 0
