"""Claims: sets of values written as schemas that hold and schemas that are refused.

A containment question is a claim: the writer's schema holds and the reader's is refused. The
question is answered *yes* when nothing satisfies the claim, and *no* by a value that does. A claim
is taken apart by *moves*; a state is a claim with the moves made so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from harness.compatibility.schemas.keywords import ALL_TYPES
from harness.compatibility.schemas.numbers import Bound, tighter
from harness.compatibility.schemas.side import ANYTHING, Node

WRITER, READER = 0, 1


class Place(NamedTuple):
    """A schema: which document it is in (``WRITER`` or ``READER``), and its pointer."""

    document: int
    pointer: str


class Refusal(NamedTuple):
    """A schema that must not match; with ``keyword``, only that keyword of it must fail."""

    place: Place
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a value must satisfy.

    ``writer`` holds as a closed writer sends it, ``aside`` holds as the writer's document says it,
    ``reader`` holds as the reader's document says it.
    """

    writer: Node = ANYTHING
    aside: Node = ANYTHING
    reader: Node = ANYTHING
    refused: frozenset[Refusal] = frozenset()
    kinds: frozenset[str] = ALL_TYPES
    excluded: frozenset[str] = frozenset()  # values by their one spelling

    def holding(self, place: Place) -> Claim:
        """Return this claim with one more schema that holds."""
        node = self.reader if place.document == READER else self.aside
        grown = Node(tuple(sorted({*node.pointers, place.pointer})), node.choices)
        return (
            replace(self, reader=grown) if place.document == READER else replace(self, aside=grown)
        )

    def both(self, other: Claim) -> Claim:
        """Return what a value must satisfy to satisfy both claims, or a little more than that."""
        return Claim(
            _joined(self.writer, other.writer),
            _joined(self.aside, other.aside),
            _joined(self.reader, other.reader),
            self.refused | other.refused,
            self.kinds & other.kinds,
            self.excluded | other.excluded,
        )


def _joined(left: Node, right: Node) -> Node:
    pointers = tuple(sorted({*left.pointers, *right.pointers}))
    return Node(pointers, tuple(sorted({*left.choices, *right.choices})))


@dataclass(frozen=True, slots=True)
class Part:
    """What a member or an item must satisfy beside what its parents say about it."""

    holds: frozenset[Place] = frozenset()
    refused: frozenset[Refusal] = frozenset()

    def joined(self, other: Part) -> Part:
        """Return both demands together."""
        return Part(self.holds | other.holds, self.refused | other.refused)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many items of an array match a schema; ``most`` is ``None`` without a limit."""

    place: Place
    least: int
    most: int | None


# One step of taking a claim apart: its name and its argument.
Move = tuple[str, Any]
Case = tuple[Move, ...]
Split = tuple[Case, ...]
UNKNOWN_CASE: Case = (("unknown", None),)


@dataclass(slots=True)
class State:
    """A claim with the moves made so far; copied before it changes."""

    claim: Claim
    low: Bound | None = None
    high: Bound | None = None
    missed: tuple[Fraction, ...] = ()
    matching: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    unformatted: tuple[str, ...] = ()
    sizes: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    members: dict[str, Part] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    items: dict[int, Part] = field(default_factory=dict)
    counted: tuple[Counted, ...] = ()
    twins: bool = False
    splits: tuple[Split, ...] = ()
    deferred: frozenset[Refusal] = frozenset()
    told: frozenset[object] = frozenset()
    doubtful: bool = False  # a demand was left out, so that a value proves nothing

    def copy(self) -> State:
        """Return an independent copy."""
        return replace(
            self, sizes=dict(self.sizes), members=dict(self.members), items=dict(self.items)
        )

    def size(self, kind: str) -> tuple[int, int | None]:
        """Return the least and the most length, items or members."""
        return self.sizes.get(kind, (0, None))


def made(state: State, moves: Iterable[Move]) -> State | None:
    """Return the state after some moves; ``None`` when they contradict it at once."""
    state = state.copy()
    for name, argument in moves:
        if not _MOVES[name](state, argument):
            return None
    return state


def _kinds(state: State, kinds: frozenset[str]) -> bool:
    left = state.claim.kinds & kinds
    state.claim = replace(state.claim, kinds=left)
    return bool(left)


def _node(state: State, argument: tuple[str, Node]) -> bool:
    if argument[0] == "writer":
        state.claim = replace(state.claim, writer=argument[1])
    elif argument[0] == "aside":
        state.claim = replace(state.claim, aside=argument[1])
    else:
        state.claim = replace(state.claim, reader=argument[1])
    return True


def _hold(state: State, place: Place) -> bool:
    state.claim = state.claim.holding(place)
    return True


def _refuse(state: State, refusal: Refusal) -> bool:
    state.claim = replace(state.claim, refused=state.claim.refused | {refusal})
    return True


def _defer(state: State, refusal: Refusal) -> bool:
    state.deferred = state.deferred | {refusal}
    return True


def _exclude(state: State, values: frozenset[str]) -> bool:
    state.claim = replace(state.claim, excluded=state.claim.excluded | values)
    return True


def _low(state: State, bound: Bound) -> bool:
    state.low = tighter(state.low, bound, low=True)
    return True


def _high(state: State, bound: Bound) -> bool:
    state.high = tighter(state.high, bound, low=False)
    return True


def _missed(state: State, step: Fraction) -> bool:
    state.missed = (*state.missed, step)
    return True


def _failing(state: State, pattern: str) -> bool:
    state.failing = (*state.failing, pattern)
    return True


def _unformatted(state: State, name: str) -> bool:
    state.unformatted = (*state.unformatted, name)
    return True


def _size(state: State, argument: tuple[str, int, int | None]) -> bool:
    kind, least, most = argument
    low, high = state.size(kind)
    low = max(low, least)
    high = most if high is None else high if most is None else min(high, most)
    state.sizes[kind] = (low, high)
    return high is None or low <= high


def _member(state: State, argument: tuple[str, Part]) -> bool:
    name, part = argument
    state.members[name] = state.members.get(name, Part()).joined(part)
    return name not in state.absent


def _absent(state: State, name: str) -> bool:
    state.absent = state.absent | {name}
    return name not in state.members


def _item(state: State, argument: tuple[int, Part]) -> bool:
    index, part = argument
    state.items[index] = state.items.get(index, Part()).joined(part)
    return True


def _counted(state: State, count: Counted) -> bool:
    state.counted = (*state.counted, count)
    return count.most is None or count.least <= count.most


def _twins(state: State, _argument: object) -> bool:
    state.twins = True
    return True


def _unknown(state: State, _argument: object) -> bool:
    state.doubtful = True
    return True


_MOVES: dict[str, Callable[[State, Any], bool]] = {
    "kinds": _kinds,
    "node": _node,
    "hold": _hold,
    "refuse": _refuse,
    "defer": _defer,
    "exclude": _exclude,
    "low": _low,
    "high": _high,
    "missed": _missed,
    "failing": _failing,
    "unformatted": _unformatted,
    "size": _size,
    "member": _member,
    "absent": _absent,
    "item": _item,
    "counted": _counted,
    "twins": _twins,
    "unknown": _unknown,
}
