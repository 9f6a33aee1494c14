"""The real world: the machine's clock, the network and the environment, behind our ports.

The one module of the command line that touches them; everything below sees the ports only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.model.errors import AnswerLost, AnswerTimedOut, ConnectFailed, UsageError
from harness.model.exchange import HttpRequest, HttpResponse, lower_headers
from harness.model.ports import Clock, Credentials

if TYPE_CHECKING:
    from typing import Self

    import httpx

_ANSWER_BYTES_MAX = 64 * 1024 * 1024
_SECRETS = (
    "client_id",
    "client_secret",
    "refresh_token",
    "client_assertion",
    "access_token",
)


def wall_clock() -> Clock:
    """Return the machine's clock."""
    from harness.simulation.clock import SystemClock

    return SystemClock()


def today() -> date:
    """Return today's date in UTC, the same on every machine of a team."""
    return datetime.now(UTC).date()


class WireClient:
    """Sends requests to one base URL over httpx; implements the ``HttpClient`` port.

    Redirects are not followed (credentials would travel with them) and proxies of the environment
    are not used for loopback hosts.
    """

    def __init__(self, base_url: str, *, user_agent: str = "driftgate") -> None:
        """Keep the address; connections are opened when first needed."""
        import httpx  # a sixth of a second that only commands with a network should pay

        self._base_url = base_url.rstrip("/")
        self._client: httpx.AsyncClient = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=not is_loopback(base_url),
            headers={"user-agent": user_agent},
        )

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
        """Return the complete answer; raises the ``TransportError`` family."""
        import httpx

        where = self._base_url
        try:
            async with self._client.stream(
                request.method,
                self._base_url + request.target(),
                headers=list(request.headers),
                content=request.body or None,
                timeout=timeout_s,
            ) as answer:
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _ANSWER_BYTES_MAX:
                        msg = f"{where} sent more than {_ANSWER_BYTES_MAX} bytes"
                        raise AnswerLost(msg)
                # Decoded here, so the encoding no longer describes the body.
                headers = lower_headers(
                    (k, v) for k, v in answer.headers.items() if k.lower() != "content-encoding"
                )
                return HttpResponse(answer.status_code, headers, bytes(body))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            msg = f"{where} cannot be connected to ({error or type(error).__name__})"
            raise ConnectFailed(msg) from error
        except httpx.TimeoutException as error:
            msg = f"{where} gave no complete answer within {timeout_s:g} s"
            raise AnswerTimedOut(msg) from error
        except httpx.HTTPError as error:
            msg = f"{where} broke off its answer ({error or type(error).__name__})"
            raise AnswerLost(msg) from error


def is_loopback(url: str) -> bool:
    """Say whether the host of ``url`` is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_base_url(url: str, *, allow_remote: bool) -> str:
    """Return ``url`` when it may be called.

    Raises ``UsageError`` when it is no HTTP address, carries credentials, or leaves this machine
    without permission.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"{url!r} is no HTTP address."
        raise UsageError(msg, remedy="Write it like http://127.0.0.1:8080.")
    if parts.username or parts.password:
        msg = "the address holds credentials."
        raise UsageError(msg, remedy="Hand them over in the environment instead.")
    if is_loopback(url):
        return url
    if not allow_remote:
        msg = f"{parts.hostname} is not this machine."
        raise UsageError(msg, remedy="Add --allow-remote-host to call it.")
    if parts.scheme != "https":
        msg = f"credentials would travel to {parts.hostname} unencrypted."
        raise UsageError(msg, remedy="Use https for a remote host.")
    return url


def variable_name(system: str, secret: str) -> str:
    """Return ``DRIFTGATE_AMAZON_SPAPI_CLIENT_ID`` for a system and a secret."""
    return f"DRIFTGATE_{system}_{secret}".upper()


def credentials_from_environment(
    system: str, needed: Sequence[str], environ: Mapping[str, str] | None = None
) -> Credentials:
    """Return the credentials of ``system``; an access token replaces all others.

    Raises ``UsageError`` naming every variable that is missing.
    """
    source = os.environ if environ is None else environ
    values = {
        secret: source[variable_name(system, secret)]
        for secret in _SECRETS
        if source.get(variable_name(system, secret))
    }
    missing = [variable_name(system, n) for n in needed if n not in values]
    if missing and "access_token" not in values:
        msg = f"credentials of {system} are missing: {', '.join(missing)}."
        raise UsageError(
            msg, remedy="Set them in the environment; they are never stored or printed."
        )
    return Credentials(values)
