"""An operation and everything prepared for it, made on its first call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harness.model.contract import Contract, Operation
from harness.model.values import Json
from harness.simulation.faults import Fault
from mocks.kit.calls import Answer, AskFirst, Call, RefusalKind, Refused
from mocks.kit.routing import Route
from mocks.kit.simulator import Simulator
from mocks.kit.validation import RequestChecker, Schemas, check_answer, check_event


@dataclass(slots=True, eq=False)
class Bound:
    """One operation, ready to be called."""

    route: Route
    address: str
    operation: Operation
    api: str
    version: str
    schemas: Schemas
    checker: RequestChecker
    handler: Callable[[Call], Answer | AskFirst] | None
    costs: bool


class Binder:
    """Binds the operations of one simulator to their checks and handlers."""

    def __init__(
        self, simulator: Simulator, *, costs: Callable[[str], bool], check_answers: bool
    ) -> None:
        """Compile nothing yet; ``costs`` says whether a cost-based quota covers an address."""
        setup = simulator.setup
        limits = setup.behaviour.get("limits", {})
        self._simulator = simulator
        self._costs = costs
        self._check_answers = check_answers
        self._contracts: Mapping[str, Contract] = setup.contracts
        self._schemas = {api: Schemas(contract) for api, contract in setup.contracts.items()}
        self._unknown_query = str(setup.behaviour.get("unknown_query", "refuse"))
        self._body_bytes_max = int(limits.get("request_bytes_max", 10_000_000))
        self._bound: dict[str, Bound] = {}

    def bind(self, route: Route) -> Bound:
        """Return the operation of a route."""
        address = route.address
        bound = self._bound.get(address)
        if bound is None:
            schemas = self._schemas[route.api]
            api, _, version = route.api.partition("/")
            checker = RequestChecker(
                route.operation,
                schemas,
                unknown_query=self._unknown_query,
                body_bytes_max=self._body_bytes_max,
            )
            bound = self._bound[address] = Bound(
                route,
                address,
                route.operation,
                api,
                version,
                schemas,
                checker,
                self._simulator.handler(route.api, route.operation.operation_id),
                self._costs(address),
            )
        return bound

    def run(
        self, bound: Bound, call: Call, twice: Fault | None, *, checked: bool
    ) -> Answer | AskFirst:
        """Let the handler answer, twice where a fault says so; raises ``WrongAnswerError``."""
        if bound.handler is None:
            msg = f"the simulator of {self._simulator.system_name} does not imitate {bound.address}"
            raise Refused(RefusalKind.INTERNAL, msg, pointer=bound.operation.pointer, status=501)
        answer = bound.handler(call)
        if twice is not None:
            second = bound.handler(replace(call, request_id=f"{call.request_id}-again"))
            if twice.parameters.get("answer", "second") == "second":
                answer = second
        if checked:
            self.check(bound, answer)
        return answer

    def check(self, bound: Bound, answer: Answer | AskFirst) -> None:
        """Hold an answer against the contract where the run wants that."""
        if self._check_answers and isinstance(answer, Answer):
            check_answer(bound.operation, bound.schemas, answer, bound.address)

    def check_event(self, address: str, body: Json) -> None:
        """Hold an event against the contract's ``webhooks`` where the run wants that."""
        if not self._check_answers:
            return
        api, _, name = address.partition("#")
        contract = self._contracts.get(api)
        for operation in contract.webhooks if contract is not None else ():
            if name in (operation.operation_id, operation.path.lstrip("/")):
                check_event(operation, self._schemas[api], body, address)
                return
        msg = f"no contract served here describes the event {address}"
        raise LookupError(msg)
