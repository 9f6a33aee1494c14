"""Rules of defaults: what a value that is left out stands for.

A changed default of a request breaks, although every old call is still accepted: both documents
say expressly what a call that leaves the value out means, and they say different things. Where only
one of them says anything, nobody can tell whether the meaning changed or was only written down, so
that is a note. The default of an answer tells a reader what it may assume; what travels is told by
the other rules, so that is a note as well.
"""

from __future__ import annotations

from harness.compatibility.rules.difference import Difference, Differences, breaks, differ, notes
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.schema_pairs import Meeting
from harness.model.finding import Category
from harness.model.values import canonical_json

_P = Category.POLICY

RULES = (
    Rule(
        "request-default-changed",
        "Old calls that leave the value out now mean something else.",
        _P,
        "response-default-changed",
    ),
    Rule(
        "request-default-added",
        "It is now written down what a call means that leaves the value out.",
        _P,
        "request-default-removed",
    ),
    Rule(
        "request-default-removed",
        "It is no longer written down what a call means that leaves the value out.",
        _P,
        "request-default-added",
    ),
    Rule(
        "response-default-changed",
        "Readers that fill in the default assume something else now.",
        _P,
        "request-default-changed",
    ),
    Rule(
        "response-default-added",
        "Readers are now told what to assume when the value is missing.",
        _P,
        "response-default-removed",
    ),
    Rule(
        "response-default-removed",
        "Readers are no longer told what to assume when the value is missing.",
        _P,
        "response-default-added",
    ),
)


def changes(meeting: Meeting) -> Differences:
    """Yield what became of the default, once for requests and once for answers."""
    old, new = meeting.old.words, meeting.new.words
    if "default" not in old and "default" not in new:
        return
    if ("default" in old) == ("default" in new) and not differ(old["default"], new["default"]):
        return
    if meeting.asked and meeting.optional:
        yield _change(meeting, "request")
    if meeting.answered:
        yield _change(meeting, "response")


def _change(meeting: Meeting, side: str) -> Difference:
    old, new = meeting.old.words, meeting.new.words
    if "default" not in old:
        text = f"Left out, it stands for {_shown(new['default'])} now."
        return notes(f"{side}-default-added", text, new=new["default"], keyword="default")
    if "default" not in new:
        text = f"Left out, it stood for {_shown(old['default'])}; now nothing is said."
        return notes(f"{side}-default-removed", text, old=old["default"], keyword="default")
    text = f"Left out, it stands for {_shown(new['default'])} now, not {_shown(old['default'])}."
    make = breaks if side == "request" else notes
    return make(
        f"{side}-default-changed", text, old=old["default"], new=new["default"], keyword="default"
    )


def _shown(value: object) -> str:
    text = canonical_json(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
