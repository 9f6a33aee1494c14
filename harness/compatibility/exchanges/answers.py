"""The response half of an operation: statuses, media types, bodies and headers."""

from __future__ import annotations

from collections.abc import Mapping

from harness.compatibility.calls import Calls, status_code
from harness.compatibility.media import media_pairs
from harness.compatibility.pairing import Root, Walk
from harness.model.contract import Header, Operation, Response
from harness.model.finding import Direction, Sides
from harness.model.values import Json


class Answers:
    """The answers of one operation in both contracts."""

    def __init__(self, walk: Walk, before: Operation, after: Operation, calls: Calls) -> None:
        """Collect into ``walk``."""
        self.walk, self.before, self.after, self.calls = walk, before, after, calls
        self.label = before.label
        # The answer to a webhook is written by the consumer.
        self.asks = not before.incoming

    def compare(self) -> None:
        """Collect every difference of the answers."""
        old = {r.status.upper(): r for r in self.before.responses}
        new = {r.status.upper(): r for r in self.after.responses}
        for status, response in old.items():
            if not _covering(status, new):
                self._status_gone(response)
        for status, response in new.items():
            readers = _covering(status, old)
            if not readers:
                success = status[0] == "2"
                rule = f"response-{'success' if success else 'error'}-status-added"
                self.walk.notes(
                    rule,
                    self.label,
                    f"The answer {response.status} is described now.",
                    direction=Direction.RESPONSE,
                    field=f"status.{response.status}",
                    new=response.status,
                    pointer=Sides(self.before.pointer, response.pointer),
                )
            for reader in readers:
                self._response(reader, response)

    def _status_gone(self, response: Response) -> None:
        facts = {
            "direction": Direction.RESPONSE,
            "field": f"status.{response.status}",
            "old": response.status,
            "new": [r.status for r in self.after.responses],
            "pointer": Sides(response.pointer, self.after.pointer),
        }
        message = f"The answer {response.status} is not described any more."
        if response.status[0] == "2":
            self.walk.breaks(
                "response-success-status-removed",
                self.label,
                message,
                exchange=self.calls.call(
                    self.before, status=status_code(response.status, self.before)
                ),
                **facts,
            )
        else:
            self.walk.notes("response-error-status-removed", self.label, message, **facts)

    def _response(self, old: Response, new: Response) -> None:
        facts = {"direction": Direction.RESPONSE, "pointer": Sides(old.pointer, new.pointer)}
        exchange = self.calls.call(
            self.before,
            status=status_code(new.status if new.status != "default" else old.status, self.before),
        )
        if old.content and not new.content:
            self.walk.breaks(
                "response-body-removed",
                self.label,
                f"The answer {old.status} has no body any more.",
                field=f"status.{old.status}",
                exchange=exchange,
                **facts,
            )
        elif self.asks:
            for mine, theirs in media_pairs(old.content, new.content):
                if theirs is None:
                    self.walk.breaks(
                        "response-media-type-removed",
                        self.label,
                        f"The answer {old.status} no longer comes as {mine.name}.",
                        field=f"status.{old.status}",
                        old=mine.name,
                        new=[m.name for m in new.content],
                        exchange={**exchange, "accept": mine.name},
                        **facts,
                    )
        for mine, theirs in media_pairs(new.content, old.content):
            if theirs is not None:
                self.walk.roots.append(
                    Root(
                        not self.asks,
                        self.label,
                        theirs.schema,
                        mine.schema,
                        "body",
                        "",
                        "",
                        {**exchange, "content_type": mine.name},
                    )
                )
        self._headers(old, new, exchange)

    def _headers(self, old: Response, new: Response, exchange: dict[str, Json]) -> None:
        there = {h.name.lower(): h for h in new.headers}
        for header in old.headers:
            other = there.get(header.name.lower())
            place = f"header.{header.name}"
            facts = {
                "direction": Direction.RESPONSE,
                "field": place,
                "old": header.name,
                "pointer": Sides(header.pointer, other.pointer if other else new.pointer),
            }
            if other is not None:
                self._header(header, other, place, exchange, facts)
            elif header.required:
                self.walk.breaks(
                    "response-required-header-removed",
                    self.label,
                    f"The header {header.name} was always there; it is gone.",
                    exchange=exchange,
                    **facts,
                )
            else:
                self.walk.notes(
                    "response-header-removed",
                    self.label,
                    f"The header {header.name} is not described any more.",
                    **facts,
                )

    def _header(
        self,
        old: Header,
        new: Header,
        place: str,
        exchange: dict[str, Json],
        facts: dict[str, Json],
    ) -> None:
        if old.required and not new.required:
            self.walk.breaks(
                "response-header-became-optional",
                self.label,
                f"The header {old.name} was always there; it may be missing now.",
                exchange=exchange,
                **facts,
            )
        self.walk.roots.append(
            Root(
                not self.asks,
                self.label,
                old.schema,
                new.schema,
                "header",
                place,
                "text",
                {**exchange, "header": old.name},
            )
        )


def _covering(status: str, entries: Mapping[str, Response]) -> list[Response]:
    """Return the entries that speak for a status: exact, range, single ones inside, default."""
    if status in entries:
        return [entries[status]]
    if status != "DEFAULT" and not status.endswith("XX") and f"{status[0]}XX" in entries:
        return [entries[f"{status[0]}XX"]]
    if status.endswith("XX"):
        inside = [r for s, r in entries.items() if s[0] == status[0] and s != "DEFAULT"]
        if inside:
            return inside
    return [entries["DEFAULT"]] if "DEFAULT" in entries else []
