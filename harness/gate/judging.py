"""One pair of contracts, judged with everything the user chose: ``diff`` and ``gate`` share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from harness.compatibility import CompareOptions, compare
from harness.gate.beside import Folder
from harness.gate.counting import DEFAULT_CATEGORIES, counts
from harness.model.contract import Contract
from harness.model.finding import Category, Finding, NotChecked, Verdict
from harness.model.values import Json

if TYPE_CHECKING:
    from harness.consumers import Pact
    from harness.gate.accepted import AcceptedFile
    from harness.gate.severity import SeverityPolicy


def _nobody(_phase: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Choices:
    """What holds for every pair of a run.

    ``today`` is the date that expiry and sunsets are measured against; ``grace_days`` and
    ``notice_days`` are those of :class:`harness.compatibility.CompareOptions`. ``accepted`` and
    ``severity`` replace the files beside the contracts; ``use_accepted`` false ignores both.
    ``lap`` is told the name of each phase of a comparison that just ended.
    """

    today: date
    categories: frozenset[Category] = DEFAULT_CATEGORIES
    check_version: bool = False
    pacts: tuple[Pact, ...] = ()
    use_accepted: bool = True
    accepted: AcceptedFile | None = None
    severity: SeverityPolicy | None = None
    strict_open: bool = False
    grace_days: int = 0
    notice_days: int = 0
    lap: Callable[[str], None] = _nobody

    def options(self) -> CompareOptions:
        """Return how to compare: what was picked beyond the usual is judged too."""
        return CompareOptions(
            strict_open=self.strict_open,
            judged=self.categories - DEFAULT_CATEGORIES,
            today=self.today,
            grace_days=self.grace_days,
            notice_days=self.notice_days,
            lap=self.lap,
        )


@dataclass(frozen=True, slots=True)
class Files:
    """The files beside a pair that decide with it, and the systems it does not belong to."""

    accepted: AcceptedFile | None = None
    severity: SeverityPolicy | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one pair: findings, and what was applied on the way.

    ``callers`` are the consumers whose pacts call this contract.
    """

    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    operations: int = 0
    title: str = ""
    version: dict[str, Json] = field(default_factory=dict)
    callers: tuple[str, ...] = ()
    files: Files = field(default_factory=Files)


def files_beside(folders: tuple[Folder | None, ...], choices: Choices) -> Files:
    """Return the files that apply: those named, else the first found beside NEW, then OLD.

    ``folders`` stand in that order. Raises ``MetadataError`` for a file with mistakes.
    """
    known = tuple(f for f in folders if f is not None)
    accepted = choices.accepted
    if accepted is None and choices.use_accepted:
        accepted = next((a for f in known if (a := f.accepted()) is not None), None)
    severity = choices.severity
    if severity is None:
        severity = next((s for f in known if (s := f.severity()) is not None), None)
    others = known[0].others() if known and choices.pacts else frozenset()
    return Files(accepted if choices.use_accepted else None, severity, others)


def judge(
    old: Contract,
    new: Contract,
    choices: Choices,
    files: Files,
    problems: tuple[Finding, ...] = (),
) -> Judged:
    """Return what clients of ``old`` meet in ``new``, with consumers, version and waivers.

    ``problems`` are findings about the documents themselves; waivers and severities hold for
    them as well.
    """
    report = compare(old, new, options=choices.options())
    findings = report.findings
    callers: tuple[str, ...] = ()
    if choices.pacts:
        from harness.gate.impact import usage, with_consumers

        used = usage(choices.pacts, old, files.others)
        findings, callers = with_consumers(findings, used), used.consumers
        choices.lap("consumers")
    version: dict[str, Json] = {}
    if choices.check_version:
        from harness.gate.advice import version_advice

        advice = version_advice(old, new, findings)
        version = advice.details
        findings = (*findings, *advice.findings)
    return Judged(
        decided((*problems, *findings), choices, files),
        report.not_checked,
        int(report.summary.get("operations_compared", 0)),
        report.title,
        version,
        callers,
        files,
    )


def decided(findings: tuple[Finding, ...], choices: Choices, files: Files) -> tuple[Finding, ...]:
    """Return findings with waivers applied, graded, and marked where they do not count."""
    if files.accepted is not None:
        from harness.gate.accepted import apply_accepted

        findings = apply_accepted(findings, files.accepted, choices.today)
    if files.severity is not None:
        from harness.gate.severity import apply_severity

        findings = apply_severity(findings, files.severity)
    return tuple(
        f
        if f.verdict is Verdict.COMPATIBLE or f.accepted or counts(f, choices.categories)
        else replace(f, counted=False)
        for f in findings
    )


def about(document: str, judged: Judged) -> Judged:
    """Return the same, each finding naming the document it is about."""
    named = tuple(replace(f, context=replace(f.context, api=document)) for f in judged.findings)
    return replace(judged, findings=named)
