"""HTML: one self-contained page for a channel owner, readable on a phone and on paper."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.model.finding import Finding, Report
from reports.differences import LISTED_MAX, differences
from reports.exchanges import message_lines, shown_exchange
from reports.sides import marked
from reports.spelling import cut, limited, pretty, visible_lines
from reports.wording import (
    VERDICT_WORDS,
    acceptance,
    by_operation,
    by_rule,
    facts,
    kinds,
    label,
    moment,
    outcome,
    reach,
    said,
    sections,
    side_names,
    summary_line,
    verdict_words,
    witness_words,
)

_TEXT_MAX = 12_000
# With fewer groups than this, a table of contents is one more thing to scroll past.
_CONTENTS_FROM = 4


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return the page. Every value is escaped; nothing is loaded from anywhere."""
    del colour, width
    found = kinds(report)
    groups = by_operation(found.urgent)
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            words=VERDICT_WORDS,
            outcome=outcome(report),
            names=side_names(report),
            groups=groups,
            contents=len(groups) >= _CONTENTS_FROM,
            lost=found.lost,
            accepted=found.accepted,
            harmless=by_rule(found.harmless),
            sections=sections(report),
            counts=summary_line(report),
        )
    )


@cache
def _environment() -> Environment:
    """Return the templates with their filters; compiling a page takes longer than filling it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        label=label,
        moment=moment,
        said=said,
        facts=facts,
        reach=reach,
        acceptance=acceptance,
        pretty=lambda value: cut(pretty(value), _TEXT_MAX),
        verdict_words=verdict_words,
        witness_words=witness_words,
        witness_text=_witness_text,
        sides=lambda finding: marked(finding.old, finding.new),
        differences=_listed,
    )
    return environment


def _shown(value: Any) -> Any:
    """Spell what a reader could not see, and cut what nobody reads, in all text of others."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible_lines(cut(value, _TEXT_MAX))
    return value


def _witness_text(finding: Finding) -> str:
    shown = shown_exchange(finding)
    if shown is not None:
        return cut("\n".join(message_lines(shown)), _TEXT_MAX)
    return cut(pretty(finding.witness.value), _TEXT_MAX) if finding.witness is not None else ""


def _listed(finding: Finding) -> list[str]:
    return limited([d.sentence for d in differences(finding.old, finding.new)], LISTED_MAX)
