"""An accepted difference stays visible and fails nobody, until its day or its cause is gone."""

from __future__ import annotations

from datetime import date

import pytest

from harness.gate.accepted import apply_accepted, read_accepted
from harness.gate.counting import DEFAULT_CATEGORIES, FailLevel, exit_code
from harness.model.errors import DocumentError, MetadataError
from harness.model.finding import Category, Finding, Report, Verdict, overall_verdict

MARK = "0123456789ab"
TEXT = f"""accepted: 1
differences:
  - fingerprint: "{MARK}"
    reason: Nobody reads this member.
    owner: channel owner
    expires: "2026-12-31"
"""
BREAKING = Finding(MARK, "response-enum-value-added", Category.WIRE_RESPONSE, Verdict.BREAKING, "x")


def judged(day: str, text: str = TEXT, *findings: Finding) -> tuple[Finding, ...]:
    accepted = read_accepted(text.encode(), "contracts/accepted.yaml")
    return apply_accepted(findings or (BREAKING,), accepted, date.fromisoformat(day))


def code(findings: tuple[Finding, ...]) -> int:
    report = Report("diff", "", overall_verdict(findings), findings)
    return int(exit_code(report, DEFAULT_CATEGORIES, FailLevel()))


@pytest.mark.parametrize("day", ["2026-11-23", "2026-12-31"])
def test_it_holds_up_to_and_on_its_last_day(day: str) -> None:
    (finding,) = judged(day)
    assert finding.verdict is Verdict.BREAKING
    assert finding.accepted is not None
    assert finding.accepted.owner == "channel owner"
    assert code((finding,)) == 0


def test_the_day_after_it_counts_and_says_so() -> None:
    first, second = judged("2027-01-01")
    assert first.accepted is None
    assert second.rule == "accepted-difference-expired"
    assert second.category is Category.POLICY
    assert second.verdict is Verdict.BREAKING
    assert MARK in second.message
    assert str(second.places.new) == "contracts/accepted.yaml:3:5"
    assert code((first, second)) == 1
    assert code((second,)) == 1


@pytest.mark.parametrize("day", ["2026-11-23", "2027-01-01"])
def test_an_entry_for_nothing_fails_the_build(day: str) -> None:
    other = Finding("ba9876543210", "x", Category.DOCS, Verdict.COMPATIBLE, "y")
    first, second = judged(day, TEXT, other)
    assert first == other
    assert second.rule == "accepted-difference-unmatched"
    assert second.places.new is not None
    assert second.places.new.line == 3
    assert code((second,)) == 1


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("2026-12-31", "2026-02-30"), 6, "2026-02-30"),
        (("2026-12-31", "soon"), 6, "soon"),
        (("    owner: channel owner\n", ""), 3, "owner"),
        (("Nobody reads this member.", "ok"), 4, "ok"),
        (("owner:", "ovner:"), 5, "ovner"),
    ],
)
def test_a_mistake_is_told_with_its_line(change: tuple[str, str], line: int, words: str) -> None:
    with pytest.raises(MetadataError, match=words) as caught:
        read_accepted(TEXT.replace(*change).encode(), "accepted.yaml")
    assert f"accepted.yaml:{line}:" in str(caught.value)


def test_a_fingerprint_that_stands_twice_is_told_at_its_second_place() -> None:
    twice = TEXT + TEXT.partition("differences:\n")[2]
    with pytest.raises(MetadataError, match="stands twice") as caught:
        read_accepted(twice.encode(), "accepted.yaml")
    assert caught.value.location is not None
    assert caught.value.location.line == 7


def test_text_that_is_no_yaml_is_a_document_error() -> None:
    with pytest.raises(DocumentError):
        read_accepted(b"accepted: [1", "accepted.yaml")
