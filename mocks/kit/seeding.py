"""Fills simulated systems with something to look at: goods on the shelf, orders of the last hour.

For people who try a simulator by hand. A chaos scenario has its own workload.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.model.instants import SECOND_US
from harness.model.ports import Streams
from mocks.kit.roles import DraftLine, ErpSystem, OrderDraft, SalesChannel
from mocks.kit.simulator import Simulator

# SKU, title, price.
_GOODS = (
    ("MUG-BLUE", "Enamel mug, blue", "14.99"),
    ("KETTLE-15", "Kettle, 1.5 l", "34.50"),
    ("TOWEL-3", "Tea towels, set of 3", "12.00"),
    ("BOARD-OAK", "Cutting board, oak", "27.95"),
    ("LAMP-DESK", "Desk lamp", "49.00"),
)
_BUYERS = (
    ("Ada Sample", "Springfield", "US", "12345"),
    ("Ben Example", "Riverton", "US", "54321"),
    ("Cleo Specimen", "Lakeside", "US", "24680"),
)
_STOCK = 1000
_WINDOW_US = 3600 * SECOND_US
# Newer orders would not show up in a search yet.
_NEWEST_US = 300 * SECOND_US


def seed(simulators: Iterable[Simulator], *, orders: int, streams: Streams, now_us: int) -> int:
    """Stock every ERP and every channel, place ``orders`` on each channel; return how many."""
    placed = 0
    for simulator in simulators:
        begin_us = now_us - _WINDOW_US
        if isinstance(simulator, ErpSystem):
            for sku, _, _ in _GOODS:
                simulator.set_stock(sku, _STOCK, begin_us)
        if isinstance(simulator, SalesChannel):
            for sku, _, _ in _GOODS:
                simulator.list_sku(sku, max(_STOCK, 6 * orders), begin_us)
            placed += _place(simulator, simulator.system_name, orders, streams, begin_us)
    return placed


def _place(channel: SalesChannel, name: str, orders: int, streams: Streams, begin_us: int) -> int:
    chance = streams.stream(f"seeding/{name}")
    step_us = (_WINDOW_US - _NEWEST_US) // max(1, orders)
    for number in range(orders):
        goods = list(_GOODS)
        chance.shuffle(goods)
        lines = tuple(
            DraftLine(sku, chance.randrange(1, 4), price, title)
            for sku, title, price in goods[: chance.randrange(1, 3)]
        )
        buyer, city, country, postal_code = chance.choice(_BUYERS)
        draft = OrderDraft(lines, "USD", buyer, city, country, postal_code)
        channel.place_order(draft, begin_us + number * step_us)
    return orders
