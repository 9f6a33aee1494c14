"""How a system shows its quotas: which header, what it says, on which answers, and how it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING

from harness.model.exchange import Headers
from harness.model.instants import SECOND_US, to_datetime, to_text
from harness.model.values import JsonObject

if TYPE_CHECKING:
    from mocks.kit.quotas import Caller, Quota


def retry_after(manner: str, wait_us: int, now_us: int) -> Headers:
    """Return the ``Retry-After`` of a refused call in the declared manner."""
    seconds = max(1, -(-wait_us // SECOND_US))
    if manner == "seconds":
        return (("retry-after", str(seconds)),)
    if manner == "decimal":
        return (("retry-after", f"{seconds}.0"),)
    if manner == "date":
        moment = to_datetime(now_us + seconds * SECOND_US)
        return (("retry-after", format_datetime(moment, usegmt=True)),)
    if manner == "wrong":  # too short: seen in the wild, and a client must survive it
        return (("retry-after", "0"),)
    return ()


@dataclass(frozen=True, slots=True)
class _Shown:
    name: str
    shows: str
    quota: str | None
    statuses: tuple[str, ...]
    factor: float

    def speaks_of(self, status: int) -> bool:
        text = str(status)
        return any(s == text or (s[1:] == "XX" and s[0] == text[0]) for s in self.statuses)

    def fits(self, quota: Quota) -> bool:
        if self.quota is not None:
            return quota.id == self.quota
        if self.shows == "rate":
            return quota.kind in ("token_bucket", "leaky_bucket")
        return quota.kind != "concurrency"


class QuotaHeaders:
    """The headers of one system."""

    def __init__(self, behaviour: JsonObject) -> None:
        """Read ``limit_header`` (the rate, in one header) and ``quota_headers``."""
        entries = list(behaviour.get("quota_headers") or ())
        if behaviour.get("limit_header"):
            entries.insert(0, {"shows": "rate", **behaviour["limit_header"]})
        self._shown = tuple(
            _Shown(
                name=str(entry["name"]).lower(),
                shows=str(entry["shows"]),
                quota=entry.get("quota"),
                statuses=tuple(str(status) for status in entry.get("statuses", ("2XX",))),
                factor=float(entry.get("factor", 1)),
            )
            for entry in entries
        )
        self.declared = bool(self._shown)
        self._by_status: dict[int, tuple[_Shown, ...]] = {}

    def shown(
        self, quotas: Sequence[Quota], caller: Caller, status: int, now_us: int, factor: float
    ) -> Headers:
        """Return the headers of one answer."""
        made: list[tuple[str, str]] = []
        headers = self._by_status.get(status)
        if headers is None:
            headers = tuple(header for header in self._shown if header.speaks_of(status))
            self._by_status[status] = headers
        for header in headers:
            for quota in quotas:
                if header.fits(quota):
                    text = _text(header.shows, quota, caller, now_us, header.factor * factor)
                    made.append((header.name, text))
                    break
        return tuple(made)


def _text(shows: str, quota: Quota, caller: Caller, now_us: int, factor: float) -> str:
    if shows == "rate":
        return quota.rate_text if factor == 1 else repr(float(quota.rate) * factor)
    now = quota.counter(caller, now_us).standing(now_us)
    remaining = max(0, int(now.remaining * factor)) if factor != 1 else now.remaining
    remaining = min(remaining, now.limit)
    seconds = -(-now.reset_us // SECOND_US)
    texts = {
        "limit": str(now.limit),
        "remaining": str(remaining),
        "used": str(now.limit - remaining),
        "used_of_limit": f"{now.limit - remaining}/{now.limit}",
        "reset_seconds": str(seconds),
        "reset_at_seconds": str(-(-(now_us + now.reset_us) // SECOND_US)),
        "reset_at_ms": str((now_us + now.reset_us) // 1000),
        "reset_at": to_text(now_us + now.reset_us),
    }
    return texts[shows]
