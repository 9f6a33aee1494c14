"""What a list shows later than a detail: read views that lag, drawn from the seed.

A lag is a hash of (operation, row, instant of the change), not a draw: asking twice gives the
same answer, and one more row never changes when another appears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from harness.model.errors import MetadataError
from harness.model.instants import SECOND_US
from harness.model.ports import Streams
from harness.model.values import JsonObject
from mocks.kit.calls import Call

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lag:
    """How late one view is: ``share`` of the changes appear after least to most microseconds."""

    least_us: int
    most_us: int
    share: float = 1.0


def read_lag(value: Any, share: float, what: str) -> Lag:
    """Read a number of seconds or ``[least, most]``; raises ``MetadataError``."""
    try:
        least, most = value if isinstance(value, list | tuple) else (value, value)
        span = (int(least * SECOND_US), int(most * SECOND_US))
    except (TypeError, ValueError):
        span = (-1, -1)
    if not 0 <= span[0] <= span[1] or not 0.0 <= share <= 1.0:
        msg = f"{what} is {value!r} for a share of {share!r}."
        raise MetadataError(msg, remedy="Give seconds, or [least, most], and a share from 0 to 1.")
    return Lag(*span, share)


@dataclass(frozen=True, slots=True)
class _View:
    """One declared view; empty ``accounts`` and ``regions`` mean all."""

    operations: tuple[str, ...]
    lag: Lag
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def covers(self, address: str, account: str | None, region: str | None) -> bool:
        return (
            ("*" in self.operations or address in self.operations)
            and (not self.accounts or account in self.accounts)
            and (not self.regions or region in self.regions)
        )


class Visibility:
    """The read views of one system; everything is seen at once where nothing is declared."""

    def __init__(
        self, behaviour: JsonObject, settings: Mapping[str, Any], streams: Streams, system: str
    ) -> None:
        """Read ``visibility``; the setting ``list_lag_seconds`` overrides every view."""
        rules: Mapping[str, Any] = behaviour.get("visibility") or {}
        everywhere = settings.get("list_lag_seconds", rules.get("list_lag_seconds", 0))
        self._everywhere = read_lag(everywhere, 1.0, "list_lag_seconds")
        declared = () if "list_lag_seconds" in settings else rules.get("views", ())
        self._declared = tuple(
            _View(
                operations=tuple(view["operations"]),
                lag=read_lag(view["lag_seconds"], float(view.get("share", 1)), "lag_seconds"),
                regions=tuple(view.get("regions", ())),
            )
            for view in declared
        )
        self._views = self._declared
        self._purpose = f"visibility/{system}"
        self._streams = streams
        self._drawn: str | None = None

    @property
    def _salt(self) -> str:
        if self._drawn is None:
            self._drawn = format(self._streams.stream(self._purpose).randrange(0, 2**64), "x")
        return self._drawn

    def delay(
        self,
        seconds: Any,
        *,
        operations: tuple[str, ...] = ("*",),
        share: float = 1.0,
        accounts: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
    ) -> None:
        """Let lists lag from now on, for all or for some accounts and regions."""
        lag = read_lag(seconds, share, "lag_seconds")
        self._views = (_View(operations, lag, accounts, regions), *self._views)

    def restore(self) -> None:
        """Go back to what is declared."""
        self._views = self._declared

    def lag(self, address: str, account: str | None = None, region: str | None = None) -> Lag:
        """Return how late the view of one operation is."""
        for view in self._views:
            if view.covers(address, account, region):
                return view.lag
        return self._everywhere

    def seen_from_us(
        self,
        address: str,
        key: str,
        changed_us: int,
        *,
        account: str | None = None,
        region: str | None = None,
    ) -> int:
        """Return the instant from which this operation shows this change of this row."""
        lag = self.lag(address, account, region) if self._views else self._everywhere
        if not lag.most_us:
            return changed_us
        if lag.least_us == lag.most_us and lag.share >= 1.0:
            return changed_us + lag.most_us
        text = f"{self._salt}|{address}|{account or ''}|{key}|{changed_us}".encode()
        drawn = hashlib.blake2b(text, digest_size=16).digest()
        if int.from_bytes(drawn[:8], "big") >= int(lag.share * 2**64):
            return changed_us
        span = lag.most_us - lag.least_us + 1
        return changed_us + lag.least_us + int.from_bytes(drawn[8:], "big") % span

    def sees(self, call: Call, key: str, changed_us: int, now_us: int | None = None) -> bool:
        """Say whether this list call already shows this change of this row.

        ``now_us`` is another moment than the call's own, for walks frozen when they started.
        """
        if not self._views and not self._everywhere.most_us:
            return (call.now_us if now_us is None else now_us) >= changed_us
        seen_us = self.seen_from_us(
            call.address, key, changed_us, account=call.account, region=call.region
        )
        return (call.now_us if now_us is None else now_us) >= seen_us


class ListView(Generic[T]):
    """A list that shows each row as of a while ago; details read the row itself.

    ``note`` every change of a row with what a list would show of it; ``rows`` returns what the
    list shows now. Versions that no view can show any more are forgotten.
    """

    def __init__(
        self,
        visibility: Visibility,
        address: str,
        *,
        account: str | None = None,
        region: str | None = None,
    ) -> None:
        """Show rows as late as ``visibility`` says for the operation at ``address``."""
        self._visibility = visibility
        self._address = address
        self._account = account
        self._region = region
        self._versions: dict[str, list[tuple[int, int, T]]] = {}

    def note(self, key: str, shown: T, now_us: int) -> None:
        """Take in a row as it is from ``now_us`` on."""
        seen_us = self._visibility.seen_from_us(
            self._address, key, now_us, account=self._account, region=self._region
        )
        versions = self._versions.setdefault(key, [])
        # A later version is never seen before an earlier one: replicas apply changes in order.
        if versions:
            seen_us = max(seen_us, versions[-1][1])
        versions.append((now_us, seen_us, shown))
        current = [i for i, (_, seen, _) in enumerate(versions) if seen <= now_us]
        if current:
            del versions[: current[-1]]

    def rows(self, now_us: int) -> Iterator[tuple[str, int, T]]:
        """Yield (key, instant of the change shown, row), oldest row first."""
        for key, versions in self._versions.items():
            seen = [version for version in versions if version[1] <= now_us]
            if seen:
                yield key, seen[-1][0], seen[-1][2]
