"""Proves of every rule that its example fires it as promised, and that its near miss does not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from harness.catalog import Source, load_contract
from harness.compatibility import CompareOptions, compare
from harness.compatibility.rules import ALWAYS_JUDGED, Rule, catalogue
from harness.compatibility.rules.fixtures import (
    FOLDER,
    GRAPHQL,
    Example,
    Side,
    document,
    load_example,
)
from harness.model.contract import Contract
from harness.model.errors import MetadataError
from harness.model.finding import Category, Finding, Proof, Verdict

RULES = {rule.id: rule for rule in catalogue()}
SETTINGS = frozenset({"today", "grace_days", "notice_days", "steps_max"})


def loaded(name: str, content: dict[str, Any]) -> Contract:
    if GRAPHQL in content:
        return load_contract(Source(f"{name}.graphql", content[GRAPHQL].encode())).contract
    return load_contract(Source(f"{name}.json", json.dumps(content).encode())).contract


def found(example: Example, side: Side, category: Category) -> list[Finding]:
    """Return everything that is told of a pair of fragments by who picks the rule's category."""
    before, after = example.documents(side)
    old, new = loaded("old", before), loaded("new", after)
    settings, judged = example.settings, frozenset({category})
    given: dict[str, Any] = {k: v for k, v in settings.items() if k != "today"}
    if "today" in settings:
        given["today"] = date.fromisoformat(settings["today"])
    return list(compare(old, new, options=CompareOptions(judged=judged, **given)).findings)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.id)
def test_the_example_fires_the_rule_as_promised(rule: Rule) -> None:
    example = load_example(rule.id)
    all_findings = found(example, example.example, rule.category)
    mine = [f for f in all_findings if f.rule == rule.id]
    assert mine, sorted({f.rule for f in all_findings})
    assert {f.verdict for f in mine} == {example.verdict}
    for finding in mine:
        assert finding.category is rule.category
        assert finding.message.endswith(".")
        if finding.verdict is Verdict.UNPROVEN:
            assert finding.reason
        if finding.verdict is Verdict.BREAKING:
            assert finding.proof is not Proof.NONE
        if finding.proof is Proof.WITNESS:
            assert finding.witness is not None


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.id)
def test_the_near_miss_does_not_fire_the_rule(rule: Rule) -> None:
    example = load_example(rule.id)
    assert example.near_miss != example.example
    assert example.near_miss_why.endswith(".")
    told = found(example, example.near_miss, rule.category)
    assert [f.message for f in told if f.rule == rule.id] == []


def test_a_rule_of_the_wire_breaks_with_proof_or_says_why_it_cannot() -> None:
    """A rule that only ever notes is one whose change harms nobody, and says so by its verdict."""
    for rule in RULES.values():
        if rule.category in {Category.WIRE_REQUEST, Category.WIRE_RESPONSE}:
            example = load_example(rule.id)
            harmless = "-added" in rule.id or "error-status" in rule.id or "-removed" in rule.id
            assert example.verdict is not Verdict.COMPATIBLE or harmless, rule.id


def test_every_rule_has_an_example_and_every_example_a_rule() -> None:
    files = {path.stem for path in FOLDER.glob("*.yaml")}
    assert sorted(RULES.keys() - files) == []
    assert sorted(files - RULES.keys()) == []
    assert {p.suffix for p in FOLDER.iterdir()} == {".yaml"}


def test_settings_of_examples_are_known() -> None:
    for name in RULES:
        assert load_example(name).settings.keys() <= SETTINGS, name


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.id)
def test_nobody_hears_of_a_category_that_was_not_picked(rule: Rule) -> None:
    if rule.category in ALWAYS_JUDGED:
        return
    example = load_example(rule.id)
    old, new = (loaded("side", d) for d in example.documents(example.example))
    told = [f for f in compare(old, new).findings if f.rule == rule.id]
    assert {f.verdict for f in told} <= {Verdict.COMPATIBLE}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("old: 1\nnew: 2\n", "are needed"),
        ("around: operation\nold: 1\nnew: 2\nnear_miss: {new: 3, why: x}\nfoo: 1\n", "'foo'"),
        ("around: moon\nold: 1\nnew: 2\nnear_miss: {new: 3, why: x}\n", "around is one of"),
        ("around: operation\nold: 1\nnew: 2\nnear_miss: {new: 3}\n", "near_miss needs"),
    ],
)
def test_a_malformed_example_is_refused_with_its_reason(
    content: str, complaint: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.compatibility.rules import fixtures

    (tmp_path / "some-rule.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setattr(fixtures, "FOLDER", tmp_path)
    with pytest.raises(MetadataError, match=complaint):
        load_example("some-rule")
    with pytest.raises(MetadataError, match="no example"):
        load_example("other-rule")


def test_a_fragment_becomes_a_whole_document() -> None:
    made = document("parameter", {"name": "limit", "schema": {"type": "integer"}}, openapi="3.0.3")
    parameter = made["paths"]["/things"]["get"]["parameters"][0]
    assert made["openapi"] == "3.0.3"
    assert parameter == {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    assert "openapi" not in document("document", {"swagger": "2.0"})
