"""The demo runs from an empty folder, finds what it planted, and prints what the README shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- demo:begin -->\n", "<!-- demo:end -->"


def run_demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli.main import main; main()", "demo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def steady(text: str) -> str:
    """Take out what differs between two runs: the port, the time, and how it fell into windows."""
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"\(\d+ values?\)", "(N values)", " ".join(text.split()))
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", text)


def shown_in_readme() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split(BEGIN)[1].split(END)[0]
    return block.removeprefix("```text\n").removesuffix("```\n")


@pytest.mark.slow
def test_the_demo_tells_the_story_in_the_readme(tmp_path: Path) -> None:
    done = run_demo(tmp_path)
    assert done.returncode == 0, done.stderr
    assert [f"[{n}/4]" in done.stderr for n in (1, 2, 3, 4)] == [True] * 4
    assert steady(done.stdout) == steady(shown_in_readme())

    out = tmp_path / "reports" / "out" / "demo"
    report = json.loads((out / "channel-report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "breaking"
    assert {f["rule"] for f in report["findings"]} == {
        "observed-enum-value-unknown",
        "observed-type-changed",
        "observed-field-undeclared",
    }
    page = (out / "channel-report.html").read_text(encoding="utf-8")
    assert "AWAITING_PICKUP" in page
    assert "Cleo Specimen" not in page
    assert str(tmp_path) not in page
    assert (out / "channel-report.md").stat().st_size > 1000
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"reports"}


if __name__ == "__main__":
    # `make readme` writes the block again; read the difference before committing it.
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        printed = run_demo(Path(folder)).stdout.strip("\n")
    readme = ROOT / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}```text\n{printed}\n```\n{END}{after}", encoding="utf-8")
