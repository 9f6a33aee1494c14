"""Proves by generated schema pairs that no verdict contradicts an independent validator.

The writer is closed, as the engine reads it: an object that declares properties and is silent about
others sends no others. This file has its own idea of that, written without the engine's code.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.catalog import load_contract
from harness.catalog.sources import Source
from harness.compatibility import compare
from harness.model.finding import Report, Verdict

NAMES = ("a", "b", "xa", "xb")
SCALARS: tuple[Any, ...] = (None, True, 0, 1, 2, 7, -1, 0.5, "", "a", "b", "xa", "aaaa")

scalar_schemas = st.one_of(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "integer"},
            {"type": "number"},
            {"type": "boolean"},
            {"type": ["string", "null"]},
            {"type": ["integer", "string"]},
            {"type": "string", "minLength": 1},
            {"type": "string", "maxLength": 1},
            {"type": "string", "pattern": "^x"},
            {"type": "string", "pattern": "^[ab]$"},
            {"type": "integer", "minimum": 1},
            {"type": "integer", "exclusiveMaximum": 2},
            {"type": "number", "multipleOf": 0.5},
            {"const": "a"},
            {"enum": ["a", "b"]},
            {"enum": ["a", 1, None]},
            {"enum": [0, 1, 2]},
            True,
            {},
        ]
    ),
    st.sampled_from([{"$ref": "#/components/schemas/T"}, {"$ref": "#/components/schemas/U"}]),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.just("object")},
        optional={
            "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
            "required": st.lists(st.sampled_from(NAMES), unique=True, max_size=2),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "patternProperties": st.dictionaries(st.sampled_from(["^x", "b$"]), inner, max_size=2),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(1, 3),
        },
    )


def rare(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "if": inner,
            "then": inner,
            "not": inner,
            "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
            "dependentSchemas": st.dictionaries(st.sampled_from(NAMES), inner, max_size=1),
            "unevaluatedProperties": st.just(value=False),
            "propertyNames": st.just({"maxLength": 1}),
            "contains": inner,
        },
    )


def arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
        },
    )


def unions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"anyOf": several}),
        st.fixed_dictionaries({"anyOf": st.lists(objects(inner), min_size=2, max_size=3)}),
        st.fixed_dictionaries({"oneOf": several}),
        st.fixed_dictionaries({"allOf": several}),
        st.fixed_dictionaries(
            {"anyOf": several, "properties": st.dictionaries(st.sampled_from(NAMES), inner)}
        ),
    )


def compounds(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(objects(inner), unions(inner), arrays(inner), objects(inner), rare(inner))


schemas = st.recursive(scalar_schemas, compounds, max_leaves=6)


@st.composite
def changed(draw: st.DrawFn, schema: Any) -> Any:
    """Return the schema with one place drawn anew, so that pairs are close to each other."""
    if not isinstance(schema, dict) or not schema or draw(st.integers(0, 3)) == 0:
        return draw(schemas)
    key = draw(st.sampled_from(sorted(schema)))
    value = schema[key]
    if key in {"properties", "patternProperties", "dependentSchemas"} and value:
        name = draw(st.sampled_from(sorted(value)))
        return {**schema, key: {**value, name: draw(changed(value[name]))}}
    if key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
        index = draw(st.integers(0, len(value) - 1))
        renewed = [*value[:index], draw(changed(value[index])), *value[index + 1 :]]
        return {**schema, key: renewed}
    if key in {"items", "additionalProperties", "if", "then", "not", "contains"}:
        return {**schema, key: draw(changed(value))}
    return {k: v for k, v in schema.items() if k != key}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """Return writer and reader, and what the names T and U stand for on both sides."""
    shared = {"T": draw(schemas_plain), "U": draw(schemas_knot)}
    writer = draw(schemas)
    reader = draw(st.one_of(schemas, changed(writer), changed(writer)))
    theirs = dict(shared)
    if draw(st.booleans()):
        theirs["U"] = draw(changed(shared["U"]))
    return writer, reader, shared, theirs


KNOT = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/U"}}}
schemas_plain = st.recursive(
    st.sampled_from([{"type": "string"}, {"type": "integer"}, {"enum": ["a"]}]),
    lambda inner: st.one_of(objects(inner), unions(inner)),
    max_leaves=3,
)
schemas_knot = st.one_of(
    st.just(KNOT),
    st.just({**KNOT, "required": ["b"]}),
    st.just({"anyOf": [KNOT, {"type": "string"}]}),
    st.just({"type": "array", "items": {"$ref": "#/components/schemas/U"}}),
)


def document(schema: Any, parts: Any) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/o": {"post": {"requestBody": body, "responses": {"204": {"description": ""}}}}},
        "components": {"schemas": parts},
    }


def judged(old: dict[str, Any], new: dict[str, Any]) -> Report:
    sides = [
        load_contract(Source(name, json.dumps(text).encode(), None)).contract
        for name, text in (("old.json", old), ("new.json", new))
    ]
    return compare(sides[0], sides[1])


class Oracle:
    """What python's jsonschema says, and what a closed writer sends."""

    def __init__(self, schema: Any, parts: Any) -> None:
        self.root = {"$ref": "#/top", "top": schema, "components": {"schemas": parts}}
        self.top = schema
        self.validator = jsonschema.Draft202012Validator(self.root)

    def valid(self, value: Any) -> bool:
        return self.validator.is_valid(value)

    def sends(self, value: Any) -> bool:
        return self.valid(value) and self.closed([self.top], value)

    def closed(self, schemas: list[Any], value: Any) -> bool:
        flat = [s for s in self.flat(schemas, value) if isinstance(s, dict)]
        if isinstance(value, list):
            return all(
                self.closed([i for s in flat for i in items(s, index)], item)
                for index, item in enumerate(value)
            )
        if not isinstance(value, dict):
            return True
        declared = {n for s in flat for n in s.get("properties", {})}
        spoken = any({"additionalProperties", "unevaluatedProperties"} & s.keys() for s in flat)
        needed = {n for s in flat for n in s.get("required", ())}
        for name, member in value.items():
            inner = [i for s in flat for i in members(s, name)]
            by_pattern = any(
                re.search(p, name) for s in flat for p in s.get("patternProperties", ())
            )
            known = name in declared or name in needed or by_pattern
            if (declared and not spoken and not known) or not self.closed(inner, member):
                return False
        return True

    def flat(self, schemas: list[Any], value: Any) -> Iterator[Any]:
        """Yield every schema that speaks about this very value, references followed."""
        for schema in schemas:
            yield schema
            if not isinstance(schema, dict):
                continue
            inner = [s for k in ("allOf", "anyOf", "oneOf") for s in schema.get(k, ())]
            dependent = schema.get("dependentSchemas", {}) if isinstance(value, dict) else {}
            inner += [s for n, s in dependent.items() if n in value]
            if "if" in schema:
                met = self.passes(schema["if"], value)
                inner += [schema["if"], *([schema["then"]] if "then" in schema else [])] * met
            if "$ref" in schema:
                inner.append(self.root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]])
            yield from self.flat([s for s in inner if self.passes(s, value)], value)

    def passes(self, schema: Any, value: Any) -> bool:
        return self.validator.evolve(schema=schema).is_valid(value)


