"""Requests signed with OAuth 1 (RFC 5849), as token-based authentication asks for it.

Signature, timestamp and nonce are really checked: a client that gets the base string wrong is
refused here as it would be at the vendor's door.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import parse_qsl, quote, unquote

from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US
from harness.model.ports import SystemAccess
from harness.model.values import JsonObject
from mocks.kit.calls import RefusalKind, Refused

_PARAMETER = re.compile(r'\s*([A-Za-z_]+)="([^"]*)"\s*')
_NEEDED = ("oauth_consumer_key", "oauth_token", "oauth_timestamp", "oauth_nonce")
_HASHES = {"HMAC-SHA256": "sha256", "HMAC-SHA1": "sha1"}
_NONCES_MAX = 100_000


class SignedRequests:
    """Recognises requests with ``Authorization: OAuth ...``."""

    def __init__(self, rules: JsonObject, accesses: Mapping[str, SystemAccess]) -> None:
        """Read ``signature_methods`` and ``timestamp_seconds`` (how far a clock may be off)."""
        self._methods = tuple(rules.get("signature_methods", ("HMAC-SHA256",)))
        self._patience_s = int(rules.get("timestamp_seconds", 300))
        self._accesses = accesses
        self._nonces: dict[tuple[str, str, str], None] = {}

    def recognises(self, request: HttpRequest) -> bool:
        """Say whether the request tries to sign."""
        return (request.header("authorization") or "").lower().startswith("oauth ")

    def owner(self, request: HttpRequest) -> str | None:
        """Return whose token the request names, without checking the signature."""
        named = oauth_parameters(request).get("oauth_token")
        for account, access in self._accesses.items():
            if named is not None and access.credentials.values.get("token_id") == named:
                return account
        return None

    def account(self, request: HttpRequest, now_us: int) -> str:
        """Return the account that signed; raises ``Refused`` UNAUTHENTICATED."""
        given = self._parameters(request)
        account, key = self._holder(given)
        self._check_time(given, now_us)
        hash_name = _HASHES[given["oauth_signature_method"]]
        signed = [
            base64.b64encode(hmac.digest(key, text.encode(), hash_name)).decode()
            for text in base_strings(request, given)
        ]
        if not any(_same(given.get("oauth_signature", ""), one) for one in signed):
            _refuse("the oauth_signature does not fit the request")
        nonce = (account, given["oauth_timestamp"], given["oauth_nonce"])
        if nonce in self._nonces:
            _refuse("the oauth_nonce was used before with this timestamp")
        self._nonces[nonce] = None
        if len(self._nonces) > _NONCES_MAX:
            self._nonces.pop(next(iter(self._nonces)))
        return account

    def _parameters(self, request: HttpRequest) -> dict[str, str]:
        given = oauth_parameters(request)
        missing = [name for name in _NEEDED if not given.get(name)]
        if missing:
            _refuse(f"the authorization header lacks {', '.join(missing)}")
        if given.get("oauth_version", "1.0") != "1.0":
            _refuse("oauth_version must be 1.0")
        if given.get("oauth_signature_method") not in self._methods:
            _refuse(f"oauth_signature_method must be {' or '.join(self._methods)}")
        return given

    def _holder(self, given: Mapping[str, str]) -> tuple[str, bytes]:
        named = (given["oauth_consumer_key"], given["oauth_token"])
        holders = [
            (account, access.credentials.values)
            for account, access in self._accesses.items()
            if named == tuple(map(access.credentials.values.get, ("consumer_key", "token_id")))
        ]
        if not holders:
            _refuse("oauth_consumer_key and oauth_token belong to nobody here")
        account, secrets = holders[0]
        pair = (secrets["consumer_secret"], secrets["token_secret"])
        return account, "&".join(_quoted(text) for text in pair).encode()

    def _check_time(self, given: Mapping[str, str], now_us: int) -> None:
        text = given["oauth_timestamp"]
        if not (text.isascii() and text.isdecimal() and len(text) < 13):
            _refuse("oauth_timestamp must be seconds since 1970")
        if abs(int(text) - now_us // SECOND_US) > self._patience_s:
            _refuse(f"oauth_timestamp is more than {self._patience_s} s off")


def oauth_parameters(request: HttpRequest) -> dict[str, str]:
    """Return the decoded parameters of the OAuth header, the realm included."""
    _, _, text = (request.header("authorization") or "").partition(" ")
    found = (_PARAMETER.fullmatch(part) for part in text.split(","))
    return {match[1]: unquote(match[2]) for match in found if match is not None}


def base_strings(request: HttpRequest, given: Mapping[str, str]) -> list[str]:
    """Return the base strings of section 3.4.1 this request can have.

    The scheme a client used cannot be seen from inside, so both are allowed; without a host only
    the path is left.
    """
    pairs = [(k, v) for k, v in given.items() if k not in ("realm", "oauth_signature")]
    pairs += request.query
    if (request.header("content-type") or "").startswith("application/x-www-form-urlencoded"):
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    encoded = sorted((_quoted(name), _quoted(value)) for name, value in pairs)
    parameters = _quoted("&".join(f"{name}={value}" for name, value in encoded))
    host = (request.header("host") or "").lower()
    host = host.removesuffix(":443").removesuffix(":80")
    bases = [f"{scheme}://{host}{request.path}" for scheme in ("https", "http")]
    return [f"{request.method}&{_quoted(base)}&{parameters}" for base in bases]


def _quoted(text: str) -> str:
    return quote(text, safe="-._~", errors="replace")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _refuse(explanation: str) -> NoReturn:
    raise Refused(RefusalKind.UNAUTHENTICATED, explanation)
