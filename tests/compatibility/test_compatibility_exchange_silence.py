"""Proves that examples, extensions and words never matter, wherever in an exchange they stand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.model.finding import Category, Report

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]
WORDS = {"description": "New words.", "x-internal": {"enum": [1], "required": True}}


def openapi() -> dict[str, Any]:
    text = {"type": "string"}
    thing = {"type": "object", "properties": {"name": text}, "required": ["name"]}
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    form = {
        "multipart/form-data": {
            "schema": {"$ref": "#/components/schemas/Thing"},
            "encoding": {"name": {"contentType": "text/plain"}},
        }
    }
    event = {"post": {"requestBody": {"content": body}, "responses": {"200": {"description": ""}}}}
    post = {
        "operationId": "make",
        "parameters": [
            {"name": "q", "in": "query", "schema": text},
            {"name": "X-Trace", "in": "header", "schema": text},
        ],
        "requestBody": {"content": {**body, **form}},
        "responses": {
            "201": {
                "description": "",
                "headers": {"X-Page": {"schema": text}},
                "content": body,
                "links": {"next": {"operationId": "make"}},
            }
        },
        "callbacks": {"done": {"{$request.body#/url}": event}},
    }
    flow = {"tokenUrl": "https://login.example/t", "scopes": {"read": ""}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://{r}.example", "variables": {"r": {"default": "eu"}}}],
        "security": [{"login": ["read"]}],
        "paths": {"/things": {"post": post}},
        "webhooks": {"sold": copy.deepcopy(event)},
        "components": {
            "schemas": {"Thing": thing},
            "securitySchemes": {"login": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
        },
    }


def swagger() -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}},
        {"name": "file", "in": "formData", "type": "file"},
        {"name": "note", "in": "formData", "type": "string"},
    ]
    answer = {
        "description": "",
        "schema": {"$ref": "#/definitions/Thing"},
        "headers": {"X-Page": {"type": "integer"}},
    }
    return {
        "swagger": "2.0",
        "info": {"title": "Shop", "version": "1"},
        "host": "shop.example",
        "consumes": ["multipart/form-data"],
        "produces": ["application/json"],
        "security": [{"key": []}],
        "paths": {"/things": {"post": {"parameters": parameters, "responses": {"200": answer}}}},
        "definitions": {"Thing": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    }


PLACES: dict[str, dict[str, list[str]]] = {
    # where something of a kind stands; "*" is any member
    "openapi": {
        "words": [
            "",
            "info",
            "servers/*",
            "servers/*/variables/*",
            "paths",
            "paths/*",
            "paths/*/post",
            "paths/*/post/parameters/*",
            "paths/*/post/requestBody",
            "paths/*/post/requestBody/content/*",
            "paths/*/post/requestBody/content/multipart~form-data/encoding/*",
            "paths/*/post/responses/201",
            "paths/*/post/responses/201/headers/*",
            "paths/*/post/responses/201/links/*",
            "paths/*/post/callbacks/*/*/post",
            "webhooks/*/post",
            "components/schemas/*",
            "components/schemas/*/properties/*",
            "components/securitySchemes/*",
        ],
        "example": [
            "paths/*/post/parameters/*",
            "paths/*/post/parameters/*/schema",
            "paths/*/post/requestBody/content/*",
            "paths/*/post/responses/201/headers/*",
            "paths/*/post/responses/201/content/*",
            "components/schemas/*",
            "components/schemas/*/properties/*",
        ],
    },
    "swagger": {
        "words": [
            "info",
            "paths/*",
            "paths/*/post",
            "paths/*/post/parameters/*",
            "paths/*/post/responses/200",
            "paths/*/post/responses/200/headers/*",
            "definitions/*",
            "securityDefinitions/*",
        ],
        "example": [
            "paths/*/post/parameters/*",
            "definitions/*",
            "definitions/*/properties/*",
        ],
    },
}


def standing(document: Any, place: str) -> Iterator[dict[str, Any]]:
    """Yield every object at a place of the list above."""
    found = [document]
    for token in place.split("/") if place else ():
        key = token.replace("~", "/")
        found = [
            child
            for here in found
            for child in (
                (list(here.values()) if isinstance(here, dict) else here)
                if token == "*"
                else [here[key]] * (key in here)
            )
            if isinstance(child, dict | list)
        ]
    assert found, place
    yield from (f for f in found if isinstance(f, dict))


@pytest.mark.parametrize("make", [openapi, swagger])
@pytest.mark.parametrize("what", ["words", "example", "examples"])
def test_nothing_that_only_explains_is_ever_reported(
    judge: Judge, make: Callable[[], dict[str, Any]], what: str
) -> None:
    new = make()
    for place in PLACES[make.__name__]["words" if what == "words" else "example"]:
        for node in list(standing(new, place)):
            if what == "words":
                node.update(WORDS if place not in {"", "paths", "paths/*"} else {"x-internal": 1})
            elif what == "example":
                node["example"] = {"never": ["valid", None]}
            elif "schema" not in node and "type" in node:
                node["examples"] = [{"never": "valid"}]
            else:
                node["examples"] = {"one": {"value": {"never": "valid"}}}
    report = judge(make(), new)
    assert [f.rule for f in report.findings if f.category is not Category.DOCS] == []


@pytest.mark.parametrize("make", [openapi, swagger])
def test_the_order_of_things_is_never_reported(
    judge: Judge, make: Callable[[], dict[str, Any]]
) -> None:
    def turned(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: turned(node[k]) for k in reversed(node)}
        return node

    assert judge(make(), turned(make())).findings == ()
