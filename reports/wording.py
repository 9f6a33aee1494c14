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

# A run is not "compatible" with anything: the same verdict, in the words of its command.
_OUTCOMES = {
    "chaos run": {Verdict.COMPATIBLE: "every promise held", Verdict.BREAKING: "promises broken"},
}


def outcome(report: Report) -> str:
    """Return the report's verdict in the words that fit its command."""
    return _OUTCOMES.get(report.command, {}).get(report.verdict, VERDICT_WORDS[report.verdict])


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
    """Turn ``order_to_erp`` into ``Order to erp``; leave identifiers with dots as they are."""
    if "." in name or "#" in name:
        return name
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
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {scalar(v)}" for k, v in value.items()) or "–"
    return short(value)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report's details as a table: column names (none for pairs), rows, or text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: str = ""


def sections(report: Report) -> list[Section]:
    """Return the details of a report as tables and texts, in the order given.

    Single values are gathered in one table; a mapping of mappings of mappings becomes a table
    with two naming columns.
    """
    single = {k: v for k, v in report.details.items() if not isinstance(v, Mapping | list)}
    tables = [_section(label(k), v) for k, v in report.details.items() if k not in single]
    return [_section("About this run", single), *tables] if single else tables


def _section(title: str, value: Json) -> Section:
    if isinstance(value, Mapping) and any(_is_nested(v) for v in value.values()):
        return _nested(title, value)
    if isinstance(value, Mapping):
        pairs = tuple((label(str(k)), scalar(v)) for k, v in value.items())
        return Section(title, (), pairs)
    if all(isinstance(row, Mapping) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        rows = tuple(tuple(scalar(row.get(n)) for n in names) for row in value)
        return Section(title, tuple(label(n) for n in names), rows)
    return Section(title, (), (), "\n".join(scalar(v) for v in value))


def _is_nested(value: Json) -> bool:
    return isinstance(value, Mapping) and any(isinstance(v, Mapping) for v in value.values())


def _nested(title: str, value: Mapping[str, Json]) -> Section:
    groups = [(k, v) for k, v in value.items() if _is_nested(v)]
    names = list(dict.fromkeys(n for _, parts in groups for leaf in parts.values() for n in leaf))
    rows = [
        (label(str(group)), label(str(part)), *(scalar(leaf.get(n)) for n in names))
        for group, parts in groups
        for part, leaf in parts.items()
    ]
    others = [(k, v) for k, v in value.items() if not _is_nested(v)]
    padding = ("",) * (len(names) - 1)
    rows += [(label(str(k)), "", scalar(v), *padding) for k, v in others]
    return Section(title, ("Measure", "Part", *(label(n) for n in names)), tuple(rows))


def summary_line(report: Report) -> str:
    """Return the counts of a report as one sentence part: ``1 breaking, 2 compatible``."""
    counts = [
        f"{value} {name.replace('_', ' ')}"
        for name, value in report.summary.items()
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    return ", ".join(counts)
