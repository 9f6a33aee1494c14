"""Text for a terminal: grouped by operation, old and new side by side, the witness shown."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from harness.model.errors import SourceLocation
from harness.model.finding import Finding, Report, Verdict
from reports.wording import (
    VERDICT_WORDS,
    Section,
    by_operation,
    outcome,
    sections,
    short,
    summary_line,
)

_COLOURS = {
    Verdict.BREAKING: "31",
    Verdict.NOT_CHECKED: "35",
    Verdict.UNPROVEN: "33",
    Verdict.COMPATIBLE: "32",
}
Paint = Callable[[str, str], str]


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return the report for a person at a terminal ``width`` columns wide."""

    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    return "\n".join(_lines(report, paint, width))


def _lines(report: Report, paint: Paint, width: int) -> Iterator[str]:
    yield paint("1", report.title)
    if report.headline:
        yield from textwrap.wrap(report.headline, width)
    for operation, findings in by_operation(report.findings):
        yield ""
        yield paint("1", operation or "the document")
        for finding in findings:
            yield from _finding(finding, paint, width)
    if report.not_checked:
        yield ""
        yield paint("35", "not checked")
        for item in report.not_checked:
            text = f"{item.target}: {item.reason} {item.remedy}".rstrip()
            yield from textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")
    for section in sections(report):
        yield ""
        yield paint("1", section.title)
        yield from _table(section, width)
    yield ""
    verdict = paint(_COLOURS[report.verdict], outcome(report))
    counts = summary_line(report)
    yield f"verdict: {verdict}" + (f" ({counts})" if counts else "")
    if report.replay:
        yield f"replay:  {report.replay}"


def _finding(finding: Finding, paint: Paint, width: int) -> Iterator[str]:
    word = VERDICT_WORDS[finding.verdict]
    if finding.severity:
        word = f"{word}, {finding.severity.value}"
    head = paint(_COLOURS[finding.verdict], word)
    yield f"  {head}  {finding.field or '(whole)'}  [{finding.rule}]  {finding.fingerprint}"
    indent = " " * 6
    yield from textwrap.wrap(
        finding.message, width, initial_indent=indent, subsequent_indent=indent
    )
    if finding.old is not None or finding.new is not None:
        yield f"{indent}old: {short(finding.old, width - 12)}{_place(finding.places.old)}"
        yield f"{indent}new: {short(finding.new, width - 12)}{_place(finding.places.new)}"
    elif finding.places.new or finding.places.old:
        yield f"{indent}at:  {finding.places.new or finding.places.old}"
    if finding.reason:
        yield from textwrap.wrap(
            f"why: {finding.reason}", width, initial_indent=indent, subsequent_indent=indent
        )
    if finding.witness is not None:
        yield f"{indent}witness: {short(finding.witness.value, width * 2)}"
    if len(finding.operations) > 1:
        others = ", ".join(finding.operations[1:4])
        more = len(finding.operations) - 4
        yield f"{indent}also in: {others}" + (f" and {more} more" if more > 0 else "")
    context = finding.context
    if context.action:
        due = f" (by {context.deadline})" if context.deadline else ""
        owner = f"{context.owner}: " if context.owner else ""
        yield from textwrap.wrap(
            f"do: {owner}{context.action}{due}",
            width,
            initial_indent=indent,
            subsequent_indent=indent,
        )


def _place(place: SourceLocation | None) -> str:
    return f"  ({place})" if place else ""


def _table(section: Section, width: int) -> Iterator[str]:
    if section.text:
        yield from textwrap.indent(section.text, "  ").splitlines()
        return
    rows = [section.columns, *section.rows] if section.columns else list(section.rows)
    if not rows:
        yield "  none"
        return
    widths = [
        min(max(len(r[i]) for r in rows if i < len(r)), width // 2)
        for i in range(max(map(len, rows)))
    ]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row)).rstrip()
