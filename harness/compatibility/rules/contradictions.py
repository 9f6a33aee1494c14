"""The rule of schemas that no value can match: whatever is compared with them proves little."""

from __future__ import annotations

from harness.compatibility.rules.difference import Differences, leaves_open
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.schema_pairs import Meeting
from harness.compatibility.schemas.numbers import Bound, rounded
from harness.compatibility.schemas.shapes import Shape
from harness.compatibility.schemas.side import Side
from harness.model.finding import Category

RULES = (
    Rule(
        "schema-unsatisfiable",
        "No value matches the new schema, so nothing that is said of its values means anything.",
        Category.POLICY,
        "A contradiction that is mended is judged by what the schema says then.",
    ),
)
_SIZES = (
    ("string", "minLength", "maxLength"),
    ("array", "minItems", "maxItems"),
    ("object", "minProperties", "maxProperties"),
)


def changes(meeting: Meeting, old: Side, new: Side) -> Differences:
    """Yield the contradiction that the new schema holds and the old one did not."""
    why = contradiction(new, meeting.new.head)
    if why and not contradiction(old, meeting.old.head):
        yield leaves_open("schema-unsatisfiable", f"No value matches any more: {why}.", new=why)


def contradiction(side: Side, where: str) -> str:
    """Return why no value can match a schema, as far as its own keywords tell; else nothing."""
    shape = side.shape(side.node(where))
    if shape.never:
        return "the schema is false"
    if not shape.types:
        return "its parts name types that exclude each other"
    if shape.enum == []:
        return "its parts list values that exclude each other"
    reasons = [_of_type(shape, kind) for kind in sorted(shape.types)]
    return reasons[0] if all(reasons) else ""


def _of_type(shape: Shape, kind: str) -> str:
    if kind in {"integer", "fraction"}:
        return _range(shape, kind)
    for owner, low, high in _SIZES:
        if kind == owner and shape.floors.get(low, 0) > shape.ceilings.get(high, 1 << 62):
            return f"{low} lies above {high}"
    limit = shape.ceilings.get("maxProperties")
    if kind == "object" and limit is not None and len(shape.required) > limit:
        return "more properties are required than maxProperties allows"
    return ""


def _range(shape: Shape, kind: str) -> str:
    low: Bound | None = shape.low
    high: Bound | None = shape.high
    if kind == "integer":
        low, high = rounded(low, low=True), rounded(high, low=False)
    if low is None or high is None:
        return ""
    if low.value > high.value or (low.value == high.value and (low.exclusive or high.exclusive)):
        return "the least number lies above the greatest"
    return ""
