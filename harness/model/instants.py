"""UTC instants as integer microseconds, and their text.

Integers, because a double near today's Unix time cannot tell one nanosecond from the next.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(at_us: int) -> datetime:
    """Return the aware UTC datetime of ``at_us`` microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at_us)


def from_datetime(moment: datetime) -> int:
    """Return microseconds since 1970; raises ``ValueError`` for a naive datetime."""
    if moment.tzinfo is None:
        msg = "an instant needs a time zone"
        raise ValueError(msg)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_text(at_us: int) -> str:
    """Return RFC 3339 in UTC with milliseconds: ``2026-03-29T00:30:00.000Z``."""
    moment = to_datetime(at_us)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def from_text(text: str) -> int:
    """Read RFC 3339; raises ``ValueError`` when it is no instant or has no offset."""
    return from_datetime(datetime.fromisoformat(text))
