"""Exact bounds and steps: decimals as written, never binary floats."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from harness.model.values import Json


def exact(value: int | float) -> Fraction:
    """Return the number as it is spelled: 0.1 is one tenth."""
    return Fraction(Decimal(repr(value))) if isinstance(value, float) else Fraction(value)


def plain(value: Fraction) -> int | float:
    """Return a JSON number, an integer where it is one."""
    return value.numerator if value.denominator == 1 else float(value)


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range."""

    value: Fraction
    exclusive: bool

    @staticmethod
    def of(value: int | float, *, exclusive: bool) -> Bound:
        """Read a bound from a schema."""
        return Bound(exact(value), exclusive)

    def to_json(self) -> Json:
        """Return the bound as a person reads it."""
        number = plain(self.value)
        return {"exclusive": number} if self.exclusive else number


def tighter(known: Bound | None, other: Bound | None, *, low: bool) -> Bound | None:
    """Return the narrower of two bounds on the same end."""
    if known is None or other is None:
        return other if known is None else known
    if known.value == other.value:
        return known if known.exclusive else other
    if low:
        return known if known.value > other.value else other
    return known if known.value < other.value else other


def rounded(bound: Bound | None, *, low: bool) -> Bound | None:
    """Return the bound that says the same about integers, inclusive."""
    if bound is None:
        return None
    whole = ceil(bound.value) if low else floor(bound.value)
    if bound.exclusive and whole == bound.value:
        whole += 1 if low else -1
    return Bound(Fraction(whole), exclusive=False)


def within(writer: Bound | None, reader: Bound | None, *, low: bool) -> bool:
    """Say whether everything past the writer's bound is past the reader's too."""
    if reader is None:
        return True
    if writer is None:
        return False
    return tighter(writer, reader, low=low) == writer or writer == reader


def is_multiple(value: Json, step: int | float) -> bool:
    """Say exactly whether a number is a multiple of a step."""
    return (exact(value) / exact(step)).denominator == 1


def candidates(low: Bound | None, high: Bound | None) -> list[int | float]:
    """Return telling numbers near the ends of a range and near zero, simple ones first."""
    found: list[Fraction] = []
    for bound in (low, high):
        if bound is not None:
            found += [bound.value + d for d in _STEPS]
    found += [Fraction(n) for n in (0, 1, -1, 2)] + [Fraction(1, 2), Fraction(-1, 2)]
    return [plain(f) for f in dict.fromkeys(found)]


_STEPS = tuple(
    Fraction(n, d) for n, d in ((0, 1), (1, 1), (-1, 1), (1, 2), (-1, 2), (1, 100), (-1, 100))
)
