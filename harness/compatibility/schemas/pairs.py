"""The questions of a comparison, and what each of them demands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.side import Node


class Pair(NamedTuple):
    """A question: may everything of ``writer`` be read as ``reader``?

    ``wire`` is empty for JSON; ``text`` and ``exploded`` are for values that travel as text.
    """

    writer: Node
    reader: Node
    wire: str = ""


class Edge(NamedTuple):
    """A question its parent rests on; ``step`` is ``()`` when it is about the same value.

    A ``soft`` edge only explains: its parent is refuted by a value of its own, and leads to the
    nearest alternative so that a person sees what is wrong. What is not confirmed beneath soft
    edges alone is no question of its own; the summary gap of the parent stands for it.
    """

    step: tuple[str, ...]
    pair: Pair
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Expansion:
    """What one pair demands."""

    gaps: tuple[Gap, ...] = ()
    edges: tuple[Edge, ...] = ()


class BudgetSpent(Exception):
    """No steps are left for this comparison."""


UNREADABLE = "a reference leads nowhere or a keyword is unusable, so nothing is known here"
