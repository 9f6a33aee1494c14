"""Access tokens: one refresh at a time, however many calls need it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlencode

from harness.model.errors import MetadataError, TransportError
from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US
from harness.model.ports import Clock, HttpClient, SystemAccess
from harness.model.values import JsonObject, canonical_json

_FORM = "application/x-www-form-urlencoded"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EARLY_US = 60 * SECOND_US


class NoToken(Exception):
    """The token endpoint gave no token; nothing was called."""


class Signer(Protocol):
    """Signs a client assertion with the key of the registered certificate."""

    def __call__(self, signed: bytes, access: SystemAccess) -> tuple[str, bytes]:
        """Return the JWS algorithm and the signature over ``signed``."""
        ...


def placeholder_signer(signed: bytes, access: SystemAccess) -> tuple[str, bytes]:
    """Fill the place of a signature, for simulators that know no public key.

    A real endpoint refuses it: hand the engine a signer that holds the private key.
    """
    return "PS256", hashlib.sha256(access.name.encode() + signed).digest()


class Tokens:
    """The access token of one system."""

    def __init__(
        self,
        access: SystemAccess,
        rules: JsonObject,
        client: HttpClient,
        clock: Clock,
        *,
        signer: Signer = placeholder_signer,
    ) -> None:
        """Read ``authentication`` of ``behaviour.yaml``; raises ``MetadataError``."""
        self._access = access
        self._kind = str(rules.get("kind", "none"))
        if self._kind not in ("none", "oauth2_refresh_token", "oauth2_client_assertion"):
            msg = f"system {access.name!r} asks for unknown authentication {self._kind!r}."
            raise MetadataError(msg)
        self._path = str(rules.get("token_path", ""))
        self._header = str(rules.get("request_header", "authorization")).lower()
        self._client = client
        self._clock = clock
        self._signer = signer
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._expires_us = 0

    async def header(self) -> tuple[tuple[str, str], ...]:
        """Return the header of an authenticated call; raises ``NoToken``."""
        if self._kind == "none":
            return ()
        token = self._token
        if token is None or self._clock.now_us() >= self._expires_us - _EARLY_US:
            token = await self.refresh(token)
        value = f"Bearer {token}" if self._header == "authorization" else token
        return ((self._header, value),)

    @property
    def current(self) -> str | None:
        """Return the token now in use."""
        return self._token

    @property
    def renewable(self) -> bool:
        """Say whether there is anything to renew when a call is not let in."""
        return self._kind != "none"

    async def refresh(self, stale: str | None) -> str:
        """Replace ``stale``; whoever comes second gets the token the first one fetched."""
        async with self._lock:
            if self._token is not None and self._token != stale:
                return self._token
            self._token = await self._fetch()
            return self._token

    async def _fetch(self) -> str:
        body = urlencode(self._form()).encode()
        headers = (("content-type", _FORM), ("accept", "application/json"))
        request = HttpRequest("POST", self._path, (), headers, body)
        try:
            response = await self._client.send(request)
            answer = response.json()
        except TransportError as error:
            raise NoToken(str(error)) from error
        except ValueError as error:
            msg = "the token endpoint did not answer JSON"
            raise NoToken(msg) from error
        token = answer.get("access_token") if isinstance(answer, Mapping) else None
        if response.status != 200 or not isinstance(token, str):
            msg = f"the token endpoint answered {response.status}"
            raise NoToken(msg)
        seconds = _lifetime_s(answer.get("expires_in"))
        self._expires_us = self._clock.now_us() + seconds * SECOND_US
        return token

    def _form(self) -> dict[str, str]:
        secrets = self._access.credentials
        if self._kind == "oauth2_refresh_token":
            names = ("client_id", "client_secret", "refresh_token")
            return {"grant_type": "refresh_token", **{name: secrets[name] for name in names}}
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._assertion(),
        }

    def _assertion(self) -> str:
        secrets, now_s = self._access.credentials, self._clock.now_us() // SECOND_US
        audience = self._access.parameters.get("token_url", self._access.base_url + self._path)
        claims = {
            "iss": secrets["client_id"],
            "aud": audience,
            "scope": ["rest_webservices"],
            "iat": now_s,
            "exp": now_s + 3000,
        }
        algorithm, _ = self._signer(b"", self._access)
        header = {"typ": "JWT", "alg": algorithm, "kid": secrets["certificate_id"]}
        signed = f"{_part(header)}.{_part(claims)}"
        _, signature = self._signer(signed.encode(), self._access)
        return f"{signed}.{_base64(signature)}"


def _lifetime_s(told: object) -> int:
    """Return how long a token lives; an hour when the answer does not say it in seconds."""
    try:
        return max(0, int(str(told)))
    except ValueError:
        return 3600


def _part(value: JsonObject) -> str:
    return _base64(canonical_json(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
