"""Proves the engine's promise end to end: each order once in the ERP, channel stock equal to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.instants import to_datetime
from harness.model.ports import HttpClient, Randomness, SystemAccess, World
from harness.model.values import JsonObject
from harness.simulation.clock import VirtualClock
from harness.simulation.faults import FaultKind, FaultPlan, FaultRule
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from harness.sync.engine import ReferenceEngine
from harness.sync.manners import AfterUnknown, Manners
from harness.sync.store import Store
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import DraftLine, OrderDraft

START_US = 1_764_000_000_000_000
pytestmark = pytest.mark.slow
SKUS = tuple(f"SKU-{n}" for n in range(5))


@dataclass
class SmallWorld:
    estate: Estate
    clock: VirtualClock
    streams: SeededStreams
    storage: Path

    @property
    def systems(self) -> dict[str, SystemAccess]:
        return {name: self.estate.access(name) for name in self.estate.simulators}

    def now(self) -> datetime:
        return to_datetime(self.clock.now_us())

    def random(self, purpose: str) -> Randomness:
        return self.streams.stream(purpose)

    def http(self, name: str) -> HttpClient:
        return self.estate.client(name)


def draft(number: int) -> OrderDraft:
    return OrderDraft(
        lines=(DraftLine(SKUS[number % 5], 1 + number % 2, "14.99", "Mug"),),
        currency="USD",
        buyer_name="Ada",
        city="Springfield",
        country="US",
        postal_code="00001",
    )


def play(
    tmp_path: Path,
    rules: tuple[FaultRule, ...] = (),
    orders: int = 30,
    engine: type = ReferenceEngine,
    pack: JsonObject | None = None,
) -> Estate:
    clock, streams = VirtualClock(START_US), SeededStreams(7)
    estate = Estate(
        ("amazon_spapi", "netsuite"),
        catalog=Catalog(contracts_root()),
        clock=clock,
        streams=streams,
        faults=FaultPlan(rules, streams),
    )
    shop, erp = estate.simulators["amazon_spapi"], estate.simulators["netsuite"]
    world = SmallWorld(estate, clock, streams, tmp_path)

    async def story() -> None:
        for sku in SKUS:
            erp.set_stock(sku, 100, clock.now_us())
            shop.list_sku(sku, 90, clock.now_us())
        running = asyncio.ensure_future(engine().run(world))
        for number in range(orders):
            if pack and number in (orders // 3, 2 * orders // 3):
                switched = pack if number == orders // 3 else None
                estate.edges["amazon_spapi"].switch_drift_pack(switched)
            shop.place_order(draft(number), clock.now_us())
            await clock.sleep(60)
        erp.set_stock(SKUS[0], 0, clock.now_us())
        await clock.sleep(3 * 3600)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled():
            running.result()

    run_virtual(story, clock=clock, limit_s=86_400)
    assert not estate.failures
    return estate


def created(estate: Estate) -> Counter[str]:
    return Counter(e.key for e in estate.books["netsuite"].of(BookKind.SALES_ORDER_CREATED))


def check(estate: Estate, orders: int = 30) -> None:
    account = estate.access("amazon_spapi").account
    placed = {e.key for e in estate.books["amazon_spapi"].of(BookKind.ORDER_PLACED)}
    assert len(placed) == orders
    assert created(estate) == Counter({f"amazon_spapi:{account}:{key}": 1 for key in placed})
    for sku in SKUS:
        shown = estate.simulators["amazon_spapi"].listed_quantity(sku)
        assert shown == estate.simulators["netsuite"].available(sku), sku


def test_every_order_reaches_the_erp_once_and_stock_agrees(tmp_path: Path) -> None:
    estate = play(tmp_path)
    check(estate)
    assert estate.simulators["amazon_spapi"].listed_quantity(SKUS[0]) == 0
    store = Store(f"sqlite:///{tmp_path / 'engine.db'}")
    with store.begin() as tx:
        assert tx.open_letters() == []
        assert tx.audit_broken_at() is None
    store.close()


def test_answers_lost_after_commit_make_no_second_document(tmp_path: Path) -> None:
    rule = FaultRule(
        kind=FaultKind.ANSWER_LOST_AFTER_COMMIT, system="netsuite", probability=0.3, max_count=40
    )
    check(play(tmp_path, (rule,)))


class Careless(Manners):
    """Writes by plain create and invents a key per attempt."""

    order_write = "create_sales_order"

    def idempotency_key(self, *, kind: str, target: str, natural_key: str, attempt: int) -> str:
        return f"{natural_key}#{attempt}"

    def after_unknown(self, *, repeatable: bool) -> AfterUnknown:
        return AfterUnknown.SEND_AGAIN


class CarelessEngine(ReferenceEngine):
    manners_class = Careless


def test_the_checks_above_can_fail_a_careless_engine_doubles_orders(tmp_path: Path) -> None:
    rule = FaultRule(
        kind=FaultKind.ANSWER_LOST_AFTER_COMMIT,
        system="netsuite",
        operations=("record/v1#createSalesOrder",),
        probability=0.5,
    )
    estate = play(tmp_path, (rule,), engine=CarelessEngine)
    assert sum(created(estate).values()) > 30


def test_a_shape_change_quarantines_and_heals(tmp_path: Path) -> None:
    pack = {
        "drift_pack": 1,
        "changes": [
            {
                "operations": ["orders/2026-01-01#searchOrders"],
                "do": "rename",
                "at": "/orders/*/orderItems/*/quantityOrdered",
                "to": "quantity",
            }
        ],
    }
    check(play(tmp_path, pack=pack))
    store = Store(f"sqlite:///{tmp_path / 'engine.db'}")
    with store.begin() as tx:
        assert tx.open_letters() == []
        assert any(row["action"] == "order.contract_violation" for row in tx.audit_entries())
    store.close()


def test_a_throttle_squeeze_delays_orders_and_loses_none(tmp_path: Path) -> None:
    rule = FaultRule(
        kind=FaultKind.THROTTLE_SQUEEZE,
        system="amazon_spapi",
        probability=0.5,
        until_us=START_US + 3_600_000_000,
    )
    check(play(tmp_path, (rule,)))


def test_an_engine_started_again_on_the_same_storage_adds_nothing(tmp_path: Path) -> None:
    class Restarted(ReferenceEngine):
        async def run(self, world: World) -> None:
            for _ in range(20):
                life = asyncio.ensure_future(ReferenceEngine().run(world))
                await world.clock.sleep(97.3)
                life.cancel()
                await asyncio.gather(life, return_exceptions=True)
            await ReferenceEngine().run(world)

    check(play(tmp_path, engine=Restarted))
