"""A version is asked for the step its change demands, in the order of its own scheme."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import load_contract
from harness.catalog.sources import Source
from harness.gate.advice import version_advice
from harness.gate.versions import Bump, Scheme, bump, read_version
from harness.model.contract import Contract
from harness.model.finding import Category, Finding, Verdict

ORDERED = (
    ("0.9", "0.10", "1.0", "1.1", "2.0"),
    ("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11"),
    ("1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "2.0.0-rc.1", "2.0.0"),
    ("v0", "v1", "v2", "v10"),
    ("2025-12-31", "2026-01-01-preview", "2026-01-01", "2026-01-02"),
    ("2025-10", "2026-01", "2026-04"),
    ("2025-Q4", "2026-Q1", "2026 Q2"),
    ("2025.2", "2026.1", "2026.10", "2027.1"),
)


def contract(version: str, **more: Any) -> Contract:
    document = {"openapi": "3.1.0", "info": {"title": "Shop", "version": version}, **more}
    text = json.dumps({"paths": {}, **document}, indent=1).encode()
    return load_contract(Source("openapi.json", text)).contract


def finding(verdict: Verdict, category: Category = Category.WIRE_RESPONSE) -> Finding:
    return Finding("0" * 12, "a-rule", category, verdict, "x")


BREAKS = finding(Verdict.BREAKING)
DOUBTS = finding(Verdict.UNPROVEN)
ADDS = finding(Verdict.COMPATIBLE)
TEXTS = finding(Verdict.COMPATIBLE, Category.DOCS)


@pytest.mark.parametrize("chain", ORDERED)
def test_versions_of_one_scheme_are_ordered(chain: tuple[str, ...]) -> None:
    for low, high in pairwise(chain):
        before, after = read_version(low), read_version(high)
        assert before is not None
        assert after is not None
        assert before.scheme is after.scheme
        assert bump(before, after) not in (None, Bump.NONE), (low, high)
        assert bump(after, before) is None


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "2026-13-01", "v", "1.x", "²"])
def test_what_has_no_order_is_not_read(text: str) -> None:
    assert read_version(text) is None


@given(*[st.from_regex(r"v?[0-9]{1,4}([.-][0-9a-zQ]{1,4}){0,3}", fullmatch=True)] * 2)
@settings(max_examples=200, derandomize=True)
def test_the_order_is_the_same_read_from_both_sides(first: str, second: str) -> None:
    one, other = read_version(first), read_version(second)
    if one is None or other is None or one.scheme is not other.scheme:
        return
    up, down = bump(one, other), bump(other, one)
    same = one.order() == other.order()
    assert (up is Bump.NONE, down is Bump.NONE) == (same, same)
    assert same or (up is None) is not (down is None)


@given(st.text(max_size=30))
@settings(max_examples=200, derandomize=True)
def test_any_text_is_read_or_not_and_never_fails(text: str) -> None:
    read = read_version(text)
    assert read is None or read.text == text.strip()


def test_a_leading_v_and_build_data_do_not_matter() -> None:
    first, second = read_version("v1.2.0+7"), read_version("1.2.0+8")
    assert first is not None
    assert second is not None
    assert bump(first, second) is Bump.NONE


def test_a_year_is_no_major_number() -> None:
    read = read_version("2026.1")
    assert read is not None
    assert read.scheme is Scheme.RELEASE


@pytest.mark.parametrize(
    ("old", "new", "change", "rule"),
    [
        ("1.2.3", "2.0.0", BREAKS, None),
        ("1.2.3", "1.3.0", BREAKS, "version-bump-too-small"),
        ("1.2.3", "1.2.3", BREAKS, "version-bump-too-small"),
        ("1.2.3", "1.2.2", BREAKS, "version-went-backwards"),
        ("1.2.3", "1.2.2", TEXTS, "version-went-backwards"),
        ("0.2.3", "0.3.0", BREAKS, None),
        ("0.2.3", "0.2.4", BREAKS, "version-bump-too-small"),
        ("0.2.3", "1.0.0", BREAKS, None),
        ("1.2.3", "1.3.0", DOUBTS, None),
        ("1.2.3", "1.2.4", DOUBTS, "version-bump-too-small"),
        ("1.2.3", "1.3.0", ADDS, None),
        ("1.2.3", "1.2.4", ADDS, "version-bump-too-small"),
        ("1.2.3", "1.2.4", TEXTS, None),
        ("1.2.3", "1.2.3", TEXTS, "version-bump-too-small"),
        ("1.2.3", "2.0.0-rc.1", BREAKS, None),
        ("2.0.0-rc.1", "2.0.0-rc.2", BREAKS, None),
        ("2.0.0-rc.1", "2.0.0-rc.1", BREAKS, "version-bump-too-small"),
        ("1.0", "1.0", TEXTS, None),
        ("1.0", "1.1", BREAKS, "version-bump-too-small"),
        ("1", "1.1", ADDS, None),
        ("v1", "v1", ADDS, None),
        ("v1", "v1", BREAKS, "version-bump-too-small"),
        ("v1", "v2", BREAKS, None),
        ("2026-01-01", "2026-04-01", BREAKS, None),
        ("2026-01-01", "2026-01-01", ADDS, "version-bump-too-small"),
        ("2026-01-01", "2026-01-01", TEXTS, None),
        ("2026-01-01", "2025-10-01", BREAKS, "version-went-backwards"),
        ("2026-Q1", "2026-Q2", BREAKS, None),
        ("2026.1", "2026.1", BREAKS, "version-bump-too-small"),
        ("latest", "latest", ADDS, "version-not-judged"),
        ("v1", "2026-01-01", BREAKS, "version-not-judged"),
        ("", "", BREAKS, "version-not-judged"),
    ],
)
def test_the_step_must_be_the_one_the_change_demands(
    old: str, new: str, change: Finding, rule: str | None
) -> None:
    advice = version_advice(contract(old), contract(new), [change])
    assert [f.rule for f in advice.findings] == ([rule] if rule else [])
    assert advice.details["old"] == old
    assert (advice.details["outcome"] == "enough") is (rule is None)
    for one in advice.findings:
        assert one.category is Category.POLICY
        judged = rule != "version-not-judged"
        assert one.verdict is (Verdict.BREAKING if judged else Verdict.UNPROVEN)
        assert one.places.new is not None
        assert one.places.new.line == 6


def test_the_worst_difference_makes_the_demand_and_the_next_version_is_named() -> None:
    advice = version_advice(contract("v1.4.2"), contract("v1.5.0"), [TEXTS, ADDS, BREAKS])
    assert advice.details["change"] == "major"
    assert advice.details["because"] == "a-rule (breaking)"
    assert advice.details["smallest"] == "v2.0.0"
    assert "v2.0.0 or later" in advice.findings[0].message


def test_an_unproven_difference_says_that_it_may_be_major() -> None:
    advice = version_advice(contract("1.0.0"), contract("1.1.0"), [DOUBTS])
    assert "may be major" in advice.details["note"]


def test_a_document_that_changed_without_a_difference_is_a_patch() -> None:
    same = version_advice(contract("1.0.0"), contract("1.0.0"), [])
    assert (same.details["demanded"], same.findings) == ("none", ())
    edited = version_advice(contract("1.0.0"), contract("1.0.0", tags=[{"name": "a"}]), [])
    assert edited.details["demanded"] == "patch"
    assert [f.rule for f in edited.findings] == ["version-bump-too-small"]


def test_an_unknown_scheme_that_did_not_move_with_nothing_changed_is_enough() -> None:
    assert version_advice(contract("latest"), contract("latest"), []).findings == ()
