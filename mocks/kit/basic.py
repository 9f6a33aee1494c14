"""HTTP Basic (RFC 7617), as calls and token requests carry it."""

from __future__ import annotations

import base64
import binascii

from harness.model.exchange import HttpRequest


def basic_credentials(request: HttpRequest) -> tuple[str, str] | None:
    """Return user and password of a Basic authorization header, ``None`` without one."""
    scheme, _, text = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    user, colon, password = decoded.partition(":")
    return (user, password) if colon else None
