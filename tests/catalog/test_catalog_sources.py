"""A contract is read from wherever the user keeps it, in every dialect, with clear refusals."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Limits, load_contract, open_source
from harness.model.contract import Dialect
from harness.model.errors import DocumentError, UsageError

DOCUMENTS: dict[Dialect, dict[str, Any]] = {
    Dialect.SWAGGER_2_0: {"swagger": "2.0", "host": "api.example", "basePath": "/v2"},
    Dialect.OPENAPI_3_0: {"openapi": "3.0.3", "servers": [{"url": "https://api.example/v2"}]},
    Dialect.OPENAPI_3_1: {"openapi": "3.1.0", "servers": [{"url": "https://api.example/v2"}]},
}


def document(dialect: Dialect = Dialect.OPENAPI_3_1, title: str = "Orders") -> dict[str, Any]:
    answers = {"200": {"description": "ok"}}
    return {
        **DOCUMENTS[dialect],
        "info": {"title": title, "version": "7"},
        "paths": {"/orders": {"get": {"operationId": "list", "responses": answers}}},
    }


def written(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("dialect", list(DOCUMENTS))
def test_every_dialect_loads_the_same_operation(dialect: Dialect, tmp_path: Path) -> None:
    loaded = load_contract(written(tmp_path / "a.json", document(dialect)))
    contract = loaded.contract
    assert loaded.problems == ()
    assert (contract.dialect, contract.title, contract.version) == (dialect, "Orders", "7")
    assert contract.servers == ("https://api.example/v2",)
    assert [o.label for o in contract.operations] == ["GET /orders"]
    assert contract.operation("list").responses[0].status == "200"


def test_a_number_as_version_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("swagger: 2.0\ninfo: {title: x, version: 1.0}\npaths: {}\n", encoding="utf-8")
    assert load_contract(path).contract.dialect is Dialect.SWAGGER_2_0


@pytest.mark.parametrize(
    "value",
    [
        {"openapi": "4.0.0"},
        {"openapi": "3.2.0"},
        {"swagger": "1.2"},
        {"asyncapi": "2.0.0"},
        {"openapi": None},
        [],
        "text",
        {},
    ],
)
def test_another_format_is_refused_with_a_remedy(value: Any, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load_contract(written(tmp_path / "a.json", value))
    assert caught.value.remedy
    assert str(caught.value.location).startswith(str(tmp_path / "a.json"))


def test_a_folder_means_its_openapi_file_or_its_only_document(tmp_path: Path) -> None:
    written(tmp_path / "only" / "shop.json", document(title="only"))
    written(tmp_path / "named" / "openapi.json", document(title="named"))
    written(tmp_path / "named" / "another.json", document(title="another"))
    assert load_contract(tmp_path / "only").contract.title == "only"
    assert load_contract(str(tmp_path / "named")).contract.title == "named"


def test_a_folder_with_several_documents_asks_which(tmp_path: Path) -> None:
    written(tmp_path / "a.json", document())
    written(tmp_path / "b.json", document())
    with pytest.raises(DocumentError, match=r"2 documents \(a.json, b.json\)"):
        load_contract(tmp_path)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="holds none"):
        load_contract(tmp_path)


def test_standard_input_is_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, json.dumps(document(title="piped")).encode())
    contract = load_contract("-").contract
    assert (contract.title, contract.source) == ("piped", "standard input")


def test_standard_input_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, b"x" * 100)
    with pytest.raises(DocumentError, match="larger than"):
        open_source("-", limits=Limits(bytes=10))


@pytest.mark.parametrize("url", ["http://api.example/openapi.json", "https://api.example/x"])
def test_a_url_is_refused_unless_allowed(url: str) -> None:
    with pytest.raises(UsageError, match="refused unless allowed"):
        load_contract(url)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file") as caught:
        load_contract(tmp_path / "gone.yaml")
    assert str(caught.value.location) == str(tmp_path / "gone.yaml")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)

    git("init", "-q", "-b", "main")
    shared = document(title="old")
    shared["paths"]["/orders"]["get"]["responses"]["400"] = {"$ref": "parts/errors.json#/wrong"}
    written(tmp_path / "api" / "openapi.json", shared)
    written(tmp_path / "api" / "parts" / "errors.json", {"wrong": {"description": "no"}})
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    git("tag", "v1")
    written(tmp_path / "api" / "openapi.json", document(title="new"))
    (tmp_path / "api" / "parts" / "errors.json").unlink()
    return tmp_path


def test_a_revision_is_read_from_git_not_from_the_folder(repository: Path) -> None:
    for name in ("v1:api/openapi.json", "v1:api", "main:api/openapi.json"):
        loaded = load_contract(open_source(name, cwd=repository))
        assert loaded.contract.title == "old"
        assert loaded.problems == ()  # the file beside it came from the same revision
        assert loaded.contract.operation("list").response_for(400) is not None
    assert load_contract(repository / "api").contract.title == "new"


@pytest.mark.parametrize("name", ["v9:api/openapi.json", "v1:api/gone.json", "v1:"])
def test_what_git_does_not_hold_is_a_clear_error(name: str, repository: Path) -> None:
    with pytest.raises(DocumentError):
        open_source(name, cwd=repository)


@pytest.mark.parametrize("name", ["--output=stolen:x", "-p:x"])
def test_a_name_like_an_option_never_reaches_git(name: str, repository: Path) -> None:
    with pytest.raises(DocumentError, match="no such file or folder"):
        open_source(name, cwd=repository)
    assert not (repository / "stolen").exists()


def test_a_blob_beyond_the_limit_is_refused(repository: Path) -> None:
    with pytest.raises(DocumentError, match="larger than"):
        open_source("v1:api/openapi.json", cwd=repository, limits=Limits(bytes=20))
