"""Parameters of one operation: what must be sent now, what is not read, what is written otherwise.

Names of header parameters have no case; path parameters are matched by position; a parameter that
moved to another place is one gone and one new.
"""

from __future__ import annotations

from functools import partial

from harness.compatibility.exchanges.calls import Calls, place_of
from harness.compatibility.exchanges.pairing import Walk
from harness.compatibility.exchanges.paths import literal_values, renamed_placeholders
from harness.compatibility.exchanges.spellings import (
    UNDECIDED,
    Answer,
    Spoken,
    judge_spelling,
)
from harness.compatibility.exchanges.wire import Spelling, query_text, spelling_of
from harness.compatibility.schemas.algebra import compiled
from harness.compatibility.schemas.side import Side
from harness.model.contract import Contract, Operation, Parameter, ParameterLocation
from harness.model.finding import Direction, Sides
from harness.model.values import Json

PATH = ParameterLocation.PATH


class Parameters:
    """The parameters of one operation that callers send, in both contracts."""

    def __init__(
        self,
        walk: Walk,
        contracts: tuple[Contract, Contract],
        pair: tuple[Operation, Operation],
        calls: Calls,
    ) -> None:
        """Collect into ``walk``; ``calls`` makes requests of the old contract."""
        self.walk, self.calls = walk, calls
        self.old, self.new = contracts
        self.before, self.after = pair
        self.label = self.before.label

    def compare(self) -> None:
        """Collect every difference of the parameters."""
        renamed = renamed_placeholders(self.before, self.after)
        new = {_key(p): p for p in self.after.parameters}
        for parameter in self.before.parameters:
            place, name = _key(parameter)
            other = new.pop((place, renamed.get(name, name) if place == "path" else name), None)
            if other is not None:
                self._both(parameter, other)
            elif parameter.location is not PATH:
                self._removed(parameter)
        literals = literal_values(self.after, self.before) if new else {}
        for parameter in new.values():
            if parameter.location is not PATH:
                self._added(parameter)
            elif parameter.name in literals:
                self._literal(parameter, literals[parameter.name])

    def _removed(self, parameter: Parameter) -> None:
        self.walk.breaks(
            "request-parameter-removed",
            self.label,
            f"The {parameter.location.value} parameter {parameter.name} is not read any more.",
            direction=Direction.REQUEST,
            field=place_of(parameter),
            old=parameter.name,
            pointer=Sides(parameter.pointer, self.after.pointer),
            exchange=self.calls.call(self.before, sending=(place_of(parameter),)),
        )

    def _added(self, parameter: Parameter) -> None:
        facts = {
            "direction": Direction.REQUEST,
            "field": place_of(parameter),
            "new": parameter.name,
            "pointer": Sides(self.before.pointer, parameter.pointer),
        }
        kind = f"The {parameter.location.value} parameter {parameter.name}"
        if parameter.required:
            self.walk.breaks(
                "request-parameter-added-required",
                self.label,
                f"{kind} must be sent now.",
                exchange=self.calls.call(self.before),
                **facts,
            )
        else:
            self.walk.notes(
                "request-parameter-added",
                self.label,
                f"{kind} is new; it may be left out.",
                **facts,
            )

    def _literal(self, parameter: Parameter, segment: str) -> None:
        """A piece of the old path is a value of this parameter now: it has to be accepted."""
        side = Side(self.new.schemas, dropped="readOnly", writer=False, closed=False)
        takes = compiled(side, side.node(parameter.schema))
        if takes is not None and not takes(segment):
            self.walk.breaks(
                "request-path-literal-refused",
                self.label,
                f"{segment!r} in the path is a value of {parameter.name} now, and is refused.",
                direction=Direction.REQUEST,
                field=place_of(parameter),
                old=segment,
                pointer=Sides(self.before.pointer, parameter.pointer),
                exchange=self.calls.call(self.before),
            )

    def _both(self, old: Parameter, new: Parameter) -> None:
        place = place_of(old)
        facts = {
            "direction": Direction.REQUEST,
            "field": place,
            "pointer": Sides(old.pointer, new.pointer),
        }
        if new.required and not old.required and old.location is not PATH:
            self.walk.breaks(
                "request-parameter-became-required",
                self.label,
                f"The {old.location.value} parameter {old.name} must be sent now.",
                old=False,
                new=True,
                exchange=self.calls.call(self.before),
                **facts,
            )
        if old.allow_empty and not new.allow_empty:
            self._empty(old, new, facts)
        if old.allow_reserved != new.allow_reserved:
            self._reserved(old, new, facts)
        if self._written_alike(old, new, facts):
            wire = "" if new.media_type else ("exploded" if old.explode else "text")
            self.walk.asks(
                self.label,
                (old.schema, new.schema),
                "parameter",
                request=True,
                place=place,
                wire=wire,
                exchange=partial(self._exchange, place),
            )

    def _exchange(self, place: str, value: Json) -> dict[str, Json]:
        return self.calls.call(self.before, values={place: value})

    def _written_alike(self, old: Parameter, new: Parameter, facts: dict[str, Json]) -> bool:
        mine, theirs = spelling_of(old), spelling_of(new)
        if _same_spelling(mine, theirs) and (mine.style != "matrix" or old.name == new.name):
            return True
        judged = judge_spelling(
            Spoken(self.old, old.schema, old.name, mine),
            Spoken(self.new, new.schema, new.name, theirs),
        )
        if judged.answer is Answer.SAME:
            return True
        message = f"The {old.location.value} parameter {old.name} is written otherwise now."
        facts = {**facts, "old": mine.words, "new": theirs.words}
        rule = "request-parameter-style-changed"
        if judged.answer is Answer.OTHER:
            exchange = self._exchange(place_of(old), judged.value)
            self.walk.breaks(
                rule, self.label, message, exchange=exchange, value=judged.value, **facts
            )
        else:
            self.walk.doubts(rule, self.label, message, UNDECIDED, **facts)
        return False

    def _empty(self, old: Parameter, new: Parameter, facts: dict[str, Json]) -> None:
        """Nothing behind the name was allowed; now the empty text has to fit the schema."""
        side = Side(self.new.schemas, dropped="readOnly", writer=False, closed=False)
        takes = compiled(side, side.node(new.schema))
        if takes is None or takes("") or takes([""]):
            return
        self.walk.breaks(
            "request-parameter-empty-refused",
            self.label,
            f"The query parameter {old.name} may not be sent without a value any more.",
            old=True,
            new=False,
            exchange=self.calls.call(self.before, raw_query=query_text(((old.name, ""),))),
            **facts,
        )

    def _reserved(self, old: Parameter, new: Parameter, facts: dict[str, Json]) -> None:
        """Reserved characters decode alike either way, so this is told and not judged."""
        self.walk.notes(
            "request-parameter-reserved-changed",
            self.label,
            f"Reserved characters in {old.name} are "
            f"{'sent as they are' if new.allow_reserved else 'percent-encoded'} now.",
            old=old.allow_reserved,
            new=new.allow_reserved,
            **facts,
        )


def _same_spelling(mine: Spelling, theirs: Spelling) -> bool:
    return (mine.style, mine.explode, mine.json) == (theirs.style, theirs.explode, theirs.json)


def _key(parameter: Parameter) -> tuple[str, str]:
    name = parameter.name
    location = parameter.location.value
    return location, name.lower() if location == "header" else name
