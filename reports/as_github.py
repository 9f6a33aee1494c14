"""GitHub annotations: workflow commands that mark lines of a pull request."""

from __future__ import annotations

from harness.model.finding import Finding, Report, Verdict
from reports.wording import by_weight

_COMMANDS = {
    Verdict.BREAKING: "error",
    Verdict.NOT_CHECKED: "error",
    Verdict.UNPROVEN: "warning",
    Verdict.COMPATIBLE: "notice",
}


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return one annotation a finding and one for each thing that was not checked."""
    del colour, width
    lines = [_annotation(finding) for finding in by_weight(report.findings)]
    lines += [
        f"::error title=not checked::{_data(f'{n.target}: {n.reason} {n.remedy}'.strip())}"
        for n in report.not_checked
    ]
    return "".join(line + "\n" for line in lines)


def _annotation(finding: Finding) -> str:
    properties = {"title": f"{finding.verdict.value}: {finding.rule}"}
    place = finding.places.new or finding.places.old
    if place:
        properties["file"] = place.path
        if place.line:
            properties["line"] = str(place.line)
        if place.column:
            properties["col"] = str(place.column)
    listed = ",".join(f"{k}={_property(v)}" for k, v in properties.items())
    where = f"{finding.operations[0]} " if finding.operations else ""
    field = f"{finding.field}: " if finding.field else ""
    text = f"{where}{field}{finding.message} ({finding.fingerprint})"
    return f"::{_COMMANDS[finding.verdict]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
