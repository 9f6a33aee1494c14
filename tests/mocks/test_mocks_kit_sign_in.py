"""Proves every way to sign in: what opens the door, and each near miss that does not."""

from __future__ import annotations

import base64
import hmac
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from harness.model.exchange import HttpRequest
from harness.model.values import canonical_json
from mocks.kit.accounts import Account
from mocks.kit.assertions import AssertionRefused, check_assertion
from mocks.kit.elliptic import PrivateKey


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


manners = _load("toy_manners")
Market, play = manners.Market.of, manners.play


FORM = (("content-type", "application/x-www-form-urlencoded"),)
CLIENT = {"client_id": "id", "client_secret": "secret"}
OAUTH = {"token_path": "/token", "token_seconds": 60, "request_header": "authorization"}


def market(**rules: Any) -> Any:
    accounts = (Account("seller"), Account("other"))
    return Market({"authentication": rules}, accounts=accounts)


def tell(m: Any, story: Any) -> Any:
    """Run a story without logging in first."""
    m.log_in = _nothing
    return play(m, lambda _m: story())


async def _nothing() -> None:
    """Stand in for the log-in of the toy shop."""


async def token(m: Any, headers: Any = FORM, **form: str) -> tuple[int, dict[str, Any]]:
    body = urlencode(form).encode()
    answer = await m.client.send(HttpRequest("POST", "/token", (), headers, body))
    return answer.status, answer.json()


async def items(m: Any, *headers: tuple[str, str]) -> int:
    return int((await m.client.send(HttpRequest("GET", "/items", (), headers))).status)


def basic(text: str) -> tuple[str, str]:
    return ("authorization", f"Basic {base64.b64encode(text.encode()).decode()}")


def test_client_credentials_open_the_door_of_their_own_account_until_they_expire() -> None:
    m = market(kind="oauth2_client_credentials", **OAUTH)

    async def story() -> list[Any]:
        grant = {"grant_type": "client_credentials"}
        status, body = await token(m, **grant, **CLIENT)
        bearer = ("authorization", f"Bearer {body['access_token']}")
        seen = [status, await items(m, bearer), m.books.calls[-1].account]
        other = {"client_id": "id-other", "client_secret": "secret-other"}
        _, theirs = await token(m, **grant, **other)
        seen.append(await items(m, ("authorization", f"bearer {theirs['access_token']}")))
        seen.append(m.books.calls[-1].account)
        mixed = {**CLIENT, "client_secret": "secret-other"}
        wrong = await token(m, **grant, **mixed)
        seen += [wrong[0], wrong[1]["error"]]
        seen.append((await token(m, grant_type="refresh_token", **CLIENT))[1]["error"])
        await m.clock.sleep(61)
        seen.append(await items(m, bearer))
        seen.append(await items(m, ("authorization", bearer[1].replace("Bearer", "IAF"))))
        return seen

    assert tell(m, story) == [
        *(200, 200, "seller", 200, "other"),
        *(401, "invalid_client", "unsupported_grant_type", 401, 401),
    ]


def test_the_client_may_have_to_come_by_basic_and_the_token_under_another_word() -> None:
    rules = {"kind": "oauth2_client_credentials", **OAUTH, "request_scheme": "IAF"}

    async def story() -> list[Any]:
        grant = {"grant_type": "client_credentials"}
        status, body = await token(m, (*FORM, basic("id:secret")), **grant)
        value = body.get("access_token", "")
        iaf = ("authorization", f"IAF {value}")
        in_body = (await token(m, **grant, **CLIENT))[0]
        bad = (await token(m, (*FORM, ("authorization", "Basic ???")), **grant))[0]
        return [status, await items(m, iaf), in_body, bad]

    m = market(**rules, client_authentication="basic")
    assert tell(m, story) == [200, 200, 401, 401]
    m = market(**rules, client_authentication="either")
    assert tell(m, story) == [200, 200, 200, 400]
    m = market(**rules)
    assert tell(m, story)[0] == 400


