"""Proves that another spelling of the same contract is no finding, and that swapping mirrors."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.catalog import load_contract
from harness.catalog.sources import Source
from harness.compatibility import CompareOptions, compare
from harness.model.finding import Category, Direction, Report, Verdict

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted((ROOT / "contracts").glob("*/*/*/openapi.yaml"))
PREFIX = "#/components/schemas/"
TEXTS = {"description", "title", "summary", "example"}
Change = Callable[[Any], Any]

leaves = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": 1},
        {"type": "number"},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "boolean", "description": "a flag"},
        {"type": "string", "nullable": True},
        {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        {"type": "number", "maximum": 9, "exclusiveMaximum": True},
        {"$ref": PREFIX + "Part"},
        {"$ref": PREFIX + "Tree"},
    ]
)


def tagged(kind: str, inner: Any) -> dict[str, Any]:
    tag = {"type": "string", "enum": [kind]}
    return {"type": "object", "properties": {"kind": tag, "of": inner}, "required": ["kind"]}


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1, max_size=3)
    return st.one_of(
        members.map(lambda m: {"type": "object", "properties": m, "required": [min(m)]}),
        inner.map(lambda i: {"type": "array", "items": i}),
        st.tuples(inner, inner).map(lambda p: {"oneOf": [tagged("x", p[0]), tagged("y", p[1])]}),
        st.just({"anyOf": [{"type": "string"}, {"type": "boolean"}]}),
        inner.map(lambda i: {"type": "object", "additionalProperties": i}),
    )


schemas = st.recursive(leaves, grown, max_leaves=5)
TREE = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "next": {"$ref": PREFIX + "Tree"}},
    "required": ["id"],
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return a contract that uses one schema in a request and in an answer."""
    schema = draw(schemas)
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {
        "requestBody": {"required": True, **content},
        "responses": {"200": {"description": "ok", **content}},
    }
    part = {"type": "object", "properties": {"n": {"type": "integer"}}, "description": "part"}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/o": {"post": operation}},
        "components": {"schemas": {"Part": part, "Tree": TREE}},
    }


def rebuilt(node: Any, change: Change) -> Any:
    """Return a copy with ``change`` made at every mapping, the inner ones first."""
    if isinstance(node, dict):
        return change({k: rebuilt(v, change) for k, v in node.items()})
    return [rebuilt(v, change) for v in node] if isinstance(node, list) else node


def is_schema(node: Any) -> bool:
    return isinstance(node, dict) and (
        isinstance(node.get("type"), str | list)
        and not {"in", "flows", "bearerFormat", "scheme"} & node.keys()
    )


def renamed(document: Any) -> Any:
    def change(node: Any) -> Any:
        if isinstance(node.get("$ref"), str) and node["$ref"].startswith(PREFIX):
            return {**node, "$ref": node["$ref"] + "Other"}
        if isinstance(node.get("discriminator"), dict):
            return {**node, "discriminator": {**node["discriminator"], "mapping": tags(node)}}
        return node

    new = rebuilt(document, change)
    parts = new["components"].get("schemas", {})
    new["components"]["schemas"] = {f"{k}Other": v for k, v in parts.items()}
    return new


def tags(union: Any) -> dict[str, str]:
    """Return the tags of a union with renamed components: without a mapping, the old names."""
    mapping = union["discriminator"].get("mapping", {})
    found = {tag: target + "Other" for tag, target in mapping.items()}
    for branch in [*union.get("oneOf", []), *union.get("anyOf", [])]:
        reference = branch.get("$ref", "")
        if reference not in found.values():
            found[reference.removeprefix(PREFIX).removesuffix("Other")] = reference
    return found


def inlined(document: Any) -> Any:
    parts = document["components"].get("schemas", {})

    def change(node: Any) -> Any:
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(PREFIX):
            return copy.deepcopy(parts[reference.removeprefix(PREFIX)])
        return node

    return {**document, "paths": rebuilt(document["paths"], change)}


def extracted(document: Any) -> Any:
    new = copy.deepcopy(document)
    parts = new["components"].setdefault("schemas", {})

    def change(node: Any) -> Any:
        if "schema" in node and isinstance(node["schema"], dict) and "$ref" not in node["schema"]:
            name = f"Extracted{len(parts)}"
            parts[name] = node["schema"]
            return {**node, "schema": {"$ref": PREFIX + name}}
        return node

    new["paths"] = rebuilt(new["paths"], change)
    return new


def reordered(document: Any) -> Any:
    def change(node: Any) -> Any:
        turned = {
            k: node[k][::-1]
            for k in ("oneOf", "anyOf", "allOf", "required", "enum")
            if isinstance(node.get(k), list)
        }
        return dict(reversed({**node, **turned}.items()))

    return rebuilt(document, change)


def wrapped(document: Any) -> Any:
    return rebuilt(
        document,
        lambda n: (
            {**n, "schema": {"allOf": [n["schema"]]}} if isinstance(n.get("schema"), dict) else n
        ),
    )


