"""Sends what the outbox wants one system to know, and writes down how each attempt ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from harness.model.instants import SECOND_US
from harness.model.ports import Clock
from harness.sync.calls import Caller, Ending, Outcome
from harness.sync.manners import AfterUnknown, Manners
from harness.sync.settings import Settings
from harness.sync.store import DeadLetter, Intent, Store, Transaction


class Wakeup:
    """Lets a sleeper be woken early."""

    def __init__(self, clock: Clock) -> None:
        """Sleep on this clock."""
        self._clock = clock
        self._event = asyncio.Event()

    def call(self) -> None:
        """Wake the sleeper, now or at its next sleep."""
        self._event.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep so long, or until called."""
        tasks = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._event.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._event.clear()


class Delivery(Protocol):
    """How one kind of intent is sent to one system."""

    repeatable: bool

    async def send(self, intent: Intent) -> Outcome:
        """Send it once."""
        ...

    async def look_up(self, intent: Intent) -> Outcome:
        """Ask whether an earlier attempt had its effect: ``OK`` it had, ``ABSENT`` it had not."""
        ...

    async def confirm(self, intent: Intent, outcome: Outcome) -> str | None:
        """Return the internal id the system gave, asking for it if the answer did not say."""
        ...

    def confirmed(self, tx: Transaction, intent: Intent, internal_id: str | None) -> None:
        """Write down that the system has it."""
        ...


@dataclass(slots=True)
class Dispatcher:
    """The outbox of one target system."""

    target: str
    deliveries: dict[str, Delivery]
    caller: Caller
    store: Store
    clock: Clock
    settings: Settings
    manners: Manners
    wakeup: Wakeup

    async def run(self) -> None:
        """Send what is due, for ever."""
        while True:
            if await self.turn():
                continue
            await self.wakeup.sleep(self._idle_s())

    async def turn(self) -> int:
        """Send one batch of what is due and return its size."""
        with self.store.begin() as tx:
            batch = tx.due(self.target, self.clock.now_us(), self.settings.workers)
        async with asyncio.TaskGroup() as group:
            for intent in batch:
                group.create_task(self._deliver(intent))
        return len(batch)

    def _idle_s(self) -> float:
        with self.store.begin() as tx:
            due_us = tx.next_due_us(self.target)
        if due_us is None:
            return self.settings.idle_wait_s
        wait = (due_us - self.clock.now_us()) / SECOND_US
        return min(self.settings.idle_wait_s, max(wait, 0.001))

    async def _deliver(self, intent: Intent) -> None:
        delivery = self.deliveries[intent.kind]
        if intent.state == "unknown":
            decision = self.manners.after_unknown(repeatable=delivery.repeatable)
            if decision is AfterUnknown.GIVE_UP:
                self._settle(intent, "done", 0.0)
                return
            if decision is AfterUnknown.LOOK_UP and not await self._was_absent(delivery, intent):
                return
        with self.store.begin() as tx:
            if self.manners.done_before_send:
                tx.settle(intent, state="done", due_us=0, now_us=self.clock.now_us())
            else:
                # Also for a repeatable write: a cancellation must not withdraw what is under way.
                tx.sending(intent, self.clock.now_us())
        outcome = await delivery.send(intent)
        if not self.manners.done_before_send or outcome.ending is Ending.OK:
            await self._ended(delivery, intent, outcome)

    async def _was_absent(self, delivery: Delivery, intent: Intent) -> bool:
        found = await delivery.look_up(intent)
        if found.ending is Ending.ABSENT:
            return True
        if found.ending is Ending.OK:
            await self._succeeded(delivery, intent, found)
        else:
            self._later(intent, "unknown", found)
        return False

    async def _ended(self, delivery: Delivery, intent: Intent, outcome: Outcome) -> None:
        if outcome.ending is Ending.OK:
            await self._succeeded(delivery, intent, outcome)
        elif outcome.ending is Ending.UNKNOWN:
            self._later(intent, "unknown", outcome)
        elif outcome.ending in (Ending.THROTTLED, Ending.NO_EFFECT):
            # An older attempt may still be unknown; this one surely changed nothing.
            self._later(intent, intent.state, outcome)
        else:
            self._refused(intent, outcome)

    async def _succeeded(self, delivery: Delivery, intent: Intent, outcome: Outcome) -> None:
        internal_id = await delivery.confirm(intent, outcome)
        now_us = self.clock.now_us()
        with self.store.begin() as tx:
            delivery.confirmed(tx, intent, internal_id)
            tx.settle(intent, state="done", due_us=now_us, now_us=now_us)
            tx.resolve(f"outbox:{self.target}", f"{intent.kind}:{intent.key}", now_us)
            tx.audit(now_us, f"{intent.kind}.confirmed", intent.key, attempt=intent.attempt + 1)

    def _later(self, intent: Intent, state: str, outcome: Outcome) -> None:
        attempt = intent.attempt + 1
        if attempt >= self.settings.attempts_alarm:
            self._bury(intent, "stuck", outcome)
        self._settle(intent, state, self.caller.retry_wait_s(outcome, attempt))

    def _refused(self, intent: Intent, outcome: Outcome) -> None:
        self._bury(intent, "refused", outcome)
        final = intent.attempt + 1 >= self.settings.rejected_attempts
        # An older attempt may still be unknown; the refusal of this one does not settle that.
        self._settle(intent, "refused" if final else intent.state, self.settings.rejected_retry_s)

    def _settle(self, intent: Intent, state: str, wait_s: float) -> None:
        now_us = self.clock.now_us()
        with self.store.begin() as tx:
            due_us = now_us + round(wait_s * SECOND_US)
            tx.settle(intent, state=state, due_us=due_us, now_us=now_us)

    def _bury(self, intent: Intent, reason: str, outcome: Outcome) -> None:
        now_us = self.clock.now_us()
        letter = DeadLetter(
            source=f"outbox:{self.target}",
            key=f"{intent.kind}:{intent.key}",
            reason=reason,
            pointer="",
            message=outcome.reason,
            payload=intent.payload,
            owner="integration",
            window_us=now_us,
        )
        with self.store.begin() as tx:
            if tx.bury(letter, now_us):
                tx.audit(now_us, f"{intent.kind}.{reason}", intent.key, why=outcome.reason)
