"""Proves that a witness is a whole exchange: one that could be sent, and was answered, before."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.compatibility.exchanges.calls import Calls
from harness.compatibility.exchanges.operations import walk_contracts
from harness.model.finding import Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]
CONTRACTS = Path(__file__).parents[2] / "contracts"
DOCUMENTS = sorted(CONTRACTS.glob("*/*/*/openapi.yaml"))


def shop() -> dict[str, Any]:
    order = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "sku": {"type": "string", "enum": ["A-1", "B-2"]},
            "pin": {"type": "string", "writeOnly": True},
        },
        "required": ["id", "sku", "pin"],
    }
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
    page = {"required": True, "schema": {"type": "integer", "minimum": 1}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://shop.example/v1"}],
        "security": [{"token": []}],
        "paths": {
            "/shops/{shop}/orders": {
                "parameters": [
                    {"name": "shop", "in": "path", "required": True, "schema": {"enum": ["a b"]}},
                    {"name": "trace", "in": "header", "required": True, "schema": {"enum": ["t"]}},
                    {"name": "session", "in": "cookie", "required": True, "schema": {"enum": [7]}},
                    {"name": "dry", "in": "query", "required": True, "schema": {"enum": [True]}},
                    {"name": "note", "in": "query", "schema": {"type": "string"}},
                ],
                "post": {
                    "requestBody": {"required": True, "content": body},
                    "responses": {
                        "201": {"description": "", "content": body, "headers": {"X-Page": page}}
                    },
                },
            }
        },
        "components": {
            "schemas": {"Order": order},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


PATH = "/shops/{shop}/orders"
REQUEST = {
    "method": "POST",
    "server": "https://shop.example",
    "target": "/v1/shops/a%20b/orders?dry=true",
    "headers": {
        "trace": "t",
        "Cookie": "session=7",
        "Authorization": "Bearer fake-token",
        "Accept": "application/json",
        "Content-Type": "application/json",
    },
    "media_type": "application/json",
    "body": {"pin": "a", "sku": "A-1"},
}
RESPONSE = {
    "status": 201,
    "headers": {"X-Page": "1", "Content-Type": "application/json"},
    "body": {"id": "a", "sku": "A-1"},
}


def test_a_removed_operation_shows_the_exchange_that_worked(judge: Judge) -> None:
    new = shop()
    new["paths"]["/elsewhere"] = {"get": {"responses": {"204": {"description": ""}}}}
    del new["paths"][PATH]
    (finding,) = [f for f in judge(shop(), new).findings if f.rule == "operation-removed"]
    assert finding.witness is not None
    assert finding.witness.exchange == {"request": REQUEST, "response": RESPONSE}


def test_a_body_that_breaks_stands_in_its_request(judge: Judge) -> None:
    new = shop()
    new["components"]["schemas"]["Order"]["properties"]["sku"]["enum"] = ["A-1"]
    (finding,) = [f for f in judge(shop(), new).findings if f.verdict is Verdict.BREAKING]
    assert finding.witness is not None
    assert finding.witness.exchange == {"request": {**REQUEST, "body": {"pin": "a", "sku": "B-2"}}}
    assert finding.witness.value == {"pin": "a", "sku": "B-2"}


def test_an_answer_that_breaks_comes_with_the_old_request(judge: Judge) -> None:
    new = shop()
    new["components"]["schemas"]["Order"]["properties"]["sku"]["enum"] = ["A-1", "B-2", "C-3"]
    (finding,) = [f for f in judge(shop(), new).findings if f.verdict is Verdict.BREAKING]
    assert finding.witness is not None
    assert finding.witness.exchange == {
        "request": REQUEST,
        "response": {**RESPONSE, "body": {"id": "a", "sku": "C-3"}},
    }


def test_an_optional_parameter_that_went_is_in_the_request(judge: Judge) -> None:
    new = shop()
    del new["paths"][PATH]["parameters"][4]
    (lost,) = walk_contracts(*(contract(d) for d in (shop(), new))).structural
    assert lost.rule == "request-parameter-removed"
    assert lost.exchange["request"]["target"] == "/v1/shops/a%20b/orders?dry=true&note=a"


def contract(document: dict[str, Any]) -> Any:
    from harness.catalog.sources import Source

    return load_contract(Source("d.json", json.dumps(document).encode())).contract


def test_any_operation_has_an_exchange_to_show_on_demand() -> None:
    walk = walk_contracts(contract(shop()), contract(shop()))
    assert walk.sample(f"POST {PATH}") == {"request": REQUEST, "response": RESPONSE}
    assert walk.sample("GET /nowhere") == {}


def test_nothing_is_sampled_before_a_finding_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def sampled(*_: object, **__: object) -> dict[str, Any]:
        made.append("sampled")
        return {}

    for name in ("call", "answer"):
        monkeypatch.setattr(Calls, name, sampled)
    walk = walk_contracts(contract(shop()), contract(copy.deepcopy(shop())))
    assert (len(walk.roots), walk.structural, made) == (8, [], [])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.parts[-3])
def test_every_operation_of_our_own_contracts_has_an_exchange(path: Path) -> None:
    whole = load_contract(path).contract
    calls = Calls(whole)
    for operation in whole.operations:
        made = calls.call(operation)["request"]
        assert made["method"] == operation.method
        assert "{" not in made["target"]
        assert made["target"].startswith("/")
        assert made["target"].isascii()
        for response in operation.responses:
            answer = calls.answer(response, status=200)["response"]
            json.dumps(answer)
        needed = {p.name for p in operation.parameters if p.required and p.location == "header"}
        assert needed <= made["headers"].keys()


@pytest.mark.slow
def test_the_exchange_is_the_same_under_any_hash_seed(tmp_path: Path) -> None:
    new = shop()
    del new["paths"][PATH]["post"]["responses"]["201"]["headers"]
    new["components"]["schemas"]["Order"]["properties"]["sku"]["enum"] = ["A-1"]
    for name, document in (("old", shop()), ("new", new)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    command = "from harness.cli.main import main; main()"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", command, "diff", "old.json", "new.json", "--format", "json"],
            cwd=tmp_path,
            env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": str(CONTRACTS.parent)},
            capture_output=True,
            check=False,
        ).stdout
        for seed in ("0", "7")
    }
    assert len(outputs) == 1
    assert b'"X-Page"' in outputs.pop()
