"""ECDSA over the curve P-256 in plain integers: verifying what clients sign, signing as vendors do.

Keys here are made for simulations and protect nothing, so the arithmetic need not hide anything
from a stopwatch. Signatures are deterministic (RFC 6979): the same seed gives the same bytes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from harness.model.ports import Randomness

# The curve's published constants (FIPS 186-4, D.1.2.3).
_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

Point = tuple[int, int]
_Jacobian = tuple[int, int, int]
_NOWHERE: _Jacobian = (0, 1, 0)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point of the curve."""

    x: int
    y: int

    def on_curve(self) -> bool:
        """Say whether the key can be one at all."""
        in_field = 0 <= self.x < _P and 0 <= self.y < _P
        return in_field and (self.y**2 - (self.x**3 - 3 * self.x + _B)) % _P == 0

    def verifies(self, message: bytes, r: int, s: int, *, hash_name: str = "sha256") -> bool:
        """Say whether (r, s) is this key's signature of ``message``."""
        if not self.on_curve() or not 1 <= r < _N or not 1 <= s < _N:
            return False
        inverse = pow(s, -1, _N)
        u, v = _digest(message, hash_name) * inverse % _N, r * inverse % _N
        point = _affine(_add(_times(u, (*_G, 1)), _times(v, (self.x, self.y, 1))))
        return point is not None and point[0] % _N == r


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A secret number; :meth:`drawn` takes one from a seeded stream."""

    secret: int

    @staticmethod
    def drawn(chance: Randomness) -> PrivateKey:
        """Return a key of this stream: the same seed, the same key."""
        return PrivateKey(chance.randrange(1, _N))

    def public(self) -> PublicKey:
        """Return the key others verify with."""
        point = _affine(_times(self.secret, (*_G, 1)))
        if point is None:
            msg = "the secret is a multiple of the curve's order"
            raise ValueError(msg)
        return PublicKey(*point)

    def sign(self, message: bytes, *, hash_name: str = "sha256") -> tuple[int, int]:
        """Return (r, s)."""
        digest = _digest(message, hash_name)
        nonces = _nonces(self.secret, digest, hash_name)
        while True:
            k = next(nonces)
            point = _affine(_times(k, (*_G, 1)))
            r = point[0] % _N if point is not None else 0
            s = pow(k, -1, _N) * (digest + r * self.secret) % _N
            if r and s:
                return r, s


def to_der(r: int, s: int) -> bytes:
    """Return a signature as the ASN.1 sequence most libraries read."""
    parts = b""
    for number in (r, s):
        text = number.to_bytes(number.bit_length() // 8 + 1, "big")
        parts += b"\x02" + bytes([len(text)]) + text
    return b"\x30" + bytes([len(parts)]) + parts


def public_key_der(key: PublicKey) -> bytes:
    """Return a key as SubjectPublicKeyInfo, the form behind ``BEGIN PUBLIC KEY``."""
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    return prefix + b"\x04" + key.x.to_bytes(32, "big") + key.y.to_bytes(32, "big")


def _digest(message: bytes, hash_name: str) -> int:
    """Return the leftmost 256 bits of the hash."""
    digest = hashlib.new(hash_name, message).digest()
    number = int.from_bytes(digest, "big")
    return number >> max(0, 8 * len(digest) - 256)


def _nonces(secret: int, digest: int, hash_name: str) -> Iterator[int]:
    """Yield nonces as RFC 6979 section 3.2 derives them."""
    size = hashlib.new(hash_name).digest_size
    seed = secret.to_bytes(32, "big") + (digest % _N).to_bytes(32, "big")
    v, k = b"\x01" * size, b"\x00" * size
    for mark in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + mark + seed, hash_name)
        v = hmac.digest(k, v, hash_name)
    while True:
        text = b""
        while len(text) < 32:
            v = hmac.digest(k, v, hash_name)
            text += v
        nonce = int.from_bytes(text[:32], "big")
        if 1 <= nonce < _N:
            yield nonce
        k = hmac.digest(k, v + b"\x00", hash_name)
        v = hmac.digest(k, v, hash_name)


# -- points as (X, Y, Z) with x = X/Z^2 and y = Y/Z^3: no division until the end -----------------


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if not y or not z:
        return _NOWHERE
    square = y * y % _P
    s = 4 * x * square % _P
    m = 3 * (x - z * z) * (x + z * z) % _P
    new_x = (m * m - 2 * s) % _P
    return new_x, (m * (s - new_x) - 8 * square * square) % _P, 2 * y * z % _P


def _add(one: _Jacobian, other: _Jacobian) -> _Jacobian:
    if not one[2]:
        return other
    if not other[2]:
        return one
    (x1, y1, z1), (x2, y2, z2) = one, other
    z1z1, z2z2 = z1 * z1 % _P, z2 * z2 % _P
    u1, u2 = x1 * z2z2 % _P, x2 * z1z1 % _P
    s1, s2 = y1 * z2 * z2z2 % _P, y2 * z1 * z1z1 % _P
    h, r = (u2 - u1) % _P, (s2 - s1) % _P
    if not h:
        return _double(one) if not r else _NOWHERE
    hh = h * h % _P
    hhh, v = h * hh % _P, u1 * hh % _P
    x = (r * r - hhh - 2 * v) % _P
    return x, (r * (v - x) - s1 * hhh) % _P, h * z1 * z2 % _P


def _times(number: int, point: _Jacobian) -> _Jacobian:
    result = _NOWHERE
    for bit in bin(number)[2:]:
        result = _double(result)
        if bit == "1":
            result = _add(result, point)
    return result


def _affine(point: _Jacobian) -> Point | None:
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, _P)
    return x * inverse * inverse % _P, y * inverse**3 % _P
