"""Words shared by every format for people: order, labels, short values, sections."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.model.finding import Finding, Report, Severity, Verdict
from harness.model.values import Json

VERDICT_WORDS = {
    Verdict.BREAKING: "breaking",
    Verdict.UNPROVEN: "unproven",
    Verdict.COMPATIBLE: "compatible",
    Verdict.NOT_CHECKED: "not checked",
}

_VERDICT_RANK = {
    Verdict.BREAKING: 0,
    Verdict.NOT_CHECKED: 1,
    Verdict.UNPROVEN: 2,
    Verdict.COMPATIBLE: 3,
}


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings worst first: by verdict, then severity, then place."""
    return sorted(
        findings,
        key=lambda f: (
            _VERDICT_RANK[f.verdict],
            f.severity.rank if f.severity else Severity.INFO.rank,
            f.operations,
            f.field,
            f.rule,
            f.fingerprint,
        ),
    )


def by_operation(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Group findings under the first operation they name, worst group first."""
    groups: dict[str, list[Finding]] = {}
    for finding in by_weight(findings):
        groups.setdefault(finding.operations[0] if finding.operations else "", []).append(finding)
    return list(groups.items())


def short(value: Json, limit: int = 120) -> str:
    """Return JSON on one line, cut with an ellipsis past ``limit`` characters."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def pretty(value: Json) -> str:
    """Return JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def moment(text: str) -> str:
    """Turn ``2026-11-23T03:17:00.000Z`` into ``2026-11-23 03:17 UTC``; leave other text alone."""
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(\.\d+)?Z$", r"\1 \2 UTC", text)


def label(name: str) -> str:
    """Turn ``order_to_erp_p95`` into ``Order to erp p95`` for a heading or a table."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def scalar(value: Json) -> str:
    """Return a value as it reads in a table cell."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return moment(value)
    if isinstance(value, list) and all(isinstance(v, str | int | float) for v in value):
        return ", ".join(str(v) for v in value) or "–"
    if isinstance(value, int | float):
        return str(value)
    return short(value)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report's details as a table: column names (none for pairs), rows, or text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: str = ""


def sections(report: Report) -> list[Section]:
    """Return the details of a report as tables and texts, in the order given."""
    return [_section(label(name), value) for name, value in report.details.items()]


def _section(title: str, value: Json) -> Section:
    if isinstance(value, Mapping):
        pairs = tuple((label(str(k)), scalar(v)) for k, v in value.items())
        return Section(title, (), pairs)
    if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        rows = tuple(tuple(scalar(row.get(n)) for n in names) for row in value)
        return Section(title, tuple(label(n) for n in names), rows)
    if isinstance(value, list):
        return Section(title, (), (), "\n".join(scalar(v) for v in value))
    return Section(title, (), (), scalar(value))


def summary_line(report: Report) -> str:
    """Return the counts of a report as one sentence part: ``1 breaking, 2 compatible``."""
    counts = [
        f"{value} {name.replace('_', ' ')}"
        for name, value in report.summary.items()
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    return ", ".join(counts)
