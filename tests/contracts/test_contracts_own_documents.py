"""Every file under contracts/ is valid, its examples are true, and its cross-references exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest
import yaml
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from harness.catalog import load_metadata, metadata_schema
from harness.simulation.streams import SeededStreams
from mocks.kit.shapes import DriftPack

ROOT = Path(__file__).parents[2] / "contracts"
DOCUMENTS = sorted(ROOT.glob("*/*/*/openapi.yaml"))
BEHAVIOURS = sorted(ROOT.glob("*/behaviour.yaml"))
SYSTEMS = sorted(path.parent for path in ROOT.glob("*/system.yaml"))
PACKS = sorted(ROOT.glob("*/drift/*.yaml"))
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# What a vendor may answer to any call; a sync engine must be told about each.
ERROR_STATUSES = {"400", "401", "403", "404", "429", "500", "503"}


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def read(path: Path) -> Any:
    """Return a file's content; shared by all tests, so nobody may change it."""
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def follow(document: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def resolve(document: Any, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        node = follow(document, node["$ref"].removeprefix("#"))
    return node


def operations(document: Any) -> Iterator[tuple[str, Any, list[Any]]]:
    """Yield operation id, operation and its parameters, those of the path included."""
    for item in document["paths"].values():
        for method in METHODS:
            if method in item:
                operation = item[method]
                shared = [*item.get("parameters", ()), *operation.get("parameters", ())]
                yield operation["operationId"], operation, [resolve(document, p) for p in shared]


def values_of(holder: Mapping[str, Any]) -> list[Any]:
    """Return the examples of a media type, parameter or header."""
    named = [entry["value"] for entry in holder.get("examples", {}).values()]
    return [*named, holder["example"]] if "example" in holder else named


def holders(document: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield everything that may carry a schema and examples, with a name for messages."""
    for name, operation, parameters in operations(document):
        for parameter in parameters:
            yield f"{name} parameter {parameter['name']}", parameter
        for media, holder in (
            resolve(document, operation.get("requestBody", {})).get("content", {}).items()
        ):
            yield f"{name} request {media}", holder
        for status, response in operation["responses"].items():
            answer = resolve(document, response)
            for media, holder in answer.get("content", {}).items():
                yield f"{name} {status} {media}", holder
            for header, holder in answer.get("headers", {}).items():
                yield f"{name} {status} header {header}", resolve(document, holder)


def schemas_with_examples(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (schema, example) for JSON Schema's own ``examples`` lists."""
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield from ((node, value) for value in node["examples"])
        for child in node.values():
            yield from schemas_with_examples(child)
    elif isinstance(node, list):
        for child in node:
            yield from schemas_with_examples(child)


def mistakes(document: Any, schema: Any, value: Any) -> list[str]:
    registry: Registry[Any] = Registry().with_resource(
        "urn:contract", DRAFT202012.create_resource(document)
    )

    def anchored(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: f"urn:contract{child}" if key == "$ref" else anchored(child)
                for key, child in node.items()
            }
        return [anchored(child) for child in node] if isinstance(node, list) else node

    validator = jsonschema.Draft202012Validator(
        anchored(schema),
        registry=registry,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    return [error.message for error in validator.iter_errors(value)]


@cache
def addresses(system: Path) -> dict[str, tuple[Any, Any]]:
    """Return document and operation by address, ``orders/v0#getOrders``."""
    found = {}
    for path in sorted(system.glob("*/*/openapi.yaml")):
        document = read(path)
        for name, operation, _ in operations(document):
            found[f"{path.parent.relative_to(system).as_posix()}#{name}"] = (document, operation)
    return found


def mentioned(node: Any) -> Iterator[str]:
    """Yield every operation address in a metadata file."""
    if isinstance(node, dict):
        for key, child in node.items():
            if key == "operations":
                yield from child
            elif key == "service_ms":
                yield from child.keys()
            else:
                yield from mentioned(child)
    elif isinstance(node, list):
        for child in node:
            yield from mentioned(child)


def places(value: Any, tokens: list[str]) -> list[Any]:
    """Return what a drift pack's pointer names; ``*`` is every element or member."""
    if not tokens:
        return [value]
    if not isinstance(value, dict | list):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    chosen = [child for key, child in items if tokens[0] in ("*", str(key))]
    return [place for child in chosen for place in places(child, tokens[1:])]


def good_answers(document: Any, operation: Any) -> list[Any]:
    contents = [
        resolve(document, response).get("content", {})
        for status, response in operation["responses"].items()
        if status.startswith("2")
    ]
    return [v for content in contents for holder in content.values() for v in values_of(holder)]


def test_there_is_something_to_check() -> None:
    assert len(DOCUMENTS) >= 30
    assert len(BEHAVIOURS) >= 7
    assert len(PACKS) >= 30


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_document_is_valid_openapi(path: Path) -> None:
    openapi_spec_validator.validate(read(path))


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_example_is_valid(path: Path) -> None:
    document = read(path)
    wrong = [
        f"{name}: {message}"
        for name, holder in holders(document)
        for value in values_of(holder)
        for message in mistakes(document, holder["schema"], value)
    ]
    wrong += [
        f"{value!r}: {message}"
        for schema, value in schemas_with_examples(document)
        for message in mistakes(document, schema, value)
    ]
    assert wrong == []


def test_a_false_example_is_noticed() -> None:
    document = read(ROOT / "amazon_spapi/orders/2026-01-01/openapi.yaml")
    schema = {"$ref": "#/components/schemas/Money"}
    assert mistakes(document, schema, {"amount": "14.99", "currencyCode": "USD"}) == []
    assert mistakes(document, schema, {"amount": 14.99, "currencyCode": "USD"}) == [
        "14.99 is not of type 'string'"
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_operation_has_errors_and_examples(path: Path) -> None:
    document = read(path)
    for name, operation, _ in operations(document):
        assert set(operation["responses"]) >= ERROR_STATUSES, name
    bare = [
        name
        for name, holder in holders(document)
        if ("application/json" in name) and not values_of(holder)
    ]
    assert bare == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=label)
def test_every_unverified_part_exists_and_says_what_is_open(path: Path) -> None:
    document = read(path)
    for entry in document["x-driftgate-unverified"]:
        follow(document, entry["at"])
        assert entry["note"].endswith(".")


@pytest.mark.parametrize("path", [*BEHAVIOURS, *PACKS], ids=label)
def test_every_operation_named_exists(path: Path) -> None:
    known = addresses(path.parents[len(path.relative_to(ROOT).parts) - 2])
    named = set(mentioned(read(path))) - {"*"}
    assert sorted(named - set(known)) == []


@pytest.mark.parametrize("path", BEHAVIOURS, ids=label)
def test_paging_names_real_parameters_and_members(path: Path) -> None:
    known = addresses(path.parent)
    for entry in read(path)["paging"]:
        for address in entry["operations"]:
            document, operation = known[address]
            names = {resolve(document, p)["name"] for p in operation["parameters"]}
            assert entry["request"] in names, address
            assert entry.get("size", entry["request"]) in names, address
            content = resolve(document, operation["responses"]["200"])["content"]
            schema = content["application/json"]["schema"]
            for token in entry["response"].split("/")[1:]:
                schema = resolve(document, schema)["properties"][token]


@pytest.mark.parametrize("path", BEHAVIOURS, ids=label)
def test_every_setting_has_a_value_and_a_note(path: Path) -> None:
    for name, entry in read(path)["settings"].items():
        assert set(entry) == {"value", "note"}, name


@pytest.mark.parametrize("path", BEHAVIOURS, ids=label)
def test_every_quota_and_idempotency_claim_has_evidence(path: Path) -> None:
    behaviour = read(path)
    for entry in [*behaviour["quotas"], *behaviour["idempotency"], *behaviour["paging"]]:
        assert entry["evidence"].startswith(("V", "U")), entry


@pytest.mark.parametrize("path", PACKS, ids=label)
def test_every_drift_pointer_hits_an_example_answer(path: Path) -> None:
    known = addresses(path.parents[1])
    for change in read(path)["changes"]:
        tokens = change["at"].split("/")[1:]
        if change["do"] in ("add", "set"):
            tokens = tokens[:-1]  # the last step may name a member that is yet to come
        for address in change["operations"]:
            answers = good_answers(*known[address])
            assert any(places(answer, tokens) for answer in answers), (address, change["at"])


def drifted(path: Path) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield document, schema, example and changed example of every answer a pack speaks of."""
    known = addresses(path.parents[1])
    data = read(path)
    pack = DriftPack(data, SeededStreams(7).stream("pack"))
    for address in sorted({a for change in data["changes"] for a in change["operations"]}):
        document, operation = known[address]
        answer = resolve(document, operation["responses"]["200"])
        schema = answer["content"]["application/json"]["schema"]
        for value in values_of(answer["content"]["application/json"]):
            yield document, schema, value, pack.apply(address, 200, value)


@pytest.mark.parametrize("path", PACKS, ids=label)
def test_every_drift_pack_changes_every_operation_it_names(path: Path) -> None:
    data = read(path)
    for address in sorted({a for change in data["changes"] for a in change["operations"]}):
        mine = [c for c in data["changes"] if address in c["operations"]]
        # A share is drawn per place; a pack is judged here as if every place were drawn.
        whole = {**data, "changes": [{k: v for k, v in c.items() if k != "share"} for c in mine]}
        pack = DriftPack(whole, SeededStreams(7).stream("pack"))
        document, operation = addresses(path.parents[1])[address]
        answers = good_answers(document, operation)
        assert any(pack.apply(address, 200, value) != value for value in answers), address


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda path: path.name)
def test_every_system_has_a_drift_pack_that_breaks_its_contract(system: Path) -> None:
    broken = [
        message
        for path in sorted(system.glob("drift/*.yaml"))
        for document, schema, _, changed in drifted(path)
        for message in mistakes(document, schema, changed)
    ]
    assert broken


@pytest.mark.parametrize("path", PACKS, ids=label)
def test_drift_pack_is_named_by_its_date(path: Path) -> None:
    assert path.stem.startswith(f"{read(path)['date']}-")


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *(("system", p) for p in sorted(ROOT.glob("*/system.yaml"))),
        *(("behaviour", p) for p in BEHAVIOURS),
        *(("drift_pack", p) for p in PACKS),
    ],
    ids=lambda value: label(value) if isinstance(value, Path) else value,
)
def test_metadata_follows_its_format(kind: str, path: Path) -> None:
    assert load_metadata(path, metadata_schema(kind))


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/system.yaml")), ids=label)
def test_system_is_named_by_its_folder_and_holds_no_secret(path: Path) -> None:
    data = read(path)
    assert data["name"] == path.parent.name
    prefix = f"DRIFTGATE_{data['name'].upper()}_"
    for variable in data["authentication"]["environment"].values():
        assert variable.startswith(prefix)


def test_this_folder_holds_data_only() -> None:
    allowed = {".yaml", ".json", ".graphql", ".md"}
    others = [p for p in ROOT.rglob("*") if p.is_file() and p.suffix not in allowed]
    assert others == []
