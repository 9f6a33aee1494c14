"""Proves what announced ends, levels of stability and open lists excuse, and what they do not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from harness.catalog import Source, load_contract
from harness.compatibility import compare
from harness.compatibility.exchanges.operations import walk_contracts
from harness.compatibility.rules.beside import facts
from harness.compatibility.rules.excuses import excused
from harness.compatibility.rules.lifecycle import tolerated, unstable_operations
from harness.compatibility.rules.open_enums import DECLARED_OPEN, declared_open
from harness.compatibility.rules.sunsets import Calendar, announced, may_be_removed, sunset_of
from harness.model.contract import Contract
from harness.model.finding import Proof, Verdict

TODAY = date(2026, 6, 1)


def contract(operation: dict[str, Any] | None, **more: Any) -> Contract:
    paths: dict[str, Any] = {"/other": {"get": {"responses": {"200": {"description": "ok"}}}}}
    if operation is not None:
        paths["/things"] = {"get": {"responses": {"200": {"description": "ok"}}, **operation}}
    info = {"title": "Shop", "version": "1", **more}
    content = {"openapi": "3.1.0", "info": info, "paths": paths}
    return load_contract(Source("shop.json", json.dumps(content).encode())).contract


def said(old: Contract, new: Contract, **more: Any) -> list[tuple[str, str]]:
    found = facts(old, new, walk_contracts(old, new), **more)
    return [(f.rule, f.verdict.value) for f in found]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-05-31", date(2026, 5, 31)),
        ("2026-05-31T23:59:59Z", date(2026, 5, 31)),
        (" 2026-05-31 ", date(2026, 5, 31)),
        ("31.05.2026", None),
        ("2026-02-30", None),
        (20260531, None),
        (None, None),
    ],
)
def test_a_sunset_is_a_date_or_nothing(text: Any, day: date | None) -> None:
    assert sunset_of({"x-sunset": text}) == day


@pytest.mark.parametrize(
    ("operation", "today", "grace_days", "may"),
    [
        ({"deprecated": True, "x-sunset": "2026-05-31"}, TODAY, 0, True),
        ({"deprecated": True, "x-sunset": "2026-06-01"}, TODAY, 0, True),
        ({"deprecated": True, "x-sunset": "2026-06-02"}, TODAY, 0, False),
        ({"deprecated": True, "x-sunset": "2026-05-31"}, TODAY, 30, False),
        ({"deprecated": True, "x-sunset": "2026-05-02"}, TODAY, 30, True),
        ({"x-sunset": "2026-01-01"}, TODAY, 0, False),
        ({"deprecated": True}, TODAY, 0, False),
        ({"deprecated": True, "x-sunset": "soon"}, TODAY, 0, False),
        ({"deprecated": True, "x-sunset": "2026-01-01"}, None, 0, False),
    ],
)
def test_a_removal_is_in_order_after_sunset_and_grace_alone(
    operation: dict[str, Any], today: date | None, grace_days: int, may: bool
) -> None:
    old, new = contract(operation), contract(None)
    calendar = Calendar(today, grace_days)
    things = next(o for o in old.operations if o.path == "/things")
    assert may_be_removed(things, calendar) is may
    told = announced(walk_contracts(old, new).structural, old, calendar)
    wanted = "operation-removed-after-sunset" if may else "operation-removed"
    assert [item.rule for item in told] == [wanted]
    assert (told[0].verdict is Verdict.COMPATIBLE) is may
    assert (told[0].exchange is None) is may


def test_a_removal_without_a_warning_is_noted_and_against_a_promise_breaks() -> None:
    silent = said(contract({}), contract(None), today=TODAY)
    assert silent == [("removed-without-deprecation", "compatible")]
    early = contract({"deprecated": True, "x-sunset": "2026-06-02"})
    assert said(early, contract(None), today=TODAY) == [("removed-before-sunset", "breaking")]
    assert said(early, contract(None)) == []
    assert said(contract({"deprecated": True}), contract(None), today=TODAY) == []


def test_the_whole_api_may_have_a_sunset() -> None:
    old, new = contract({}), contract({}, **{"x-sunset": "2026-06-10"})
    assert said(old, new, today=TODAY) == [("sunset-added", "compatible")]
    assert said(old, new, today=TODAY, notice_days=30) == [
        ("sunset-too-soon", "breaking"),
        ("sunset-added", "compatible"),
    ]


def test_a_property_that_was_promised_to_stay_is_missed() -> None:
    def answering(properties: dict[str, Any]) -> Contract:
        schema = {"type": "object", "properties": properties}
        content = {"application/json": {"schema": schema}}
        return contract({"responses": {"200": {"description": "ok", "content": content}}})

    fax = {"type": "string", "deprecated": True, "x-sunset": "2027-01-01"}
    found = said(answering({"fax": fax, "id": {}}), answering({"id": {}}), today=TODAY)
    assert found == [("removed-before-sunset", "breaking")]
    assert said(answering({"fax": {}, "id": {}}), answering({"id": {}}), today=TODAY) == []


def test_unfinished_operations_may_change_and_say_so() -> None:
    old = contract({"x-stability-level": "alpha", "parameters": []})
    required = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    new = contract({"x-stability-level": "alpha", "parameters": [required]})
    levels = unstable_operations(old)
    assert levels == {"GET /things": "alpha"}
    findings = compare(old, new).findings
    excused = list(tolerated(findings, levels))
    told = [f for f in excused if f.rule == "request-parameter-added-required"]
    assert [f.verdict for f in told] == [Verdict.COMPATIBLE]
    assert "alpha" in told[0].reason
    assert told[0].witness is None
    stable = [f for f in findings if f.rule == "request-parameter-added-required"]
    assert [f.verdict for f in tolerated(stable, {})] == [f.verdict for f in stable]


def test_a_lowered_level_is_not_excused_by_itself() -> None:
    old, new = contract({"x-stability-level": "alpha"}), contract({"x-stability-level": "draft"})
    kept = list(tolerated(compare(old, new).findings, unstable_operations(old)))
    assert [(f.rule, f.verdict) for f in kept if f.rule.startswith("stability")] == [
        ("stability-lowered", Verdict.BREAKING)
    ]


@pytest.mark.parametrize(
    ("schema", "is_open"),
    [
        ({"enum": ["a"], "x-extensible-enum": True}, True),
        ({"x-extensible-enum": ["a", "b"]}, True),
        ({"enum": ["a"], "x-ms-enum": {"name": "A", "modelAsString": True}}, True),
        ({"enum": ["a"], "x-ms-enum": {"name": "A", "modelAsString": False}}, False),
        ({"enum": ["a"], "x-extensible-enum": False}, False),
        ({"enum": ["a"]}, False),
        (True, False),
    ],
)
def test_only_a_declaration_opens_a_list(schema: Any, is_open: bool) -> None:
    assert declared_open(schema) is is_open


def answering(schema: dict[str, Any], *, named: bool = False) -> Contract:
    content = {"application/json": {"schema": schema}}
    if named:
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/things": {
                "get": {"responses": {"200": {"description": "ok", "content": content}}},
                "post": {
                    "requestBody": {"required": True, "content": content},
                    "responses": {"204": {"description": "ok"}},
                },
            }
        },
        "components": {"schemas": {"State": schema}},
    }
    return load_contract(Source("shop.json", json.dumps(document).encode())).contract


@pytest.mark.parametrize("named", [False, True])
def test_a_list_that_was_declared_open_may_grow_in_answers_and_not_shrink_in_requests(
    named: bool,
) -> None:
    def verdicts(old: dict[str, Any], new: dict[str, Any]) -> set[tuple[str, Verdict]]:
        before, after = answering(old, named=named), answering(new, named=named)
        found = excused(compare(before, after).findings, before)
        return {(f.rule, f.verdict) for f in found if "enum" in f.rule}

    small = {"type": "string", "enum": ["a"]}
    large = {"type": "string", "enum": ["a", "b"]}
    flag = {"x-extensible-enum": True}
    grown, lost = "response-enum-value-added", "request-enum-value-removed"
    assert verdicts({**small, **flag}, {**large, **flag}) == {(grown, Verdict.COMPATIBLE)}
    assert verdicts(small, {**large, **flag}) == {(grown, Verdict.BREAKING)}
    assert verdicts({**large, **flag}, {**small, **flag}) == {(lost, Verdict.BREAKING)}
    dropped = ("response-enum-dropped", Verdict.COMPATIBLE)
    assert verdicts({**small, **flag}, {"type": "string"}) == {dropped}


def test_an_excuse_says_why_and_shows_no_witness() -> None:
    flag = {"type": "string", "x-extensible-enum": True}
    old, new = answering({**flag, "enum": ["a"]}), answering({**flag, "enum": ["a", "b"]})
    found = [f for f in excused(compare(old, new).findings, old) if f.rule.startswith("response-e")]
    assert [(f.witness, f.proof, f.reason) for f in found] == [(None, Proof.NONE, DECLARED_OPEN)]
