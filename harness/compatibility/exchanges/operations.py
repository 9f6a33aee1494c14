"""Walks two contracts operation by operation: what is gone, new, or to be compared by schema."""

from __future__ import annotations

from functools import partial

from harness.compatibility.exchanges.answers import Answers
from harness.compatibility.exchanges.bodies import Bodies
from harness.compatibility.exchanges.calls import Calls
from harness.compatibility.exchanges.incoming import Incoming
from harness.compatibility.exchanges.pairing import Walk
from harness.compatibility.exchanges.parameters import Parameters
from harness.compatibility.exchanges.paths import (
    Matches,
    Signposts,
    matched_incoming,
    matched_operations,
)
from harness.compatibility.exchanges.security import compare_schemes, compare_security
from harness.compatibility.exchanges.servers import compare_servers
from harness.compatibility.exchanges.statuses import Answering, number_for
from harness.model.contract import Contract, Operation
from harness.model.finding import Sides
from harness.model.values import Json


def walk_contracts(old: Contract, new: Contract) -> Walk:
    """Match operations and collect what differs and what must be compared by schema."""
    walk = Walk()
    contracts, calls = (old, new), (Calls(old), Calls(new))
    outgoing = matched_operations(old, new)
    _taken_over(walk, outgoing)
    pairs = outgoing.pairs + outgoing.taken_over
    compare_servers(walk, pairs, calls[0])
    compare_schemes(walk, old, new)
    _unmatched(walk, outgoing, new, calls[0])
    for pair in pairs:
        Parameters(walk, contracts, pair, calls[0]).compare()
        Bodies(walk, contracts, pair, calls[0]).compare()
        Answers(walk, contracts, pair, calls).compare()
        compare_security(walk, contracts, pair, calls[0])
        _deprecated(walk, *pair)
    incoming = matched_incoming(old, new)
    _unmatched(walk, incoming, new, calls[0])
    for pair in incoming.pairs:
        Incoming(walk, contracts, pair, calls).compare()
        _deprecated(walk, *pair)
    walk.matched = pairs + incoming.pairs
    walk.compared = len(walk.matched)
    walk.sample = partial(_sample, old, calls[0])
    return walk


def _sample(old: Contract, calls: Calls, label: str) -> dict[str, Json]:
    known = (o for o in (*old.operations, *old.webhooks) if o.label == label)
    operation = next(known, None)
    return _worked(operation, calls) if operation is not None else {}


def _unmatched(walk: Walk, found: Matches, new: Contract, calls: Calls) -> None:
    signposts = Signposts(new.operations if found.gone else ())
    added = {o.label for o in found.added}
    for lost in found.gone:
        hint = "" if lost.incoming else signposts.hint(lost, added)
        walk.breaks(
            f"{_noun(lost)}-removed",
            lost.label,
            f"{lost.label} is gone{'; ' + hint if hint else ''}.",
            old=lost.label,
            pointer=Sides(lost.pointer),
            exchange=_worked(lost, calls),
        )
    for operation in found.added:
        noun = _noun(operation)
        walk.notes(
            f"{noun}-added",
            operation.label,
            f"The {noun} is new.",
            new=operation.label,
            pointer=Sides(None, operation.pointer),
        )


def _noun(operation: Operation) -> str:
    if not operation.incoming:
        return "operation"
    return "callback" if operation.via else "webhook"


def _worked(lost: Operation, calls: Calls) -> dict[str, Json]:
    """Return the exchange that used to work, with the answer its clients wait for."""
    answering = Answering(lost.responses)
    success = next((r for r in lost.responses if answering.is_success(r)), None)
    made = calls.call(lost)
    if success is not None:
        status = number_for(success, answering)
        made |= calls.answer(success, status=status, by_consumer=lost.incoming)
    return made


def _taken_over(walk: Walk, outgoing: Matches) -> None:
    for before, after in outgoing.taken_over:
        walk.notes(
            "operation-path-generalised",
            before.label,
            f"Calls of {before.path} fall under {after.path} now and are compared with it.",
            old=before.path,
            new=after.path,
            pointer=Sides(before.pointer, after.pointer),
        )


def _deprecated(walk: Walk, before: Operation, after: Operation) -> None:
    if after.deprecated and not before.deprecated:
        walk.notes(
            "operation-deprecated",
            before.label,
            "The operation is deprecated now.",
            pointer=Sides(before.pointer, after.pointer),
            old=False,
            new=True,
        )
