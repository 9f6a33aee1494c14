"""Money in whole minor units: exponents of currencies, rounding, shares that add up, taxes.

No float and no rounded intermediate value: rates are fractions, amounts are integers of the
currency's smallest unit, and what is divided among lines is divided without a rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from fractions import Fraction

# Digits behind the point (ISO 4217); every currency that is not here has two.
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
ROUNDINGS = ("half_up", "half_even", "down")


def exponent(currency: str) -> int:
    """Return the digits behind the point of a currency."""
    return _EXPONENTS.get(currency, 2)


def rounded(value: Fraction, rounding: str = "half_up") -> int:
    """Return a whole number; halves go away from zero, to the even one, or all towards zero."""
    whole, rest = divmod(abs(value.numerator), value.denominator)
    up = 2 * rest > value.denominator
    if 2 * rest == value.denominator:
        up = rounding == "half_up" or (rounding == "half_even" and whole % 2 == 1)
    if rounding == "down":
        up = False
    size = whole + 1 if up else whole
    return -size if value < 0 else size


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount; ``minor`` counts cents, yen or fils. Currencies never mix."""

    currency: str
    minor: int

    @staticmethod
    def of(text: str, currency: str) -> Money:
        """Read decimal text; raises ``ValueError`` for more digits than the currency has."""
        try:
            value = Decimal(text).scaleb(exponent(currency))
            minor = int(value)
        except (DecimalException, ValueError, OverflowError) as error:
            msg = f"{text!r} is no amount"
            raise ValueError(msg) from error
        if minor != value:
            msg = f"{text} has more digits than {currency} has"
            raise ValueError(msg)
        return Money(currency, minor)

    def text(self) -> str:
        """Return decimal text with the currency's digits: ``10.00``, ``1000``, ``0.500``."""
        digits = exponent(self.currency)
        sign, size = ("-" if self.minor < 0 else ""), abs(self.minor)
        if not digits:
            return f"{sign}{size}"
        whole, rest = divmod(size, 10**digits)
        return f"{sign}{whole}.{rest:0{digits}d}"

    def __add__(self, other: Money) -> Money:
        """Add; raises ``ValueError`` for another currency."""
        if other.currency != self.currency:
            msg = f"{self.currency} and {other.currency} do not add up"
            raise ValueError(msg)
        return Money(self.currency, self.minor + other.minor)

    def __neg__(self) -> Money:
        """Return the same with the other sign."""
        return Money(self.currency, -self.minor)

    def __sub__(self, other: Money) -> Money:
        """Subtract; raises ``ValueError`` for another currency."""
        return self + -other

    def times(self, rate: Fraction | int, rounding: str = "half_up") -> Money:
        """Return a share or multiple, rounded once."""
        return Money(self.currency, rounded(Fraction(self.minor) * rate, rounding))

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Divide by weights so that the parts add up; the largest rests get the last units.

        Raises ``ValueError`` for no weights, negative ones or none above zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            msg = "an amount is divided by weights of zero or more, not all of them zero"
            raise ValueError(msg)
        size, sign = abs(self.minor), (-1 if self.minor < 0 else 1)
        parts = [size * weight // total for weight in weights]
        rests = [size * weight % total for weight in weights]
        order = sorted(range(len(parts)), key=lambda at: (-rests[at], at))
        for at in order[: size - sum(parts)]:
            parts[at] += 1
        return [Money(self.currency, sign * part) for part in parts]


@dataclass(frozen=True, slots=True)
class Taxed:
    """A price taken apart: ``net + tax == gross``, always."""

    net: Money
    tax: Money
    gross: Money


@dataclass(frozen=True, slots=True)
class Tax:
    """A rate on the net amount; ``included`` when prices already hold it."""

    rate: Fraction
    included: bool = False
    rounding: str = "half_up"

    def apply(self, price: Money) -> Taxed:
        """Take a price apart, rounding the tax and nothing else."""
        if self.included:
            tax = price.times(self.rate / (1 + self.rate), self.rounding)
            return Taxed(price - tax, tax, price)
        tax = price.times(self.rate, self.rounding)
        return Taxed(price, tax, price + tax)
