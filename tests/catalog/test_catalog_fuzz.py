"""Whatever bytes come in, the loader answers with a contract or a DocumentError, nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import (
    Limits,
    Loaded,
    Overlay,
    Source,
    all_problems,
    load_contract,
    locate,
    parse_document,
    read_overlay,
)
from harness.catalog.parsing import parse
from harness.model.contract import Dialect
from harness.model.errors import DocumentError, DriftgateError
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
MESSAGE: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "id": "#a",
    "properties": {
        "pair": {
            "items": [{"type": "string"}, {"$ref": "#/definitions/x"}],
            "additionalItems": {"$ref": "#/properties/pair/items/0"},
        },
        "needs": {"dependencies": {"a": ["b"], "c": {"type": "object"}}},
    },
    "definitions": {"x": {"minimum": 1, "exclusiveMinimum": True}},
    "$recursiveRef": "#",
}
META = [f"http://json-schema.org/draft-0{n}/schema#" for n in (3, 4, 6, 7)]
META += [f"https://json-schema.org/draft/{n}/schema" for n in ("2019-09", "2020-12")]
REFERENCES = st.sampled_from([
    "", "#", "#/", "#x", "%", "#%zz", "//x", "a.json", "http://h/x", "http://[", "file:///etc/passwd",
    "#/components", "#/components/schemas/A", "#/components/schemas/A/allOf/0",
    "#/components/schemas/A/allOf/-", "#/components/schemas/A/required/0", "#/paths",
    "#/paths/~1a~1{id}", "#/paths/~1a~1{id}/get", "#/components/parameters/P",
    "#/components/schemas/A/properties/n/minimum", "#/definitions/x", "#/properties/pair/items/0",
    "#/properties/needs/dependencies/c", "#/x-driftgate-files", "#/" + "a/" * 200, "\ud800",
])  # fmt: skip
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
                [
                    "type",
                    "$ref",
                    "items",
                    "in",
                    "name",
                    "schema",
                    "get",
                    "200",
                    "enum",
                    "",
                    "~",
                    "/",
                    "allOf",
                    "required",
                    "properties",
                    "$id",
                    "$anchor",
                    "$dynamicRef",
                    "definitions",
                    "dependencies",
                    "parameters",
                    "responses",
                    "content",
                    "x-driftgate-files",
                ]
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
    message = draw(st.integers(0, 3)) == 0
    document: dict[str, Any] = json.loads(json.dumps(MESSAGE if message else SEED))
    if message:
        document["$schema"] = draw(st.sampled_from(META))
    else:
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


TARGETS = st.sampled_from(
    ["$", "$..*", "$..get", "$..[0]", "$..[?@.type]", "$.paths.*.*.responses", "$..['$ref']", "$[",
     "$..[?match(@.type, '.*')]", "$..properties", "$..items", "$..[::2]"]
)  # fmt: skip
ACTIONS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"target": TARGETS, "remove": st.just(True)}),
        st.fixed_dictionaries({"target": TARGETS, "update": VALUES}),
    ),
    min_size=1,
    max_size=3,
)


def loaded_or_refused(
    data: bytes, label: str, overlays: Sequence[Overlay] = (), limits: Limits = LIMITS
) -> Loaded | None:
    try:
        return load_contract(Source(label, data), overlays=overlays, limits=limits)
    except DriftgateError:
        return None


def answer(data: bytes, label: str, overlays: Sequence[Overlay] = ()) -> None:
    loaded = loaded_or_refused(data, label, overlays)
    if loaded is None:
        return
    contract = loaded.contract
    for operation in (*contract.operations, *contract.webhooks):
        if contract.dialect is not Dialect.JSON_SCHEMA:
            resolve_pointer(contract.document, operation.pointer)
        assert contract.locate(operation.pointer)
        for parameter in operation.parameters:
            assert parameter.schema is None or resolve_pointer(
                contract.schemas, parameter.schema
            ) not in (None, ())
        bodies = operation.request_body.content if operation.request_body else ()
        for media in (*bodies, *(m for r in operation.responses for m in r.content)):
            assert media.schema is None or resolve_pointer(contract.schemas, media.schema) not in (
                None,
                (),
            )


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


@settings(MODEST, max_examples=60)
@given(mutated(), ACTIONS)
def test_overlays_over_mutated_documents(document: dict[str, Any], actions: list[Any]) -> None:
    info = {"title": "x", "version": "1", "x-reason": "because"}
    text = json.dumps({"overlay": "1.0.0", "info": info, "actions": actions})
    try:
        overlay = read_overlay(Source("fixes.json", text.encode()))
    except DriftgateError:
        return
    answer(json.dumps(document).encode(), "a.json", [overlay])


# ------------------------------------------------------------------------------ hostile on purpose


def described(paths: str, head: str = "openapi: 3.1.0") -> bytes:
    return f"{head}\ninfo: {{title: x, version: '1'}}\n{paths}\n".encode()


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "aliases that unfold without end": described(BOMB),
    "an alias inside itself": described("paths: &a {b: *a}"),
    "deep flow sequences": described("paths: " + "[" * 50_000),
    "deep flow mappings": described("paths: " + "{a: " * 5_000 + "}" * 5_000),
    "deep blocks": described("paths:\n" + "".join(" " * n + "- \n" for n in range(1, 400))),
    "deep JSON": b'{"openapi": "3.1.0", "paths": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "NUL bytes": b"openapi: 3.1.0\0\npaths: {}\n",
    "NUL in JSON": b'{"openapi": "3.1.0"}\0',
    "UTF-16": described("paths: {}").decode().encode("utf-16"),
    "Latin-1": described("x: caf\u00e9").decode().encode("latin-1"),
    "two documents": described("paths: {}\n---\nopenapi: 3.1.0"),
    "a key that is a list": described("? [a, b]\n: 1"),
    "nothing but a mark": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("label", ["a.json", "a.yaml"])
def test_what_is_hostile_is_refused_with_a_place_and_a_remedy(name: str, label: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_contract(Source(label, REFUSED[name]))
    assert caught.value.location
    assert caught.value.remedy


@pytest.mark.parametrize("number", ["9" * 1_000_000, "1e999", "-1e999", "NaN", "Infinity"])
def test_a_number_that_json_cannot_carry_is_refused_or_kept_as_text(number: str) -> None:
    text = f'{{"openapi": "3.1.0", "info": {{}}, "paths": {{}}, "x-a": {number}}}'.encode()
    with pytest.raises(DocumentError):
        load_contract(Source("a.json", text))
    assert load_contract(Source("a.yaml", text)).contract.document["x-a"] == number


CYCLES = """
paths:
  /a: {$ref: '#/paths/~1b'}
  /b: {$ref: '#/paths/~1a'}
  /c:
    get:
      parameters: [{$ref: '#/components/parameters/P'}]
      requestBody: {$ref: '#/components/requestBodies/B'}
      responses: {default: {$ref: '#/components/responses/R'}}
      callbacks: {c: {$ref: '#/components/callbacks/C'}}
  /d: {$ref: '#'}
