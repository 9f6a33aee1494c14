"""Addresses that are not listed any more, judged by the URLs of the calls and not by their text.

A server with variables stands for all its addresses: one for each listed value, the default and
any other text where nothing is listed. A base path that moved into the paths changes no URL at
all. A relative address names no host: it lives wherever the contract is published, so only its
path is compared.

Policy: a call that has no described address left breaks, and so does one whose address gave way to
a new one, since the service moved and its clients did not. Where the list only became shorter,
another address of theirs still serves them, and the change is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

from harness.compatibility.exchanges.calls import Calls
from harness.compatibility.exchanges.pairing import PLACEHOLDER, Structural, Walk
from harness.compatibility.exchanges.paths import fits
from harness.model.contract import Operation, Server
from harness.model.finding import Direction, Proof, Sides, Verdict

ADDRESSES_MAX = 64
OPEN = "{}"
NO_SERVER = Server("", "")
_Pair = tuple[Operation, Operation]


@dataclass(frozen=True, slots=True)
class _Address:
    """One address of a server; ``whole`` says that no other value was to be chosen."""

    server: Server
    url: str
    whole: bool


def compare_servers(walk: Walk, pairs: list[_Pair], calls: Calls) -> None:
    """Report each old address under which calls that remain are not found any more."""
    lost: dict[str, list[tuple[_Address, _Pair]]] = {}
    stranded: set[int] = set()
    for pair in pairs:
        before, after = pair
        if before.servers == after.servers and before.path == after.path:
            continue
        addresses = _addresses(before.servers or (NO_SERVER,))
        gone = [a for a in addresses if not _served(a, before, after)]
        if gone and (len(gone) == len(addresses) or _newcomer(before, after)):
            stranded.add(id(before))
        for address in gone:
            lost.setdefault(address.url, []).append((address, pair))
    for found in lost.values():
        _report(walk, found, stranded, calls, total=len(pairs))


def _report(
    walk: Walk,
    found: list[tuple[_Address, _Pair]],
    stranded: set[int],
    calls: Calls,
    *,
    total: int,
) -> None:
    worst = [(a, p) for a, p in found if id(p[0]) in stranded]
    address, (before, after) = (worst or found)[0]
    listed = [s.url for s in after.servers]
    shown = address.url.replace(OPEN, "...") or "the root of the host"
    exchange = calls.call(before, server=address.url.replace(OPEN, "any")) if worst else None
    for _, (operation, _) in (worst or found) if len(found) < total else [(worst or found)[0]]:
        walk.structural.append(
            Structural(
                "server-removed" if address.whole else "server-variable-value-removed",
                Verdict.BREAKING if worst else Verdict.COMPATIBLE,
                operation.label if len(found) < total else "",
                f"The address {shown} is not listed any more.",
                Direction.REQUEST,
                old=address.url,
                new=listed,
                pointer=Sides(
                    address.server.pointer or operation.pointer,
                    after.servers[0].pointer if after.servers else None,
                ),
                exchange=exchange,
                proof=Proof.STRUCTURE if worst else Proof.NONE,
            )
        )


def _newcomer(before: Operation, after: Operation) -> bool:
    """Say whether an address is listed that was not there before."""
    return any(not _served(a, after, before) for a in _addresses(after.servers or (NO_SERVER,)))


@lru_cache(maxsize=64)
def _addresses(servers: tuple[Server, ...]) -> tuple[_Address, ...]:
    return tuple(a for s in servers for a in _expanded(s))


def _expanded(server: Server) -> Iterator[_Address]:
    """Yield the addresses a server stands for; an open place in one is ``{}``."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(server.url)))
    known = {v.name: v for v in server.variables}
    values: list[tuple[str, ...]] = []
    for name in names:
        variable = known.get(name)
        listed = variable.values if variable else ()
        usual = (variable.default, OPEN) if variable and variable.default else (OPEN,)
        values.append(listed or usual)
    if prod(map(len, values)) > ADDRESSES_MAX:
        values = [(OPEN,)] * len(names)
    for chosen in product(*values):
        filled = dict(zip(names, chosen, strict=True))
        yield _Address(server, _filled(server.url, filled), whole=not names)


def _served(address: _Address, before: Operation, after: Operation) -> bool:
    if not after.servers and "://" in address.url:
        return True  # nothing is said about hosts any more
    if not before.servers and any("://" in s.url for s in after.servers):
        return True  # nothing was said about hosts before
    old, new = (PLACEHOLDER.sub(OPEN, o.path) for o in (before, after))
    if old == new:
        old = new = ""
    url = _plain(address.url) + old
    for other in _addresses(after.servers or (NO_SERVER,)):
        listed = _plain(other.url) + new
        if "://" not in url or "://" not in listed:
            url, listed = _without_host(url), _without_host(listed)
        if fits(listed, url):
            return True
    return False


def _plain(url: str) -> str:
    """Return an address in lower case up to its path, without a slash at the end."""
    scheme, separator, rest = url.partition("://")
    host, slash, base = rest.partition("/")
    text = f"{scheme.lower()}{separator}{host.lower()}{slash}{base}" if separator else url
    return text.rstrip("/")


def _without_host(url: str) -> str:
    _, separator, rest = url.partition("://")
    return "".join(rest.partition("/")[1:]) if separator else url


def _filled(url: str, values: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values[match[1]], url)
