"""Markdown: for a pull request, a step summary or a vendor's case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.model.finding import Evidence, Finding, Report, Verdict
from reports.wording import (
    VERDICT_WORDS,
    Section,
    by_operation,
    moment,
    outcome,
    pretty,
    sections,
    short,
    summary_line,
)

# Text that comes from a contract or an answer must not turn into markup of ours.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return GitHub-flavoured Markdown."""
    del colour, width
    return "\n".join(_lines(report))


def escape(text: str) -> str:
    """Return ``text`` with Markdown's special characters escaped, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Return ``text`` as an inline code span that its own backticks cannot end."""
    flat = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def _block(value: object) -> Iterator[str]:
    text = pretty(value)
    fence = "`" * max(3, max((len(r) for r in re.findall(r"`+", text)), default=0) + 1)
    yield f"{fence}json"
    yield text
    yield fence


def _lines(report: Report) -> Iterator[str]:
    yield f"# {escape(report.title)}"
    yield ""
    counts = summary_line(report)
    yield f"**{outcome(report).capitalize()}**" + (f" – {counts}" if counts else "")
    if report.headline:
        yield ""
        yield escape(report.headline)
    for operation, findings in by_operation(report.findings):
        yield ""
        yield f"## {code(operation) if operation else 'The document'}"
        for finding in findings:
            yield ""
            yield from _finding(finding)
    if report.not_checked:
        yield ""
        yield "## Not checked"
        yield ""
        for item in report.not_checked:
            remedy = f" {escape(item.remedy)}" if item.remedy else ""
            yield f"- {code(item.target)}: {escape(item.reason)}{remedy}"
    for section in sections(report):
        yield ""
        yield from _section(section)
    if report.generated_at or report.replay:
        yield ""
        yield "---"
    if report.generated_at:
        yield f"Written {moment(report.generated_at)}."
    if report.replay:
        yield f"Replay: {code(report.replay)}"


def _finding(finding: Finding) -> Iterator[str]:
    word = VERDICT_WORDS[finding.verdict]
    if finding.severity:
        word = f"{word}, {finding.severity.value}"
    yield f"### {escape(finding.message)}"
    yield ""
    yield f"- **{word}** · {code(finding.rule)} · {code(finding.fingerprint)}"
    if finding.field:
        yield f"- field: {code(finding.field)}"
    if finding.old is not None or finding.new is not None:
        yield f"- old: {code(short(finding.old))}"
        yield f"- new: {code(short(finding.new))}"
    context = finding.context
    for name, text in (
        ("effect", context.effect),
        ("do", context.action),
        ("owner", context.owner),
        ("by", context.deadline),
        ("first seen", moment(context.first_seen or "")),
        ("last seen", moment(context.last_seen or "")),
        ("why unproven" if finding.verdict is Verdict.UNPROVEN else "why", finding.reason),
    ):
        if text:
            yield f"- {name}: {escape(text)}"
    if len(finding.operations) > 1:
        yield "- also in: " + ", ".join(code(o) for o in finding.operations[1:])
    if finding.witness is not None:
        yield ""
        yield "Witness:"
        yield ""
        yield from _block(finding.witness.value)
    if finding.evidence is not None:
        yield ""
        yield from _evidence(finding.evidence)


def _evidence(evidence: Evidence) -> Iterator[str]:
    yield f"Seen {moment(evidence.at)}" + (
        f", request {code(evidence.request_id)}:" if evidence.request_id else ":"
    )
    yield ""
    yield from _block({"request": evidence.request, "response": evidence.response})


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
