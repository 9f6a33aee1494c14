"""Proves the parts of the kit one by one: buckets, assertions, drift packs, routing, estates."""

from __future__ import annotations

import base64
import hashlib
import json
from fractions import Fraction
from typing import Any

import httpx
import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.contract import Contract, Dialect, Operation
from harness.model.errors import MetadataError, UsageError
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.values import canonical_json
from harness.simulation.clock import VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from mocks.kit.assertions import AssertionRefused, check_assertion
from mocks.kit.estate import Estate, discover
from mocks.kit.httpx_transport import SimulatedTransport
from mocks.kit.quotas import Caller, Quotas, TokenBucket
from mocks.kit.routing import Router
from mocks.kit.shapes import DriftPack
from mocks.kit.simulator import RefusalKind, Refused

HOUR_US = 3_600_000_000
SELLER = Caller("seller", "x")


def test_an_odd_rate_never_drifts_by_a_single_token() -> None:
    bucket = TokenBucket(Fraction("0.0056"), 20, 0)
    for _ in range(20):
        assert bucket.wait_us(0) == 0
        bucket.take(0)
    now_us, taken = 0, 0
    while now_us < 1000 * HOUR_US:
        now_us += bucket.wait_us(now_us)
        assert bucket.wait_us(now_us) == 0
        bucket.take(0)
        taken += 1
    assert taken == 20_160  # 0.0056 * 3600 * 1000
    assert bucket.wait_us(now_us + bucket.wait_us(now_us) - 1) == 1


def test_a_bucket_refills_the_same_in_one_step_as_in_many() -> None:
    one, many = TokenBucket(Fraction("0.0167"), 20, 0), TokenBucket(Fraction("0.0167"), 20, 0)
    for bucket in (one, many):
        for _ in range(20):
            bucket.take(0)
    for now_us in range(0, 1_000_000, 997):
        many.tokens(now_us)
    assert one.tokens(1_000_000) == many.tokens(1_000_000) == Fraction("0.0167")


def test_a_changed_rate_keeps_what_is_in_the_bucket() -> None:
    bucket = TokenBucket(Fraction(1), 10, 0)
    for _ in range(4):
        bucket.take(0)
    bucket.change(Fraction(1, 3), 5, 0)
    assert bucket.tokens(0) == 5
    bucket.change(Fraction(2), 100, 0)
    assert bucket.tokens(0) == 5


def test_a_refused_call_uses_no_share_of_any_quota() -> None:
    quotas = Quotas(
        {
            "quotas": [
                {"id": "a", "kind": "token_bucket", "operations": ["*"], **_rate(1, 5)},
                {"id": "b", "kind": "token_bucket", "operations": ["*"], **_rate(1, 1)},
            ]
        }
    )
    quotas.admit(SELLER, 0)
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            quotas.admit(SELLER, 0)
        assert caught.value.kind is RefusalKind.THROTTLED
    assert quotas.quotas[0].counter(SELLER, 0).standing(0).remaining == 4
    quotas.admit(Caller("another seller", "x"), 0)


def _rate(rate: float, burst: int) -> dict[str, Any]:
    return {"rate_per_second": rate, "burst": burst}


def test_quotas_that_make_no_sense_are_mistakes() -> None:
    for entry in ({"kind": "leaky"}, {"kind": "token_bucket", **_rate(0, 1)}):
        with pytest.raises(MetadataError):
            Quotas({"quotas": [{"id": "q", "operations": ["*"], **entry}]})
    with pytest.raises(MetadataError, match="no quota 'typo'"):
        Quotas({}).squeeze("typo", 0, factor=0.5)


# -- signed assertions ---------------------------------------------------------------------------

# Two published primes (2**521 - 1 and 2**607 - 1) make a key that protects nothing.
PRIMES = (2**521 - 1, 2**607 - 1)
MODULUS = PRIMES[0] * PRIMES[1]
PUBLIC = {
    "kty": "RSA",
    "n": base64.urlsafe_b64encode(MODULUS.to_bytes(141, "big")).decode().rstrip("="),
    "e": "AQAB",
}
NOW_S = 1_790_000_000
CLAIMS = {"iss": "client", "aud": "https://x.test/token", "iat": NOW_S, "exp": NOW_S + 600}


