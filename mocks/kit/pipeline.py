"""The edge of a simulated system: every request passes the same named stages.

connect, route, before_authentication, authenticate (or issue a token), before_throttling, meter,
validate against the contract, before_effect, handler, after_effect, response, bytes. A fault can
strike between any two of them, in both ways of running, because both ways come through here.
"""

from __future__ import annotations

import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.model.contract import Operation
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US
from harness.model.ports import Clock, Streams
from harness.model.values import Json, JsonObject
from harness.simulation.faults import CallIdentity, Fault, FaultKind, FaultPlan, Stage
from harness.simulation.trace import Trace
from mocks.kit.answers import HTML_PAGE, OUTCOMES, encode_json, explained
from mocks.kit.authentication import TOKEN_ADDRESS, TokenDesk, TokenRefused
from mocks.kit.books import BookKind
from mocks.kit.latency import Latency
from mocks.kit.plan import Delivery, OpenCall, ResponsePlan
from mocks.kit.quotas import Quotas
from mocks.kit.routing import Route, Router
from mocks.kit.shapes import DriftPack
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused, Simulator
from mocks.kit.striking import Cut, Striker, Struck
from mocks.kit.validation import RequestChecker, Schemas, check_answer


@dataclass(slots=True, eq=False)
class _Bound:
    """An operation and everything prepared for it, made on its first call."""

    route: Route
    address: str
    operation: Operation
    api: str
    version: str
    schemas: Schemas
    checker: RequestChecker
    handler: Callable[[Call], Answer] | None


