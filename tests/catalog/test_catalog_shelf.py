"""The contracts folder is found in a stated order, read when asked for, and holds usable data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import (
    Catalog,
    all_problems,
    contracts_root,
    schema_registry,
    schema_validator,
)
from harness.model.contract import Contract, Dialect
from harness.model.errors import MetadataError, UsageError

ROOT = Path(__file__).parents[2] / "contracts"
OWN = [(s, a, v) for s in Catalog(ROOT).system_names() for a, v in Catalog(ROOT).apis(s)]


def contracts_at(folder: Path) -> Path:
    (folder / "contracts" / "canonical").mkdir(parents=True)
    return folder / "contracts"


def test_the_option_wins_over_everything(tmp_path: Path) -> None:
    named = contracts_at(tmp_path / "named")
    other = contracts_at(tmp_path / "other")
    found = contracts_root(str(named), {"DRIFTGATE_CONTRACTS": str(other)}, cwd=tmp_path / "other")
    assert (found.path, found.how) == (named, "option")


def test_the_environment_wins_over_the_folder_here(tmp_path: Path) -> None:
    named = contracts_at(tmp_path / "named")
    contracts_at(tmp_path / "here")
    environment = {"DRIFTGATE_CONTRACTS": str(named)}
    found = contracts_root(None, environment, cwd=tmp_path / "here")
    assert (found.path, found.how) == (named, "DRIFTGATE_CONTRACTS")


def test_the_nearest_folder_upwards_wins_over_the_checkout(tmp_path: Path) -> None:
    contracts_at(tmp_path)
    near = contracts_at(tmp_path / "a")
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    found = contracts_root(None, {}, cwd=tmp_path / "a" / "b" / "c")
    assert (found.path, found.how) == (near, "found upwards from here")


def test_a_folder_that_only_has_the_name_is_passed_over(tmp_path: Path) -> None:
    outer = contracts_at(tmp_path)
    (tmp_path / "legal" / "contracts").mkdir(parents=True)
    assert contracts_root(None, {}, cwd=tmp_path / "legal").path == outer


def test_the_checkout_then_the_bundle_come_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert contracts_root(None, {}, cwd=tmp_path).how == "checkout"
    harness = tmp_path / "site" / "harness"
    (harness / "_contracts" / "canonical").mkdir(parents=True)
    monkeypatch.setattr("harness.catalog.shelf._HARNESS", harness)
    found = contracts_root(None, {}, cwd=tmp_path)
    assert (found.path, found.how) == (harness / "_contracts", "bundled")
    monkeypatch.setattr("harness.catalog.shelf._HARNESS", tmp_path / "nothing")
    with pytest.raises(UsageError, match="no contracts folder"):
        contracts_root(None, {}, cwd=tmp_path)


@pytest.mark.parametrize(
    ("explicit", "environment", "how"),
    [("/nowhere/c", {}, "option"), (None, {"DRIFTGATE_CONTRACTS": "/nowhere/c"}, "DRIFTGATE_C")],
)
def test_a_named_folder_that_is_not_there_is_never_passed_over(
    explicit: str | None, environment: dict[str, str], how: str
) -> None:
    with pytest.raises(UsageError, match=how):
        contracts_root(explicit, environment)


def test_names_are_listed_and_unknown_ones_answered_with_the_known() -> None:
    catalog = Catalog(ROOT)
    assert catalog.system_names() == tuple(sorted(catalog.system_names()))
    assert "canonical" not in catalog.system_names()
    with pytest.raises(UsageError, match=r"Known: .*netsuite"):
        catalog.system("netsuit")
    with pytest.raises(UsageError, match=r"Known: .*record/v1"):
        catalog.contract("netsuite", "record", "v2")
    with pytest.raises(UsageError, match="no drift pack"):
        catalog.drift_pack("netsuite", "gone")
    with pytest.raises(UsageError, match="Known: inventory_position, order"):
        catalog.canonical_schema("ordre")


@pytest.mark.parametrize("name", ["../contracts/netsuite", "..", "canonical", ""])
def test_a_system_is_a_name_not_a_path(name: str) -> None:
    with pytest.raises(UsageError, match="no system"):
        Catalog(ROOT).system(name)


def test_what_was_read_is_remembered() -> None:
    catalog = Catalog(ROOT)
    system, api, version = OWN[0]
    assert catalog.contract(system, api, version) is catalog.contract(system, api, version)
    assert catalog.behaviour(system) is catalog.behaviour(system)


def test_accepted_differences_are_read_where_there_are_any(tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "orders" / "v1"
    folder.mkdir(parents=True)
    (folder / "openapi.yaml").write_text("openapi: 3.1.0\n", encoding="utf-8")
    assert Catalog(tmp_path).accepted("shop", "orders", "v1") is None
    (folder / "accepted.yaml").write_text("accepted: 1\ndiferences: []\n", encoding="utf-8")
    with pytest.raises(MetadataError, match="'diferences' is not a known name"):
        Catalog(tmp_path).accepted("shop", "orders", "v1")
    (folder / "accepted.yaml").write_text("accepted: 1\ndifferences: []\n", encoding="utf-8")
    assert Catalog(tmp_path).accepted("shop", "orders", "v1") == {"accepted": 1, "differences": []}


# ----------------------------------------------------------------------- our own contracts


def schema_pointers(contract: Contract) -> Iterator[str]:
    for operation in (*contract.operations, *contract.webhooks):
        yield from (p.schema for p in operation.parameters if p.schema)
        bodies: list[Any] = [operation.request_body] if operation.request_body else []
        for holder in (*bodies, *operation.responses):
            yield from (m.schema for m in holder.content if m.schema)
        for response in operation.responses:
            yield from (h.schema for h in response.headers if h.schema)


@pytest.mark.parametrize(("system", "api", "version"), OWN)
def test_an_own_contract_has_no_problem_and_every_schema_compiles(
    system: str, api: str, version: str
) -> None:
    loaded = Catalog(ROOT).contract(system, api, version)
    assert all_problems(loaded) == ()
    registry = schema_registry(loaded.contract)
    pointers = sorted(set(schema_pointers(loaded.contract)))
    assert bool(pointers) is not (loaded.contract.dialect is Dialect.GRAPHQL)
    for pointer in pointers:
        schema_validator(loaded.contract, pointer, registry=registry)
        assert loaded.contract.locate(pointer) is not None


@pytest.mark.parametrize(("system", "api", "version"), OWN)
def test_the_metadata_beside_an_own_contract_is_correct(
    system: str, api: str, version: str
) -> None:
    catalog = Catalog(ROOT)
    assert catalog.system(system).data["name"] == system
    assert catalog.behaviour(system)
    mapping = catalog.mapping(system, api, version)
    assert mapping is None or mapping["mapping"] == 1  # signing in carries no canonical object


# --------------------------------------------------------------------------------- start-up cost

HEAVY = ("jsonschema", "jsonschema_rs", "openapi_spec_validator", "httpx", "referencing", "asyncio")


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT.parent,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_catalog_pulls_in_nothing_heavy() -> None:
    assert modules_after("import harness.catalog") & set(HEAVY) == set()


def test_loading_a_plain_document_pulls_in_no_validator() -> None:
    loaded = modules_after(
        "from harness.catalog import Source, load_contract\n"
        "load_contract(Source('a', b'openapi: 3.1.0\\npaths: {}\\n'))"
    )
    assert loaded & set(HEAVY) == set()
    assert "yaml" in loaded
