"""Walks two contracts operation by operation: what is gone, new, or to be compared by schema."""

from __future__ import annotations

from collections.abc import Mapping

from harness.compatibility.media import media_pairs
from harness.compatibility.pairing import PLACEHOLDER, Root, Structural, Walk, matched_operations
from harness.compatibility.security import uncovered
from harness.compatibility.side import Side
from harness.model.contract import Contract, Header, Operation, Parameter, Response
from harness.model.finding import Direction, Proof, Sides, Verdict
from harness.model.values import Json


def walk_contracts(old: Contract, new: Contract) -> Walk:
    """Match operations and collect what differs and what must be compared by schema."""
    walk = Walk()
    _servers(walk, old, new)
    matched = list(matched_operations(old, new, old.operations, new.operations))
    matched += list(matched_operations(old, new, old.webhooks, new.webhooks))
    for before, after in matched:
        if before is None:
            assert after is not None  # noqa: S101 - one side is always there
            _note(
                walk,
                "operation-added",
                after.label,
                "The operation is new.",
                new=after.label,
                pointer=Sides(None, after.pointer),
            )
        elif after is None:
            rule = "webhook-removed" if before.incoming else "operation-removed"
            _break(
                walk,
                rule,
                before.label,
                f"{before.label} is gone.",
                old=before.label,
                pointer=Sides(before.pointer),
                exchange=_call(before),
            )
        else:
            walk.compared += 1
            OperationPair(walk, old, new, before, after).compare()
    return walk


def _servers(walk: Walk, old: Contract, new: Contract) -> None:
    for server in old.servers:
        if new.servers and server not in new.servers:
            walk.structural.append(
                Structural(
                    "server-removed",
                    Verdict.UNPROVEN,
                    "",
                    f"The address {server} is not listed any more.",
                    old=server,
                    new=list(new.servers),
                    proof=Proof.NONE,
                    reason="the contract does not say whether the old address still answers",
                )
            )


def _break(walk: Walk, rule: str, operation: str, message: str, **facts: Json) -> None:
    walk.structural.append(Structural(rule, Verdict.BREAKING, operation, message, **facts))


def _note(walk: Walk, rule: str, operation: str, message: str, **facts: Json) -> None:
    walk.structural.append(Structural(rule, Verdict.COMPATIBLE, operation, message, **facts))


def _call(operation: Operation, **more: Json) -> dict[str, Json]:
    return {"method": operation.method, "path": operation.path, **more}


