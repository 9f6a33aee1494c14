"""Delivers events: waits, signs, sends, tries again, gives up, removes the subscription.

Each event of each subscription is a task of its own on the loop of the run, so that one slow
receiver holds up nobody else, in virtual time and on the wire alike.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from harness.model.errors import AnswerTimedOut, TransportError
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US
from harness.model.ports import Clock
from harness.model.values import Json
from harness.simulation.clock import loop_seconds
from harness.simulation.faults import CallIdentity, Fault, FaultKind, Stage
from harness.simulation.trace import Trace
from mocks.kit.answers import encode_json
from mocks.kit.books import Books
from mocks.kit.calls import AskFirst
from mocks.kit.event_signing import Signer, dressed, fact_headers
from mocks.kit.events import Attempt, Event, EventDesk, EventManners, Subscription
from mocks.kit.latency import Latency
from mocks.kit.posting import Poster, Queue, Receivers

Decide = Callable[[Stage, CallIdentity], Fault | None]
# Turns (topic, body, account) into what is sent: checks it against the contract, applies drift.
Prepare = Callable[[str, Json, str], Json]


@dataclass(frozen=True, slots=True)
class DeliverySetup:
    """What a courier works with. ``secret_of`` returns an account's application secret."""

    system: str
    books: Books
    clock: Clock
    latency: Latency
    decide: Decide
    prepare: Prepare
    secret_of: Callable[[str], str]
    host_of: Callable[[str], str]
    region_of: Callable[[str], str | None]
    failed: Callable[[Exception], None]
    trace: Trace | None


