"""Every dialect's schemas become JSON Schema 2020-12 at the same pointers of the user's file."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import UNRESOLVED, Loaded, Source, load_contract, schema_validator
from harness.model.contract import ParameterLocation
from harness.model.values import resolve_pointer

HEADS: dict[str, dict[str, Any]] = {
    "2.0": {"swagger": "2.0"},
    "3.0": {"openapi": "3.0.3"},
    "3.1": {"openapi": "3.1.0"},
}


def load(value: dict[str, Any]) -> Loaded:
    return load_contract(Source("a.json", json.dumps(value).encode()))


def with_schemas(version: str, schemas: dict[str, Any]) -> dict[str, Any]:
    base = {**HEADS[version], "info": {"title": "x", "version": "1"}, "paths": {}}
    if version == "2.0":
        return {**base, "definitions": schemas}
    return {**base, "components": {"schemas": schemas}}


def rewritten(version: str, schema: Any) -> Any:
    loaded = load(with_schemas(version, {"It": schema, "Other": {"type": "string"}}))
    return resolve_pointer(loaded.contract.schemas, home(version) + "/It")


def home(version: str) -> str:
    return "/definitions" if version == "2.0" else "/components/schemas"


@pytest.mark.parametrize(
    ("version", "schema", "expected"),
    [
        ("3.0", {"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ("3.0", {"type": "string", "nullable": False}, {"type": "string"}),
        ("3.0", {"nullable": True}, {}),
        (
            "3.0",
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a"]},
        ),
        (
            "2.0",
            {"type": "string", "x-nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None], "x-nullable": True},
        ),
        ("2.0", {"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
        ("3.1", {"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ("3.1", {"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
        ("3.0", {"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ("2.0", {"maximum": 9, "exclusiveMaximum": True}, {"exclusiveMaximum": 9}),
        ("3.0", {"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        ("3.0", {"exclusiveMaximum": True}, {}),
        ("3.1", {"exclusiveMinimum": 1}, {"exclusiveMinimum": 1}),
        ("2.0", {"type": "file"}, {"type": "string", "format": "binary"}),
        ("3.1", {"$id": "urn:x", "$schema": "urn:y", "type": "null"}, {"type": "null"}),
        ("3.0", {"const": 1, "type": "integer"}, {"type": "integer"}),
        ("3.1", {"const": 1}, {"const": 1}),
        ("3.1", True, True),
        ("3.0", {"readOnly": True, "type": "string"}, {"readOnly": True, "type": "string"}),
    ],
)
def test_a_schema_keeps_its_meaning(version: str, schema: Any, expected: Any) -> None:
    assert rewritten(version, schema) == expected


@pytest.mark.parametrize(("version", "kept"), [("2.0", False), ("3.0", False), ("3.1", True)])
def test_siblings_of_a_reference_count_only_where_the_dialect_says_so(
    version: str, kept: bool
) -> None:
    reference = {"$ref": f"#{home(version)}/Other", "minLength": 3}
    assert ("minLength" in rewritten(version, reference)) is kept


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "strin"}, "/type"),
        ({"pattern": "("}, "/pattern"),
        ({"minLength": "3"}, "/minLength"),
        ({"properties": []}, "/properties"),
        ({"allOf": []}, "/allOf"),
        ({"patternProperties": {"(": {}}}, "/patternProperties/("),
        ("text", ""),
    ],
)
def test_what_cannot_be_kept_is_marked_and_told(schema: Any, pointer: str) -> None:
    loaded = load(with_schemas("3.1", {"It": schema}))
    assert [(p.rule, p.pointer) for p in loaded.problems] == [
        ("unusable-schema", f"/components/schemas/It{pointer}")
    ]
    assert UNRESOLVED in resolve_pointer(loaded.contract.schemas, "/components/schemas/It")


def test_examples_and_defaults_are_data_not_schemas() -> None:
    schema = {
        "type": "object",
        "default": {"nullable": True, "type": "string"},
        "example": {"$ref": "#/nowhere"},
        "enum": [{"exclusiveMinimum": True, "minimum": 1}],
    }
    loaded = load(with_schemas("3.0", {"It": schema}))
    assert loaded.problems == ()
    assert resolve_pointer(loaded.contract.schemas, "/components/schemas/It") == schema


def test_the_users_document_is_left_alone() -> None:
    value = with_schemas("3.0", {"It": {"type": "string", "nullable": True}})
    before = copy.deepcopy(value)
    assert load(value).contract.document == before


def test_a_recursive_schema_validates_through_its_reference() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {"inner": {"$ref": "#/components/schemas/It"}},
    }
    node["properties"]["n"] = {"type": "integer", "nullable": True}
    contract = load(with_schemas("3.0", {"It": node})).contract
    validator = schema_validator(contract, "/components/schemas/It")
    assert validator.is_valid({"inner": {"inner": {"n": None}}})
    assert not validator.is_valid({"inner": {"inner": {"n": "x"}}})


# ------------------------------------------------------------------------------------ Swagger 2.0

SWAGGER = """swagger: "2.0"
info: {title: shop, version: "1"}
host: api.example
basePath: /v2
schemes: [https, http]
consumes: [application/json]
produces: [application/json, text/csv]
parameters:
  page: {name: page, in: query, type: integer, maximum: 9, exclusiveMaximum: true}
