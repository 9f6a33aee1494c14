"""The README's table of caught engines is the list the chaos tests really prove."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readme_lists_exactly_what_is_proved() -> None:
    proved = re.findall(
        r'\("([A-Z]\w+)", "([\w-]+)", "([\w.]+)"\)',
        (ROOT / "tests" / "chaos" / "test_chaos_runs.py").read_text(encoding="utf-8"),
    )
    shown = re.findall(
        r"^\| `(\w+)`: .* \| `([\w-]+)` \| `([\w.]+)` \|$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(proved) >= 5
    assert sorted(shown) == sorted(proved)
