"""One HTTP exchange, as every part of the program sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from harness.model.values import Json, canonical_json

# Names are lower-case; a name may occur more than once (``set-cookie``).
Headers: TypeAlias = tuple[tuple[str, str], ...]
Query: TypeAlias = tuple[tuple[str, str], ...]


def header_value(headers: Headers, name: str) -> str | None:
    """Return the first value of ``name`` (any case), or ``None``."""
    wanted = name.lower()
    for key, value in headers:
        if key == wanted:
            return value
    return None


def lower_headers(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return the pairs with lower-case names, in the order given."""
    return tuple((name.lower(), value) for name, value in pairs)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to one system; scheme and host belong to the client that sends it.

    ``path`` is percent-encoded and starts with ``/``; ``query`` holds decoded pairs in order;
    header names are lower-case.
    """

    method: str
    path: str
    query: Query = ()
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of header ``name`` (any case), or ``None``."""
        return header_value(self.headers, name)

    def query_value(self, name: str) -> str | None:
        """Return the first value of query parameter ``name``, or ``None``."""
        for key, value in self.query:
            if key == name:
                return value
        return None

    def target(self) -> str:
        """Return path and query as they stand in a request line."""
        if not self.query:
            return self.path
        pairs = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in self.query)
        return f"{self.path}?{pairs}"

    def json(self) -> Json:
        """Parse the body; raises ``ValueError`` when it is not JSON."""
        return json.loads(self.body)

    @staticmethod
    def from_target(
        method: str, target: str, headers: Headers = (), body: bytes = b""
    ) -> HttpRequest:
        """Build a request from a request-line target (``/path?query``)."""
        parts = urlsplit(target)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return HttpRequest(method, parts.path or "/", query, headers, body)

    @staticmethod
    def with_json(
        method: str, path: str, value: Json, *, query: Query = (), headers: Headers = ()
    ) -> HttpRequest:
        """Build a request whose body is ``value`` in canonical JSON."""
        typed = (*headers, ("content-type", "application/json"))
        return HttpRequest(method, path, query, typed, canonical_json(value).encode())


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete answer. Header names are lower-case."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of header ``name`` (any case), or ``None``."""
        return header_value(self.headers, name)

    def json(self) -> Json:
        """Parse the body; raises ``ValueError`` when it is not JSON."""
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        """Return the content type without parameters, lower-case; empty when absent."""
        return (self.header("content-type") or "").split(";", 1)[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and the answer to it; ``at_us`` is UTC microseconds since 1970 when known."""

    request: HttpRequest
    response: HttpResponse
    at_us: int | None = None


def encode_path_segment(text: str) -> str:
    """Percent-encode ``text`` for use as one path segment (reserved characters included)."""
    return quote(text, safe="")


def decode_path_segment(text: str) -> str:
    """Undo :func:`encode_path_segment`."""
    return unquote(text)
