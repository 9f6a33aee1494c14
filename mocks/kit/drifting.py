"""Which drift packs are switched on, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.ports import Streams
from harness.model.values import Json, JsonObject
from mocks.kit.shapes import DriftPack


@dataclass(frozen=True, slots=True)
class _Active:
    source: JsonObject
    pack: DriftPack
    accounts: tuple[str, ...]
    regions: tuple[str, ...]

    def reaches(self, account: str | None, region: str | None) -> bool:
        in_account = not self.accounts or account in self.accounts
        return in_account and (not self.regions or region in self.regions)


class Drifting:
    """The packs of one system. Several may be on, each for all or for some of the accounts."""

    def __init__(self, streams: Streams, system: str) -> None:
        """Start with the contract's own shape."""
        self._streams = streams
        self._system = system
        self._active: list[_Active] = []

    def __bool__(self) -> bool:
        """Say whether any pack is on."""
        return bool(self._active)

    def switch(
        self,
        pack: JsonObject | None,
        *,
        accounts: tuple[str, ...] = (),
        regions: tuple[str, ...] = (),
    ) -> None:
        """Put ``pack`` in the place of the one these accounts and regions had.

        ``None`` takes that one away; ``None`` for everybody takes all away. A pack that names
        ``regions`` itself reaches no others.
        """
        everybody = not accounts and not regions
        if pack is None and everybody:
            self._active.clear()
            return
        regions = regions or tuple((pack or {}).get("regions", ()))
        selected = (accounts, regions)
        self._active = [a for a in self._active if (a.accounts, a.regions) != selected]
        if pack is not None:
            stream = self._streams.stream(f"drift/{self._system}")
            self._active.append(_Active(pack, DriftPack(pack, stream), accounts, regions))

    def restore(self, packs: list[tuple[JsonObject, tuple[str, ...], tuple[str, ...]]]) -> None:
        """Switch on exactly what :meth:`packs` returned before."""
        self._active.clear()
        for pack, accounts, regions in packs:
            self.switch(pack, accounts=accounts, regions=regions)

    def packs(self) -> list[tuple[JsonObject, tuple[str, ...], tuple[str, ...]]]:
        """Return the packs that are on, each with the accounts and regions it is on for."""
        return [(active.source, active.accounts, active.regions) for active in self._active]

    def apply(
        self, address: str, status: int, body: Json, account: str | None, region: str | None
    ) -> Json:
        """Return the body as this account sees it."""
        for active in self._active:
            if active.reaches(account, region):
                body = active.pack.apply(address, status, body)
        return body
