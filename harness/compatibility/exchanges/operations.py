"""Walks two contracts operation by operation: what is gone, new, or to be compared by schema."""

from __future__ import annotations

from harness.compatibility.answers import Answers
from harness.compatibility.calls import Calls
from harness.compatibility.media import media_pairs
from harness.compatibility.pairing import PLACEHOLDER, Root, Walk, matched_operations
from harness.compatibility.security import uncovered
from harness.compatibility.servers import servers_gone
from harness.compatibility.side import Side
from harness.model.contract import Contract, Operation, Parameter
from harness.model.finding import Direction, Sides
from harness.model.values import Json


def walk_contracts(old: Contract, new: Contract) -> Walk:
    """Match operations and collect what differs and what must be compared by schema."""
    walk = Walk()
    calls = Calls(old)
    matched = list(matched_operations(old, new, old.operations, new.operations))
    matched += list(matched_operations(old, new, old.webhooks, new.webhooks))
    servers_gone(walk, old, new, [(b, a) for b, a in matched if b and a], calls)
    for before, after in matched:
        if before is None:
            assert after is not None  # noqa: S101 - one side is always there
            walk.notes(
                "operation-added",
                after.label,
                "The operation is new.",
                new=after.label,
                pointer=Sides(None, after.pointer),
            )
        elif after is None:
            rule = "webhook-removed" if before.incoming else "operation-removed"
            walk.breaks(
                rule,
                before.label,
                f"{before.label} is gone.",
                old=before.label,
                pointer=Sides(before.pointer),
                exchange=calls.call(before),
            )
        else:
            walk.compared += 1
            OperationPair(walk, old, new, before, after, calls).compare()
    return walk


class OperationPair:
    """One operation in both contracts."""

    def __init__(
        self,
        walk: Walk,
        old: Contract,
        new: Contract,
        before: Operation,
        after: Operation,
        calls: Calls,
    ) -> None:
        """Collect into ``walk``."""
        self.walk, self.before, self.after, self.calls = walk, before, after, calls
        self.contracts = (old, new)
        self.label = before.label
        # A webhook's body is written by the provider, and its answer by the consumer.
        self.asks = not before.incoming
        self.where = Sides(before.pointer, after.pointer)

    def compare(self) -> None:
        """Collect every difference of the operation."""
        self._parameters()
        self._body()
        Answers(self.walk, self.before, self.after, self.calls).compare()
        if self.after.deprecated and not self.before.deprecated:
            self.walk.notes(
                "operation-deprecated",
                self.label,
                "The operation is deprecated now.",
                pointer=self.where,
                old=False,
                new=True,
            )
        for missing in uncovered(*self.contracts, self.before, self.after):
            self.walk.breaks(
                "security-tightened",
                self.label,
                f"Calls authorised by {missing} are refused now.",
                direction=Direction.REQUEST,
                old=missing,
                pointer=self.where,
                exchange=self.calls.call(self.before, security=missing),
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
                    self.walk.notes(
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
            self.walk.breaks(
                "request-parameter-added-required",
                self.label,
                f"The {parameter.location.value} parameter {parameter.name} must be sent now.",
                exchange=self.calls.call(self.before),
                **facts,
            )
        elif parameter.location.value != "path":
            self.walk.notes(
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
            self.walk.breaks(
                "request-parameter-became-required",
                self.label,
                f"The {old.location.value} parameter {old.name} must be sent now.",
                old=False,
                new=True,
                exchange=self.calls.call(self.before),
                **facts,
            )
        if (old.style, old.explode) != (new.style, new.explode) and self._composite(old, new):
            self.walk.breaks(
                "request-parameter-style-changed",
                self.label,
                f"Lists in {old.name} are spelled otherwise on the wire now.",
                old=f"{old.style}, explode={old.explode}",
                new=f"{new.style}, explode={new.explode}",
                exchange=self.calls.call(self.before, parameter=place),
                **facts,
            )
            return
        wire = "" if old.media_type or new.media_type else ("exploded" if old.explode else "text")
        exchange: dict[str, Json] = self.calls.call(self.before, parameter=place)
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
                self.walk.breaks(
                    "request-body-added-required",
                    self.label,
                    "A body must be sent now.",
                    exchange=self.calls.call(self.before),
                    **facts,
                )
            return
        if new is None:
            if old.content:
                self.walk.breaks(
                    "request-body-removed",
                    self.label,
                    "The body that was sent is not described any more.",
                    exchange=self.calls.call(self.before, content_type=old.content[0].name),
                    **facts,
                )
            return
        if new.required and not old.required and self.asks:
            self.walk.breaks(
                "request-body-became-required",
                self.label,
                "A body must be sent now.",
                old=False,
                new=True,
                exchange=self.calls.call(self.before),
                **facts,
            )
        writer, reader = (old, new) if self.asks else (new, old)
        for mine, theirs in media_pairs(writer.content, reader.content):
            if theirs is None:
                if self.asks:
                    self.walk.breaks(
                        "request-media-type-removed",
                        self.label,
                        f"Bodies of type {mine.name} are not described any more.",
                        old=mine.name,
                        new=[m.name for m in reader.content],
                        exchange=self.calls.call(self.before, content_type=mine.name),
                        **facts,
                    )
                continue
            before, after = (mine, theirs) if self.asks else (theirs, mine)
            wire = "form" if "form" in mine.name else ""
            exchange = self.calls.call(self.before, content_type=mine.name)
            self.walk.roots.append(
                Root(self.asks, self.label, before.schema, after.schema, "body", "", wire, exchange)
            )


def _key(parameter: Parameter) -> tuple[str, str]:
    name = parameter.name
    location = parameter.location.value
    return location, name.lower() if location == "header" else name
