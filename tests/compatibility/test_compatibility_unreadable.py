"""What nobody can read is never called compatible or breaking: the answer is unproven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.compatibility import compare
from harness.model.finding import Report, Verdict

UNREADABLE: list[dict[str, Any]] = [
    {"$ref": "#/components/schemas/Gone"},
    {"$ref": "#/components/schemas/Loop"},
    {"$ref": "https://example.com/elsewhere.json"},
    {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Gone"}}},
    {"anyOf": [{"$ref": "#/components/schemas/Gone"}, {"type": "boolean"}]},
    {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}},
]
WRITERS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    {"enum": [{"a": 1}, [1]]},
    {"type": "array", "items": {"type": "string"}, "minItems": 1},
    {"type": "string"},
]


def contract(folder: Path, name: str, schema: dict[str, Any]) -> Any:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {
                "post": {
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": schema}},
                    },
                    "responses": {"200": {"description": "d"}},
                }
            }
        },
        "components": {"schemas": {"Loop": {"$ref": "#/components/schemas/Loop"}}},
    }
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_contract(path).contract


def judged(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> Report:
    return compare(contract(folder, "old.json", old), contract(folder, "new.json", new))


@pytest.mark.parametrize("unreadable", UNREADABLE[:3])
@pytest.mark.parametrize("known", WRITERS)
def test_an_unreadable_schema_is_unproven_on_either_side(
    tmp_path: Path, known: dict[str, Any], unreadable: dict[str, Any]
) -> None:
    report = judged(tmp_path, known, unreadable)
    assert report.verdict is Verdict.UNPROVEN
    open_questions = [f.rule for f in report.findings if f.verdict is Verdict.UNPROVEN]
    assert open_questions == ["request-schema-unreadable"]
    assert judged(tmp_path, unreadable, known).verdict is Verdict.UNPROVEN


@pytest.mark.parametrize("unreadable", UNREADABLE)
@pytest.mark.parametrize("known", WRITERS)
def test_an_unreadable_part_never_makes_the_whole_compatible(
    tmp_path: Path, known: dict[str, Any], unreadable: dict[str, Any]
) -> None:
    assert judged(tmp_path, known, unreadable).verdict is not Verdict.COMPATIBLE


def test_the_same_unreadable_reference_on_both_sides_is_no_change(tmp_path: Path) -> None:
    assert judged(tmp_path, UNREADABLE[2], UNREADABLE[2]).verdict is Verdict.COMPATIBLE
