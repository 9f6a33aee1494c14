"""Findings: what everything that judges returns, and the report that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.model.errors import ExitCode, SourceLocation
from harness.model.values import Json


class Verdict(StrEnum):
    """The three answers, and the fourth that is never green."""

    COMPATIBLE = "compatible"
    UNPROVEN = "unproven"
    BREAKING = "breaking"
    NOT_CHECKED = "not_checked"


class Category(StrEnum):
    """What a difference can break; a gate picks categories, not rules."""

    WIRE_REQUEST = "wire-request"
    WIRE_RESPONSE = "wire-response"
    SDK_SOURCE = "sdk-source"
    POLICY = "policy"
    DATA_LOSS = "data-loss"
    DOCS = "docs"


class Direction(StrEnum):
    """Which half of the exchange a finding is about."""

    REQUEST = "request"
    RESPONSE = "response"


class Proof(StrEnum):
    """What stands behind a verdict."""

    WITNESS = "witness"
    STRUCTURE = "structure"
    NONE = "none"


class Severity(StrEnum):
    """By effect on the business, worst first.

    Critical: orders, stock or money wrong or stopped now. High: silent loss, or a refusal dated
    within 30 days. Medium: set aside safely, needs mapping. Low: tolerated. Info: text only.
    """

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Return 0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Witness:
    """A value that one side may write and the other cannot read, and the exchange around it."""

    value: Json
    exchange: Json = None


@dataclass(frozen=True, slots=True)
class Sides:
    """The same thing in the old and in the new document."""

    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the two sides stand in the user's files."""

    old: SourceLocation | None = None
    new: SourceLocation | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, fit to paste into a vendor's case: masked exchange, request id, time."""

    at: str
    request: Json
    response: Json
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a command knows about a finding beyond the difference itself.

    ``account`` is an alias; ``first_seen`` and ``last_seen`` are RFC 3339 in UTC; ``samples`` and
    ``samples_checked`` count exchanges; ``deadline`` is a date.
    """

    system: str | None = None
    api: str | None = None
    environment: str | None = None
    region: str | None = None
    account: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    samples: int | None = None
    samples_checked: int | None = None
    consumers: tuple[str, ...] = ()
    canonical_fields: tuple[str, ...] = ()
    owner: str | None = None
    action: str | None = None
    deadline: str | None = None
    effect: str | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where the cause of a finding shows: an operation, and the field there."""

    operation: str
    field: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A difference somebody answers for until ``expires``, a date in ISO 8601."""

    reason: str
    owner: str
    expires: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference, judged. ``field`` is the path a person reads: ``payload.Orders[].Status``.

    A cause that shows in many places is one finding: ``field`` is its shortest path, and
    ``occurrences`` holds every operation with the shortest path there. One that is not
    ``counted`` lies outside the categories somebody picked: told, and without effect.
    """

    fingerprint: str
    rule: str
    category: Category
    verdict: Verdict
    message: str
    direction: Direction | None = None
    operations: tuple[str, ...] = ()
    pointer: Sides = Sides()
    field: str = ""
    old: Json = None
    new: Json = None
    proof: Proof = Proof.NONE
    witness: Witness | None = None
    severity: Severity | None = None
    reason: str = ""
    places: Places = Places()
    evidence: Evidence | None = None
    context: Context = Context()
    accepted: Accepted | None = None
    counted: bool = True
    occurrences: tuple[Occurrence, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of the design, then what this finding knows beyond it."""
        data: dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "rule": self.rule,
            "category": self.category.value,
            "verdict": self.verdict.value,
            "direction": self.direction.value if self.direction else None,
            "operations": list(self.operations),
            "pointer": {"old": self.pointer.old, "new": self.pointer.new},
            "field": self.field,
            "old": self.old,
            "new": self.new,
            "message": self.message,
            "proof": self.proof.value,
            "witness": None
            if self.witness is None
            else {"value": self.witness.value, "exchange": self.witness.exchange},
        }
        if self.severity:
            data["severity"] = self.severity.value
        if self.reason:
            data["reason"] = self.reason
        for side in ("old", "new"):
            place: SourceLocation | None = getattr(self.places, side)
            if place:
                data.setdefault("places", {})[side] = {
                    "path": place.path,
                    "line": place.line,
                    "column": place.column,
                }
        if self.evidence:
            data["evidence"] = {
                "at": self.evidence.at,
                "request_id": self.evidence.request_id,
                "request": self.evidence.request,
                "response": self.evidence.response,
            }
        if len(self.occurrences) > 1:
            data["occurrences"] = [
                {"operation": o.operation, "field": o.field} for o in self.occurrences
            ]
        if not self.counted:
            data["counted"] = False
        if self.accepted:
            data["accepted"] = {
                "reason": self.accepted.reason,
                "owner": self.accepted.owner,
                "expires": self.accepted.expires,
            }
        for name in Context.__dataclass_fields__:
            value = getattr(self.context, name)
            if value not in (None, ()):
                data[name] = list(value) if isinstance(value, tuple) else value
        return data


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Something that could not be checked, why, and what would help."""

    target: str
    reason: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the three texts by name."""
        return {"target": self.target, "reason": self.reason, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class Report:
    """What one command found: the single value every renderer takes.

    ``command`` is the subcommand (``diff``, ``scan``, ``gate``, ``chaos run``); ``title`` and
    ``headline`` are for people; ``summary`` holds counts; ``details`` holds sections that only
    this command has (a chaos run's service levels, a scan's coverage); ``replay`` is the command
    that produces the report again.
    """

    command: str
    title: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    headline: str = ""
    summary: Mapping[str, Json] = field(default_factory=dict)
    details: Mapping[str, Json] = field(default_factory=dict)
    generated_at: str | None = None
    replay: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the design's object: verdict, findings, summary, then the rest where known."""
        data: dict[str, Any] = {
            "verdict": self.verdict.value,
            "findings": [f.to_json() for f in self.findings],
            "summary": dict(self.summary),
        }
        if self.not_checked:
            data["not_checked"] = [n.to_json() for n in self.not_checked]
        if self.details:
            data["details"] = dict(self.details)
        for name in ("headline", "generated_at", "replay"):
            value = getattr(self, name)
            if value:
                data[name] = value
        return data

    def exit_code(self, fail_on: frozenset[Verdict] = frozenset({Verdict.BREAKING})) -> ExitCode:
        """Return the exit code: a finding at the fail level wins over what was not checked.

        A finding that is accepted or not counted fails nobody.
        """
        if any(f.verdict in fail_on and f.counted and f.accepted is None for f in self.findings):
            return ExitCode.FINDINGS
        if self.not_checked or self.verdict is Verdict.NOT_CHECKED:
            return ExitCode.NOT_CHECKED
        return ExitCode.CLEAN


def overall_verdict(
    findings: tuple[Finding, ...], not_checked: tuple[NotChecked, ...] = ()
) -> Verdict:
    """Return the worst answer: breaking, not checked, unproven, compatible, in that order.

    Accepted findings do not count: somebody answers for them by name.
    """
    verdicts = {f.verdict for f in findings if f.counted and f.accepted is None}
    if Verdict.BREAKING in verdicts:
        return Verdict.BREAKING
    if not_checked or Verdict.NOT_CHECKED in verdicts:
        return Verdict.NOT_CHECKED
    if Verdict.UNPROVEN in verdicts:
        return Verdict.UNPROVEN
    return Verdict.COMPATIBLE
