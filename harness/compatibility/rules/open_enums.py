"""Rules of open enumerations: lists that were declared to grow.

``x-extensible-enum`` with a list, or set to true beside ``enum``, says that more values may come;
so does ``modelAsString`` of ``x-ms-enum``. A reader of such a contract was told to expect values
it does not know, so a new value in an answer breaks no promise. What a request may send is another
matter: there the list says what is understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.compatibility.rules.difference import Differences, breaks, notes
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.schema_pairs import Meeting
from harness.compatibility.schemas.keywords import same_value
from harness.model.finding import Category
from harness.model.values import Json

_P = Category.POLICY
KEYWORD = "x-extensible-enum"
DECLARED_OPEN = (
    "the old contract declared the list open: readers must expect values they do not know"
)

RULES = (
    Rule(
        "request-extensible-enum-value-removed",
        "A value that old calls send is not understood any more.",
        _P,
        "response-extensible-enum-value-removed",
    ),
    Rule(
        "request-extensible-enum-value-added",
        "One more value is understood.",
        _P,
        "request-extensible-enum-value-removed",
    ),
    Rule(
        "response-extensible-enum-value-removed",
        "A value is not listed any more; readers had to expect others anyway.",
        _P,
        "request-extensible-enum-value-removed",
    ),
    Rule(
        "response-extensible-enum-value-added",
        "A value was added to a list that readers were told may grow.",
        _P,
        "response-extensible-enum-value-removed",
    ),
)


def declared_open(schema: Json) -> bool:
    """Say whether a schema tells its readers that its list of values may grow."""
    if not isinstance(schema, Mapping):
        return False
    declared = schema.get(KEYWORD)
    if declared is True or isinstance(declared, list):
        return True
    hint = schema.get("x-ms-enum")
    return isinstance(hint, Mapping) and hint.get("modelAsString") is True


def changes(meeting: Meeting) -> Differences:
    """Yield values that came to an open list or left it."""
    old, new = _listed(meeting.old.words), _listed(meeting.new.words)
    if old is None or new is None:
        return
    gone = [v for key, v in old.items() if key not in new]
    came = [v for key, v in new.items() if key not in old]
    for reached, side in ((meeting.asked, "request"), (meeting.answered, "response")):
        if not reached:
            continue
        make = breaks if side == "request" else notes
        for value in gone:
            yield make(
                f"{side}-extensible-enum-value-removed",
                f"The open list does not name {same_value(value)} any more.",
                old=value,
                keyword=KEYWORD,
            )
        for value in came:
            yield notes(
                f"{side}-extensible-enum-value-added",
                f"The open list names {same_value(value)} now.",
                new=value,
                keyword=KEYWORD,
            )


def _listed(words: Mapping[str, Any]) -> dict[str, Json] | None:
    values = words.get(KEYWORD)
    return {same_value(v): v for v in values} if isinstance(values, list) else None
