"""The response half of an operation: statuses, media types, bodies, headers and links."""

from __future__ import annotations

from functools import partial

from harness.compatibility.exchanges.calls import Calls
from harness.compatibility.exchanges.links import compare_links
from harness.compatibility.exchanges.media import media_pairs, meets, resembling, takes
from harness.compatibility.exchanges.pairing import Walk
from harness.compatibility.exchanges.spellings import (
    UNDECIDED,
    Answer,
    Spoken,
    judge_spelling,
)
from harness.compatibility.exchanges.statuses import Answering, Meeting, meetings, number_for
from harness.compatibility.exchanges.wire import spelling_of_header
from harness.model.contract import Contract, Header, MediaType, Operation, Response
from harness.model.finding import Direction, Sides
from harness.model.values import Json


class Answers:
    """The answers of one operation that callers read, in both contracts."""

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
        self.old, self.new = Answering(self.before.responses), Answering(self.after.responses)

    def compare(self) -> None:
        """Collect every difference of the answers."""
        together = meetings(self.old, self.new)
        kept = {id(m.old) for m in together if not self._only_failures(m.old, together)}
        known = {id(m.new) for m in together}
        for response in self.before.responses:
            if id(response) not in kept:
                self._status_gone(response)
        for response in self.after.responses:
            if id(response) not in known:
                self._status_added(response)
        for meeting in together:
            self._response(meeting)

    def _only_failures(self, response: Response, together: list[Meeting]) -> bool:
        """Say whether a success is left to mean failures: a default beside which nothing stood."""
        return self.old.is_success(response) and all(
            m.status >= 400 for m in together if m.old is response
        )

    def _status_added(self, response: Response) -> None:
        kind = "success" if self.new.is_success(response) else "error"
        self.walk.notes(
            f"response-{kind}-status-added",
            self.label,
            f"The answer {response.status} is described now.",
            direction=Direction.RESPONSE,
            field=f"status.{response.status}",
            new=response.status,
            pointer=Sides(self.before.pointer, response.pointer),
        )

    def _status_gone(self, response: Response) -> None:
        facts = {
            "direction": Direction.RESPONSE,
            "field": f"status.{response.status}",
            "old": response.status,
            "new": [r.status for r in self.after.responses],
            "pointer": Sides(response.pointer, self.after.pointer),
        }
        message = f"The answer {response.status} is not described any more."
        if not self.old.is_success(response):
            self.walk.notes("response-error-status-removed", self.label, message, **facts)
            return
        others = [r.status for r in self.after.responses if self.new.is_success(r)]
        hint = f" Success is {' or '.join(others)} now." if others else ""
        self.walk.breaks(
            "response-success-status-removed",
            self.label,
            message + hint,
            exchange=self._old_exchange(response),
            **facts,
        )

    def _response(self, meeting: Meeting) -> None:
        old, new = meeting.old, meeting.new
        facts = {
            "direction": Direction.RESPONSE,
            "field": f"status.{old.status}",
            "pointer": Sides(old.pointer, new.pointer),
        }
        if old.content and not new.content:
            self.walk.breaks(
                "response-body-removed",
                self.label,
                f"The answer {old.status} has no body any more.",
                exchange=self._old_exchange(old, status=meeting.status),
                **facts,
            )
        elif new.content and not old.content:
            text = f"The answer {old.status} has a body now."
            self.walk.notes("response-body-added", self.label, text, **facts)
        else:
            self._types(meeting, facts)
        for mine, theirs in media_pairs(new.content, old.content):
            if theirs is not None and old.content:
                exchange = partial(self._exchange, meeting, mine)
                schemas = (theirs.schema, mine.schema)
                self.walk.asks(self.label, schemas, "body", request=False, exchange=exchange)
        self._headers(meeting)
        compare_links(self.walk, self.contracts, self.label, (old, new))

    def _types(self, meeting: Meeting, facts: dict[str, Json]) -> None:
        old, new = meeting.old, meeting.new
        for media in old.content:
            if any(meets(media.name, m.name) for m in new.content):
                continue
            near = resembling(media.name, new.content)
            hint = f" {near} is another media type." if near else ""
            self.walk.breaks(
                "response-media-type-removed",
                self.label,
                f"The answer {old.status} no longer comes as {media.name}.{hint}",
                old=media.name,
                new=[m.name for m in new.content],
                exchange=self._old_exchange(old, status=meeting.status, media=media),
                **facts,
            )
        for media in new.content:
            if not any(takes(m.name, media.name) or not m.stated for m in old.content):
                self.walk.notes(
                    "response-media-type-added",
                    self.label,
                    f"The answer {new.status} may come as {media.name} now, to who asks for it.",
                    direction=Direction.RESPONSE,
                    field=f"status.{new.status}",
                    new=media.name,
                    pointer=Sides(old.pointer, media.pointer),
                )

    def _headers(self, meeting: Meeting) -> None:
        there = {h.name.lower(): h for h in meeting.new.headers}
        for header in meeting.old.headers:
            other = there.pop(header.name.lower(), None)
            facts = {
                "direction": Direction.RESPONSE,
                "field": f"header.{header.name}",
                "old": header.name,
                "pointer": Sides(header.pointer, other.pointer if other else meeting.new.pointer),
            }
            if other is not None:
                self._header(meeting, header, other, facts)
                continue
            rule = f"response-{'required-' if header.required else ''}header-removed"
            always = "was always there; it is gone" if header.required else "is not sent any more"
            self.walk.breaks(
                rule,
                self.label,
                f"The header {header.name} {always}.",
                exchange=self._old_exchange(meeting.old, status=meeting.status, header=header),
                **facts,
            )
        for header in there.values():
            self.walk.notes(
                "response-header-added",
                self.label,
                f"The header {header.name} is new.",
                direction=Direction.RESPONSE,
                field=f"header.{header.name}",
                new=header.name,
                pointer=Sides(meeting.old.pointer, header.pointer),
            )

    def _header(self, meeting: Meeting, old: Header, new: Header, facts: dict[str, Json]) -> None:
        if old.required and not new.required:
            exchange = {
                **self.old_calls.call(self.before),
                **self.new_calls.answer(meeting.new, status=meeting.status, without=new.name),
            }
            self.walk.breaks(
                "response-header-became-optional",
                self.label,
                f"The header {old.name} was always there; it may be missing now.",
                exchange=exchange,
                **facts,
            )
        if not self._written_alike(meeting, old, new, facts):
            return
        # Cookies are repeated and never joined; a header with `content` carries JSON.
        repeated = old.name.lower() == "set-cookie"
        wire = "" if old.media_type else ("exploded" if repeated else "text")
        self.walk.asks(
            self.label,
            (old.schema, new.schema),
            "header",
            request=False,
            place=f"header.{old.name}",
            wire=wire,
            exchange=partial(self._header_exchange, meeting, old.name),
        )

    def _written_alike(
        self, meeting: Meeting, old: Header, new: Header, facts: dict[str, Json]
    ) -> bool:
        mine, theirs = spelling_of_header(old), spelling_of_header(new)
        if mine == theirs:
            return True
        judged = judge_spelling(
            Spoken(self.contracts[1], new.schema, new.name, theirs),
            Spoken(self.contracts[0], old.schema, old.name, mine),
            flag="writeOnly",
        )
        if judged.answer is Answer.SAME:
            return True
        rule = "response-header-style-changed"
        message = f"The header {old.name} is written otherwise now."
        told = {**facts, "old": mine.words, "new": theirs.words}
        if judged.answer is Answer.OTHER:
            exchange = self._header_exchange(meeting, new.name, judged.value)
            self.walk.breaks(rule, self.label, message, exchange=exchange, **told)
        else:
            self.walk.doubts(rule, self.label, message, UNDECIDED, **told)
        return False

    def _exchange(self, meeting: Meeting, media: MediaType, value: Json) -> dict[str, Json]:
        """Return the old call, and the new answer with this body."""
        answer = self.new_calls.answer(meeting.new, status=meeting.status, media=media, body=value)
        return {**self.old_calls.call(self.before), **answer}

    def _header_exchange(self, meeting: Meeting, name: str, value: Json) -> dict[str, Json]:
        answer = self.new_calls.answer(meeting.new, status=meeting.status, headers={name: value})
        return {**self.old_calls.call(self.before), **answer}

    def _old_exchange(
        self,
        response: Response,
        *,
        status: int = 0,
        media: MediaType | None = None,
        header: Header | None = None,
    ) -> dict[str, Json]:
        """Return the exchange that used to work."""
        wanted = media or next(iter(response.content), None)
        call = self.old_calls.call(self.before, accept=wanted.name if wanted else "")
        answer = self.old_calls.answer(
            response,
            status=status or number_for(response, self.old),
            media=media,
            sending=(header.name,) if header else (),
        )
        return {**call, **answer}
