"""Asks the rules beside containment about what two contracts have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from harness.compatibility.exchanges.pairing import Structural, Walk
from harness.compatibility.rules import source_names
from harness.compatibility.rules.operation_facts import OperationFacts
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.schema_facts import SchemaFacts
from harness.compatibility.rules.schema_pairs import SchemaPairs
from harness.compatibility.rules.sunsets import Calendar
from harness.model.contract import Contract, ParameterLocation
from harness.model.finding import Category, Sides, Verdict

PAIRS_MAX = 60_000

RULES = (
    Rule(
        "annotations-not-compared",
        "There are more pairs of schemas than the budget, so not every word was compared.",
        Category.POLICY,
        "A comparison within its budget has nothing to say of it.",
    ),
)


def facts(
    old: Contract,
    new: Contract,
    walk: Walk,
    *,
    today: date | None = None,
    grace_days: int = 0,
    notice_days: int = 0,
    judged: frozenset[Category] = frozenset(),
    pairs_max: int = PAIRS_MAX,
) -> Iterator[Structural]:
    """Yield what changed without an exchange that shows it.

    ``walk`` holds the matched operations and the schema pairs they reach; ``today`` is what
    sunsets are measured against, ``None`` when nobody said; ``grace_days`` and ``notice_days`` are
    those of :class:`Calendar`. Names and orders that matter to generated clients alone are told
    when ``judged`` holds sdk-source.
    """
    calendar = Calendar(today, grace_days, notice_days)
    quiet = Category.SDK_SOURCE not in judged
    for found in _all(old, new, walk, calendar, pairs_max):
        if not (quiet and found.rule in source_names.QUIET):
            yield found


def _all(
    old: Contract, new: Contract, walk: Walk, calendar: Calendar, pairs_max: int
) -> Iterator[Structural]:
    operations = OperationFacts(old, new, calendar)
    yield from operations.of_document()
    for before, after in walk.matched:
        yield from operations.of_pair(before, after)
    there = {o.label: o for o in old.operations}
    for item in walk.structural:
        if item.rule == "operation-removed" and item.operation in there:
            yield from operations.of_removed(there[item.operation])
    pairs = SchemaPairs(old, new, pairs_max, _always_sent(new))
    schemas = SchemaFacts(old, new, calendar, parameters=_swagger_parameters(old))
    for meeting in pairs.meetings(walk.roots):
        yield from schemas.of(meeting)
    for change, left, right in source_names.component_changes(old, new, pairs.met):
        where = Sides(left, right)
        yield Structural(
            change.rule,
            change.verdict,
            "",
            change.message,
            old=change.old,
            new=change.new,
            pointer=where,
        )
    if pairs.spent:
        message = f"More than {pairs_max} pairs of schemas differ; the rest was not compared."
        yield Structural(
            "annotations-not-compared",
            Verdict.UNPROVEN,
            "",
            message,
            reason="budget: too many schema pairs to look at",
        )


def _always_sent(contract: Contract) -> frozenset[str]:
    """Return the schemas of parameters that every call sends: their default is never used."""
    return frozenset(
        p.schema
        for operation in (*contract.operations, *contract.webhooks)
        for p in operation.parameters
        if p.schema is not None and (p.required or p.location is ParameterLocation.PATH)
    )


def _swagger_parameters(contract: Contract) -> frozenset[str]:
    """Return the parameters that are their own schema, as in Swagger 2.0."""
    return frozenset(
        p.pointer
        for operation in contract.operations
        for p in operation.parameters
        if p.schema == p.pointer
    )
