"""Proves what is said about operations, parameters, bodies, statuses, headers and security."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.compatibility import compare
from harness.model.finding import Report, Verdict


def shop() -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://shop.example/v1"}],
        "security": [{"token": ["read"]}],
        "paths": {
            "/orders/{id}": {
                "get": {
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                        },
                        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
                    ],
                    "responses": {
                        "200": {
                            "description": "ok",
                            "headers": {
                                "X-Page": {"required": True, "schema": {"type": "integer"}}
                            },
                            "content": {"application/json": {"schema": {"type": "object"}}},
                        },
                        "404": {"description": "no"},
                    },
                },
                "put": {
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                    ],
                    "requestBody": {
                        "content": {"application/json": {"schema": {"type": "object"}}}
                    },
                    "responses": {"204": {"description": "done"}},
                },
            }
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": "https://shop.example/t",
                            "scopes": {"read": "", "write": ""},
                        }
                    },
                }
            }
        },
    }


def judged(tmp_path: Path, old: dict[str, Any], new: dict[str, Any]) -> Report:
    for name, content in (("old", old), ("new", new)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return compare(
        load_contract(tmp_path / "old.json").contract, load_contract(tmp_path / "new.json").contract
    )


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the shop with the value at a dotted path set, or removed when it is None."""
    document = shop()
    here: Any = document
    *way, last = path.split(">")
    for token in way:
        here = here[int(token) if isinstance(here, list) else token]
    if value is None:
        del here[last]
    elif isinstance(here, list):
        here.insert(int(last), value)
    else:
        here[last] = value
    return document


RUN = "from harness.cli.main import main; main()"
GET = "paths>/orders/{id}>get"
PUT = "paths>/orders/{id}>put"
NEW_PARAMETER = {"name": "shop", "in": "query", "required": True, "schema": {"type": "string"}}
CASES: list[tuple[str, str, Any, str]] = [
    ("operation-removed", GET, None, "breaking"),
    ("request-parameter-added-required", f"{GET}>parameters>2", NEW_PARAMETER, "breaking"),
    ("request-parameter-became-required", f"{GET}>parameters>1>required", True, "breaking"),
    ("request-type-changed", f"{GET}>parameters>0>schema>type", "integer", "breaking"),
    ("request-body-became-required", f"{PUT}>requestBody>required", True, "breaking"),
    ("request-body-removed", f"{PUT}>requestBody", None, "breaking"),
    (
        "request-media-type-removed",
        f"{PUT}>requestBody>content",
        {"application/xml": {"schema": {"type": "object"}}},
        "breaking",
    ),
    ("response-success-status-removed", f"{GET}>responses>200", None, "breaking"),
    ("response-body-removed", f"{GET}>responses>200>content", None, "breaking"),
    ("response-error-status-removed", f"{GET}>responses>404", None, "compatible"),
    ("response-error-status-added", f"{GET}>responses>429", {"description": "slow"}, "compatible"),
    ("response-required-header-removed", f"{GET}>responses>200>headers", None, "breaking"),
    (
        "response-type-changed",
        f"{GET}>responses>200>headers>X-Page>schema>type",
        "string",
        "breaking",
    ),
    ("security-tightened", f"{GET}>security", [{"token": ["read", "write"]}], "breaking"),
    ("operation-deprecated", f"{GET}>deprecated", True, "compatible"),
    ("server-removed", "servers", [{"url": "https://new.example"}], "breaking"),
]


@pytest.mark.parametrize(("rule", "path", "value", "verdict"), CASES, ids=[c[0] for c in CASES])
def test_each_change_falls_under_its_rule(
    tmp_path: Path, rule: str, path: str, value: Any, verdict: str
) -> None:
    report = judged(tmp_path, shop(), changed(path, value))
    found = {f.rule: f for f in report.findings}
    assert rule in found, found.keys()
    assert found[rule].verdict.value == verdict
    if verdict == "breaking":
        witness = found[rule].witness
        assert witness is not None
        request = witness.exchange["request"]
        assert request["target"].startswith("/v1/orders/a")


HARMLESS: list[tuple[str, str, Any]] = [
    ("integer-to-string-in-a-query", f"{GET}>parameters>1>schema>type", "string"),
    ("range-instead-of-status", f"{GET}>responses>4XX", {"description": "no"}),
    ("anonymous-alternative", f"{GET}>security", [{"token": ["read"]}, {}]),
    ("fewer-scopes", f"{GET}>security", [{"token": []}]),
    ("optional-parameter", f"{GET}>parameters>2", {**NEW_PARAMETER, "required": False}),
]


@pytest.mark.parametrize(("name", "path", "value"), HARMLESS, ids=[c[0] for c in HARMLESS])
def test_widenings_break_nothing(tmp_path: Path, name: str, path: str, value: Any) -> None:
    assert judged(tmp_path, shop(), changed(path, value)).verdict is Verdict.COMPATIBLE


def test_path_parameters_are_matched_by_position(tmp_path: Path) -> None:
    new = shop()
    item = new["paths"].pop("/orders/{id}")
    for operation in item.values():
        operation["parameters"][0]["name"] = "orderId"
    new["paths"]["/orders/{orderId}"] = item
    assert judged(tmp_path, shop(), new).findings == ()


