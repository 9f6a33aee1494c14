"""Proves that the comparer stays bounded and honest on huge, cyclic and contradictory schemas."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.compatibility.schemas.containment import BudgetSpent, Containment, Pair
from harness.compatibility.schemas.side import Side
from harness.compatibility.schemas.witness import Confirmer
from harness.compatibility.schemas.witness import Path as Way

WIDE = int(os.environ.get("DRIFTGATE_WIDE", "0"))
NAMES = ("a", "b", "c")


def sides(writer: Any, reader: Any, *, closed: bool = True) -> Containment:
    return Containment(
        Side(writer, dropped="readOnly", writer=True, closed=closed),
        Side(reader, dropped="readOnly", writer=False, closed=False),
        steps=60_000,
    )


def verdict(containment: Containment) -> tuple[bool | None, Any]:
    """Return whether everything can be read (``None``: open), and the witness if not."""
    confirmer = Confirmer(containment)
    root = Pair(containment.writer.node("/top"), containment.reader.node("/top"))
    ways: dict[Pair, Way] = {root: ()}
    todo = deque([root])
    is_open = False
    while todo:
        pair = todo.popleft()
        try:
            expansion = containment.expand(pair)
        except BudgetSpent:
            return None, None
        for gap in expansion.gaps:
            shown = confirmer.confirm(root, ways[pair], pair, gap)
            if shown is not None:
                return False, shown.value
            is_open = True
        for edge in expansion.edges:
            if edge.pair not in ways:
                ways[edge.pair] = (*ways[pair], (pair, edge.step))
                todo.append(edge.pair)
    return (None if is_open else True), None


def web(size: int, last: Any) -> dict[str, Any]:
    """Return many components that all lead to each other, the last one given."""
    parts: dict[str, Any] = {}
    for index in range(size):
        following = [f"#/parts/S{(index * k + 1) % size}" for k in (1, 2, 3, 7)]
        parts[f"S{index}"] = {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "one": {"$ref": following[0]},
                "many": {"type": "array", "items": {"$ref": following[1]}},
                "either": {"anyOf": [{"$ref": following[2]}, {"type": "null"}]},
                "map": {"type": "object", "additionalProperties": {"$ref": following[3]}},
            },
        }
    parts[f"S{size - 1}"]["properties"]["id"] = last
    return {"top": {"$ref": "#/parts/S0"}, "parts": parts}


@pytest.mark.slow
def test_two_thousand_schemas_in_cycles_cost_a_few_steps_each() -> None:
    size = 2_000
    old, new = web(size, {"type": "string"}), web(size, {"type": "string", "minLength": 0})
    containment = sides(old, new)
    assert verdict(containment) == (True, None)
    assert 60_000 - containment.steps_left < 12 * size
    changed = sides(old, web(size, {"type": "integer"}))
    holds, witness = verdict(changed)
    assert holds is False
    assert not jsonschema.Draft202012Validator(
        {"$ref": "#/top", **web(size, {"type": "integer"})}
    ).is_valid(witness)


def test_a_web_of_unions_is_bounded_by_steps() -> None:
    def knot(extra: Any) -> dict[str, Any]:
        parts = {
            f"N{i}": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {
                            "kind": {"const": f"k{j}"},
                            "next": {"$ref": f"#/parts/N{(i + j) % 12}"},
                        },
                        "required": ["kind"],
                    }
                    for j in range(12)
                ]
            }
            for i in range(12)
        }
        changed: Any = parts["N7"]["oneOf"][3]
        changed["properties"]["value"] = extra
        return {"top": {"$ref": "#/parts/N0"}, "parts": parts}

    assert verdict(sides(knot({"type": "integer"}), knot({"type": "number"})))[0] is True
    holds, witness = verdict(sides(knot({"type": "number"}), knot({"type": "integer"})))
    assert holds is False
    assert "0.5" in json.dumps(witness)


def test_deep_schemas_do_not_exhaust_the_stack() -> None:
    def deep(leaf: Any) -> dict[str, Any]:
        schema = leaf
        for level in range(120):
            schema = (
                {"type": "object", "properties": {"a": schema}, "required": ["a"]}
                if level % 2
                else {"type": "array", "items": schema, "minItems": 1}
            )
        return {"top": schema}

    assert verdict(sides(deep({"type": "integer"}), deep({"type": "number"})))[0] is True
    assert verdict(sides(deep({"type": "number"}), deep({"type": "integer"})))[0] is not True


def test_many_overlapping_branches_stay_open_or_are_decided_within_bounds() -> None:
    def wide(top: int) -> dict[str, Any]:
        branches = [
            {"type": "object", "properties": {f"p{i}": {"type": "integer", "maximum": top}}}
            for i in range(40)
        ]
        return {"top": {"anyOf": branches}}

    assert verdict(sides(wide(9), wide(9)))[0] is True
    assert verdict(sides(wide(10), wide(9)))[0] is not True


@pytest.mark.parametrize(
    "pattern",
    [
        "^((a+)+)+$",
        "(a|aa)*b(a|b){30}",
        "^(.*a){25}$",
        "a{1,9000}",
        "((a{1,99}){1,99}){1,99}",
        "(" * 80 + "a" + ")" * 80,
        "^(?:[a-z]{1,60}[0-9]{1,60}){1,20}$",
        "[",
        "(?<=a)b",
        "\\p{L}",
        "(a)\\1",
    ],
)
def test_a_hostile_pattern_costs_its_limit_and_no_false_yes(pattern: str) -> None:
    hostile = {"top": {"type": "string", "pattern": pattern}}
    holds, witness = verdict(sides({"top": {"type": "string"}}, hostile))
    assert holds is not True
    assert holds is None or isinstance(witness, str)
    verdict(sides(hostile, {"top": {"type": "string", "pattern": "^[a-z]*$"}}))


numbers = st.sampled_from([0, 1, 2, -1, 0.5, 1.0, 10**20])
sizes = st.sampled_from([0, 1, 2, 3])
atoms: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                ["string", "integer", "number", "object", "array", ["null", "string"], "boolean"]
            ),
            "enum": st.lists(st.sampled_from([None, True, 1, "a", [], {}, {"a": 1}]), max_size=3),
            "minimum": numbers,
            "exclusiveMaximum": numbers,
            "multipleOf": st.sampled_from([1, 2, 0.5, 0.1]),
            "minLength": sizes,
            "maxLength": sizes,
            "pattern": st.sampled_from(["^a", "b$", "^[ab]{2}$", "c"]),
            "format": st.sampled_from(["date", "uuid", "int32", "unheard-of"]),
            "$ref": st.sampled_from([f"#/parts/{n}" for n in NAMES]),
        },
    ),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", ["object", "array", "string"]]),
            "properties": named,
            "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
            "additionalProperties": inner,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
            "propertyNames": inner,
            "minProperties": sizes,
            "maxProperties": sizes,
            "dependentRequired": st.dictionaries(
                st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=1), max_size=1
            ),
            "dependentSchemas": st.dictionaries(st.sampled_from(NAMES), inner, max_size=1),
            "unevaluatedProperties": inner,
            "items": inner,
            "prefixItems": some,
            "contains": inner,
            "minContains": sizes,
            "maxContains": sizes,
            "unevaluatedItems": inner,
            "uniqueItems": st.booleans(),
            "minItems": sizes,
            "maxItems": sizes,
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


anything = st.recursive(atoms, nested, max_leaves=10)
worlds = st.fixed_dictionaries(dict.fromkeys(NAMES, anything))


@settings(
    max_examples=40 * max(WIDE, 1),
    derandomize=not WIDE,
    print_blob=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(anything, anything, worlds, worlds)
def test_contradictory_schemas_never_raise_and_no_answer_contradicts_a_second_validator(
    left: Any, right: Any, mine: Any, theirs: Any
) -> None:
    writer, reader = {"top": left, "parts": mine}, {"top": right, "parts": theirs}
    containment = sides(writer, reader, closed=False)
    holds, witness = verdict(containment)
    assert containment.steps_left > 0
    sends, takes = second_opinion(writer), second_opinion(reader)
    if holds is False:
        assert sends(witness) is not False
        assert takes(witness) is not True
    if holds is True:
        lost = [v for v in SAMPLES if sends(v) is True and takes(v) is False]
        assert lost == []


def samples() -> list[Any]:
    """Return small values of every type, nested twice."""
    plain = [None, True, 0, 1, -1, 0.5, "", "a", "ab", "bb", "c", "2024-01-01"]
    once = [[], *([v] for v in plain), [1, 1], ["a", 1], {}, {"a": 1, "b": "a"}, {"z": None}]
    once += [{n: v} for n in NAMES for v in plain[:8]]
    twice = [[v] for v in once[::3]] + [{n: v} for n in NAMES for v in once[::4]]
    return [*plain, *once, *twice]


SAMPLES = samples()


def second_opinion(document: Any) -> Callable[[Any], bool | None]:
    """Return what the second validator says; ``None`` when a schema is only itself."""
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    schema = {"$ref": "#/top", **strip(document)}
    validator = jsonschema.Draft202012Validator(schema, format_checker=checker)

    def says(value: Any) -> bool | None:
        try:
            return validator.is_valid(value)
        except RecursionError:
            return None
        except BaseException as error:
            # The map inside that validator panics when the stack ends in the middle of a lookup.
            if type(error).__name__ == "PanicException":
                return None
            raise

    return says


def strip(node: Any) -> Any:
    """Spell out the range of int32: the second validator does not know numeric formats."""
    if isinstance(node, list):
        return [strip(n) for n in node]
    if not isinstance(node, dict):
        return node
    copy = {k: v if k == "enum" else strip(v) for k, v in node.items()}
    if copy.get("format") == "int32":
        ends = {"minimum": -(2**31), "maximum": 2**31 - 1}
        copy["allOf"] = [*copy.get("allOf", []), ends]
    return copy