def _b64(value: Any) -> str:
    data = value if isinstance(value, bytes) else canonical_json(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _mgf(seed: bytes, length: int) -> bytes:
    blocks = (hashlib.sha256(seed + n.to_bytes(4, "big")).digest() for n in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def signed(claims: dict[str, Any], *, alg: str = "PS256", kid: str = "cert") -> str:
    """Return an assertion signed as RFC 8017 section 9.1.1 says, with a fixed salt."""
    text = f"{_b64({'alg': alg, 'kid': kid, 'typ': 'JWT'})}.{_b64(claims)}"
    bits = MODULUS.bit_length() - 1
    length = (bits + 7) // 8
    salt = bytes(range(32))
    digest = hashlib.sha256(bytes(8) + hashlib.sha256(text.encode()).digest() + salt).digest()
    block = bytes(length - 32 - 32 - 2) + b"\x01" + salt
    mask = _mgf(digest, len(block))
    masked = bytearray(a ^ b for a, b in zip(block, mask, strict=True))
    masked[0] &= 0xFF >> (8 * length - bits)
    encoded = int.from_bytes(bytes(masked) + digest + b"\xbc", "big")
    secret = pow(65537, -1, (PRIMES[0] - 1) * (PRIMES[1] - 1))
    signature = pow(encoded, secret, MODULUS).to_bytes((MODULUS.bit_length() + 7) // 8, "big")
    return f"{text}.{_b64(signature)}"


def check(assertion: str, *, keys: Any = None) -> None:
    check_assertion(
        assertion,
        now_s=NOW_S,
        token_path="/token",
        client_id="client",
        key_id="cert",
        keys={"cert": PUBLIC} if keys is None else keys,
    )


def test_a_well_signed_assertion_passes_and_any_changed_bit_does_not() -> None:
    good = signed(CLAIMS)
    check(good)
    head, claims, signature = good.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[40] ^= 1
    with pytest.raises(AssertionRefused, match="signature does not fit"):
        check(f"{head}.{claims}.{_b64(bytes(raw))}")
    with pytest.raises(AssertionRefused, match="signature does not fit"):
        check(f"{head}.{_b64({**CLAIMS, 'exp': NOW_S + 601})}.{signature}")


def test_without_a_registered_key_only_the_signature_goes_unchecked() -> None:
    head, claims, _ = signed(CLAIMS).split(".")
    check(f"{head}.{claims}.{_b64(b'anything')}", keys={})
    with pytest.raises(AssertionRefused, match="empty"):
        check(f"{head}.{claims}.", keys={})


@pytest.mark.parametrize(
    ("assertion", "why"),
    [
        ("", "not a JSON Web Token"),
        ("a.b.c", "header"),
        ("!.!.!", "base64url"),
        ("W10.W10.YQ", "not a JSON object"),
        (signed(CLAIMS, alg="RS256"), "RS256"),
        (signed(CLAIMS, alg="none"), "none"),
        (signed(CLAIMS, kid="other"), "kid"),
        (signed({**CLAIMS, "iss": "x"}), "iss"),
        (signed({**CLAIMS, "aud": "https://x.test/"}), "aud"),
        (signed({**CLAIMS, "exp": NOW_S}), "expired"),
        (signed({**CLAIMS, "exp": NOW_S + 3601}), "60 minutes"),
        (signed({**CLAIMS, "iat": NOW_S + 61}), "future"),
        (signed({**CLAIMS, "exp": "soon"}), "seconds"),
    ],
)
def test_a_bad_assertion_is_refused_with_the_reason(assertion: str, why: str) -> None:
    with pytest.raises(AssertionRefused, match=why):
        check(assertion)


# -- drift packs ---------------------------------------------------------------------------------

BODY = {"orders": [{"n": "1", "s": "A"}, {"n": "2", "s": "B"}]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"do": "rename", "at": "/orders/*/n", "to": "q"}, [{"q": "1", "s": "A"}]),
        ({"do": "remove", "at": "/orders/*/n"}, [{"s": "A"}]),
        ({"do": "add", "at": "/orders/*/t", "value": 1}, [{"n": "1", "s": "A", "t": 1}]),
        ({"do": "add", "at": "/orders/*/n", "value": 9}, [{"n": "1", "s": "A"}]),
        ({"do": "set", "at": "/orders/0/n", "value": 9}, [{"n": 9, "s": "A"}]),
        ({"do": "retype", "at": "/orders/*/n", "to": "integer"}, [{"n": 1, "s": "A"}]),
        ({"do": "retype", "at": "/orders/*/s", "to": "number"}, [{"n": "1", "s": "A"}]),
        (
            {"do": "replace_value", "at": "/orders/*/s", "from": "A", "to": "Z"},
            [{"n": "1", "s": "Z"}],
        ),
        ({"do": "wrap", "at": "/orders/*/n", "in": "v"}, [{"n": {"v": "1"}, "s": "A"}]),
    ],
)
def test_each_change_of_shape(change: dict[str, Any], expected: list[Any]) -> None:
    before = json.dumps(BODY)
    pack = DriftPack({"changes": [{"operations": ["*"], **change}]}, SeededStreams(1).stream("d"))
    assert pack.apply("any", 200, BODY)["orders"][0] == expected[0]
    assert pack.apply("any", 400, BODY) == BODY
    assert json.dumps(BODY) == before


