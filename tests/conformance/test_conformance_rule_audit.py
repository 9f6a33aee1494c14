"""Proves of every rule in the catalogue that it fires alone, and that a near miss stays silent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.conformance import RULES, ExchangeJudge
from harness.model.exchange import Exchange, HttpRequest, HttpResponse
from harness.model.finding import Severity, Verdict

JSON = "application/json"
THING: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "state": {"enum": ["NEW", "SENT"]},
        "at": {"type": "string", "format": "date-time"},
        "count": {"type": "integer", "minimum": 0, "maximum": 10, "multipleOf": 2},
        "name": {"type": "string", "minLength": 2, "maxLength": 5},
        "maybe": {"type": ["string", "null"]},
        "tags": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "closed": {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "additionalProperties": False,
        },
        "open": {"type": "object", "additionalProperties": {"type": "integer"}},
        "size": {"oneOf": [{"type": "integer", "maximum": 9}, {"type": "integer", "minimum": 9}]},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/things/{id}": {
            "get": {
                "operationId": "getThing",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {
                        "description": "ok",
                        "headers": {
                            "x-rate": {"required": True, "schema": {"type": "integer"}},
                            "x-note": {"schema": {"type": "string"}},
                        },
                        "content": {JSON: {"schema": THING}},
                    },
                    "204": {"description": "nothing to say"},
                },
            }
        }
    },
}
GOOD: dict[str, Any] = {"id": "A"}


def exchange(
    raw: bytes, *, status: int = 200, kind: str = JSON, rate: str | None = "5", path: str = "A"
) -> Exchange:
    headers = (("content-type", kind), *((("x-rate", rate),) if rate else ()))
    return Exchange(HttpRequest("GET", f"/things/{path}"), HttpResponse(status, headers, raw))


def body(**members: Any) -> Exchange:
    return exchange(json.dumps({**GOOD, **members}).encode())


PLAIN = json.dumps(GOOD).encode()
# By rule: an exchange that breaks it and nothing else, and the closest one that does not.
CASES: dict[str, tuple[Exchange, Exchange]] = {
    "operation-undocumented": (exchange(PLAIN, path="A/parts"), exchange(PLAIN, path="A%2Fparts")),
    "status-undocumented": (exchange(PLAIN, status=201), exchange(b"", status=204)),
    "media-type-undocumented": (
        exchange(PLAIN, kind="text/plain"),
        exchange(PLAIN, kind="Application/JSON; charset=utf-8"),
    ),
    "header-missing": (exchange(PLAIN, rate=None), exchange(PLAIN, rate="0")),
    "header-invalid": (exchange(PLAIN, rate="5.5"), exchange(PLAIN, rate="-5")),
    "body-missing": (exchange(b""), exchange(b"", status=204)),
    "body-unreadable": (exchange(b'{"id":"A"'), exchange(b' {"id":"A"}\n')),
    "required-missing": (exchange(b"{}"), exchange(b'{"id":""}')),
    "null-not-allowed": (body(name=None), body(maybe=None)),
    "type-changed": (body(count="2"), body(count=2.0)),
    "enum-value-unknown": (body(state="new"), body(state="NEW")),
    "format-violated": (body(at="2026-02-30T00:00:00Z"), body(at="2026-02-28T00:00:00.5+01:00")),
    "pattern-violated": (body(code="EURO"), body(code="EUR")),
    "value-out-of-range": (body(count=12), body(count=10)),
    "length-out-of-range": (body(name="A"), body(name="ÄÖÜßé")),
    "item-count-out-of-range": (body(tags=[]), body(tags=[1, 2])),
    "field-forbidden": (body(closed={"a": 1, "b": 1}), body(closed={})),
    "no-alternative-matches": (body(size=9), body(size=8)),
    "schema-violated": (body(tags=[1, 1]), body(tags=[1, "1"])),
    "field-undeclared": (body(extra=1), body(open={"extra": 1})),
}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> ExchangeJudge:
    path = tmp_path_factory.mktemp("audit") / "openapi.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return ExchangeJudge(load_contract(path).contract)


def test_no_rule_goes_without_a_case_and_no_case_without_a_rule() -> None:
    assert {f"observed-{name}" for name in CASES} == set(RULES)


@pytest.mark.parametrize("name", CASES)
def test_the_rule_fires_and_no_other_does(judge: ExchangeJudge, name: str) -> None:
    (finding,) = judge.judge(CASES[name][0])
    rule = RULES[f"observed-{name}"]

    assert (finding.rule, finding.verdict, finding.severity) == (
        rule.id,
        rule.verdict,
        rule.severity,
    )


@pytest.mark.parametrize("name", CASES)
def test_the_near_miss_is_silent(judge: ExchangeJudge, name: str) -> None:
    assert judge.judge(CASES[name][1]) == ()


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"count": -2}, "value-out-of-range"),
        ({"count": 3}, "value-out-of-range"),
        ({"name": "AAAAAA"}, "length-out-of-range"),
        ({"tags": [1, 2, 3]}, "item-count-out-of-range"),
        ({"size": 5.5}, "type-changed"),
    ],
)
def test_the_other_side_of_a_range_fires_the_same_rule(
    judge: ExchangeJudge, members: dict[str, Any], name: str
) -> None:
    assert [f.rule for f in judge.judge(body(**members))] == [f"observed-{name}"]


def test_a_body_that_nobody_promised_is_an_addition(judge: ExchangeJudge) -> None:
    (finding,) = judge.judge(exchange(PLAIN, status=204))

    assert (finding.rule, finding.field) == ("observed-field-undeclared", "(status 204)")


def test_only_an_addition_is_tolerated_and_it_is_the_mildest() -> None:
    tolerated = [r for r in RULES.values() if r.verdict is not Verdict.BREAKING]

    assert [r.id for r in tolerated] == ["observed-field-undeclared"]
    assert tolerated[0].severity is Severity.LOW
    assert all(r.severity.rank < Severity.LOW.rank for r in RULES.values() if r not in tolerated)
