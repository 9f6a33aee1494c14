"""What is asked of two operations that meet, beside their schemas: words and promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.compatibility.exchanges.pairing import Structural
from harness.compatibility.exchanges.paths import renamed_placeholders
from harness.compatibility.rules import documentation, lifecycle, source_names
from harness.compatibility.rules.difference import Difference
from harness.compatibility.rules.sunsets import Calendar
from harness.model.contract import Contract, Operation, Parameter
from harness.model.finding import Direction, Sides
from harness.model.values import JsonObject, resolve_pointer

Shared = tuple[Parameter | None, Parameter | None]


def words_at(contract: Contract, where: str) -> JsonObject:
    """Return the object at a pointer as it stands in the file; an empty one when there is none."""
    try:
        found = resolve_pointer(contract.document, where)
    except (LookupError, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}


def parameter_pairs(before: Operation, after: Operation) -> Iterator[Shared]:
    """Yield the parameters of an old operation, each with the one that takes its place."""
    renamed = renamed_placeholders(before, after)
    there = {_key(p): p for p in after.parameters}
    for parameter in before.parameters:
        place, name = _key(parameter)
        yield parameter, there.get((place, renamed.get(name, name) if place == "path" else name))


def _key(parameter: Parameter) -> tuple[str, str]:
    place, name = parameter.location.value, parameter.name
    return place, name.lower() if place == "header" else name


class OperationFacts:
    """Asks the rules about the operations of two contracts."""

    def __init__(self, old: Contract, new: Contract, calendar: Calendar) -> None:
        """Measure dates against ``calendar``."""
        self.old, self.new, self.calendar = old, new, calendar

    def of_document(self) -> Iterator[Structural]:
        """Yield what is said of the API as a whole."""
        for found, place, old, new in documentation.document_changes(self.old, self.new):
            yield _told(found, "", Sides(old, new), place)
        before, after = (self._api(c) for c in (self.old, self.new))
        for found in lifecycle.changes("api", before, after, self.calendar):
            yield _told(found, "", Sides("/info", "/info"), "info")

    def _api(self, contract: Contract) -> JsonObject:
        return {**contract.document, **words_at(contract, "/info")}

    def of_pair(self, before: Operation, after: Operation) -> Iterator[Structural]:
        """Yield what differs between two operations that meet."""
        old, new = words_at(self.old, before.pointer), words_at(self.new, after.pointer)
        where = Sides(before.pointer, after.pointer)
        for found in (
            *lifecycle.changes("operation", old, new, self.calendar, told=True),
            *source_names.operation_changes(before, after, old, new),
            *documentation.text_changes("operation", old, new),
        ):
            yield _told(found, before.label, where)
        yield from self._parameters(before, after)
        yield from self._responses(before, after)

    def _parameters(self, before: Operation, after: Operation) -> Iterator[Structural]:
        for old, new in parameter_pairs(before, after):
            if old is None:
                continue
            place = f"{old.location.value}.{old.name}"
            words = words_at(self.old, old.pointer)
            if new is None:
                if place.startswith("path."):
                    continue
                where = Sides(old.pointer, after.pointer)
                found = list(lifecycle.removal(words, self.calendar, f"The parameter {old.name}"))
            else:
                where = Sides(old.pointer, new.pointer)
                other = words_at(self.new, new.pointer)
                found = [
                    *lifecycle.changes("parameter", words, other, self.calendar),
                    *documentation.text_changes("parameter", words, other),
                ]
            for one in found:
                yield _told(one, before.label, where, place, Direction.REQUEST)

    def _responses(self, before: Operation, after: Operation) -> Iterator[Structural]:
        there = {r.status.upper(): r for r in after.responses}
        for old in before.responses:
            new = there.get(old.status.upper())
            if new is None:
                continue
            words, other = words_at(self.old, old.pointer), words_at(self.new, new.pointer)
            for found in documentation.text_changes("response", words, other):
                where = Sides(old.pointer, new.pointer)
                yield _told(found, before.label, where, f"status.{old.status}", Direction.RESPONSE)

    def of_removed(self, lost: Operation) -> Iterator[Structural]:
        """Yield what is to be said of the announcement of an operation that is gone."""
        words = words_at(self.old, lost.pointer)
        for found in lifecycle.removal(words, self.calendar, lost.label):
            yield _told(found, lost.label, Sides(lost.pointer))


def _told(
    found: Difference,
    operation: str,
    where: Sides,
    place: str = "",
    direction: Direction | None = None,
) -> Structural:
    return Structural(
        found.rule,
        found.verdict,
        operation,
        found.message,
        direction,
        field=place,
        old=found.old,
        new=found.new,
        pointer=where,
        reason=found.message.rstrip(".") if found.verdict.value == "unproven" else "",
    )
