"""Reads the ``filter`` parameter: ``name:[a..b]`` for spans of time, ``name:{A|B}`` for choices."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from harness.model.instants import from_text
from mocks.kit.calls import RefusalKind, Refused

_TERM = re.compile(r"([A-Za-z]+):(?:\[([^\]]*)\]|\{([^}]*)\})(?:,|$)")
_LENGTH_MAX = 4096


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time in microseconds, both ends included, ``None`` where it is open."""

    from_us: int | None
    until_us: int | None

    def holds(self, at_us: int) -> bool:
        """Say whether an instant lies in it."""
        after = self.from_us is None or at_us >= self.from_us
        return after and (self.until_us is None or at_us <= self.until_us)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was understood: spans and choices by name."""

    spans: dict[str, Span] = field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def allows(self, name: str, value: str | None) -> bool:
        """Say whether a value passes; everything does where nothing was asked."""
        wanted = self.choices.get(name)
        return wanted is None or value in wanted

    def within(self, name: str, at_us: int) -> bool:
        """Say whether an instant passes."""
        span = self.spans.get(name)
        return span is None or span.holds(at_us)


def read_filter(
    text: str | None, *, spans: Collection[str] = (), choices: Collection[str] = ()
) -> Filter:
    """Return a filter; refuses words it does not know and text that is no filter."""
    found = Filter()
    at, text = 0, (text or "").strip()
    if len(text) > _LENGTH_MAX:
        raise Refused(RefusalKind.INVALID, f"filter is longer than {_LENGTH_MAX} characters.")
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None:
            msg = "filter must be terms such as name:[from..to] or name:{A|B}, joined by commas."
            raise Refused(RefusalKind.INVALID, msg)
        name, span, choice = term.groups()
        if span is not None and name in spans:
            found.spans[name] = _span(name, span)
        elif choice is not None and name in choices:
            found.choices[name] = tuple(part.strip() for part in choice.split("|"))
        else:
            known = ", ".join([*(f"{n}:[..]" for n in spans), *(f"{n}:{{..}}" for n in choices)])
            raise Refused(RefusalKind.INVALID, f"filter knows {known}, not {name} like this.")
        at = term.end()
    return found


def _span(name: str, text: str) -> Span:
    if ".." not in text:
        return Span(_instant(name, text), None)
    first, _, last = text.partition("..")
    span = Span(_instant(name, first), _instant(name, last))
    if None not in (span.from_us, span.until_us) and (span.from_us or 0) > (span.until_us or 0):
        raise Refused(RefusalKind.INVALID, f"{name} ends before it starts.")
    return span


def _instant(name: str, text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return from_text(text.strip())
    except (ValueError, OverflowError) as error:
        msg = f"{name} must be instants in UTC such as 2026-11-20T09:58:00.000Z."
        raise Refused(RefusalKind.INVALID, msg) from error
