"""The JUnit format is what CI servers read: every finding a case, and never green by silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from harness.model.errors import SourceLocation
from harness.model.finding import (
    Accepted,
    Category,
    Finding,
    NotChecked,
    Places,
    Report,
    Verdict,
    Witness,
)
from reports import render

SAMPLES = Path(__file__).parents[2] / "reports" / "samples"
OUTCOMES = ("failure", "error", "skipped")

FINDING = Finding(
    fingerprint="0123456789ab",
    rule="request-type-changed",
    category=Category.WIRE_REQUEST,
    verdict=Verdict.BREAKING,
    message="quantity: the type integer is no longer accepted here.",
    operations=("POST /orders",),
    field="quantity",
    old="integer",
    new="string",
    witness=Witness({"quantity": 2}, {"method": "POST", "target": "/orders", "body": 2}),
    places=Places(new=SourceLocation("v2/a.yaml", 4)),
)


def parsed(text: str) -> Element:
    """Read the file as a server does, and hold it to the structure that servers agree on."""
    assert "<!DOCTYPE" not in text
    root = fromstring(text)  # noqa: S314 - our own text, and without a document type
    assert root.tag == "testsuites"
    assert_counts(root)
    suites = list(root)
    assert suites, "an empty file reads as a job that did not run"
    for suite in suites:
        assert suite.tag == "testsuite"
        assert suite.get("name")
        assert_counts(suite)
        assert len(suite), "a suite without cases is refused by several servers"
        for case in suite:
            assert_case(case)
    names = [(c.get("classname"), c.get("name")) for c in root.iter("testcase")]
    assert len(set(names)) == len(names), "servers match runs by class and name"
    return root


def assert_counts(element: Element) -> None:
    cases = list(element.iter("testcase"))
    assert element.get("tests") == str(len(cases))
    for tag, attribute in zip(OUTCOMES, ("failures", "errors", "skipped"), strict=True):
        assert element.get(attribute) == str(sum(c.find(tag) is not None for c in cases))


def assert_case(case: Element) -> None:
    assert case.tag == "testcase"
    assert case.get("classname")
    assert case.get("name")
    float(case.get("time", "none"))
    assert [child.tag for child in case] in [
        ["failure"],
        ["error"],
        ["skipped", "system-out"],
        ["system-out"],
    ]
    for child in case:
        if child.tag in OUTCOMES:
            assert child.get("message")
            assert child.tag == "skipped" or child.get("type")


def report_of(*findings: Finding, verdict: Verdict = Verdict.BREAKING) -> Report:
    return Report("diff", "Old against new", verdict, findings, headline="A headline.")


@pytest.mark.parametrize("name", ["scan", "diff"])
def test_the_samples_have_the_structure(name: str) -> None:
    parsed((SAMPLES / f"{name}.junit").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        (Verdict.BREAKING, "failure"),
        (Verdict.NOT_CHECKED, "error"),
        (Verdict.UNPROVEN, "skipped"),
        (Verdict.COMPATIBLE, "system-out"),
    ],
)
def test_each_answer_has_its_outcome(verdict: Verdict, tag: str) -> None:
    root = parsed(render(report_of(replace(FINDING, verdict=verdict, reason="no idea")), "junit"))
    [case] = root.iter("testcase")
    assert case[0].tag == tag
    assert case.get("file") == "v2/a.yaml"
    assert case.get("line") == "4"
    text = case[-1].text or ""
    assert 'old: "integer"' in text
    assert "POST /orders HTTP/1.1" in text
    assert "why: no idea" in text


@pytest.mark.parametrize("verdict", [Verdict.BREAKING, Verdict.UNPROVEN, Verdict.COMPATIBLE])
def test_an_accepted_finding_passes(verdict: Verdict) -> None:
    accepted = Accepted("The client is gone.", "orders team", "2027-01-31")
    finding = replace(FINDING, verdict=verdict, accepted=accepted)
    [case] = parsed(render(report_of(finding), "junit")).iter("testcase")
    assert [child.tag for child in case] == ["system-out"]
    words = "accepted: until 2027-01-31 by orders team: The client is gone."
    assert words in (case[0].text or "")


def test_a_suite_is_an_operation() -> None:
    other = replace(FINDING, fingerprint="b", operations=("GET /orders",))
    whole = replace(FINDING, fingerprint="c", operations=())
    root = parsed(render(report_of(FINDING, other, whole), "junit"))
    names = [suite.get("name") for suite in root]
    assert names == ["the document", "GET /orders", "POST /orders"]


def test_what_was_not_checked_is_an_error() -> None:
    item = NotChecked("GET /a", "throttled", "Try later.")
    report = replace(report_of(verdict=Verdict.NOT_CHECKED), not_checked=(item,))
    [case] = parsed(render(report, "junit")).iter("testcase")
    assert case[0].tag == "error"
    assert case[0].text == "throttled\nTry later."


def test_a_run_without_findings_has_one_passing_case() -> None:
    [case] = parsed(render(report_of(verdict=Verdict.COMPATIBLE), "junit")).iter("testcase")
    assert [child.tag for child in case] == ["system-out"]
    assert "A headline." in (case[0].text or "")


def test_a_run_that_checked_nothing_does_not_pass() -> None:
    [case] = parsed(render(report_of(verdict=Verdict.NOT_CHECKED), "junit")).iter("testcase")
    assert [child.tag for child in case] == ["error"]


def test_text_survives_the_trip_through_xml() -> None:
    text = "a ]]> b & <c> \"d\" 'e' \x00\x1b\ufffe\ud800 \U0001f600"
    report = report_of(replace(FINDING, message=text, field="<f>&\x08"))
    [case] = parsed(render(report, "junit")).iter("testcase")
    assert case[0].get("message") == "a ]]> b & <c> \"d\" 'e' \U0001f600"
    assert (case.get("name") or "").startswith("<f>& ")


def test_huge_values_are_cut() -> None:
    huge = {"rows": ["x" * 100] * 10_000}
    report = report_of(replace(FINDING, new=huge, witness=Witness(huge), message="m" * 100_000))
    text = render(report, "junit")
    parsed(text)
    assert len(text) < 40_000
