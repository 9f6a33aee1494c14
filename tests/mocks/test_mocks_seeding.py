"""Proves that a hand-started estate has goods and orders that a search finds at once."""

from __future__ import annotations

from harness.catalog import Catalog, contracts_root
from harness.model.instants import SECOND_US, from_text
from harness.simulation.clock import VirtualClock
from harness.simulation.streams import SeededStreams
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.seeding import seed

NOW_US = from_text("2026-11-20T10:00:00Z")


def seeded(orders: int, number: int = 7) -> Estate:
    streams = SeededStreams(number)
    estate = Estate(
        ["amazon_spapi", "netsuite"],
        catalog=Catalog(contracts_root()),
        clock=VirtualClock(NOW_US),
        streams=streams,
    )
    assert seed(estate.simulators.values(), orders=orders, streams=streams, now_us=NOW_US) == orders
    return estate


def test_every_order_is_old_enough_to_be_listed_and_comes_in_order() -> None:
    placed = list(seeded(40).books["amazon_spapi"].of(BookKind.ORDER_PLACED))
    assert len(placed) == 40
    times = [entry.at_us for entry in placed]
    assert times == sorted(times)
    assert times[-1] <= NOW_US - 300 * SECOND_US


def test_what_channels_offer_the_erp_has_in_stock() -> None:
    stocked = seeded(0).books["netsuite"].of(BookKind.STOCK_SET)
    assert "MUG-BLUE" in [entry.key for entry in stocked]


def test_the_same_seed_places_the_same_orders() -> None:
    def orders(number: int) -> list[str]:
        return [e.key for e in seeded(5, number).books["amazon_spapi"].entries]

    assert orders(3) == orders(3)
    assert orders(3) != orders(4)