def items(schema: Any, index: int) -> list[Any]:
    prefix = schema.get("prefixItems", [])
    if index < len(prefix):
        return [prefix[index]]
    return [schema["items"]] if "items" in schema else []


def members(schema: Any, name: str) -> list[Any]:
    found = [schema["properties"][name]] if name in schema.get("properties", {}) else []
    found += [s for p, s in schema.get("patternProperties", {}).items() if re.search(p, name)]
    return found or ([schema["additionalProperties"]] if "additionalProperties" in schema else [])


values = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from((*NAMES, "z")), inner)
    ),
    max_leaves=6,
)


def probes(schema: Any, parts: Any, depth: int = 3) -> list[Any]:
    """Return values built from what the schema mentions; many are valid, some are not."""
    if not isinstance(schema, dict) or depth == 0:
        return ["a", 1, {}, None]
    found: list[Any] = [*SCALARS, {}, []]
    found += schema.get("enum", [])
    inner = [s for k in ("allOf", "anyOf", "oneOf") for s in schema.get(k, ())]
    inner += [schema[k] for k in ("if", "then", "not") if k in schema]
    if "$ref" in schema:
        inner.append(parts[schema["$ref"].rsplit("/", 1)[-1]])
    inner += schema.get("dependentSchemas", {}).values()
    nested = [p for s in inner for p in probes(s, parts, depth - 1)]
    found += nested
    made: dict[str, list[Any]] = {}
    for name, member in schema.get("properties", {}).items():
        made[name] = probes(member, parts, depth - 1)
    for member in schema.get("patternProperties", {}).values():
        for name in ("xa", "xb"):
            made.setdefault(name, []).extend(probes(member, parts, depth - 1))
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict) or rest is True:
        for name in ("b", "z", "xb"):
            made.setdefault(name, []).extend(probes(rest, parts, depth - 1))
    for name in schema.get("required", ()):
        made.setdefault(name, ["a", 1])
    folded = [v for v in nested if isinstance(v, dict)]
    for shift in range(8):
        whole = {n: vs[(shift * 5 + i) % len(vs)] for i, (n, vs) in enumerate(made.items()) if vs}
        found.append(whole)
        found += [{k: v for k, v in whole.items() if k != n} for n in whole]
        found += [{**whole, **other} for other in folded[shift::8][:4]]
    found += [
        {**left, **right} for i, left in enumerate(folded[:12]) for right in folded[i + 1 : 12]
    ]
    for key in ("items", "prefixItems", "contains"):
        for item in schema.get(key, []) if key == "prefixItems" else [schema.get(key, False)]:
            some = probes(item, parts, depth - 1)
            found += [[v] for v in some[:30]] + [[v, v] for v in some[:5]]
    unique = {json.dumps(v, sort_keys=True): v for v in found}
    return list(unique.values())[:400]


