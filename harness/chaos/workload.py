"""The workload: buyers and the warehouse, planned in full before the world starts.

Arrivals are an open model: nobody waits for the engine. Everything is sampled from integers, so
that one seed means one night on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.chaos.scenario import PPM, Scenario
from harness.model.ports import Randomness, Streams
from mocks.kit.roles import DraftLine, OrderDraft

_SLOT_US = 100_000
_SLOTS_PER_MINUTE = 600
_BUYERS = (
    ("Ada Example", "Hamburg", "DE", "20095"),
    ("Zoë Muster", "Köln", "DE", "50667"),
    ("José Núñez", "Sevilla", "ES", "41001"),
    ("Łucja Żak", "Łódź", "PL", "90-001"),
    ("Ömer Şahin 🚲", "Berlin", "DE", "10115"),
    ("O'Brien & Sons", "Dublin", "IE", "D02 XE80"),
)


@dataclass(frozen=True, slots=True)
class OrderArrival:
    """A buyer presses the button at ``at_us`` (after the start) on one channel.

    A pending order is released ``release_after_us`` later, or never when that is ``None``.
    """

    at_us: int
    channel: str
    draft: OrderDraft
    release_after_us: int | None = None


@dataclass(frozen=True, slots=True)
class StockChange:
    """The warehouse counts ``quantity`` of a SKU at ``at_us`` (after the start)."""

    at_us: int
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that happens from outside, oldest first."""

    opening_stock: tuple[tuple[str, int], ...]
    events: tuple[OrderArrival | StockChange, ...]


def plan_workload(scenario: Scenario, streams: Streams) -> Plan:
    """Draw the whole workload; orders, their contents and stock have separate streams."""
    skus = tuple(f"SKU-{n:04d}" for n in range(1, scenario.skus + 1))
    stock = streams.stream("workload/stock")
    opening = tuple((sku, stock.randrange(60, 400)) for sku in skus)
    contents = streams.stream("workload/contents")
    orders = [
        _order(at_us, scenario, skus, contents)
        for at_us in _arrivals(scenario, streams.stream("workload/arrivals"))
    ]
    changes = list(_stock_changes(scenario, skus, stock))
    # Sorting is stable: at equal instants orders come before stock, in the order drawn.
    events: list[OrderArrival | StockChange] = [*orders, *changes]
    return Plan(opening, tuple(sorted(events, key=lambda event: event.at_us)))


def _arrivals(scenario: Scenario, chance: Randomness) -> list[int]:
    """Return when orders arrive: a coin per tenth of a second comes close enough to Poisson."""
    per_slot_ppm = round(scenario.workload.orders_per_minute * PPM / _SLOTS_PER_MINUTE)
    end_us = scenario.phases.start_us("quiesce")
    times = [
        slot_us + chance.randrange(0, _SLOT_US)
        for slot_us in range(0, end_us, _SLOT_US)
        if per_slot_ppm and chance.randrange(0, PPM) < per_slot_ppm
    ]
    for burst in scenario.workload.bursts:
        seconds = max(1, burst.for_us // 1_000_000)
        times += [
            burst.at_us + chance.randrange(0, seconds) * 1_000_000 for _ in range(burst.count)
        ]
    return sorted(t for t in times if t < end_us)


def _order(
    at_us: int, scenario: Scenario, skus: tuple[str, ...], chance: Randomness
) -> OrderArrival:
    channel = chance.choice(scenario.channels).system
    draft = _draft(scenario, skus, chance)
    # Half of what is held back never comes free: such orders must never reach the ERP.
    released = draft.pending and chance.randrange(0, 2) == 0
    after_us = chance.randrange(60, 600) * 1_000_000 if released else None
    return OrderArrival(at_us, channel, draft, after_us)


def _draft(scenario: Scenario, skus: tuple[str, ...], chance: Randomness) -> OrderDraft:
    workload = scenario.workload
    lines = tuple(
        _line(chance.choice(skus), chance)
        for _ in range(chance.randrange(1, workload.lines_max + 1))
    )
    if chance.randrange(0, 20) == 0:  # the same SKU twice, at two prices: engines merge these
        lines = (*lines, _line(lines[0].sku, chance))
    name, city, country, postal_code = chance.choice(_BUYERS)
    return OrderDraft(
        lines=lines,
        currency=scenario.currency,
        buyer_name=name,
        city=city,
        country=country,
        postal_code=postal_code,
        gift=chance.randrange(0, PPM) < workload.gift_ppm,
        pending=chance.randrange(0, PPM) < workload.pending_ppm,
    )


def _line(sku: str, chance: Randomness) -> DraftLine:
    cents = chance.randrange(99, 25_000)
    return DraftLine(
        sku=sku,
        quantity=chance.randrange(1, 4),
        unit_price=f"{cents // 100}.{cents % 100:02d}",
        title=f"Article {sku}",
    )


def _stock_changes(
    scenario: Scenario, skus: tuple[str, ...], chance: Randomness
) -> list[StockChange]:
    every_us = scenario.workload.stock_every_us
    if every_us is None:
        return []
    changes = []
    for at_us in range(every_us, scenario.phases.start_us("quiesce"), every_us):
        sku = chance.choice(skus)
        sold_out = chance.randrange(0, PPM) < scenario.workload.zero_ppm
        changes.append(StockChange(at_us, sku, 0 if sold_out else chance.randrange(1, 400)))
    return changes
