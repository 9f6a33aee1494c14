"""Words what goes wrong: refusals in the system's own shape, bugs of the simulator as evidence."""

from __future__ import annotations

import traceback
from dataclasses import replace

from harness.model.exchange import HttpResponse
from harness.model.ports import Clock
from harness.simulation.trace import Trace
from mocks.kit.answers import OUTCOMES, encode_json, explained
from mocks.kit.authentication import TokenRefused
from mocks.kit.calls import Answer, RefusalKind, Refused
from mocks.kit.plan import OpenCall
from mocks.kit.simulator import Simulator
from mocks.kit.striking import Struck


class Refusals:
    """Answers for calls that came to nothing. ``failures`` holds the simulator's own mistakes."""

    def __init__(self, simulator: Simulator, clock: Clock, trace: Trace | None) -> None:
        """Word them as ``simulator`` does."""
        self.failures: list[Exception] = []
        self._simulator = simulator
        self._clock = clock
        self._trace = trace

    def answer_to(self, error: Exception, call: OpenCall) -> Answer:
        """Word what stopped a call on its way, and say so in the call's outcome."""
        if isinstance(error, Refused):
            call.outcome = OUTCOMES[error.kind]
            return self._refused(error, call)
        if isinstance(error, TokenRefused):
            call.outcome = "unauthenticated"
            return explained(error.answer(), error.description)
        if isinstance(error, Struck):
            call.outcome = error.kind.value
            return self._refused(error.refused, call)
        return self._failed(error, call)

    def reject(self, status: int, explanation: str, call: OpenCall) -> HttpResponse:
        """Word a request that was so wrong that it never became one."""
        kind = RefusalKind.TOO_LARGE if status in (413, 431) else RefusalKind.INVALID
        refused = Refused(kind, explanation, status=status, reason="http")
        answer = self._refused(refused, call)
        headers = (("content-type", "application/json"), *answer.headers)
        return HttpResponse(status, headers, encode_json(answer.body))

    def _refused(self, refused: Refused, call: OpenCall) -> Answer:
        try:
            answer = self._simulator.error_answer(refused, call.request_id)
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
        if self._trace is not None:
            self._trace.record(
                self._clock.now_us(),
                "simulator_failed",
                system=self._simulator.system_name,
                request=call.request_id,
                error=type(error).__name__,
                function=at,
            )
        text = f"bug in the simulator: {type(error).__name__} in {at}"
        refused = Refused(RefusalKind.INTERNAL, text)
        try:
            answer = self._simulator.error_answer(refused, call.request_id)
        except Exception:  # noqa: BLE001 - even the error shape is broken; say so plainly
            answer = Answer(500, {"error": "the simulator failed"})
        return explained(answer, text)