def test_wrapping_the_whole_body_and_a_share_of_the_elements() -> None:
    wrap = {"operations": ["a"], "do": "wrap", "at": "", "in": "payload"}
    share = {"operations": ["a"], "do": "set", "at": "/*", "value": 1, "share": 0.3}
    stream = SeededStreams(1).stream("drift")
    assert DriftPack({"changes": [wrap]}, stream).apply("a", 200, BODY) == {"payload": BODY}
    changed = DriftPack({"changes": [share]}, stream).apply("a", 200, [0] * 1000)
    assert 200 < sum(changed) < 400
    with pytest.raises(MetadataError, match="cannot 'paint'"):
        DriftPack({"changes": [{**wrap, "do": "paint"}]}, stream)


# -- routing, transports, estates ----------------------------------------------------------------


def _contract(*labels: str) -> Contract:
    operations = tuple(
        Operation(method, path, f"/paths/{n}", f"op{n}", (), None, (), ())
        for n, (method, path) in enumerate(label.split() for label in labels)
    )
    return Contract("test", Dialect.OPENAPI_3_1, "t", "1", {}, {}, operations)


def test_two_operations_for_one_path_and_method_are_a_mistake() -> None:
    with pytest.raises(MetadataError, match="both answer"):
        Router({"a/v1": _contract("GET /x/{id}"), "b/v1": _contract("GET /x/{name}")})


def test_the_most_literal_template_wins_whatever_the_order() -> None:
    router = Router({"a/v1": _contract("GET /{a}/{b}", "GET /{a}/end", "GET /x/{b}")})
    found = {p: router.find("GET", p)[0].operation.path for p in ("/x/end", "/y/end", "/y/z")}
    assert found == {"/x/end": "/x/{b}", "/y/end": "/{a}/end", "/y/z": "/{a}/{b}"}


def test_the_httpx_transport_carries_everything_both_ways() -> None:
    seen: list[HttpRequest] = []

    class Client:
        async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
            seen.append(request)
            return HttpResponse(201, (("x-a", "1"), ("content-type", "text/plain")), b"hello")

    async def main() -> httpx.Response:
        transport = SimulatedTransport(Client())
        async with httpx.AsyncClient(transport=transport, base_url="http://a.test") as client:
            return await client.post("/p%2Fq", params={"k": "v w"}, content=b"body")

    answer = run_virtual(main, clock=VirtualClock(0), limit_s=10)
    assert (answer.status_code, answer.text, answer.headers["x-a"]) == (201, "hello", "1")
    assert (seen[0].path, seen[0].query, seen[0].body) == ("/p%2Fq", (("k", "v w"),), b"body")


def test_an_estate_finds_systems_by_looking_and_answers_for_each() -> None:
    clock = VirtualClock(1_790_000_000_000_000)
    estate = Estate(
        tuple(discover()),
        catalog=Catalog(contracts_root(None)),
        clock=clock,
        streams=SeededStreams(1),
        check_answers=True,
    )

    async def main() -> list[int]:
        statuses = []
        for name in estate.edges:
            async with estate.httpx_client(name) as client:
                answer = await client.get("/nowhere")
            assert "no contract" in answer.headers["x-driftgate-explain"]
            statuses.append(answer.status_code)
        return statuses

    statuses = run_virtual(main, clock=clock, limit_s=60)
    assert len(statuses) >= 2
    assert set(statuses) <= {403, 404}
    assert [estate.books[name].calls[0].outcome for name in estate.books] == ["unknown"] * len(
        statuses
    )
    assert estate.failures == []
    assert estate.access("netsuite").base_url == "https://netsuite.test"


def test_an_unknown_system_is_a_mistake_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="amazon_spapi"):
        Estate(
            ["nobody"],
            catalog=Catalog(contracts_root(None)),
            clock=VirtualClock(0),
            streams=SeededStreams(1),
        )
