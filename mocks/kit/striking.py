"""Lets faults strike: turns what the fault plan decides into what happens to one call."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model.instants import SECOND_US
from harness.model.ports import Clock
from harness.simulation.faults import CallIdentity, Fault, FaultKind, FaultPlan, Stage
from harness.simulation.trace import Trace
from mocks.kit.authentication import TokenDesk
from mocks.kit.calls import RefusalKind, Refused
from mocks.kit.plan import Delivery
from mocks.kit.quotas import Quotas


class Cut(Exception):
    """The answer will not reach the client; carries how."""

    def __init__(self, delivery: Delivery, kind: FaultKind) -> None:
        """Keep how the answer is lost, and the fault that did it."""
        super().__init__(kind)
        self.delivery = delivery
        self.kind = kind


class Struck(Exception):
    """A fault refuses the call; carries the refusal and the fault's kind."""

    def __init__(self, kind: FaultKind, refused: Refused) -> None:
        """Keep the fault and the refusal it causes."""
        super().__init__(kind)
        self.kind = kind
        self.refused = refused


_CUTS: Mapping[FaultKind, Delivery] = {
    FaultKind.CONNECTION_REFUSED: Delivery.REFUSED,
    FaultKind.CONNECTION_RESET: Delivery.RESET,
    FaultKind.ANSWER_LOST_AFTER_COMMIT: Delivery.LOST,
}
_REFUSALS: Mapping[FaultKind, tuple[RefusalKind, str]] = {
    FaultKind.ERROR_UNAVAILABLE: (RefusalKind.UNAVAILABLE, "the system is not available (fault)"),
    FaultKind.ERROR_INTERNAL: (RefusalKind.INTERNAL, "the system failed (fault)"),
    FaultKind.THROTTLE_SQUEEZE: (RefusalKind.THROTTLED, "throttled (fault)"),
}


class Striker:
    """The faults of one system. ``plan`` may be exchanged while a world runs."""

    def __init__(
        self,
        system: str,
        plan: FaultPlan | None,
        *,
        clock: Clock,
        trace: Trace | None,
        quotas: Quotas,
        tokens: TokenDesk,
    ) -> None:
        """Strike as ``plan`` decides and leave evidence in ``trace``."""
        self.system = system
        self.plan = plan
        self._clock = clock
        self._trace = trace
        self._quotas = quotas
        self._tokens = tokens

    @property
    def armed(self) -> bool:
        """Say whether any fault can strike at all: most calls meet no plan."""
        return self.plan is not None and bool(self.plan.rules)

    def decide(self, stage: Stage, identity: CallIdentity) -> Fault | None:
        """Return the fault of this call at this stage, and trace it."""
        if self.plan is None:
            return None
        fault = self.plan.decide(stage, identity, self._clock.now_us())
        if fault is not None and self._trace is not None:
            self._trace.record(
                self._clock.now_us(),
                "fault",
                system=self.system,
                operation=identity.operation,
                nth=identity.nth,
                fault=fault.kind.value,
                rule=fault.rule,
            )
        return fault

    def strike(self, stage: Stage, identity: CallIdentity) -> Fault | None:
        """Let a fault strike: raise for those that end the call, return the others."""
        fault = self.decide(stage, identity)
        if fault is None:
            return None
        kind = fault.kind
        if kind in _CUTS:
            raise Cut(_CUTS[kind], kind)
        if kind is FaultKind.TOKEN_EXPIRED:
            self._tokens.expire_all(self._clock.now_us())
            return None
        if kind in _REFUSALS:
            refusal, text = _REFUSALS[kind]
            if kind is FaultKind.THROTTLE_SQUEEZE:
                now_us = self._clock.now_us()
                raise Struck(kind, self._quotas.refusal(None, SECOND_US, now_us))
            raise Struck(kind, Refused(refusal, text, status=fault.parameters.get("status")))
        return fault
