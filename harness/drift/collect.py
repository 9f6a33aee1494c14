"""Calls the planned operations and sorts what comes back into evidence and trouble.

An outage, a closed door and a throttle say nothing about the shape of answers: they are never
drift, and never a clean result either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from harness.conformance.probes import CaseSource, request_for
from harness.drift.known import KnownValues
from harness.drift.plan import PlannedOperation
from harness.drift.target import Budget, OperationCoverage
from harness.model.contract import Contract, Operation, ParameterLocation
from harness.model.errors import TransportError
from harness.model.exchange import Exchange, Headers, HttpResponse
from harness.model.finding import NotChecked
from harness.model.ports import Clock, HttpClient, Streams

_FAILURES_MAX = 2


@dataclass(slots=True)
class _Tally:
    planned: int
    sent: int = 0
    judged: int = 0
    succeeded: int = 0
    failures: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    note: str = ""
    remedy: str = ""
    hint: str = ""  # the remedy when nothing but refusals came


class Collector:
    """Collects exchanges of one scan, operation by operation."""

    def __init__(
        self,
        contract: Contract,
        *,
        client: HttpClient,
        clock: Clock,
        streams: Streams,
        budget: Budget,
        known: KnownValues,
        headers: Headers,
    ) -> None:
        """Prepare the generator; nothing is sent yet."""
        self._contract = contract
        self._client = client
        self._clock = clock
        self._streams = streams
        self._budget = budget
        self._known = known
        self._headers = headers
        self._cases = CaseSource(contract)
        self._tallies: dict[str, _Tally] = {}
        self._gone = ""

    def ready(self, operation: Operation) -> bool:
        """Say whether earlier answers or the user gave what the address of a call needs."""
        return self._known.can_address(operation)

    async def collect(self, planned: PlannedOperation) -> AsyncIterator[Exchange]:
        """Yield the exchanges of one operation that may be judged."""
        operation = planned.operation
        tally = _Tally(planned.calls, hint=_name_one(operation))
        self._tallies[operation.label] = tally
        if self._gone:
            _trouble(tally, self._gone, "Scan again when the target answers.")
            return
        if not planned.calls:
            _trouble(
                tally, "the half of its quota that a scan may use is spent", "Lower --samples."
            )
            return
        seed = self._streams.stream(f"probes {operation.label}").randrange(0, 2**32)
        cases = self._cases.cases(operation, seed=seed, count=planned.calls)
        for turn in range(planned.calls):
            request = request_for(
                self._contract,
                operation,
                cases[turn % len(cases)] if cases else None,
                self._known.for_operation(operation),
                turn=turn,
                now_us=self._clock.now_us(),
            )
            if request is None:
                _trouble(
                    tally,
                    "no request could be made: a required value is neither known nor generated",
                    _name_one(operation),
                )
                return
            tally.sent += 1
            try:
                response = await self._client.send(
                    replace(request, headers=(*request.headers, *self._headers)),
                    timeout_s=self._budget.timeout_s,
                )
            except TransportError as error:
                if self._failed(tally, f"no answer: {error.message}"):
                    self._gone = f"the target stopped answering ({error.message})"
                    return
                continue
            if not self._judgeable(operation, tally, response):
                if tally.failures >= _FAILURES_MAX:
                    return
                continue
            exchange = Exchange(request, response, self._clock.now_us())
            tally.judged += 1
            if 200 <= response.status < 300:
                tally.succeeded += 1
                self._learn(operation, response)
            yield exchange

    def _failed(self, tally: _Tally, why: str) -> bool:
        tally.failures += 1
        _trouble(tally, why, "Scan again when the target answers.")
        return tally.failures >= _FAILURES_MAX

    def _judgeable(self, operation: Operation, tally: _Tally, response: HttpResponse) -> bool:
        tally.statuses[response.status] += 1
        status = response.status
        if status == 429:
            tally.failures = _FAILURES_MAX  # stop at the first: others draw from the same bucket
            _trouble(tally, "throttled (429)", "Scan later, or with fewer --samples.")
        elif status in (401, 403):
            tally.failures = _FAILURES_MAX
            _trouble(
                tally,
                f"authorisation was refused ({status})",
                "Check the token and the roles this account has for the operation.",
            )
        elif status >= 500:
            self._failed(tally, f"the target answered {status}: an outage, not drift")
        elif response.media_type == "text/html" and not _declares_html(operation):
            self._failed(tally, f"a web page came instead of an answer (status {status})")
        else:
            return True
        return False

    def _learn(self, operation: Operation, response: HttpResponse) -> None:
        try:
            self._known.learn(operation, response.json())
        except (ValueError, RecursionError):
            return

    def coverage(self) -> tuple[OperationCoverage, ...]:
        """Return what happened per operation, in calling order."""
        return tuple(
            OperationCoverage(
                operation=label,
                planned=t.planned,
                sent=t.sent,
                judged=t.judged,
                succeeded=t.succeeded,
                statuses=dict(t.statuses),
                note=t.note,
            )
            for label, t in self._tallies.items()
        )

    def not_checked(self) -> tuple[NotChecked, ...]:
        """Return the operations whose success was never seen, each with its reason."""
        missing = []
        for label, tally in self._tallies.items():
            if tally.succeeded:
                continue
            seen = ", ".join(str(s) for s in sorted(tally.statuses))
            reason = tally.note or f"no success was seen, only refusals ({seen})"
            remedy = tally.remedy or tally.hint
            missing.append(NotChecked(label, reason, remedy))
        return tuple(missing)

    def judged(self, label: str) -> int:
        """Return how many exchanges of an operation were judged."""
        return self._tallies[label].judged if label in self._tallies else 0


def _trouble(tally: _Tally, note: str, remedy: str) -> None:
    tally.note, tally.remedy = note, remedy


def _name_one(operation: Operation) -> str:
    """Say how to name an existing value, in words that can be copied."""
    names = [p.name for p in operation.parameters if p.location is ParameterLocation.PATH]
    if not names:
        return "Name an existing value with --known NAME=VALUE."
    wanted = " ".join(f"--known {operation.operation_id}.{name}=VALUE" for name in names)
    return f"Name an existing value with {wanted}, or leave the operation out with --operation."


def _declares_html(operation: Operation) -> bool:
    return any("html" in m.name for r in operation.responses for m in r.content)
