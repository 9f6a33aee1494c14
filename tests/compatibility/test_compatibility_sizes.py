"""What a document demands in size costs no memory: the answer is honest and comes at once."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.compatibility import compare
from harness.compatibility.schemas.sizes import WHOLE_MADE_MAX, too_large
from harness.model.contract import Contract
from harness.model.finding import Verdict


def nested(depth: int, width: int) -> dict[str, Any]:
    """Return arrays in arrays; the smallest value holds width ** depth texts."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "minItems": width, "items": schema}
    return schema


HUGE: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "minLength": 10**9},
    "patterned-text": {"type": "string", "minLength": 10**9, "pattern": "^[a-z]*$"},
    "list": {"type": "array", "minItems": 10**9, "items": {"type": "integer"}},
    "unique-list": {"type": "array", "minItems": 10**9, "uniqueItems": True},
    "object": {"type": "object", "minProperties": 10**9},
    "lists-in-lists": nested(6, 30),
    "far-bounds": {"type": "number", "minimum": 1e308, "multipleOf": 1e-300},
    "much-repeated": {"type": "string", "pattern": "^(a{1000}){1000}$"},
}


def contract(folder: Path, name: str, schema: dict[str, Any], *, asks: bool) -> Contract:
    parameters = [{"name": "q", "in": "query", "required": True, "schema": schema}]
    content = {"application/json": {"schema": schema}}
    extra = [{"name": "z", "in": "query", "required": True, "schema": {"type": "string"}}]
    operation = {
        "parameters": parameters + (extra if asks else []),
        "responses": {"200": {"description": "ok", "content": content}},
    }
    path = folder / f"{name}.json"
    document = {
        "openapi": "3.0.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/a": {"get": operation}},
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_contract(str(path)).contract


@pytest.mark.parametrize("schema", HUGE.values(), ids=list(HUGE))
def test_a_demand_that_no_memory_holds_is_answered_all_the_same(
    schema: dict[str, Any], tmp_path: Path
) -> None:
    plain = contract(tmp_path, "plain", {"type": "boolean"}, asks=False)
    huge = contract(tmp_path, "huge", schema, asks=False)
    more = contract(tmp_path, "more", schema, asks=True)
    tracemalloc.start()
    try:
        reports = [compare(huge, plain), compare(plain, huge), compare(huge, more)]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 200_000_000
    assert [r.verdict for r in reports[:2]].count(Verdict.COMPATIBLE) == 0
    assert any(f.rule == "request-parameter-added-required" for f in reports[2].findings)


def test_counting_stops_where_a_value_is_too_large() -> None:
    shared: Any = ["a"] * 100
    for _ in range(8):
        shared = [shared] * 100
    assert too_large(shared)
    assert not too_large({"a": [1] * (WHOLE_MADE_MAX - 1)})
    assert not too_large("a" * 10**6)
