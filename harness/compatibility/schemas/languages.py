"""Finds the shortest text that some expressions match and others do not, or proves there is none.

Automata are made deterministic on the way and only as far as the search walks, so that a bound on
steps is a bound on everything: a hostile expression costs its limit and the answer "unknown".
Libraries for this build whole automata first (half a second for ``[A-Za-z0-9_]{1,64}``, no bound).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from harness.compatibility.schemas.expressions import (
    ALWAYS,
    AT_END,
    AT_START,
    TOP,
    Automaton,
    NotRegularError,
    automaton,
)

WORK_MAX = 150_000
LENGTH_MAX = 3_000
_PLEASANT = "a0A-_ .x1@/:ZTbBzé"

State = tuple[frozenset[int], bool]


class Point(NamedTuple):
    """Where a search stands: every machine, every excluded text, and the length so far."""

    states: tuple[State, ...]
    trails: tuple[int, ...]
    size: int


class Machine:
    """One expression, read character by character."""

    def __init__(self, source: Automaton) -> None:
        """Walk this automaton; closures and moves are remembered."""
        self._source = source
        self._moves: dict[tuple[State, str], State] = {}
        self._accepts: dict[State, bool] = {}
        self.start: State = (self._closure(frozenset({source.start}), at_start=True), True)
        self.work = 0

    def edges(self) -> Iterable[int]:
        """Yield the characters at which the automaton may begin to act otherwise."""
        for moves in self._source.reading:
            for characters, _ in moves:
                for low, high in characters:
                    yield low
                    if high < TOP:
                        yield high + 1

    def step(self, state: State, character: str) -> State:
        """Return the state after one more character."""
        key = (state, character)
        if key not in self._moves:
            code = ord(character)
            self.work += len(state[0])
            reached = {
                target
                for one in state[0]
                for characters, target in self._source.reading[one]
                if any(low <= code <= high for low, high in characters)
            }
            self._moves[key] = (self._closure(frozenset(reached)), False)
        return self._moves[key]

    def accepts(self, state: State) -> bool:
        """Say whether the text may end here with a match."""
        if state not in self._accepts:
            final = self._closure(state[0], at_start=state[1], at_end=True)
            self._accepts[state] = self._source.accept in final
        return self._accepts[state]

    def settled(self, state: State) -> bool:
        """Say whether every text from here on is a match."""
        return self._source.accept in state[0]

    def _closure(
        self, states: frozenset[int], *, at_start: bool = False, at_end: bool = False
    ) -> frozenset[int]:
        seen = set(states)
        todo = list(states)
        while todo:
            for target, condition in self._source.silent[todo.pop()]:
                met = (
                    condition == ALWAYS
                    or (condition == AT_START and at_start)
                    or (condition == AT_END and at_end)
                )
                if met and target not in seen:
                    seen.add(target)
                    todo.append(target)
        return frozenset(seen)


@lru_cache(maxsize=512)
def machine(pattern: str) -> Machine:
    """Return the machine of an expression. Raises :class:`NotRegularError`."""
    return Machine(automaton(pattern))


@dataclass(frozen=True, slots=True)
class Texts:
    """A set of texts: all of ``matching``, none of ``failing``, none of ``excluded``."""

    matching: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    length_min: int = 0
    length_max: int | None = None
    excluded: frozenset[str] = field(default_factory=frozenset)


class TooMuchWorkError(Exception):
    """The search was given up; nothing is known."""


def shortest(texts: Texts) -> str | None:
    """Return the shortest text of the set, or ``None`` when the set is surely empty.

    Raises :class:`NotRegularError` for an expression outside the regular subset and
    :class:`TooMuchWorkError` when the bound on work was reached.
    """
    if texts.length_max is not None and texts.length_max < texts.length_min:
        return None
    if texts.length_min > LENGTH_MAX or len(texts.excluded) > 500:
        raise TooMuchWorkError
    return _Search(texts).run()


class _Search:
    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._positive = [machine(p) for p in texts.matching]
        self._negative = [machine(p) for p in texts.failing]
        self._machines = [*self._positive, *self._negative]
        self._excluded = sorted(texts.excluded)
        self._characters = self._alphabet()
        self._work = 0

    def _alphabet(self) -> str:
        """Return one character for each set of characters that nobody tells apart."""
        edges = {0, *(e for m in self._machines for e in m.edges())}
        for text in self._excluded:
            edges |= {e for c in text for e in (ord(c), ord(c) + 1)}
        cuts = sorted(e for e in edges if e <= TOP)
        found = []
        for low, following in zip(cuts, [*cuts[1:], TOP + 1], strict=True):
            nice = (c for c in _PLEASANT if low <= ord(c) < following)
            code = low if low >= 32 or following <= 33 else 33
            if 0xD800 <= code <= 0xDFFF:
                code = 0xE000
            found.append(next(nice, chr(code) if code < following else ""))
        order = {c: i for i, c in enumerate(_PLEASANT)}
        return "".join(sorted(filter(None, found), key=lambda c: (order.get(c, 99), c)))

    def run(self) -> str | None:
        start = Point(tuple(m.start for m in self._machines), (0,) * len(self._excluded), 0)
        parents: dict[Point, tuple[Point, str]] = {start: (start, "")}
        todo: deque[tuple[Point, int]] = deque([(start, 0)])
        limit = self._texts.length_max
        while todo:
            state, size = todo.popleft()
            if self._accepted(state):
                return self._text(state, parents)
            if limit is not None and size >= limit:
                continue
            for character in self._characters:
                following = self._following(state, character)
                if following is not None and following not in parents:
                    parents[following] = (state, character)
                    todo.append((following, size + 1))
        return None

    def _accepted(self, state: Point) -> bool:
        states, trails, size = state
        count = len(self._positive)
        return (
            size >= self._texts.length_min
            and not any(t == len(e) for t, e in zip(trails, self._excluded, strict=True))
            and all(m.accepts(s) for m, s in zip(self._positive, states, strict=False))
            and not any(m.accepts(s) for m, s in zip(self._negative, states[count:], strict=True))
        )

    def _following(self, state: Point, character: str) -> Point | None:
        states, trails, size = state
        reached = []
        for position, (one, at) in enumerate(zip(self._machines, states, strict=True)):
            before = one.work
            following = one.step(at, character)
            self._work += 1 + one.work - before
            positive = position < len(self._positive)
            if (positive and not following[0]) or (not positive and one.settled(following)):
                return None
            reached.append(following)
        if self._work > WORK_MAX:
            raise TooMuchWorkError
        moved = tuple(
            t + 1 if 0 <= t < len(e) and e[t] == character else -1
            for t, e in zip(trails, self._excluded, strict=True)
        )
        return Point(tuple(reached), moved, min(size + 1, self._texts.length_min))

    def _text(self, state: Point, parents: dict[Point, tuple[Point, str]]) -> str:
        letters = []
        while parents[state][1]:
            state, letter = parents[state]
            letters.append(letter)
        return "".join(reversed(letters))


__all__ = ["NotRegularError", "Texts", "TooMuchWorkError", "machine", "shortest"]
