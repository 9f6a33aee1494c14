"""Request bodies that callers send: demanded, dropped, of another media type, or of other parts."""

from __future__ import annotations

from functools import partial

from harness.compatibility.exchanges.calls import Calls
from harness.compatibility.exchanges.media import is_form, media_pairs, meets, resembling, takes
from harness.compatibility.exchanges.message_bodies import PartHeaders
from harness.compatibility.exchanges.pairing import Walk
from harness.compatibility.exchanges.parts import Parts
from harness.model.contract import Contract, MediaType, Operation, RequestBody
from harness.model.finding import Direction, Sides
from harness.model.values import Json


class Bodies:
    """The request body of one operation in both contracts."""

    def __init__(
        self,
        walk: Walk,
        contracts: tuple[Contract, Contract],
        pair: tuple[Operation, Operation],
        calls: Calls,
    ) -> None:
        """Collect into ``walk``; ``calls`` makes requests of the old contract."""
        self.walk, self.calls, self.contracts = walk, calls, contracts
        self.before, self.after = pair
        self.label = self.before.label

    def compare(self) -> None:
        """Collect every difference of the body."""
        old, new = self.before.request_body, self.after.request_body
        if old is None and new is None:
            return
        facts = {
            "direction": Direction.REQUEST,
            "pointer": Sides(
                old.pointer if old else self.before.pointer,
                new.pointer if new else self.after.pointer,
            ),
        }
        if old is None:
            assert new is not None  # noqa: S101 - one side is always there
            self._added(new, facts)
        elif new is None:
            self._removed(old, facts)
        else:
            if new.required and not old.required:
                self.walk.breaks(
                    "request-body-became-required",
                    self.label,
                    "A body must be sent now.",
                    old=False,
                    new=True,
                    exchange=self.calls.call(self.before),
                    **facts,
                )
            self._types(old, new, facts)

    def _added(self, new: RequestBody, facts: dict[str, Json]) -> None:
        if new.required:
            self.walk.breaks(
                "request-body-added-required",
                self.label,
                "A body must be sent now.",
                exchange=self.calls.call(self.before),
                **facts,
            )
        else:
            text = "A body may be sent now."
            self.walk.notes("request-body-added", self.label, text, **facts)

    def _removed(self, old: RequestBody, facts: dict[str, Json]) -> None:
        if old.content:
            self.walk.breaks(
                "request-body-removed",
                self.label,
                "The body that was sent is not described any more.",
                exchange=self.calls.call(self.before, media=old.content[0]),
                **facts,
            )

    def _types(self, old: RequestBody, new: RequestBody, facts: dict[str, Json]) -> None:
        for mine, theirs in media_pairs(old.content, new.content):
            if theirs is None or not takes(theirs.name, mine.name):
                self._type_gone(mine, new, facts)
            if theirs is not None:
                self._pair(mine, theirs)
        for media in new.content:
            if not any(meets(media.name, m.name) for m in old.content):
                self.walk.notes(
                    "request-media-type-added",
                    self.label,
                    f"Bodies may be of type {media.name} now.",
                    direction=Direction.REQUEST,
                    new=media.name,
                    pointer=Sides(facts["pointer"].old, media.pointer),
                )

    def _type_gone(self, mine: MediaType, new: RequestBody, facts: dict[str, Json]) -> None:
        """A range that became narrower loses the types outside the new one."""
        names = [m.name for m in new.content]
        told = {**facts, "old": mine.name, "new": names}
        if not mine.stated:
            text = f"No media type was named; only {' and '.join(names)} is taken now."
            self.walk.notes("request-media-type-named", self.label, text, **told)
            return
        near = resembling(mine.name, new.content)
        hint = f" {near} is another media type." if near else ""
        sent = _outside(mine, names)
        self.walk.breaks(
            "request-media-type-removed",
            self.label,
            f"Bodies of type {mine.name} are not described any more.{hint}",
            exchange=self.calls.call(self.before, media=sent),
            **told,
        )

    def _pair(self, mine: MediaType, theirs: MediaType) -> None:
        wire = "form" if is_form(mine.name) else ""
        exchange = partial(self._exchange, mine)
        schemas = (mine.schema, theirs.schema)
        self.walk.asks(self.label, schemas, "body", request=True, wire=wire, exchange=exchange)
        if wire:
            Parts(self.walk, self.contracts, self.label, exchange).compare(mine, theirs)

    def _exchange(
        self, media: MediaType, value: Json, *, part_headers: PartHeaders | None = None
    ) -> dict[str, Json]:
        return self.calls.call(self.before, media=media, body=value, part_headers=part_headers)


def _outside(mine: MediaType, names: list[str]) -> MediaType:
    """Return a type of a range that none of the names takes, so that the witness is one."""
    if "*" not in mine.name:
        return mine
    candidates = ("application/json", "application/xml", "text/plain", "image/png", "audio/mpeg")
    lost = (c for c in candidates if takes(mine.name, c) and not any(takes(n, c) for n in names))
    return MediaType(next(lost, mine.name), mine.pointer, mine.schema)
