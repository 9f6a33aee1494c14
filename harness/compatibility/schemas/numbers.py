"""Exact bounds and steps: decimals as written, never binary floats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, gcd, lcm

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


@dataclass(frozen=True, slots=True)
class Numbers:
    """A set of numbers: between bounds, on all of ``steps``, on none of ``missed``."""

    low: Bound | None = None
    high: Bound | None = None
    steps: tuple[Fraction, ...] = ()
    missed: tuple[Fraction, ...] = ()
    excluded: frozenset[Fraction] = frozenset()


def pick(numbers: Numbers, *, whole: bool) -> Fraction | None:
    """Return a simple number of the set, or ``None`` when the set is surely empty.

    ``whole`` asks for integers, otherwise for numbers that are none. Raises :class:`LookupError`
    when there are too many candidates to look at them all.
    """
    missed = numbers.missed if whole else (*numbers.missed, Fraction(1))
    steps = (*numbers.steps, Fraction(1)) if whole else numbers.steps
    asked = Numbers(numbers.low, numbers.high, steps, missed, numbers.excluded)
    return _on_grid(asked, _common_step(steps)) if steps else _between(asked)


def _common_step(steps: tuple[Fraction, ...]) -> Fraction:
    return Fraction(lcm(*(s.numerator for s in steps)), gcd(*(s.denominator for s in steps)))


def _on_grid(numbers: Numbers, step: Fraction) -> Fraction | None:
    low = None if numbers.low is None else _index(numbers.low, step, low=True)
    high = None if numbers.high is None else _index(numbers.high, step, low=False)
    if low is not None and high is not None and low > high:
        return None
    if any((step / m).denominator == 1 for m in numbers.missed):
        return None
    start = min(max(0, low if low is not None else 0), high if high is not None else 0)
    if low is not None and high is None:
        start = max(0, low)
    for offset in range(_LOOKED_AT):
        for index in dict.fromkeys((start + offset, start - offset)):
            inside = (low is None or index >= low) and (high is None or index <= high)
            if inside and _free(numbers, index * step):
                return index * step
    if low is not None and high is not None and start - low < _LOOKED_AT > high - start:
        return None
    raise LookupError


def _index(bound: Bound, step: Fraction, *, low: bool) -> int:
    scaled = rounded(Bound(bound.value / step, bound.exclusive), low=low)
    return 0 if scaled is None else int(scaled.value)


def _between(numbers: Numbers) -> Fraction | None:
    low, high = numbers.low, numbers.high
    if low is not None and high is not None and low.value >= high.value:
        single = low.value == high.value and not (low.exclusive or high.exclusive)
        return low.value if single and _free(numbers, low.value) else None
    for value in _near(low, high):
        if _inside(numbers, value) and _free(numbers, value):
            return value
    raise LookupError


def _near(low: Bound | None, high: Bound | None) -> Iterator[Fraction]:
    """Yield simple numbers, then numbers near the ends, then parts of the range."""
    yield from (Fraction(n, 10) for n in (5, -5, 15, 1))
    ends = [b.value for b in (low, high) if b is not None]
    base = floor(ends[0]) if ends else 0
    for parts in (2, 3, 10, 7, 100, 1000):
        yield from (base + Fraction(n, parts) for n in range(-2 * parts, 3 * parts))
    yield from ends
    if len(ends) == 2:
        width = ends[1] - ends[0]
        for parts in (2, 3, 5, 7, 11):
            yield from (ends[0] + width * Fraction(n, parts) for n in range(1, parts))


def _inside(numbers: Numbers, value: Fraction) -> bool:
    low, high = numbers.low, numbers.high
    above = low is None or value > low.value or (value == low.value and not low.exclusive)
    below = high is None or value < high.value or (value == high.value and not high.exclusive)
    return above and below


def _free(numbers: Numbers, value: Fraction) -> bool:
    missed = any((value / m).denominator == 1 for m in numbers.missed)
    return not missed and value not in numbers.excluded


_LOOKED_AT = 2_000
