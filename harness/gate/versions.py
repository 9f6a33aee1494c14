"""Version texts of contracts, and the orders they follow.

Numbers (``1``, ``v1.2``, ``1.2.3-rc.1``) say how much changed; calendar versions (``2026-01-01``,
``2026-04``, ``2026.2``, ``2026-Q1``) only say that something did. Other texts have no order here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

_NUMBERS = re.compile(
    r"v?(?P<core>\d{1,9}(?:\.\d{1,9}){0,2})(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_DAY = re.compile(r"v?(?P<y>\d{4})[-./]?(?P<m>\d\d)[-./]?(?P<d>\d\d)(?:-(?P<pre>[A-Za-z][\w.-]*))?")
_MONTH = re.compile(r"v?(?P<y>\d{4})-(?P<m>\d\d)(?:-(?P<pre>[A-Za-z][\w.-]*))?")
_QUARTER = re.compile(r"v?(?P<y>\d{4})[-. ]?[Qq](?P<q>[1-4])")
# Vendors number their releases within a year: 2026.1, 2026.2.
_RELEASE = re.compile(r"v?(?P<y>(?:19|20)\d\d)\.(?P<n>\d{1,2})(?:\.(?P<p>\d{1,5}))?")


class Scheme(StrEnum):
    """How a version text is built; only texts of one scheme can be ordered."""

    NUMBERS = "numbers"
    DAY = "date"
    MONTH = "month"
    QUARTER = "quarter"
    RELEASE = "release of a year"


class Bump(IntEnum):
    """How far one version lies above another; ``RELEASED`` orders pre-releases of one version."""

    NONE = 0
    RELEASED = 1
    PATCH = 2
    MINOR = 3
    MAJOR = 4

    @property
    def word(self) -> str:
        """Return the word a person knows."""
        return "pre-release" if self is Bump.RELEASED else self.name.lower()


@dataclass(frozen=True, slots=True)
class Version:
    """A version that can be ordered. ``numbers`` are as many as were written."""

    text: str
    scheme: Scheme
    numbers: tuple[int, ...]
    pre: tuple[tuple[int, int, str], ...] = ()

    @property
    def core(self) -> tuple[int, int, int]:
        """Return major, minor and patch; what was not written is zero."""
        major, minor, patch = (*self.numbers, 0, 0)[:3]
        return major, minor, patch

    @property
    def unstable(self) -> bool:
        """Say whether this is a 0.x version, which breaks with its second number."""
        return self.scheme is Scheme.NUMBERS and self.numbers[0] == 0 and len(self.numbers) > 1

    def order(self) -> tuple[object, ...]:
        """Return what sorts versions of one scheme; a pre-release stands before its release."""
        return (self.core, not self.pre, self.pre)


def read_version(text: str) -> Version | None:
    """Return the version, ``None`` for a text that follows no order known here."""
    text = text.strip()
    for scheme, pattern in (
        (Scheme.DAY, _DAY),
        (Scheme.MONTH, _MONTH),
        (Scheme.QUARTER, _QUARTER),
        (Scheme.RELEASE, _RELEASE),
        (Scheme.NUMBERS, _NUMBERS),
    ):
        match = pattern.fullmatch(text)
        if match is None:
            continue
        parts = match.groupdict()
        numbers = _numbers(scheme, parts)
        if numbers is None:  # the 13th month is a slip, not a number of another scheme
            return None
        return Version(text, scheme, numbers, _pre_release(parts.get("pre")))
    return None


def _numbers(scheme: Scheme, parts: dict[str, str | None]) -> tuple[int, ...] | None:
    if scheme is Scheme.NUMBERS:
        return tuple(int(n) for n in (parts["core"] or "").split("."))
    numbers = tuple(int(n) for name, n in parts.items() if name != "pre" and n is not None)
    if scheme in {Scheme.DAY, Scheme.MONTH}:
        year, month, day = (*numbers, 1)[:3]
        try:
            date(year, month, day)
        except ValueError:
            return None
    return numbers


def _pre_release(text: str | None) -> tuple[tuple[int, int, str], ...]:
    """Return identifiers in semantic order: numbers by value and before words."""
    if not text:
        return ()
    return tuple(
        (0, int(part), "") if part.isdecimal() and len(part) < 19 else (1, 0, part)
        for part in text.split(".")
    )


def bump(old: Version, new: Version) -> Bump | None:
    """Return how far ``new`` lies above ``old``; ``None`` when it lies below.

    Both must be of one scheme. A calendar version that is later counts as a major step: it says
    nothing finer.
    """
    if new.order() < old.order():
        return None
    if new.order() == old.order():
        return Bump.NONE
    if old.scheme is not Scheme.NUMBERS:
        return Bump.MAJOR
    for level, (before, after) in zip(
        (Bump.MAJOR, Bump.MINOR, Bump.PATCH), zip(old.core, new.core, strict=True), strict=True
    ):
        if before != after:
            return level
    return Bump.RELEASED


def expressible(old: Version, new: Version, demanded: Bump) -> Bump:
    """Return what ``demanded`` means for the numbers that are written.

    ``v1`` to ``v2`` can only say that something broke; nothing finer is asked of it. A 0.x
    version breaks with its second number.
    """
    if old.scheme is not Scheme.NUMBERS:
        return Bump.NONE if demanded <= Bump.PATCH else Bump.MAJOR
    if old.unstable and demanded is Bump.MAJOR:
        return Bump.MINOR
    written = max(len(old.numbers), len(new.numbers))
    finest = {1: Bump.MAJOR, 2: Bump.MINOR}.get(written, Bump.PATCH)
    return demanded if demanded >= finest else Bump.NONE


def next_version(old: Version, demanded: Bump) -> str | None:
    """Return the smallest version that would do; ``None`` where only a person can name it."""
    if old.scheme is not Scheme.NUMBERS or demanded <= Bump.RELEASED:
        return None
    index = {Bump.MAJOR: 0, Bump.MINOR: 1}.get(demanded, 2)
    if index >= len(old.numbers):
        return None
    numbers = [*old.numbers[:index], old.numbers[index] + 1]
    numbers += [0] * (len(old.numbers) - len(numbers))
    prefix = "v" if old.text.startswith("v") else ""
    return prefix + ".".join(map(str, numbers))
