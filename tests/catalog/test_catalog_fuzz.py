"""Whatever bytes come in, the loader answers with a contract or a DocumentError, nothing else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import (
    Limits,
    Loaded,
    Source,
    all_problems,
    load_contract,
    locate,
    parse_document,
)
from harness.catalog.parsing import parse
from harness.model.errors import DocumentError
from harness.model.values import resolve_pointer

MODEST = settings(derandomize=True, deadline=None, max_examples=100)
LIMITS = Limits(bytes=20_000, depth=30, nodes=2_000, files=3)
LABELS = st.sampled_from(["a.json", "a.yaml", "standard input"])

SEED: dict[str, Any] = {
    "openapi": "3.0.3",
    "swagger": "2.0",
    "info": {"title": "x", "version": "1"},
    "basePath": "/v1",
    "consumes": ["application/json"],
    "servers": [{"url": "/v1"}],
    "security": [{"key": ["a"]}],
    "paths": {
        "/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "type": "string"}],
            "get": {
                "operationId": "a",
                "parameters": [
                    {"$ref": "#/components/parameters/P"},
                    {"name": "q", "in": "query", "schema": {"type": "integer", "nullable": True}},
                    {"name": "f", "in": "formData", "type": "file"},
                    {"name": "b", "in": "body", "schema": {"$ref": "#/definitions/A"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {
                    "200": {
                        "description": "ok",
                        "headers": {"X-A": {"schema": {"type": "string"}}},
                        "content": {"*/*": {"schema": {"$ref": "#/components/schemas/A"}}},
                    }
                },
                "callbacks": {"c": {"{$url}": {"post": {"responses": {}}}}},
            },
        }
    },
    "definitions": {"A": {"type": "object"}},
    "components": {
        "parameters": {"P": {"name": "p", "in": "query", "schema": {"type": "string"}}},
        "schemas": {
            "A": {
                "allOf": [{"$ref": "#/components/schemas/B"}],
                "properties": {"n": {"minimum": 1, "exclusiveMinimum": True, "default": "x"}},
                "required": ["n"],
            },
            "B": {"anyOf": [{"pattern": "^a"}, {"items": {"$ref": "#/components/schemas/A"}}]},
        },
    },
}
REFERENCES = st.sampled_from(
    ["#", "#/", "#/components", "#/components/schemas/A", "#/paths", "#x", "a.json", "http://h/x"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.builds(lambda text: {"$ref": text}, REFERENCES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "$ref", "items", "in", "name", "schema", "get", "200", "enum"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value inside a document."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        found.append((value, key))
        if isinstance(child, dict | list):
            found += places(child)
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(SEED))
    dialect = draw(st.sampled_from(["2.0", "3.0.3", "3.1.0"]))
    del document["openapi" if dialect == "2.0" else "swagger"]
    document["swagger" if dialect == "2.0" else "openapi"] = dialect
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(places(document)))
        if draw(st.booleans()):
            container[key] = draw(VALUES)
        elif isinstance(container, dict):
            container[draw(st.sampled_from(["$ref", "x", "type"]))] = container.pop(key)
    return document


def loaded_or_refused(data: bytes, label: str) -> Loaded | None:
    try:
        return load_contract(Source(label, data), limits=LIMITS)
    except DocumentError:
        return None


def answer(data: bytes, label: str) -> None:
    loaded = loaded_or_refused(data, label)
    if loaded is None:
        return
    contract = loaded.contract
    for operation in (*contract.operations, *contract.webhooks):
        resolve_pointer(contract.document, operation.pointer)
        for parameter in operation.parameters:
            assert parameter.schema is None or resolve_pointer(
                contract.schemas, parameter.schema
            ) not in (None, ())


@MODEST
@given(st.binary(max_size=200), LABELS)
def test_arbitrary_bytes(data: bytes, label: str) -> None:
    answer(data, label)


@MODEST
@given(st.text("{}[]:,-&*!|>?#'\"%@ \n\t\\ab0.<~\u0085\ufeff\U0001f600", max_size=40), LABELS)
def test_text_made_of_marks(text: str, label: str) -> None:
    answer(text.encode(), label)
    try:
        parsed = parse(text.encode(), label, LIMITS)
    except DocumentError:
        return
    for problem in parsed.problems:
        assert problem.location is not None
    assert locate(text.encode(), "", label) is not None


@MODEST
@given(mutated())
def test_mutated_documents(document: dict[str, Any]) -> None:
    answer(json.dumps(document).encode(), "a.json")


@settings(MODEST, max_examples=40)
@given(mutated())
def test_validation_of_mutated_documents(document: dict[str, Any]) -> None:
    loaded = loaded_or_refused(json.dumps(document).encode(), "a.json")
    for problem in all_problems(loaded) if loaded else ():
        assert problem.message
        assert problem.location is not None


@MODEST
@given(mutated(), st.integers(0, 5_000), st.binary(max_size=3))
def test_damaged_documents(document: dict[str, Any], at: int, damage: bytes) -> None:
    data = json.dumps(document, indent=1).encode()
    cut = at % len(data)
    answer(data[:cut] + damage + data[cut + len(damage) :], "a.json")
    answer(data[:cut], "a.yaml")


@MODEST
@given(VALUES)
def test_any_value_survives_json_and_yaml(value: Any) -> None:
    text = json.dumps({"k": value}).encode()
    assert parse_document(text, "a.json") == {"k": value}
