"""``driftgate gate`` and ``driftgate report`` tell the shell and the reader the same thing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

OLD = """openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {enum: [OPEN, SHIPPED]}}}
"""
WIDER = OLD.replace("SHIPPED]", "SHIPPED, HELD]")


def driftgate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli.main import main; main()", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def repository(folder: Path, *versions: str) -> Path:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    for text in versions:
        (folder / "openapi.yaml").write_text(text, encoding="utf-8")
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
        subprocess.run(["git", *identity, "commit", "-qm", "c"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(
    ("new", "code", "verdict"),
    [
        (OLD.replace("ok", "fine"), 0, "compatible"),
        (WIDER, 1, "breaking"),
        ("openapi: [", 3, "not_checked"),
    ],
)
def test_the_exit_code_says_what_the_json_says(
    tmp_path: Path, new: str, code: int, verdict: str
) -> None:
    done = driftgate(repository(tmp_path, OLD, new), "gate", "--base", "HEAD~1", "--format", "json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["verdict"] == verdict
    assert "checking openapi.yaml" in done.stderr


def test_annotations_point_at_the_line_of_the_change(tmp_path: Path) -> None:
    folder = repository(tmp_path, OLD, WIDER)
    done = driftgate(folder, "gate", "--base", "HEAD~1", "--format", "github")
    (line,) = done.stdout.splitlines()
    assert line.startswith("::error ")
    assert "file=openapi.yaml,line=9" in line


def test_the_user_chooses_what_fails(tmp_path: Path) -> None:
    folder = repository(tmp_path, OLD, WIDER)
    assert driftgate(folder, "gate", "--base", "HEAD~1", "--fail-on", "none").returncode == 0
    wrong = driftgate(folder, "gate", "--base", "HEAD~1", "--fail-on", "everything")
    assert wrong.returncode == 2
    assert "--fail-on" in wrong.stderr


def test_waivers_and_choices_hold_for_the_gate(tmp_path: Path) -> None:
    folder = repository(tmp_path, OLD, WIDER)
    base = ("gate", "--base", "HEAD~1", "--format", "json")
    (found,) = json.loads(driftgate(folder, *base).stdout)["findings"]
    (folder / "accepted.yaml").write_text(
        "accepted: 1\ndifferences:\n"
        f"  - {{fingerprint: '{found['fingerprint']}', reason: We treat HELD as OPEN., "
        "owner: us, expires: '2026-12-31'}\n"
    )
    repository(folder, WIDER.replace("ok", "fine"))
    base = ("gate", "--base", "HEAD~2", "--format", "json")
    passing = driftgate(folder, *base, "--as-of", "2026-12-31")
    assert passing.returncode == 0, passing.stderr
    assert json.loads(passing.stdout)["details"]["policy"]["accepted"] == ["accepted.yaml"]
    late = driftgate(folder, *base, "--as-of", "2027-01-01")
    assert late.returncode == 1
    picked = driftgate(folder, *base, "--no-accepted", "--category", "wire-request")
    assert picked.returncode == 0
    assert json.loads(picked.stdout)["summary"]["not_counted"] == 1
    assert json.loads(picked.stdout)["replay"] == (
        "driftgate gate --base 'HEAD~2' --head HEAD --category wire-request --no-accepted"
    )
    versioned = driftgate(folder, *base, "--check-version", "--as-of", "2026-12-31")
    assert versioned.returncode == 1
    assert "version-bump-too-small" in versioned.stdout


def test_an_unknown_base_is_the_users_mistake(tmp_path: Path) -> None:
    done = driftgate(repository(tmp_path, OLD), "gate", "--base", "nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stderr


def test_a_report_without_a_scan_is_not_checked_in_all_formats(tmp_path: Path) -> None:
    done = driftgate(tmp_path, "report", "amazon_spapi", "--all-formats", "out/amazon")
    assert done.returncode == 3
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "amazon.html",
        "amazon.json",
        "amazon.md",
    ]
    assert json.loads((tmp_path / "out" / "amazon.json").read_text())["verdict"] == "not_checked"