components:
  parameters: {P: {$ref: '#/components/parameters/Q'}, Q: {$ref: '#/components/parameters/P'}}
  requestBodies: {B: {$ref: '#/components/requestBodies/B'}}
  responses: {R: {headers: {H: {$ref: '#/components/headers/H'}}}}
  headers: {H: {$ref: '#/components/headers/H'}}
  callbacks: {C: {'{$url}': {$ref: '#/paths/~1c'}}}
  schemas: {S: {$ref: '#/components/schemas/T'}, T: {$ref: '#/components/schemas/S'}}
"""


@pytest.mark.parametrize("head", ["swagger: '2.0'", "openapi: 3.0.3", "openapi: 3.1.0"])
def test_parts_that_refer_to_each_other_in_circles_are_problems(head: str) -> None:
    loaded = load_contract(Source("a.yaml", described(CYCLES, head)))
    assert "circular-reference" in {p.rule for p in loaded.problems}
    labels = [o.label for o in loaded.contract.operations]
    assert labels == ["GET /c"]
    assert all(p.location for p in all_problems(loaded))


def test_a_reference_into_a_part_that_was_left_out_is_a_problem() -> None:
    schemas = "{A: {required: {x: {type: string}}}, B: {$ref: '#/components/schemas/A/required/x'}}"
    loaded = load_contract(Source("a.yaml", described(f"components: {{schemas: {schemas}}}")))
    found = {p.pointer for p in loaded.problems}
    assert found == {"/components/schemas/A/required", "/components/schemas/B"}
    assert "$ref" not in loaded.contract.schemas["components"]["schemas"]["B"]


@pytest.mark.parametrize("target", ["/paths/~1a/get", "/paths/~1a/get/responses", "/paths", ""])
def test_a_reference_does_not_make_a_schema_of_something_else(target: str) -> None:
    schema = f"{{$ref: '#{target}'}}"
    answers = f"{{default: {{description: d, content: {{a/b: {{schema: {schema}}}}}}}}}"
    paths = "paths: {/a: {get: {parameters: [{name: p, in: query, schema: {nullable: true}}], "
    loaded = load_contract(Source("a.yaml", described(f"{paths}responses: {answers}}}}}}}")))
    (operation,) = loaded.contract.operations
    (media,) = operation.responses[0].content
    assert resolve_pointer(loaded.contract.schemas, operation.parameters[0].schema or "") == {
        "nullable": True
    }
    assert "$ref" not in resolve_pointer(loaded.contract.schemas, media.schema or "")
    assert "cannot stand for what is expected" in loaded.problems[0].message


def test_a_schema_taken_for_an_answer_stays_a_schema_for_all_others() -> None:
    schema = "{$ref: '#/components/schemas/E'}"
    answers = f"{{default: {schema}, '200': {{content: {{a/b: {{schema: {schema}}}}}}}}}"
    text = f"paths: {{/a: {{get: {{responses: {answers}}}}}}}\n"
    text += "components: {schemas: {E: {type: string, nullable: true}}}"
    loaded = load_contract(Source("a.yaml", described(text, "openapi: 3.0.3")))
    schemas = loaded.contract.schemas
    assert schemas["components"]["schemas"]["E"] == {"type": ["string", "null"]}
    (good,) = loaded.contract.operations[0].responses[1].content
    assert resolve_pointer(schemas, good.schema or "") == {"$ref": "#/components/schemas/E"}
    (problem,) = loaded.problems
    assert problem.pointer == "/paths/~1a/get/responses/default"


def test_ten_thousand_parameters_are_read() -> None:
    parameters = [{"name": f"p{n}", "in": "query", "type": "string"} for n in range(10_000)]
    operation = {"parameters": parameters, "responses": {}}
    document = {"swagger": "2.0", "paths": {"/a": {"get": operation}}}
    loaded = load_contract(Source("a.json", json.dumps(document).encode()))
    assert len(loaded.contract.operations[0].parameters) == 10_000


def test_a_chain_of_references_is_followed_to_its_end() -> None:
    schemas: dict[str, Any] = {
        f"S{n}": {"$ref": f"#/components/schemas/S{n + 1}"} for n in range(3_000)
    }
    schemas["S3000"] = {"type": "string"}
    document = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": schemas}}
    loaded = load_contract(Source("a.json", json.dumps(document).encode()))
    assert loaded.problems == ()


def test_a_byte_order_mark_and_repeated_names_are_read() -> None:
    text = b"\xef\xbb\xbf" + described("paths: {}\npaths: {}\n")
    loaded = load_contract(Source("a.yaml", text))
    assert [p.rule for p in loaded.problems] == ["duplicate-key"]
