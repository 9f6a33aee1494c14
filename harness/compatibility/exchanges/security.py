"""Credentials that used to suffice: alternatives compared by what the schemes are, not by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.model.contract import Contract, Operation, SecurityAlternative
from harness.model.values import Json, canonical_json


def uncovered(old: Contract, new: Contract, before: Operation, after: Operation) -> Iterator[Json]:
    """Yield the old alternatives, as a person reads them, that no new alternative accepts."""
    if not after.security:
        return
    offers = [_needs(new, a) for a in after.security]
    for alternative in before.security or (SecurityAlternative(()),):
        held = _needs(old, alternative)
        if not any(_met(offer, held) for offer in offers):
            yield {n: list(s) for n, s in alternative.schemes} or "nothing"


def _needs(contract: Contract, alternative: SecurityAlternative) -> dict[str, frozenset[str]]:
    return {_kind(contract, name): frozenset(scopes) for name, scopes in alternative.schemes}


def _met(offer: dict[str, frozenset[str]], held: dict[str, frozenset[str]]) -> bool:
    return all(kind in held and scopes <= held[kind] for kind, scopes in offer.items())


def _kind(contract: Contract, name: str) -> str:
    scheme = contract.security_schemes.get(name)
    if not isinstance(scheme, Mapping):
        return name
    kept = {k: scheme[k] for k in ("type", "in", "name", "scheme") if k in scheme}
    if kept.get("type") == "basic":
        kept = {"type": "http", "scheme": "basic"}
    return canonical_json({k: str(v).lower() if k != "name" else v for k, v in kept.items()})
