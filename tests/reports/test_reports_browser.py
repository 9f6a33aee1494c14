"""A real browser shows the HTML report whole on a phone: no sideways scrolling, nothing fetched."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "reports" / "samples"
BROWSER = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (path := shutil.which(name))
    ),
    None,
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
    "--dump-dom",
)
# The report forbids scripts, so a page around it does the measuring.
PAGE = """<!doctype html><title>measure</title>
<iframe id="report" style="width:{width}px;height:4000px;border:0" srcdoc="{source}"></iframe>
<pre id="result">not measured</pre>
<script>
document.getElementById("report").addEventListener("load", (event) => {{
  const page = event.target.contentDocument;
  document.getElementById("result").textContent = "width " + page.documentElement.scrollWidth
    + " cards " + page.querySelectorAll("article").length
    + " heading " + getComputedStyle(page.querySelector("h1")).fontWeight;
}});
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(
    BROWSER is None and not os.environ.get("DRIFTGATE_REQUIRE_BROWSER"),
    reason="no Chromium on this machine; CI installs one and requires it",
)
@pytest.mark.parametrize(("name", "cards_expected"), [("scan", 2), ("diff", 7)])
@pytest.mark.parametrize("width", [340, 1000])
def test_the_report_fits_the_screen(
    tmp_path: Path, width: int, name: str, cards_expected: int
) -> None:
    assert BROWSER is not None, "CI must install Chromium"
    page = tmp_path / "measure.html"
    source = html.escape((SAMPLES / f"{name}.html").read_text(encoding="utf-8"), quote=True)
    page.write_text(PAGE.format(width=width, source=source), encoding="utf-8")
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    measured = re.search(r"width (\d+) cards (\d+) heading (\d+)", done.stdout)
    assert measured is not None, done.stderr
    shown, cards, weight = map(int, measured.groups())
    assert shown <= width
    assert cards == cards_expected
    assert weight >= 600
