"""From facts to findings: identity, order, places, and one finding for one cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from harness.compatibility import rules
from harness.compatibility.exchanges.pairing import PLACEHOLDER, Structural
from harness.model.contract import Contract
from harness.model.finding import (
    Category,
    Direction,
    Finding,
    Occurrence,
    Places,
    Proof,
    Verdict,
    Witness,
)
from harness.model.values import Json, canonical_json, fingerprint

Sample = Callable[[str], dict[str, Json]]


def _nothing(_operation: str) -> dict[str, Json]:
    return {}


_RANK = {Verdict.BREAKING: 0, Verdict.UNPROVEN: 1, Verdict.COMPATIBLE: 2, Verdict.NOT_CHECKED: 3}


def identity(
    rule: str, direction: Direction | None, place: Occurrence, old: Json, new: Json
) -> str:
    """Return the fingerprint of a difference.

    ``place`` is the operation and the field under which it is met first in alphabetical order, so
    that names of components, lines of files and words of messages do not matter.
    """
    side = direction.value if direction else None
    operation = PLACEHOLDER.sub("{}", place.operation)
    return fingerprint(rule, side, operation, place.field, old, new)


def structural_findings(
    items: Iterable[Structural], judged: frozenset[Category], sample: Sample = _nothing
) -> list[Finding]:
    """Return one finding for each difference; that of a shared component is one difference.

    ``sample`` makes the exchange that used to work for an operation, for what brings none itself.

    A rule outside the categories that are always judged breaks only where its category is in
    ``judged``.
    """
    return [_structural(group, judged, sample) for group in _grouped(items)]


def _grouped(items: Iterable[Structural]) -> list[list[Structural]]:
    groups: dict[str, list[Structural]] = {}
    for item in items:
        shared = [
            p for p in (item.pointer.old, item.pointer.new) if p and not p.startswith("/paths")
        ]
        key = canonical_json(
            [item.rule, item.field, item.old, item.new, shared or item.operation, item.message]
        )
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def _structural(group: list[Structural], judged: frozenset[Category], sample: Sample) -> Finding:
    item = group[0]
    operations = tuple(sorted({i.operation for i in group if i.operation}))
    rule = rules.STRUCTURE[item.rule]
    verdict = item.verdict
    if rule.category not in judged | rules.ALWAYS_JUDGED:
        verdict = Verdict.COMPATIBLE
    breaking = verdict is Verdict.BREAKING
    place = Occurrence(operations[0] if operations else "", item.field)
    return Finding(
        fingerprint=identity(rule.id, item.direction, place, item.old, item.new),
        rule=rule.id,
        category=rule.category,
        verdict=verdict,
        message=item.message,
        direction=item.direction,
        operations=operations,
        pointer=item.pointer,
        field=item.field,
        old=item.old,
        new=item.new,
        proof=Proof.STRUCTURE if breaking else Proof.NONE,
        witness=_witness(item, operations, sample) if breaking else None,
        reason=item.reason,
    )


def _witness(item: Structural, operations: tuple[str, ...], sample: Sample) -> Witness | None:
    exchange = item.exchange
    if exchange is None and operations:
        exchange = sample(operations[0]) or None
    return None if exchange is None and item.value is None else Witness(item.value, exchange)


def finished(findings: list[Finding], old: Contract, new: Contract) -> tuple[Finding, ...]:
    """Return the findings in their order, each once, with lines of the user's files."""
    placed = _distinct(_merged(sorted(findings, key=_order)))
    return tuple(_located(f, old, new) for f in placed)


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return (
        _RANK[finding.verdict],
        finding.operations[0] if finding.operations else "",
        finding.field,
        finding.rule,
        canonical_json([finding.to_json()]),
    )


def _merged(findings: list[Finding]) -> list[Finding]:
    """Ask an open question once, though several alternatives of a union raise it."""
    questions: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        if finding.verdict is Verdict.UNPROVEN:
            key = (finding.rule, finding.direction, finding.field, finding.operations)
            questions.setdefault((*key, finding.reason), []).append(finding)
    repeated = {id(f) for group in questions.values() for f in group[1:]}
    counts = {id(group[0]): len(group) for group in questions.values()}
    kept = [f for f in findings if id(f) not in repeated]
    return [
        replace(f, reason=f"{f.reason} ({counts[id(f)]} alternatives)")
        if counts.get(id(f), 1) > 1
        else f
        for f in kept
    ]


def _distinct(findings: list[Finding]) -> list[Finding]:
    """Give findings that read alike but have other causes their own fingerprints."""
    seen: dict[str, int] = {}
    result = []
    for finding in findings:
        count = seen.get(finding.fingerprint, 0)
        seen[finding.fingerprint] = count + 1
        if count:
            finding = replace(finding, fingerprint=fingerprint(finding.fingerprint, count))
        result.append(finding)
    return result


def _located(finding: Finding, old: Contract, new: Contract) -> Finding:
    places = Places(
        old.locate(finding.pointer.old) if finding.pointer.old is not None else None,
        new.locate(finding.pointer.new) if finding.pointer.new is not None else None,
    )
    return replace(finding, places=places)
