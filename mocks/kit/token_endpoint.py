"""The OAuth 2 token endpoint: refresh tokens, client credentials, codes and signed assertions.

Which grants it takes, how long tokens live, whether refresh tokens rotate and whether a new token
ends the older ones stands in ``authentication`` of ``behaviour.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US
from harness.model.ports import Randomness, SystemAccess
from harness.model.values import JsonObject
from mocks.kit.assertions import AssertionRefused, check_assertion
from mocks.kit.basic import basic_credentials
from mocks.kit.calls import Answer, RefusalKind, Refused

TOKEN_ADDRESS = "token"  # noqa: S105 - the name of an operation, not a secret
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM = "application/x-www-form-urlencoded"
# The grants a kind stands for unless ``grants`` lists others.
_GRANTS: Mapping[str, tuple[str, ...]] = {
    "oauth2_refresh_token": ("refresh_token",),
    "oauth2_client_assertion": ("client_assertion",),
    "oauth2_client_credentials": ("client_credentials",),
    "oauth2_authorization_code": ("authorization_code", "refresh_token"),
}
OAUTH_KINDS = tuple(_GRANTS)
_GRANT_TYPES = {"client_assertion": "client_credentials"}


class TokenError(StrEnum):
    """The error codes of RFC 6749 section 5.2 this endpoint uses."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


class TokenRefused(Exception):
    """The token endpoint says no, in the words of RFC 6749."""

    def __init__(self, error: TokenError, description: str, status: int = 400) -> None:
        """Keep the error code and its explanation."""
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def answer(self) -> Answer:
        """Return the error answer of RFC 6749 section 5.2."""
        body = {"error": self.error.value, "error_description": self.description}
        return Answer(self.status, body, (("cache-control", "no-store"),))


@dataclass(frozen=True, slots=True)
class _Token:
    account: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class _Given:
    """What a grant proved: whose it is, and the refresh token that goes with the answer."""

    account: str
    refresh_token: str | None = None
    refresh_seconds: int | None = None


