"""Gets the token a scan calls with, in the manner ``behaviour.yaml`` declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from harness.model.errors import UsageError
from harness.model.exchange import Headers, HttpRequest, HttpResponse
from harness.model.ports import Credentials, HttpClient
from harness.model.values import JsonObject

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "oauth2_refresh_token": ("client_id", "client_secret", "refresh_token"),
    "oauth2_client_assertion": ("client_assertion",),
    "oauth2_client_credentials": ("client_id", "client_secret"),
}
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no token was given; not a finding, because a closed door shows nothing of the room."""

    reason: str
    remedy: str


def needed_credentials(behaviour: JsonObject) -> tuple[str, ...]:
    """Return the names of the secrets this system's sign-in needs."""
    return _NEEDED.get(str(behaviour.get("authentication", {}).get("kind", "none")), ())


async def sign_in(
    client: HttpClient, behaviour: JsonObject, credentials: Credentials, *, timeout_s: float
) -> Headers | Refusal:
    """Return the headers that authenticate a call, or why there are none.

    A ready ``access_token`` among the credentials is used as it is. Raises ``TransportError``
    when the token address cannot be reached, ``UsageError`` when a secret is missing.
    """
    declared: JsonObject = behaviour.get("authentication", {})
    header = str(declared.get("request_header", "authorization")).lower()
    ready = credentials.values.get("access_token")
    if ready:
        return _headers(header, ready)
    kind = str(declared.get("kind", "none"))
    if kind == "none":
        return ()
    missing = [n for n in needed_credentials(behaviour) if n not in credentials.values]
    if missing or kind not in _NEEDED:
        what = ", ".join(missing) or "access_token"
        msg = f"signing in with {kind} needs {what}."
        raise UsageError(msg, remedy="Set it in the environment, or hand over an access token.")
    response = await client.send(_token_request(kind, declared, credentials), timeout_s=timeout_s)
    return _read_token(response, header)


def _token_request(kind: str, declared: JsonObject, credentials: Credentials) -> HttpRequest:
    form: dict[str, str]
    if kind == "oauth2_refresh_token":
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credentials["refresh_token"],
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
        }
    elif kind == "oauth2_client_assertion":
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": credentials["client_assertion"],
        }
    else:
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
        }
    return HttpRequest(
        "POST",
        str(declared.get("token_path", "/token")),
        headers=(
            ("content-type", "application/x-www-form-urlencoded;charset=UTF-8"),
            ("accept", "application/json"),
        ),
        body=urlencode(form).encode(),
    )


def _read_token(response: HttpResponse, header: str) -> Headers | Refusal:
    if response.status >= 500:
        return Refusal(
            f"the token address answered {response.status}: an outage, not drift",
            "Scan again when the system is up.",
        )
    if response.status == 429:
        return Refusal("the token address throttled us (429)", "Scan again later.")
    try:
        token = response.json()["access_token"] if response.status == 200 else None
    except (ValueError, LookupError, TypeError):
        token = None
    if not isinstance(token, str) or not token:
        return Refusal(
            f"authentication was refused (status {response.status} from the token address)",
            "Check client id, secret and refresh token of this account and environment.",
        )
    return _headers(header, token)


def _headers(header: str, token: str) -> Headers:
    return ((header, f"Bearer {token}" if header == "authorization" else token),)
