"""Announced ends: how a sunset is read, and when what it announced may happen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from harness.compatibility.exchanges.pairing import Structural
from harness.model.contract import Contract, Operation
from harness.model.finding import Proof, Verdict
from harness.model.values import Json

SUNSET_NAMES = ("x-sunset", "x-sunset-date")


@dataclass(frozen=True, slots=True)
class Calendar:
    """What dates are measured against.

    ``today`` is ``None`` when nobody said; then no date has passed. ``grace_days`` must go by
    after a sunset before a removal is in order, ``notice_days`` between an announcement and its
    sunset.
    """

    today: date | None = None
    grace_days: int = 0
    notice_days: int = 0

    def over(self, sunset: date) -> bool:
        """Say whether a sunset and the days of grace after it have gone by."""
        return self.today is not None and sunset + _days(self.grace_days) <= self.today

    def ahead(self, sunset: date) -> bool:
        """Say whether a sunset still lies ahead, days of grace included."""
        return self.today is not None and not self.over(sunset)

    def too_soon(self, sunset: date) -> bool:
        """Say whether a sunset announced today leaves less than the days of notice."""
        return self.today is not None and sunset < self.today + _days(self.notice_days)


def sunset_text(words: Mapping[str, Json]) -> Json:
    """Return what is written where a sunset is announced; ``None`` when none is."""
    return next((words[name] for name in SUNSET_NAMES if words.get(name) is not None), None)


def sunset_of(words: Mapping[str, Json]) -> date | None:
    """Return the announced day; a date-time counts by its day. ``None`` when there is none."""
    text = sunset_text(words)
    if not isinstance(text, str):
        return None
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def may_be_removed(operation: Operation, calendar: Calendar) -> bool:
    """Say whether an operation was deprecated, and its sunset and grace have gone by."""
    sunset = sunset_of(operation.extensions)
    return operation.deprecated and sunset is not None and calendar.over(sunset)


def announced(items: Iterable[Structural], old: Contract, calendar: Calendar) -> list[Structural]:
    """Return the differences; a removal whose time had come is a note of policy among them."""
    due = {o.label: o for o in old.operations if may_be_removed(o, calendar)}
    return list(_noted(items, due))


def _noted(items: Iterable[Structural], gone: Mapping[str, Operation]) -> Iterator[Structural]:
    for item in items:
        operation = gone.get(item.operation)
        if item.rule != "operation-removed" or operation is None:
            yield item
            continue
        text = sunset_text(operation.extensions)
        yield replace(
            item,
            rule="operation-removed-after-sunset",
            verdict=Verdict.COMPATIBLE,
            message=f"{operation.label} is gone; its end was announced for {text}.",
            exchange=None,
            proof=Proof.NONE,
        )


def _days(count: int) -> timedelta:
    return timedelta(days=count)
