"""A bare JSON Schema of any draft loads as one message sent, in 2020-12, with the user's lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import Loaded, Source, all_problems, load_contract, schema_validator
from harness.model.contract import Dialect
from harness.model.errors import DocumentError
from harness.model.values import resolve_pointer

DRAFTS = {
    4: "http://json-schema.org/draft-04/schema#",
    6: "http://json-schema.org/draft-06/schema#",
    7: "http://json-schema.org/draft-07/schema#",
    2019: "https://json-schema.org/draft/2019-09/schema",
    2020: "https://json-schema.org/draft/2020-12/schema",
}
VALIDATORS: dict[int, Any] = {
    4: jsonschema_rs.Draft4Validator,
    6: jsonschema_rs.Draft6Validator,
    7: jsonschema_rs.Draft7Validator,
    2019: jsonschema_rs.Draft201909Validator,
    2020: jsonschema_rs.Draft202012Validator,
}


def load(schema: dict[str, Any], draft: int | None = None, name: str = "event.json") -> Loaded:
    declared = {"$schema": DRAFTS[draft]} if draft else {}
    return load_contract(Source(name, json.dumps({**declared, **schema}, indent=1).encode()))


def rewritten(schema: dict[str, Any], draft: int) -> dict[str, Any]:
    return dict(load(schema, draft).contract.schemas)


def test_the_document_is_one_message_that_the_provider_sends() -> None:
    loaded = load({"title": "Order", "type": "object", "properties": {"n": {}}}, 7)
    contract = loaded.contract
    (message,) = contract.webhooks
    assert (contract.dialect, contract.title, contract.operations) == (
        Dialect.JSON_SCHEMA,
        "Order",
        (),
    )
    assert loaded.problems == ()
    assert message.incoming
    assert message.label == "EVENT message"
    assert message.request_body
    (media,) = message.request_body.content
    assert (media.name, media.schema) == ("application/json", "")
    assert schema_validator(contract, "").is_valid({"n": 1})
    assert load({"type": "object", "properties": {}}).contract.title == "event"


@pytest.mark.parametrize(
    "document",
    [
        {"type": "module", "name": "x"},
        {"type": "object"},
        {"properties": {"a": 1}},
        {"$schema": DRAFTS[7], "asyncapi": "2.0.0"},
        {"overlay": "1.0.0", "actions": []},
    ],
)
def test_any_other_object_is_not_taken_for_a_schema(document: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="neither 'openapi' nor 'swagger'"):
        load(document)


@pytest.mark.parametrize(
    ("draft", "schema", "expected"),
    [
        (4, {"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        (4, {"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        (4, {"const": 1}, {}),
        (6, {"const": 1}, {"const": 1}),
        (6, {"if": {}, "then": {"type": "null"}}, {}),
        (7, {"items": [{"type": "null"}]}, {"prefixItems": [{"type": "null"}]}),
        (7, {"items": [True], "additionalItems": False}, {"prefixItems": [True], "items": False}),
        (7, {"items": [], "additionalItems": False}, {"items": False}),
        (7, {"items": {"type": "null"}, "additionalItems": False}, {"items": {"type": "null"}}),
        (2019, {"items": [True]}, {"prefixItems": [True]}),
        (7, {"dependencies": {"a": ["b"]}}, {"dependentRequired": {"a": ["b"]}}),
        (7, {"dependencies": {"a": {"type": "null"}}},
         {"dependentSchemas": {"a": {"type": "null"}}}),
        (7, {"unevaluatedProperties": False}, {}),
        (7, {"definitions": {"a": {}}, "$ref": "#/definitions/a", "type": "null"},
         {"definitions": {"a": {}}, "$ref": "#/definitions/a"}),
        (2019, {"$defs": {"a": {}}, "$ref": "#/$defs/a", "type": "null"},
         {"$defs": {"a": {}}, "$ref": "#/$defs/a", "type": "null"}),
        (2019, {"properties": {"a": {"$recursiveRef": "#"}}}, {"properties": {"a": {"$ref": "#"}}}),
        (7, {"properties": {"items": {"const": 1}}}, {"properties": {"items": {"const": 1}}}),
    ],
)  # fmt: skip
def test_old_spellings_become_new_ones(
    draft: int, schema: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert rewritten(schema, draft) == expected


def test_references_follow_what_moved_and_lines_stay() -> None:
    loaded = load(
        {
            "properties": {
                "pair": {"items": [{"type": "string"}, {"items": [{"type": "null"}]}]},
                "first": {"$ref": "#/properties/pair/items/0"},
                "inner": {"$ref": "#/properties/pair/items/1/items/0"},
                "rest": {"$ref": "#/definitions/a/additionalItems"},
                "needs": {"$ref": "#/definitions/b/dependencies/x~1y"},
            },
            "definitions": {
                "a": {"items": [{}], "additionalItems": {"type": "integer"}},
                "b": {"dependencies": {"x/y": {"type": "object"}, "z": ["x/y"]}},
            },
        },
        4,
    )
    contract = loaded.contract
    assert loaded.problems == ()
    kinds = {}
    for name in ("first", "inner", "rest", "needs"):
        target = contract.schemas["properties"][name]["$ref"].removeprefix("#")
        kinds[name] = resolve_pointer(contract.schemas, target)["type"]
        line = json.dumps(contract.document, indent=1).splitlines()
        place = contract.locate(target + "/type")
        assert place
        assert kinds[name] in line[(place.line or 0) - 1]
    assert kinds == {"first": "string", "inner": "null", "rest": "integer", "needs": "object"}


def test_anchors_of_old_drafts_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(
        json.dumps({"definitions": {"x": {"$id": "#b", "type": "null"}}}), encoding="utf-8"
    )
    for word, draft in (("id", 4), ("$id", 7)):
        path = tmp_path / f"event{draft}.json"
        schema = {
            "$schema": DRAFTS[draft],
            "properties": {"a": {"$ref": "#a"}, "b": {"$ref": "other.json#b"}},
            "definitions": {"x": {word: "#a", "type": "integer"}},
        }
        path.write_text(json.dumps(schema), encoding="utf-8")
        loaded = load_contract(path)
        assert loaded.problems == ()
        validator = schema_validator(loaded.contract, "")
        assert validator.is_valid({"a": 1, "b": None})
        assert not validator.is_valid({"a": "1"})
        assert not validator.is_valid({"b": 1})


def test_what_a_draft_does_not_know_is_said_by_line() -> None:
    loaded = load({"items": [{}, {"const": 1}]}, 4)
    (problem,) = [p for p in all_problems(loaded) if p.rule == "unusable-schema"]
    assert "'const' has no meaning in draft-04" in problem.message
    assert problem.pointer == "/items/1/const"
    assert problem.location
    assert problem.location.line == 6


def test_an_unknown_draft_is_read_as_the_newest_and_said() -> None:
    loaded = load_contract(
        Source("a.json", b'{"$schema": "https://vendor.example/meta", "prefixItems": [true]}')
    )
    assert [(p.rule, p.pointer) for p in loaded.problems] == [("unknown-meta-schema", "/$schema")]
    assert loaded.contract.schemas["prefixItems"] == [True]


def test_the_published_rules_of_the_draft_are_applied() -> None:
    loaded = load({"type": "objekt", "properties": {"a": {"minimum": "1"}}}, 7)
    rules = {(p.rule, p.pointer) for p in all_problems(loaded)}
    assert {("invalid-document", "/type"), ("invalid-document", "/properties/a/minimum")} <= rules
    assert all_problems(load({"type": "object", "required": ["a"]}, 4)) == ()


SCALARS = st.sampled_from([None, True, 0, 1, 2, "a", "b"])
LEAVES = st.sampled_from(
    [{}, {"type": "integer"}, {"type": "string"}, {"enum": [1, "a"]}, {"minimum": 1},
     {"minimum": 1, "maximum": 2}]
)  # fmt: skip
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"items": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries(
            {"items": st.lists(inner, min_size=1, max_size=2), "additionalItems": inner}
        ),
        st.fixed_dictionaries({"items": inner}),
        st.builds(
            lambda a, b: {"properties": {"a": a}, "dependencies": {"a": ["b"], "b": b}},
            inner,
            inner,
        ),
        st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner),
        st.builds(lambda a: {"definitions": {"d": a}, "$ref": "#/definitions/d"}, inner),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.sampled_from([4, 6, 7]), SCHEMAS, st.lists(VALUES, min_size=1, max_size=5))
def test_the_rewritten_schema_accepts_the_same_values(
    draft: int, inner: dict[str, Any], values: list[Any]
) -> None:
    # a $ref below the root names a definition beside it, so each is given its own document
    schema = json.loads(json.dumps(inner).replace("#/definitions/d", "#/definitions/x"))
    schema = {"properties": {"a": schema}, "definitions": {"x": {"type": "integer"}}}
    schema |= {"$schema": DRAFTS[draft]}
    before = VALIDATORS[draft](schema)
    after = schema_validator(load(schema).contract, "")
    for value in values:
        assert before.is_valid({"a": value}) == after.is_valid({"a": value})
