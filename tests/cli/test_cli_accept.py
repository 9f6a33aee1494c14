"""``driftgate accept`` adds one entry, keeps what stands there, and refuses what cannot hold."""

from __future__ import annotations

import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from harness.cli.main import main
from harness.gate.accepted import read_accepted

MARK = "0123456789ab"
GIVEN = f"""# who reads this is asked first
accepted: 1
differences:
    # agreed in the weekly call
    - fingerprint: "{MARK}"
      reason: Nobody reads this member.
      owner: channel owner
      expires: "2027-01-31"
"""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def driftgate(folder: Path, *arguments: str) -> Done:
    """Run the command line in this process, as from a shell in ``folder``."""
    out, told = StringIO(), StringIO()
    line = patch.object(sys, "argv", ["driftgate", *arguments])
    with chdir(folder), line, redirect_stdout(out), redirect_stderr(told):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
            return Done(code, out.getvalue(), told.getvalue())
    return Done(0, out.getvalue(), told.getvalue())


def accept(folder: Path, mark: str, **options: str) -> Done:
    given = {"reason": "We treat: HELD as 'OPEN'.", "owner": "us", "expires": "2999-12-31"}
    words = [w for name, value in {**given, **options}.items() for w in (f"--{name}", value)]
    return driftgate(folder, "accept", mark, *words)


def test_a_first_entry_makes_the_file(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text("openapi: 3.1.0\n")
    done = accept(tmp_path, MARK, **{"for": "openapi.yaml"})
    assert done.returncode == 0, done.stderr
    (entry,) = read_accepted((tmp_path / "accepted.yaml").read_bytes(), "a").entries
    assert entry.fingerprint == MARK
    assert entry.accepted.reason == "We treat: HELD as 'OPEN'."


def test_the_next_one_keeps_every_line_before_it(tmp_path: Path) -> None:
    (tmp_path / "accepted.yaml").write_text(GIVEN)
    done = accept(tmp_path, "123456789012")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "accepted.yaml").read_text()
    assert text.startswith(GIVEN)
    entries = read_accepted(text.encode(), "a").entries
    assert [e.fingerprint for e in entries] == [MARK, "123456789012"]


@pytest.mark.parametrize(
    ("mark", "options", "words"),
    [
        (MARK, {}, "already"),
        ("short", {}, "short"),
        ("ba9876543210", {"expires": "tomorrow"}, "tomorrow"),
        ("ba9876543210", {"expires": "2020-01-01"}, "has passed"),
        ("ba9876543210", {"reason": "ok"}, "ok"),
        ("ba9876543210", {"for": "nowhere"}, "nowhere"),
    ],
)
def test_what_cannot_hold_is_refused_and_nothing_is_written(
    tmp_path: Path, mark: str, options: dict[str, str], words: str
) -> None:
    (tmp_path / "accepted.yaml").write_text(GIVEN)
    done = accept(tmp_path, mark, **options)
    assert done.returncode == 2
    assert words in done.stderr
    assert (tmp_path / "accepted.yaml").read_text() == GIVEN


def test_a_list_written_otherwise_is_left_alone_and_the_entry_shown(tmp_path: Path) -> None:
    text = "differences: []   # none yet\naccepted: 1\n"
    (tmp_path / "accepted.yaml").write_text(text)
    done = accept(tmp_path, MARK)
    assert done.returncode == 2
    assert f'- fingerprint: "{MARK}"' in done.stderr
    assert (tmp_path / "accepted.yaml").read_text() == text