class OperationPair:
    """One operation in both contracts."""

    def __init__(
        self, walk: Walk, old: Contract, new: Contract, before: Operation, after: Operation
    ) -> None:
        """Collect into ``walk``."""
        self.walk, self.before, self.after = walk, before, after
        self.contracts = (old, new)
        self.label = before.label
        # A webhook's body is written by the provider, and its answer by the consumer.
        self.asks = not before.incoming
        self.where = Sides(before.pointer, after.pointer)

    def compare(self) -> None:
        """Collect every difference of the operation."""
        self._parameters()
        self._body()
        self._responses()
        if self.after.deprecated and not self.before.deprecated:
            _note(
                self.walk,
                "operation-deprecated",
                self.label,
                "The operation is deprecated now.",
                pointer=self.where,
                old=False,
                new=True,
            )
        for missing in uncovered(*self.contracts, self.before, self.after):
            _break(
                self.walk,
                "security-tightened",
                self.label,
                f"Calls authorised by {missing} are refused now.",
                direction=Direction.REQUEST,
                old=missing,
                pointer=self.where,
                exchange=_call(self.before, security=missing),
            )

    def _parameters(self) -> None:
        renamed = dict(
            zip(
                PLACEHOLDER.findall(self.before.path),
                PLACEHOLDER.findall(self.after.path),
                strict=False,
            )
        )
        new = {_key(p): p for p in self.after.parameters}
        for parameter in self.before.parameters:
            key = _key(parameter)
            if key[0] == "path":
                key = ("path", renamed.get(parameter.name, parameter.name))
            other = new.pop(key, None)
            place = f"{parameter.location.value}.{parameter.name}"
            if other is None:
                if parameter.location.value != "path":
                    _note(
                        self.walk,
                        "request-parameter-removed",
                        self.label,
                        f"The {parameter.location.value} parameter {parameter.name} is not read.",
                        direction=Direction.REQUEST,
                        field=place,
                        old=parameter.name,
                        pointer=Sides(parameter.pointer, self.after.pointer),
                    )
                continue
            self._parameter(parameter, other, place)
        for parameter in new.values():
            self._added(parameter)

    def _added(self, parameter: Parameter) -> None:
        place = f"{parameter.location.value}.{parameter.name}"
        facts = {
            "direction": Direction.REQUEST,
            "field": place,
            "new": parameter.name,
            "pointer": Sides(self.before.pointer, parameter.pointer),
        }
        if parameter.required and parameter.location.value != "path":
            _break(
                self.walk,
                "request-parameter-added-required",
                self.label,
                f"The {parameter.location.value} parameter {parameter.name} must be sent now.",
                exchange=_call(self.before),
                **facts,
            )
        elif parameter.location.value != "path":
            _note(
                self.walk,
                "request-parameter-added",
                self.label,
                f"The {parameter.location.value} parameter {parameter.name} is new.",
                **facts,
            )

    def _parameter(self, old: Parameter, new: Parameter, place: str) -> None:
        facts = {
            "direction": Direction.REQUEST,
            "field": place,
            "pointer": Sides(old.pointer, new.pointer),
        }
        if new.required and not old.required and old.location.value != "path":
            _break(
                self.walk,
                "request-parameter-became-required",
                self.label,
                f"The {old.location.value} parameter {old.name} must be sent now.",
                old=False,
                new=True,
                exchange=_call(self.before),
                **facts,
            )
        if (old.style, old.explode) != (new.style, new.explode) and self._composite(old, new):
            _break(
                self.walk,
                "request-parameter-style-changed",
                self.label,
                f"Lists in {old.name} are spelled otherwise on the wire now.",
                old=f"{old.style}, explode={old.explode}",
                new=f"{new.style}, explode={new.explode}",
                exchange=_call(self.before, parameter=place),
                **facts,
            )
            return
        wire = "" if old.media_type or new.media_type else ("exploded" if old.explode else "text")
        exchange: dict[str, Json] = _call(self.before, parameter=place)
        self.walk.roots.append(
            Root(self.asks, self.label, old.schema, new.schema, "parameter", place, wire, exchange)
        )

    def _composite(self, old: Parameter, new: Parameter) -> bool:
        """Say whether both sides send lists or objects, where the spelling shows."""

        def several(contract: Contract, parameter: Parameter) -> bool:
            side = Side(contract.schemas, dropped="readOnly", writer=False, closed=False)
            types = side.shape(side.node(parameter.schema)).types
            return bool(types & {"array", "object"}) and "string" not in types

        return several(self.contracts[0], old) and several(self.contracts[1], new)

    def _body(self) -> None:
        old, new = self.before.request_body, self.after.request_body
        facts = {
            "direction": Direction.REQUEST,
            "pointer": Sides(
                old.pointer if old else self.before.pointer,
                new.pointer if new else self.after.pointer,
            ),
        }
        if old is None:
            if new is not None and new.required and self.asks:
                _break(
                    self.walk,
                    "request-body-added-required",
                    self.label,
                    "A body must be sent now.",
                    exchange=_call(self.before),
                    **facts,
                )
            return
        if new is None:
            if old.content:
                _break(
                    self.walk,
                    "request-body-removed",
                    self.label,
                    "The body that was sent is not described any more.",
                    exchange=_call(self.before, content_type=old.content[0].name),
                    **facts,
                )
            return
        if new.required and not old.required and self.asks:
            _break(
                self.walk,
                "request-body-became-required",
                self.label,
                "A body must be sent now.",
                old=False,
                new=True,
                exchange=_call(self.before),
                **facts,
            )
        writer, reader = (old, new) if self.asks else (new, old)
        for mine, theirs in media_pairs(writer.content, reader.content):
            if theirs is None:
                if self.asks:
                    _break(
                        self.walk,
                        "request-media-type-removed",
                        self.label,
                        f"Bodies of type {mine.name} are not described any more.",
                        old=mine.name,
                        new=[m.name for m in reader.content],
                        exchange=_call(self.before, content_type=mine.name),
                        **facts,
                    )
                continue
            before, after = (mine, theirs) if self.asks else (theirs, mine)
            wire = "form" if "form" in mine.name else ""
            exchange = _call(self.before, content_type=mine.name)
            self.walk.roots.append(
                Root(self.asks, self.label, before.schema, after.schema, "body", "", wire, exchange)
            )

    def _responses(self) -> None:
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
                _note(
                    self.walk,
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
            _break(
                self.walk,
                "response-success-status-removed",
                self.label,
                message,
                exchange=_call(self.before, status=response.status),
                **facts,
            )
        else:
            _note(self.walk, "response-error-status-removed", self.label, message, **facts)

    def _response(self, old: Response, new: Response) -> None:
        facts = {"direction": Direction.RESPONSE, "pointer": Sides(old.pointer, new.pointer)}
        exchange = _call(self.before, status=new.status if new.status != "default" else old.status)
        if old.content and not new.content:
            _break(
                self.walk,
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
                    _break(
                        self.walk,
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
                _break(
                    self.walk,
                    "response-required-header-removed",
                    self.label,
                    f"The header {header.name} was always there; it is gone.",
                    exchange=exchange,
                    **facts,
                )
            else:
                _note(
                    self.walk,
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
            _break(
                self.walk,
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


def _key(parameter: Parameter) -> tuple[str, str]:
    name = parameter.name
    location = parameter.location.value
    return location, name.lower() if location == "header" else name


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
