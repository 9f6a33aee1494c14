"""GitHub annotations: workflow commands that mark lines of a pull request.

GitHub shows ten annotations of each level a step and drops the rest without a word. What needs
somebody is therefore written worst first, and harmless differences share one notice a rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.model.finding import Finding, Report, Verdict
from reports.exchanges import message_lines, shown_exchange
from reports.spelling import cut, limited, short, visible, visible_lines
from reports.wording import (
    by_rule,
    counted,
    facts,
    kinds,
    reach,
    said,
    side_names,
    titled,
    verdict_words,
    witness_words,
)

_COMMANDS = {
    Verdict.BREAKING: "error",
    Verdict.NOT_CHECKED: "error",
    Verdict.UNPROVEN: "warning",
    Verdict.COMPATIBLE: "notice",
}
_WITNESS_LINES_MAX = 30
_NAMED_MAX = 10
_TEXT_MAX = 4_000


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return the annotations, one a line, nothing when there is nothing to say."""
    del colour, width
    found = kinds(report)
    names = side_names(report)
    lines = [_annotation(f, names, command="" if f.counted else "notice") for f in found.urgent]
    for item in report.not_checked:
        text = visible(f"{item.target}: {item.reason} {item.remedy}".strip())
        lines.append(f"::error title=not checked::{_data(cut(text, _TEXT_MAX))}")
    lines += [_annotation(f, names, kind="valid but lost") for f in found.lost]
    lines += [_annotation(f, names, kind="accepted", command="notice") for f in found.accepted]
    for rule, members in by_rule(found.harmless):
        alone = len(members) == 1
        lines.append(_annotation(members[0], names) if alone else _together(rule, members))
    return "".join(line + "\n" for line in lines)


def _annotation(
    finding: Finding, names: tuple[str, str], *, kind: str = "", command: str = ""
) -> str:
    properties = {"title": f"{kind or verdict_words(finding)}: {finding.rule}"}
    place = finding.places.new or finding.places.old
    if place:
        properties["file"] = place.path
        if place.line:
            properties["line"] = str(place.line)
        if place.column:
            properties["col"] = str(place.column)
    listed = ",".join(f"{k}={_property(v)}" for k, v in properties.items())
    text = "\n".join(_told(finding, names))
    return f"::{command or _COMMANDS[finding.verdict]} {listed}::{_data(text)}"


def _told(finding: Finding, names: tuple[str, str]) -> Iterator[str]:
    where = f"{finding.operations[0]} " if finding.operations else ""
    # The first line is all that a folded annotation shows.
    yield visible(cut(f"{where}{titled(finding)} ({finding.fingerprint})", _TEXT_MAX))
    if finding.old is not None or finding.new is not None:
        for name, value in zip(names, (finding.old, finding.new), strict=True):
            yield f"{name}: {'nothing' if value is None else visible(short(value, 400))}"
    for name, text in facts(finding):
        yield visible(cut(f"{name}: {text}", _TEXT_MAX))
    if len(reach(finding)) > 1:
        yield f"in {counted(len(reach(finding)), 'operation')}"
    yield f"category: {finding.category.value}"
    shown = shown_exchange(finding)
    if shown is not None:
        yield f"witness, {witness_words(finding)}:"
        source = visible_lines(cut("\n".join(message_lines(shown)), _TEXT_MAX))
        yield from limited(source.split("\n"), _WITNESS_LINES_MAX)
    elif finding.witness is not None:
        yield f"witness: {visible(short(finding.witness.value, 400))}"


def _together(rule: str, members: list[Finding]) -> str:
    named = [f"{m.field or said(m)} ({m.fingerprint})" for m in members[:_NAMED_MAX]]
    more = f", and {len(members) - _NAMED_MAX} more" if len(members) > _NAMED_MAX else ""
    text = visible(cut(f"{len(members)} differences: {', '.join(named)}{more}", _TEXT_MAX))
    return f"::notice title={_property(f'compatible: {rule}')}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
