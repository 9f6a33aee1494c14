"""Opaque page tokens: where a list walk stands, sealed so that a client cannot edit it.

The walk's state travels in the token, so a simulator remembers nothing between pages and a token
survives being used twice, as real ones do.
"""

from __future__ import annotations

import base64
import binascii
import json

from harness.model.values import JsonObject, canonical_json, fingerprint

_SEAL_LENGTH = 12


def seal(state: JsonObject) -> str:
    """Return an opaque token that holds ``state``."""
    text = canonical_json(state)
    return base64.urlsafe_b64encode((fingerprint(text) + text).encode()).decode()


def unseal(token: str) -> JsonObject:
    """Return the state inside ``token``; raises ``ValueError`` when it was cut or edited."""
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        msg = "this is no page token"
        raise ValueError(msg) from error
    body = text[_SEAL_LENGTH:]
    if fingerprint(body) != text[:_SEAL_LENGTH]:
        msg = "this page token was cut or edited"
        raise ValueError(msg)
    state = json.loads(body)
    if not isinstance(state, dict):
        msg = "this page token holds no walk"
        raise ValueError(msg)
    return state
