"""Workflow B: every channel shows the ERP's stock, as absolute quantities, newest wins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.canonical import to_canonical
from harness.model.instants import SECOND_US, from_text
from harness.model.ports import Clock
from harness.model.values import Json, pointer
from harness.sync.adapter import Adapter, broken_rule, read
from harness.sync.calls import Caller, Ending, Outcome
from harness.sync.dispatch import Wakeup
from harness.sync.manners import Manners
from harness.sync.settings import Settings
from harness.sync.store import DeadLetter, Intent, Store, Transaction
from harness.sync.walk import WalkFailed, pages

KIND = "stock"


@dataclass(slots=True)
class StockWatch:
    """Reads the ERP's stock and fills the outboxes of the channels."""

    erp: Adapter
    channels: Sequence[tuple[str, Wakeup]]
    caller: Caller
    store: Store
    clock: Clock
    settings: Settings
    manners: Manners
    canonical_errors: Callable[[Json], Any]

    @property
    def source(self) -> str:
        """Return the name under which dead letters know this stock."""
        return f"stock:{self.erp.name}"

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await self.sweep()
            await self.clock.sleep(self.settings.stock_poll_s)

    async def sweep(self) -> bool:
        """Read the whole stock once; true when the sweep reached its end."""
        started_us = self.clock.now_us()
        walk = pages(
            self.erp,
            self.erp.capability("list_stock"),
            self.caller,
            {},
            pages_max=self.settings.pages_max,
        )
        try:
            async for page in walk:
                self.take_in(page.records, started_us)
        except WalkFailed as failed:
            with self.store.begin() as tx:
                self._bury(tx, "walk", "walk_failed", failed.pointer, failed.reason, None)
            return False
        finally:
            await walk.aclose()
        with self.store.begin() as tx:
            tx.resolve(self.source, "walk", self.clock.now_us())
        return True

    def take_in(self, records: list[Json], started_us: int) -> None:
        """Store one page in one transaction."""
        with self.store.begin() as tx:
            for record in records:
                self._one(tx, record, started_us)
        for _name, wakeup in self.channels:
            wakeup.call()

    def _one(self, tx: Transaction, record: Json, started_us: int) -> None:
        capability = self.erp.capability("list_stock")
        name = str(read(record, capability.rules["records"]["key"]) or "unreadable")
        mapped = to_canonical(capability.record_object, record, context={"system": self.erp.name})
        troubles = [(p.pointer, p.reason) for p in mapped.problems]
        if not troubles:
            troubles = [
                (pointer(*error.instance_path), broken_rule(error))
                for error in self.canonical_errors(mapped.value)
            ]
        if troubles:
            self._bury(tx, name, "mapping_failed", *troubles[0], record)
            return
        tx.resolve(self.source, name, self.clock.now_us())
        position = mapped.value
        version_us = from_text(position["as_of"]) if "as_of" in position else started_us
        for target, _wakeup in self.channels:
            self._want(tx, target, position["sku"], position["quantities"]["available"], version_us)

    def _want(self, tx: Transaction, target: str, sku: str, quantity: int, version_us: int) -> None:
        row = tx.stock(target, sku)
        if row is not None:
            if not self.manners.accepts_version(stored_us=row["version_us"], offered_us=version_us):
                return
            if row["wanted"] == quantity and row["version_us"] == version_us:
                return
        tx.want_stock(target, sku, wanted=quantity, version_us=version_us)
        publish = self.manners.quantity_to_publish(quantity)
        if publish is not None:
            payload = {"sku": sku, "quantity": publish}
            tx.want(KIND, target, sku, payload, self.clock.now_us())

    def _bury(
        self, tx: Transaction, key: str, reason: str, at: str, message: str, record: Json
    ) -> None:
        now_us = self.clock.now_us()
        letter = DeadLetter(self.source, key, reason, at, message, record, "integration", now_us)
        if tx.bury(letter, now_us):
            tx.audit(now_us, f"stock.{reason}", key, pointer=at)


@dataclass(slots=True)
class StockDelivery:
    """Publishes one quantity on one channel."""

    channel: Adapter
    caller: Caller
    clock: Clock
    repeatable: bool

    async def send(self, intent: Intent) -> Outcome:
        """Publish once; an answer that does not say accepted is a refusal."""
        capability = self.channel.capability("publish_quantity")
        request = self.channel.request(capability, intent.payload)
        outcome = await self.caller.once(capability.address, request, attempt=intent.attempt + 1)
        rule = capability.rules.get("accepted")
        if outcome.ending is Ending.OK and rule:
            said = read(outcome.body, rule["at"])
            if said not in rule["values"]:
                return Outcome(Ending.REFUSED, f"answered {said!r}", outcome.response)
        return outcome

    async def look_up(self, intent: Intent) -> Outcome:
        """Ask what the channel shows: the wanted quantity, or not."""
        outcome = await read_back(self.channel, self.caller, intent.key)
        if outcome.ending is Ending.OK and outcome.body != intent.payload["quantity"]:
            return Outcome(Ending.ABSENT)
        return outcome

    async def confirm(self, intent: Intent, outcome: Outcome) -> str | None:
        """Return nothing: a quantity has no id."""
        del intent, outcome
        return None

    def confirmed(self, tx: Transaction, intent: Intent, internal_id: str | None) -> None:
        """Remember what the channel was told."""
        del internal_id
        quantity = intent.payload["quantity"]
        tx.published(intent.target, intent.key, quantity, self.clock.now_us())


async def read_back(channel: Adapter, caller: Caller, sku: str) -> Outcome:
    """Return the quantity a channel shows as the outcome's body."""
    capability = channel.capability("read_quantity")
    outcome = await caller.read(capability.address, channel.request(capability, {"sku": sku}))
    if outcome.ending is not Ending.OK:
        return outcome
    shown = read(outcome.body, capability.rules["value"])
    return Outcome(Ending.OK, outcome.reason, outcome.response, shown)


@dataclass(slots=True)
class StockRepair:
    """Reads a channel's quantities back, compares, and publishes again where they differ."""

    channel: Adapter
    caller: Caller
    store: Store
    clock: Clock
    settings: Settings
    manners: Manners
    wakeup: Wakeup

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            await self.clock.sleep(self.settings.compare_every_s)
            await self.compare()

    async def compare(self) -> int:
        """Compare every settled quantity once and return how many were published again."""
        repaired = 0
        with self.store.begin() as tx:
            rows = tx.all_stock(self.channel.name)
        for row in rows:
            settled_us = (row["published_us"] or 0) + round(self.settings.settle_s * SECOND_US)
            if row["published"] is None or settled_us > self.clock.now_us():
                continue
            outcome = await read_back(self.channel, self.caller, row["sku"])
            if outcome.ending is Ending.OK:
                repaired += self._repair(row["sku"], outcome.body)
        return repaired

    def _repair(self, sku: str, shown: Json) -> bool:
        now_us = self.clock.now_us()
        with self.store.begin() as tx:
            row = tx.stock(self.channel.name, sku)
            if row is None or shown == row["wanted"]:
                return False
            publish = self.manners.quantity_to_publish(row["wanted"])
            if publish is None:
                return False
            payload = {"sku": sku, "quantity": publish}
            if tx.want(KIND, self.channel.name, sku, payload, now_us, again=True):
                tx.audit(now_us, "stock.repaired", sku, shown=shown, wanted=publish)
        self.wakeup.call()
        return True
