"""Numbers and texts of a claim, once only facts about them are left."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import lru_cache

from jsonschema_rs import Draft202012Validator

from harness.compatibility.schemas import formats, numbers
from harness.compatibility.schemas.claims import State
from harness.compatibility.schemas.languages import (
    NotRegularError,
    Texts,
    TooMuchWorkError,
    machine,
    shortest,
)
from harness.compatibility.schemas.matching import matches
from harness.compatibility.schemas.naming import Outcome
from harness.compatibility.schemas.numbers import Numbers, tighter
from harness.compatibility.schemas.shapes import Shape
from harness.compatibility.schemas.sizes import TEXT_MADE_MAX
from harness.compatibility.schemas.texts import FORMAT_SAMPLES, matching
from harness.model.values import Json

# Texts that most formats refuse, tried when a format must not match.
_JUNK = ("", "a", " ", "\\", "0", "%", "(", "a b", "~", "://", "é")


def number(state: State, shapes: list[Shape], *, whole: bool) -> Outcome:
    """Return a number of the claim, an integer or none."""
    low, high = state.low, state.high
    steps: list[Fraction] = []
    for shape in shapes:
        low = tighter(low, shape.low, low=True)
        high = tighter(high, shape.high, low=False)
        steps += [numbers.exact(s) for s in shape.multiples]
    excluded = (json.loads(text) for text in state.claim.excluded)
    gone = frozenset(numbers.exact(v) for v in excluded if _is_number(v))
    wanted = Numbers(low, high, tuple(dict.fromkeys(steps)), state.missed, gone)
    try:
        value = numbers.pick(wanted, whole=whole)
    except LookupError:
        return Outcome()
    if value is None:
        return Outcome(empty=True)
    return Outcome(found=True, value=numbers.plain(value))


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(state: State, shapes: list[Shape]) -> Outcome:
    """Return a text of the claim."""
    least, most = state.size("string")
    patterns, names = list(state.matching), list[str]()
    for shape in shapes:
        patterns += shape.patterns
        names += shape.formats
        least = max(least, shape.floors.get("minLength", 0))
        limit = shape.ceilings.get("maxLength")
        most = limit if most is None else most if limit is None else min(most, limit)
    if most is not None and most < least:
        return Outcome(empty=True)
    if least > TEXT_MADE_MAX:
        return Outcome()
    excluded = (json.loads(t) for t in state.claim.excluded)
    gone = frozenset(v for v in excluded if isinstance(v, str))
    wanted = _Wanted(
        tuple(dict.fromkeys(patterns)),
        state.failing,
        tuple(dict.fromkeys(names)),
        state.unformatted,
        least,
        most,
        gone,
    )
    return wanted.answer()


class _Wanted:
    """A text that matches and fails patterns and formats."""

    def __init__(
        self,
        patterns: tuple[str, ...],
        failing: tuple[str, ...],
        names: tuple[str, ...],
        refused: tuple[str, ...],
        least: int,
        most: int | None,
        excluded: frozenset[str],
    ) -> None:
        self.patterns, self.failing, self.names, self.refused = patterns, failing, names, refused
        self.least, self.most, self.excluded = least, most, excluded

    def answer(self) -> Outcome:
        if any(formats.keeps(self.names, r) for r in self.refused):
            return Outcome(empty=True)
        outer = [formats.LANGUAGES[n].outer for n in self.names if n in formats.LANGUAGES]
        inner = [formats.LANGUAGES[n].inner for n in self.refused if n in formats.LANGUAGES]
        widest, known = self._shortest((*self.patterns, *outer), (*self.failing, *inner))
        if known and widest is None:
            return Outcome(empty=True)
        for candidate in self._candidates(widest):
            if self._fits(candidate):
                return Outcome(found=True, value=candidate)
        unsure = widest is not None and not self.names and not self.refused
        return Outcome(found=True, value=widest, doubtful=True) if unsure else Outcome()

    def _candidates(self, widest: str | None) -> list[str]:
        found_here: list[str] = []
        inner = [formats.LANGUAGES[n].inner for n in self.names if n in formats.LANGUAGES]
        outer = [formats.LANGUAGES[n].outer for n in self.refused if n in formats.LANGUAGES]
        if inner or outer:
            narrow, _ = self._shortest((*self.patterns, *inner), (*self.failing, *outer))
            found_here += [] if narrow is None else [narrow]
        found_here += [] if widest is None else [widest]
        for name in self.names:
            found_here += FORMAT_SAMPLES.get(name, ())
        found_here += [j.ljust(self.least, "a") for j in _JUNK]
        if self.patterns:
            found_here += matching(self.patterns, self.least, self.most)
        return found_here

    def _shortest(
        self, matching_all: tuple[str, ...], failing: tuple[str, ...]
    ) -> tuple[str | None, bool]:
        """Return the shortest text and whether ``None`` is a proof; odd patterns are left out."""
        regular = tuple(p for p in matching_all if _is_regular(p))
        apart = tuple(p for p in failing if _is_regular(p))
        try:
            return shortest(Texts(regular, apart, self.least, self.most, self.excluded)), True
        except (NotRegularError, TooMuchWorkError):
            return None, False

    def _fits(self, text: str) -> bool:
        return (
            len(text) >= self.least
            and (self.most is None or len(text) <= self.most)
            and text not in self.excluded
            and all(matches(p, text) for p in self.patterns)
            and not any(matches(p, text) for p in self.failing)
            and all(is_of_format(n, text) for n in self.names)
            and not any(is_of_format(n, text) for n in self.refused)
        )


def _is_regular(pattern: str) -> bool:
    try:
        machine(pattern)
    except NotRegularError:
        return False
    return True


def is_of_format(name: str, text: str) -> bool:
    """Say what the validator says of a text and a format."""
    return name not in formats.ASSERTED or _checker(name).is_valid(text)


@lru_cache(maxsize=64)
def _checker(name: str) -> Draft202012Validator:
    return Draft202012Validator({"format": name}, validate_formats=True)
