"""Who a call comes from: the ways in that ``authentication`` of ``behaviour.yaml`` declares.

One main way and, under ``also``, any further ones: access tokens from an OAuth 2 endpoint
(:mod:`mocks.kit.token_endpoint`), static API tokens, HTTP Basic, and signed requests of OAuth 1
(:mod:`mocks.kit.tba`). Every account has credentials of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harness.model.errors import MetadataError
from harness.model.exchange import HttpRequest
from harness.model.ports import Randomness, SystemAccess
from harness.model.values import JsonObject
from mocks.kit.basic import basic_credentials
from mocks.kit.calls import Answer, RefusalKind, Refused
from mocks.kit.tba import SignedRequests
from mocks.kit.token_endpoint import (
    OAUTH_KINDS,
    TOKEN_ADDRESS,
    TokenEndpoint,
    TokenError,
    TokenRefused,
)

__all__ = ["TOKEN_ADDRESS", "TokenDesk", "TokenError", "TokenRefused"]

_KINDS = (*OAUTH_KINDS, "static_token", "basic", "tba", "none")


class WayIn(Protocol):
    """One way to prove who is calling."""

    def recognises(self, request: HttpRequest) -> bool:
        """Say whether the request tries this way, rightly or wrongly."""
        ...

    def account(self, request: HttpRequest, now_us: int) -> str:
        """Return the account; raises ``Refused`` UNAUTHENTICATED or TOKEN_EXPIRED."""
        ...

    def owner(self, request: HttpRequest) -> str | None:
        """Return whose credentials these are, without judging them."""
        ...


@dataclass(frozen=True, slots=True)
class _TokenHeader:
    """Where a token travels: a header of its own, or behind a word such as Bearer."""

    name: str
    scheme: str

    def read(self, request: HttpRequest) -> str | None:
        value = request.header(self.name)
        if value is None or not self.scheme:
            return value
        scheme, _, token = value.partition(" ")
        return token if scheme.lower() == self.scheme.lower() else None

    def refusal(self, request: HttpRequest) -> Refused:
        if not request.header(self.name):
            msg = f"the request has no {self.name} header"
        else:
            msg = f"the {self.name} header is not '{self.scheme} <access token>'"
        return Refused(RefusalKind.UNAUTHENTICATED, msg)


def _token_header(rules: JsonObject) -> _TokenHeader:
    name = str(rules.get("request_header", "authorization")).lower()
    usual = "Bearer" if name == "authorization" else ""
    return _TokenHeader(name, str(rules.get("request_scheme", usual)))


class _IssuedTokens:
    """Access tokens of the token endpoint."""

    def __init__(self, header: _TokenHeader, endpoint: TokenEndpoint) -> None:
        self._header = header
        self._endpoint = endpoint

    def recognises(self, request: HttpRequest) -> bool:
        return bool(self._header.read(request))

    def account(self, request: HttpRequest, now_us: int) -> str:
        value = self._header.read(request)
        if not value:
            raise self._header.refusal(request)
        return self._endpoint.account_of(value.strip(), now_us)

    def owner(self, request: HttpRequest) -> str | None:
        return self._endpoint.owner_of((self._header.read(request) or "").strip())


class _StaticTokens:
    """API tokens that are made once by hand and never expire."""

    def __init__(self, header: _TokenHeader, accesses: Mapping[str, SystemAccess]) -> None:
        self._header = header
        self._owners = {
            access.credentials.values.get("access_token", ""): account
            for account, access in accesses.items()
        }

    def recognises(self, request: HttpRequest) -> bool:
        return bool(self._header.read(request))

    def account(self, request: HttpRequest, now_us: int) -> str:
        value = self._header.read(request)
        if not value:
            raise self._header.refusal(request)
        account = self._owners.get(value.strip())
        if account is None:
            raise Refused(RefusalKind.UNAUTHENTICATED, "nobody here has this token")
        return account

    def owner(self, request: HttpRequest) -> str | None:
        return self._owners.get((self._header.read(request) or "").strip())


class _Basic:
    """HTTP Basic with the credentials ``username`` and ``password``."""

    def __init__(self, accesses: Mapping[str, SystemAccess]) -> None:
        self._accesses = accesses

    def recognises(self, request: HttpRequest) -> bool:
        return (request.header("authorization") or "").lower().startswith("basic ")

    def owner(self, request: HttpRequest) -> str | None:
        pair = basic_credentials(request)
        for account, access in self._accesses.items():
            secrets = access.credentials.values
            if pair is not None and pair == (secrets.get("username"), secrets.get("password")):
                return account
        return None

    def account(self, request: HttpRequest, now_us: int) -> str:
        account = self.owner(request)
        if account is not None:
            return account
        msg = "the authorization header is not 'Basic <user:password>' of anybody here"
        raise Refused(RefusalKind.UNAUTHENTICATED, msg)


class _Nobody:
    """No authentication: every call comes from the default account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def recognises(self, request: HttpRequest) -> bool:
        return True

    def account(self, request: HttpRequest, now_us: int) -> str:
        return self._account

    def owner(self, request: HttpRequest) -> str | None:
        return self._account


