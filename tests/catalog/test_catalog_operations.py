"""Proves that the finer parts of an operation are read: addresses, encodings, links, callbacks."""

from __future__ import annotations

import json
from typing import Any

from harness.catalog import load_contract
from harness.catalog.loading import Loaded
from harness.catalog.sources import Source
from harness.model.contract import Link, Operation, PartEncoding, Server, ServerVariable

ANSWER = {"204": {"description": ""}}


def loaded(document: dict[str, Any]) -> Loaded:
    return load_contract(Source("shop.json", json.dumps(document).encode()))


def api(operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    item = {"post": {"responses": ANSWER, **operation}, **more.pop("item", {})}
    info = {"title": "Shop", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": {"/things": item}, **more}


def swagger(operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    info = {"title": "Shop", "version": "1"}
    paths = {"/things": {"post": {"responses": ANSWER, **operation}}}
    return {"swagger": "2.0", "info": info, "paths": paths, **more}


def only(document: dict[str, Any]) -> Operation:
    (operation,) = loaded(document).contract.operations
    return operation


def test_the_nearest_servers_serve_an_operation() -> None:
    a, b, c = ([{"url": f"https://{n}.example"}] for n in "abc")
    assert only(api({}, servers=a)).servers[0].url == "https://a.example"
    assert only(api({}, servers=a, item={"servers": b})).servers[0].url == "https://b.example"
    nearest = only(api({"servers": c}, servers=a, item={"servers": b})).servers
    assert nearest == (Server("https://c.example", "/paths/~1things/post/servers/0"),)


def test_variables_of_servers_keep_default_and_values() -> None:
    variables = {"r": {"default": "eu", "enum": ["eu", "us"]}, "p": {"default": 443}, "bad": 1}
    (server,) = only(
        api({}, servers=[{"url": "https://{r}.example", "variables": variables}])
    ).servers
    assert server.variables == (
        ServerVariable("r", "eu", ("eu", "us")),
        ServerVariable("p", "443"),
    )


def test_host_base_path_and_schemes_of_swagger_are_servers() -> None:
    plain = {"host": "a.example", "basePath": "/v1", "schemes": ["http", "https"]}
    urls = [s.url for s in only(swagger({}, **plain)).servers]
    assert urls == ["http://a.example/v1", "https://a.example/v1"]
    own = only(swagger({"schemes": ["wss"]}, **plain)).servers
    assert own == (Server("wss://a.example/v1", "/paths/~1things/post/schemes"),)
    assert only(swagger({}, basePath="/v1")).servers == (Server("/v1", "/basePath"),)
    assert only(swagger({})).servers == ()


def test_encodings_of_parts_are_read() -> None:
    header = {"X-Sum": {"schema": {"type": "string"}, "required": True}}
    said = {"contentType": "image/png, image/*", "headers": {**header, "Content-Type": {}}}
    media = {"encoding": {"f": said, "tags": {"style": "form", "explode": False}, "bad": 1}}
    read = loaded(api({"requestBody": {"content": {"multipart/form-data": media}}}))
    body = read.contract.operations[0].request_body
    assert body is not None
    first, second = body.content[0].encoding
    assert first.content_types == ("image/png", "image/*")
    assert [(h.name, h.required) for h in first.headers] == [("X-Sum", True)]
    place = body.content[0].pointer
    assert second == PartEncoding("tags", f"{place}/encoding/tags", (), "form", explode=False)
    assert [p.message for p in read.problems] == [
        "an encoding is an object; this part was left out"
    ]


def test_collection_formats_of_form_fields_are_encodings() -> None:
    tags = {"name": "tags", "in": "formData", "type": "array", "items": {"type": "string"}}
    body = only(swagger({"parameters": [{**tags, "collectionFormat": "multi"}]})).request_body
    assert body is not None
    (encoding,) = body.content[0].encoding
    assert (encoding.name, encoding.style, encoding.explode) == ("tags", "form", True)


def test_a_type_that_swagger_does_not_name_is_not_stated() -> None:
    body = {"name": "b", "in": "body", "schema": {}}
    silent = only(swagger({"parameters": [body]})).request_body
    named = only(swagger({"parameters": [body]}, consumes=["*/*"])).request_body
    assert silent is not None
    assert named is not None
    assert [(m.name, m.stated) for m in (*silent.content, *named.content)] == [
        ("*/*", False),
        ("*/*", True),
    ]


def test_links_are_read_with_their_target() -> None:
    link = {"operationId": "get", "parameters": {"id": "$response.body#/id"}}
    answers = {"201": {"description": "", "links": {"next": link, "far": {"$ref": "#/nowhere"}}}}
    (response,) = only(api({"responses": answers})).responses
    (found,) = response.links
    assert isinstance(found, Link)
    assert (found.name, found.operation_id, found.operation_ref) == ("next", "get", None)
    assert found.parameters == {"id": "$response.body#/id"}


def test_callbacks_know_what_they_belong_to() -> None:
    event = {"post": {"responses": ANSWER}}
    callbacks = {"sold": {"{$request.body#/url}": event}, "lost": {"{$request.body#/url}": event}}
    found = loaded(api({"callbacks": callbacks})).contract.webhooks
    assert [(o.via, o.incoming) for o in found] == [
        ("POST /things sold", True),
        ("POST /things lost", True),
    ]
    assert found[0].label == "POST /things sold POST {$request.body#/url}"


def test_an_empty_value_is_allowed_in_queries_only() -> None:
    def parameter(place: str) -> dict[str, Any]:
        return {"name": "q", "in": place, "allowEmptyValue": True, "schema": {}}

    parameters = only(api({"parameters": [parameter("query"), parameter("header")]})).parameters
    assert [p.allow_empty for p in parameters] == [True, False]


def test_headers_of_answers_keep_their_spelling() -> None:
    listed = {"type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"}
    headers = {"X-Tags": listed, "X-Plain": {"type": "string"}}
    answers = {"200": {"description": "", "headers": headers}}
    (response,) = only(swagger({"responses": answers})).responses
    assert [(h.style, h.explode) for h in response.headers] == [
        ("pipeDelimited", False),
        ("simple", False),
    ]


def test_a_name_that_is_no_media_type_is_left_out_and_reported() -> None:
    content: dict[str, Any] = {"responses": {"200": {}}, "application/json": {"schema": {}}}
    read = loaded(api({"requestBody": {"content": content}}))
    body = read.contract.operations[0].request_body
    assert body is not None
    assert [m.name for m in body.content] == ["application/json"]
    assert any("'responses' is not a media type" in p.message for p in read.problems)
