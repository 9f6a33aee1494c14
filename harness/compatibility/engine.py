"""Compares two contracts and reports every difference with its verdict and its proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from harness.compatibility.direction import Exploration
from harness.compatibility.exchanges.operations import walk_contracts
from harness.compatibility.findings import finished, structural_findings
from harness.compatibility.rules.beside import facts
from harness.compatibility.rules.excuses import excused
from harness.compatibility.rules.sunsets import Calendar, announced
from harness.model.contract import Contract, Dialect
from harness.model.errors import UsageError
from harness.model.finding import Category, Finding, Report, Verdict, overall_verdict


def _nobody(_phase: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How to compare.

    ``strict_open`` reads silent objects of the writer as open; ``steps_max`` bounds the schema
    pairs looked at in each direction, after which the rest is unproven. ``judged`` adds categories
    that may break beyond the wire and policy. ``today`` is the date that sunsets are measured
    against; ``grace_days`` pass after one before its operation may go, and ``notice_days`` must lie
    between the announcement and the day. ``lap`` is told the name of each phase that just ended, so
    that a caller with a clock can say where the time went.
    """

    strict_open: bool = False
    steps_max: int = 60_000
    judged: frozenset[Category] = frozenset()
    today: date | None = None
    grace_days: int = 0
    notice_days: int = 0
    lap: Callable[[str], None] = _nobody


DEFAULT_OPTIONS = CompareOptions()


def compare(old: Contract, new: Contract, *, options: CompareOptions = DEFAULT_OPTIONS) -> Report:
    """Return what a client of ``old`` meets when ``new`` takes its place."""
    if Dialect.GRAPHQL in {old.dialect, new.dialect}:
        return _graphql(old, new, options)
    walk = walk_contracts(old, new)
    options.lap("match operations")
    findings: list[Finding] = []
    for request in (True, False):
        exploration = Exploration(
            old,
            new,
            [r for r in walk.roots if r.request is request],
            request=request,
            strict_open=options.strict_open,
            steps_max=options.steps_max,
            judged=options.judged,
        )
        findings += exploration.findings()
        options.lap("compare requests" if request else "compare answers")
    beside = facts(
        old,
        new,
        walk,
        today=options.today,
        grace_days=options.grace_days,
        notice_days=options.notice_days,
        judged=options.judged,
        pairs_max=options.steps_max,
    )
    calendar = Calendar(options.today, options.grace_days, options.notice_days)
    told = [*announced(walk.structural, old, calendar), *beside]
    findings += structural_findings(told, options.judged, walk.sample)
    findings = list(excused(findings, old))
    options.lap("rules beside containment")
    result = finished(findings, old, new)
    options.lap("order and locate")
    return _report(old, new, result, walk.compared)


def _graphql(old: Contract, new: Contract, options: CompareOptions) -> Report:
    if old.dialect is not new.dialect:
        first, second = (old, new) if old.dialect is Dialect.GRAPHQL else (new, old)
        msg = f"{first.source} is a GraphQL schema and {second.source} is not"
        raise UsageError(msg, remedy="Compare two versions of the same API.")
    from harness.compatibility.graphql import compare_schemas

    found = compare_schemas(
        old, new, judged=options.judged, steps_max=options.steps_max, lap=options.lap
    )
    return _report(old, new, found.findings, found.operations)


def _report(old: Contract, new: Contract, result: tuple[Finding, ...], operations: int) -> Report:
    counts = {
        v.value: sum(f.verdict is v for f in result)
        for v in (Verdict.BREAKING, Verdict.UNPROVEN, Verdict.COMPATIBLE)
    }
    return Report(
        command="diff",
        title=_title(old, new),
        verdict=overall_verdict(result),
        findings=result,
        headline=_headline(counts),
        summary={**counts, "operations_compared": operations},
    )


def _title(old: Contract, new: Contract) -> str:
    if old.version or new.version or old.dialect is not Dialect.GRAPHQL:
        return f"{old.name}: {old.version} against {new.version}"
    return f"{old.source} against {new.source}"


def _headline(counts: dict[str, int]) -> str:
    if counts["breaking"]:
        noun = "change breaks" if counts["breaking"] == 1 else "changes break"
        return f"{counts['breaking']} {noun} clients of the old contract."
    if counts["unproven"]:
        return f"Nothing proved breaking; {counts['unproven']} left unproven."
    return "Clients of the old contract keep working."
