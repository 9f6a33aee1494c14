"""Words shared by every format for people: order, labels, facts, sections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.model.finding import (
    Category,
    Direction,
    Finding,
    Proof,
    Report,
    Severity,
    Verdict,
)
from harness.model.values import Json
from reports.spelling import short

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


def by_rule(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Group findings under their rule, the most frequent first, other words in texts last."""
    groups: dict[str, list[Finding]] = {}
    for finding in by_weight(findings):
        groups.setdefault(finding.rule, []).append(finding)
    return sorted(
        groups.items(),
        key=lambda group: (group[1][0].category is Category.DOCS, -len(group[1]), group[0]),
    )


@dataclass(frozen=True, slots=True)
class Kinds:
    """A report's findings as people want them: what needs them, and what does not.

    ``lost`` is compatible by containment and still matters: the exchange stays valid, but data
    that used to travel does not travel any more. For ``accepted`` somebody answers by name.
    """

    urgent: list[Finding]
    lost: list[Finding]
    accepted: list[Finding]
    harmless: list[Finding]


def kinds(report: Report) -> Kinds:
    """Split the findings, each kind worst first."""
    ranked = by_weight(report.findings)
    open_ones = [f for f in ranked if f.accepted is None]
    green = [f for f in open_ones if f.verdict is Verdict.COMPATIBLE]
    return Kinds(
        urgent=[f for f in open_ones if f.verdict is not Verdict.COMPATIBLE],
        accepted=[f for f in ranked if f.accepted is not None],
        lost=[f for f in green if f.category is Category.DATA_LOSS],
        harmless=[f for f in green if f.category is not Category.DATA_LOSS],
    )


def side_names(report: Report) -> tuple[str, str]:
    """Return what the two sides are called: documents have an old one, a live channel has not."""
    return ("agreed", "now") if report.command in {"scan", "report"} else ("old", "new")


def said(finding: Finding) -> str:
    """Return the message without the field in front, for places that show the field anyway."""
    text = finding.message
    if finding.field and text.startswith(f"{finding.field}: "):
        text = text.removeprefix(f"{finding.field}: ")
        text = text[:1].upper() + text[1:]
    return text


def titled(finding: Finding) -> str:
    """Return the message with the field in front, for places that show nothing else."""
    if not finding.field or finding.field in finding.message:
        return finding.message
    return f"{finding.field}: {finding.message}"


def verdict_words(finding: Finding) -> str:
    """Return verdict and severity: ``breaking, critical``."""
    words = [VERDICT_WORDS[finding.verdict]]
    if finding.severity:
        words.append(finding.severity.value)
    if not finding.counted:
        words.append("not counted")
    return ", ".join(words)


def witness_words(finding: Finding) -> str:
    """Return what the witness is an example of."""
    if finding.verdict is not Verdict.BREAKING or finding.direction is None:
        return "an exchange that shows it"
    if finding.proof is not Proof.WITNESS:
        return "an exchange that used to work"
    if finding.direction is Direction.REQUEST:
        return "a request that was valid and is refused now"
    return "an answer that is valid now and that old clients cannot read"


def facts(finding: Finding) -> list[tuple[str, str]]:
    """Return what a finding knows beyond the difference, as labels and texts, in reading order."""
    context = finding.context
    due = f" (by {context.deadline})" if context.deadline else ""
    owner = f"{context.owner}: " if context.owner else ""
    of = f" of {context.samples_checked}" if context.samples_checked else ""
    where = (context.system, context.api, context.environment, context.region, context.account)
    entries = (
        ("accepted", acceptance(finding)),
        ("effect", context.effect),
        ("do", f"{owner}{context.action}{due}" if context.action else ""),
        ("owner", context.owner if not context.action else ""),
        ("by", context.deadline if not context.action else ""),
        ("why", finding.reason),
        ("seen in", f"{context.samples}{of} samples" if context.samples else ""),
        ("first seen", moment(context.first_seen or "")),
        ("last seen", moment(context.last_seen or "")),
        ("feeds", ", ".join(context.canonical_fields)),
        ("consumers", ", ".join(context.consumers)),
        ("where", ", ".join(w for w in where if w)),
    )
    return [(name, text) for name, text in entries if text]


def acceptance(finding: Finding) -> str:
    """Return until when and by whom a difference is accepted, and why; empty when it is not."""
    known = finding.accepted
    return f"until {known.expires} by {known.owner}: {known.reason}" if known else ""


def reach(finding: Finding) -> list[str]:
    """Return every operation the finding touches, with the field there where it is another."""
    if not finding.occurrences:
        return list(finding.operations)
    return [
        f"{o.operation} ({o.field})" if o.field and o.field != finding.field else o.operation
        for o in finding.occurrences
    ]


def identity(finding: Finding) -> list[str]:
    """Return what machines and waivers know a finding by: rule, category, fingerprint."""
    return [finding.rule, finding.category.value, finding.fingerprint]


def counted(number: int, noun: str) -> str:
    """Return ``1 operation``, ``2 operations``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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
        f"{value} {_noun(name.replace('_', ' '), value)}"
        for name, value in report.summary.items()
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    return ", ".join(counts)


def _noun(name: str, number: int) -> str:
    return name.replace("operations", "operation") if number == 1 else name
