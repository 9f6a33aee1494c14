"""The edge of a simulated system: every request passes the same named stages.

connect, route, before_authentication, authenticate (or issue a token), before_throttling, meter,
validate against the contract, idempotency key, before_effect, handler, after_effect, headers,
response, bytes. A fault can strike between any two of them, in both ways of running, because both
ways come through here.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.model.errors import MetadataError
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US
from harness.model.ports import Clock, Streams
from harness.model.values import JsonObject
from harness.simulation.faults import CallIdentity, FaultPlan, Stage
from harness.simulation.trace import Trace
from mocks.kit.accounts import ANY_DOOR, Account, Door
from mocks.kit.authentication import TOKEN_ADDRESS, TokenDesk
from mocks.kit.binding import Binder, Bound
from mocks.kit.books import BookKind
from mocks.kit.calls import UNMETERED, Answer, AskFirst, Call, RefusalKind, Refused
from mocks.kit.drifting import Drifting
from mocks.kit.event_delivery import Courier
from mocks.kit.event_wiring import delivery_setup
from mocks.kit.idempotency import NO_TICKET, Repeated
from mocks.kit.latency import Latency
from mocks.kit.manner_drift import MannerDrift
from mocks.kit.plan import Delivery, OpenCall, ResponsePlan
from mocks.kit.quotas import Caller, Quotas
from mocks.kit.refusing import Refusals
from mocks.kit.responding import Responder
from mocks.kit.routing import Route, Router
from mocks.kit.simulator import Simulator
from mocks.kit.striking import Cut, Striker


class Edge:
    """One simulated system as its clients meet it.

    ``failures`` holds what simulators raised by mistake: a run that has any proved nothing.
    With ``check_answers`` every answer and event is held against the contract too, for tests.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        clock: Clock,
        streams: Streams,
        faults: FaultPlan | None = None,
        trace: Trace | None = None,
        check_answers: bool = False,
        latency: bool = True,
    ) -> None:
        """Read the contracts and the manners from the simulator's own set-up."""
        setup = simulator.setup
        self.simulator = simulator
        self.system = simulator.system_name
        self.books = simulator.books
        self.clock = clock
        self.trace = trace
        self._refusals = Refusals(simulator, clock, trace)
        self.router = Router(setup.contracts, self._serves(simulator))
        self.quotas = Quotas(setup.behaviour)
        self._accesses = {a.id: simulator.access("", a.id) for a in simulator.accounts}
        self._several = len(simulator.accounts) > 1
        self.tokens = TokenDesk(
            setup.behaviour,
            self._accesses,
            streams.stream(f"tokens/{self.system}"),
            simulator.settings,
        )
        self._striker = Striker(
            self.system,
            faults,
            clock=clock,
            trace=trace,
            quotas=self.quotas,
            tokens=self.tokens,
        )
        self._latency = Latency(
            setup.behaviour if latency else {}, streams.stream(f"latency/{self.system}")
        )
        self._binder = Binder(
            simulator,
            costs=lambda address: any(q.kind == "cost" for q in self.quotas.of(address)),
            check_answers=check_answers,
        )
        self._manners = simulator.manners
        self._doors = simulator.doors
        self._drifting = Drifting(streams, self.system)
        self._manner_drift = MannerDrift(simulator, self.quotas, self.router)
        self._responder = Responder(
            simulator,
            clock=clock,
            quotas=self.quotas,
            latency=self._latency,
            drifting=self._drifting,
            striker=self._striker,
        )
        self._nth: Counter[str] = Counter()
        self._callers: dict[tuple[str, str, str | None], Caller] = {}
        self._requests = 0
        delivery = delivery_setup(
            simulator,
            self._accesses,
            clock=clock,
            latency=self._latency,
            striker=self._striker,
            drifting=self._drifting,
            binder=self._binder,
            trace=trace,
            failed=self.failures.append,
        )
        self.courier = Courier(self._manners.events, delivery)

    @staticmethod
    def _serves(simulator: Simulator) -> Mapping[str, str]:
        """Return the versions to serve: the run's setting, else the declaration."""
        declared = simulator.setup.behaviour.get("serves") or {}
        return {**declared, **(simulator.settings.get("serves") or {})}

    @property
    def failures(self) -> list[Exception]:
        """Return everything the simulator raised by mistake."""
        return self._refusals.failures

    @property
    def faults(self) -> FaultPlan | None:
        """The plan that decides about faults; exchange it to change the weather."""
        return self._striker.plan

    @faults.setter
    def faults(self, plan: FaultPlan | None) -> None:
        self._striker.plan = plan

    # -- what a scenario can do to a system -----------------------------------------------------

    def switch_drift_pack(
        self,
        pack: JsonObject | None,
        *,
        accounts: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
    ) -> None:
        """Serve another shape from the next answer on, to all or to some accounts or regions.

        ``None`` goes back to the contract for the same ones.
        """
        now_us = self.clock.now_us()
        before = self._drifting.packs()
        self._drifting.switch(pack, accounts=accounts, regions=regions)
        try:
            self._manner_drift.play(self._drifting.packs(), now_us)
        except MetadataError:
            # A pack that cannot be played changes nothing, neither shape nor manner.
            self._drifting.restore(before)
            self._manner_drift.play(before, now_us)
            raise

    def squeeze(
        self,
        quota_id: str = "*",
        factor: float | None = None,
        *,
        rate: float | None = None,
        burst: int | None = None,
        slots: int | None = None,
        account: str | None = None,
    ) -> None:
        """Tighten quotas at once; values are relative to the published ones."""
        now_us = self.clock.now_us()
        self.quotas.squeeze(
            quota_id, now_us, factor=factor, rate=rate, burst=burst, slots=slots, account=account
        )

    def restore_quotas(self) -> None:
        """Go back to the published quotas."""
        self.quotas.restore(self.clock.now_us())

    def serve_version(self, api: str, version: str) -> None:
        """Let another version of an API answer at the addresses its versions share."""
        self.router.serve(api, version)

    def expire_tokens(self) -> int:
        """Let every access token expire now and return how many were still good."""
        return self.tokens.expire_all(self.clock.now_us())

    def lag_lists(
        self,
        seconds: Any,
        *,
        share: float = 1.0,
        operations: tuple[str, ...] = ("*",),
        accounts: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
    ) -> None:
        """Let lists show a share of the changes later, for all or for some accounts or regions."""
        self._manners.visibility.delay(
            seconds, operations=operations, share=share, accounts=accounts, regions=regions
        )

    # -- one request ----------------------------------------------------------------------------

    async def exchange(self, request: HttpRequest) -> ResponsePlan:
        """Answer a request and book the call at once, as if its delivery cannot fail.

        A mount that knows whether the client got the answer uses :meth:`serve` and
        :meth:`settle` instead.
        """
        plan = await self.serve(request)
        self.settle(plan, delivered=True)
        return plan

    async def serve(self, request: HttpRequest, *, door: Door = ANY_DOOR) -> ResponsePlan:
        """Answer a request; :meth:`settle` must follow, exactly once.

        ``door`` is the region or account whose address a mount listens on. Run it in a task of
        its own: a client that gives up must not stop the effect.
        """
        self._requests += 1
        call = OpenCall(
            self.clock.now_us(), f"{self.system}-{self._requests:06d}", request.method, request.path
        )
        if self._doors.tell_apart:
            entered, path = self._doors.enter(request.header("host"), request.path)
            door = entered if door is ANY_DOOR else door
            if path != request.path:
                request = replace(request, path=path)
        request, route, values, refused = self._find(request, call.at_us)
        unrouted = TOKEN_ADDRESS if refused is None else ""
        address = route.address if route is not None else unrouted
        call.operation = address or None
        call.region = door.region
        identity = self._identity(request, address, door)
        armed = self._striker.armed
        try:
            if armed:
                self._striker.strike(Stage.CONNECT, identity)
            if network_us := self._latency.network_us():
                await self._wait(network_us)
            call.at_us = self.clock.now_us()
            if refused is not None:
                raise refused
            if armed:
                self._striker.strike(Stage.BEFORE_AUTHENTICATION, identity)
            if route is None:
                answer = await self._issue_token(request, call)
            else:
                answer = await self._operate(request, call, identity, route, values, door)
        except Cut as cut:
            call.outcome = cut.kind.value
            return ResponsePlan(HttpResponse(0), cut.delivery, call=call)
        except Exception as error:  # noqa: BLE001 - sorted out below; a bug must not stop the world
            answer = self._refusals.answer_to(error, call)
        try:
            return self._responder.plan(answer, call, identity)
        except Exception as error:  # noqa: BLE001 - a body that is no JSON is the simulator's bug
            answer = self._refusals.answer_to(error, call)
            return self._responder.plan(answer, call, identity)

    def _identity(self, request: HttpRequest, address: str, door: Door) -> CallIdentity:
        """Name the call for faults; where several accounts call, each counts for itself."""
        if not self._several:
            only = self.simulator.accounts.default
            self._nth[address] += 1
            nth, region = self._nth[address], door.region or only.region
            return CallIdentity(self.system, address, only.id, nth, region)
        owner = self.tokens.owner(request)
        region = door.region
        if owner is not None and region is None:
            region = self.simulator.accounts[owner].region
        counted = f"{address}|{owner or ''}"
        self._nth[counted] += 1
        return CallIdentity(
            self.system, address, owner, self._nth[counted], region=region, shared=False
        )

    def settle(self, plan: ResponsePlan, *, delivered: bool) -> None:
        """Book the call of a plan; ``delivered`` says whether the client took the answer."""
        call = plan.call
        if call is None or call.settled:
            return
        call.settled = True
        complete = delivered and plan.delivery is Delivery.COMPLETE
        status = plan.response.status or None
        self.books.record_call(
            at_us=call.at_us,
            request_id=call.request_id,
            method=call.method,
            path=call.path,
            operation_id=call.operation,
            account=call.account,
            status=status,
            outcome=call.outcome,
            delivered=complete,
        )
        self.courier.wake()
        if self.trace is not None:
            self.trace.record(
                self.clock.now_us(),
                "call",
                system=self.system,
                request=call.request_id,
                method=call.method,
                path=call.path,
                status=status,
                outcome=call.outcome,
                delivered=complete,
                # A checksum: the trace notices another body and holds nobody's name.
                body=zlib.crc32(plan.response.body),
            )

    def reject(self, status: int, explanation: str) -> HttpResponse:
        """Word a request that was so wrong that it never became one, in the vendor's shape."""
        call = OpenCall(self.clock.now_us(), f"{self.system}-{self._requests:06d}", "", "")
        return self._refusals.reject(status, explanation, call)

    def _find(
        self, request: HttpRequest, now_us: int
    ) -> tuple[HttpRequest, Route | None, dict[str, str], Refused | None]:
        if self.tokens.is_token_request(request.path):
            return request, None, {}, None
        try:
            request = self.simulator.readdressed(request, now_us)
            route, values = self.router.find(request.method, request.path)
        except Refused as refused:
            return request, None, {}, refused
        return request, route, values, None

    async def _issue_token(self, request: HttpRequest, call: OpenCall) -> Answer:
        await self._wait(self._latency.service_us(TOKEN_ADDRESS))
        now_us = self.clock.now_us()
        answer, account = self.tokens.issue(request, now_us)
        call.account = account
        self.books.enter(
            now_us, BookKind.TOKEN_ISSUED, account, request_id=call.request_id, account=account
        )
        return answer

    async def _operate(
        self,
        request: HttpRequest,
        call: OpenCall,
        identity: CallIdentity,
        route: Route,
        values: dict[str, str],
        door: Door,
    ) -> Answer:
        now_us = self.clock.now_us()
        account = self.simulator.accounts[self.tokens.authenticate(request, now_us)]
        call.account = account.id
        call.region = door.region or account.region
        _check_door(account, door)
        if self._manner_drift.withdrawn:
            self._manner_drift.check(route.address, account)
        armed, twice = self._striker.armed, None
        if armed:
            self._striker.strike(Stage.BEFORE_THROTTLING, identity)
        bound = self._binder.bind(route)
        caller = call.caller = self._caller(account, bound.address, call.region)
        release = self.quotas.admit(caller, now_us)
        ticket = NO_TICKET
        try:
            query, body = bound.checker.check(request, values)
            ticket = self._manners.keys.open(bound.address, account.id, request, body, now_us)
            if service_us := self._latency.service_us(bound.address):
                await self._wait(service_us)
            if armed:
                twice = self._striker.strike(Stage.BEFORE_EFFECT, identity)
            now_us = self.clock.now_us()
            ready = Call(
                request=request,
                api=bound.api,
                version=bound.version,
                operation=bound.operation,
                path=values,
                query=query,
                body=body,
                account=account.id,
                now_us=now_us,
                request_id=call.request_id,
                region=call.region,
                meter=self.quotas.meter(caller, now_us) if bound.costs else UNMETERED,
                repeat=ticket.repeat,
            )
            answer = self._binder.run(
                bound, ready, None if ticket.keyed else twice, checked=not self._drifting
            )
            if isinstance(answer, AskFirst):
                answer = await self._ask_first(bound, answer)
            if self._manners.etags.declared:
                answer = self._manners.etags.answered(bound.address, request, answer)
            if twice is not None:
                call.outcome = twice.kind.value
            ticket.done(answer)
            if armed:
                self._striker.strike(Stage.AFTER_EFFECT, identity)
        except Repeated as repeated:
            await self._wait(self._latency.service_us(bound.address))
            answer = repeated.answer
        finally:
            ticket.given_up()
            release()
        return answer

    def _caller(self, account: Account, address: str, region: str | None) -> Caller:
        key = (address, account.id, region)
        found = self._callers.get(key)
        if found is None:
            found = Caller(account.id, address, account.application, region or "")
            self._callers[key] = found
        return found

    async def _ask_first(self, bound: Bound, wish: AskFirst) -> Answer:
        answer = wish.then(await self.courier.ask(wish))
        if not self._drifting:
            self._binder.check(bound, answer)
        return answer

    async def _wait(self, microseconds: int) -> None:
        if microseconds > 0:
            await self.clock.sleep(microseconds / SECOND_US)


def _check_door(account: Account, door: Door) -> None:
    """Refuse credentials of one region or account at the address of another."""
    if door.account is not None and door.account != account.id:
        msg = f"these credentials belong to {account.id}, not to the account of this address"
        raise Refused(RefusalKind.FORBIDDEN, msg, reason="door.account")
    if None not in (door.region, account.region) and door.region != account.region:
        msg = f"account {account.id} lies in region {account.region}, not in {door.region}"
        raise Refused(RefusalKind.FORBIDDEN, msg, reason="door.region")
