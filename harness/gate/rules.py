"""What the gate itself can find, beside the differences between two contracts."""

from __future__ import annotations

from harness.compatibility.rules import Rule
from harness.model.finding import Category

_ALONE = "A decision of the gate has no direction and no opposite."

REMOVED = Rule(
    "contract-removed",
    "The whole document is gone, and every operation with it.",
    Category.WIRE_REQUEST,
    mirror="A new document is nobody's yet.",
)
EXPIRED = Rule(
    "accepted-difference-expired",
    "Somebody answered for this difference up to a day that has passed.",
    Category.POLICY,
    mirror=_ALONE,
)
UNMATCHED = Rule(
    "accepted-difference-unmatched",
    "A waiver for nothing would silently cover the next difference of that name.",
    Category.POLICY,
    mirror=_ALONE,
)
BUMP_TOO_SMALL = Rule(
    "version-bump-too-small",
    "Clients read from the version whether they may upgrade without looking.",
    Category.POLICY,
    mirror=_ALONE,
)
BACKWARDS = Rule(
    "version-went-backwards",
    "Whoever orders versions would take the older contract for the newer one.",
    Category.POLICY,
    mirror=_ALONE,
)
NOT_JUDGED = Rule(
    "version-not-judged",
    "The two versions follow no order that is known here, so the bump says nothing.",
    Category.POLICY,
    mirror=_ALONE,
)

RULES = {r.id: r for r in (REMOVED, EXPIRED, UNMATCHED, BUMP_TOO_SMALL, BACKWARDS, NOT_JUDGED)}
