"""Tokens: the system's OAuth 2 token endpoint, and who a call comes from.

Two grants are imitated: a refresh token (Login with Amazon and its like) and client credentials
proved by a signed assertion (RFC 7523, as NetSuite asks for it). An assertion's structure and
claims are always checked; its signature only when the estate was given the client's public RSA
key (``settings.assertion_keys``), see :mod:`mocks.kit.assertions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs

from harness.model.errors import MetadataError
from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US
from harness.model.ports import Randomness, SystemAccess
from harness.model.values import JsonObject
from mocks.kit.assertions import AssertionRefused, check_assertion
from mocks.kit.simulator import Answer, RefusalKind, Refused

TOKEN_ADDRESS = "token"  # noqa: S105 - the name of an operation, not a secret
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM = "application/x-www-form-urlencoded"
_KINDS = ("oauth2_refresh_token", "oauth2_client_assertion", "none")


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


class TokenDesk:
    """Issues access tokens and recognises them again."""

    def __init__(
        self,
        behaviour: JsonObject,
        access: SystemAccess,
        stream: Randomness,
        settings: Mapping[str, object],
    ) -> None:
        """Read ``authentication`` of ``behaviour.yaml``; the account comes from ``access``."""
        rules: JsonObject = behaviour.get("authentication") or {"kind": "none"}
        self.kind = str(rules["kind"])
        if self.kind not in _KINDS:
            msg = f"the authentication kind {self.kind!r} is not known."
            raise MetadataError(msg, remedy=f"Use one of: {', '.join(_KINDS)}.")
        self.token_path = str(rules.get("token_path", ""))
        self.account = access.account
        self._header = str(rules.get("request_header", "authorization")).lower()
        self._seconds = int(rules.get("token_seconds", 3600))
        self._credentials = access.credentials.values
        self._stream = stream
        keys = settings.get("assertion_keys") or {}
        self._keys: Mapping[str, Mapping[str, str]] = keys if isinstance(keys, Mapping) else {}
        self._tokens: dict[str, _Token] = {}

    # -- calls ----------------------------------------------------------------------------------

    def authenticate(self, request: HttpRequest, now_us: int) -> str:
        """Return the account; raises ``Refused`` UNAUTHENTICATED or TOKEN_EXPIRED."""
        if self.kind == "none":
            return self.account
        value = request.header(self._header)
        if not value:
            msg = f"the request has no {self._header} header"
            raise Refused(RefusalKind.UNAUTHENTICATED, msg)
        if self._header == "authorization":
            scheme, _, value = value.partition(" ")
            if scheme.lower() != "bearer":
                msg = "the authorization header is not 'Bearer <access token>'"
                raise Refused(RefusalKind.UNAUTHENTICATED, msg)
        token = self._tokens.get(value.strip())
        if token is None:
            msg = "the access token was never issued here"
            raise Refused(RefusalKind.UNAUTHENTICATED, msg)
        if now_us >= token.expires_us:
            msg = "the access token has expired; ask the token endpoint for another"
            raise Refused(RefusalKind.TOKEN_EXPIRED, msg)
        return token.account

    def expire_all(self, now_us: int) -> int:
        """Let every token expire now and return how many were still good."""
        good = [value for value, token in self._tokens.items() if token.expires_us > now_us]
        for value in good:
            self._tokens[value] = _Token(self._tokens[value].account, now_us)
        return len(good)

    # -- the token endpoint -------------------------------------------------------------------

    def is_token_request(self, path: str) -> bool:
        """Say whether a path is the token endpoint."""
        return bool(self.token_path) and path == self.token_path

    def issue(self, request: HttpRequest, now_us: int) -> Answer:
        """Answer a token request; raises ``TokenRefused``."""
        if request.method != "POST":
            raise TokenRefused(TokenError.INVALID_REQUEST, "the token endpoint takes POST", 405)
        form = self._form(request)
        if self.kind == "oauth2_refresh_token":
            self._check_refresh(form)
        else:
            self._check_assertion(form, now_us)
        value = "dgt-" + "".join(format(self._stream.randrange(0, 16), "x") for _ in range(32))
        self._tokens[value] = _Token(self.account, now_us + self._seconds * SECOND_US)
        body: dict[str, object] = {
            "access_token": value,
            "token_type": "bearer",
            "expires_in": self._seconds,
        }
        if self.kind == "oauth2_refresh_token":
            body["refresh_token"] = form["refresh_token"]
        return Answer(200, body, (("cache-control", "no-store"),))

    @staticmethod
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

    def _check_refresh(self, form: Mapping[str, str]) -> None:
        if form.get("grant_type") != "refresh_token":
            raise TokenRefused(
                TokenError.UNSUPPORTED_GRANT_TYPE, "grant_type must be refresh_token"
            )
        for name in ("client_id", "client_secret", "refresh_token"):
            if not form.get(name):
                raise TokenRefused(TokenError.INVALID_REQUEST, f"{name} is missing")
        if any(form[n] != self._credentials[n] for n in ("client_id", "client_secret")):
            raise TokenRefused(
                TokenError.INVALID_CLIENT, "client_id and client_secret do not match", 401
            )
        if form["refresh_token"] != self._credentials["refresh_token"]:
            raise TokenRefused(TokenError.INVALID_GRANT, "the refresh token is not valid")

    def _check_assertion(self, form: Mapping[str, str], now_us: int) -> None:
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused(
                TokenError.UNSUPPORTED_GRANT_TYPE, "grant_type must be client_credentials"
            )
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            msg = f"client_assertion_type must be {_ASSERTION_TYPE}"
            raise TokenRefused(TokenError.INVALID_REQUEST, msg)
        try:
            check_assertion(
                form.get("client_assertion", ""),
                now_s=now_us // SECOND_US,
                token_path=self.token_path,
                client_id=self._credentials.get("client_id"),
                key_id=self._credentials.get("certificate_id"),
                keys=self._keys,
            )
        except AssertionRefused as refused:
            raise TokenRefused(TokenError.INVALID_CLIENT, str(refused), 401) from None
