"""Renderers: a :class:`harness.model.finding.Report` in, text out. No verdict is computed here.

One module per format, ``as_<format>.py``, found by looking; each has
``render(report, *, colour, width) -> str``.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from harness.model.errors import UsageError
from harness.model.finding import Report

FORMATS: tuple[str, ...] = tuple(
    sorted(
        module.name.removeprefix("as_")
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if module.name.startswith("as_")
    )
)


def render(report: Report, fmt: str, *, colour: bool = False, width: int = 100) -> str:
    """Return ``report`` in one of :data:`FORMATS`, ending with a newline unless empty.

    ``colour`` adds terminal colours to the text format; ``width`` is its line length. Raises
    ``UsageError`` for a format that does not exist.
    """
    if fmt not in FORMATS:
        msg = f"Unknown format {fmt!r}."
        raise UsageError(msg, remedy=f"Choose one of {', '.join(FORMATS)}.")
    module = importlib.import_module(f"reports.as_{fmt}")
    text: str = module.render(report, colour=colour, width=width)
    return text if not text or text.endswith("\n") else text + "\n"