def test_renamed_components_and_security_schemes_are_no_finding(tmp_path: Path) -> None:
    new = shop()
    new["components"]["securitySchemes"]["login"] = new["components"]["securitySchemes"].pop(
        "token"
    )
    new["security"] = [{"login": ["read"]}]
    assert judged(tmp_path, shop(), new).findings == ()


def test_a_webhook_flips_the_direction(tmp_path: Path) -> None:
    def hook(values: list[str]) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"kind": {"enum": values}}}
        body = {"content": {"application/json": {"schema": schema}}}
        operation = {"requestBody": body, "responses": {"200": {"description": "ok"}}}
        return {
            "openapi": "3.1.0",
            "info": {"title": "Hooks", "version": "1"},
            "webhooks": {"order": {"post": operation}},
        }

    assert judged(tmp_path, hook(["a", "b"]), hook(["a"])).verdict is Verdict.COMPATIBLE
    assert judged(tmp_path, hook(["a"]), hook(["a", "b"])).verdict is Verdict.BREAKING


def test_fingerprints_survive_moves_and_renames(tmp_path: Path) -> None:
    old, new = shop(), changed(f"{GET}>parameters>0>schema>type", "integer")
    first = judged(tmp_path, old, new).findings[0].fingerprint
    for document in (old, new):
        document["info"]["description"] = "a new line"
        document["components"]["schemas"] = {"Unused": {"type": "string"}}
    assert judged(tmp_path, copy.deepcopy(old), new).findings[0].fingerprint == first


def test_the_result_is_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    new = changed(f"{GET}>parameters>0>schema>type", "integer")
    del new["paths"]["/orders/{id}"]["put"]
    (tmp_path / "old.json").write_text(json.dumps(shop()))
    (tmp_path / "new.json").write_text(json.dumps(new))
    (tmp_path / "pairs").write_text('{"id": 1, "old": "old.json", "new": "new.json"}\n')
    outputs = {
        subprocess.run(
            [sys.executable, "-c", RUN, "diff", "--batch", "pairs"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=False,
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(outputs) == 1
    assert b'"verdict": "breaking"' in outputs.pop()


def queried(schema: dict[str, Any], *, location: str = "query", **more: Any) -> dict[str, Any]:
    parameter = {"name": "q", "in": location, "required": location == "path", "schema": schema}
    operation = {"parameters": [{**parameter, **more}], "responses": {"204": {"description": ""}}}
    path = "/found/{q}" if location == "path" else "/found"
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {path: {"get": operation}},
    }


TEXT = {"type": "string"}
WIRE: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    # Every text of the old contract is a text of the new one, whatever type it was meant as.
    ("union-to-text", queried({"oneOf": [TEXT, {"type": "integer"}]}), queried(TEXT), True),
    (
        "text-to-list-in-a-path",
        queried(TEXT, location="path"),
        queried({"type": "array", "items": TEXT}, location="path"),
        True,
    ),
    ("empty-text", queried(TEXT), queried({**TEXT, "minLength": 1}), False),
    (
        "list-with-a-limit",
        queried(TEXT, location="path"),
        queried({"type": "array", "items": TEXT, "maxItems": 1}, location="path"),
        False,
    ),
    ("two-texts", queried(TEXT), queried({"oneOf": [TEXT, {**TEXT, "maxLength": 3}]}), False),
]


@pytest.mark.parametrize(("name", "old", "new", "harmless"), WIRE, ids=[w[0] for w in WIRE])
def test_parameters_are_compared_as_texts(
    tmp_path: Path, name: str, old: dict[str, Any], new: dict[str, Any], harmless: bool
) -> None:
    assert (judged(tmp_path, old, new).verdict is Verdict.COMPATIBLE) is harmless


def test_the_exchange_is_a_call_that_can_be_made(tmp_path: Path) -> None:
    old = shop()
    needed = {"name": "shop", "in": "query", "required": True, "schema": {"enum": ["main"]}}
    old["paths"]["/orders/{id}"]["get"]["parameters"].append(needed)
    new = copy.deepcopy(old)
    new["paths"]["/orders/{id}"]["get"]["parameters"][1]["required"] = True
    del new["paths"]["/orders/{id}"]["get"]["responses"]["200"]
    found = {f.rule: f.witness for f in judged(tmp_path, old, new).findings}
    asked = found["request-parameter-became-required"]
    gone = found["response-success-status-removed"]
    assert asked is not None
    assert gone is not None
    assert asked.exchange["request"]["target"] == "/v1/orders/a?shop=main"
    assert gone.exchange["response"]["status"] == 200


def test_a_base_path_that_moves_into_the_paths_is_no_finding(tmp_path: Path) -> None:
    new = shop()
    new["servers"] = [{"url": "https://shop.example"}]
    new["paths"] = {f"/v1{path}": item for path, item in new["paths"].items()}
    assert judged(tmp_path, shop(), new).findings == ()


def test_an_address_fewer_harms_nobody_while_another_serves(tmp_path: Path) -> None:
    old = shop()
    old["servers"].append({"url": "https://second.example/v1"})
    (finding,) = judged(tmp_path, old, shop()).findings
    assert (finding.rule, finding.verdict.value) == ("server-removed", "compatible")
