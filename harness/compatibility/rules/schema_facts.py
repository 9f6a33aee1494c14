"""What is asked of two schemas that meet: defaults, flags, words, and contradictions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.compatibility.exchanges.discriminators import discriminator_changes
from harness.compatibility.exchanges.pairing import Structural
from harness.compatibility.rules import (
    contradictions,
    defaults,
    documentation,
    flags,
    lifecycle,
    open_enums,
    source_names,
)
from harness.compatibility.rules.difference import Difference
from harness.compatibility.rules.schema_pairs import Meeting
from harness.compatibility.rules.sunsets import Calendar
from harness.compatibility.schemas.side import Side
from harness.model.contract import Contract
from harness.model.finding import Direction, Sides, Verdict

# Rules that are about one half of the exchange, whatever the meeting reaches beside it.
_SIDES = {"request": Direction.REQUEST, "response": Direction.RESPONSE}


class SchemaFacts:
    """Asks the rules about pairs of schemas; the same words are told once."""

    def __init__(
        self, old: Contract, new: Contract, calendar: Calendar, *, parameters: frozenset[str]
    ) -> None:
        """Take the contracts, and the pointers of parameters, whose words are told already."""
        self._contracts = (old, new)
        self._sides = (_plain_side(old), _plain_side(new))
        self._calendar = calendar
        self._parameters = parameters
        self._told: set[tuple[str, str, str, str]] = set()
        self._tagged: set[tuple[str, str, bool]] = set()

    def of(self, meeting: Meeting) -> Iterator[Structural]:
        """Yield what differs where two schemas meet, once for each operation that gets there."""
        for found in self._asked(meeting):
            where = Sides(
                meeting.old.origin(found.keyword) if found.keyword else meeting.old.head,
                meeting.new.origin(found.keyword) if found.keyword else meeting.new.head,
            )
            key = (found.rule, str(where.old), str(where.new), found.message)
            if found.keyword and key in self._told:
                continue
            self._told.add(key)
            yield from _everywhere(meeting, found, where)
        yield from self._tags(meeting)

    def _tags(self, meeting: Meeting) -> Iterator[Structural]:
        """Yield what became of the discriminator, for each half of the exchange."""
        old, new = (side.origin("discriminator") for side in (meeting.old, meeting.new))
        for request, reached in ((True, meeting.asked), (False, meeting.answered)):
            if not reached or (old, new, request) in self._tagged:
                continue
            self._tagged.add((old, new, request))
            for item in discriminator_changes(*self._contracts, old, new, request=request):
                for operation in meeting.operations:
                    yield replace(item, operation=operation, field=meeting.field)

    def _asked(self, meeting: Meeting) -> Iterator[Difference]:
        yield from defaults.changes(meeting)
        yield from flags.changes(meeting)
        yield from open_enums.changes(meeting)
        yield from source_names.schema_changes(meeting)
        yield from contradictions.changes(meeting, *self._sides)
        if meeting.old.head not in self._parameters:
            old, new = meeting.old.words, meeting.new.words
            yield from lifecycle.changes("schema", old, new, self._calendar)
            yield from documentation.schema_changes(meeting)
        yield from self._lost(meeting)

    def _lost(self, meeting: Meeting) -> Iterator[Difference]:
        there = meeting.new.names
        for name in meeting.old.names:
            if name not in there:
                words = meeting.old.member(name).words
                what = f"The property {name}"
                yield from lifecycle.removal(words, self._calendar, what, noted=False)


def _plain_side(contract: Contract) -> Side:
    return Side(contract.schemas, dropped="", writer=False, closed=False)


def _everywhere(meeting: Meeting, found: Difference, where: Sides) -> Iterator[Structural]:
    direction = _SIDES.get(found.rule.partition("-")[0])
    if direction is None and meeting.asked != meeting.answered:
        direction = Direction.REQUEST if meeting.asked else Direction.RESPONSE
    for operation in meeting.operations:
        yield Structural(
            found.rule,
            found.verdict,
            operation,
            f"{meeting.field or 'body'}: {found.message[0].lower()}{found.message[1:]}",
            direction,
            field=meeting.field,
            old=found.old,
            new=found.new,
            pointer=where,
            reason=found.message.rstrip(".") if found.verdict is Verdict.UNPROVEN else "",
        )
