"""Validation tells every mistake of a document, once, with its place, and never gives up."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from harness.catalog import (
    INCOMPLETE,
    Source,
    all_problems,
    load_contract,
    validate_contract,
)
from harness.model.contract import Problem

# Two models a marketplace published break their own format in these two ways.
DUPLICATED_OPERATION = """swagger: "2.0"
info: {title: labels, version: v2}
paths:
  /shipments/{id}:
    parameters:
      - {name: id, in: path, required: true, type: string}
    get:
      operationId: readShipment
      responses:
        "200": {description: ok}
    delete:
      operationId: readShipment
      responses:
        "200": {description: gone}
"""
WRONG_DEFAULT = """swagger: "2.0"
info: {title: articles, version: v1}
paths:
  /articles:
    get:
      operationId: readArticles
      parameters:
        - name: parts
          in: query
          type: array
          items: {type: string, enum: [summary, prices]}
          default: summary
      responses:
        "200": {description: ok}
"""


def problems_of(text: str, label: str = "a.yaml") -> list[tuple[str, str, str]]:
    loaded = load_contract(Source(label, text.encode()))
    return [(str(p.location), p.rule, p.pointer) for p in all_problems(loaded)]


def test_a_duplicated_operation_id_loads_and_is_told() -> None:
    loaded = load_contract(Source("labels.yaml", DUPLICATED_OPERATION.encode()))
    assert [o.label for o in loaded.contract.operations] == [
        "GET /shipments/{id}",
        "DELETE /shipments/{id}",
    ]
    assert problems_of(DUPLICATED_OPERATION) == [
        ("a.yaml:12:7", "duplicate-operation-id", "/paths/~1shipments~1{id}/delete/operationId")
    ]


def test_a_default_of_another_type_loads_and_is_told() -> None:
    loaded = load_contract(Source("articles.yaml", WRONG_DEFAULT.encode()))
    assert loaded.contract.operation("readArticles").parameters[0].name == "parts"
    assert problems_of(WRONG_DEFAULT) == [
        ("a.yaml:12:11", "invalid-default", "/paths/~1articles/get/parameters/0/default")
    ]


@pytest.mark.parametrize("text", [DUPLICATED_OPERATION, WRONG_DEFAULT])
def test_the_corrected_twin_is_silent(text: str) -> None:
    corrected = text.replace("default: summary", "default: [summary]").replace(
        'operationId: readShipment\n      responses:\n        "200": {description: gone}',
        'operationId: endShipment\n      responses:\n        "200": {description: gone}',
    )
    assert corrected != text
    assert problems_of(corrected) == []


MANY = """openapi: {version}
info: {{title: x, version: "1"}}
paths:
  /a/{{id}}:
    get:
      operationId: a
      parameters:
        - $ref: "#/components/parameters/Gone"
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  lost: {{$ref: "#/components/schemas/Gone"}}
                  far: {{$ref: "https://api.example/x.json"}}
                  count: {{type: integer, default: many}}
  /b/{{id}}:
    get:
      operationId: a
      responses:
        "200": {{description: ok}}
    put:
      operationId: b
"""


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_dead_references_do_not_hide_the_other_mistakes(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        msg = "validation went to the network"
        raise AssertionError(msg)

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    schema = "/paths/~1a~1{id}/get/responses/200/content/application~1json/schema/properties"
    expected = [
        ("a.yaml:8:11", "dangling-reference", "/paths/~1a~1{id}/get/parameters/0"),
        ("a.yaml:17:19", "dangling-reference", f"{schema}/lost"),
        ("a.yaml:18:19", "remote-reference-refused", f"{schema}/far"),
        ("a.yaml:19:42", "invalid-default", f"{schema}/count/default"),
        ("a.yaml:21:5", "undefined-path-parameter", "/paths/~1b~1{id}/get"),
        ("a.yaml:22:7", "duplicate-operation-id", "/paths/~1b~1{id}/get/operationId"),
        ("a.yaml:25:5", "undefined-path-parameter", "/paths/~1b~1{id}/put"),
    ]
    if version == "3.0.3":  # 3.1 lets an operation have no responses
        expected.insert(6, ("a.yaml:25:5", "invalid-document", "/paths/~1b~1{id}/put"))
    assert problems_of(MANY.format(version=version)) == expected


def test_a_mistake_behind_a_reference_is_placed_where_it_stands() -> None:
    text = """openapi: 3.0.3
