"""Proves what becomes of an order that is not simply there: pending, cancelled, on a hidden page.

Each story runs the reference engine against both simulators in virtual time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.instants import SECOND_US, to_datetime
from harness.model.ports import HttpClient, Randomness, SystemAccess
from harness.model.values import JsonObject
from harness.simulation.clock import VirtualClock
from harness.simulation.faults import FaultKind, FaultPlan, FaultRule
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from harness.sync.engine import ReferenceEngine
from harness.sync.manners import Manners
from harness.sync.store import Store
from mocks.amazon_spapi import AmazonSellingPartnerApi
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import DraftLine, OrderDraft
from mocks.netsuite import NetSuite

pytestmark = pytest.mark.slow

START_US = 1_764_000_000_000_000
SHOP, ERP = "amazon_spapi", "netsuite"
SKU = "SKU-1"


@dataclass
class Play:
    """One shop, one ERP and an engine between them."""

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

    @property
    def shop(self) -> AmazonSellingPartnerApi:
        shop = self.estate.simulators[SHOP]
        assert isinstance(shop, AmazonSellingPartnerApi)
        return shop

    def place(self, *, pending: bool = False) -> str:
        draft = OrderDraft(
            lines=(DraftLine(SKU, 1, "14.99", "Mug"),),
            currency="USD",
            buyer_name="Ada",
            city="Springfield",
            country="US",
            postal_code="00001",
            pending=pending,
        )
        return self.shop.place_order(draft, self.clock.now_us())

    async def minutes(self, count: float) -> None:
        await self.clock.sleep(60 * count)

    def created(self) -> Counter[str]:
        events = self.estate.books[ERP].of(BookKind.SALES_ORDER_CREATED)
        return Counter(e.key.rsplit(":", 1)[-1] for e in events)

    def letters(self) -> list[str]:
        store = Store(f"sqlite:///{self.storage / 'engine.db'}")
        with store.begin() as tx:
            found = [f"{row['source']} {row['reason']}" for row in tx.open_letters()]
        store.close()
        return found


def perform(
    tmp_path: Path,
    story: Callable[[Play], Awaitable[None]],
    *rules: FaultRule,
    engine: type[ReferenceEngine] = ReferenceEngine,
) -> Play:
    clock, streams = VirtualClock(START_US), SeededStreams(7)
    estate = Estate(
        (SHOP, ERP),
        catalog=Catalog(contracts_root()),
        clock=clock,
        streams=streams,
        faults=FaultPlan(rules, streams),
    )
    play = Play(estate, clock, streams, tmp_path)
    erp = estate.simulators[ERP]
    assert isinstance(erp, NetSuite)

    async def told() -> None:
        erp.set_stock(SKU, 1000, clock.now_us())
        play.shop.list_sku(SKU, 900, clock.now_us())
        running = asyncio.ensure_future(engine().run(play))  # type: ignore[arg-type]
        await story(play)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(told, clock=clock, limit_s=86_400)
    assert not estate.failures
    return play


def test_a_pending_order_waits_and_is_exported_once_when_released(tmp_path: Path) -> None:
    async def story(play: Play) -> None:
        order = play.place(pending=True)
        await play.minutes(30)
        assert play.created() == Counter()
        play.shop.release_order(order, play.clock.now_us())
        await play.minutes(30)
        assert play.created() == Counter([order])

    assert perform(tmp_path, story).letters() == []


def test_an_order_cancelled_while_pending_is_never_created(tmp_path: Path) -> None:
    async def story(play: Play) -> None:
        order = play.place(pending=True)
        kept = play.place()
        await play.minutes(10)
        play.shop.cancel_order(order, play.clock.now_us())
        await play.minutes(60)
        assert play.created() == Counter([kept])

    assert perform(tmp_path, story).letters() == []


def test_an_order_cancelled_while_the_erp_is_away_is_never_created(tmp_path: Path) -> None:
    away = FaultRule(
        kind=FaultKind.CONNECTION_REFUSED,
        system=ERP,
        until_us=START_US + 3600 * SECOND_US,
        probability=1.0,
    )

    async def story(play: Play) -> None:
        order, kept = play.place(), play.place()
        await play.minutes(20)  # long enough to be read and wanted
        play.shop.cancel_order(order, play.clock.now_us())
        await play.minutes(180)
        assert play.created() == Counter([kept])

    play = perform(tmp_path, story, away)
    store = Store(f"sqlite:///{tmp_path / 'engine.db'}")
    with store.begin() as tx:
        actions = [row["action"] for row in tx.audit_entries()]
    store.close()
    assert actions.count("order.wanted") == 2
    assert actions.count("order.withdrawn") == 1
    assert not [letter for letter in play.letters() if "cancel" in letter]


class PlainCreate(Manners):
    """Writes by plain create, which the vendor does not make repeatable."""

    order_write = "create_sales_order"


class PlainCreateEngine(ReferenceEngine):
    manners_class = PlainCreate


def test_an_unknown_outcome_is_looked_up_before_anything_is_sent_again(tmp_path: Path) -> None:
    lost = FaultRule(
        kind=FaultKind.ANSWER_LOST_AFTER_COMMIT,
        system=ERP,
        operations=("record/v1#createSalesOrder",),
        probability=0.5,
    )

    async def story(play: Play) -> None:
        for _ in range(12):
            play.place()
        await play.minutes(180)

    play = perform(tmp_path, story, lost, engine=PlainCreateEngine)
    calls = [(c.method, c.path) for c in play.estate.books[ERP].calls]
    creates = [c for c in calls if c == ("POST", "/services/rest/record/v1/salesOrder")]
    looked_up = [path for method, path in calls if method == "GET" and "eid:" in path]
    assert len(play.created()) == len(creates) == 12
    assert looked_up  # some answers were lost


RENAMED: JsonObject = {
    "drift_pack": 1,
    "changes": [
        {
            "operations": ["orders/2026-01-01#searchOrders"],
            "do": "rename",
            "at": "/pagination/nextToken",
            "to": "next",
        }
    ],
}


def test_orders_on_a_page_hidden_by_a_renamed_token_are_not_lost(tmp_path: Path) -> None:
    async def story(play: Play) -> None:
        play.estate.edges[SHOP].switch_drift_pack(RENAMED)
        placed = [play.place() for _ in range(104)]  # a page holds a hundred
        # Longer than the overlap, so that a cursor that moved would have left them behind.
        await play.minutes(60)
        assert len(play.created()) == 100
        assert any("contract_violation" in letter for letter in play.letters())
        play.estate.edges[SHOP].switch_drift_pack(None)
        await play.minutes(60)
        assert play.created() == Counter(placed)

    assert perform(tmp_path, story).letters() == []
