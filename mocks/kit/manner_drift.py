"""Drift of manners: quotas cut, settings changed, versions exchanged, operations withdrawn.

No schema shows these changes, and they break clients all the same. A drift pack lists them under
``manners``; taking the pack away puts back what it changed and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.model.errors import MetadataError
from harness.model.values import JsonObject
from mocks.kit.accounts import Account
from mocks.kit.calls import RefusalKind, Refused
from mocks.kit.quotas import Quotas
from mocks.kit.routing import Router
from mocks.kit.simulator import Simulator

_KINDS = ("quota", "setting", "serve", "withdraw")


@dataclass(frozen=True, slots=True)
class _Withdrawn:
    operations: tuple[str, ...]
    status: int
    reaches: Callable[[Account], bool]


class MannerDrift:
    """The manners of one system that drift packs have changed."""

    def __init__(self, simulator: Simulator, quotas: Quotas, router: Router) -> None:
        """Change nothing yet."""
        self._simulator = simulator
        self._quotas = quotas
        self._router = router
        self._undo: list[Callable[[int], None]] = []
        self.withdrawn: list[_Withdrawn] = []

    def play(
        self, packs: list[tuple[JsonObject, tuple[str, ...], tuple[str, ...]]], now_us: int
    ) -> None:
        """Put everything back, then change what these packs say, each for its accounts and regions.

        Raises ``MetadataError`` for a change that is not known or cannot be had for some only.
        """
        for undo in reversed(self._undo):
            undo(now_us)
        self._undo.clear()
        self.withdrawn.clear()
        for pack, accounts, regions in packs:
            for change in pack.get("manners", ()):
                self._change(change, accounts, regions, now_us)
        self._simulator.manners.keys.reread()

    def _change(
        self, change: JsonObject, accounts: tuple[str, ...], regions: tuple[str, ...], now_us: int
    ) -> None:
        kind = str(change["do"])

        def reaches(account: Account) -> bool:
            in_account = not accounts or account.id in accounts
            return in_account and (not regions or account.region in regions)

        if kind == "withdraw":
            operations = tuple(change["operations"])
            self.withdrawn.append(_Withdrawn(operations, int(change["status"]), reaches))
        elif kind == "quota":
            some = bool(accounts or regions)
            mine = [a.id for a in self._simulator.accounts if reaches(a)] if some else [None]
            for account in mine:
                self._cut(change, account, now_us)
        elif accounts or regions or kind not in _KINDS:
            msg = f"a drift pack cannot {kind!r} manners for some accounts or regions only."
            raise MetadataError(msg, remedy="Switch it on for everybody, or use quota, withdraw.")
        elif kind == "setting":
            self._set(str(change["name"]), change["value"])
        else:
            self._serve(str(change["api"]), str(change["version"]))

    def _cut(self, change: JsonObject, account: str | None, now_us: int) -> None:
        name = str(change["quota"])
        values: Mapping[str, Any] = {
            "rate": change.get("rate_per_second"),
            "burst": change.get("limit"),
            "slots": change.get("limit"),
        }
        self._quotas.squeeze(name, now_us, **values, account=account)
        self._undo.append(lambda at_us: self._quotas.squeeze(name, at_us, account=account))

    def _set(self, name: str, value: Any) -> None:
        settings = self._simulator.settings
        had, old = name in settings, settings.get(name)
        settings[name] = value

        def undo(_now_us: int) -> None:
            if had:
                settings[name] = old
            else:
                settings.pop(name, None)

        self._undo.append(undo)

    def _serve(self, api: str, version: str) -> None:
        old = self._router.serving(api)
        self._router.serve(api, version)
        self._undo.append(lambda _now_us: self._router.serve(api, old))

    def check(self, address: str, account: Account) -> None:
        """Refuse a call to an operation that was withdrawn from this account."""
        for gone in self.withdrawn:
            if address in gone.operations and gone.reaches(account):
                msg = f"{address} was withdrawn (drift pack)"
                raise Refused(RefusalKind.UNKNOWN_PATH, msg, status=gone.status, reason="withdrawn")
