"""The rules an observed exchange is judged by: the catalogue, and nothing that walks data."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.finding import Severity, Verdict


@dataclass(frozen=True, slots=True)
class ObservedRule:
    """One kind of departure. ``verdict`` is about a consumer that follows the contract."""

    id: str
    verdict: Verdict
    severity: Severity
    why: str
    action: str


_MAP = "Decide what the new value means, add it to the mapping, then accept it in the contract."
_ASK = "Open a vendor case with the evidence; until it is answered set the affected records aside."


def _breaks(rule: str, severity: Severity, why: str, action: str = _ASK) -> ObservedRule:
    return ObservedRule(f"observed-{rule}", Verdict.BREAKING, severity, why, action)


def _tolerated(rule: str, severity: Severity, why: str, action: str) -> ObservedRule:
    return ObservedRule(f"observed-{rule}", Verdict.COMPATIBLE, severity, why, action)


_ALL = (
    _breaks(
        "operation-undocumented",
        Severity.MEDIUM,
        "The contract has no operation for this method and path.",
        "Add the operation to the contract, or stop the caller.",
    ),
    _breaks(
        "status-undocumented",
        Severity.MEDIUM,
        "A client written from the contract has no branch for this status.",
        "Add the status to the contract and decide whether it is retried.",
    ),
    _breaks(
        "media-type-undocumented",
        Severity.MEDIUM,
        "A client picks its parser by content type.",
    ),
    _breaks(
        "header-missing", Severity.MEDIUM, "The contract promises this header with every answer."
    ),
    _breaks("header-invalid", Severity.MEDIUM, "The header's value is outside its schema."),
    _breaks("body-missing", Severity.HIGH, "The contract promises a body and none came."),
    _breaks("body-unreadable", Severity.HIGH, "The body is not what its content type says."),
    _breaks(
        "required-missing",
        Severity.HIGH,
        "A client reads this member without asking whether it is there.",
    ),
    _breaks(
        "null-not-allowed",
        Severity.HIGH,
        "A client that expects a value gets none, which many read as zero or as empty.",
    ),
    _breaks(
        "type-changed",
        Severity.HIGH,
        "A typed client fails to decode the value, an untyped one calculates with it.",
    ),
    _breaks(
        "enum-value-unknown",
        Severity.HIGH,
        "A strict client refuses the whole record; a lenient one picks a default.",
        _MAP,
    ),
    _breaks(
        "format-violated",
        Severity.MEDIUM,
        "A client that parses the declared format fails or misreads the value.",
    ),
    _breaks("pattern-violated", Severity.MEDIUM, "The text has another form than declared."),
    _breaks(
        "value-out-of-range",
        Severity.MEDIUM,
        "A column or a check sized from the contract refuses the number.",
    ),
    _breaks(
        "length-out-of-range",
        Severity.MEDIUM,
        "A column sized from the contract cuts the text off or refuses it.",
    ),
    _breaks(
        "item-count-out-of-range", Severity.MEDIUM, "The list is longer or shorter than declared."
    ),
    _breaks(
        "field-forbidden",
        Severity.MEDIUM,
        "The contract closes this object; a strict client refuses members it does not know.",
        "Add the member to the contract, or open a vendor case.",
    ),
    _breaks("no-alternative-matches", Severity.HIGH, "The value fits none of the declared shapes."),
    _breaks("schema-violated", Severity.MEDIUM, "The value is outside its schema."),
    _tolerated(
        "field-undeclared",
        Severity.LOW,
        "An addition a tolerant client ignores; it often announces a rename or a new rule.",
        "Look whether it replaces a member you map; if not, add it to the contract.",
    ),
)

RULES: dict[str, ObservedRule] = {rule.id: rule for rule in _ALL}
