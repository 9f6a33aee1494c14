"""Checks a signed client assertion (RFC 7523) the way a strict token endpoint does.

Structure and claims are always checked. The signature is checked (RSA-PSS and ES256) when the
client's public key is known; without a key any non-empty signature passes, so that a person can
try a simulator without making keys first.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from mocks.kit.elliptic import PublicKey

ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LIFETIME_SECONDS_MAX = 3600
# A client's clock may run a little ahead of the server's.
CLOCK_SKEW_SECONDS = 60


class AssertionRefused(Exception):
    """The assertion is not acceptable; the text says why."""


def check_assertion(
    assertion: str,
    *,
    now_s: int,
    token_path: str,
    client_id: str | None,
    key_id: str | None,
    keys: Mapping[str, Mapping[str, str]],
) -> None:
    """Return when the assertion is good; raises ``AssertionRefused``.

    ``keys`` maps key ids to public JSON Web Keys (``{"kty": "RSA", "n": ..., "e": ...}`` or
    ``{"kty": "EC", "crv": "P-256", "x": ..., "y": ...}``).
    """
    parts = assertion.split(".")
    if len(parts) != 3:
        msg = "client_assertion is not a JSON Web Token (header.payload.signature)"
        raise AssertionRefused(msg)
    header, claims = _object(parts[0], "header"), _object(parts[1], "payload")
    signature = _bytes(parts[2], "signature")
    if header.get("alg") not in ALGORITHMS:
        msg = f"alg {header.get('alg')!r} is refused; use one of {', '.join(ALGORITHMS)}"
        raise AssertionRefused(msg)
    kid = header.get("kid")
    if not isinstance(kid, str) or (key_id is not None and kid != key_id):
        msg = "kid must be the id of the certificate registered for this client"
        raise AssertionRefused(msg)
    _check_claims(claims, now_s=now_s, token_path=token_path, client_id=client_id)
    if not signature:
        msg = "the signature is empty"
        raise AssertionRefused(msg)
    if kid in keys:
        signed = f"{parts[0]}.{parts[1]}".encode()
        if not _signed_by(str(header["alg"]), signed, signature, keys[kid]):
            msg = "the signature does not fit the registered certificate"
            raise AssertionRefused(msg)


def _check_claims(
    claims: Mapping[str, Any], *, now_s: int, token_path: str, client_id: str | None
) -> None:
    if client_id is not None and claims.get("iss") != client_id:
        msg = "iss must be the client id"
        raise AssertionRefused(msg)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(one, str) and one.endswith(token_path) for one in audiences):
        msg = f"aud must be the URL of the token endpoint (.../{token_path.lstrip('/')})"
        raise AssertionRefused(msg)
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int | float) or not isinstance(expires, int | float):
        msg = "iat and exp must be seconds since 1970"
        raise AssertionRefused(msg)
    if issued > now_s + CLOCK_SKEW_SECONDS:
        msg = "iat lies in the future"
        raise AssertionRefused(msg)
    if expires <= now_s:
        msg = "the assertion has expired"
        raise AssertionRefused(msg)
    if expires - issued > LIFETIME_SECONDS_MAX:
        msg = f"exp is more than {LIFETIME_SECONDS_MAX // 60} minutes after iat"
        raise AssertionRefused(msg)


def _bytes(text: str, part: str) -> bytes:
    try:
        return base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, UnicodeEncodeError):
        msg = f"the {part} of client_assertion is not base64url"
        raise AssertionRefused(msg) from None


def _object(text: str, part: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(text, part))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        msg = f"the {part} of client_assertion is not a JSON object"
        raise AssertionRefused(msg)
    return value


# -- RSASSA-PSS (RFC 8017 section 8.1.2); verifying needs no secret, so plain integers will do ----


def _signed_by(algorithm: str, signed: bytes, signature: bytes, key: Mapping[str, str]) -> bool:
    if algorithm == "ES256":
        return _es256_fits(signed, signature, key)
    if not algorithm.startswith("PS") or key.get("kty") != "RSA":
        return False
    modulus = int.from_bytes(_bytes(key["n"], "public key"), "big")
    exponent = int.from_bytes(_bytes(key["e"], "public key"), "big")
    value = int.from_bytes(signature, "big")
    if len(signature) != (modulus.bit_length() + 7) // 8 or value >= modulus:
        return False
    bits = modulus.bit_length() - 1
    encoded = pow(value, exponent, modulus)
    length = (bits + 7) // 8
    if encoded.bit_length() > length * 8:
        return False
    return _pss_fits(f"sha{algorithm[2:]}", signed, encoded.to_bytes(length, "big"), bits)


def _es256_fits(signed: bytes, signature: bytes, key: Mapping[str, str]) -> bool:
    """Check the 64 bytes r and s of RFC 7518 section 3.4."""
    if key.get("kty") != "EC" or key.get("crv") != "P-256" or len(signature) != 64:
        return False
    x = int.from_bytes(_bytes(key["x"], "public key"), "big")
    y = int.from_bytes(_bytes(key["y"], "public key"), "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return PublicKey(x, y).verifies(signed, r, s)


def _pss_fits(hash_name: str, signed: bytes, encoded: bytes, bits: int) -> bool:
    digest = hashlib.new(hash_name, signed).digest()
    size = len(digest)
    if len(encoded) < 2 * size + 2 or encoded[-1] != 0xBC:
        return False
    masked, expected = encoded[: -size - 1], encoded[-size - 1 : -1]
    spare = 8 * len(encoded) - bits
    if masked[0] >> (8 - spare):
        return False
    mask = _mask(hash_name, expected, len(masked))
    block = bytearray(a ^ b for a, b in zip(masked, mask, strict=True))
    block[0] &= 0xFF >> spare
    padding = len(block) - size - 1  # the salt is as long as the digest (RFC 7518 section 3.5)
    if any(block[:padding]) or block[padding] != 1:
        return False
    salt = bytes(block[padding + 1 :])
    found = hashlib.new(hash_name, bytes(8) + digest + salt).digest()
    return hmac.compare_digest(found, expected)


def _mask(hash_name: str, seed: bytes, length: int) -> bytes:
    output, counter = b"", 0
    while len(output) < length:
        output += hashlib.new(hash_name, seed + counter.to_bytes(4, "big")).digest()
        counter += 1
    return output[:length]