class TokenEndpoint:
    """Issues access tokens and recognises them again."""

    def __init__(
        self,
        rules: JsonObject,
        accesses: Mapping[str, SystemAccess],
        stream: Randomness,
        settings: Mapping[str, Any],
    ) -> None:
        """Read ``authentication``; credentials come from ``accesses``, by account."""
        self.path = str(rules.get("token_path", ""))
        self._seconds = int(rules.get("token_seconds", 3600))
        self._grants = tuple(rules.get("grants", _GRANTS.get(str(rules["kind"]), ())))
        self._client = str(rules.get("client_authentication", "body"))
        self._code_us = int(rules.get("code_seconds", 300)) * SECOND_US
        self._refresh_seconds = rules.get("refresh_token_seconds")
        self._rotates = bool(rules.get("refresh_token_rotates", False))
        self._single = bool(rules.get("one_token_per_account", False))
        self._accesses = accesses
        self._stream = stream
        keys = settings.get("assertion_keys") or {}
        self._keys: Mapping[str, Mapping[str, str]] = keys if isinstance(keys, Mapping) else {}
        self._tokens: dict[str, _Token] = {}
        self._codes: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        self._retired: set[str] = set()  # looked up only, never iterated

    # -- tokens ----------------------------------------------------------------------------------

    def account_of(self, value: str, now_us: int) -> str:
        """Return whose token this is; raises ``Refused`` UNAUTHENTICATED or TOKEN_EXPIRED."""
        token = self._tokens.get(value)
        if token is None:
            msg = "the access token was never issued here"
            raise Refused(RefusalKind.UNAUTHENTICATED, msg)
        if now_us >= token.expires_us:
            msg = "the access token has expired; ask the token endpoint for another"
            raise Refused(RefusalKind.TOKEN_EXPIRED, msg)
        return token.account

    def owner_of(self, value: str) -> str | None:
        """Return whose token this is or was, ``None`` for one that was never issued."""
        token = self._tokens.get(value)
        return token.account if token is not None else None

    def expire_all(self, now_us: int, account: str | None = None) -> int:
        """Let every token (of one account) expire now; return how many were still good."""
        good = [
            value
            for value, token in self._tokens.items()
            if token.expires_us > now_us and account in (None, token.account)
        ]
        for value in good:
            self._tokens[value] = replace(self._tokens[value], expires_us=now_us)
        return len(good)

    def consent(self, account: str, now_us: int) -> str:
        """Return a code that may be exchanged once, within ``code_seconds``."""
        code = self._draw("dgc-")
        self._codes[code] = _Token(account, now_us + self._code_us)
        return code

    def _draw(self, prefix: str) -> str:
        return prefix + "".join(format(self._stream.randrange(0, 16), "x") for _ in range(32))

    # -- the endpoint ------------------------------------------------------------------------------

    def issue(self, request: HttpRequest, now_us: int) -> tuple[Answer, str]:
        """Answer a token request and say whose it was; raises ``TokenRefused``."""
        if request.method != "POST":
            raise TokenRefused(TokenError.INVALID_REQUEST, "the token endpoint takes POST", 405)
        form = _form(request)
        given = self._given(form, request, now_us)
        if self._single:
            self.expire_all(now_us, given.account)
        value = self._draw("dgt-")
        self._tokens[value] = _Token(given.account, now_us + self._seconds * SECOND_US)
        body: dict[str, object] = {
            "access_token": value,
            "token_type": "bearer",
            "expires_in": self._seconds,
        }
        if given.refresh_token is not None:
            body["refresh_token"] = given.refresh_token
        if given.refresh_seconds is not None:
            body["refresh_token_expires_in"] = given.refresh_seconds
        return Answer(200, body, (("cache-control", "no-store"),)), given.account

    def _given(self, form: Mapping[str, str], request: HttpRequest, now_us: int) -> _Given:
        kind = form.get("grant_type")
        grants = [g for g in self._grants if _GRANT_TYPES.get(g, g) == kind]
        if not grants:
            known = " or ".join(dict.fromkeys(_GRANT_TYPES.get(g, g) for g in self._grants))
            raise TokenRefused(TokenError.UNSUPPORTED_GRANT_TYPE, f"grant_type must be {known}")
        if "client_assertion" in grants and ("client_assertion" in form or len(grants) == 1):
            return _Given(self._by_assertion(form, now_us))
        named = {"refresh_token": "refresh_token", "authorization_code": "code"}.get(str(kind))
        if named is not None and not form.get(named):
            raise TokenRefused(TokenError.INVALID_REQUEST, f"{named} is missing")
        accounts = self._clients(form, request)
        if kind == "refresh_token":
            return self._by_refresh(form["refresh_token"], accounts, now_us)
        if kind == "authorization_code":
            return self._by_code(form["code"], accounts, now_us)
        return _Given(accounts[0])

    def _clients(self, form: Mapping[str, str], request: HttpRequest) -> list[str]:
        """Return the accounts this client may speak for; one application may serve many."""
        pair = basic_credentials(request) if self._client in ("basic", "either") else None
        if pair is None and self._client != "basic":
            for name in ("client_id", "client_secret"):
                if not form.get(name):
                    raise TokenRefused(TokenError.INVALID_REQUEST, f"{name} is missing")
            pair = (form["client_id"], form["client_secret"])
        mine = [
            account
            for account, access in self._accesses.items()
            if pair == tuple(map(access.credentials.values.get, ("client_id", "client_secret")))
        ]
        if not mine:
            msg = "client_id and client_secret do not match"
            raise TokenRefused(TokenError.INVALID_CLIENT, msg, 401)
        return mine

    def _by_refresh(self, value: str, accounts: list[str], now_us: int) -> _Given:
        known = self._refresh.get(value)
        account = known.account if known is not None else self._owner(value, accounts)
        expired = known is not None and now_us >= known.expires_us
        if account not in accounts or expired or value in self._retired:
            raise TokenRefused(TokenError.INVALID_GRANT, "the refresh token is not valid")
        if not self._rotates:
            return _Given(account, value)
        self._retired.add(value)
        return self._with_refresh(account, now_us)

    def _owner(self, value: str, accounts: list[str]) -> str:
        for account in accounts:
            if self._accesses[account].credentials.values.get("refresh_token") == value:
                return account
        return ""

    def _by_code(self, code: str, accounts: list[str], now_us: int) -> _Given:
        known = self._codes.pop(code, None)
        if known is None or known.account not in accounts or now_us >= known.expires_us:
            msg = "the code is unknown, used or expired"
            raise TokenRefused(TokenError.INVALID_GRANT, msg)
        return self._with_refresh(known.account, now_us)

    def _with_refresh(self, account: str, now_us: int) -> _Given:
        if "refresh_token" not in self._grants:
            return _Given(account)
        value = self._draw("dgr-")
        seconds = self._refresh_seconds
        life_us = int(seconds) * SECOND_US if seconds is not None else 10**18
        self._refresh[value] = _Token(account, now_us + life_us)
        return _Given(account, value, seconds)

    def _by_assertion(self, form: Mapping[str, str], now_us: int) -> str:
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            msg = f"client_assertion_type must be {_ASSERTION_TYPE}"
            raise TokenRefused(TokenError.INVALID_REQUEST, msg)
        problem = "there is no client here"
        for account, access in self._accesses.items():
            try:
                check_assertion(
                    form.get("client_assertion", ""),
                    now_s=now_us // SECOND_US,
                    token_path=self.path,
                    client_id=access.credentials.values.get("client_id"),
                    key_id=access.credentials.values.get("certificate_id"),
                    keys=self._keys,
                )
            except AssertionRefused as refused:
                problem = str(refused)
            else:
                return account
        raise TokenRefused(TokenError.INVALID_CLIENT, problem, 401)


def _form(request: HttpRequest) -> dict[str, str]:
    media_type = (request.header("content-type") or "").split(";", 1)[0].strip().lower()
    if media_type != _FORM:
        raise TokenRefused(TokenError.INVALID_REQUEST, f"the token endpoint reads {_FORM}")
    try:
        pairs = parse_qs(request.body.decode("utf-8"), strict_parsing=bool(request.body))
    except ValueError:
        raise TokenRefused(TokenError.INVALID_REQUEST, "the body is no web form") from None
    repeated = sorted(name for name, values in pairs.items() if len(values) > 1)
    if repeated:
        raise TokenRefused(TokenError.INVALID_REQUEST, f"given twice: {', '.join(repeated)}")
    return {name: values[0] for name, values in pairs.items()}