info: {title: x, version: "1"}
paths:
  /a:
    get:
      responses:
        "200": {$ref: "#/components/responses/Ok"}
components:
  responses:
    Ok:
      description: ok
      content:
        application/json:
          schema: {$ref: "#/components/schemas/A"}
  schemas:
    A:
      type: boolean
      default: 3
"""
    assert problems_of(text) == [
        ("a.yaml:18:7", "invalid-default", "/components/schemas/A/default")
    ]


def test_what_both_loading_and_validation_see_is_told_once() -> None:
    loaded = load_contract(Source("a.yaml", MANY.format(version="3.0.3").encode()))
    both = {(p.rule, p.pointer) for p in loaded.problems} & {
        (p.rule, p.pointer) for p in validate_contract(loaded.contract)
    }
    assert both  # validation is complete by itself ...
    told = [(p.rule, p.pointer) for p in all_problems(loaded)]
    assert len(told) == len(set(told))  # ... and together nothing is said twice


def test_a_wrong_part_is_named_not_the_choice_around_it() -> None:
    text = """openapi: 3.0.3
info: {title: x, version: "1"}
paths:
  /a:
    get:
      parameters:
        - {name: p, in: query, schema: {type: [string, "null"]}}
      responses: {"200": {description: ok}}
"""
    loaded = load_contract(Source("a.yaml", text.encode()))
    (problem,) = [p for p in all_problems(loaded) if p.rule == "invalid-document"]
    assert problem.pointer == "/paths/~1a/get/parameters/0/schema/type"
    assert "oneOf" not in problem.message


BROKEN: list[Any] = [
    {"paths": []},
    {"paths": {"/a": None}},
    {"paths": {"/a": {"get": []}}},
    {"paths": {"/a/{": {"get": {"responses": {}}}}},
    {"paths": {"/a": {"get": {"parameters": {"x": 1}, "responses": 3}}}},
    {"paths": {"/a": {"get": {"parameters": [{"in": 3}], "responses": {"200": None}}}}},
    {"paths": {}, "components": {"schemas": []}},
    {"paths": {}, "components": {"schemas": {"A": {"allOf": [{"$ref": "#/components"}]}}}},
    {"paths": {}, "tags": [{"description": "no name"}]},
    {"paths": {}, "tags": 3},
    {"paths": {}, "x-driftgate-files": 3},
    {"paths": {}, "info": "\ud800"},
    {"paths": {}, "jsonSchemaDialect": "https://api.example/unknown"},
    {"paths": {}, "components": {"schemas": {"A": {"default": 1, "type": "string", "$ref": 3}}}},
]


@pytest.mark.parametrize("version", ["2.0", "3.0.3", "3.1.0"])
@pytest.mark.parametrize("part", BROKEN, ids=lambda p: json.dumps(p)[:40])
def test_whatever_is_broken_validation_answers(part: dict[str, Any], version: str) -> None:
    head = {"swagger": version} if version == "2.0" else {"openapi": version}
    text = json.dumps({**head, "info": {"title": "x", "version": "1"}, **part})
    loaded = load_contract(Source("a.json", text.encode()))
    for problem in all_problems(loaded):
        assert isinstance(problem, Problem)
        assert problem.location is not None
        assert problem.location.path == "a.json"


def test_schemas_that_contain_each_other_are_checked_to_the_end() -> None:
    a: dict[str, Any] = {
        "type": "object",
        "allOf": [{"$ref": "#/components/schemas/B"}],
        "required": ["n"],
    }
    b: dict[str, Any] = {"properties": {"n": {"default": "x", "type": "integer"}}}
    b["anyOf"] = [{"items": {"$ref": "#/components/schemas/A"}}, {"type": "string"}]
    value = {
        "openapi": "3.0.3",
        "info": {"title": "x", "version": "1"},
        "paths": {},
        "components": {"schemas": {"A": a, "B": b}},
    }
    assert [p for _, *p in problems_of(json.dumps(value), "a.json")] == [
        ["invalid-default", "/components/schemas/B/properties/n/default"]
    ]


def test_a_check_that_cannot_be_finished_says_where() -> None:
    value: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": "x", "version": "1"},
        "paths": {"/{a": {}},
    }
    value["paths"]["/{a"] = {"get": {"responses": {"200": {"description": "ok"}}}}
    (told,) = problems_of(json.dumps(value), "a.json")
    assert told[1:] == (INCOMPLETE, "/paths/~1{a/get")
