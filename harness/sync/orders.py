"""Workflow A: every released channel order reaches the ERP exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.canonical import UNMAPPED, complete_order, priced, to_canonical, to_system
from harness.model.instants import SECOND_US, from_text, to_text
from harness.model.ports import Clock
from harness.model.values import Json, pointer, resolve_pointer
from harness.sync.adapter import Adapter, broken_rule, confirmed_id, read
from harness.sync.calls import Caller, Ending, Outcome
from harness.sync.dispatch import Wakeup
from harness.sync.manners import Manners
from harness.sync.settings import Settings
from harness.sync.store import DeadLetter, Intent, Store, Transaction, content_hash
from harness.sync.walk import Page, WalkFailed, pages

KIND = "order"
_WAITING = frozenset({"RECEIVED", "HELD", "CANCEL_REQUESTED"})


class Unusable(Exception):
    """One record cannot be processed."""

    def __init__(self, reason: str, at: str, message: str) -> None:
        """Say which class of trouble it is, where it sits and what is wrong."""
        super().__init__(message)
        self.reason = reason
        self.at = at


@dataclass(slots=True)
class OrderCapture:
    """Polls one channel and fills the outbox of the ERP."""

    channel: Adapter
    erp: Adapter
    caller: Caller
    store: Store
    clock: Clock
    settings: Settings
    manners: Manners
    wakeup: Wakeup
    canonical_errors: Callable[[Json], Any]

    @property
    def source(self) -> str:
        """Return the name under which inbox, cursor and dead letters know this channel."""
        return f"orders:{self.channel.name}:{self.channel.access.account}"

    async def run(self) -> None:
        """Poll for ever; a walk that fails is tried again from the same cursor."""
        while True:
            await self.poll()
            await self.clock.sleep(self.settings.order_poll_s)

    async def poll(self) -> bool:
        """Walk the current window once; true when it was walked to its end."""
        started_us = self.clock.now_us()
        since_us = self._since_us(started_us)
        if self.manners.cursor_moves_first:
            self._move(started_us, started_us)
        high_us, strangers = started_us, 0
        capability = self.channel.capability("list_orders")
        walk = pages(
            self.channel,
            capability,
            self.caller,
            {"cursor": to_text(since_us)},
            pages_max=self.settings.pages_max,
        )
        try:
            async for page in walk:
                high_us = min(high_us, _high_water_us(page, started_us))
                strangers += self.take_in(page.records, since_us)
                if not self.manners.walks_all_pages:
                    break
        except WalkFailed as failed:
            self._walk_failed(failed, since_us)
            return False
        finally:
            await walk.aclose()
        self._walked(high_us, started_us, since_us, strangers)
        return True

    def _since_us(self, now_us: int) -> int:
        with self.store.begin() as tx:
            since_us = tx.cursor(self.source)
            if since_us is None:
                since_us = now_us - round(self.settings.order_history_s * SECOND_US)
            for letter in tx.open_letters(self.source):
                # A quarantined record is read again, ever less often while it stays bad.
                wait_s = min(
                    letter["attempts"] * self.settings.order_poll_s, self.settings.rejected_retry_s
                )
                if letter["last_us"] + round(wait_s * SECOND_US) <= now_us + SECOND_US:
                    since_us = min(since_us, letter["window_us"])
        return since_us

    def _move(self, high_us: int, started_us: int) -> None:
        at_us = self.manners.next_cursor_us(
            high_water_us=high_us,
            started_us=started_us,
            overlap_us=round(self.settings.order_overlap_s * SECOND_US),
        )
        with self.store.begin() as tx:
            tx.move_cursor(self.source, at_us)

    def _walked(self, high_us: int, started_us: int, since_us: int, strangers: int) -> None:
        now_us = self.clock.now_us()
        if not self.manners.cursor_moves_first:
            self._move(high_us, started_us)
        with self.store.begin() as tx:
            tx.resolve(self.source, "walk", now_us)
            if not strangers:
                for letter in tx.open_letters(self.source):
                    # Records without a readable key: the whole window now reads well.
                    if letter["key"].startswith("unreadable:") and letter["window_us"] >= since_us:
                        tx.resolve(self.source, letter["key"], now_us)
        self.wakeup.call()

    def _walk_failed(self, failed: WalkFailed, since_us: int) -> None:
        reason = "contract_violation" if failed.broken_contract else "walk_failed"
        with self.store.begin() as tx:
            self._bury(tx, "walk", Unusable(reason, failed.pointer, failed.reason), None, since_us)

    # One page

    def take_in(self, records: list[Json], since_us: int) -> int:
        """Store one page in one transaction; return how many records had no readable key."""
        strangers = 0
        with self.store.begin() as tx:
            for record in records:
                key = read(record, self.channel.capability("list_orders").rules["records"]["key"])
                name = key if isinstance(key, str) else f"unreadable:{content_hash(record)[:16]}"
                try:
                    self._one(tx, name, record)
                except Unusable as trouble:
                    strangers += not isinstance(key, str)
                    if self.manners.quarantines:
                        self._bury(tx, name, trouble, record, since_us)
                    if self.manners.one_bad_record_stops_page:
                        break
        self.wakeup.call()
        return strangers

    def _one(self, tx: Transaction, key: str, record: Json) -> None:
        order = self.understand(record)
        now_us = self.clock.now_us()
        offered_us = from_text(order["source_updated_at"])
        row = tx.inbox(self.source, key)
        if row is not None and not self.manners.accepts_version(
            stored_us=row["version_us"], offered_us=offered_us
        ):
            return
        if row is None or row["hash"] != content_hash(order):
            state = self._decide(tx, order, now_us)
            tx.keep(
                self.source, key, version_us=offered_us, record=order, state=state, now_us=now_us
            )
        tx.resolve(self.source, key, now_us)

    def understand(self, record: Json) -> dict[str, Any]:
        """Return the canonical order of a record; raises ``Unusable``."""
        capability = self.channel.capability("list_orders")
        for error in capability.record_errors(record):
            at = pointer(*error.instance_path)
            msg = "contract_violation"
            raise Unusable(msg, at, broken_rule(error))
        context = {"system": self.channel.name, "account": self.channel.access.account}
        mapped = to_canonical(
            capability.record_object,
            record,
            context=context,
            unknown_code=self.manners.unknown_code,
        )
        for problem in mapped.problems:
            msg = "mapping_failed"
            raise Unusable(msg, problem.pointer, problem.reason)
        for at, _raw in mapped.unmapped:
            if resolve_pointer(mapped.value, at) == UNMAPPED:
                msg = "unmapped_code"
                raise Unusable(msg, at, "a code that no table knows")
        try:
            order = complete_order(mapped.value)
        except ValueError as error:
            msg = "mapping_failed"
            raise Unusable(msg, "/lines", str(error)) from error
        for broken in self.canonical_errors(order):
            msg = "not_canonical"
            raise Unusable(msg, pointer(*broken.instance_path), broken_rule(broken))
        return order

    def _decide(self, tx: Transaction, order: dict[str, Any], now_us: int) -> str:
        state, key = order["order_state"], order["natural_key"]
        if state == "CANCELLED":
            return self._cancelled(tx, order, now_us)
        if order["fulfilled_by"] == "CHANNEL":
            return "closed"  # shipped from the channel's own warehouse: not our stock
        if state in _WAITING:
            return "waiting"
        if not priced(order):
            msg = "no_price"
            raise Unusable(msg, "/lines", "a released order without prices")
        document = self.document(order, key)
        wanted = {"order": order, "natural_key": key}
        if tx.want(KIND, self.erp.name, key, wanted, now_us, same_as=document):
            tx.audit(now_us, "order.wanted", key, version=order["source_updated_at"])
        return "exported"

    def document(self, order: dict[str, Any], key: str) -> Json:
        """Return the ERP's document of an order under ``key``; raises ``Unusable``."""
        return render(self.erp, self.manners, self.settings, order, key)

    def _cancelled(self, tx: Transaction, order: dict[str, Any], now_us: int) -> str:
        key = order["natural_key"]
        entry = tx.outbox_entry(KIND, self.erp.name, key)
        if entry is None or entry["state"] == "withdrawn":
            return "closed"
        if tx.withdraw(KIND, self.erp.name, key, now_us):
            tx.resolve(f"outbox:{self.erp.name}", f"{KIND}:{key}", now_us)
            tx.audit(now_us, "order.withdrawn", key)
            return "closed"
        letter = DeadLetter(
            f"cancellations:{self.channel.name}",
            key,
            "cancelled_after_export",
            "/order_state",
            "cancelled on the channel after the ERP may have it",
            {"natural_key": key},
            "order desk",
            now_us,
        )
        tx.bury(letter, now_us)
        return "closed"

    def _bury(
        self, tx: Transaction, key: str, trouble: Unusable, record: Json, since_us: int
    ) -> None:
        now_us = self.clock.now_us()
        letter = DeadLetter(
            self.source,
            key,
            trouble.reason,
            trouble.at,
            str(trouble),
            record,
            "integration",
            since_us,
        )
        if tx.bury(letter, now_us):
            tx.audit(now_us, f"order.{trouble.reason}", key, pointer=trouble.at)


