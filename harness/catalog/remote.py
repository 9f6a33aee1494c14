"""A document from an HTTP address: bounded in size and time, and never led astray by a redirect."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.catalog.limits import Limits, too_many_bytes
from harness.model.errors import SourceLocation, Unreachable, UsageError

if TYPE_CHECKING:
    import httpx

_REDIRECTS_MAX = 5
_SILENCE_SECONDS = 20.0
_SECONDS_MAX = 60.0
_REMEDY = "Check the address, or download the document first."


def is_address(text: str) -> bool:
    """Say whether a name is an HTTP address rather than a file."""
    return text.startswith(("http://", "https://"))


def fetch(url: str, limits: Limits, *, clock: Callable[[], float] | None = None) -> bytes:
    """Return the body behind an address.

    ``clock`` gives seconds, so that an answer that drips in byte by byte ends after a minute;
    without one only silence ends it. Redirects are followed a few times, to HTTP addresses, never
    from https to http nor from the internet into a private network. Raises ``UsageError`` for an
    address with credentials in it, ``Unreachable`` when there is no whole answer and
    ``DocumentError`` when it is larger than allowed.
    """
    import httpx

    _check_address(url)
    at = url
    try:
        with httpx.Client(
            follow_redirects=False, timeout=_SILENCE_SECONDS, trust_env=not _is_private(url)
        ) as client:
            for _ in range(_REDIRECTS_MAX + 1):
                with client.stream("GET", at) as answer:
                    if answer.is_error:
                        status = f"{answer.status_code} {answer.reason_phrase}".strip()
                        raise _unreachable(url, f"the server answered {status}")
                    if not answer.is_redirect:
                        return _body(answer, url, limits, clock)
                    at = _next_address(at, answer, url)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise _unreachable(url, f"the document could not be fetched: {reason}") from error
    raise _unreachable(url, f"the address redirects more than {_REDIRECTS_MAX} times")


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        msg = f"{url!r:.200} is no HTTP address"
        raise UsageError(msg, remedy="Write it like https://vendor.example/openapi.json.")
    if parts.username or parts.password:
        msg = "the address holds credentials"
        raise UsageError(msg, remedy="Download the document first; credentials are never kept.")


def _body(
    answer: httpx.Response, url: str, limits: Limits, clock: Callable[[], float] | None
) -> bytes:
    end = clock() + _SECONDS_MAX if clock else 0.0
    data = bytearray()
    for chunk in answer.iter_bytes():
        data += chunk
        if len(data) > limits.bytes:
            raise too_many_bytes(url, limits)
        if clock and clock() > end:
            raise _unreachable(url, f"the document did not arrive within {_SECONDS_MAX:g} seconds")
    return bytes(data)


def _next_address(at: str, answer: httpx.Response, url: str) -> str:
    target = str(answer.next_request.url) if answer.next_request else ""
    here, there = urlsplit(at), urlsplit(target)
    if there.scheme not in {"http", "https"} or not there.hostname:
        raise _unreachable(url, f"the address redirects to {target!r:.80}, which is not followed")
    if here.scheme == "https" and there.scheme == "http":
        raise _unreachable(url, "the address redirects from https to http, which is not followed")
    if here.hostname != there.hostname and _is_private(target) and not _is_private(at):
        raise _unreachable(
            url, f"the address redirects into a private network ({there.hostname:.80})"
        )
    return target


def _is_private(url: str) -> bool:
    """Say whether a host is this machine or in a private network, as far as its name tells."""
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False  # unknown here; a proxy may know it
    return any(not ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found)


def _unreachable(url: str, message: str) -> Unreachable:
    return Unreachable(message, remedy=_REMEDY, location=SourceLocation(without_query(url)))


def without_query(url: str) -> str:
    """Return an address without its query and fragment: those may hold a key."""
    return url.partition("#")[0].partition("?")[0]
