"""SARIF 2.1.0: findings as a code scanner reports them, with lines of both documents.

Machines track a result by its fingerprint, so an accepted or dismissed alert stays dismissed
when lines move. What was not checked is a notification of the run, and then the run was not
successful: an empty list of results must never pass for a clean one.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from harness import __version__
from harness.model.errors import SourceLocation
from harness.model.finding import Context, Finding, Report, Verdict
from harness.model.values import Json
from reports.spelling import cut, dumped, short, visible
from reports.wording import by_weight, facts, label, titled

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Verdict.BREAKING: "error",
    Verdict.NOT_CHECKED: "error",
    Verdict.UNPROVEN: "warning",
    Verdict.COMPATIBLE: "note",
}
_LEVEL_RANK = ("error", "warning", "note")
# Code scanners refuse large files; a value past this is shown cut, the JSON format has it whole.
_VALUE_MAX = 4_000
_TEXT_MAX = 2_000
_LOGICAL_MAX = 100

_Object = dict[str, Any]


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return one SARIF log with one run."""
    del colour, width
    findings = by_weight(report.findings)
    rules = _rules(findings)
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "driftgate", "version": __version__, "rules": rules}},
        "automationDetails": {"id": f"driftgate/{report.command}/"},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, index[_text(f.rule)]) for f in findings],
        "properties": _whole(report),
    }
    return dumped({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rules(findings: list[Finding]) -> list[_Object]:
    members: dict[str, list[Finding]] = {}
    for finding in findings:
        members.setdefault(_text(finding.rule), []).append(finding)
    return [_rule(name, members[name]) for name in sorted(members)]


def _rule(name: str, findings: list[Finding]) -> _Object:
    levels = {_level(f) for f in findings}
    return {
        "id": name,
        "shortDescription": {"text": label(name.replace("-", " ")) or "A difference"},
        "defaultConfiguration": {"level": next(x for x in _LEVEL_RANK if x in levels)},
        "properties": {"tags": sorted({f.category.value for f in findings})},
    }


def _result(finding: Finding, rule_index: int) -> _Object:
    result: _Object = {
        "ruleId": _text(finding.rule),
        "ruleIndex": rule_index,
        "level": _level(finding),
        "message": {"text": _message(finding)},
    }
    here, other = finding.places.new, finding.places.old
    if here is None:
        here, other = other, None
    logical = [
        {"fullyQualifiedName": name, "kind": "function"}
        for name in dict.fromkeys(_text(o) for o in finding.operations[:_LOGICAL_MAX])
    ]
    if here is not None:
        result["locations"] = [{"physicalLocation": _physical(here)}]
    if logical:
        result.setdefault("locations", [{}])[0]["logicalLocations"] = logical
    if other is not None:
        result["relatedLocations"] = [
            {"id": 1, "physicalLocation": _physical(other), "message": {"text": "the old side"}}
        ]
    result["partialFingerprints"] = {
        # GitHub tracks an alert by this one name; a hash of ours outlives moved lines.
        "primaryLocationLineHash": f"{_text(finding.fingerprint)}:1",
        "driftgate/v1": _text(finding.fingerprint),
    }
    if finding.accepted is not None:
        owner, expires = visible(finding.accepted.owner), visible(finding.accepted.expires)
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": _text(finding.accepted.reason),
                "properties": {"owner": owner, "expires": expires},
            }
        ]
    result["properties"] = _properties(finding)
    return result


def _level(finding: Finding) -> str:
    return _LEVELS[finding.verdict] if finding.counted else "note"


def _message(finding: Finding) -> str:
    lines = [titled(finding), *(f"{name}: {text}" for name, text in facts(finding))]
    return "\n".join(visible(cut(line, _TEXT_MAX)) for line in lines) or finding.rule


def _physical(place: SourceLocation) -> _Object:
    physical: _Object = {"artifactLocation": _artifact(place.path)}
    if place.line:
        physical["region"] = {"startLine": place.line}
        if place.column:
            physical["region"]["startColumn"] = place.column
    return physical


def _artifact(path: str) -> _Object:
    """Return a path as a URI: absolute ones as they are, others below the source root."""
    path = path.encode("utf-8", "replace").decode()
    if re.match(r"https?://", path):
        return {"uri": quote(path, safe="/:?#[]@!$&'()*+,;=%~")}
    path = path.replace("\\", "/")
    if re.match(r"[A-Za-z]:/", path):
        path = f"/{path}"
    if path.startswith("/"):
        return {"uri": "file://" + quote(path, safe="/:~")}
    # A colon in the first segment (revision:path) would read as a scheme.
    return {"uri": quote(path.removeprefix("./"), safe="/~"), "uriBaseId": "%SRCROOT%"}


def _properties(finding: Finding) -> _Object:
    known: _Object = {
        "verdict": finding.verdict.value,
        "category": finding.category.value,
        "direction": finding.direction.value if finding.direction else None,
        "operations": list(finding.operations),
        "field": finding.field or None,
        "pointerOld": finding.pointer.old,
        "pointerNew": finding.pointer.new,
        "old": finding.old,
        "new": finding.new,
        "proof": finding.proof.value,
        "severity": finding.severity.value if finding.severity else None,
        "reason": finding.reason or None,
    }
    if finding.witness is not None:
        known["witness"] = {
            "value": _bounded(finding.witness.value),
            "exchange": _bounded(finding.witness.exchange),
        }
    if finding.evidence is not None:
        known["evidence"] = {
            "at": finding.evidence.at,
            "requestId": finding.evidence.request_id,
            "request": finding.evidence.request,
            "response": finding.evidence.response,
        }
    known["occurrences"] = [
        {"operation": o.operation, "field": o.field} for o in finding.occurrences
    ]
    for name in Context.__dataclass_fields__:
        value = getattr(finding.context, name)
        known[_camel(name)] = list(value) if isinstance(value, tuple) else value
    return {k: _bounded(v) for k, v in known.items() if v not in (None, [])}


def _whole(report: Report) -> _Object:
    known = {"title": report.title, "verdict": report.verdict.value, "headline": report.headline}
    summary = {"summary": _bounded(dict(report.summary))} if report.summary else {}
    return {k: v for k, v in known.items() if v} | summary


def _invocation(report: Report) -> _Object:
    invocation: _Object = {
        "executionSuccessful": not report.not_checked and report.verdict is not Verdict.NOT_CHECKED
    }
    if report.replay:
        invocation["commandLine"] = report.replay
    if report.generated_at:
        invocation["endTimeUtc"] = report.generated_at
    if report.not_checked:
        invocation["toolExecutionNotifications"] = [
            {
                "level": "error",
                "message": {"text": _text(f"{n.target}: {n.reason} {n.remedy}")},
                "descriptor": {"id": "not-checked"},
            }
            for n in report.not_checked
        ]
    return invocation


def _bounded(value: Json) -> Json:
    text = short(value, _VALUE_MAX + 1)
    return value if len(text) <= _VALUE_MAX else cut(text, _VALUE_MAX)


def _text(text: str) -> str:
    return visible(cut(" ".join(text.split()), _TEXT_MAX))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
