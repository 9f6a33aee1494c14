"""From a breach seen in the books to the finding a reader gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.chaos.ledger import Ledger
from harness.model.finding import (
    Category,
    Context,
    Evidence,
    Finding,
    Proof,
    Severity,
    Verdict,
    Witness,
)
from harness.model.instants import to_text
from harness.model.values import Json, fingerprint

_SAMPLES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Breach:
    """One broken promise on one system, with what the books show."""

    system: str
    message: str
    samples: Sequence[Json]
    checked: int
    at_us: int
    request_id: str | None = None
    operations: tuple[str, ...] = ()
    effect: str = ""


def to_finding(
    ledger: Ledger, rule: str, breach: Breach, category: Category, severity: Severity
) -> Finding:
    """Word a breach as a finding; the first few samples travel as evidence."""
    shown = list(breach.samples[:_SAMPLES_SHOWN])
    return Finding(
        fingerprint=fingerprint("chaos", ledger.scenario.name, rule, breach.system),
        rule=rule,
        category=category,
        verdict=Verdict.BREAKING,
        message=breach.message,
        operations=breach.operations,
        proof=Proof.WITNESS if shown else Proof.STRUCTURE,
        witness=Witness(shown[0]) if shown else None,
        severity=severity,
        evidence=Evidence(
            at=to_text(breach.at_us),
            request=None,
            response={"books": shown, "replay": ledger.replay},
            request_id=breach.request_id,
        ),
        context=Context(
            system=breach.system,
            samples=len(breach.samples),
            samples_checked=breach.checked,
            effect=breach.effect or None,
            action=f"Replay with: {ledger.replay}" if ledger.replay else None,
        ),
    )
