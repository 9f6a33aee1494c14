"""The reference engine: wires adapters, store and workflows to one world."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import jsonschema_rs

from harness.catalog import Catalog, contracts_root
from harness.model.errors import UsageError
from harness.model.ports import World
from harness.sync.adapter import Adapter
from harness.sync.calls import Backoff, Caller
from harness.sync.dispatch import Delivery, Dispatcher, Wakeup
from harness.sync.governor import Governor
from harness.sync.manners import Manners
from harness.sync.orders import KIND as ORDER
from harness.sync.orders import OrderCapture, OrderDelivery
from harness.sync.settings import Settings
from harness.sync.stock import KIND as STOCK
from harness.sync.stock import StockDelivery, StockRepair, StockWatch
from harness.sync.store import Store
from harness.sync.tokens import Signer, Tokens, placeholder_signer


class ReferenceEngine:
    """Brings orders from every channel into the ERP once, and the ERP's stock to every channel.

    Start it again on the same storage after a crash: everything it promised is in its store.
    """

    manners_class: ClassVar[type[Manners]] = Manners

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        catalog: Catalog | None = None,
        store_url: str | None = None,
        signer: Signer = placeholder_signer,
    ) -> None:
        """Keep the choices; ``store_url`` replaces the SQLite file in the world's storage."""
        self.settings = settings or Settings()
        self.manners = self.manners_class()
        self._catalog = catalog
        self._store_url = store_url
        self._signer = signer

    async def run(self, world: World) -> None:
        """Run until cancelled; raises ``UsageError`` for a world without one ERP."""
        store = Store(self._store_url or f"sqlite:///{world.storage / 'engine.db'}")
        try:
            await _Plant(self, world, store, self._open_catalog(), self._signer).run()
        finally:
            store.close()

    def _open_catalog(self) -> Catalog:
        return self._catalog or Catalog(contracts_root())


class _Plant:
    """One run: the parts by system, and the tasks over them."""

    def __init__(
        self,
        engine: ReferenceEngine,
        world: World,
        store: Store,
        catalog: Catalog,
        signer: Signer,
    ) -> None:
        self.world = world
        self.store = store
        self.settings = engine.settings
        self.manners = engine.manners
        names = sorted(world.systems)
        self.adapters = {name: Adapter(world.systems[name], catalog) for name in names}
        self.callers = {name: self._caller(a, signer) for name, a in self.adapters.items()}
        self.wakeups = {name: Wakeup(world.clock) for name in names}
        self.erp = self.adapters[self._only_erp()]
        self.channels = [
            a for name, a in self.adapters.items() if world.systems[name].role == "channel"
        ]
        self._schemas = {
            name: jsonschema_rs.validator_for(dict(catalog.canonical_schema(name)))
            for name in ("order", "inventory_position")
        }

    def _only_erp(self) -> str:
        erps = [name for name, a in self.adapters.items() if a.access.role == "erp"]
        if len(erps) != 1:
            msg = f"the engine needs exactly one system of role erp, found {len(erps)}."
            raise UsageError(msg, remedy="Give it one system of record and its channels.")
        return erps[0]

    def _caller(self, adapter: Adapter, signer: Signer) -> Caller:
        clock, client = self.world.clock, self.world.http(adapter.name)
        rules = adapter.behaviour.get("authentication") or {"kind": "none"}
        return Caller(
            client,
            Tokens(adapter.access, rules, client, clock, signer=signer),
            Governor(adapter.behaviour, clock, paces=self.manners.paces),
            Backoff(self.settings, self.world.random(f"engine/backoff/{adapter.name}")),
            behaviour=adapter.behaviour,
            clock=clock,
            settings=self.settings,
            manners=self.manners,
        )

    async def run(self) -> None:
        """Start every workflow and stay until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self.adapters:
                group.create_task(self._dispatcher(name).run(), name=f"outbox {name}")
            for channel in self.channels:
                if channel.can("list_orders"):
                    group.create_task(self._capture(channel).run(), name=f"orders {channel.name}")
                if channel.can("publish_quantity") and channel.can("read_quantity"):
                    group.create_task(self._repair(channel).run(), name=f"repair {channel.name}")
            if self.erp.can("list_stock"):
                group.create_task(self._watch().run(), name="stock")

    def _dispatcher(self, name: str) -> Dispatcher:
        adapter, caller, clock = self.adapters[name], self.callers[name], self.world.clock
        deliveries: dict[str, Delivery] = {}
        if adapter is self.erp:
            deliveries[ORDER] = OrderDelivery(
                adapter, caller, self.settings, self.manners, clock, self._order_repeatable()
            )
        if adapter.can("publish_quantity"):
            repeatable = adapter.capability("publish_quantity").repeatable
            deliveries[STOCK] = StockDelivery(adapter, caller, clock, repeatable)
        return Dispatcher(
            name,
            deliveries,
            caller,
            self.store,
            clock,
            self.settings,
            self.manners,
            self.wakeups[name],
        )

    def _order_repeatable(self) -> bool:
        return self.erp.capability(self.manners.order_write).repeatable

    def _capture(self, channel: Adapter) -> OrderCapture:
        return OrderCapture(
            channel,
            self.erp,
            self.callers[channel.name],
            self.store,
            self.world.clock,
            self.settings,
            self.manners,
            self.wakeups[self.erp.name],
            self._schemas["order"].iter_errors,
        )

    def _watch(self) -> StockWatch:
        targets = [
            (c.name, self.wakeups[c.name]) for c in self.channels if c.can("publish_quantity")
        ]
        return StockWatch(
            self.erp,
            targets,
            self.callers[self.erp.name],
            self.store,
            self.world.clock,
            self.settings,
            self.manners,
            self._schemas["inventory_position"].iter_errors,
        )

    def _repair(self, channel: Adapter) -> StockRepair:
        return StockRepair(
            channel,
            self.callers[channel.name],
            self.store,
            self.world.clock,
            self.settings,
            self.manners,
            self.wakeups[channel.name],
        )
