"""Reads Pact files, versions 2 to 4, as recorded exchanges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from harness.model.errors import MetadataError, SourceLocation
from harness.model.exchange import Exchange, Headers, HttpRequest, HttpResponse
from harness.model.values import Json, JsonObject, canonical_json


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing the consumer does, and the part of the answer it reads."""

    description: str
    pointer: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Pact:
    """What one consumer needs of one provider; ``skipped`` counts message interactions."""

    source: str
    consumer: str
    provider: str
    interactions: tuple[Interaction, ...]
    skipped: int = 0


def load_pact(path: Path) -> Pact:
    """Return the pact in a file; raises ``MetadataError`` when it is none."""
    place = SourceLocation(str(path))
    try:
        data = json.loads(path.read_bytes())
        interactions = data["interactions"]
        http = [
            (i, one)
            for i, one in enumerate(interactions)
            if one.get("type", "Synchronous/HTTP") == "Synchronous/HTTP"
        ]
        return Pact(
            source=str(path),
            consumer=str(data["consumer"]["name"]),
            provider=str(data["provider"]["name"]),
            interactions=tuple(_interaction(i, one) for i, one in http),
            skipped=len(interactions) - len(http),
        )
    except OSError as error:
        msg = f"the pact cannot be read: {error.strerror}."
        raise MetadataError(msg, remedy="Check the path.", location=place) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        msg = f"this is no Pact file ({type(error).__name__}: {error})."
        remedy = "Record it again with a Pact library."
        raise MetadataError(msg, remedy=remedy, location=place) from error


def _interaction(index: int, data: JsonObject) -> Interaction:
    request, response = data["request"], data["response"]
    exchange = Exchange(
        HttpRequest(
            method=str(request["method"]).upper(),
            path=str(request["path"]),
            query=_query(request.get("query")),
            headers=_headers(request.get("headers")),
            body=_body(request.get("body")),
        ),
        HttpResponse(
            status=int(response["status"]),
            headers=_headers(response.get("headers")),
            body=_body(response.get("body")),
        ),
    )
    return Interaction(str(data["description"]), f"/interactions/{index}", exchange)


def _query(query: Json) -> tuple[tuple[str, str], ...]:
    if isinstance(query, str):
        return tuple(parse_qsl(query, keep_blank_values=True))
    return tuple((name, str(v)) for name, values in (query or {}).items() for v in _listed(values))


def _headers(headers: Mapping[str, Any] | None) -> Headers:
    return tuple(
        (name.lower(), ", ".join(map(str, _listed(values))))
        for name, values in (headers or {}).items()
    )


def _listed(values: Json) -> list[Json]:
    return values if isinstance(values, list) else [values]


def _body(body: Json) -> bytes:
    """Return the example body; version 4 wraps it with its content type."""
    if isinstance(body, Mapping) and "content" in body and "contentType" in body:
        body = body["content"]
    if body is None:
        return b""
    return canonical_json(body).encode()