class TokenDesk:
    """Recognises callers by every way in a system declares, and owns its token endpoint."""

    def __init__(
        self,
        behaviour: JsonObject,
        accesses: Mapping[str, SystemAccess],
        stream: Randomness,
        settings: Mapping[str, Any],
    ) -> None:
        """Read ``authentication``; ``accesses`` holds the credentials by account.

        Raises ``MetadataError`` for a kind that is not known.
        """
        rules: JsonObject = behaviour.get("authentication") or {"kind": "none"}
        self.kind = str(rules["kind"])
        self.endpoint = TokenEndpoint(rules, accesses, stream, settings)
        self.token_path = self.endpoint.path
        pattern = re.sub(r"\\\{[^/{}]+\\\}", "[^/]+", re.escape(self.token_path))
        self._token_path = re.compile(pattern) if "{" in self.token_path else None
        self._ways = [
            self._way({**rules, **further}, accesses, settings)
            for further in ({}, *rules.get("also", ()))
        ]

    def _way(
        self, rules: JsonObject, accesses: Mapping[str, SystemAccess], settings: Mapping[str, Any]
    ) -> WayIn:
        kind = str(rules["kind"])
        if kind in OAUTH_KINDS:
            return _IssuedTokens(_token_header(rules), self.endpoint)
        if kind == "static_token":
            return _StaticTokens(_token_header(rules), accesses)
        if kind == "basic":
            return _Basic(accesses)
        if kind == "tba":
            return SignedRequests(rules, accesses)
        if kind == "none":
            return _Nobody(next(iter(accesses)))
        msg = f"the authentication kind {kind!r} is not known."
        raise MetadataError(msg, remedy=f"Use one of: {', '.join(_KINDS)}.")

    def authenticate(self, request: HttpRequest, now_us: int) -> str:
        """Return the account; raises ``Refused`` UNAUTHENTICATED or TOKEN_EXPIRED."""
        ways = self._ways
        if len(ways) > 1:
            for way in ways:
                if way.recognises(request):
                    return way.account(request, now_us)
        return ways[0].account(request, now_us)

    def owner(self, request: HttpRequest) -> str | None:
        """Return whose credentials a request shows, good or expired, without judging them."""
        for way in self._ways:
            if way.recognises(request):
                return way.owner(request)
        return None

    def expire_all(self, now_us: int) -> int:
        """Let every issued token expire now and return how many were still good."""
        return self.endpoint.expire_all(now_us)

    def consent(self, account: str, now_us: int) -> str:
        """Return an authorization code, as a person's consent in the browser would give one."""
        return self.endpoint.consent(account, now_us)

    def is_token_request(self, path: str) -> bool:
        """Say whether a path is the token endpoint."""
        if self._token_path is not None:
            return self._token_path.fullmatch(path) is not None
        return bool(self.token_path) and path == self.token_path

    def issue(self, request: HttpRequest, now_us: int) -> tuple[Answer, str]:
        """Answer a token request and say whose it was; raises ``TokenRefused``."""
        return self.endpoint.issue(request, now_us)