paths:
  /items/{id}:
    parameters:
      - {name: id, in: path, required: true, type: string}
      - {name: ids, in: query, type: array, items: {type: string}}
    get:
      operationId: read
      parameters:
        - $ref: "#/parameters/page"
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: multi}
        - {name: sort, in: query, type: array, items: {type: string}, collectionFormat: ssv}
        - {name: bars, in: query, type: array, items: {type: string}, collectionFormat: pipes}
        - {name: tabs, in: query, type: array, items: {type: string}, collectionFormat: tsv}
        - {name: ids, in: query, type: array, items: {type: integer}, collectionFormat: csv}
        - {name: X-Trace, in: header, type: string}
      responses:
        "200":
          description: ok
          schema: {$ref: "#/definitions/Item"}
          headers:
            X-Left: {type: integer}
        "204": {description: nothing}
    put:
      operationId: replace
      consumes: [application/json, application/xml]
      produces: []
      parameters:
        - {name: body, in: body, required: true, schema: {$ref: "#/definitions/Item"}}
      responses:
        default: {description: ok, schema: {type: string}}
    post:
      operationId: upload
      consumes: [multipart/form-data]
      parameters:
        - {name: file, in: formData, required: true, type: file}
        - {name: note, in: formData, type: string, maxLength: 3}
      responses:
        "201": {description: ok}
definitions:
  Item: {type: object, properties: {n: {type: number, x-nullable: true}}}
"""
PATH = "/paths/~1items~1{id}"


@pytest.fixture
def swagger() -> Loaded:
    return load_contract(Source("shop.yaml", SWAGGER.encode()))


def test_base_path_and_schemes_become_servers(swagger: Loaded) -> None:
    assert swagger.problems == ()
    assert swagger.contract.servers == ("https://api.example/v2", "http://api.example/v2")


def test_collection_formats_become_styles(swagger: Loaded) -> None:
    parameters = {p.name: p for p in swagger.contract.operation("read").parameters}
    styles = {n: (p.style, p.explode) for n, p in parameters.items() if p.name != "id"}
    assert styles == {
        "ids": ("form", False),
        "page": ("form", True),
        "tags": ("form", True),
        "sort": ("spaceDelimited", False),
        "bars": ("pipeDelimited", False),
        "tabs": ("tabDelimited", False),
        "X-Trace": ("simple", False),
    }
    assert parameters["id"].location is ParameterLocation.PATH
    assert parameters["id"].required


def test_parameters_point_into_the_file_the_user_has(swagger: Loaded) -> None:
    contract = swagger.contract
    parameters = {p.name: p for p in contract.operation("read").parameters}
    assert parameters["page"].pointer == "/parameters/page"
    assert parameters["ids"].pointer == f"{PATH}/get/parameters/5"  # the operation's own wins
    assert str(contract.locate(parameters["page"].pointer)) == "shop.yaml:9:3"
    for parameter in parameters.values():
        assert parameter.schema == parameter.pointer
        assert resolve_pointer(contract.document, parameter.pointer)["name"] == parameter.name
    assert resolve_pointer(contract.schemas, "/parameters/page") == {
        "type": "integer",
        "exclusiveMaximum": 9,
    }


def test_a_body_takes_the_operations_media_types(swagger: Loaded) -> None:
    body = swagger.contract.operation("replace").request_body
    assert body is not None
    assert body.required
    assert [m.name for m in body.content] == ["application/json", "application/xml"]
    assert {m.schema for m in body.content} == {f"{PATH}/put/parameters/0/schema"}


def test_answers_take_the_documents_media_types(swagger: Loaded) -> None:
    answer = swagger.contract.operation("read").response_for(200)
    assert answer is not None
    assert [m.name for m in answer.content] == ["application/json", "text/csv"]
    assert answer.content[0].schema == f"{PATH}/get/responses/200/schema"
    assert [(h.name, h.schema) for h in answer.headers] == [
        ("X-Left", f"{PATH}/get/responses/200/headers/X-Left")
    ]
    empty = swagger.contract.operation("read").response_for(204)
    assert empty is not None
    assert empty.content == ()


def test_an_empty_list_of_media_types_hides_the_documents_own(swagger: Loaded) -> None:
    answer = swagger.contract.operation("replace").response_for(500)
    assert answer is not None
    assert [m.name for m in answer.content] == ["*/*"]


def test_form_fields_become_one_object(swagger: Loaded) -> None:
    body = swagger.contract.operation("upload").request_body
    assert body is not None
    (media,) = body.content
    assert (media.name, body.required) == ("multipart/form-data", True)
    assert media.schema is not None
    validator = schema_validator(swagger.contract, media.schema)
    assert validator.is_valid({"file": "x", "note": "abc"})
    assert not validator.is_valid({"note": "abc"})
    assert not validator.is_valid({"file": "x", "note": "abcd"})


def test_form_fields_without_media_type_are_urlencoded_unless_a_file_is_sent() -> None:
    text = SWAGGER.replace("      consumes: [multipart/form-data]\n", "      consumes: []\n")
    sends_file = load_contract(Source("a.yaml", text.encode())).contract.operation("upload")
    plain = text.replace("type: file", "type: string")
    sends_text = load_contract(Source("a.yaml", plain.encode())).contract.operation("upload")
    assert sends_file.request_body is not None
    assert sends_text.request_body is not None
    assert sends_file.request_body.content[0].name == "multipart/form-data"
    assert sends_text.request_body.content[0].name == "application/x-www-form-urlencoded"


def test_openapi_ignores_headers_that_other_parts_speak_for(tmp_path: Path) -> None:
    text = """openapi: 3.0.3
info: {title: x, version: "1"}
paths:
  /a:
    get:
      operationId: a
      parameters:
        - {name: Accept, in: header, schema: {type: string}}
        - {name: X-A, in: header, schema: {type: string}}
      responses: {"200": {description: ok}}
"""
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    operation = load_contract(tmp_path / "a.yaml").contract.operation("a")
    assert [p.name for p in operation.parameters] == ["X-A"]
