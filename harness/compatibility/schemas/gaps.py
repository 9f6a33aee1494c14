"""What the walker says: one obligation that fails at one pair of schemas."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.values import Json


@dataclass(frozen=True)
class Gap:
    """An obligation the reader sets and the writer does not keep.

    ``keyword`` names it. ``old`` and ``new`` are not known here: ``mine`` is the writer's value and
    ``new`` the reader's. ``hints`` say how to make a value that shows it: ``(kind, argument)``.
    ``reason`` is what an unproven finding tells when no value confirms the gap. A ``summary`` says
    that no alternative of a union takes a value; it is told only when nothing beneath the soft
    edges of its pair is confirmed. A ``structural`` gap is certain though no JSON value can show
    it: the same text stands for other bytes.
    """

    keyword: str
    name: str = ""
    mine: Json = None
    new: Json = None
    known: bool = False
    hints: tuple[tuple[str, Json], ...] = ()
    reason: str = ""
    summary: bool = False
    structural: bool = False
