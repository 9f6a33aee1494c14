"""Proves money, time and code rules, and that shipped mappings fit schema and contract."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from harness.canonical import UNMAPPED, read_object_mapping, to_canonical, to_system
from harness.canonical.money import add, money, read_decimal
from harness.catalog import Catalog, contracts_root, metadata_schema
from harness.model.errors import MetadataError
from harness.model.values import resolve_pointer

RULES: dict[str, Any] = {
    "canonical": "order/v1",
    "codes": {"state": {"NEW": "RELEASED"}},
    "fields": [
        {"canonical": "/external_id", "system": "/id", "convert": "text", "required": True},
        {"canonical": "/order_state", "system": "/status", "code": "state"},
        {"canonical": "/placed_at", "system": "/at", "convert": "instant"},
        {
            "canonical": "/lines",
            "system": "/items",
            "each": [
                {"canonical": "/sku", "system": "/product/sku", "convert": "text"},
                {"canonical": "/price", "system": "/p", "money": {"amount": "v", "currency": "c"}},
            ],
        },
    ],
}
RECORD = {
    "id": "A-1",
    "status": "NEW",
    "at": "2026-03-29T02:30:00.000Z",
    "items": [{"product": {"sku": "X"}, "p": {"v": "10.50", "c": "USD"}}],
}


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("10.5", "USD", "10.50"),
        ("1200", "JPY", "1200"),
        ("1.2345", "KWD", None),
        ("9.99", "JPY", None),
    ],
)
def test_money_has_the_places_of_its_currency(amount: str, currency: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(ValueError, match="decimal places"):
            money(amount, currency)
    else:
        assert money(amount, currency) == {"amount": text, "currency": currency}


def test_a_sum_over_two_currencies_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot add"):
        add([money("1", "USD"), money("1", "EUR")])


@pytest.mark.parametrize("value", [True, "NaN", "Infinity", None, "1,5"])
def test_what_is_no_finite_decimal_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"finite|decimal"):
        read_decimal(value)


def test_a_record_survives_the_way_there_and_back() -> None:
    mapping = read_object_mapping("order", RULES)
    mapped = to_canonical(mapping, RECORD, context={})
    assert mapped.problems == ()
    assert mapped.value["order_state"] == "RELEASED"
    assert to_system(mapping, mapped.value).value == RECORD


def test_an_unknown_code_is_unmapped_and_keeps_its_raw_value() -> None:
    mapped = to_canonical(
        read_object_mapping("order", RULES), {**RECORD, "status": "ODD"}, context={}
    )
    assert mapped.value["order_state"] == UNMAPPED
    assert mapped.value["unmapped"] == [{"field": "/order_state", "raw": "ODD"}]


def test_a_missing_required_field_and_a_time_without_zone_are_problems_with_pointers() -> None:
    record = {**RECORD, "at": "2026-03-29T02:30:00"}
    del record["id"]
    mapped = to_canonical(read_object_mapping("order", RULES), record, context={})
    assert [p.pointer for p in mapped.problems] == ["/id", "/at"]


def test_a_mapping_that_names_an_unknown_converter_is_a_mistake_in_metadata() -> None:
    with pytest.raises(MetadataError, match="magic"):
        read_object_mapping("o", {"canonical": "order/v1", "fields": [{"convert": "magic"}]})


def test_every_shipped_mapping_fits_its_schema_and_names_real_schemas() -> None:
    catalog = Catalog(contracts_root())
    validator = jsonschema_rs.validator_for(dict(metadata_schema("mapping")))
    seen = 0
    for system in catalog.system_names():
        for api, version in catalog.apis(system):
            mapping = catalog.mapping(system, api, version)
            if mapping is None:
                continue
            seen += 1
            assert [e.message for e in validator.iter_errors(mapping)] == []
            contract = catalog.contract(system, api, version).contract
            for name, data in mapping["objects"].items():
                rules = read_object_mapping(name, data)
                if rules.schema:
                    resolve_pointer(contract.schemas, rules.schema)
    assert seen >= 4
