"""Webhooks and callbacks: the provider writes the request, the consumer the answer.

So what is sent must stay within what old receivers read, and what old receivers answer must stay
within what the provider takes. Nothing is negotiated here: a further media type is a surprise.
"""

from __future__ import annotations

from functools import partial

from harness.compatibility.exchanges.calls import Calls, place_of
from harness.compatibility.exchanges.media import is_form, media_pairs, takes
from harness.compatibility.exchanges.pairing import Walk
from harness.compatibility.exchanges.statuses import Answering, Meeting, meetings, number_for
from harness.compatibility.exchanges.wire import spelling_of
from harness.compatibility.schemas.side import Side
from harness.model.contract import Contract, MediaType, Operation, Parameter, RequestBody, Response
from harness.model.finding import Direction, Sides
from harness.model.values import Json


class Incoming:
    """One webhook or callback in both contracts."""

    def __init__(
        self,
        walk: Walk,
        contracts: tuple[Contract, Contract],
        pair: tuple[Operation, Operation],
        calls: tuple[Calls, Calls],
    ) -> None:
        """Collect into ``walk``; ``calls`` make the exchanges of the old and the new contract."""
        self.walk, self.contracts = walk, contracts
        self.before, self.after = pair
        self.old_calls, self.new_calls = calls
        self.label = self.before.label

    def compare(self) -> None:
        """Collect every difference."""
        self._parameters()
        self._body()
        self._answers()

    def _parameters(self) -> None:
        new = {_key(p): p for p in self.after.parameters}
        for parameter in self.before.parameters:
            other = new.get(_key(parameter))
            facts = {
                "direction": Direction.RESPONSE,
                "field": place_of(parameter),
                "old": parameter.name,
                "pointer": Sides(parameter.pointer, (other or self.after).pointer),
            }
            kind = f"The {parameter.location.value} parameter {parameter.name}"
            if other is not None:
                self._both(parameter, other, facts)
            elif parameter.required:
                self.walk.breaks(
                    "webhook-parameter-removed",
                    self.label,
                    f"{kind} was always sent; it is gone.",
                    exchange=self.old_calls.call(self.before),
                    **facts,
                )
            else:
                text = f"{kind} is not sent any more."
                self.walk.notes("webhook-parameter-removed", self.label, text, **facts)

    def _both(self, old: Parameter, new: Parameter, facts: dict[str, Json]) -> None:
        if old.required and not new.required:
            self.walk.breaks(
                "webhook-parameter-became-optional",
                self.label,
                f"The {old.location.value} parameter {old.name} may be missing now.",
                exchange=self.new_calls.call(self.after),
                **facts,
            )
        before, after = spelling_of(old), spelling_of(new)
        if before.words != after.words and (before.json != after.json or self._composite(old, new)):
            self.walk.doubts(
                "webhook-parameter-style-changed",
                self.label,
                f"The {old.location.value} parameter {old.name} is spelled otherwise now.",
                "what a receiver makes of the other spelling is not decided for events",
                **{**facts, "old": before.words, "new": after.words},
            )
        if before.json == after.json:
            wire = "" if new.media_type else ("exploded" if new.explode else "text")
            self.walk.asks(
                self.label,
                (old.schema, new.schema),
                "parameter",
                request=False,
                place=place_of(old),
                wire=wire,
                exchange=partial(self._event_with, place_of(new)),
            )

    def _composite(self, old: Parameter, new: Parameter) -> bool:
        """Say whether lists or objects may travel, whose spelling shows; a single value's does not.

        A parameter of which nothing is said may hold them too.
        """
        return any(
            _types(contract, parameter.schema) & {"array", "object"}
            for contract, parameter in zip(self.contracts, (old, new), strict=True)
        )

    def _body(self) -> None:
        old, new = self.before.request_body, self.after.request_body
        if old is None or not old.content:
            return
        facts = {
            "direction": Direction.RESPONSE,
            "pointer": Sides(old.pointer, (new or self.after).pointer),
        }
        if new is None or not new.content:
            self.walk.breaks(
                "webhook-body-removed",
                self.label,
                "The event has no body any more.",
                exchange=self.old_calls.call(self.before, media=old.content[0]),
                **facts,
            )
            return
        if old.required and not new.required:
            self.walk.breaks(
                "webhook-body-became-optional",
                self.label,
                "The event always had a body; it may come without one now.",
                exchange=self._bare(),
                **facts,
            )
        self._sent_types(old, new, facts)

    def _sent_types(self, old: RequestBody, new: RequestBody, facts: dict[str, Json]) -> None:
        for mine, theirs in media_pairs(new.content, old.content):
            if theirs is None or not takes(theirs.name, mine.name):
                self.walk.breaks(
                    "webhook-media-type-added",
                    self.label,
                    f"Events may come as {mine.name} now, which old receivers do not read.",
                    old=[m.name for m in old.content],
                    new=mine.name,
                    exchange=self.new_calls.call(self.after, media=mine),
                    **facts,
                )
            if theirs is not None:
                wire = "form" if is_form(mine.name) else ""
                self.walk.asks(
                    self.label,
                    (theirs.schema, mine.schema),
                    "body",
                    request=False,
                    wire=wire,
                    exchange=partial(self._event, mine),
                )

    def _event_with(self, place: str, value: Json) -> dict[str, Json]:
        return self.new_calls.call(self.after, values={place: value})

    def _event(self, media: MediaType, value: Json) -> dict[str, Json]:
        return self.new_calls.call(self.after, media=media, body=value)

    def _bare(self) -> dict[str, Json]:
        return self.new_calls.call(self.after)

    def _answers(self) -> None:
        old, new = Answering(self.before.responses), Answering(self.after.responses)
        together = meetings(old, new)
        kept = {id(m.old) for m in together}
        for response in self.before.responses:
            if id(response) not in kept:
                self._status_gone(response, old)
        for meeting in together:
            self._answer(meeting)

    def _status_gone(self, response: Response, answering: Answering) -> None:
        facts = {
            "direction": Direction.REQUEST,
            "field": f"status.{response.status}",
            "old": response.status,
            "new": [r.status for r in self.after.responses],
            "pointer": Sides(response.pointer, self.after.pointer),
        }
        text = f"The receiver's answer {response.status} is not taken any more."
        if answering.is_success(response):
            status = number_for(response, answering)
            exchange = self._answered(response, status)
            rule = "webhook-answer-status-removed"
            self.walk.breaks(rule, self.label, text, exchange=exchange, **facts)
        else:
            self.walk.notes("webhook-answer-status-removed", self.label, text, **facts)

    def _answer(self, meeting: Meeting) -> None:
        old, new = meeting.old, meeting.new
        facts = {
            "direction": Direction.REQUEST,
            "field": f"status.{old.status}",
            "pointer": Sides(old.pointer, new.pointer),
        }
        exchange = partial(self._answered, old, meeting.status)
        if new.content and not old.content:
            self.walk.breaks(
                "webhook-answer-body-added",
                self.label,
                f"The receiver's answer {old.status} must have a body now.",
                exchange=exchange(),
                **facts,
            )
        for mine, theirs in media_pairs(old.content, new.content):
            if theirs is not None:
                self.walk.asks(
                    self.label,
                    (mine.schema, theirs.schema),
                    "body",
                    request=True,
                    exchange=partial(self._answered_with, meeting, mine),
                )
            if new.content and (theirs is None or not takes(theirs.name, mine.name)):
                self.walk.breaks(
                    "webhook-answer-media-type-removed",
                    self.label,
                    f"The receiver's answer may not be of type {mine.name} any more.",
                    old=mine.name,
                    new=[m.name for m in new.content],
                    exchange=exchange(media=mine),
                    **facts,
                )
        self._answer_headers(meeting)

    def _answer_headers(self, meeting: Meeting) -> None:
        known = {h.name.lower(): h for h in meeting.old.headers}
        for header in meeting.new.headers:
            other = known.get(header.name.lower())
            place = f"header.{header.name}"
            if header.required and not (other and other.required):
                self.walk.breaks(
                    "webhook-answer-header-required",
                    self.label,
                    f"The receiver's answer must carry the header {header.name} now.",
                    direction=Direction.REQUEST,
                    field=place,
                    new=header.name,
                    pointer=Sides((other or meeting.old).pointer, header.pointer),
                    exchange=self._answered(meeting.old, meeting.status),
                )
            if other is not None:
                self.walk.asks(
                    self.label,
                    (other.schema, header.schema),
                    "header",
                    request=True,
                    place=place,
                    wire="text",
                    exchange=partial(self._answered_header, meeting, other.name),
                )

    def _answered_with(self, meeting: Meeting, media: MediaType, value: Json) -> dict[str, Json]:
        return self._answered(meeting.old, meeting.status, media=media, body=value)

    def _answered_header(self, meeting: Meeting, name: str, value: Json) -> dict[str, Json]:
        return self._answered(meeting.old, meeting.status, headers={name: value})

    def _answered(self, response: Response, status: int, **more: Json) -> dict[str, Json]:
        """Return the old event and the old receiver's answer to it."""
        answer = self.old_calls.answer(response, status=status, by_consumer=True, **more)
        return {**self.old_calls.call(self.before), **answer}


def _types(contract: Contract, schema: str | None) -> frozenset[str]:
    side = Side(contract.schemas, dropped="writeOnly", writer=False, closed=False)
    return side.shape(side.node(schema)).types


def _key(parameter: Parameter) -> tuple[str, str]:
    location = parameter.location.value
    return location, parameter.name.lower() if location == "header" else parameter.name
