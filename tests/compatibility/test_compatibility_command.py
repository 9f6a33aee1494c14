"""Proves the diff command: exit codes, batch lines in order, and what it must not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUN = "from harness.cli.main import main; main()"
HEAVY = ("openapi_spec_validator", "schemathesis", "hypothesis", "pact", "sqlalchemy", "jinja2")
HEAVY += ("rich", "httpx", "jsonschema")


def contract(kind: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"total": {"type": kind}}, "required": ["total"]}
    answer = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/orders": {"get": {"responses": {"200": answer}}}},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("integer", "number"):
        (tmp_path / f"{kind}.json").write_text(json.dumps(contract(kind)))
    (tmp_path / "broken.json").write_text('{"openapi": ')
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, "diff", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("number.json", "integer.json"), 0),
        (("integer.json", "number.json"), 1),
        (("integer.json", "number.json", "--fail-on", "none"), 0),
        (("integer.json", "missing.json"), 2),
        (("integer.json",), 2),
        (("integer.json", "broken.json"), 3),
    ],
)
def test_the_exit_code_tells_the_outcome(
    folder: Path, arguments: tuple[str, ...], code: int
) -> None:
    result = run(folder, *arguments)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr


def test_json_carries_the_witness_and_the_place(folder: Path) -> None:
    result = json.loads(run(folder, "integer.json", "number.json", "--format", "json").stdout)
    (finding,) = result["findings"]
    assert finding["rule"] == "response-type-changed"
    assert finding["witness"]["value"] == {"total": 0.5}
    assert finding["witness"]["exchange"]["response"]["status"] == 200
    assert finding["places"]["new"]["line"] == 1
    assert result["summary"]["operations_compared"] == 1


def test_a_batch_answers_every_line_in_order(folder: Path) -> None:
    lines = [
        {"id": "a", "old": "number.json", "new": "integer.json"},
        {"id": "b", "old": "broken.json", "new": "integer.json"},
        {"id": "c", "old": "integer.json", "new": "number.json"},
    ]
    (folder / "pairs").write_text("\n".join([*map(json.dumps, lines), "nonsense"]) + "\n")
    result = run(folder, "--batch", "pairs")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(a["id"], a["verdict"]) for a in answers] == [
        ("a", "compatible"),
        ("b", "not_checked"),
        ("c", "breaking"),
        (None, "not_checked"),
    ]
    assert answers[1]["not_checked"][0]["target"] == "old"
    assert answers[1]["findings"] == []
    assert result.returncode == 1


def test_a_batch_finds_files_beside_itself(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    pair = {"id": 1, "old": "number.json", "new": "integer.json"}
    (folder / "pairs").write_text(json.dumps(pair))
    assert run(elsewhere, "--batch", str(folder / "pairs")).returncode == 0


def test_a_diff_imports_nothing_heavy(folder: Path) -> None:
    script = (
        "import sys; sys.argv = ['driftgate', 'diff', 'integer.json', 'number.json']\n"
        "from harness.cli.main import main\n"
        "try: main()\n"
        f"finally: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.stderr.strip().splitlines()[-1] == "[]"