def test_a_code_makes_a_user_token_once_and_its_refresh_token_lives_as_declared() -> None:
    rules = {"kind": "oauth2_authorization_code", **OAUTH, "refresh_token_seconds": 1000}
    m = market(**rules)

    async def story() -> list[Any]:
        code = m.edge.tokens.consent("other", m.clock.now_us())
        client = {"client_id": "id-other", "client_secret": "secret-other"}
        exchange = {"grant_type": "authorization_code", "code": code}
        stolen = await token(m, **exchange, **CLIENT)
        code = m.edge.tokens.consent("other", m.clock.now_us())
        exchange = {"grant_type": "authorization_code", "code": code}
        status, body = await token(m, **exchange, **client)
        again = await token(m, **exchange, **client)
        renew = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
        renewed = await token(m, **renew, **client)
        late = m.edge.tokens.consent("other", m.clock.now_us())
        await m.clock.sleep(1001)
        expired = await token(m, **renew, **client)
        stale = await token(m, grant_type="authorization_code", code=late, **client)
        seen = [stolen[0], status, body["refresh_token_expires_in"], again[1]["error"]]
        return [*seen, renewed[0], expired[1]["error"], stale[1]["error"]]

    wrong = "invalid_grant"
    assert tell(m, story) == [400, 200, 1000, wrong, 200, wrong, wrong]


def test_refresh_tokens_rotate_and_tokens_end_each_other_only_where_declared() -> None:
    renew = {"grant_type": "refresh_token", "refresh_token": "refresh", **CLIENT}

    def statuses(**more: Any) -> list[Any]:
        m = market(kind="oauth2_refresh_token", **OAUTH, **more)

        async def story() -> list[Any]:
            first = await token(m, **renew)
            second = await token(m, **renew)
            bearer = ("authorization", f"Bearer {first[1]['access_token']}")
            return [second[0], await items(m, bearer)]

        return list(tell(m, story))

    assert statuses() == [200, 200]
    assert statuses(refresh_token_rotates=True) == [400, 200]
    assert statuses(one_token_per_account=True) == [200, 401]


def test_static_tokens_and_basic_open_the_door_of_their_account() -> None:
    async def static() -> list[Any]:
        seen = [await items(m, ("x-shop-token", "static-other")), m.books.calls[-1].account]
        return [*seen, await items(m, ("x-shop-token", "static-nobody")), await items(m)]

    m = market(kind="static_token", request_header="X-Shop-Token")
    assert tell(m, static) == [200, "other", 401, 401]

    async def by_basic() -> list[Any]:
        seen = [await items(m, basic("user-other:pass")), m.books.calls[-1].account]
        return [*seen, await items(m, basic("user:wrong")), await items(m)]

    m = market(kind="basic")
    assert tell(m, by_basic) == [200, "other", 401, 401]


def test_a_further_way_in_stands_beside_the_main_one_only_where_declared() -> None:
    async def story() -> int:
        return await items(m, basic("user:pass"))

    m = market(kind="oauth2_client_credentials", **OAUTH, also=[{"kind": "basic"}])
    assert tell(m, story) == 200
    m = market(kind="oauth2_client_credentials", **OAUTH)
    assert tell(m, story) == 401


def test_a_token_path_may_hold_a_placeholder() -> None:
    m = market(kind="oauth2_client_credentials", **{**OAUTH, "token_path": "/{tenant}/v2.0/token"})

    async def story() -> list[int]:
        body = urlencode({"grant_type": "client_credentials", **CLIENT}).encode()
        paths = ("/my-tenant/v2.0/token", "/a/b/v2.0/token", "/my-tenant/v2x0/token")
        requests = [HttpRequest("POST", path, (), FORM, body) for path in paths]
        return [(await m.client.send(request)).status for request in requests]

    assert tell(m, story) == [200, 404, 404]


# -- signed requests ------------------------------------------------------------------------------