class Edge:
    """One simulated system as its clients meet it.

    ``failures`` holds what simulators raised by mistake: a run that has any proved nothing.
    With ``check_answers`` every answer is held against the contract as well, for tests.
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
        self.failures: list[Exception] = []
        self.router = Router(setup.contracts)
        self.quotas = Quotas(setup.behaviour)
        self.tokens = TokenDesk(
            setup.behaviour,
            simulator.access(""),
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
        self._streams = streams
        self._check_answers = check_answers
        self._unknown_query = str(setup.behaviour.get("unknown_query", "refuse"))
        self._schemas = {api: Schemas(contract) for api, contract in setup.contracts.items()}
        self._bound: dict[str, _Bound] = {}
        self._nth: Counter[str] = Counter()
        self._requests = 0
        self._drift: DriftPack | None = None

    @property
    def faults(self) -> FaultPlan | None:
        """The plan that decides about faults; exchange it to change the weather."""
        return self._striker.plan

    @faults.setter
    def faults(self, plan: FaultPlan | None) -> None:
        self._striker.plan = plan

    # -- what a scenario can do to a system -----------------------------------------------------

    def switch_drift_pack(self, pack: JsonObject | None) -> None:
        """Serve another shape from the next answer on; ``None`` goes back to the contract."""
        stream = self._streams.stream(f"drift/{self.system}")
        self._drift = DriftPack(pack, stream) if pack is not None else None

    def squeeze(
        self,
        quota_id: str = "*",
        factor: float | None = None,
        *,
        rate: float | None = None,
        burst: int | None = None,
        slots: int | None = None,
    ) -> None:
        """Tighten quotas at once; values are relative to the published ones."""
        now_us = self.clock.now_us()
        self.quotas.squeeze(quota_id, now_us, factor=factor, rate=rate, burst=burst, slots=slots)

    def restore_quotas(self) -> None:
        """Go back to the published quotas."""
        self.quotas.restore(self.clock.now_us())

    def expire_tokens(self) -> int:
        """Let every access token expire now and return how many were still good."""
        return self.tokens.expire_all(self.clock.now_us())

    # -- one request ----------------------------------------------------------------------------

    async def exchange(self, request: HttpRequest) -> ResponsePlan:
        """Answer a request and book the call at once, as if its delivery cannot fail.

        A mount that knows whether the client got the answer uses :meth:`serve` and
        :meth:`settle` instead.
        """
        plan = await self.serve(request)
        self.settle(plan, delivered=True)
        return plan

    async def serve(self, request: HttpRequest) -> ResponsePlan:
        """Answer a request; :meth:`settle` must follow, exactly once.

        Run it in a task of its own: a client that gives up must not stop the effect.
        """
        self._requests += 1
        call = OpenCall(
            self.clock.now_us(), f"{self.system}-{self._requests:06d}", request.method, request.path
        )
        route, values, refused = self._find(request)
        unrouted = TOKEN_ADDRESS if refused is None else ""
        address = route.address if route is not None else unrouted
        call.operation = address or None
        self._nth[address] += 1
        identity = CallIdentity(self.system, address, None, self._nth[address])
        try:
            self._striker.strike(Stage.CONNECT, identity)
            await self._wait(self._latency.network_us())
            call.at_us = self.clock.now_us()
            answer = await self._answer(request, call, identity, route, values, refused)
        except Cut as cut:
            call.outcome = cut.kind.value
            return ResponsePlan(HttpResponse(0), cut.delivery, call=call)
        return self._plan(answer, call, identity)

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

    def _find(self, request: HttpRequest) -> tuple[Route | None, dict[str, str], Refused | None]:
        if self.tokens.is_token_request(request.path):
            return None, {}, None
        try:
            route, values = self.router.find(request.method, request.path)
        except Refused as refused:
            return None, {}, refused
        return route, values, None

    async def _answer(
        self,
        request: HttpRequest,
        call: OpenCall,
        identity: CallIdentity,
        route: Route | None,
        values: dict[str, str],
        unknown: Refused | None,
    ) -> Answer:
        """Take a request through all stages up to the answer; raises ``Cut``."""
        try:
            if unknown is not None:
                raise unknown
            self._striker.strike(Stage.BEFORE_AUTHENTICATION, identity)
            if route is None:
                return await self._issue_token(request, call)
            return await self._operate(request, call, identity, route, values)
        except Refused as refused:
            return self._refuse(refused, call)
        except TokenRefused as refused:
            call.outcome = "unauthenticated"
            answer = refused.answer()
            return explained(answer, refused.description)
        except Struck as struck:
            call.outcome = struck.kind.value
            return self._refuse(struck.refused, call, keep_outcome=True)
        except Cut:
            raise
        except Exception as error:  # noqa: BLE001 - a simulator's bug must not stop the world
            return self._failed(error, call)

    async def _issue_token(self, request: HttpRequest, call: OpenCall) -> Answer:
        await self._wait(self._latency.service_us(TOKEN_ADDRESS))
        now_us = self.clock.now_us()
        answer = self.tokens.issue(request, now_us)
        call.account = self.tokens.account
        self.books.enter(
            now_us, BookKind.TOKEN_ISSUED, self.tokens.account, request_id=call.request_id
        )
        return answer

    async def _operate(
        self,
        request: HttpRequest,
        call: OpenCall,
        identity: CallIdentity,
        route: Route,
        values: dict[str, str],
    ) -> Answer:
        account = self.tokens.authenticate(request, self.clock.now_us())
        call.account = account
        identity = CallIdentity(self.system, identity.operation, account, identity.nth)
        self._striker.strike(Stage.BEFORE_THROTTLING, identity)
        bound = self._bind(route)
        release = self.quotas.admit(bound.address, account, self.clock.now_us())
        try:
            query, body = bound.checker.check(request, values)
            await self._wait(self._latency.service_us(bound.address))
            twice = self._striker.strike(Stage.BEFORE_EFFECT, identity)
            ready = Call(
                request=request,
                api=bound.api,
                version=bound.version,
                operation=bound.operation,
                path=values,
                query=query,
                body=body,
                account=account,
                now_us=self.clock.now_us(),
                request_id=call.request_id,
            )
            answer = self._handle(bound, ready, twice)
            if twice is not None:
                call.outcome = twice.kind.value
            self._striker.strike(Stage.AFTER_EFFECT, identity)
        finally:
            release()
        return answer

    def _bind(self, route: Route) -> _Bound:
        address = route.address
        bound = self._bound.get(address)
        if bound is None:
            schemas = self._schemas[route.api]
            api, _, version = route.api.partition("/")
            bound = self._bound[address] = _Bound(
                route,
                address,
                route.operation,
                api,
                version,
                schemas,
                RequestChecker(route.operation, schemas, unknown_query=self._unknown_query),
                self.simulator.handler(route.api, route.operation.operation_id),
            )
        return bound

    def _handle(self, bound: _Bound, call: Call, twice: Fault | None) -> Answer:
        if bound.handler is None:
            msg = f"the simulator of {self.system} does not imitate {bound.address}"
            raise Refused(RefusalKind.INTERNAL, msg, pointer=bound.operation.pointer, status=501)
        answer = bound.handler(call)
        if twice is not None:
            second = bound.handler(replace(call, request_id=f"{call.request_id}-again"))
            if twice.parameters.get("answer", "second") == "second":
                answer = second
        if self._check_answers and self._drift is None:
            check_answer(bound.operation, bound.schemas, answer, bound.address)
        return answer

    # -- answers --------------------------------------------------------------------------------

    def _refuse(self, refused: Refused, call: OpenCall, *, keep_outcome: bool = False) -> Answer:
        if not keep_outcome:
            call.outcome = OUTCOMES[refused.kind]
        try:
            answer = self.simulator.error_answer(refused, call.request_id)
        except Exception as error:  # noqa: BLE001 - a simulator's bug must not stop the world
            return self._failed(error, call)
        where = f" (contract: {refused.pointer})" if refused.pointer else ""
        headers = answer.headers + tuple(h for h in refused.headers if h not in answer.headers)
        return explained(replace(answer, headers=headers), refused.explanation + where)

    def _failed(self, error: Exception, call: OpenCall) -> Answer:
        """Answer 500 and keep the evidence: this is a bug of the simulator."""
        call.outcome = "failed"
        self.failures.append(error)
        last = traceback.extract_tb(error.__traceback__)[-1:]
        at = last[0].name if last else "?"
        if self.trace is not None:
            self.trace.record(
                self.clock.now_us(),
                "simulator_failed",
                system=self.system,
                request=call.request_id,
                error=type(error).__name__,
                function=at,
            )
        text = f"bug in the simulator: {type(error).__name__} in {at}"
        refused = Refused(RefusalKind.INTERNAL, text)
        try:
            answer = self.simulator.error_answer(refused, call.request_id)
        except Exception:  # noqa: BLE001 - even the error shape is broken; say so plainly
            answer = Answer(500, {"error": "the simulator failed"})
        return explained(answer, text)

    def _plan(self, answer: Answer, call: OpenCall, identity: CallIdentity) -> ResponsePlan:
        body_json = answer.body
        address = identity.operation
        if self._drift is not None and address != TOKEN_ADDRESS:
            body_json = self._drift.apply(address, answer.status, body_json)
        response = self._response(answer, body_json, address, call.request_id)
        delay_us = self._latency.network_us()
        fault = self._striker.decide(Stage.RESPONSE, identity)
        if fault is not None:
            call.outcome = fault.kind.value
            if fault.kind is FaultKind.ANSWER_DELAYED:
                delay_us += self._latency.sample_ms(fault.parameters.get("delay_ms", 45_000))
            else:
                status = int(fault.parameters.get("status", 502))
                response = HttpResponse(status, (("content-type", "text/html"),), HTML_PAGE)
        cut = self._striker.decide(Stage.BYTES, identity)
        if cut is not None:
            call.outcome = cut.kind.value
            kept = int(len(response.body) * float(cut.parameters.get("share", 0.5)))
            return ResponsePlan(response, Delivery.TRUNCATED, delay_us, kept, call)
        return ResponsePlan(response, Delivery.COMPLETE, delay_us, None, call)

    def _response(self, answer: Answer, body: Json, address: str, call_id: str) -> HttpResponse:
        headers = answer.headers + self.simulator.answer_headers(call_id)
        headers += self.quotas.limit_header(address, answer.status)
        if body is None:
            return HttpResponse(answer.status, headers)
        if not any(name == "content-type" for name, _ in headers):
            headers = (("content-type", "application/json"), *headers)
        return HttpResponse(answer.status, headers, encode_json(body))

    async def _wait(self, microseconds: int) -> None:
        if microseconds > 0:
            await self.clock.sleep(microseconds / SECOND_US)
