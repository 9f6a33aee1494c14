"""Sample credentials: what a request shows for a security alternative, obviously fake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from harness.model.contract import Contract, SecurityAlternative
from harness.model.values import JsonObject

FAKE = "fake-token"
_FAKE_BASIC = "Basic ZmFrZTpmYWtl"  # "fake:fake"


@dataclass(slots=True)
class Shown:
    """Where a request carries its credentials."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)


def present(contract: Contract, alternative: SecurityAlternative) -> Shown:
    """Return the credentials of every scheme of an alternative."""
    shown = Shown()
    for name, _scopes in alternative.schemes:
        scheme = contract.security_schemes.get(name)
        _show(shown, scheme if isinstance(scheme, Mapping) else {})
    return shown


def _show(shown: Shown, scheme: JsonObject) -> None:
    kind = scheme.get("type")
    if kind == "apiKey":
        key = str(scheme.get("name", "key"))
        if scheme.get("in") == "query":
            shown.query.append(f"{quote(key)}={FAKE}")
        elif scheme.get("in") == "cookie":
            shown.cookies.append(f"{key}={FAKE}")
        else:
            shown.headers.append((key, FAKE))
    elif kind == "basic" or (kind == "http" and str(scheme.get("scheme")).lower() == "basic"):
        shown.headers.append(("Authorization", _FAKE_BASIC))
    elif kind == "http" and str(scheme.get("scheme", "bearer")).lower() != "bearer":
        shown.headers.append(("Authorization", f"{scheme['scheme']} {FAKE}"))
    elif kind != "mutualTLS":
        shown.headers.append(("Authorization", f"Bearer {FAKE}"))