def respelled(document: Any) -> Any:
    def change(node: Any) -> Any:
        if is_schema(node) and node.get("nullable") is True and isinstance(node["type"], str):
            node = {k: v for k, v in node.items() if k != "nullable"}
            node["type"] = [node["type"], "null"]
        for plain, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if is_schema(node) and node.get(exclusive) is True:
                rest = {k: v for k, v in node.items() if k != plain}
                node = {**rest, exclusive: node[plain]}
        return node

    return {**rebuilt(document, change), "openapi": "3.1.0"}


def retold(document: Any) -> Any:
    def change(node: Any) -> Any:
        told = {k: f"{v} (edited)" for k, v in node.items() if k in TEXTS and isinstance(v, str)}
        return {**node, **told} | ({"description": "new"} if is_schema(node) else {})

    return rebuilt(document, change)


def aged(document: Any) -> Any:
    """Return the document as Swagger 2.0; it must be without unions and nullable."""
    (path, item), *_ = document["paths"].items()
    operation = item["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    parameter = {"name": "body", "in": "body", "required": True, "schema": body}
    old = {
        "swagger": "2.0",
        "info": document["info"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": {
            path: {
                "post": {
                    "parameters": [parameter],
                    "responses": {"200": {"description": "ok", "schema": answer}},
                }
            }
        },
        "definitions": document["components"]["schemas"],
    }

    def change(node: Any) -> Any:
        if isinstance(node.get("$ref"), str):
            return {**node, "$ref": node["$ref"].replace(PREFIX, "#/definitions/")}
        return node

    return rebuilt(old, change)


def speaks_swagger(document: Any) -> bool:
    return not any(k in json.dumps(document) for k in ("oneOf", "anyOf", "nullable"))


SPELLINGS: list[Change] = [renamed, inlined, extracted, reordered, wrapped, respelled, retold]


def judged(old: Any, new: Any) -> Report:
    left, right = (
        load_contract(Source(name, json.dumps(text).encode())).contract
        for name, text in (("old.json", old), ("new.json", new))
    )
    return compare(left, right)


def told(report: Report) -> list[tuple[str, str, str]]:
    return [
        (f.rule, f.field, f.message) for f in report.findings if f.category is not Category.DOCS
    ]


# How many times the ordinary number of examples to try, with fresh seeds: the nightly run.
WIDE = int(os.environ.get("DRIFTGATE_WIDE", "0"))


def quick(examples: int) -> Any:
    return settings(
        max_examples=examples * max(WIDE, 1),
        derandomize=not WIDE,
        print_blob=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda s: s.__name__)
@quick(25)
@given(documents())
def test_another_spelling_is_no_finding(spelling: Change, document: Any) -> None:
    other = spelling(document)
    assert other != document or spelling in {inlined, respelled, reordered}
    assert told(judged(document, other)) == []
    assert told(judged(other, document)) == []


@quick(25)
@given(documents().filter(speaks_swagger))
def test_the_same_contract_in_swagger_2_is_no_finding(document: Any) -> None:
    old = aged(document)
    assert [x for x in told(judged(old, document)) if not x[0].startswith("server")] == []
    assert [x for x in told(judged(document, old)) if not x[0].startswith("server")] == []


@pytest.mark.slow
@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda s: s.__name__)
@pytest.mark.parametrize("path", OURS, ids=lambda p: "-".join(p.parts[-4:-1]))
def test_another_spelling_of_our_own_contracts_is_no_finding(path: Path, spelling: Change) -> None:
    document = json.loads(json.dumps(read(path)))
    assert told(judged(document, spelling(document))) == []


def read(path: Path) -> Any:
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def sides(report: Report, direction: Direction) -> list[tuple[str, str]]:
    found = [f for f in report.findings if f.direction is direction]
    return sorted((f.verdict.value, f.field) for f in found if f.verdict is not Verdict.COMPATIBLE)


@quick(40)
@given(documents(), documents())
def test_swapping_old_and_new_turns_requests_into_answers(old: Any, new: Any) -> None:
    there, back = judged(old, new), judged(new, old)
    assert sides(there, Direction.REQUEST) == sides(back, Direction.RESPONSE)
    assert sides(there, Direction.RESPONSE) == sides(back, Direction.REQUEST)


@quick(20)
@given(documents(), documents(), st.integers(1, 60))
def test_a_smaller_budget_turns_no_answer_around(old: Any, new: Any, steps: int) -> None:
    sides = [
        load_contract(Source(name, json.dumps(text).encode())).contract
        for name, text in (("old.json", old), ("new.json", new))
    ]
    full = compare(sides[0], sides[1]).verdict
    starved = compare(sides[0], sides[1], options=CompareOptions(steps_max=steps)).verdict
    assert starved in {full, Verdict.UNPROVEN} or full is Verdict.UNPROVEN
    if full is Verdict.COMPATIBLE:
        assert starved is not Verdict.BREAKING
    if full is Verdict.BREAKING:
        assert starved is not Verdict.COMPATIBLE
