"""Proves that the engine that runs in virtual time also runs over sockets, on a fast real clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from harness.catalog import Catalog, contracts_root
from harness.cli.real_world import WireClient
from harness.model.instants import SECOND_US, to_datetime
from harness.model.ports import HttpClient, Randomness, SystemAccess
from harness.simulation.clock import SystemClock
from harness.simulation.streams import SeededStreams
from harness.sync.engine import ReferenceEngine
from harness.sync.store import Store
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.seeding import seed
from mocks.kit.wire import WireServer

pytestmark = pytest.mark.slow

SHOP, ERP = "amazon_spapi", "netsuite"
SPEED = 200  # 3 minutes between polls become 0.9 seconds
POLLS = 3
ORDERS = 8


@dataclass
class WireWorld:
    """The systems at their addresses; nothing in it knows the simulators."""

    systems: dict[str, SystemAccess]
    clients: dict[str, HttpClient]
    clock: SystemClock
    streams: SeededStreams
    storage: Path

    def now(self) -> datetime:
        return to_datetime(self.clock.now_us())

    def random(self, purpose: str) -> Randomness:
        return self.streams.stream(purpose)

    def http(self, name: str) -> HttpClient:
        return self.clients[name]


async def run(estate: Estate, clock: SystemClock, storage: Path) -> None:
    async with AsyncExitStack() as stack:
        systems: dict[str, SystemAccess] = {}
        clients: dict[str, HttpClient] = {}
        for name, edge in estate.edges.items():
            server = WireServer(edge)
            url = await server.start()
            stack.push_async_callback(server.close)
            systems[name] = estate.access(name, url)
            clients[name] = await stack.enter_async_context(WireClient(url))
        world = WireWorld(systems, clients, clock, SeededStreams(5), storage)
        engine = asyncio.ensure_future(ReferenceEngine().run(world))  # type: ignore[arg-type]
        async with asyncio.timeout(30):
            while len(list(estate.books[ERP].of(BookKind.SALES_ORDER_CREATED))) < ORDERS:
                assert not engine.done(), engine.exception()
                await clock.sleep(10)
        await clock.sleep(180 * POLLS)  # seen again and again, and not written again
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)


def test_orders_arrive_once_over_sockets(tmp_path: Path) -> None:
    clock, streams = SystemClock(speed=SPEED), SeededStreams(7)
    estate = Estate((SHOP, ERP), catalog=Catalog(contracts_root()), clock=clock, streams=streams)
    seed(estate.simulators.values(), orders=ORDERS, streams=streams, now_us=clock.now_us())
    began_us = clock.now_us()

    asyncio.run(run(estate, clock, tmp_path))

    assert not estate.failures
    account = estate.access(SHOP).account
    placed = {f"{SHOP}:{account}:{e.key}" for e in estate.books[SHOP].of(BookKind.ORDER_PLACED)}
    created = Counter(e.key for e in estate.books[ERP].of(BookKind.SALES_ORDER_CREATED))
    assert len(placed) == ORDERS
    assert created == Counter(dict.fromkeys(placed, 1))
    searches = [c for c in estate.books[SHOP].calls if c.path == "/orders/2026-01-01/orders"]
    assert len(searches) >= POLLS
    assert clock.now_us() - began_us < 30 * SPEED * SECOND_US
    store = Store(f"sqlite:///{tmp_path / 'engine.db'}")
    with store.begin() as tx:
        assert tx.open_letters() == []
    store.close()
