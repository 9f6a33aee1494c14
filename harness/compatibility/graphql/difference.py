"""What differs at one place of two schemas, before anybody asks which operations reach it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compatibility.exchanges.pairing import NOWHERE
from harness.compatibility.graphql.proofs import Ask, Tell
from harness.compatibility.graphql.routes import Meeting, Route
from harness.model.finding import Direction, Sides, Verdict
from harness.model.values import Json


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference at a meeting of two types.

    ``verdict`` is what the rule says if the proof succeeds; with ``asks`` or ``tells`` a breaking
    one needs a witness of one of them. ``tail`` follows the path to the meeting; ``head`` is the
    field of the meeting's type that it is about, which at a root names the operation. ``routes``
    are the ways to it where it stands at no meeting.
    """

    rule: str
    verdict: Verdict
    message: str
    meeting: Meeting | None = None
    where: Sides = NOWHERE
    head: str = ""
    tail: str = ""
    old: Json = None
    new: Json = None
    direction: Direction | None = None
    reason: str = ""
    asks: tuple[Ask, ...] = ()
    tells: tuple[Tell, ...] = ()
    routes: tuple[Route, ...] = ()
