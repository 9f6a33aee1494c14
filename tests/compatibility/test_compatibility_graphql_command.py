"""Proves that diff, gate and contract treat GraphQL schemas like any other contract."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli.main import build_app
from harness.model.errors import UsageError

OLD = "type Query { order(id: ID!): Order }\ntype Order { id: ID! status: Status }\n"
NEW = OLD + "enum Status { OPEN HELD }\n"
OLD += "enum Status { OPEN }\n"
OPENAPI = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}
FORMATS = ("text", "json", "ndjson", "markdown", "html", "sarif", "junit", "github")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(build_app(), [str(a) for a in arguments])


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old.graphql", tmp_path / "new.graphql"
    old.write_text(OLD, encoding="utf-8")
    new.write_text(NEW, encoding="utf-8")
    return old, new


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_shows_the_change_and_is_the_same_each_time(
    pair: tuple[Path, Path], fmt: str
) -> None:
    result = run("diff", *pair, "--format", fmt)
    assert result.exit_code == 1, result.output
    assert "HELD" in result.stdout
    assert run("diff", *pair, "--format", fmt).stdout == result.stdout


def test_the_json_names_operation_field_places_and_exchange(pair: tuple[Path, Path]) -> None:
    report = json.loads(run("diff", *pair, "--format", "json").stdout)
    (finding,) = report["findings"]
    assert finding["rule"] == "response-enum-value-added"
    assert finding["operations"] == ["QUERY order"]
    assert finding["field"] == "order.status"
    assert finding["places"]["new"]["line"] == 3
    assert finding["witness"]["exchange"]["request"]["target"] == "/graphql"
    assert report["summary"]["operations_compared"] == 1


def test_a_witness_becomes_a_request_to_run(pair: tuple[Path, Path], tmp_path: Path) -> None:
    run("diff", *pair, "--witness-dir", tmp_path / "proof")
    (request,) = (tmp_path / "proof").glob("*.http")
    text = request.read_text(encoding="utf-8")
    assert "POST {{host}}/graphql HTTP/1.1" in text
    assert '"query"' in text


def test_mixing_kinds_of_documents_is_explained(pair: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "api.json"
    other.write_text(json.dumps(OPENAPI), encoding="utf-8")
    result = run("diff", pair[0], other)
    assert isinstance(result.exception, UsageError)
    assert "is a GraphQL schema and" in str(result.exception)
    assert "Compare two versions of the same API." in str(result.exception)


def test_a_broken_schema_is_not_checked_and_says_where(tmp_path: Path) -> None:
    broken = tmp_path / "broken.graphql"
    broken.write_text("type Query { a: }", encoding="utf-8")
    result = run("contract", "validate", broken)
    assert result.exit_code == 3
    assert "1:17" in result.stdout
    valid = tmp_path / "valid.graphql"
    valid.write_text(NEW, encoding="utf-8")
    assert run("contract", "validate", valid).exit_code == 0


def test_an_invalid_schema_is_a_finding_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "invalid.graphql"
    path.write_text("type Query { a: Empty }\ntype Empty\n", encoding="utf-8")
    result = run("contract", "validate", path, "--format", "json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["places"]["new"]["line"] == 2
    assert finding["pointer"]["new"] == "/types/Empty"


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_gate_judges_a_filed_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filed = tmp_path / "contracts" / "shop" / "admin" / "2026-04" / "schema.graphql"
    filed.parent.mkdir(parents=True)
    filed.write_text(OLD, encoding="utf-8")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "old")
    git(tmp_path, "checkout", "-b", "change")
    filed.write_text(NEW, encoding="utf-8")
    git(tmp_path, "commit", "-am", "new")
    monkeypatch.chdir(tmp_path)
    result = run("gate", "--base", "main", "--format", "json")
    assert result.exit_code == 1, result.output
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["rule"] == "response-enum-value-added"
    assert finding["places"]["new"]["path"].endswith("2026-04/schema.graphql")
    folders = run("diff", "main:contracts", "contracts", "--format", "json")
    assert [f["rule"] for f in json.loads(folders.stdout)["findings"]] == [finding["rule"]]


def test_a_schema_takes_its_place_among_the_contracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "contracts" / "shop" / "admin" / "2026-04"
    folder.mkdir(parents=True)
    (folder / "schema.graphql").write_text(NEW, encoding="utf-8")
    (tmp_path / "contracts" / "shop" / "system.yaml").write_text("title: Shop\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "admin/2026-04" in run("contract", "list").stdout


def test_a_schema_may_come_by_standard_input(pair: tuple[Path, Path]) -> None:
    arguments = ["diff", "-", str(pair[1]), "--format", "json"]
    result = CliRunner().invoke(build_app(), arguments, input=OLD)
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout)["summary"]["breaking"] == 1
