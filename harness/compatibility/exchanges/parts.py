"""Parts of form and multipart bodies: their media types, their spelling and their headers.

A property's encoding says how it is written. Where nothing is said, texts go as text, objects as
JSON, files as any bytes; a form repeats the name for each item of a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from harness.catalog.references import reference_pointer
from harness.compatibility.exchanges.media import essence, is_json, takes
from harness.compatibility.exchanges.message_bodies import FORM, PartHeaders
from harness.compatibility.exchanges.pairing import Walk
from harness.compatibility.exchanges.spellings import (
    UNDECIDED,
    Answer,
    Spoken,
    judge_spelling,
)
from harness.compatibility.exchanges.wire import Spelling, text
from harness.compatibility.schemas.samples import NoValueError, Sampler
from harness.compatibility.schemas.side import Side
from harness.model.contract import Contract, MediaType, ParameterLocation, PartEncoding
from harness.model.finding import Direction, Sides
from harness.model.values import Json, pointer, resolve_pointer


class Exchange(Protocol):
    """Makes the request around a body."""

    def __call__(
        self, value: Json, /, *, part_headers: PartHeaders | None = None
    ) -> dict[str, Json]:
        """Return the exchange; ``part_headers`` are added to the parts of the body."""


class Parts:
    """The properties of one body that callers send, in both contracts."""

    def __init__(
        self,
        walk: Walk,
        contracts: tuple[Contract, Contract],
        label: str,
        exchange: Exchange,
    ) -> None:
        """Collect into ``walk``; ``exchange`` makes the request around a body."""
        self.walk, self.label, self.exchange = walk, label, exchange
        self.old, self.new = contracts

    def compare(self, mine: MediaType, theirs: MediaType) -> None:
        """Collect what encodings change; two bodies without any differ in nothing here."""
        before = {e.name: e for e in mine.encoding}
        after = {e.name: e for e in theirs.encoding}
        for name in sorted({*before, *after}):
            old = before.get(name) or PartEncoding(name, mine.pointer)
            new = after.get(name) or PartEncoding(name, theirs.pointer)
            facts = {
                "direction": Direction.REQUEST,
                "field": name,
                "pointer": Sides(old.pointer, new.pointer),
            }
            self._types(mine, old, new, facts)
            if essence(mine.name) == FORM:
                self._spelling(mine, theirs, old, new, facts)
            else:
                self._headers(mine, old, new, facts)
        self._json_parts(mine, theirs, before, after)

    def _json_parts(
        self,
        mine: MediaType,
        theirs: MediaType,
        before: Mapping[str, PartEncoding],
        after: Mapping[str, PartEncoding],
    ) -> None:
        """Compare the parts that are JSON as JSON; the body as a whole is compared as texts."""
        side = Side(self.old.schemas, dropped="readOnly", writer=True, closed=True)
        for name in side.shape(side.node(mine.schema)).names:
            old = _json_part(self.old, mine.schema, name, before.get(name))
            new = _json_part(self.new, theirs.schema, name, after.get(name))
            if old is None or new is None or old[1] is not new[1]:
                continue
            self.walk.asks(
                self.label,
                (old[0], new[0]),
                "body",
                request=True,
                place=f"{name}[]" if old[1] else name,
                exchange=partial(self._with_value, mine, name, repeated=old[1]),
            )

    def _with_value(
        self, media: MediaType, name: str, value: Json, *, repeated: bool
    ) -> dict[str, Json]:
        content = [value] if repeated else value
        return self.exchange(self._body_with(media, name, content))

    def _types(
        self, media: MediaType, old: PartEncoding, new: PartEncoding, facts: dict[str, Json]
    ) -> None:
        if not new.content_types:
            return
        sent = old.content_types or self._usual_types(media, old.name)
        lost = [t for t in sent if not any(takes(n, t) for n in new.content_types)]
        if lost:
            self.walk.breaks(
                "request-part-media-type-removed",
                self.label,
                f"The part {old.name} may not be of type {lost[0]} any more.",
                old=lost[0],
                new=list(new.content_types),
                exchange=self._with_part(media, old.name),
                **{**facts, "direction": Direction.REQUEST},
            )

    def _usual_types(self, media: MediaType, name: str) -> tuple[str, ...]:
        """Return what a part is when its encoding says nothing; nothing for what may be any."""
        schema = _property(self.old, media.schema, name)
        side = Side(self.old.schemas, dropped="readOnly", writer=True, closed=True)
        shape = side.shape(side.node(schema))
        if schema is None or "binary" in shape.formats or shape.unions:
            return ()
        if shape.types == {"object"}:
            return ("application/json",)
        return ("text/plain",) if not shape.types & {"object", "array"} else ()

    def _spelling(
        self,
        mine: MediaType,
        theirs: MediaType,
        old: PartEncoding,
        new: PartEncoding,
        facts: dict[str, Json],
    ) -> None:
        before, after = _spelling_of(old), _spelling_of(new)
        if before == after:
            return
        judged = judge_spelling(
            Spoken(self.old, _property(self.old, mine.schema, old.name), old.name, before),
            Spoken(self.new, _property(self.new, theirs.schema, new.name), new.name, after),
        )
        if judged.answer is Answer.SAME:
            return
        rule = "request-part-style-changed"
        message = f"The field {old.name} is written otherwise now."
        facts = {**facts, "old": before.words, "new": after.words}
        if judged.answer is Answer.OTHER:
            exchange = self.exchange(self._body_with(mine, old.name, judged.value))
            self.walk.breaks(rule, self.label, message, exchange=exchange, **facts)
        else:
            self.walk.doubts(rule, self.label, message, UNDECIDED, **facts)

    def _headers(
        self, media: MediaType, old: PartEncoding, new: PartEncoding, facts: dict[str, Json]
    ) -> None:
        known = {h.name.lower(): h for h in old.headers}
        for header in new.headers:
            other = known.get(header.name.lower())
            place = f"{old.name}.header.{header.name}"
            if header.required and not (other and other.required):
                self.walk.breaks(
                    "request-part-header-required",
                    self.label,
                    f"The part {old.name} must carry the header {header.name} now.",
                    new=header.name,
                    exchange=self._with_part(media, old.name),
                    **{
                        **facts,
                        "field": place,
                        "pointer": Sides(other.pointer if other else old.pointer, header.pointer),
                    },
                )
            if other is not None:
                self.walk.asks(
                    self.label,
                    (other.schema, header.schema),
                    "header",
                    request=True,
                    place=place,
                    wire="text",
                    exchange=partial(self._with_header, media, old.name, other.name),
                )

    def _with_part(self, media: MediaType, name: str) -> dict[str, Json]:
        return self.exchange(self._body_with(media, name, None))

    def _with_header(self, media: MediaType, part: str, name: str, value: Json) -> dict[str, Json]:
        headers = {part: {name: text(value)}}
        return self.exchange(self._body_with(media, part, None), part_headers=headers)

    def _body_with(self, media: MediaType, name: str, value: Json) -> Json:
        """Return a small body that has this property, with this value when there is one."""
        side = Side(self.old.schemas, dropped="readOnly", writer=True, closed=True)
        sampler, node = Sampler(side), side.node(media.schema)
        try:
            if value is None:
                inner = side.property_node(side.shape(node), name)
                value = sampler.minimal(inner) if inner is not None else "a"
            return sampler.with_member(node, name, value)
        except NoValueError:
            return {name: value}


def _spelling_of(encoding: PartEncoding) -> Spelling:
    style = encoding.style or "form"
    explode = encoding.explode if encoding.explode is not None else style == "form"
    as_json = encoding.style is None and any("json" in t for t in encoding.content_types)
    return Spelling(ParameterLocation.QUERY, style, explode, as_json)


def _json_part(
    contract: Contract, schema: str | None, name: str, encoding: PartEncoding | None
) -> tuple[str, bool] | None:
    """Return the schema of a part that travels as JSON, and whether it is one item of a list."""
    place = _property(contract, schema, name)
    if place is None or (encoding is not None and encoding.style is not None):
        return None
    stated = encoding.content_types if encoding is not None else ()
    if stated and not all(is_json(t) for t in stated):
        return None
    side = Side(contract.schemas, dropped="readOnly", writer=True, closed=True)
    shape = side.shape(side.node(place))
    if shape.types == {"array"} and len(shape.members) == 1:
        items = f"{shape.members[0][0]}/items"
        inner = side.shape(side.node(items)) if "items" in shape.members[0][1] else None
        as_json = inner is not None and (bool(stated) or inner.types == {"object"})
        return (items, True) if as_json else None
    return (place, False) if stated or shape.types == {"object"} else None


def _property(contract: Contract, schema: str | None, name: str) -> str | None:
    """Return where a property of a body stands, references followed; ``None`` when nowhere."""
    seen: set[str] = set()
    while schema is not None and schema not in seen:
        seen.add(schema)
        try:
            node = resolve_pointer(contract.schemas, schema)
        except LookupError:
            return None
        if not isinstance(node, Mapping):
            return None
        declared = node.get("properties")
        if isinstance(declared, Mapping) and name in declared:
            return schema + pointer("properties", name)
        reference = node.get("$ref")
        schema = reference_pointer(reference) if isinstance(reference, str) else None
    return None