def render(
    erp: Adapter, manners: Manners, settings: Settings, order: Mapping[str, Any], key: str
) -> Json:
    """Return the ERP's document of an order under ``key``; raises ``Unusable``."""
    capability = erp.capability(manners.order_write)
    mapping = capability.objects[capability.rules["document"]]
    mapped = to_system(mapping, {**order, "natural_key": key}, context=settings.context)
    for problem in mapped.problems:
        msg = "mapping_failed"
        raise Unusable(msg, problem.pointer, problem.reason)
    return mapped.value


def _high_water_us(page: Page, otherwise_us: int) -> int:
    try:
        return from_text(page.high_water) if page.high_water else otherwise_us
    except ValueError:
        return otherwise_us


@dataclass(slots=True)
class OrderDelivery:
    """Writes an order into the ERP under its natural key."""

    erp: Adapter
    caller: Caller
    settings: Settings
    manners: Manners
    clock: Clock
    repeatable: bool

    def _key(self, intent: Intent) -> str:
        return self.manners.idempotency_key(
            kind=intent.kind,
            target=intent.target,
            natural_key=intent.payload["natural_key"],
            attempt=intent.attempt + 1,
        )

    async def send(self, intent: Intent) -> Outcome:
        """Write the order once."""
        capability, key = self.erp.capability(self.manners.order_write), self._key(intent)
        try:
            document = render(self.erp, self.manners, self.settings, intent.payload["order"], key)
        except Unusable as trouble:
            return Outcome(Ending.REFUSED, f"{trouble.at} {trouble}")
        request = self.erp.request(capability, {"natural_key": key, "document": document})
        return await self.caller.once(capability.address, request, attempt=intent.attempt + 1)

    async def look_up(self, intent: Intent) -> Outcome:
        """Ask the ERP whether it has the order."""
        capability = self.erp.capability("find_sales_order")
        request = self.erp.request(capability, {"natural_key": intent.payload["natural_key"]})
        return await self.caller.read(capability.address, request)

    async def confirm(self, intent: Intent, outcome: Outcome) -> str | None:
        """Return the ERP's own id of the order."""
        write = self.erp.capability(self.manners.order_write)
        known = confirmed_id(write, outcome.response, outcome.body)
        if known is not None:
            return known
        find = self.erp.capability("find_sales_order")
        found = outcome if outcome.body is not None else await self.look_up(intent)
        return confirmed_id(find, None, found.body)

    def confirmed(self, tx: Transaction, intent: Intent, internal_id: str | None) -> None:
        """Remember which document the order became."""
        if internal_id is not None:
            tx.map(intent.target, intent.key, internal_id, self.clock.now_us())
