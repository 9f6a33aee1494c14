"""Turns an answer into what leaves the system: headers, shape, bytes, and what befalls them."""

from __future__ import annotations

from harness.model.exchange import Headers, HttpResponse
from harness.model.ports import Clock
from harness.simulation.faults import CallIdentity, FaultKind, Stage
from mocks.kit.answers import HTML_PAGE, encode_json
from mocks.kit.authentication import TOKEN_ADDRESS
from mocks.kit.calls import Answer
from mocks.kit.drifting import Drifting
from mocks.kit.latency import Latency
from mocks.kit.plan import Delivery, OpenCall, ResponsePlan
from mocks.kit.quotas import Quotas
from mocks.kit.simulator import Simulator
from mocks.kit.striking import Striker


class Responder:
    """The way out of one system."""

    def __init__(
        self,
        simulator: Simulator,
        *,
        clock: Clock,
        quotas: Quotas,
        latency: Latency,
        drifting: Drifting,
        striker: Striker,
    ) -> None:
        """Work with the parts of one edge."""
        self._simulator = simulator
        self._clock = clock
        self._quotas = quotas
        self._latency = latency
        self._drifting = drifting
        self._striker = striker

    def plan(self, answer: Answer, call: OpenCall, identity: CallIdentity) -> ResponsePlan:
        """Return how the answer travels; faults of the last stages strike here."""
        response = self._response(answer, call, identity)
        delay_us = self._latency.network_us()
        if not self._striker.armed:
            return ResponsePlan(response, Delivery.COMPLETE, delay_us, None, call)
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

    def _response(self, answer: Answer, call: OpenCall, identity: CallIdentity) -> HttpResponse:
        address, status = identity.operation, answer.status
        headers = answer.headers + self._simulator.answer_headers(call.request_id)
        headers += self._quota_headers(status, call, identity)
        if answer.content is not None:
            return HttpResponse(status, headers, answer.content)
        body = answer.body
        if self._drifting and address != TOKEN_ADDRESS:
            body = self._drifting.apply(address, status, body, call.account, call.region)
        if body is None:
            return HttpResponse(status, headers)
        for name, _ in headers:
            if name == "content-type":
                break
        else:
            headers = (("content-type", "application/json"), *headers)
        return HttpResponse(status, headers, encode_json(body))

    def _quota_headers(self, status: int, call: OpenCall, identity: CallIdentity) -> Headers:
        if call.caller is None or not self._quotas.shows_headers:
            return ()
        factor = 1.0
        lie = self._striker.decide(Stage.HEADERS, identity)
        if lie is not None:
            factor = float(lie.parameters.get("factor", 10))
        return self._quotas.headers(call.caller, status, self._clock.now_us(), factor)