def contradiction(pair: tuple[Any, Any, Any, Any], more: list[Any]) -> str | None:
    """Return what is wrong with the verdict about this pair, if anything."""
    writer, reader, parts, theirs = pair
    report = judged(document(writer, parts), document(reader, theirs))
    try:
        return refuted(report, pair, more)
    except RecursionError:
        return None  # a schema that is only itself: the validator has no answer to compare with
    except BaseException as error:
        # The map inside that validator panics when the stack ends in the middle of a lookup.
        if type(error).__name__ == "PanicException":
            return None
        raise


def refuted(report: Report, pair: tuple[Any, Any, Any, Any], more: list[Any]) -> str | None:
    """Return the value that refutes the report, in words."""
    writer, reader, parts, theirs = pair
    mine, other = Oracle(writer, parts), Oracle(reader, theirs)
    for finding in report.findings:
        if finding.verdict is Verdict.BREAKING:
            if finding.witness is None:
                return f"{finding.rule} has no witness"
            value = finding.witness.value
            if not mine.valid(value) or other.valid(value):
                return f"{finding.rule}: {value!r} is no witness"
    if report.verdict is Verdict.COMPATIBLE:
        for value in [*more, *probes(writer, parts), *probes(reader, theirs)]:
            if not other.valid(value) and mine.sends(value):
                return f"{value!r} may be sent and cannot be read"
    return None


# How many times the ordinary number of examples to try, with fresh seeds: the nightly run.
WIDE = int(os.environ.get("DRIFTGATE_WIDE", "0"))


@pytest.mark.slow
@settings(
    max_examples=150 * max(WIDE, 1),
    derandomize=not WIDE,
    print_blob=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(pairs(), st.lists(values, max_size=10))
def test_no_verdict_contradicts_an_independent_validator(
    pair: tuple[Any, Any, Any, Any], more: list[Any]
) -> None:
    assert contradiction(pair, more) is None
