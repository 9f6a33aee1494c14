"""Writes requests to a simulated system as curl lines that can be pasted into a shell."""

from __future__ import annotations

import base64
import shlex

from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US
from harness.model.ports import SystemAccess
from harness.model.values import Json, JsonObject, canonical_json

# Picks the token out of the answer with nothing but what every Unix has.
_TAKE_TOKEN = """sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'"""  # noqa: S105 - a shell command, not a secret
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 3600


def token_line(access: SystemAccess, behaviour: JsonObject, now_us: int) -> str | None:
    """Return a line that puts an access token into ``$TOKEN``; ``None`` when none is needed."""
    rules: JsonObject = behaviour.get("authentication") or {}
    form = _form(str(rules.get("kind", "none")), access, str(rules.get("token_path")), now_us)
    if form is None:
        return None
    # Some addresses name the tenant; the system itself knows how its own is filled in.
    address = access.parameters.get("token_url", access.base_url + str(rules["token_path"]))
    words = [shlex.quote(address)]
    if rules.get("client_authentication") == "basic":
        client = f"{form.pop('client_id')}:{form.pop('client_secret')}"
        words.append(f"-u {shlex.quote(client)}")
    words += [f"--data-urlencode {shlex.quote(f'{n}={value}')}" for n, value in form.items()]
    return f"TOKEN=$(curl -s {' '.join(words)} | {_TAKE_TOKEN})"


def call_line(access: SystemAccess, behaviour: JsonObject, request: HttpRequest) -> str:
    """Return a line that sends ``request`` with ``$TOKEN``."""
    rules: JsonObject = behaviour.get("authentication") or {}
    parts = ["curl", "-s"]
    if request.method != "GET":
        parts += ["-X", request.method]
    parts.append(shlex.quote(access.base_url + request.target()))
    header = rules.get("request_header")
    if header is not None:
        usual = "Bearer" if str(header).lower() == "authorization" else ""
        word = f"{rules.get('request_scheme', usual)} $TOKEN".strip()
        parts.append(f'-H "{header}: {word}"')
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers]
    if request.body:
        parts.append(f"-d {shlex.quote(request.body.decode())}")
    return " ".join(parts)


def _form(kind: str, access: SystemAccess, token_path: str, now_us: int) -> dict[str, str] | None:
    secrets = access.credentials
    if kind == "oauth2_refresh_token":
        names = ("client_id", "client_secret", "refresh_token")
        return {"grant_type": "refresh_token", **{name: secrets[name] for name in names}}
    if kind == "oauth2_client_credentials":
        client = {name: secrets[name] for name in ("client_id", "client_secret")}
        return {"grant_type": "client_credentials", **client}
    if kind == "oauth2_client_assertion":
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": _assertion(access, token_path, now_us // SECOND_US),
        }
    return None


def _assertion(access: SystemAccess, token_path: str, now_s: int) -> str:
    """Return an assertion with a mock signature: the simulators check its claims only."""
    secrets = access.credentials
    header = {"alg": "PS256", "typ": "JWT", "kid": secrets["certificate_id"]}
    claims = {
        "iss": secrets["client_id"],
        "aud": access.base_url + token_path,
        "scope": "rest_webservices",
        "iat": now_s,
        "exp": now_s + _ASSERTION_SECONDS,
    }
    return f"{_base64url(header)}.{_base64url(claims)}.c2ltdWxhdGVk"


def _base64url(value: Json) -> str:
    return base64.urlsafe_b64encode(canonical_json(value).encode()).decode().rstrip("=")
