"""Decides which operations a scan calls and how often: reading ones, inside half a burst."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.conformance.probes import read_only
from harness.drift.target import Budget, ScanTarget
from harness.model.contract import Contract, Operation
from harness.model.values import JsonObject


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """One operation and the calls it is granted."""

    operation: Operation
    calls: int


def plan(target: ScanTarget, contract: Contract, budget: Budget) -> tuple[PlannedOperation, ...]:
    """Return the operations in calling order, lists before details, so that ids are learned.

    Production shares the buckets: at most half of a burst is spent, over all operations that
    share it. A bucket of one still grants one call, else nothing could ever be checked.
    """
    chosen = [
        o
        for o in reading_operations(target, contract)
        if not budget.operations or o.operation_id in budget.operations
    ]
    chosen.sort(key=lambda o: (o.path.count("{"), o.method != "GET", o.path, o.method))
    quotas = [q for q in target.behaviour.get("quotas", ()) if q.get("kind") == "token_bucket"]
    left = {str(q["id"]): max(1, int(q.get("burst", 2)) // 2) for q in quotas}
    planned = []
    for operation in chosen:
        own = [str(q["id"]) for q in quotas if _covers(q, target.api, operation)]
        calls = max(0, min([budget.samples, *(left[q] for q in own)]))
        for quota in own:
            left[quota] -= calls
        planned.append(PlannedOperation(operation, calls))
    return tuple(planned)


def reading_operations(target: ScanTarget, contract: Contract) -> tuple[Operation, ...]:
    """Return the operations that change nothing, the only ones a scan may call."""
    marked = frozenset(
        address.rsplit("#", 1)[-1]
        for address in target.behaviour.get("reads", ())
        if _speaks_for(address, target.api)
    )
    return tuple(o for o in contract.operations if read_only(o, marked))


def _covers(quota: JsonObject, api: str, operation: Operation) -> bool:
    addresses: Iterable[str] = quota.get("operations", ())
    return any(a in ("*", f"{api}#{operation.operation_id}", f"{api}#*") for a in addresses)


def _speaks_for(address: str, api: str) -> bool:
    return address.startswith(f"{api}#")
