"""Reads findings back from the JSON they were stored as."""

from __future__ import annotations

from typing import Any

from harness.model.errors import SourceLocation
from harness.model.finding import (
    Category,
    Context,
    Direction,
    Evidence,
    Finding,
    Places,
    Proof,
    Severity,
    Sides,
    Verdict,
    Witness,
)
from harness.model.values import JsonObject


def finding_from_json(data: JsonObject) -> Finding:
    """Return the finding whose ``to_json`` gave ``data``."""
    witness = data.get("witness")
    direction = data.get("direction")
    severity = data.get("severity")
    evidence = data.get("evidence")
    return Finding(
        fingerprint=data["fingerprint"],
        rule=data["rule"],
        category=Category(data["category"]),
        verdict=Verdict(data["verdict"]),
        message=data["message"],
        direction=Direction(direction) if direction else None,
        operations=tuple(data["operations"]),
        pointer=Sides(**data["pointer"]),
        field=data["field"],
        old=data["old"],
        new=data["new"],
        proof=Proof(data["proof"]),
        witness=Witness(witness["value"], witness["exchange"]) if witness else None,
        severity=Severity(severity) if severity else None,
        reason=data.get("reason", ""),
        places=_places(data.get("places", {})),
        evidence=Evidence(**evidence) if evidence else None,
        context=_context(data),
    )


def _places(data: JsonObject) -> Places:
    return Places(**{side: SourceLocation(**place) for side, place in data.items()})


def _context(data: JsonObject) -> Context:
    known: dict[str, Any] = {}
    for name in Context.__dataclass_fields__:
        if name in data:
            known[name] = tuple(data[name]) if isinstance(data[name], list) else data[name]
    return Context(**known)
