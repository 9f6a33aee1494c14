"""The command line is documented, light to start, and keeps three kinds of trouble apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "schemathesis",
    "hypothesis",
    "pact",
    "matplotlib",
    "sqlalchemy",
    "openapi_spec_validator",
    "httpx",
    "jinja2",
)
COMMANDS = (
    *("accept", "chaos", "consumers", "contract", "demo", "diff", "explain", "gate", "mock"),
    *("report", "rules", "scan"),
)
CONTRACT = '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}'


def driftgate(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
    )


def modules_after(*arguments: str, cwd: Path) -> set[str]:
    code = (
        "import sys\n"
        f"sys.argv = {['driftgate', *arguments]!r}\n"
        "from harness.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('\\n'.join(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=cwd
    )
    return {line.split(".")[0] for line in done.stderr.splitlines()}


def test_every_command_module_is_listed_in_the_help() -> None:
    shown = driftgate("--help").stdout
    assert [name for name in COMMANDS if f" {name} " not in shown] == []


@pytest.mark.parametrize(
    "command",
    [
        "chaos run",
        "consumers check",
        "contract validate",
        "demo",
        "diff",
        "gate",
        "mock serve",
        "report",
        "scan",
    ],
)
def test_help_of_a_command_has_an_example(command: str) -> None:
    done = driftgate(*command.split(), "--help")
    assert done.returncode == 0
    assert f"driftgate {command}" in done.stdout.split("Examples:")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert f"driftgate {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_help_and_diff_import_nothing_heavy(tmp_path: Path) -> None:
    for name in ("old.json", "new.json"):
        (tmp_path / name).write_text(CONTRACT, encoding="utf-8")
    for arguments in (["--help"], ["diff", "old.json", "new.json"]):
        loaded = modules_after(*arguments, cwd=tmp_path)
        assert "harness" in loaded
        assert loaded.isdisjoint(HEAVY), sorted(loaded.intersection(HEAVY))


class TestTrouble:
    def test_wrong_usage_is_2(self) -> None:
        assert driftgate("diff", "--no-such-option").returncode == 2

    def test_a_missing_file_says_so_without_a_traceback(self, tmp_path: Path) -> None:
        done = driftgate("diff", "none.json", "none.json", cwd=tmp_path)
        assert done.returncode in {2, 3}
        assert "none.json" in done.stderr
        assert "Traceback" not in done.stderr

    def test_an_unwritable_output_is_2_and_leaves_nothing(self, tmp_path: Path) -> None:
        for name in ("old.json", "new.json"):
            (tmp_path / name).write_text(CONTRACT, encoding="utf-8")
        (tmp_path / "taken").write_text("a file", encoding="utf-8")
        done = driftgate("diff", "old.json", "new.json", "-o", "taken/report.html", cwd=tmp_path)
        assert done.returncode == 2
        assert "--output" in done.stderr
        assert sorted(p.name for p in tmp_path.iterdir()) == ["new.json", "old.json", "taken"]

    def test_a_bug_is_4_and_keeps_its_evidence_on_request(self) -> None:
        code = (
            "import harness.cli.main as m\n"
            "def broken():\n    raise RuntimeError('cogs')\n"
            "m.build_app = broken\n"
            "m.main()\n"
        )
        for wanted in ("", "1"):
            done = subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "DRIFTGATE_TRACEBACK": wanted},
            )
            assert done.returncode == 4
            assert "bug of driftgate" in done.stderr
            assert ("Traceback" in done.stderr) is bool(wanted)
