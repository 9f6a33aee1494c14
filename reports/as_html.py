"""HTML: one self-contained page for a channel owner, readable on a phone and on paper."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.model.finding import Report, Verdict
from reports.wording import (
    VERDICT_WORDS,
    by_weight,
    label,
    moment,
    outcome,
    pretty,
    sections,
    short,
    summary_line,
)


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return the page. Every value is escaped; nothing is loaded from anywhere."""
    del colour, width
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(short=short, pretty=pretty, label=label, moment=moment)
    findings = by_weight(report.findings)
    return environment.get_template("report.html").render(
        report=report,
        words=VERDICT_WORDS,
        outcome=outcome(report),
        urgent=[f for f in findings if f.verdict is not Verdict.COMPATIBLE],
        tolerated=[f for f in findings if f.verdict is Verdict.COMPATIBLE],
        sections=sections(report),
        counts=summary_line(report),
    )