def signed(m: Any, request: HttpRequest, *, seconds: int = 0, **change: str) -> HttpRequest:
    """Sign as RFC 5849 says; ``change`` overrides parameters before signing."""
    given = {
        "oauth_consumer_key": "ck-other",
        "oauth_token": "tk-other",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(m.clock.now_us() // 1_000_000 + seconds),
        "oauth_nonce": "n1",
        "oauth_version": "1.0",
        **change,
    }
    pairs = sorted((_quoted(k), _quoted(v)) for k, v in (*given.items(), *request.query))
    host = request.header("host")
    base = f"https://{host}{request.path}"
    listed = "&".join(f"{k}={v}" for k, v in pairs)
    text = f"{request.method}&{_quoted(base)}&{_quoted(listed)}"
    name = {"HMAC-SHA1": "sha1"}.get(given["oauth_signature_method"], "sha256")
    digest = hmac.digest(b"cs&ts", text.encode(), name)
    given["oauth_signature"] = base64.b64encode(digest).decode()
    shown = ", ".join(f'{k}="{_quoted(v)}"' for k, v in {"realm": "SHOP", **given}.items())
    return replace(request, headers=(*request.headers, ("authorization", f"OAuth {shown}")))


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")


LIST = HttpRequest("GET", "/items", (("colour", "a b/c"),), (("host", "shop.example"),))


def test_a_request_signed_with_oauth_1_is_let_in_and_every_change_to_it_is_not() -> None:
    m = market(kind="tba")

    async def story() -> list[int]:
        good = signed(m, LIST)
        tries = [
            good,
            good,  # the nonce was used
            signed(m, LIST, oauth_nonce="n2"),
            replace(signed(m, LIST, oauth_nonce="n3"), query=(("colour", "red"),)),
            replace(signed(m, LIST, oauth_nonce="n4"), path="/items/A"),
            signed(m, LIST, oauth_nonce="n5", oauth_token="tk-nobody"),
            signed(m, LIST, oauth_nonce="n6", seconds=301),
            signed(m, LIST, oauth_nonce="n7", seconds=-299),
            signed(m, LIST, oauth_nonce="n8", oauth_signature_method="HMAC-SHA1"),
            signed(m, LIST, oauth_nonce="n9", oauth_signature_method="PLAINTEXT"),
            signed(m, LIST, oauth_nonce="na", oauth_timestamp="soon"),
            signed(m, LIST, oauth_nonce="nb", oauth_version="2.0"),
            signed(m, LIST, oauth_nonce=""),
            replace(LIST, headers=(("authorization", "OAuth nonsense"),)),
        ]
        return [(await m.client.send(request)).status for request in tries]

    assert tell(m, story) == [200, 401, 200, *[401] * 4, 200, *[401] * 6]
    assert m.books.calls[0].account == "other"


def test_an_older_signature_method_passes_only_where_declared() -> None:
    m = market(kind="tba", signature_methods=["HMAC-SHA1"], timestamp_seconds=10)

    async def story() -> list[int]:
        tries = [
            signed(m, LIST, oauth_signature_method="HMAC-SHA1"),
            signed(m, LIST, oauth_nonce="n2"),
            signed(m, LIST, oauth_signature_method="HMAC-SHA1", seconds=11),
        ]
        return [(await m.client.send(request)).status for request in tries]

    assert tell(m, story) == [200, 401, 401]


# -- signed assertions ----------------------------------------------------------------------------


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_an_es256_assertion_passes_with_the_right_key_only() -> None:
    key, other = PrivateKey(12345), PrivateKey(54321)
    header = _text(json.dumps({"alg": "ES256", "kid": "k"}).encode())
    claims = {"iss": "id", "aud": "https://x.test/token", "iat": 100, "exp": 200}
    head = f"{header}.{_text(canonical_json(claims).encode())}"

    def assertion(signer: PrivateKey) -> str:
        r, s = signer.sign(head.encode())
        return f"{head}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    public = key.public()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": _text(public.x.to_bytes(32, "big")),
        "y": _text(public.y.to_bytes(32, "big")),
    }

    def check(text: str, keys: dict[str, Any]) -> None:
        known: dict[str, Any] = {"now_s": 150, "token_path": "/token"}
        check_assertion(text, **known, client_id="id", key_id="k", keys=keys)

    check(assertion(key), {"k": jwk})
    check(assertion(other), {})
    for text, keys in (
        (assertion(other), {"k": jwk}),
        (assertion(key)[:-8], {"k": jwk}),
        (assertion(key), {"k": {**jwk, "crv": "P-384"}}),
    ):
        with pytest.raises(AssertionRefused, match="does not fit"):
            check(text, keys)