class Courier:
    """Takes what is in the outbox and delivers it.

    ``poster`` may be exchanged at any time; it starts as :class:`Receivers`, where nobody listens
    until somebody registers. ``queues`` holds the queues by the address of their subscription.
    """

    def __init__(self, desk: EventDesk, setup: DeliverySetup) -> None:
        """Deliver for ``desk``; a system without declared events needs no courier."""
        self.desk = desk
        self.receivers = Receivers()
        self.poster: Poster = self.receivers
        self.queues: dict[str, Queue] = {}
        self._setup = setup
        self._signer: Signer | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._started = 0
        self._nth: Counter[str] = Counter()
        desk.wake = self.wake

    @property
    def signer(self) -> Signer:
        """Return who signs deliveries; the key is drawn when first needed."""
        if self._signer is None:
            self._signer = Signer(self._manners(), self.desk.chance)
        return self._signer

    def _manners(self) -> EventManners:
        return self.desk.manners or EventManners()

    def wake(self) -> None:
        """Start delivering what waits; outside a running loop it waits for the next call."""
        if not self.desk.outbox:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        while self.desk.outbox:
            self._start(loop, self._carry(self.desk.outbox.popleft()))

    def _start(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
        self._started += 1
        number = self._started
        task = self._tasks[number] = loop.create_task(work)
        task.add_done_callback(lambda _done: self._tasks.pop(number, None))

    async def idle(self) -> None:
        """Wait until nothing is on its way any more."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def stop(self) -> None:
        """Give up what is on its way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        close = getattr(self.poster, "close", None)
        if close is not None:
            await close()

    async def ask(self, wish: AskFirst) -> HttpResponse | None:
        """Send a handshake and return the reply, ``None`` when none came in time."""
        try:
            return await self._send(wish.url, wish.request, wish.timeout_s)
        except TransportError:
            return None

    # -- one event -------------------------------------------------------------------------------

    async def _carry(self, event: Event) -> None:
        try:
            await self._deliver(event)
        except Exception as error:  # noqa: BLE001 - a simulator's bug must not stop the world
            self._setup.failed(error)

    async def _deliver(self, event: Event) -> None:
        manners, chance, clock = self._manners(), self.desk.chance, self._setup.clock
        delay_us = self._setup.latency.sample_ms(manners.delay_ms)
        if manners.disorder_share and chance.random() < manners.disorder_share:
            delay_us += self._setup.latency.sample_ms(manners.disorder_ms)
        copies = 1
        if manners.duplicate_share and chance.random() < manners.duplicate_share:
            copies = 2
        lost = bool(manners.loss_share) and chance.random() < manners.loss_share
        fault = self._fault(event)
        kind = fault.kind if fault is not None else None
        extra_us = 0
        if fault is not None and kind in (FaultKind.EVENT_DELAYED, FaultKind.EVENT_DUPLICATED):
            extra_us = self._setup.latency.sample_ms(fault.parameters.get("delay_ms", 60_000))
        if kind is FaultKind.EVENT_DELAYED:
            delay_us += extra_us
        delivery_id = self.desk.new_id()
        await clock.sleep(delay_us / SECOND_US)
        if lost or kind is FaultKind.EVENT_LOST:
            self._book(self._attempt(event, delivery_id, 1), None, "lost")
            return
        forged = kind is FaultKind.EVENT_FORGED
        await self._until_taken(event, delivery_id, forged=forged)
        if kind is FaultKind.EVENT_DUPLICATED:
            await clock.sleep(extra_us / SECOND_US)
            copies += 1
        for _ in range(copies - 1):
            await self._until_taken(event, self.desk.new_id(), forged=False)

    def _fault(self, event: Event) -> Fault | None:
        address = f"events#{event.topic}"
        self._nth[address] += 1
        account, region = event.account, self._setup.region_of(event.account)
        identity = CallIdentity(
            self._setup.system, address, account, self._nth[address], region=region
        )
        return self._setup.decide(Stage.EVENT, identity)

    def _attempt(self, event: Event, delivery_id: str, number: int) -> Attempt:
        return Attempt(
            event.id,
            delivery_id,
            event.topic,
            event.account,
            event.subscription,
            number,
            event.happened_us,
            self._setup.clock.now_us(),
        )

    async def _until_taken(self, event: Event, delivery_id: str, *, forged: bool) -> None:
        """Try until the receiver takes it, the schedule ends or the subscription is gone."""
        manners, subscription = self._manners(), event.subscription
        body: bytes | None = None
        for number, wait_ms in enumerate((0, *manners.retries_ms), start=1):
            await self._setup.clock.sleep(wait_ms / 1000)
            if not self.desk.is_alive(subscription):
                return
            attempt = self._attempt(event, delivery_id, number)
            # A body that does not count attempts is sent again as it was, however stale.
            if body is None or callable(event.body):
                body = self._body(event, attempt)
            outcome = await self._try(attempt, body, forged=forged)
            if outcome is None:
                subscription.failures = 0
                return
            subscription.failures += 1
            if self._ends(subscription, manners, outcome):
                return

    def _body(self, event: Event, attempt: Attempt) -> bytes:
        value = event.body(attempt) if callable(event.body) else event.body
        value = self._setup.prepare(event.topic, value, event.account)
        return encode_json(dressed(self._manners().envelope, value, attempt, self._setup.system))

    async def _try(self, attempt: Attempt, body: bytes, *, forged: bool) -> str | None:
        """Send once; return ``None`` when taken, else what went wrong as ``retry_on`` names it."""
        manners = self._manners()
        subscription = attempt.subscription
        if not subscription.url.startswith(("http://", "https://")):
            self.queues.setdefault(subscription.url, Queue()).put(
                f"{attempt.delivery_id}/{attempt.number}", HttpRequest("", "", body=body).json()
            )
            self._book(attempt, None, "delivered")
            return None
        request = self._request(attempt, body, forged=forged)
        try:
            reply = await self._send(subscription.url, request, manners.timeout_ms / 1000)
        except AnswerTimedOut:
            self._book(attempt, None, "timed_out")
            return "timeout"
        except TransportError:
            self._book(attempt, None, "unreachable")
            return "unreachable"
        good = fits(reply.status, manners.success)
        self._book(attempt, reply.status, "delivered" if good else "failed")
        return None if good else str(reply.status)

    def _request(self, attempt: Attempt, body: bytes, *, forged: bool) -> HttpRequest:
        setup, subscription = self._setup, attempt.subscription
        target = "/" + subscription.url.partition("://")[2].partition("/")[2]
        plain = HttpRequest.from_target("POST", target, (), body)
        secret = subscription.secret or setup.secret_of(attempt.account)
        signed = self.signer.headers(plain, attempt, f"{secret}-forged" if forged else secret)
        if forged and self.signer.public_key is not None:
            other = HttpRequest(plain.method, plain.path, plain.query, (), b"forged" + body)
            signed = self.signer.headers(other, attempt, secret)
        facts = fact_headers(self._manners(), attempt, setup.host_of(attempt.account))
        headers = (("content-type", "application/json"), *facts, *signed)
        return HttpRequest(plain.method, plain.path, plain.query, headers, body)

    async def _send(self, url: str, request: HttpRequest, timeout_s: float) -> HttpResponse:
        try:
            async with asyncio.timeout(loop_seconds(self._setup.clock, timeout_s)):
                return await self.poster.post(url, request)
        except TimeoutError as error:
            msg = f"{url} did not answer within {timeout_s:g} s."
            raise AnswerTimedOut(msg) from error
        except TransportError:
            raise
        except Exception:  # noqa: BLE001 - as a server answers for an application that raises
            return HttpResponse(500)

    def _ends(self, subscription: Subscription, manners: EventManners, outcome: str) -> bool:
        """Say whether a failure is the last try; remove the subscription where declared."""
        limit = manners.remove_after_failures
        again = not manners.retry_on or outcome in manners.retry_on
        if not again and outcome.isdecimal():
            again = fits(int(outcome), manners.retry_on)
        too_many = limit is not None and subscription.failures >= limit
        if too_many or (not again and manners.remove_on_other):
            self.desk.remove(subscription.id)
        return too_many or not again

    def _book(self, attempt: Attempt, status: int | None, outcome: str) -> None:
        setup = self._setup
        setup.books.record_delivery(
            at_us=setup.clock.now_us(),
            event_id=attempt.event_id,
            delivery_id=attempt.delivery_id,
            topic=attempt.topic,
            account=attempt.account,
            subscription=attempt.subscription.id,
            attempt=attempt.number,
            status=status,
            outcome=outcome,
        )
        if setup.trace is not None:
            setup.trace.record(
                setup.clock.now_us(),
                "event",
                system=setup.system,
                topic=attempt.topic,
                event=attempt.event_id,
                attempt=attempt.number,
                status=status,
                outcome=outcome,
            )


def fits(status: int, wanted: tuple[str, ...]) -> bool:
    """Say whether a status is one of ``wanted`` (``200``, ``2XX``)."""
    text = str(status)
    return any(w == text or (w[1:].upper() == "XX" and w[0] == text[0]) for w in wanted)
