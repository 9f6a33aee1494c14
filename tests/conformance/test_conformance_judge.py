"""Proves that each way an answer can depart from its contract gets its own rule, and no other."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.conformance import RULES, ExchangeJudge, Subject
from harness.model.exchange import Exchange, HttpRequest, HttpResponse
from harness.model.finding import Verdict
from harness.model.values import resolve_pointer

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/orders/{id}": {
            "get": {
                "operationId": "getOrder",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {
                        "description": "ok",
                        "headers": {"x-rate": {"required": True, "schema": {"type": "integer"}}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Order"}}
                        },
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["id", "lines", "pin"],
                "properties": {
                    "id": {"type": "string", "maxLength": 8},
                    "state": {"type": "string", "enum": ["NEW", "SENT"]},
                    "at": {"type": "string", "format": "date-time"},
                    "pin": {"type": "string", "writeOnly": True},
                    "ship": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "buyer": {"type": "object", "properties": {"email": {"type": "string"}}},
                    "closed": {"type": "object", "additionalProperties": False},
                    "shut": {
                        "type": "object",
                        "properties": {"a": {}},
                        "additionalProperties": False,
                    },
                    "map": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "lines": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"quantity": {"type": "integer", "minimum": 0}},
                        },
                    },
                },
            }
        }
    },
}
GOOD: dict[str, Any] = {
    "id": "A1", "state": "NEW", "at": "2026-01-01T00:00:00Z", "ship": None,
    "map": {"any": 1}, "lines": [{"quantity": 1}],
}  # fmt: skip


@pytest.fixture
def judge(tmp_path: Path) -> ExchangeJudge:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return ExchangeJudge(load_contract(path).contract, subject=Subject("shop", "orders/v1"))


def answered(
    body: Any, *, status: int = 200, kind: str = "application/json", rate: str | None = "5"
) -> Exchange:
    headers = (("content-type", kind), *((("x-rate", rate),) if rate else ()))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(HttpRequest("GET", "/orders/A1"), HttpResponse(status, headers, raw))


def test_a_conforming_answer_gives_no_finding(judge: ExchangeJudge) -> None:
    assert judge.judge(answered(GOOD)) == ()


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"state": "LOST"}, "enum-value-unknown", "state"),
        ({"state": 5}, "type-changed", "state"),
        ({"state": None}, "null-not-allowed", "state"),
        ({"id": "A" * 9}, "length-out-of-range", "id"),
        ({"at": "yesterday"}, "format-violated", "at"),
        ({"ship": 4}, "type-changed", "ship"),
        ({"closed": {"x": 1}}, "field-forbidden", "closed"),
        ({"shut": {"x": 1}}, "field-forbidden", "shut.x"),
        ({"map": {"any": "1"}}, "type-changed", "map.any"),
        ({"lines": [{"quantity": -1}]}, "value-out-of-range", "lines[].quantity"),
        ({"lines": {"quantity": 1}}, "type-changed", "lines"),
        ({"extra": 1}, "field-undeclared", "extra"),
        ({"lines": [{"quantity": 1, "gift": True}]}, "field-undeclared", "lines[].gift"),
    ],
)
def test_one_departure_is_one_finding_of_its_own_rule(
    judge: ExchangeJudge, change: dict[str, Any], rule: str, field: str
) -> None:
    findings = judge.judge(answered({**GOOD, **change}))

    assert [(f.rule, f.field) for f in findings] == [(f"observed-{rule}", field)]
    assert findings[0].pointer.old is not None
    assert resolve_pointer(judge.contract.document, findings[0].pointer.old) is not None


def test_a_missing_member_is_named_and_one_that_never_travels_is_not(judge: ExchangeJudge) -> None:
    body = copy.deepcopy(GOOD)
    del body["id"]

    assert [(f.rule, f.field) for f in judge.judge(answered(body))] == [
        ("observed-required-missing", "id")
    ]


@pytest.mark.parametrize(
    ("exchange", "rule"),
    [
        (answered(GOOD, status=418), "status-undocumented"),
        (answered(GOOD, kind="text/html"), "media-type-undocumented"),
        (answered(GOOD, rate=None), "header-missing"),
        (answered(GOOD, rate="many"), "header-invalid"),
        (answered(b""), "body-missing"),
        (answered(b"{"), "body-unreadable"),
        (Exchange(HttpRequest("GET", "/x"), HttpResponse(200)), "operation-undocumented"),
    ],
)
def test_what_surrounds_the_body_is_judged_too(
    judge: ExchangeJudge, exchange: Exchange, rule: str
) -> None:
    assert [f.rule for f in judge.judge(exchange)] == [f"observed-{rule}"]


def test_a_hundred_bad_items_are_one_finding(judge: ExchangeJudge) -> None:
    many = {**GOOD, "lines": [{"quantity": str(n)} for n in range(100)]}
    (finding,) = judge.judge(answered(many))

    assert finding.field == "lines[].quantity"
    assert "100 values" in finding.message
    assert finding.new == "0"


def test_the_fingerprint_ignores_the_value_and_knows_the_field(judge: ExchangeJudge) -> None:
    (one,) = judge.judge(answered({**GOOD, "state": "LOST"}))
    (two,) = judge.judge(answered({**GOOD, "state": "GONE"}))
    (other,) = judge.judge(answered({**GOOD, "at": "never"}))

    assert one.fingerprint == two.fingerprint != other.fingerprint


def test_personal_data_is_masked_in_sample_and_evidence(judge: ExchangeJudge) -> None:
    body = {**GOOD, "buyer": {"email": ["ann@example.com"]}}
    (finding,) = judge.judge(answered(body))

    assert finding.verdict is Verdict.BREAKING
    assert "ann@example.com" not in str(finding.to_json())


def test_every_rule_says_why_and_what_to_do() -> None:
    for rule in RULES.values():
        assert rule.why.endswith(".")
        assert rule.action.endswith(".")
