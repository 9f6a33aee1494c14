"""``driftgate contract`` lists what there is and finds every mistake by file and line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-c", "from harness.cli.main import main; main()", "contract"]
ROOT = Path(__file__).parents[2] / "contracts"
GOOD = """openapi: 3.1.0
info: {title: x, version: "1"}
paths:
  /a:
    get:
      operationId: a
      responses: {"200": {description: ok}}
"""


def run(
    *arguments: str, cwd: Path | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        input=stdin,
    )


def report(*arguments: str, stdin: str = "") -> tuple[int, dict[str, Any]]:
    done = run("validate", *arguments, "--format", "json", stdin=stdin)
    value: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, value


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT, tmp_path / "contracts"))


def test_the_list_says_which_folder_won_and_what_it_holds(contracts: Path) -> None:
    lines = run("list", "--contracts", str(contracts)).stdout.splitlines()
    assert lines[0] == f"contracts: {contracts} (option)"
    assert "  api         orders/2026-01-01" in lines
    assert any(line.startswith("  drift pack  ") for line in lines)
    upwards = run("list", cwd=contracts.parent).stdout.splitlines()[0]
    assert upwards == f"contracts: {contracts} (found upwards from here)"


def test_a_broken_system_file_does_not_hide_the_others(contracts: Path) -> None:
    (contracts / "netsuite" / "system.yaml").write_text("sytem: 1\n", encoding="utf-8")
    done = run("list", "--contracts", str(contracts))
    assert done.returncode == 0
    assert "netsuite  (system.yaml has mistakes" in done.stdout
    assert "amazon_spapi  Amazon" in done.stdout


def test_our_own_contracts_are_correct() -> None:
    code, value = report("--contracts", str(ROOT))
    assert (code, value["verdict"], value["findings"]) == (0, "compatible", [])
    assert value["summary"]["files"] > 15


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("system.yaml", "sytem: 1"),
        ("behaviour.yaml", "throtled: 1"),
        ("record/v1/mapping.yaml", "maping: 1"),
        ("drift/2021-03-01-choices-as-objects.yaml", "tilte: x"),
        ("record/v1/openapi.yaml", "pahts: {}"),
        ("record/v1/accepted.yaml", "accpted: 1"),
    ],
)
def test_a_misspelt_name_is_found_in_every_file_of_a_system(
    contracts: Path, file: str, line: str
) -> None:
    path = contracts / "netsuite" / file
    before = path.read_text(encoding="utf-8") if path.exists() else "accepted: 1\ndifferences: []\n"
    path.write_text(f"{before}{line}\n", encoding="utf-8")
    code, value = report("netsuite", "--contracts", str(contracts))
    (finding,) = value["findings"]
    assert (code, value["verdict"]) == (1, "breaking")
    assert line.partition(":")[0] in finding["message"]
    place = finding["places"]["new"]
    assert Path(place["path"]) == path
    # The published schema of the format speaks of the whole document.
    expected = 1 if file.endswith("openapi.yaml") else before.count("\n") + 1
    assert place["line"] == expected


@pytest.mark.slow
def test_all_problems_of_a_document_come_at_once_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        GOOD.replace("description: ok", "$ref: '#/gone'").replace("/a:", "/a/{id}:"),
        encoding="utf-8",
    )
    code, value = report(str(path))
    found = [(f["rule"], f["places"]["new"]["line"]) for f in value["findings"]]
    assert code == 1
    assert found == [("undefined-path-parameter", 5), ("dangling-reference", 7)]
    assert len({f["fingerprint"] for f in value["findings"]}) == 2
    text = run("validate", str(path)).stdout
    assert f"{path}:7:" in text
    annotations = run("validate", str(path), "--format", "github").stdout
    assert "line=7" in annotations


def test_what_does_not_load_is_never_a_pass(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    code, value = report(str(tmp_path / "broken.yaml"))
    assert (code, value["verdict"]) == (3, "not_checked")
    (missed,) = value["not_checked"]
    assert "broken.yaml:" in missed["reason"]
    code, value = report("-", stdin='{"openapi": NaN}')
    assert (code, value["verdict"]) == (3, "not_checked")


@pytest.mark.slow
def test_a_mistake_wins_over_what_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(GOOD.replace("/a:", "/{a}:"), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    code, value = report(str(tmp_path / "bad.yaml"), str(tmp_path / "broken.yaml"))
    assert (code, value["verdict"]) == (1, "breaking")
    assert len(value["not_checked"]) == 1
    code, _ = report(str(tmp_path / "bad.yaml"), "--fail-on", "none")
    assert code == 0


@pytest.mark.slow
def test_standard_input_and_folders_are_read(tmp_path: Path) -> None:
    assert report("-", stdin=GOOD)[0] == 0
    (tmp_path / "openapi.yaml").write_text(GOOD, encoding="utf-8")
    assert report(str(tmp_path))[1]["summary"]["files"] == 1


def test_an_unknown_name_is_a_wrong_usage() -> None:
    done = run("validate", "netsuit", "--contracts", str(ROOT))
    assert done.returncode == 2
    known = done.stderr.partition("Known systems: ")[2].rstrip(".\n").split(", ")
    assert {"amazon_spapi", "netsuite"} <= set(known)
    assert known == sorted(known)


def test_a_url_is_refused_with_what_to_do_instead() -> None:
    done = run("validate", "https://api.example/openapi.json")
    assert done.returncode == 2
    assert "Download it first" in done.stderr


@pytest.mark.parametrize("command", ["list", "validate"])
def test_help_shows_examples(command: str) -> None:
    assert f"driftgate contract {command}" in run(command, "--help").stdout
