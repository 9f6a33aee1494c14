"""Accounts: the sellers, shops or companies one simulated system serves, and their regions.

Each account has credentials, data and quotas of its own. A system that nobody gave accounts to
has exactly one, its own default, so that a plain scenario never has to name it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from harness.model.errors import UsageError
from harness.model.values import JsonObject

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """One seller or company. ``host`` is its own host name where the vendor gives it one.

    ``application`` is the program that calls on its behalf: quotas may be counted per
    application, over all accounts.
    """

    id: str
    region: str | None = None
    host: str | None = None
    application: str = "application"
    parameters: Mapping[str, str] = field(default_factory=dict)


class Accounts:
    """All accounts of one system, the default first."""

    def __init__(self, accounts: tuple[Account, ...]) -> None:
        """Keep them in order; raises ``UsageError`` for none at all or a name given twice."""
        self._by_id = {account.id: account for account in accounts}
        if not accounts or len(self._by_id) != len(accounts):
            msg = "a system needs at least one account, each with a name of its own."
            raise UsageError(msg, remedy="Give every account another id.")
        self.default = accounts[0]

    def __iter__(self) -> Iterator[Account]:
        """Yield the accounts, the default first."""
        return iter(self._by_id.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_id)

    def __getitem__(self, account: str | None) -> Account:
        """Return one account, the default for ``None``; raises ``UsageError``."""
        if account is None:
            return self.default
        found = self._by_id.get(account)
        if found is None:
            msg = f"there is no account {account!r}."
            raise UsageError(msg, remedy=f"Accounts: {', '.join(self._by_id)}.")
        return found


class PerAccount(Generic[T]):
    """Something every account has for itself, made when first asked for."""

    def __init__(self, make: Callable[[str], T]) -> None:
        """Make each with ``make``, which is handed the account's id."""
        self._make = make
        self._made: dict[str, T] = {}

    def __getitem__(self, account: str) -> T:
        """Return what this account has."""
        found = self._made.get(account)
        if found is None:
            found = self._made[account] = self._make(account)
        return found

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield (account, thing) of every one made so far, in that order."""
        return iter(self._made.items())


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a vendor: its hosts, and the path under which it serves when it has one."""

    name: str
    hosts: tuple[str, ...] = ()
    base_path: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a request came in: ``None`` where the address does not tell."""

    region: str | None = None
    account: str | None = None


ANY_DOOR = Door()


class Doors:
    """Reads region and account off the address of a request, where the vendor puts them there."""

    def __init__(self, behaviour: JsonObject, accounts: Accounts, system: str) -> None:
        """Read ``accounts.regions`` of ``behaviour.yaml``.

        Raises ``UsageError`` for an account in a region that is not declared.
        """
        declared: Mapping[str, JsonObject] = (behaviour.get("accounts") or {}).get("regions") or {}
        self._system_host = f"{_slug(system)}.test"
        self.regions = {
            name: Region(
                name,
                tuple(str(host).lower() for host in entry.get("hosts", ())),
                str(entry.get("base_path", "")),
            )
            for name, entry in declared.items()
        }
        self._by_host: dict[str, Door] = {}
        for region in self.regions.values():
            for host in (*region.hosts, self._own_host(region.name)):
                self._by_host[host] = Door(region.name)
        for account in accounts:
            if account.region is not None and account.region not in self.regions:
                known = ", ".join(self.regions) or "none"
                msg = f"account {account.id!r} lies in the unknown region {account.region!r}."
                raise UsageError(msg, remedy=f"Regions of this system: {known}.")
            if account.host is not None:
                for host in (account.host.lower(), self._own_host(account.id)):
                    self._by_host[host] = Door(account.region, account.id)
        self._paths = [region for region in self.regions.values() if region.base_path]
        self.tell_apart = bool(self._by_host or self._paths)

    def _own_host(self, name: str) -> str:
        return f"{_slug(name)}.{self._system_host}"

    def enter(self, host: str | None, path: str) -> tuple[Door, str]:
        """Return the door and the path behind it."""
        door = ANY_DOOR
        if host is not None:
            name = host.lower()
            door = self._by_host.get(name) or self._by_host.get(name.rpartition(":")[0], door)
        for region in self._paths:
            base = region.base_path
            if path.startswith(base) and path[len(base) : len(base) + 1] in ("", "/"):
                return Door(region.name, door.account), path[len(base) :] or "/"
        return door, path

    def base_url(self, account: Account, system_url: str) -> str:
        """Return the URL under which a client reaches one account.

        In process an account or region with a host of its own gets one under ``.test``, never
        the vendor's; on the wire all share the address the server listens on. A base path is
        added either way.
        """
        region = self.regions.get(account.region or "")
        base_path = region.base_path if region is not None else ""
        if not system_url.endswith(".test"):
            return system_url + base_path
        if account.host is not None:
            return f"https://{self._own_host(account.id)}{base_path}"
        if region is not None and region.hosts:
            return f"https://{self._own_host(region.name)}{base_path}"
        return system_url + base_path


def _slug(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
