"""Markdown: for a pull request, a step summary or a vendor's case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.model.finding import Evidence, Finding, Report
from reports.differences import LISTED_MAX, differences
from reports.exchanges import message_lines, shown_exchange
from reports.sides import one_line, unified
from reports.spelling import cut, limited, pretty, visible, visible_lines
from reports.wording import (
    Section,
    acceptance,
    by_operation,
    by_rule,
    counted,
    facts,
    kinds,
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

# Text that comes from a contract or an answer must not turn into markup of ours.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_OPERATIONS_SHOWN = 10
_BRIEF_SHOWN = 50
_EXAMPLES = 3
_TEXT_MAX = 6_000
_LINES_MAX = 120


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return GitHub-flavoured Markdown."""
    del colour, width
    return "\n".join(_lines(report))


def escape(text: str) -> str:
    """Return ``text`` with Markdown's special characters escaped, on one line."""
    return _SPECIAL.sub(r"\\\1", visible(" ".join(cut(text, _TEXT_MAX).split())))


def code(text: str) -> str:
    """Return ``text`` as an inline code span that its own backticks cannot end."""
    flat = visible(" ".join(cut(text, _TEXT_MAX).split()))
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def _block(lines: list[str], language: str) -> Iterator[str]:
    kept = limited(lines, _LINES_MAX)
    longest = max((len(run) for line in kept for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield from kept
    yield fence


def _text_lines(text: str) -> list[str]:
    return visible_lines(cut(text, _TEXT_MAX)).split("\n")


def _lines(report: Report) -> Iterator[str]:
    yield f"# {escape(report.title)}"
    yield ""
    counts = summary_line(report)
    yield f"**{outcome(report).capitalize()}**" + (f" – {counts}" if counts else "")
    if report.headline:
        yield ""
        yield escape(report.headline)
    found = kinds(report)
    for operation, findings in by_operation(found.urgent):
        yield ""
        yield f"## {code(operation) if operation else 'The document'}"
        for finding in findings:
            yield ""
            yield from _finding(finding, side_names(report))
    yield from _not_checked(report)
    yield from _lost(found.lost)
    yield from _accepted(found.accepted)
    yield from _harmless(found.harmless)
    for section in sections(report):
        yield ""
        yield from _section(section)
    if report.generated_at or report.replay:
        yield ""
        yield "---"
    if report.generated_at:
        yield f"Written {escape(moment(report.generated_at))}."
    if report.replay:
        yield f"Replay: {code(report.replay)}"


def _not_checked(report: Report) -> Iterator[str]:
    if not report.not_checked:
        return
    yield from ("", "## Not checked", "")
    for item in report.not_checked:
        remedy = f" {escape(item.remedy)}" if item.remedy else ""
        yield f"- {code(item.target)}: {escape(item.reason)}{remedy}"


def _finding(finding: Finding, names: tuple[str, str]) -> Iterator[str]:
    yield f"### {escape(finding.message)}"
    yield ""
    yield (
        f"- **{verdict_words(finding)}** · {code(finding.rule)} · {finding.category.value}"
        f" · {code(finding.fingerprint)}"
    )
    if finding.field:
        yield f"- field: {code(finding.field)}"
    yield from _sides(finding, names)
    for name, text in facts(finding):
        yield f"- {name}: {escape(text)}"
    if len(reach(finding)) > 1:
        yield f"- in {_operations(finding)}"
    if finding.witness is not None:
        yield ""
        yield f"Witness, {witness_words(finding)}:"
        yield ""
        shown = shown_exchange(finding)
        if shown is not None:
            yield from _block(_text_lines("\n".join(message_lines(shown))), "http")
        else:
            yield from _block(_text_lines(pretty(finding.witness.value)), "json")
    if finding.evidence is not None:
        yield ""
        yield from _evidence(finding.evidence)


def _sides(finding: Finding, names: tuple[str, str]) -> Iterator[str]:
    places = (finding.places.old, finding.places.new)
    values = (finding.old, finding.new)
    absent = finding.old is None and finding.new is None
    lines = ("", "") if absent else tuple(one_line(value) for value in values)
    for name, line, place, value in zip(names, lines, places, values, strict=True):
        shown = "nothing" if value is None else code(line) if line else "see below"
        where = f" at {code(str(place))}" if place else ""
        if not absent:
            yield f"- {name}{where}: {shown}"
        elif place:
            yield f"- {name}{where}"
    listed = [d.sentence for d in differences(finding.old, finding.new)]
    if listed:
        yield "- what differs:"
        yield from (f"  - {escape(s)}" for s in limited(listed, LISTED_MAX))
    if not absent and not all(lines):
        yield ""
        yield from _block(list(unified(finding.old, finding.new)), "diff")


def _operations(finding: Finding) -> str:
    touched = reach(finding)
    if len(touched) == 1:
        return code(touched[0])
    shown = ", ".join(code(o) for o in touched[:_OPERATIONS_SHOWN])
    more = len(touched) - _OPERATIONS_SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return f"{counted(len(touched), 'operation')}: {shown}{rest}"


def _evidence(evidence: Evidence) -> Iterator[str]:
    yield f"Seen {escape(moment(evidence.at))}" + (
        f", request {code(evidence.request_id)}:" if evidence.request_id else ":"
    )
    yield ""
    seen = {"request": evidence.request, "response": evidence.response}
    yield from _block(_text_lines(pretty(seen)), "json")


def _lost(findings: list[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield from ("", "## Valid but lost", "")
    yield "The exchanges stay valid; this data does not travel any more."
    yield ""
    for finding in findings[:_BRIEF_SHOWN]:
        yield f"- {_brief(finding)}"
    yield from _rest(findings)


def _accepted(findings: list[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield from ("", "## Accepted", "")
    for finding in findings[:_BRIEF_SHOWN]:
        yield f"- **{verdict_words(finding)}** {_brief(finding)}"
        yield f"  - accepted {escape(acceptance(finding))}"
    yield from _rest(findings)


def _brief(finding: Finding) -> str:
    field = f"{code(finding.field)}: " if finding.field else ""
    where = f", in {_operations(finding)}" if finding.operations else ""
    known = f"{code(finding.rule)}, {code(finding.fingerprint)}"
    return f"{field}{escape(said(finding))} ({known}){where}"


def _rest(findings: list[Finding]) -> Iterator[str]:
    if len(findings) > _BRIEF_SHOWN:
        yield f"- and {len(findings) - _BRIEF_SHOWN} more, all in the JSON format"


def _harmless(findings: list[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield from ("", "## Compatible", "")
    yield "| Rule | Differences | For example |"
    yield "| --- | --- | --- |"
    for rule, members in by_rule(findings):
        examples = ", ".join(
            f"{_cell(m.field or said(m))} ({_cell(m.fingerprint)})" for m in members[:_EXAMPLES]
        )
        more = ", …" if len(members) > _EXAMPLES else ""
        yield f"| {_cell(rule)} | {len(members)} | {examples}{more} |"


def _cell(text: str) -> str:
    """Return a code span for a table, where even a span ends at a bare pipe."""
    return code(text).replace("|", "\\|")


def _section(section: Section) -> Iterator[str]:
    yield f"## {escape(section.title)}"
    yield ""
    if section.text:
        for line in section.text.splitlines():
            yield f"- {escape(line)}"
        return
    columns = section.columns or ("", "")
    yield "| " + " | ".join(escape(c) for c in columns) + " |"
    yield "|" + " --- |" * len(columns)
    for row in section.rows:
        yield "| " + " | ".join(escape(c) for c in row) + " |"
