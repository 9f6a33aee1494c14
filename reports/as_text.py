"""Text for a terminal: what needs somebody first, by operation; what is harmless in short."""

from __future__ import annotations

from collections.abc import Iterator

from harness.model.finding import Finding, Report
from reports.columns import cells, fold
from reports.spelling import visible
from reports.text_finding import (
    BOLD,
    DIM,
    STYLES,
    Line,
    finding_lines,
    labelled,
    operations,
    plain,
)
from reports.wording import (
    Section,
    acceptance,
    by_operation,
    by_rule,
    counted,
    kinds,
    outcome,
    said,
    sections,
    side_names,
    summary_line,
    verdict_words,
)

_BRIEF_SHOWN = 20
_EXAMPLES = 3


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return the report for a person at a terminal ``width`` columns wide."""
    return "\n".join(_painted(line, colour=colour) for line in _lines(report, width))


def _painted(line: Line, *, colour: bool) -> str:
    """Return one line; here, and only here, text of a document meets the terminal."""
    parts = []
    for style, text in line:
        safe = visible(text)
        parts.append(f"\x1b[{style}m{safe}\x1b[0m" if colour and style else safe)
    return "".join(parts).rstrip()


def _lines(report: Report, width: int) -> Iterator[Line]:
    for line in fold(" ".join(report.title.split()), width):
        yield ((BOLD, line),)
    for line in fold(" ".join(report.headline.split()), width):
        if line:
            yield plain(line)
    sorted_out = kinds(report)
    for operation, findings in by_operation(sorted_out.urgent):
        yield plain("")
        yield ((BOLD, operation or "the document"),)
        for index, finding in enumerate(findings):
            if index:
                yield plain("")
            yield from finding_lines(finding, side_names(report), width)
    yield from _not_checked(report, width)
    yield from _lost(sorted_out.lost, width)
    yield from _accepted(sorted_out.accepted, width)
    yield from _harmless(sorted_out.harmless, width)
    for section in sections(report):
        yield plain("")
        yield ((BOLD, section.title),)
        yield from _table(section, width)
    yield plain("")
    counts = summary_line(report)
    yield (
        ("", "verdict: "),
        (STYLES[report.verdict], outcome(report)),
        ("", f" ({counts})" if counts else ""),
    )
    if report.replay:
        yield plain(f"replay:  {report.replay}")


def _not_checked(report: Report, width: int) -> Iterator[Line]:
    if not report.not_checked:
        return
    yield plain("")
    yield (("35", "not checked"),)
    for item in report.not_checked:
        text = " ".join(f"{item.target}: {item.reason} {item.remedy}".split())
        for index, line in enumerate(fold(visible(text), width - 4)):
            yield plain(("    " if index else "  ") + line)


def _lost(findings: list[Finding], width: int) -> Iterator[Line]:
    """Yield what stays valid and still loses data, each on its own: nobody else will notice."""
    if not findings:
        return
    yield plain("")
    yield (("36", f"valid but lost ({len(findings)})"),)
    for finding in findings[:_BRIEF_SHOWN]:
        yield from _brief(finding, "", width)
    yield from _rest(findings)


def _accepted(findings: list[Finding], width: int) -> Iterator[Line]:
    """Yield what somebody answers for, with the name and the last day."""
    if not findings:
        return
    yield plain("")
    yield (("32", f"accepted ({len(findings)})"),)
    for finding in findings[:_BRIEF_SHOWN]:
        yield from _brief(finding, f"{verdict_words(finding)}  ", width)
        text = visible(" ".join(acceptance(finding).split()))
        yield from labelled("accepted", fold(text, width - 17))
    yield from _rest(findings)


def _brief(finding: Finding, lead: str, width: int) -> Iterator[Line]:
    yield (
        ("", f"  {lead}{finding.field or '(whole)'}"),
        (DIM, f"  {finding.rule} · {finding.fingerprint}"),
    )
    for line in fold(visible(" ".join(said(finding).split())), width - 6):
        yield plain(" " * 6 + line)
    if finding.operations:
        yield from labelled("in", fold(visible(operations(finding)), width - 17))


def _rest(findings: list[Finding]) -> Iterator[Line]:
    if len(findings) > _BRIEF_SHOWN:
        yield plain(f"  and {len(findings) - _BRIEF_SHOWN} more; --format json lists them all")


def _harmless(findings: list[Finding], width: int) -> Iterator[Line]:
    """Yield a summary by rule with a few examples; the machine formats have every one."""
    if not findings:
        return
    yield plain("")
    yield (("32", f"compatible ({len(findings)})"),)
    shortened = False
    for rule, members in by_rule(findings):
        yield plain(f"  {rule}: {counted(len(members), 'difference')}")
        for finding in members[:_EXAMPLES]:
            where = finding.field or " ".join(said(finding).split())
            first = finding.operations[0] if finding.operations else ""
            more = f" and {len(finding.operations) - 1} more" if len(finding.operations) > 1 else ""
            text = _one_line(f"{where}  {first}{more}".rstrip(), width - 20)
            yield (("", f"      {text}"), (DIM, f"  {finding.fingerprint}"))
        shortened |= len(members) > _EXAMPLES
    if shortened:
        yield ((DIM, "  examples only; --format json lists them all"),)


def _one_line(text: str, width: int) -> str:
    """Return as much of ``text`` as fits: an example need not be whole."""
    first, *rest = fold(visible(text), width)
    return f"{fold(first, width - 1)[0].rstrip()}…" if rest else first


def _table(section: Section, width: int) -> Iterator[Line]:
    if section.text:
        for line in section.text.splitlines():
            yield plain(f"  {line}")
        return
    rows = [section.columns, *section.rows] if section.columns else list(section.rows)
    if not rows:
        yield plain("  none")
        return
    rows = [tuple(visible(cell) for cell in row) for row in rows]
    widths = [
        min(max(cells(r[i]) for r in rows if i < len(r)), width // 2)
        for i in range(max(map(len, rows)))
    ]
    for row in rows:
        padded = (cell + " " * (widths[i] - cells(cell)) for i, cell in enumerate(row))
        yield plain("  " + "  ".join(padded))
