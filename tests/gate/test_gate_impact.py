"""A difference names the consumers whose pacts use it, and lost data they use breaks them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.catalog.sources import Source
from harness.gate.impact import usage, with_consumers
from harness.gate.pacts import pact_from_bytes, pacts_from
from harness.model.contract import Contract
from harness.model.errors import DocumentError, MetadataError, UsageError
from harness.model.finding import Category, Direction, Finding, Occurrence, Proof, Verdict

LIST, MAKE = "GET /orders/{id}", "POST /orders"


@pytest.fixture
def contract() -> Contract:
    answers = {"responses": {"200": {"description": "ok"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://shop.example/api"}],
        "paths": {"/orders/{id}": {"get": answers}, "/orders": {"post": answers}},
    }
    return load_contract(Source("openapi.json", json.dumps(document).encode())).contract


def pact(consumer: str, *interactions: dict[str, Any], provider: str = "shop") -> bytes:
    data = {
        "consumer": {"name": consumer},
        "provider": {"name": provider},
        "interactions": [{"description": "a call", **one} for one in interactions],
    }
    return json.dumps(data).encode()


READS = {
    "request": {"method": "get", "path": "/api/orders/7", "query": "view=full"},
    "response": {
        "status": 200,
        "headers": {"X-Total": "1"},
        "body": {"lines": [{"sku": "a"}, {"price": {"amount": "1"}}], "tags": {"red": {"on": 1}}},
    },
}
SENDS = {
    "request": {"method": "POST", "path": "/orders", "body": {"buyer": {"name": "x"}}},
    "response": {"status": 200},
}


def finding(
    field: str,
    operation: str = LIST,
    direction: Direction = Direction.RESPONSE,
    category: Category = Category.WIRE_RESPONSE,
    verdict: Verdict = Verdict.BREAKING,
    rule: str = "a-rule",
) -> Finding:
    return Finding(
        *("0" * 12, rule, category, verdict, f"{field} changed."),
        direction=direction,
        operations=("GET /other", operation),
        field=field,
    )


def named(one: Finding, contract: Contract, *others: str) -> Finding:
    pacts = [
        pact_from_bytes(pact("reader", READS), "pacts/reader.json"),
        pact_from_bytes(pact("writer", SENDS), "pacts/writer.json"),
    ]
    (result,) = with_consumers([one], usage(pacts, contract, frozenset(others)))
    return result


@pytest.mark.parametrize(
    ("field", "touched"),
    [
        ("lines", True),
        ("lines[]", True),
        ("lines[].sku", True),
        ("lines[].price.amount", True),
        ("tags.*.on", True),
        ("tags.*.off", False),
        ("header.x-total", True),
        ("header.X-Total", True),
        ("status.200", True),
        ("status.404", False),
        ("", True),
        ("lines[].state", False),
        ("sku", False),
    ],
)
def test_who_reads_a_field_is_named(field: str, touched: bool, contract: Contract) -> None:
    result = named(finding(field), contract)
    assert result.context.consumers == (("reader",) if touched else ())


@pytest.mark.parametrize(
    ("field", "rule", "touched"),
    [
        ("buyer.name", "request-enum-value-removed", True),
        ("buyer.tax", "request-enum-value-removed", False),
        ("buyer.tax", "request-required-property-added", True),
        ("buyer.name", "request-property-became-required", False),
        ("seller.name", "request-required-property-added", False),
        ("total", "request-required-property-added", True),
        ("query.region", "request-parameter-added-required", True),
    ],
)
def test_who_sends_a_field_or_fails_to_is_named(
    field: str, rule: str, touched: bool, contract: Contract
) -> None:
    one = finding(field, MAKE, Direction.REQUEST, Category.WIRE_REQUEST, rule=rule)
    assert named(one, contract).context.consumers == (("writer",) if touched else ())


def test_the_field_at_the_consumers_operation_is_what_counts(contract: Contract) -> None:
    shared = replace(
        finding("orders[].lines[].sku"),
        occurrences=(
            Occurrence("GET /other", "orders[].lines[].sku"),
            Occurrence(LIST, "lines[].sku"),
        ),
    )
    assert named(shared, contract).context.consumers == ("reader",)
    elsewhere = replace(shared, occurrences=(Occurrence(LIST, "lines[].memo"),), field="lines")
    assert named(elsewhere, contract).context.consumers == ()


def test_lost_data_that_a_consumer_reads_is_breaking(contract: Contract) -> None:
    lost = finding(
        "lines[].sku", category=Category.DATA_LOSS, verdict=Verdict.COMPATIBLE, rule="gone"
    )
    result = named(lost, contract)
    assert result.verdict is Verdict.BREAKING
    assert result.proof is Proof.STRUCTURE
    assert result.message == "lines[].sku changed. reader reads it."
    assert result.reason == "recorded in pacts/reader.json#/interactions/0"
    assert result.fingerprint == lost.fingerprint


def test_lost_data_that_nobody_uses_stays_as_it_was(contract: Contract) -> None:
    lost = finding("memo", category=Category.DATA_LOSS, verdict=Verdict.COMPATIBLE)
    assert named(lost, contract) == lost


def test_a_pact_with_another_system_says_nothing(contract: Contract) -> None:
    assert named(finding("lines"), contract, "shop").context.consumers == ()


def test_a_folder_of_pacts_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(pact("b", READS))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.json").write_bytes(pact("a", SENDS))
    assert [p.consumer for p in pacts_from(tmp_path)] == ["b", "a"]
    assert [p.consumer for p in pacts_from(tmp_path / "b.json")] == ["b"]


def test_what_is_no_pact_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        pacts_from(tmp_path / "none")
    with pytest.raises(UsageError, match="no Pact files"):
        pacts_from(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(MetadataError, match="no Pact file"):
        pacts_from(tmp_path)
    deep = "[" * 100_000
    with pytest.raises(DocumentError):
        pact_from_bytes(deep.encode(), "pacts/deep.json")
    with pytest.raises(MetadataError) as caught:
        pact_from_bytes(b"{}", "pacts/empty.json")
    assert str(caught.value).startswith("pacts/empty.json")
