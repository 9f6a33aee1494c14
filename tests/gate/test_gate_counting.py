"""Only what was picked counts; what nobody graded is never taken for harmless."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.gate.conclusion import headline, summary_of, verdict_of
from harness.gate.counting import (
    DEFAULT_CATEGORIES,
    FailLevel,
    exit_code,
    parse_categories,
)
from harness.model.errors import UsageError
from harness.model.finding import (
    Accepted,
    Category,
    Context,
    Finding,
    NotChecked,
    Report,
    Severity,
    Verdict,
)


def one(
    category: Category = Category.WIRE_REQUEST,
    verdict: Verdict = Verdict.BREAKING,
    severity: Severity | None = None,
) -> Finding:
    return Finding("0" * 12, "a-rule", category, verdict, "x", severity=severity)


def code(level: str, *findings: Finding, pick: str = "wire-request", missing: bool = False) -> int:
    left = (NotChecked("a", "b"),) if missing else ()
    report = Report("diff", "", Verdict.COMPATIBLE, findings, left)
    return int(exit_code(report, parse_categories(pick), FailLevel.parse(level)))


@pytest.mark.parametrize(
    ("level", "finding", "expected"),
    [
        ("breaking", one(), 1),
        ("breaking", one(verdict=Verdict.UNPROVEN), 0),
        ("breaking,unproven", one(verdict=Verdict.UNPROVEN), 1),
        ("none", one(), 0),
        ("high", one(severity=Severity.CRITICAL), 1),
        ("high", one(severity=Severity.HIGH), 1),
        ("high", one(severity=Severity.MEDIUM), 0),
        ("high", one(), 1),
        ("high", one(verdict=Verdict.UNPROVEN, severity=Severity.CRITICAL), 0),
        ("high,unproven", one(verdict=Verdict.UNPROVEN, severity=Severity.LOW), 1),
        ("high,breaking", one(severity=Severity.LOW), 1),
        ("breaking", one(Category.WIRE_RESPONSE), 0),
    ],
)
def test_the_fail_level_decides_the_exit_code(level: str, finding: Finding, expected: int) -> None:
    assert code(level, finding) == expected


def test_the_lowest_of_several_severities_holds() -> None:
    assert code("critical,medium", one(severity=Severity.MEDIUM)) == 1


@pytest.mark.parametrize("level", ["none", "high", "breaking"])
def test_what_was_not_checked_is_never_green(level: str) -> None:
    assert code(level, one(severity=Severity.LOW), pick="docs", missing=True) == 3


@pytest.mark.parametrize("text", ["hihg", "breaking,", ""])
def test_an_unknown_level_says_what_there_is(text: str) -> None:
    with pytest.raises(UsageError, match="--fail-on") as caught:
        FailLevel.parse(text)
    assert "critical" in caught.value.remedy


def test_categories_are_read_and_a_slip_is_corrected() -> None:
    assert parse_categories("docs, policy") == {Category.DOCS, Category.POLICY}
    assert parse_categories("all") == frozenset(Category)
    with pytest.raises(UsageError, match="wire-reqest") as caught:
        parse_categories("wire-reqest")
    assert "wire-request" in caught.value.remedy


def test_what_is_not_picked_is_listed_and_told_but_does_not_count() -> None:
    findings = (one(Category.WIRE_RESPONSE), one(Category.WIRE_RESPONSE, Verdict.UNPROVEN))
    picked = frozenset({Category.WIRE_REQUEST})
    assert verdict_of(findings, (), picked) is Verdict.COMPATIBLE
    assert summary_of(findings, picked, 3) == {
        "breaking": 0,
        "unproven": 0,
        "compatible": 0,
        "not_counted": 2,
        "operations_compared": 3,
    }
    assert headline(findings, picked) == (
        "Nothing that counts breaks clients of the old contract. "
        "2 findings outside the picked categories (wire-request) are not counted."
    )


def test_the_usual_run_says_nothing_about_counting() -> None:
    findings = (one(), one(Category.DOCS, Verdict.COMPATIBLE))
    assert headline(findings, DEFAULT_CATEGORIES) == "1 change breaks clients of the old contract."
    assert summary_of(findings, DEFAULT_CATEGORIES, 1) == {
        "breaking": 1,
        "unproven": 0,
        "compatible": 1,
        "operations_compared": 1,
    }


def test_what_a_consumer_loses_counts_whatever_was_picked() -> None:
    lost = replace(one(Category.DATA_LOSS), context=Context(consumers=("sync-engine",)))
    assert code("breaking", lost) == 1
    assert code("breaking", one(Category.DATA_LOSS)) == 0


def test_an_accepted_finding_is_told_apart_from_an_uncounted_one() -> None:
    accepted = replace(one(), accepted=Accepted("a good reason", "us", "2027-01-01"))
    assert code("breaking", accepted) == 0
    assert headline((accepted,), DEFAULT_CATEGORIES) == (
        "Nothing that counts breaks clients of the old contract. 1 is accepted."
    )
    assert summary_of((accepted,), DEFAULT_CATEGORIES, 0)["accepted"] == 1
