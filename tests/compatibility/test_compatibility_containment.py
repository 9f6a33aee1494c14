"""Proves the containment answers on hand-made questions, breaking ones with a witness."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.catalog import load_contract
from harness.compatibility import CompareOptions, compare
from harness.model.finding import Category, Report, Verdict

S: dict[str, Any] = {"type": "string"}
I: dict[str, Any] = {"type": "integer"}  # noqa: E741 - short names keep the table readable
N: dict[str, Any] = {"type": "number"}


def obj(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def arr(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def document(schema: Any, *, where: str, schemas: dict[str, Any] | None = None) -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": schema}}}
    operation: dict[str, Any] = {"responses": {"200": {"description": "ok"}}}
    if where == "request":
        operation["requestBody"] = {"required": True, **content}
    else:
        operation["responses"]["200"] |= content
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/orders": {"post": operation}},
        "components": {"schemas": schemas or {}},
    }


def judged(tmp_path: Path, old: dict[str, Any], new: dict[str, Any], **options: bool) -> Report:
    for name, content in (("old", old), ("new", new)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return compare(
        load_contract(tmp_path / "old.json").contract,
        load_contract(tmp_path / "new.json").contract,
        options=CompareOptions(**options),
    )


# (name, narrow, wide): every value of narrow is a value of wide, and not the other way round.
NARROWER: list[tuple[str, Any, Any]] = [
    ("integer-in-number", I, N),
    ("string-in-nullable", S, {"type": ["string", "null"]}),
    ("type-in-anyof", S, {"anyOf": [S, I]}),
    ("one-enum-value-fewer", {"enum": ["a"]}, {"enum": ["a", "b"]}),
    ("const-in-enum", {"const": "a"}, {"enum": ["a", "b"]}),
    ("enum-in-string", {"type": "string", "enum": ["a"]}, S),
    ("boolean-const", {"const": True}, {"type": "boolean"}),
    ("minimum", {"type": "integer", "minimum": 5}, {"type": "integer", "minimum": 4}),
    ("maximum", {"type": "number", "maximum": 5}, {"type": "number", "maximum": 5.5}),
    ("exclusive", {"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0}),
    ("multiple", {"type": "integer", "multipleOf": 6}, {"type": "integer", "multipleOf": 3}),
    ("decimal-step", {"type": "number", "multipleOf": 0.1}, {"type": "number", "multipleOf": 0.01}),
    ("int32", {"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}),
    ("min-length", {"type": "string", "minLength": 3}, {"type": "string", "minLength": 2}),
    ("max-length", {"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 4}),
    ("pattern", {"type": "string", "pattern": "^[0-9]+$"}, S),
    ("format-date", {"type": "string", "format": "date"}, S),
    ("required", obj(("a",), a=S), obj(a=S)),
    (
        "closed-name",
        {**obj(a=S), "additionalProperties": False},
        {**obj(a=S, b=S), "additionalProperties": False},
    ),
    (
        "map-values",
        {"type": "object", "additionalProperties": I},
        {"type": "object", "additionalProperties": N},
    ),
    (
        "pattern-properties",
        {"type": "object", "patternProperties": {"^x": I}, "additionalProperties": False},
        {"type": "object", "additionalProperties": N},
    ),
    ("max-properties", {"type": "object", "maxProperties": 1}, {"type": "object"}),
    ("items", arr(I), arr(N)),
    ("min-items", arr(S, minItems=1), arr(S)),
    ("max-items", arr(S, maxItems=1), arr(S, maxItems=2)),
    ("unique", arr(S, uniqueItems=True), arr(S)),
    (
        "prefix",
        {"type": "array", "prefixItems": [I], "minItems": 1},
        {"type": "array", "prefixItems": [N], "minItems": 1},
    ),
    ("contains", arr(S, contains={"const": "a"}), arr(S)),
    (
        "nested",
        obj(o=obj(p=arr(obj(s={"enum": ["x"]})))),
        obj(o=obj(p=arr(obj(s={"enum": ["x", "y"]})))),
    ),
    (
        "all-of-merged",
        {"allOf": [{"type": "integer", "minimum": 0}, {"maximum": 9}]},
        {"type": "integer", "minimum": 0},
    ),
    ("one-of-branch", {"oneOf": [S]}, {"oneOf": [S, I]}),
    ("one-of-overlap", {"oneOf": [I, N]}, N),
    (
        "tagged-branch",
        {"oneOf": [obj(("k",), k={"const": "a"}, v=S)]},
        {"oneOf": [obj(("k",), k={"const": "a"}, v=S), obj(("k",), k={"const": "b"}, w=I)]},
    ),
    (
        "tagged-branch-member",
        {"oneOf": [obj(("k",), k={"const": "a"}, v=I), obj(("k",), k={"const": "b"}, w=I)]},
        {"oneOf": [obj(("k",), k={"const": "a"}, v=N), obj(("k",), k={"const": "b"}, w=I)]},
    ),
    ("not", {"type": "string", "not": {"const": "a"}}, S),
    (
        "if-then",
        {**obj(a=S, b=S), "if": {"required": ["a"]}, "then": {"required": ["b"]}},
        obj(a=S, b=S),
    ),
    ("dependent", {**obj(a=S, b=S), "dependentRequired": {"a": ["b"]}}, obj(a=S, b=S)),
    ("property-names", {"type": "object", "propertyNames": {"maxLength": 2}}, {"type": "object"}),
    ("null-only", {"type": "null"}, {"type": ["null", "boolean"]}),
]
EQUAL: list[tuple[str, Any, Any]] = [
    ("one-member-all-of", S, {"allOf": [S]}),
    ("nullable-spellings", {"type": ["string", "null"]}, {"anyOf": [S, {"type": "null"}]}),
    ("union-order", {"oneOf": [S, I]}, {"oneOf": [I, S]}),
    ("type-list-and-union", {"type": ["string", "integer"]}, {"anyOf": [I, S]}),
    ("const-and-enum", {"const": 1}, {"enum": [1]}),
    ("one-point-zero", {"enum": [1]}, {"enum": [1.0]}),
    ("vacuous-keyword", {"type": "object", "properties": {"a": S}, "maxLength": 3}, obj(a=S)),
    (
        "exclusive-integers",
        {"type": "integer", "exclusiveMinimum": 0},
        {"type": "integer", "minimum": 1},
    ),
    ("any-step", I, {"type": "integer", "multipleOf": 1}),
    (
        "additional-true",
        {**obj(a=S), "additionalProperties": True},
        {**obj(a=S), "additionalProperties": {}},
    ),
    ("annotations", {**S, "description": "old", "example": "x"}, {**S, "description": "new"}),
    ("all-of-split", obj(("a",), a=S, b=I), {"allOf": [obj(("a",), a=S), obj(b=I)]}),
    (
        "one-of-tagged-order",
        {"oneOf": [obj(("k",), k={"const": "a"}), obj(("k",), k={"const": "b"})]},
        {"anyOf": [obj(("k",), k={"const": "b"}), obj(("k",), k={"const": "a"})]},
    ),
]


def ids(table: list[tuple[str, Any, Any]]) -> list[str]:
    return [name for name, _, _ in table]


def harmful(report: Report) -> list[tuple[str, str]]:
    return [(f.rule, f.reason) for f in report.findings if f.verdict is not Verdict.COMPATIBLE]


@pytest.mark.parametrize("where", ["request", "response"])
@pytest.mark.parametrize(("name", "narrow", "wide"), NARROWER, ids=ids(NARROWER))
def test_the_harmless_direction_is_proved(
    tmp_path: Path, where: str, name: str, narrow: Any, wide: Any
) -> None:
    before, after = (narrow, wide) if where == "request" else (wide, narrow)
    report = judged(tmp_path, document(before, where=where), document(after, where=where))
    assert harmful(report) == []


@pytest.mark.parametrize("where", ["request", "response"])
@pytest.mark.parametrize(("name", "narrow", "wide"), NARROWER, ids=ids(NARROWER))
def test_the_harmful_direction_has_a_witness_that_a_second_validator_confirms(
    tmp_path: Path, where: str, name: str, narrow: Any, wide: Any
) -> None:
    before, after = (wide, narrow) if where == "request" else (narrow, wide)
    report = judged(tmp_path, document(before, where=where), document(after, where=where))
    assert report.verdict is Verdict.BREAKING, harmful(report)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    for finding in report.findings:
        if finding.verdict is not Verdict.BREAKING or name == "int32":
            continue
        assert finding.witness is not None
        value = finding.witness.value
        sends = jsonschema.Draft202012Validator(wide, format_checker=checker)
        takes = jsonschema.Draft202012Validator(narrow, format_checker=checker)
        assert sends.is_valid(value), value
        assert not takes.is_valid(value), value
        assert finding.witness.exchange["request"]["method"] == "POST"


@pytest.mark.parametrize("where", ["request", "response"])
@pytest.mark.parametrize(("name", "left", "right"), EQUAL, ids=ids(EQUAL))
def test_another_spelling_of_the_same_set_is_no_finding(
    tmp_path: Path, where: str, name: str, left: Any, right: Any
) -> None:
    for before, after in ((left, right), (right, left)):
        report = judged(tmp_path, document(before, where=where), document(after, where=where))
        assert [f.rule for f in report.findings if f.category is not Category.DOCS] == []


def test_a_recursive_schema_equals_its_renamed_and_unfolded_twin(tmp_path: Path) -> None:
    tree = obj(("id",), id=S, children=arr({"$ref": "#/components/schemas/Tree"}))
    knot = obj(
        ("id",),
        id=S,
        children=arr(obj(("id",), id=S, children=arr({"$ref": "#/components/schemas/Knot"}))),
    )
    old = document({"$ref": "#/components/schemas/Tree"}, where="response", schemas={"Tree": tree})
    new = document({"$ref": "#/components/schemas/Knot"}, where="response", schemas={"Knot": knot})
    assert judged(tmp_path, old, new).findings == ()


def test_a_change_deep_in_a_recursive_union_is_found_once_with_the_shortest_path(
    tmp_path: Path,
) -> None:
    def tree(kinds: list[str]) -> dict[str, Any]:
        child = {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}
        return obj(("kind",), kind={"enum": kinds}, left=child, right=child)

    top = {"$ref": "#/components/schemas/Tree"}
    old = document(top, where="response", schemas={"Tree": tree(["a"])})
    new = document(top, where="response", schemas={"Tree": tree(["a", "b"])})
    (finding,) = judged(tmp_path, old, new).findings
    assert (finding.rule, finding.field) == ("response-enum-value-added", "kind")
    assert finding.witness is not None
    assert finding.witness.value == {"kind": "b"}


def test_one_shared_change_is_one_finding_with_every_operation(tmp_path: Path) -> None:
    order = obj(("Status",), Status={"enum": ["Open"]})
    wrapped = obj(("Orders",), Orders=arr({"$ref": "#/components/schemas/Order"}))
    old = document(obj(payload=wrapped), where="response", schemas={"Order": order})
    old["paths"]["/orders/{id}"] = {
        "get": document({"$ref": "#/components/schemas/Order"}, where="response")["paths"][
            "/orders"
        ]["post"]
    }
    new = copy.deepcopy(old)
    new["components"]["schemas"]["Order"]["properties"]["Status"]["enum"].append("Held")
    (finding,) = judged(tmp_path, old, new).findings
    assert finding.operations == ("GET /orders/{id}", "POST /orders")
    assert finding.field == "Status"
    assert (finding.old, finding.new) == (None, "Held")


def test_read_only_properties_do_not_bind_requests(tmp_path: Path) -> None:
    old = document(obj(("a",), a=S), where="request")
    new = document(obj(("a", "id"), a=S, id={**S, "readOnly": True}), where="request")
    assert harmful(judged(tmp_path, old, new)) == []


def test_a_removed_optional_property_is_data_loss_and_not_breaking(tmp_path: Path) -> None:
    report = judged(
        tmp_path, document(obj(a=S, b=S), where="response"), document(obj(a=S), where="response")
    )
    (finding,) = report.findings
    assert (finding.rule, finding.category.value) == ("response-property-removed", "data-loss")
    assert report.verdict is Verdict.COMPATIBLE


def test_strict_open_lets_silent_writers_send_unknown_names(tmp_path: Path) -> None:
    old, new = document(obj(a=S), where="request"), document(obj(a=S, b=I), where="request")
    assert judged(tmp_path, old, new).verdict is Verdict.COMPATIBLE
    assert judged(tmp_path, old, new, strict_open=True).verdict is Verdict.BREAKING


def test_a_pattern_outside_the_regular_subset_is_unproven_with_a_reason(tmp_path: Path) -> None:
    old = document({"type": "string", "pattern": r"^(?=.{4,8}$)[a-z]+$"}, where="request")
    new = document({"type": "string", "pattern": r"^(?=.{3,9}$)[a-z]+$"}, where="request")
    (finding,) = judged(tmp_path, old, new).findings
    assert finding.verdict is Verdict.UNPROVEN
    assert "regular expression" in finding.reason


def test_a_spent_budget_is_unproven_and_never_silent(tmp_path: Path) -> None:
    schema = obj(**{f"p{i}": obj(a=S) for i in range(20)})
    for name, content in (("old", schema), ("new", {**schema, "required": ["p0"]})):
        (tmp_path / f"{name}.json").write_text(json.dumps(document(content, where="request")))
    report = compare(
        load_contract(tmp_path / "old.json").contract,
        load_contract(tmp_path / "new.json").contract,
        options=CompareOptions(steps_max=0),
    )
    assert report.verdict is Verdict.UNPROVEN
    assert "budget" in report.findings[0].reason


MIXED: list[tuple[str, Any, Any]] = [
    ("a-branch-written-twice", obj(a=I), {"oneOf": [S, obj(a=I), obj(a=I)]}),
    (
        "a-branch-referred-to-twice",
        {"type": "object"},
        {"oneOf": [{"$ref": "#/components/schemas/Any"}, {"$ref": "#/components/schemas/Any"}]},
    ),
    (
        "members-of-two-branches",
        {"anyOf": [obj(a=I), obj(b=I)]},
        {"anyOf": [{**obj(a=I), "additionalProperties": False}, obj(("b",), a=S, b=I)]},
    ),
    (
        "members-of-two-branches-refused-together",
        {"anyOf": [obj(("a",), a=I), obj(("b",), b=I)]},
        {"type": "object", "maxProperties": 1},
    ),
    (
        "a-pattern-over-a-declared-name",
        {**obj(a=S), "patternProperties": {"^x": I}},
        obj(a=S, xy=S),
    ),
    (
        "a-pattern-and-another-rest",
        {"type": "object", "patternProperties": {"^x": I}, "additionalProperties": False},
        {"type": "object", "additionalProperties": S},
    ),
    (
        "unevaluated-in-another-context",
        {**obj(a=S, b=S), "unevaluatedProperties": False},
        {**obj(a=S), "unevaluatedProperties": False},
    ),
    (
        "a-name-under-a-condition",
        {**obj(a=S), "if": {"required": ["a"]}, "then": obj(z=I)},
        obj(a=S, z=S),
    ),
]


@pytest.mark.parametrize(("name", "old", "new"), MIXED, ids=ids(MIXED))
def test_what_several_parts_allow_together_is_never_overlooked(
    tmp_path: Path, name: str, old: Any, new: Any
) -> None:
    parts = {"Any": {"type": "object"}}
    report = judged(
        tmp_path,
        document(old, where="request", schemas=parts),
        document(new, where="request", schemas=parts),
    )
    assert report.verdict is not Verdict.COMPATIBLE


def test_a_schema_that_is_only_itself_is_never_called_compatible(tmp_path: Path) -> None:
    knot = {"$ref": "#/components/schemas/Knot"}
    old = document(knot, where="request", schemas={"Knot": I})
    new = document(knot, where="request", schemas={"Knot": {"anyOf": [knot, S]}})
    assert judged(tmp_path, old, new).verdict is not Verdict.COMPATIBLE
