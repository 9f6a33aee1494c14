"""Reads ``paging`` of ``behaviour.yaml``: how one operation hands out its pages."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.values import JsonObject
from mocks.kit.simulator import Call, RefusalKind, Refused


@dataclass(frozen=True, slots=True)
class PagingRule:
    """How an operation pages. ``request``, ``response`` and ``size`` name where things travel."""

    kind: str
    request: str
    response: str
    size: str | None
    default: int
    most: int
    token_seconds: int | None

    def page_size(self, call: Call) -> int:
        """Return the page size asked for; raises ``Refused`` INVALID outside 1 to ``most``."""
        text = call.query.get(self.size) if self.size is not None else None
        if text is None:
            return self.default
        if not text.isdecimal() or not 1 <= int(text) <= self.most:
            msg = f"{self.size} must be a number from 1 to {self.most}"
            raise Refused(RefusalKind.INVALID, msg)
        return int(text)


def paging_rule(behaviour: JsonObject, address: str) -> PagingRule | None:
    """Return the rule of one operation, ``None`` when it does not page."""
    for entry in behaviour.get("paging", ()):
        if address in entry["operations"] or "*" in entry["operations"]:
            most = int(entry.get("max", 100))
            return PagingRule(
                kind=str(entry["kind"]),
                request=str(entry["request"]),
                response=str(entry["response"]),
                size=entry.get("size"),
                default=int(entry.get("default", most)),
                most=most,
                token_seconds=entry.get("token_seconds"),
            )
    return None
