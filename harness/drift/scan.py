"""One scan from plan to result."""

from __future__ import annotations

from collections.abc import Callable

from harness.conformance.judge import ExchangeJudge
from harness.conformance.observation import Pile, Subject, findings_from
from harness.drift.access import Refusal, sign_in
from harness.drift.collect import Collector
from harness.drift.effect import with_context
from harness.drift.known import KnownValues
from harness.drift.plan import PlannedOperation, plan
from harness.drift.target import Budget, OperationCoverage, ScanResult, ScanTarget
from harness.model.contract import Contract
from harness.model.errors import TransportError
from harness.model.exchange import Headers
from harness.model.finding import NotChecked
from harness.model.ports import Clock, HttpClient, Streams


def _quiet(_text: str) -> None:
    return


async def scan(
    target: ScanTarget,
    contract: Contract,
    *,
    client: HttpClient,
    clock: Clock,
    streams: Streams,
    budget: Budget | None = None,
    progress: Callable[[str], None] = _quiet,
) -> ScanResult:
    """Return whether the live system still keeps ``contract``, with evidence.

    Only reading operations are called, inside half of each declared burst. What could not be
    looked at is in ``not_checked`` and never counts as clean. Raises ``UsageError`` when a
    credential is missing; trouble of the outside world is an answer, not an error.
    """
    budget = budget or Budget()
    started = clock.now_us()
    planned = plan(target, contract, budget)
    headers = await _headers(target, client, budget, progress)
    if isinstance(headers, Refusal):
        return _nothing(target, contract, planned, headers, started, clock.now_us())
    subject = Subject(target.name, target.api)
    judge = ExchangeJudge(contract, subject=subject)
    collector = Collector(
        contract,
        client=client,
        clock=clock,
        streams=streams,
        budget=budget,
        known=KnownValues(target.known, usual_values(target)),
        headers=headers,
    )
    pile = Pile()
    waiting = list(planned)
    while waiting:
        # What can be addressed goes first: its answers may hold the ids that the others lack.
        ready = (at for at, step in enumerate(waiting) if collector.ready(step.operation))
        step = waiting.pop(next(ready, 0))
        progress(f"{step.operation.label}: up to {step.calls} calls")
        async for exchange in collector.collect(step):
            seen = judge.observe(exchange, step.operation, requests=False)
            pile.add(seen, same_exchange=False)
    found = findings_from(pile.all(), contract=contract, subject=subject, checked=collector.judged)
    return ScanResult(
        target=target,
        contract=contract.source,
        contract_version=contract.version,
        started_us=started,
        finished_us=clock.now_us(),
        findings=with_context(found, target, contract),
        not_checked=collector.not_checked() or _no_operations(target, planned),
        coverage=collector.coverage(),
    )


def usual_values(target: ScanTarget) -> dict[str, list[str]]:
    """Return the fixed query values of our own calls, from the capabilities of the mapping.

    ``includedData`` decides which members come at all: without it the members that the mapping
    reads might never be seen. Several capabilities of one operation add up.
    """
    usual: dict[str, list[str]] = {}
    for capability in (target.mapping or {}).get("capabilities", {}).values():
        api, _, operation = str(capability.get("operation", "")).partition("#")
        if api != target.api:
            continue
        for name, value in (capability.get("query") or {}).items():
            if "{" in str(value):
                continue
            values = usual.setdefault(f"{operation}.{name}", [])
            values += [v for v in str(value).split(",") if v not in values]
    return usual


async def _headers(
    target: ScanTarget, client: HttpClient, budget: Budget, progress: Callable[[str], None]
) -> Headers | Refusal:
    progress(f"{target.name}: signing in")
    try:
        return await sign_in(
            client, target.behaviour, target.credentials, timeout_s=budget.timeout_s
        )
    except TransportError as error:
        return Refusal(
            f"the target cannot be reached: {error.message}",
            "Check the address, and that the system is up.",
        )


def _no_operations(
    target: ScanTarget, planned: tuple[PlannedOperation, ...]
) -> tuple[NotChecked, ...]:
    if planned:
        return ()
    reason = "the contract has no reading operation"
    return (NotChecked(f"{target.name} {target.api}", reason, "Scan another API."),)


def _nothing(
    target: ScanTarget,
    contract: Contract,
    planned: tuple[PlannedOperation, ...],
    refusal: Refusal,
    started: int,
    finished: int,
) -> ScanResult:
    whole = NotChecked(f"{target.name} {target.api}", refusal.reason, refusal.remedy)
    return ScanResult(
        target=target,
        contract=contract.source,
        contract_version=contract.version,
        started_us=started,
        finished_us=finished,
        findings=(),
        not_checked=(whole,),
        coverage=tuple(
            OperationCoverage(p.operation.label, p.calls, 0, 0, 0, {}, refusal.reason)
            for p in planned
        ),
    )
