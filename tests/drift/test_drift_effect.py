"""Proves how bad a difference is for the business, at the edges between the grades."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.drift import ScanTarget
from harness.drift.effect import with_context
from harness.model.contract import Contract
from harness.model.finding import Category, Finding, Severity, Verdict
from harness.model.ports import Credentials

MAPPING: dict[str, Any] = {
    "capabilities": {"list_orders": {"operation": "orders/v1#listOrders"}},
    "objects": {
        "order": {
            "fields": [
                {"system": "/total", "canonical": "/grand_total"},
                {"system": "/status", "canonical": "/order_state"},
                {"system": "/gift/note", "canonical": "/greeting"},
                {"canonical": "/channel", "constant": "shop"},
                {
                    "system": "/lines",
                    "canonical": "/lines",
                    "each": [{"system": "/count", "canonical": "/quantity"}],
                },
            ]
        }
    },
}
OPERATION = "GET /orders"


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    path = tmp_path_factory.mktemp("effect") / "openapi.json"
    responses = {"200": {"description": "ok"}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/orders": {"get": {"operationId": "listOrders", "responses": responses}},
            "/other": {"get": {"operationId": "other", "responses": responses}},
        },
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_contract(path).contract


def found(
    field: str,
    *,
    rule: str = "observed-format-violated",
    severity: Severity = Severity.MEDIUM,
    verdict: Verdict = Verdict.BREAKING,
    operation: str = OPERATION,
    old: Any = None,
) -> Finding:
    return Finding(
        fingerprint="0123456789ab",
        rule=rule,
        category=Category.WIRE_RESPONSE,
        verdict=verdict,
        message="m",
        operations=(operation,),
        field=field,
        severity=severity,
        old=old,
    )


def judged(
    contract: Contract, *findings: Finding, mapping: dict[str, Any] | None = MAPPING
) -> tuple[Finding, ...]:
    target = ScanTarget("shop", "orders/v1", Credentials(), mapping=mapping)
    return with_context(findings, target, contract)


@pytest.mark.parametrize(
    ("field", "severity", "touched", "word"),
    [
        ("total", Severity.CRITICAL, ("/grand_total",), "money"),
        ("orders[].total", Severity.CRITICAL, ("/grand_total",), "money"),
        ("payload.orders[].lines[].count", Severity.CRITICAL, ("/lines/quantity",), "stock"),
        ("status", Severity.CRITICAL, ("/order_state",), "orders"),
        ("gift.note", Severity.HIGH, ("/greeting",), "mapped fields"),
        ("gift", Severity.HIGH, ("/greeting",), "mapped fields"),  # above a mapped field
        ("total.amount", Severity.CRITICAL, ("/grand_total",), "money"),  # below one
        ("gift.paper", Severity.MEDIUM, (), "No mapping reads"),  # beside one
        ("totals", Severity.MEDIUM, (), "No mapping reads"),  # a name that only begins alike
        ("a.b.c.total", Severity.MEDIUM, (), "No mapping reads"),  # too deep to be an envelope
    ],
)
def test_severity_follows_what_the_field_becomes(
    contract: Contract, field: str, severity: Severity, touched: tuple[str, ...], word: str
) -> None:
    (finding,) = judged(contract, found(field))

    assert finding.severity is severity
    assert finding.context.canonical_fields == touched
    assert word in (finding.context.effect or "")


def test_an_unmapped_field_is_never_more_than_medium_and_never_raised(
    contract: Contract,
) -> None:
    high, low = (judged(contract, found("x", severity=s))[0] for s in (Severity.HIGH, Severity.LOW))

    assert (high.severity, low.severity) == (Severity.MEDIUM, Severity.LOW)


def test_without_a_mapping_the_rule_alone_decides(contract: Contract) -> None:
    (finding,) = judged(contract, found("x", severity=Severity.HIGH), mapping=None)

    assert finding.severity is Severity.HIGH
    assert "treat it as read" in (finding.context.effect or "")


def test_an_addition_stays_mild_even_beside_money(contract: Contract) -> None:
    addition = found("total", verdict=Verdict.COMPATIBLE, severity=Severity.LOW)
    (finding,) = judged(contract, addition)

    assert finding.severity is Severity.LOW
    assert finding.context.canonical_fields == ()


@pytest.mark.parametrize(
    ("finding", "severity"),
    [
        (found("", rule="observed-body-unreadable"), Severity.CRITICAL),
        (found("", rule="observed-body-missing"), Severity.CRITICAL),
        (found("(status 200)", rule="observed-media-type-undocumented"), Severity.CRITICAL),
        (found("(status 418)", rule="observed-status-undocumented"), Severity.MEDIUM),
        (found("(header x-rate)", rule="observed-header-missing"), Severity.MEDIUM),
        (found("", rule="observed-body-missing", operation="GET /other"), Severity.MEDIUM),
        (found("orders", rule="observed-required-missing"), Severity.CRITICAL),
        (found("orders", rule="observed-type-changed", old="array"), Severity.CRITICAL),
        (found("cursor", rule="observed-type-changed", old="string"), Severity.MEDIUM),
        (
            found("orders", rule="observed-required-missing", operation="GET /other"),
            Severity.MEDIUM,
        ),
    ],
)
def test_a_whole_answer_lost_is_critical_only_where_a_capability_reads_it(
    contract: Contract, finding: Finding, severity: Severity
) -> None:
    assert judged(contract, finding)[0].severity is severity


def test_the_worst_comes_first_and_breaking_before_the_rest(contract: Contract) -> None:
    addition = found("new", verdict=Verdict.COMPATIBLE, severity=Severity.CRITICAL)
    shown = judged(contract, addition, found("x"), found("gift.note"), found("total"))

    assert [f.field for f in shown] == ["total", "gift.note", "x", "new"]
