"""What is scanned, how much of it, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.model.finding import Finding, NotChecked, Report, Severity, Verdict, overall_verdict
from harness.model.instants import to_text
from harness.model.ports import Credentials
from harness.model.values import JsonObject


@dataclass(frozen=True, slots=True)
class ScanTarget:
    """One API of one system as one account sees it.

    ``system`` and ``behaviour`` are the parsed metadata files, ``mapping`` binds fields to
    canonical ones, ``known`` gives parameter values that exist (``marketplaceIds``).
    """

    name: str
    api: str
    credentials: Credentials
    behaviour: JsonObject = field(default_factory=dict)
    system: JsonObject = field(default_factory=dict)
    mapping: JsonObject | None = None
    environment: str | None = None
    region: str | None = None
    account: str | None = None
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def scope(self) -> tuple[str, str, str, str, str]:
        """Return what keeps findings of different accounts and regions apart in the store."""
        return (
            self.name,
            self.api,
            self.environment or "",
            self.region or "",
            self.account or "",
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a scan may ask: ``samples`` calls per operation, quotas permitting.

    ``operations`` names the only ones to call; nothing named means every reading one.
    """

    samples: int = 6
    timeout_s: float = 30.0
    operations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """What happened to one operation. ``checked`` needs one judged answer of success."""

    operation: str
    planned: int
    sent: int
    judged: int
    succeeded: int
    statuses: Mapping[int, int]
    note: str = ""

    @property
    def checked(self) -> bool:
        """Say whether the shape of a success was judged at least once."""
        return self.succeeded > 0

    def to_json(self) -> dict[str, Any]:
        """Return the coverage row of a report."""
        row: dict[str, Any] = {
            "operation": self.operation,
            "planned": self.planned,
            "sent": self.sent,
            "judged": self.judged,
            "checked": self.checked,
            "statuses": {str(k): v for k, v in sorted(self.statuses.items())},
        }
        if self.note:
            row["note"] = self.note
        return row


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one scan found and how far it got."""

    target: ScanTarget
    contract: str
    contract_version: str
    started_us: int
    finished_us: int
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    coverage: tuple[OperationCoverage, ...]

    @property
    def verdict(self) -> Verdict:
        """Return the worst answer."""
        return overall_verdict(self.findings, self.not_checked)

    def report(
        self, *, replay: str | None = None, findings: tuple[Finding, ...] | None = None
    ) -> Report:
        """Return the report; ``findings`` are the remembered ones when a store was asked."""
        shown = self.findings if findings is None else findings
        checked = sum(c.checked for c in self.coverage)
        target = self.target
        return Report(
            command="scan",
            title=f"Drift scan of {target.name} {target.api}",
            verdict=self.verdict,
            findings=shown,
            not_checked=self.not_checked,
            headline=self._headline(shown, checked),
            summary={
                **{v.value: sum(f.verdict is v for f in shown) for v in _COUNTED},
                "operations_planned": len(self.coverage),
                "operations_checked": checked,
                "operations_not_checked": len(self.coverage) - checked,
                "samples": sum(c.sent for c in self.coverage),
            },
            details={
                "target": {
                    "system": target.name,
                    "api": target.api,
                    "environment": target.environment,
                    "region": target.region,
                    "account": target.account,
                    "contract": self.contract,
                    "contract_version": self.contract_version,
                },
                "coverage": [c.to_json() for c in self.coverage],
            },
            generated_at=to_text(self.finished_us),
            replay=replay,
        )

    def _headline(self, shown: tuple[Finding, ...], checked: int) -> str:
        api = f"{self.target.name} {self.target.api}"
        breaking = [f for f in shown if f.verdict is Verdict.BREAKING]
        reach = f"{checked} of {len(self.coverage)} reading operations were checked"
        if breaking:
            worst = min((f.severity or Severity.INFO for f in breaking), key=lambda s: s.rank)
            many = "s" if len(breaking) > 1 else ""
            return (
                f"{api} no longer keeps its contract: {len(breaking)} breaking difference{many}, "
                f"worst {worst.value}; {reach}."
            )
        if not checked:
            return f"{api} could not be checked; nothing is known about drift."
        if self.not_checked:
            return f"Where it was checked, {api} keeps its contract; {reach}."
        return f"{api} keeps its contract; {reach}."


_COUNTED = (Verdict.BREAKING, Verdict.UNPROVEN, Verdict.COMPATIBLE)
