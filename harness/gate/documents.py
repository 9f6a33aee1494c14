"""A report over several documents: each judged on its own, all in one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.gate.conclusion import details_of, summary_of, verdict_of
from harness.gate.judging import Choices, Judged
from harness.gate.rules import REMOVED
from harness.model.finding import Context, Finding, Proof, Report, Verdict
from harness.model.values import Json, fingerprint


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a run: its name, what happened to it, and what came of it."""

    name: str
    change: str
    judged: Judged


def documents_report(
    command: str,
    title: str,
    documents: Sequence[Document],
    choices: Choices,
    *,
    headline: str,
    replay: str | None = None,
) -> Report:
    """Return one report; ``headline`` is what a person reads first."""
    judged = [d.judged for d in documents]
    findings = tuple(f for j in judged for f in j.findings)
    not_checked = tuple(n for j in judged for n in j.not_checked)
    counted = summary_of(findings, choices.categories, sum(j.operations for j in judged))
    rows: list[Json] = [
        {"document": d.name, "change": d.change, "verdict": _verdict(d.judged, choices)}
        for d in documents
    ]
    versioned = [
        replace(d.judged, version={"document": d.name, **d.judged.version})
        if d.judged.version
        else d.judged
        for d in documents
    ]
    details = details_of(versioned, choices)
    if isinstance(details.get("version"), dict):
        details["version"] = [details["version"]]
    return Report(
        command=command,
        title=title,
        verdict=verdict_of(findings, not_checked, choices.categories),
        findings=findings,
        not_checked=not_checked,
        headline=headline,
        summary={"documents": len(documents), **counted},
        details={**({"documents": rows} if rows else {}), **details},
        replay=replay,
    )


def _verdict(judged: Judged, choices: Choices) -> str:
    verdict = verdict_of(judged.findings, judged.not_checked, choices.categories)
    return verdict.value.replace("_", " ")


def removed(name: str, old: str, consumers: tuple[str, ...] = ()) -> Finding:
    """Return the finding for a document that is gone; ``consumers`` are those who call it."""
    return Finding(
        fingerprint=fingerprint("gate", REMOVED.id, name),
        rule=REMOVED.id,
        category=REMOVED.category,
        verdict=Verdict.BREAKING,
        message=f"The contract {name} is gone, and every operation with it.",
        old=old,
        proof=Proof.STRUCTURE,
        context=Context(api=name, consumers=consumers),
    )
