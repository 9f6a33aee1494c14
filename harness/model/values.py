"""JSON values: their type, one canonical spelling and JSON Pointers into them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

# A precise recursive alias makes every consumer cast; documents are checked by schema instead.
Json: TypeAlias = Any
JsonObject: TypeAlias = Mapping[str, Any]


def canonical_json(value: Json) -> str:
    """Return the one spelling of ``value``: sorted keys, no spaces, text unescaped.

    Raises ``ValueError`` for NaN and infinities, which JSON cannot carry.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def fingerprint(*parts: Json) -> str:
    """Return 12 hex digits that stay the same for the same parts on every machine."""
    digest = hashlib.sha256(canonical_json(list(parts)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:12]


def pointer(*tokens: str | int) -> str:
    """Build a JSON Pointer (RFC 6901) from unescaped tokens; no tokens is the whole document."""
    return "".join("/" + str(t).replace("~", "~0").replace("/", "~1") for t in tokens)


def pointer_tokens(text: str) -> tuple[str, ...]:
    """Split a JSON Pointer into unescaped tokens.

    Raises ``ValueError`` when ``text`` is neither empty nor starts with ``/``.
    """
    if not text:
        return ()
    if not text.startswith("/"):
        msg = f"a JSON Pointer starts with '/': {text!r}"
        raise ValueError(msg)
    return tuple(t.replace("~1", "/").replace("~0", "~") for t in text[1:].split("/"))


def resolve_pointer(document: Json, text: str) -> Json:
    """Return the value at ``text``; raises ``LookupError`` when there is none."""
    return walk(document, pointer_tokens(text))


def walk(document: Json, tokens: Iterable[str]) -> Json:
    """Follow unescaped pointer tokens; raises ``LookupError`` where the path ends early."""
    value = document
    for token in tokens:
        if isinstance(value, Mapping):
            value = value[token]
        elif isinstance(value, list | tuple):
            if not token.isdecimal():
                raise LookupError(token)
            value = value[int(token)]
        else:
            raise LookupError(token)
    return value
