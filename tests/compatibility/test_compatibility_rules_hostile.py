"""Proves that nothing a document holds makes the rules beside containment fail or differ by run."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import Source, load_contract
from harness.compatibility.exchanges.operations import walk_contracts
from harness.compatibility.rules.beside import facts
from harness.compatibility.rules.contradictions import contradiction
from harness.compatibility.rules.schema_views import Views
from harness.compatibility.rules.unchanged import Unchanged
from harness.compatibility.schemas.side import Side
from harness.model.contract import Contract
from harness.model.errors import DriftgateError
from harness.model.finding import Category

BASE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1", "x-sunset": "2030-01-01"},
    "tags": [{"name": "a", "description": "d", "externalDocs": {"url": "u"}}],
    "paths": {
        "/t/{id}": {
            "post": {
                "operationId": "make",
                "tags": ["a"],
                "deprecated": True,
                "x-sunset": "2030-01-01",
                "x-stability-level": "beta",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "q", "in": "query", "schema": {"type": "integer", "default": 1}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                    }
                },
                "responses": {
                    "200": {
                        "description": "ok",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        },
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "title": "T",
                "required": ["a"],
                "properties": {
                    "a": {"type": "string", "format": "date", "x-extensible-enum": ["x", "y"]},
                    "b": {"enum": [1, 2], "default": 1, "readOnly": True, "x-sunset": "2030-01-01"},
                    "c": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    "d": {"oneOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]},
                },
                "discriminator": {"propertyName": "a"},
            }
        }
    },
}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries: Any = ()
    if isinstance(node, dict):
        entries = node.items()
    elif isinstance(node, list):
        entries = enumerate(node)
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


PLACES = list(places(BASE))


def put(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(BASE)
    here: Any = document
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return document


def contract(content: Any) -> Contract:
    return load_contract(Source("shop.json", json.dumps(content).encode())).contract


def told(old: Contract, new: Contract) -> list[Any]:
    found = facts(old, new, walk_contracts(old, new), judged=frozenset(Category))
    return [(f.rule, f.operation, f.field, f.message) for f in found]


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(PLACES), JUNK, st.booleans())
def test_junk_anywhere_is_told_or_passed_over(path: Any, junk: Any, turned: bool) -> None:
    try:
        sides = contract(BASE), contract(put(path, junk))
    except DriftgateError:
        return
    old, new = sides[::-1] if turned else sides
    assert told(old, new) == told(old, new)
    assert told(new, new) == []


def test_true_is_not_one_and_differences_travel_back_along_references() -> None:
    def parts(value: Any) -> Views:
        schemas = {
            "A": {"$ref": "#/components/schemas/B"},
            "B": {"properties": {"b": {"$ref": "#/components/schemas/C"}}},
            "C": {"const": value, "not": {"$ref": "#/components/schemas/A"}},
            "D": {"type": "string"},
        }
        return Views(contract({**BASE, "components": {"schemas": schemas}}))

    start = "/components/schemas/A"
    unchanged = Unchanged(parts(True), parts(1), [start, "/components/schemas/D"])
    assert [
        unchanged.same(f"/components/schemas/{n}", f"/components/schemas/{n}") for n in "ABCD"
    ] == [
        False,
        False,
        False,
        True,
    ]
    equal = Unchanged(parts(1), parts(1), [start])
    assert equal.same(start, start)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "integer", "minimum": 3, "maximum": 2}, "the least number"),
        ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4}, "the least number"),
        ({"type": "number", "minimum": 3, "exclusiveMaximum": 3}, "the least number"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "minLength"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "minItems"),
        ({"type": "object", "required": ["a", "b"], "maxProperties": 1}, "more properties"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "exclude each other"),
        ({"allOf": [{"enum": ["a"]}, {"enum": ["b"]}]}, "exclude each other"),
        (False, "false"),
        ({"type": "number", "exclusiveMinimum": 3, "exclusiveMaximum": 4}, ""),
        ({"type": "number", "minimum": 3, "maximum": 3}, ""),
        ({"type": ["integer", "null"], "minimum": 3, "maximum": 2}, ""),
        ({"minLength": 3, "maxLength": 2}, ""),
        ({"type": "object", "required": ["a"], "maxProperties": 1}, ""),
        (True, ""),
    ],
)
def test_a_contradiction_is_named_only_when_no_value_is_left(schema: Any, why: str) -> None:
    made = contract({**BASE, "components": {"schemas": {"Thing": schema}}})
    side = Side(made.schemas, dropped="", writer=False, closed=False)
    found = contradiction(side, "/components/schemas/Thing")
    assert why in found if why else found == ""
