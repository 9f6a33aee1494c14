"""Addresses that are not listed any more, judged by the URLs of the calls and not by their text."""

from __future__ import annotations

import re

from harness.compatibility.calls import Calls
from harness.compatibility.pairing import PLACEHOLDER, Structural, Walk
from harness.model.contract import Contract, Operation
from harness.model.finding import Direction, Proof, Verdict

_Pairs = list[tuple[Operation, Operation]]


def servers_gone(walk: Walk, old: Contract, new: Contract, pairs: _Pairs, calls: Calls) -> None:
    """Report each old address under which calls that remain are not found any more.

    A call that has no described address left breaks; while another old address still serves it,
    the change is only noted. A base path that moved into the paths changes no URL at all.
    """
    if not new.servers:
        return
    kept = [(b, a) for b, a in pairs if not b.incoming]
    homeless = [b for b, a in kept if not any(_serves(s, b, new, a) for s in old.servers)]
    for server in old.servers:
        lost = [b for b, a in kept if not _serves(server, b, new, a)]
        if not lost:
            continue
        breaking = bool(homeless)
        first = (homeless or lost)[0]
        walk.structural.append(
            Structural(
                "server-removed",
                Verdict.BREAKING if breaking else Verdict.COMPATIBLE,
                "",
                f"The address {server} is not listed any more.",
                Direction.REQUEST,
                old=server,
                new=list(new.servers),
                exchange=calls.call(first, server=server) if breaking else None,
                proof=Proof.STRUCTURE if breaking else Proof.NONE,
            )
        )


def _serves(server: str, before: Operation, new: Contract, after: Operation) -> bool:
    url = _url(server, before)
    # A relative address names no host: it lives wherever the contract is published.
    listed = (
        new.servers if "://" in server else [re.sub(r"^\w+://[^/]*", "", s) for s in new.servers]
    )
    return any(_matches(_url(s, after), url) for s in listed)


def _url(server: str, operation: Operation) -> str:
    path = PLACEHOLDER.sub("*", operation.path)
    scheme, separator, rest = server.partition("://")
    host, slash, base = rest.partition("/")
    address = f"{scheme.lower()}{separator}{host.lower()}{slash}{base}" if separator else server
    return address.rstrip("/") + path.rstrip("/")


def _matches(template: str, url: str) -> bool:
    """Say whether a URL falls under one that may hold server variables."""
    if template == url:
        return True
    pieces = [re.escape(p) for p in re.split(r"\{[^{}]*\}", template)]
    return len(pieces) > 1 and re.fullmatch("[^/]+".join(pieces), url) is not None
