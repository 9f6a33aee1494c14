"""Proves how pairs of schemas are met: once, by the shortest path, with all that reach them."""

from __future__ import annotations

import json
from typing import Any

from harness.catalog import Source, load_contract
from harness.compatibility.exchanges.operations import walk_contracts
from harness.compatibility.exchanges.pairing import Structural
from harness.compatibility.rules.beside import facts
from harness.compatibility.rules.schema_pairs import Meeting, SchemaPairs
from harness.model.contract import Contract
from harness.model.finding import Category, Direction

THING = {"$ref": "#/components/schemas/Thing"}
ALL = frozenset(Category)


def document(paths: dict[str, Any], schemas: dict[str, Any]) -> Contract:
    content = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }
    return load_contract(Source("shop.json", json.dumps(content).encode())).contract


def reading(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"get": {"responses": {"200": {"description": "A thing.", "content": content}}}}


def writing(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    body = {"required": True, "content": content}
    return {"post": {"requestBody": body, "responses": {"204": {"description": "Done."}}}}


def met(old: Contract, new: Contract, pairs_max: int = 1000) -> list[Meeting]:
    return list(SchemaPairs(old, new, pairs_max).meetings(walk_contracts(old, new).roots))


def told(old: Contract, new: Contract, **more: Any) -> list[Structural]:
    return list(facts(old, new, walk_contracts(old, new), **more))


def thing(words: str, **more: Any) -> dict[str, Any]:
    return {"Thing": {"type": "object", "properties": {"id": {"type": "string", **more}}}} | {
        "Box": {"type": "object", "description": words, "properties": {"thing": THING}}
    }


def test_a_pair_is_met_once_with_every_operation_and_by_its_shortest_path() -> None:
    paths = {
        "/boxes": reading({"type": "array", "items": {"$ref": "#/components/schemas/Box"}}),
        "/things": reading(THING),
        "/orders": writing({"type": "object", "properties": {"first": THING}}),
    }
    old, new = document(paths, thing("b")), document(paths, thing("b", default="x"))
    deep = [m for m in met(old, new) if m.old.head.endswith("/Thing/properties/id")]
    assert len(deep) == 1
    assert deep[0].operations == ("GET /boxes", "GET /things", "POST /orders")
    assert (deep[0].field, deep[0].asked, deep[0].answered) == ("id", True, True)
    found = [f for f in told(old, new) if f.rule.endswith("default-added")]
    assert {(f.rule, f.operation) for f in found} == {
        (f"{side}-default-added", operation)
        for side in ("request", "response")
        for operation in deep[0].operations
    }
    assert {f.direction for f in found} == {Direction.REQUEST, Direction.RESPONSE}


def test_what_is_the_same_on_both_sides_is_not_entered() -> None:
    paths = {"/boxes": reading({"$ref": "#/components/schemas/Box"}), "/things": reading(THING)}
    old, new = document(paths, thing("old words")), document(paths, thing("new words"))
    assert [m.old.head for m in met(old, new)] == ["/components/schemas/Box"]


def test_schemas_that_refer_to_themselves_are_walked_once() -> None:
    def tree(words: str) -> dict[str, Any]:
        node = {"$ref": "#/components/schemas/Node"}
        inner = {"left": node, "right": node, "all": {"type": "array", "items": node}}
        return {"Node": {"type": "object", "description": words, "properties": inner}}

    paths = {"/tree": reading({"$ref": "#/components/schemas/Node"})}
    old, new = document(paths, tree("old")), document(paths, tree("new"))
    assert [m.field for m in met(old, new)] == ["", "all"]
    assert [f.rule for f in told(old, new)] == ["schema-documentation-changed"]


def test_a_chain_of_a_thousand_schemas_costs_no_stack() -> None:
    def chain(words: str) -> dict[str, Any]:
        return {
            f"S{i}": {"properties": {"n": {"$ref": f"#/components/schemas/S{i + 1}"}}}
            for i in range(1500)
        } | {"S1500": {"type": "string", "description": words}}

    paths = {"/deep": reading({"$ref": "#/components/schemas/S0"})}
    found = met(document(paths, chain("old")), document(paths, chain("new")), 5000)
    assert len(found) == 1501
    assert found[-1].field.count("n") == 1500


def test_many_operations_over_many_schemas_stay_linear() -> None:
    def parts(words: str) -> dict[str, Any]:
        names = {f"P{i}": {"type": "string", "description": words} for i in range(300)}
        inner = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
        return {**names, "Thing": {"type": "object", "properties": inner}}

    paths = {f"/things{i}": reading(THING) for i in range(100)}
    found = met(document(paths, parts("old")), document(paths, parts("new")))
    assert len(found) == 301
    assert {len(m.operations) for m in found} == {100}


def test_branches_meet_by_name_and_title_before_position() -> None:
    def union(*branches: Any) -> dict[str, Any]:
        return reading({"oneOf": list(branches)})

    def titled(title: str, words: str) -> dict[str, Any]:
        return {"type": "object", "title": title, "description": words}

    old = document({"/u": union(titled("A", "a"), THING, titled("B", "b"))}, thing("x"))
    new = document(
        {"/u": union(titled("B", "bb"), titled("A", "aa"), THING)}, thing("x", title="t")
    )
    places = {(m.old.words.get("title"), m.new.words.get("title")) for m in met(old, new)}
    assert places >= {("A", "A"), ("B", "B")}
    assert ("A", "B") not in places


def test_nullability_and_wrappers_are_no_other_schema() -> None:
    old = document({"/t": reading({"type": "object", "properties": {"a": THING}})}, thing("x"))
    wrapped = {"allOf": [THING]}
    either = {"anyOf": [THING, {"type": "null"}]}
    for spelling in (wrapped, either):
        body = {"type": "object", "properties": {"a": spelling}}
        new = document({"/t": reading(body)}, thing("x"))
        assert told(old, new, judged=ALL) == []


def test_words_beside_a_reference_win_over_those_behind_it() -> None:
    own = {"type": "object", "properties": {"a": {**THING, "description": "mine"}}}
    shared = {"Thing": {"type": "string", "description": "old"}}
    other = {"Thing": {"type": "string", "description": "new"}}
    old, new = document({"/t": reading(own)}, shared), document({"/t": reading(own)}, other)
    assert [f.rule for f in told(old, new)] == []
    both = {"/t": reading(own), "/u": reading(THING)}
    found = told(document(both, shared), document(both, other))
    assert [(f.rule, f.operation) for f in found] == [("schema-documentation-changed", "GET /u")]


def test_the_budget_is_told_and_never_silent() -> None:
    paths = {"/boxes": reading({"$ref": "#/components/schemas/Box"})}
    old, new = document(paths, thing("a")), document(paths, thing("b", default="x"))
    rules = [f.rule for f in told(old, new, pairs_max=1)]
    assert "annotations-not-compared" in rules
    assert "response-default-added" not in rules


def test_names_and_orders_are_told_only_to_who_picks_sdk_source() -> None:
    old = document({"/t": reading({"enum": ["a", "b"]})}, {"Old": {"type": "string"}})
    new = document({"/t": reading({"enum": ["b", "a"]})}, {"New": {"type": "string"}})
    assert told(old, new) == []
    assert {f.rule for f in told(old, new, judged=ALL)} == {
        "enum-order-changed",
        "schema-removed",
        "schema-added",
    }


def test_a_swagger_parameter_is_described_once() -> None:
    def swagger(words: str) -> Contract:
        parameter = {"name": "q", "in": "query", "type": "string", "description": words}
        operation = {"parameters": [parameter], "responses": {"200": {"description": "ok"}}}
        content = {
            "swagger": "2.0",
            "info": {"title": "Shop", "version": "1"},
            "paths": {"/t": {"get": operation}},
        }
        return load_contract(Source("shop.json", json.dumps(content).encode())).contract

    found = told(swagger("old"), swagger("new"))
    assert [(f.rule, f.field) for f in found] == [("parameter-documentation-changed", "query.q")]
