"""What counts: the categories a gate looks at, and how bad a finding must be to fail it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from harness.model.errors import ExitCode, UsageError
from harness.model.finding import Category, Finding, Report, Severity, Verdict

DEFAULT_CATEGORIES = frozenset({Category.WIRE_REQUEST, Category.WIRE_RESPONSE, Category.POLICY})


def parse_categories(text: str) -> frozenset[Category]:
    """Read ``wire-request,docs``; ``all`` is every one. Raises ``UsageError`` for another word."""
    if text.strip() == "all":
        return frozenset(Category)
    return frozenset(_category(word.strip()) for word in text.split(","))


def _category(word: str) -> Category:
    try:
        return Category(word)
    except ValueError:
        names = [c.value for c in Category]
        near = get_close_matches(word, names, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Use {', '.join(names)} or all."
        msg = f"--category does not know {word!r}."
        raise UsageError(msg, remedy=hint) from None


def counts(finding: Finding, categories: frozenset[Category]) -> bool:
    """Say whether a finding counts in verdict, headline and exit code.

    What a consumer is known to lose counts whatever was picked: naming consumers asks for it.
    """
    if finding.accepted is not None:
        return False
    lost = finding.category is Category.DATA_LOSS and finding.context.consumers != ()
    return finding.category in categories or (lost and finding.verdict is Verdict.BREAKING)


def uncounted(findings: Iterable[Finding], categories: frozenset[Category]) -> int:
    """Return how many findings would matter if their category had been picked."""
    return sum(
        f.accepted is None and f.verdict is not Verdict.COMPATIBLE and not counts(f, categories)
        for f in findings
    )


@dataclass(frozen=True, slots=True)
class FailLevel:
    """What makes the exit code 1: verdicts, and breaking findings from a severity upwards."""

    verdicts: frozenset[Verdict] = frozenset({Verdict.BREAKING})
    severity: Severity | None = None

    @staticmethod
    def parse(text: str) -> FailLevel:
        """Read ``breaking,unproven``, ``high`` or ``none``; ``UsageError`` for another word.

        ``high`` stands for breaking findings graded high or worse. One that nobody graded fails
        too: how bad it is is not known, and unknown is not harmless.
        """
        if text.strip() == "none":
            return FailLevel(frozenset())
        verdicts: set[Verdict] = set()
        severities: list[Severity] = []
        for word in (part.strip() for part in text.split(",")):
            if word in {v.value for v in Verdict}:
                verdicts.add(Verdict(word))
            elif word in {s.value for s in Severity}:
                severities.append(Severity(word))
            else:
                msg = f"--fail-on does not know {word!r}."
                known = ", ".join(s.value for s in Severity)
                remedy = f"Use breaking, unproven, compatible, none, or a severity: {known}."
                raise UsageError(msg, remedy=remedy)
        return FailLevel(frozenset(verdicts), max(severities, key=_rank, default=None))

    def fails(self, finding: Finding) -> bool:
        """Say whether this finding alone would fail the run."""
        if finding.verdict in self.verdicts:
            return True
        if self.severity is None or finding.verdict is not Verdict.BREAKING:
            return False
        return finding.severity is None or finding.severity.rank <= self.severity.rank


def _rank(severity: Severity) -> int:
    return severity.rank


def exit_code(report: Report, categories: frozenset[Category], level: FailLevel) -> ExitCode:
    """Return the exit code of what counts in a report."""
    kept = tuple(f for f in report.findings if counts(f, categories) and level.fails(f))
    return replace(report, findings=kept).exit_code(frozenset(Verdict))
