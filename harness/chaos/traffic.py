"""The promises about traffic: an engine must leave its channels room to breathe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from harness.chaos.ledger import Ledger, call_json
from harness.chaos.verdicts import Breach
from harness.model.instants import SECOND_US
from mocks.kit.books import BookKind, Books, CallRecord

_JUDGED_FROM_CALLS = 20  # a share of fewer calls says nothing
_JUDGED_FROM_EFFECTS = 10
_PATIENCE_SHARE = 0.9  # of the time one token takes; the rest is for clocks and rounding
_THROTTLED = ("throttled", "throttle.squeeze")


def quota_respected(ledger: Ledger) -> Iterable[Breach]:
    """After "too many requests", no knocking before the published rate could grant a token.

    Only calls that were refused again count: a call that was let through came early for nobody.
    """
    for books in ledger.books:
        for quota in ledger.behaviours.get(books.system, {}).get("quotas", ()):
            calls = [c for c in books.calls if _under(quota, c)]
            breach = _hammering(ledger, books, quota, calls) or _too_often(
                ledger, books, quota, calls
            )
            if breach:
                yield breach


def _under(quota: Mapping[str, Any], call: CallRecord) -> bool:
    operation = call.operation_id
    if operation is None or operation == "token":
        return False
    return any(
        wanted in ("*", operation) or wanted.rpartition("#")[2] == operation
        for wanted in quota["operations"]
    )


def _hammering(
    ledger: Ledger, books: Books, quota: Mapping[str, Any], calls: Sequence[CallRecord]
) -> Breach | None:
    if quota["kind"] != "token_bucket":
        return None
    token_us = round(SECOND_US / float(quota["rate_per_second"]))
    patience_us = token_us * _PATIENCE_SHARE
    worst: list[CallRecord] = []
    early: list[CallRecord] = []
    for before, call in pairwise(sorted(calls, key=lambda c: c.at_us)):
        if call.outcome not in _THROTTLED:
            early = []
        elif before.outcome in _THROTTLED and call.at_us - before.at_us < patience_us:
            early.append(call)
            worst = max(worst, list(early), key=len)
    if len(worst) <= ledger.scenario.tolerances.calls_too_early_max:
        return None
    return Breach(
        system=books.system,
        message=f"{len(worst)} calls in a row knocked at {quota['id']} too early: each had just "
        f"been refused, and a token takes {token_us / SECOND_US:g} s.",
        samples=[call_json(c) for c in worst],
        checked=len(calls),
        at_us=worst[0].at_us,
        request_id=worst[0].request_id,
        operations=tuple(quota["operations"]),
        effect="The channel keeps the account throttled, and everything behind it waits.",
    )


def _too_often(
    ledger: Ledger, books: Books, quota: Mapping[str, Any], calls: Sequence[CallRecord]
) -> Breach | None:
    throttled = [c for c in calls if c.outcome == "throttled"]
    most = ledger.scenario.tolerances.throttled_share_max
    if len(calls) < _JUDGED_FROM_CALLS or len(throttled) <= len(calls) * most:
        return None
    return Breach(
        system=books.system,
        message=f"{len(throttled)} of {len(calls)} calls under {quota['id']} were throttled; "
        f"{most:.0%} is the most this scenario accepts.",
        samples=[call_json(c) for c in throttled],
        checked=len(calls),
        at_us=throttled[0].at_us,
        request_id=throttled[0].request_id,
        operations=tuple(quota["operations"]),
        effect="The quota is spent on refusals instead of orders and stock.",
    )


def retries_bounded(ledger: Ledger) -> Iterable[Breach]:
    """Retries stay in proportion: few writes per effect, no repeating what was refused for good."""
    for books in ledger.books:
        yield from _amplified(ledger, books)
        yield from _repeated_refusals(ledger, books)


def _amplified(ledger: Ledger, books: Books) -> Iterator[Breach]:
    by_request = {c.request_id: c for c in books.calls}
    effects: dict[str, set[tuple[str, str]]] = {}
    for entry in books.entries:
        call = by_request.get(entry.request_id or "")
        if call is None or call.operation_id is None or entry.kind is BookKind.TOKEN_ISSUED:
            continue
        # An upsert that lands twice has one effect; a quantity that is published twice has two.
        once = entry.kind in (BookKind.SALES_ORDER_CREATED, BookKind.SALES_ORDER_UPDATED)
        mark = ("order", entry.key) if once else ("entry", str(entry.sequence))
        effects.setdefault(call.operation_id, set()).add(mark)
    most = ledger.scenario.tolerances.writes_per_effect_max
    for operation, marks in sorted(effects.items()):
        calls = [c for c in books.calls if c.operation_id == operation]
        if len(marks) < _JUDGED_FROM_EFFECTS or len(calls) <= most * len(marks):
            continue
        yield Breach(
            system=books.system,
            message=f"{operation} was called {len(calls)} times for {len(marks)} effects; "
            f"{most:g} calls per effect is the most this scenario accepts.",
            samples=[call_json(c) for c in calls if c.outcome != "answered"],
            checked=len(calls),
            at_us=calls[0].at_us,
            operations=(operation,),
            effect="A small outage grows into a large one.",
        )


def _repeated_refusals(ledger: Ledger, books: Books) -> Iterator[Breach]:
    runs: dict[tuple[str, str], list[CallRecord]] = {}
    longest: list[CallRecord] = []
    for call in books.calls:
        if call.outcome == "invalid":
            run = runs.setdefault((call.method, call.path), [])
            run.append(call)
            longest = max(longest, list(run), key=len)
        elif call.outcome == "answered":
            runs.pop((call.method, call.path), None)
    if len(longest) <= ledger.scenario.tolerances.refused_repeats_max:
        return
    first = longest[0]
    yield Breach(
        system=books.system,
        message=f"{first.method} {first.path} was refused as invalid {len(longest)} times in a "
        "row: it can never succeed.",
        samples=[call_json(c) for c in longest],
        checked=len(books.calls),
        at_us=first.at_us,
        request_id=first.request_id,
        operations=(first.operation_id,) if first.operation_id else (),
        effect="One poisoned message spends the quota of all the others.",
    )
