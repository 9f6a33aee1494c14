"""A severity policy grades by the first line that fits, and tells mistakes with their line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.compatibility.rules import catalogue
from harness.gate.mistakes import problems_of
from harness.gate.severity import apply_severity, read_severity, severity_of
from harness.model.errors import MetadataError
from harness.model.finding import Category, Context, Finding, Occurrence, Severity, Verdict

TEXT = """severity: 1
grades:
  - rule: response-enum-value-added
    fields: ["*.orderStatus"]
    severity: critical
    reason: The engine stops on a state it does not know.
  - rule: response-*
    operations: ["GET /orders/*"]
    severity: high
    reason: Every channel reads its orders here.
  - category: wire-response
    severity: low
    reason: Nobody reads the rest of the answers.
"""


def finding(rule: str, field: str = "", operation: str = "GET /stock") -> Finding:
    return Finding(
        "0" * 12,
        rule,
        Category.WIRE_REQUEST if rule.startswith("request") else Category.WIRE_RESPONSE,
        Verdict.BREAKING,
        "x",
        operations=(operation,),
        field=field,
    )


@pytest.mark.parametrize(
    ("one", "severity"),
    [
        (finding("response-enum-value-added", "orders[].orderStatus"), Severity.CRITICAL),
        (finding("response-enum-value-added", "orders[].state"), Severity.LOW),
        (finding("response-enum-value-added", "a[]", "GET /orders/{id}"), Severity.HIGH),
        (finding("response-type-changed", "", "GET /orders/7"), Severity.HIGH),
        (finding("request-type-changed"), None),
    ],
)
def test_the_first_grade_that_fits_decides(one: Finding, severity: Severity | None) -> None:
    (graded,) = apply_severity([one], read_severity(TEXT.encode(), "severity.yaml"))
    assert graded.severity is severity
    assert graded.verdict is one.verdict


def test_operation_and_field_must_fit_at_one_place() -> None:
    text = """severity: 1
grades:
  - rule: response-*
    operations: ["GET /orders"]
    fields: ["*[].state"]
    severity: high
    reason: The list of orders is what counts.
"""
    policy = read_severity(text.encode(), "severity.yaml")
    shown = {"GET /orders": "orders[].memo", "GET /orders/{id}": "order[].state"}
    one = replace(
        finding("response-type-changed", "orders[].memo"),
        operations=tuple(shown),
        occurrences=tuple(Occurrence(o, f) for o, f in shown.items()),
    )
    other = replace(one, occurrences=(Occurrence("GET /orders", "orders[].state"),))
    assert [f.severity for f in apply_severity([one, other], policy)] == [None, Severity.HIGH]


def test_the_reason_becomes_the_effect_unless_one_is_known() -> None:
    policy = read_severity(TEXT.encode(), "severity.yaml")
    one = finding("response-type-changed", operation="GET /orders/7")
    known = Finding(
        *("0" * 12, "response-type-changed", Category.WIRE_RESPONSE, Verdict.BREAKING, "x"),
        context=Context(effect="orders stop"),
    )
    first, second = apply_severity([one, known], policy)
    assert first.context.effect == "Every channel reads its orders here."
    assert second.context.effect == "orders stop"


def test_no_policy_changes_nothing() -> None:
    one = finding("response-type-changed")
    assert apply_severity([one], None) == (one,)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("response-enum-value-added", "response-enum-valeu-added"), 3, "response-enum-value-adde"),
        (("response-*", "answer-*"), 7, "driftgate rules"),
        (("  - category: wire-response\n    sev", "  - sev"), 11, "name a rule or a category"),
        (("severity: low", "severity: off"), 12, "off"),
        (("severity: low", "level: low"), 12, "level"),
        (("Nobody reads the rest of the answers.", "so"), 13, "so"),
    ],
)
def test_a_mistake_is_told_with_its_line(change: tuple[str, str], line: int, words: str) -> None:
    with pytest.raises(MetadataError) as caught:
        read_severity(TEXT.replace(*change).encode(), "severity.yaml")
    told = str(caught.value)
    assert words in told
    assert f"severity.yaml:{line}:" in told


def test_the_policy_of_a_system_is_found_in_its_folder(tmp_path: Path) -> None:
    assert severity_of(tmp_path) is None
    (tmp_path / "severity.yaml").write_text(TEXT)
    policy = severity_of(tmp_path)
    assert policy is not None
    assert policy.path == str(tmp_path / "severity.yaml")
    assert len(policy.grades) == 3


def test_validation_sees_what_the_schema_cannot(tmp_path: Path) -> None:
    path = tmp_path / "severity.yaml"
    path.write_text(TEXT.replace("response-enum-value-added", "no-such-rule"))
    (problem,) = problems_of("severity", path)
    assert problem.rule == "unknown-rule"
    assert problem.location is not None
    assert problem.location.line == 3
    waivers = tmp_path / "accepted.yaml"
    entry = '{fingerprint: "0123456789ab", reason: It is fine., owner: us, expires: "2027-01-01"}'
    waivers.write_text(f"accepted: 1\ndifferences: [{entry}, {entry}]\n")
    assert [p.rule for p in problems_of("accepted", waivers)] == ["duplicate-entry"]


def test_every_rule_of_a_comparison_can_be_graded() -> None:
    for rule in catalogue():
        text = (
            f"severity: 1\ngrades: [{{rule: {rule.id}, severity: low, reason: It is tolerable.}}]"
        )
        assert read_severity(text.encode(), "severity.yaml").grades[0].rule == rule.id


@pytest.mark.parametrize(
    "rule", ["observed-operation-undocumented", "contract-removed", "version-bump-too-small"]
)
def test_rules_of_the_scan_and_of_the_gate_are_known(rule: str) -> None:
    text = f"severity: 1\ngrades: [{{rule: {rule}, severity: low, reason: It is tolerable.}}]"
    assert read_severity(text.encode(), "severity.yaml").grades[0].rule == rule
