"""Every system found is described to the end: versions, events, refusals, mappings, GraphQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import graphql
import pytest
import yaml

from harness.catalog import Catalog, schema_registry, schema_validator

ROOT = Path(__file__).parents[2] / "contracts"
CATALOG = Catalog(ROOT)
SYSTEMS = tuple(s for s in CATALOG.system_names() if (ROOT / s / "system.yaml").exists())
DOCUMENTS = sorted(ROOT.glob("*/*/*/openapi.yaml"))
MAPPINGS = sorted(ROOT.glob("*/*/*/mapping.yaml"))
GRAPHQL = sorted(ROOT.glob("*/*/*/schema.graphql"))
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def read(path: Path) -> Any:
    """Return a file's content; shared by all tests, so nobody may change it."""
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def follow(document: Any, pointer: str) -> Any:
    for token in pointer.removeprefix("#").split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def resolve(document: Any, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        node = follow(document, node["$ref"])
    return node


def operations(document: Any) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield operation id, operation and whether it is an event."""
    for part, event in (("paths", False), ("webhooks", True)):
        for item in document.get(part, {}).values():
            for method in METHODS:
                if method in item:
                    yield item[method]["operationId"], item[method], event


def examples(holder: Mapping[str, Any]) -> list[Any]:
    """Return the examples of a media type."""
    named = [entry["value"] for entry in holder.get("examples", {}).values()]
    return [*named, holder["example"]] if "example" in holder else named


def escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def bodies(document: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield the pointer of the schema and the examples of each JSON body, events included."""
    for part in ("paths", "webhooks"):
        for name, item in document.get(part, {}).items():
            for method in METHODS:
                at = f"/{part}/{escaped(name)}/{method}"
                operation = item.get(method, {"responses": {}})
                holders = {f"{at}/requestBody": operation.get("requestBody", {})}
                for status, answer in operation["responses"].items():
                    holders[f"{at}/responses/{status}"] = answer
                for pointer, node in holders.items():
                    here = node["$ref"].removeprefix("#") if "$ref" in node else pointer
                    content = resolve(document, node).get("content", {})
                    if "application/json" in content:
                        values = examples(content["application/json"])
                        yield f"{here}/content/application~1json/schema", values


def properties(document: Any, node: Any, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the members a schema describes, those of its branches included."""
    while isinstance(node, dict) and "$ref" in node:
        if node["$ref"] in seen:
            return {}
        seen = (*seen, node["$ref"])
        node = follow(document, node["$ref"])
    found: dict[str, Any] = dict(node.get("properties", {}))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in node.get(keyword, ()):
            found.update(properties(document, branch, seen))
    return found


def unaccounted(document: Any, node: Any, told: list[list[str]], at: list[str]) -> Iterator[str]:
    """Yield the pointers of members that are neither mapped nor declared lost.

    A member is accounted for when it, or something above it, is named; when only something below
    it is named, each of its own members must be.
    """
    node = resolve(document, node)
    if "items" in node:
        yield from unaccounted(document, node["items"], told, [*at, "*"])
        return
    for name, child in properties(document, node).items():
        here = [*at, name]
        if any(covers(entry, here) for entry in told):
            continue
        if any(covers(here, entry) for entry in told):
            yield from unaccounted(document, child, told, here)
        else:
            yield "/" + "/".join(here)


def covers(above: list[str], below: list[str]) -> bool:
    """Say whether ``above`` names ``below`` or something that holds it."""
    # A mapping may take the first of many by its position.
    short = below[: len(above)]
    return len(short) == len(above) and all(
        a == b or {a, b} == {"*", "0"} for a, b in zip(above, short, strict=True)
    )


def told_by(mapping: Mapping[str, Any]) -> list[list[str]]:
    """Return the system pointers that a mapping uses or declares lost, as tokens."""

    def rules(fields: list[Any], prefix: str) -> Iterator[str]:
        for rule in fields:
            if "system" not in rule:
                continue
            pointer = prefix + rule["system"]
            if "each" in rule:
                yield from rules(rule["each"], f"{pointer}/*")
            elif "money" in rule:
                yield from (f"{pointer}/{member}" for member in rule["money"].values())
            else:
                yield pointer

    pointers = [*rules(mapping["fields"], ""), *(e["system"] for e in mapping.get("losses", ()))]
    return [pointer.split("/")[1:] for pointer in pointers]


def canonical_targets(fields: list[Any], prefix: str = "") -> Iterator[str]:
    """Yield the canonical pointers that are filled when a record is read."""
    for rule in fields:
        if "canonical" in rule and rule.get("direction", "both") != "out":
            yield prefix + rule["canonical"]
            yield from canonical_targets(rule.get("each", []), f"{prefix}{rule['canonical']}/*")


def required_pointers(root: Any, node: Any, at: str = "") -> Iterator[str]:
    """Yield the canonical pointers that every object must have."""
    node = resolve(root, node)
    for name in node.get("required", ()):
        child = resolve(root, node["properties"][name])
        yield f"{at}/{name}"
        inner = child.get("items", child)
        step = "/*" if "items" in child else ""
        yield from required_pointers(root, inner, f"{at}/{name}{step}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_operation_has_a_name_of_its_own(path: Path) -> None:
    names = [name for name, _, _ in operations(read(path))]
    assert names
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_body_of_calls_and_events_has_an_example_its_schema_accepts(path: Path) -> None:
    contract = CATALOG.contract(*path.parent.relative_to(ROOT).parts).contract
    registry = schema_registry(contract)
    wrong = []
    for pointer, values in bodies(read(path)):
        validator = schema_validator(contract, pointer, registry=registry)
        wrong += [] if values else [f"{pointer}: no example"]
        wrong += [f"{pointer}: {e.message}" for v in values for e in validator.iter_errors(v)]
    assert wrong == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_refusal_has_a_shape_and_an_example(path: Path) -> None:
    document = read(path)
    for name, operation, event in operations(document):
        for status, answer in operation["responses"].items():
            if event or not status.startswith(("4", "5")):
                continue
            content = resolve(document, answer).get("content", {})
            assert content, f"{name} {status} has no body"
            for media, holder in content.items():
                assert holder.get("schema"), f"{name} {status} {media} has no schema"
                assert examples(holder), f"{name} {status} {media} has no example"


def events_of(system: str) -> set[str]:
    """Return the addresses of the events a system's documents describe."""
    return {
        f"{path.parent.relative_to(ROOT / system).as_posix()}#{name}"
        for path in sorted((ROOT / system).glob("*/*/openapi.yaml"))
        for name, _, event in operations(read(path))
        if event
    }


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_event_declared_is_described_by_a_webhook(system: str) -> None:
    events = CATALOG.behaviour(system).get("events", {"topics": []})
    named = {entry["contract"] for entry in events["topics"] if "contract" in entry}
    assert named <= events_of(system)


@pytest.mark.parametrize("system", SYSTEMS)
def test_versions_that_share_an_address_say_which_one_serves(system: str) -> None:
    behaviour = CATALOG.behaviour(system)
    paths: dict[str, set[tuple[str, str]]] = {}
    for path in sorted((ROOT / system).glob("*/*/openapi.yaml")):
        api, version = path.parent.relative_to(ROOT / system).parts
        for name in read(path)["paths"]:
            paths.setdefault(name, set()).add((api, version))
    shared = {api for users in paths.values() if len(users) > 1 for api, _ in users}
    assert shared == set(behaviour.get("serves", {}))
    for api, version in behaviour.get("serves", {}).items():
        assert (api, version) in CATALOG.apis(system)


@pytest.mark.parametrize("path", MAPPINGS, ids=label)
def test_every_member_of_a_mapped_object_is_mapped_or_declared_lost(path: Path) -> None:
    document = read(path.parent / "openapi.yaml")
    missing = [
        f"{name} {pointer}"
        for name, mapping in read(path)["objects"].items()
        if "schema" in mapping
        for pointer in unaccounted(
            document, {"$ref": "#" + mapping["schema"]}, told_by(mapping), []
        )
    ]
    assert missing == []


@pytest.mark.parametrize("path", MAPPINGS, ids=label)
def test_every_pointer_of_a_mapping_names_a_member(path: Path) -> None:
    document = read(path.parent / "openapi.yaml")
    wrong = []
    for name, mapping in read(path)["objects"].items():
        for tokens in told_by(mapping) if "schema" in mapping else ():
            node: Any = {"$ref": "#" + mapping["schema"]}
            for token in tokens:
                node = resolve(document, node)
                node = (
                    node.get("items")
                    if token in ("*", "0") and "items" in node
                    else properties(document, node).get(token)
                )
                if node is None:
                    wrong.append(f"{name} /{'/'.join(tokens)}")
                    break
    assert wrong == []


@pytest.mark.parametrize("path", MAPPINGS, ids=label)
def test_what_a_workflow_reads_fills_every_required_canonical_member(path: Path) -> None:
    mapping = read(path)
    bound = {c["records"]["object"] for c in mapping["capabilities"].values() if "records" in c}
    missing = []
    for name in sorted(bound):
        entry = mapping["objects"][name]
        kind, version = entry["canonical"].split("/")
        schema = CATALOG.canonical_schema(kind, version)
        filled = set(canonical_targets(entry["fields"]))
        # The natural key follows from channel, account and external id.
        filled |= {"/natural_key"}
        missing += [
            f"{name} {pointer}"
            for pointer in required_pointers(schema, schema)
            if not any(f == pointer or f.startswith(f"{pointer}/") for f in filled)
            and not any(pointer.startswith(f"{f}/") and f != "/lines" for f in filled)
        ]
    assert missing == []


def test_a_member_nobody_speaks_of_is_noticed() -> None:
    document = {
        "components": {
            "schemas": {
                "A": {
                    "properties": {
                        "b": {"type": "string"},
                        "c": {"items": {"properties": {"d": {}, "e": {}}}},
                        "f": {"properties": {"g": {}}},
                    }
                }
            }
        }
    }
    node = {"$ref": "#/components/schemas/A"}
    assert list(unaccounted(document, node, [["b"], ["c", "*", "d"]], [])) == ["/c/*/e", "/f"]
    assert list(unaccounted(document, node, [["b"], ["c"], ["f", "g"]], [])) == []


@pytest.mark.parametrize("path", GRAPHQL, ids=label)
def test_every_graphql_schema_is_valid(path: Path) -> None:
    schema = graphql.build_schema(path.read_text(encoding="utf-8"))
    assert graphql.validate_schema(schema) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(a, b) for a, b in pairwise(GRAPHQL) if a.parents[1] == b.parents[1]],
    ids=label,
)
def test_graphql_versions_differ_in_a_way_that_breaks_somebody(old: Path, new: Path) -> None:
    before, after = (graphql.build_schema(p.read_text(encoding="utf-8")) for p in (old, new))
    assert graphql.find_breaking_changes(before, after)
