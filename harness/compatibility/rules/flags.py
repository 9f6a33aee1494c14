"""Rules of ``readOnly`` and ``writeOnly``: who may still send a value, and who never could."""

from __future__ import annotations

from harness.compatibility.rules.difference import Differences, breaks, notes
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.schema_pairs import Meeting
from harness.model.finding import Category

_P, _L = Category.POLICY, Category.DATA_LOSS

RULES = (
    Rule(
        "request-property-became-read-only",
        "What is sent is no longer taken over.",
        _L,
        "request-property-no-longer-read-only",
    ),
    Rule(
        "request-property-no-longer-read-only",
        "The value may be sent now and is taken over.",
        _P,
        "request-property-became-read-only",
    ),
    Rule(
        "response-property-became-write-only",
        "The value is no longer sent.",
        _L,
        "response-property-no-longer-write-only",
    ),
    Rule(
        "response-property-no-longer-write-only",
        "The value may be sent in answers now.",
        _P,
        "response-property-became-write-only",
    ),
    Rule(
        "read-only-without-effect",
        "A value that only answers may carry stands where there are only requests.",
        _P,
        "write-only-without-effect",
    ),
    Rule(
        "write-only-without-effect",
        "A value that only requests may carry stands where there are only answers.",
        _P,
        "read-only-without-effect",
    ),
)
_SIDES = (
    ("readOnly", "read-only", "request"),
    ("writeOnly", "write-only", "response"),
)


def changes(meeting: Meeting) -> Differences:
    """Yield what became of the two flags."""
    for keyword, name, side in _SIDES:
        was, now = (v.words.get(keyword) is True for v in (meeting.old, meeting.new))
        reached = meeting.asked if side == "request" else meeting.answered
        elsewhere = meeting.answered if side == "request" else meeting.asked
        if was == now or not reached:
            continue
        if not now:
            yield notes(
                f"{side}-property-no-longer-{name}",
                f"{keyword} does not hold any more.",
                old=True,
                new=False,
                keyword=keyword,
            )
            continue
        yield breaks(
            f"{side}-property-became-{name}",
            f"{keyword} holds now: no {side} carries the value any more.",
            old=False,
            new=True,
            keyword=keyword,
        )
        if not elsewhere:
            yield notes(
                f"{name}-without-effect",
                f"{keyword} holds now, and only {side}s reach the value: it never travels.",
                new=True,
                keyword=keyword,
            )
