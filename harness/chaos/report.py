"""Builds the report of one run: verdicts first, then what was measured and what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.chaos.invariants import judge
from harness.chaos.ledger import Ledger
from harness.chaos.service_levels import measure, missed
from harness.chaos.verdicts import Breach, to_finding
from harness.model.finding import (
    Category,
    Finding,
    NotChecked,
    Report,
    Severity,
    overall_verdict,
)
from harness.model.instants import SECOND_US, to_text
from harness.model.values import Json


@dataclass(frozen=True, slots=True)
class Night:
    """What the books do not say: seed, engine, digest, and what went wrong with the engine."""

    seed: int
    engine: str
    digest: str
    trouble: tuple[str, ...] = ()
    faults_fired: Mapping[str, int] = field(default_factory=dict)
    simulator_failures: tuple[str, ...] = ()


def build_report(ledger: Ledger, night: Night) -> Report:
    """Judge the books and return the report."""
    findings = (*_crashes(ledger, night), *judge(ledger), *missed(ledger), *_too_tame(ledger))
    not_checked = tuple(
        NotChecked("simulator", text, "This is a bug of a simulator: the run proved nothing.")
        for text in night.simulator_failures[:5]
    )
    scenario = ledger.scenario
    return Report(
        command="chaos run",
        title=f"{scenario.name}: {scenario.title}",
        verdict=overall_verdict(findings, not_checked),
        findings=findings,
        not_checked=not_checked,
        headline=_headline(ledger, findings),
        summary=_summary(ledger, findings),
        details=_details(ledger, night),
        replay=ledger.replay,
    )


def _crashes(ledger: Ledger, night: Night) -> Iterable[Finding]:
    if night.trouble:
        breach = Breach(
            system="engine",
            message=f"The engine stopped by itself: {night.trouble[0]}.",
            samples=list(night.trouble),
            checked=1,
            at_us=ledger.ended_us,
            effect="Nothing moves until somebody starts it again.",
        )
        yield to_finding(ledger, "engine.crashed", breach, Category.POLICY, Severity.CRITICAL)


def _too_tame(ledger: Ledger) -> Iterable[Finding]:
    short = {
        name: {"wanted": wanted, "happened": ledger.counts.get(name, 0)}
        for name, wanted in ledger.scenario.must_happen.items()
        if ledger.counts.get(name, 0) < wanted
    }
    if short:
        words = ", ".join(
            f"{name} {n['happened']} of {n['wanted']}" for name, n in sorted(short.items())
        )
        breach = Breach(
            system="scenario",
            message=f"The run was too tame to prove anything: {words}.",
            samples=[short],
            checked=len(ledger.scenario.must_happen),
            at_us=ledger.ended_us,
        )
        yield to_finding(ledger, "scenario.too_tame", breach, Category.POLICY, Severity.MEDIUM)


def _headline(ledger: Ledger, findings: tuple[Finding, ...]) -> str:
    kept = len(ledger.scenario.invariants)
    placed, created = ledger.counts.get("orders.placed", 0), ledger.counts.get("orders.created", 0)
    if not findings:
        held = sum(order.released_us is None for order in ledger.orders)
        waiting = f", {held} never released by the channel" if held else ""
        return (
            f"All {kept} invariants held: {placed} orders placed{waiting}, "
            f"{created} sales orders made."
        )
    return f"{len(findings)} broken: {', '.join(sorted({f.rule for f in findings}))}."


def _summary(ledger: Ledger, findings: tuple[Finding, ...]) -> Mapping[str, Json]:
    return {
        "breaking": len(findings),
        "invariants_checked": len(ledger.scenario.invariants),
        "orders_placed": ledger.counts.get("orders.placed", 0),
        "orders_created": ledger.counts.get("orders.created", 0),
        "calls": sum(len(books.calls) for books in ledger.books),
        "virtual_minutes": round(ledger.since_start(ledger.ended_us) / SECOND_US / 60, 1),
    }


def _details(ledger: Ledger, night: Night) -> Mapping[str, Json]:
    scenario = ledger.scenario
    return {
        "scenario": scenario.name,
        "seed": night.seed,
        "engine": night.engine,
        "started_at": to_text(scenario.start_us),
        "ended_at": to_text(ledger.ended_us),
        "invariants": list(scenario.invariants),
        "service_levels": measure(ledger),
        "faults_fired": dict(night.faults_fired),
        "happened": dict(ledger.counts),
        "calls": {
            books.system: dict(sorted(Counter(c.outcome for c in books.calls).items()))
            for books in ledger.books
        },
        "trace_digest": night.digest,
    }
