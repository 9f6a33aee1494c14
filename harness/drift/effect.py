"""What a difference means for the business: the canonical fields it touches, and how bad that is.

Reads ``mapping.yaml`` as data. A field nobody maps cannot hurt anyone yet; a field that becomes an
order's state, a quantity or an amount can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from harness.drift.target import ScanTarget
from harness.model.contract import Contract
from harness.model.finding import Finding, Severity, Verdict
from harness.model.values import JsonObject

_WRAPPERS_MAX = 3
# Worst first: what stops or falsifies trade, in the words of whom it concerns.
_AREAS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "money",
        re.compile(r"total|price|amount|tax|fee|currency|discount|payment|refund"),
        "amounts of orders may be wrong, or the orders stop before the ERP",
    ),
    (
        "stock",
        re.compile(r"quantit|available|on_hand|reserved|stock"),
        "quantities may be wrong, so that goods are oversold or not sold",
    ),
    (
        "orders",
        re.compile(r"external_id|order_state|fulfil|sku|/id$|line_id|placed_at|updated_at"),
        "orders may be missed, doubled or handled in the wrong state",
    ),
)


@dataclass(frozen=True, slots=True)
class _MappedField:
    canonical: str
    tokens: tuple[str, ...]


def with_context(
    findings: tuple[Finding, ...], target: ScanTarget, contract: Contract
) -> tuple[Finding, ...]:
    """Return the findings with everything this scan knows about them, the worst first."""
    bound = _bound_operations(target, contract)
    mapped = tuple(_mapped_fields(target.mapping or {}))
    known = [_one(f, target, mapped, bound) for f in findings]
    return tuple(
        sorted(
            known,
            key=lambda f: (
                f.verdict is not Verdict.BREAKING,
                (f.severity or Severity.INFO).rank,
                f.operations,
                f.field,
                f.rule,
            ),
        )
    )


def _one(
    finding: Finding,
    target: ScanTarget,
    mapped: tuple[_MappedField, ...],
    bound: frozenset[str],
) -> Finding:
    touched = _touched(finding, mapped, bound)
    areas = [(name, text) for name, pattern, text in _AREAS if any(map(pattern.search, touched))]
    owner = target.system.get("owner", {})
    context = replace(
        finding.context,
        environment=target.environment,
        region=target.region,
        account=target.account,
        canonical_fields=touched,
        owner=owner.get("role") if isinstance(owner, dict) else None,
        effect=_effect(finding, touched, areas, known=target.mapping is not None),
    )
    severity = _severity(finding, touched, in_area=bool(areas), known=target.mapping is not None)
    return replace(finding, context=context, severity=severity)


def _severity(
    finding: Finding,
    touched: tuple[str, ...],
    *,
    in_area: bool,
    known: bool,
) -> Severity | None:
    base = finding.severity or Severity.MEDIUM
    if finding.verdict is not Verdict.BREAKING or not known:
        return base
    if in_area:
        return Severity.CRITICAL
    if touched:
        return Severity.HIGH
    # Nobody maps it: what the rule says is the most it can be, set aside and looked at.
    return max(base, Severity.MEDIUM, key=lambda s: s.rank)


def _effect(
    finding: Finding, touched: tuple[str, ...], areas: list[tuple[str, str]], *, known: bool
) -> str:
    if finding.verdict is not Verdict.BREAKING:
        return "Nothing stops: clients that follow the contract ignore it."
    if areas:
        names = " and ".join(name for name, _ in areas)
        return f"Touches {names}: {'; '.join(text for _, text in areas)}."
    if touched:
        return f"Touches mapped fields ({', '.join(touched)}): their values may be lost."
    if known:
        return "No mapping reads this field today; strict clients of it may still refuse answers."
    return "No mapping file says who reads this field; treat it as read."


def _touched(
    finding: Finding, mapped: tuple[_MappedField, ...], bound: frozenset[str]
) -> tuple[str, ...]:
    """Return the canonical fields at, above or below the field of a finding."""
    if finding.verdict is not Verdict.BREAKING:
        return ()
    if not finding.field or finding.field.startswith("("):
        whole = finding.rule in ("observed-body-unreadable", "observed-body-missing")
        reads = whole or finding.rule == "observed-media-type-undocumented"
        if reads and bound.intersection(finding.operations):
            return tuple(sorted({m.canonical for m in mapped}))
        return ()
    tokens = tuple(finding.field.replace("[]", "").split("."))
    touched = {
        m.canonical
        for m in mapped
        for skipped in range(min(_WRAPPERS_MAX, len(tokens)))
        if _overlap(tokens[skipped:], m.tokens)
    }
    if not touched and len(tokens) == 1 and bound.intersection(finding.operations):
        records = _is_container(finding)
        return tuple(sorted({m.canonical for m in mapped})) if records else ()
    return tuple(sorted(touched))


def _is_container(finding: Finding) -> bool:
    """Say whether a whole list or envelope is missing, null or of another type."""
    gone = finding.rule in ("observed-required-missing", "observed-null-not-allowed")
    return (gone and finding.field != "") or finding.old in ("array", "object")


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return shorter > 0 and one[:shorter] == other[:shorter]


def _mapped_fields(mapping: JsonObject) -> Iterator[_MappedField]:
    for described in mapping.get("objects", {}).values():
        yield from _fields(described, "", ())


def _fields(described: Any, canonical: str, prefix: tuple[str, ...]) -> Iterator[_MappedField]:
    """Walk one object's fields; one with ``each`` is a list of records with fields of its own."""
    for entry in described.get("fields", ()):
        name = canonical + str(entry.get("canonical", ""))
        each = entry.get("each")
        if isinstance(each, list):
            within = (*prefix, *_plain_tokens(str(entry.get("system", ""))))
            yield from _fields({"fields": each}, name, within)
        elif isinstance(entry.get("system"), str):
            yield _MappedField(name, (*prefix, *_plain_tokens(entry["system"])))


def _plain_tokens(system: str) -> tuple[str, ...]:
    return tuple(t for t in system.split("/") if t and t != "*" and not t.isdecimal())


def _bound_operations(target: ScanTarget, contract: Contract) -> frozenset[str]:
    """Return the labels of the operations that a capability uses."""
    bound = {
        str(c.get("operation", "")).rsplit("#", 1)[-1]
        for c in (target.mapping or {}).get("capabilities", {}).values()
        if isinstance(c, dict)
    }
    return frozenset(o.label for o in contract.operations if o.operation_id in bound)
