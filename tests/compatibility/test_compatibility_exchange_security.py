"""Proves what is said about credentials: refused now, got otherwise, or spelled otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Finding, Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]
FLOW: dict[str, Any] = {
    "authorizationUrl": "https://login.example/ask",
    "tokenUrl": "https://login.example/token",
    "refreshUrl": "https://login.example/again",
    "scopes": {"read": "", "write": "", "spare": ""},
}


def oauth(**flows: Any) -> dict[str, Any]:
    return {"type": "oauth2", "flows": flows or {"clientCredentials": FLOW}}


SCHEMES: dict[str, Any] = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "Bearer", "bearerFormat": "JWT"},
    "digest": {"type": "http", "scheme": "digest"},
    "oauth": oauth(),
    "openid": {"type": "openIdConnect", "openIdConnectUrl": "https://login.example/.well-known"},
    "tls": {"type": "mutualTLS"},
}


def api(
    security: Any = None, *, own: Any = None, schemes: dict[str, Any] | None = None
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/things": {"get": {"responses": {"204": {"description": ""}}}}},
        "components": {"securitySchemes": schemes or SCHEMES},
    }
    if security is not None:
        made["security"] = security
    if own is not None:
        made["paths"]["/things"]["get"]["security"] = own
    return made


def swagger(security: Any, **schemes: Any) -> dict[str, Any]:
    return {
        "swagger": "2.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/things": {"get": {"responses": {"204": {"description": ""}}}}},
        "securityDefinitions": schemes,
        "security": security,
    }


def breaking(report: Report) -> dict[str, Finding]:
    return {f.rule: f for f in report.findings if f.verdict is Verdict.BREAKING}


def request(finding: Finding) -> dict[str, Any]:
    assert finding.witness is not None
    made: dict[str, Any] = finding.witness.exchange["request"]
    return made


REFUSED: list[tuple[str, Any, Any]] = [
    ("anonymous", None, [{"key": []}]),
    ("other-scheme", [{"key": []}], [{"basic": []}]),
    ("place-of-key", [{"key": []}], [{"query": []}]),
    ("one-more-at-once", [{"key": []}], [{"key": [], "basic": []}]),
    ("alternative-gone", [{"key": []}, {"basic": []}], [{"key": []}]),
    ("optional-no-more", [{"key": []}, {}], [{"key": []}]),
    ("scope-added", [{"oauth": ["read"]}], [{"oauth": ["read", "write"]}]),
    ("scope-swapped", [{"oauth": ["read"]}], [{"oauth": ["write"]}]),
    ("http-scheme", [{"bearer": []}], [{"digest": []}]),
    ("any-token-to-oauth", [{"bearer": []}], [{"oauth": []}]),
    ("certificate", [{"key": []}], [{"key": [], "tls": []}]),
]


@pytest.mark.parametrize(("name", "old", "new"), REFUSED, ids=[c[0] for c in REFUSED])
def test_credentials_that_are_refused_now_break(
    judge: Judge, name: str, old: Any, new: Any
) -> None:
    assert list(breaking(judge(api(old), api(new)))) == ["security-tightened"]
    assert list(breaking(judge(api(own=old), api(own=new)))) == ["security-tightened"]


ACCEPTED: list[tuple[str, Any, Any]] = [
    ("open-now", [{"key": []}], None),
    ("open-for-one", [{"key": []}], [{"key": []}, {}]),
    ("one-fewer-at-once", [{"key": [], "basic": []}], [{"basic": []}]),
    ("scope-dropped", [{"oauth": ["read", "write"]}], [{"oauth": ["read"]}]),
    ("order", [{"key": []}, {"basic": []}], [{"basic": []}, {"key": []}]),
    ("oauth-to-any-token", [{"oauth": ["read"]}], [{"bearer": []}]),
    ("openid-to-any-token", [{"openid": []}], [{"bearer": []}]),
]


@pytest.mark.parametrize(("name", "old", "new"), ACCEPTED, ids=[c[0] for c in ACCEPTED])
def test_credentials_that_still_suffice_break_nothing(
    judge: Judge, name: str, old: Any, new: Any
) -> None:
    assert breaking(judge(api(old), api(new))) == {}


def test_an_operation_may_have_demands_of_its_own(judge: Judge) -> None:
    assert breaking(judge(api([{"key": []}], own=[]), api(own=[]))) == {}
    assert breaking(judge(api([{"key": []}]), api(own=[{"key": []}]))) == {}
    assert breaking(judge(api([{"key": []}], own=[]), api([{"key": []}])))


def test_less_is_asked_is_noted(judge: Judge) -> None:
    found = {f.rule: f.verdict for f in judge(api([{"key": []}]), api([{"key": []}, {}])).findings}
    assert found["security-loosened"] is Verdict.COMPATIBLE


def test_one_change_for_all_operations_is_one_finding(judge: Judge) -> None:
    old, new = api([{"key": []}]), api([{"basic": []}])
    for document in (old, new):
        document["paths"]["/more"] = document["paths"]["/things"]
    (finding,) = [f for f in judge(old, new).findings if f.verdict is Verdict.BREAKING]
    assert finding.operations == ("GET /more", "GET /things")
    assert finding.pointer.old == "/security"


CARRIED: list[tuple[str, str, str]] = [
    ("key", "X-Key", "fake-token"),
    ("cookie", "Cookie", "sid=fake-token"),
    ("basic", "Authorization", "Basic ZmFrZTpmYWtl"),
    ("bearer", "Authorization", "Bearer fake-token"),
    ("digest", "Authorization", "digest fake-token"),
    ("oauth", "Authorization", "Bearer fake-token"),
    ("openid", "Authorization", "Bearer fake-token"),
]


@pytest.mark.parametrize(("scheme", "header", "content"), CARRIED, ids=[c[0] for c in CARRIED])
def test_the_request_that_was_authorised_is_shown(
    judge: Judge, scheme: str, header: str, content: str
) -> None:
    new: list[dict[str, Any]] = [{"query": []}]
    found = breaking(judge(api([{scheme: []}]), api(new)))["security-tightened"]
    assert request(found)["headers"][header] == content
    back = breaking(judge(api(new), api([{scheme: []}])))["security-tightened"]
    assert request(back)["target"] == "/things?key=fake-token"


def changed(**flow: Any) -> dict[str, Any]:
    return {**SCHEMES, "oauth": oauth(clientCredentials={**FLOW, **flow})}


USED = [{"oauth": ["read"]}]


@pytest.mark.parametrize(
    ("member", "target"),
    [("tokenUrl", "/token"), ("refreshUrl", "/again"), ("authorizationUrl", "/ask")],
)
def test_an_address_for_tokens_that_moved_breaks(judge: Judge, member: str, target: str) -> None:
    new = api(USED, schemes=changed(**{member: "https://other.example/x"}))
    found = breaking(judge(api(USED), new))["security-address-changed"]
    assert request(found)["target"].partition("?")[0] == target
    assert request(found)["server"] == "https://login.example"


def test_an_address_nobody_uses_may_move(judge: Judge) -> None:
    new = api([{"key": []}], schemes=changed(tokenUrl="https://other.example/x"))
    assert breaking(judge(api([{"key": []}]), new)) == {}


def test_an_open_id_address_that_moved_breaks(judge: Judge) -> None:
    moved = {**SCHEMES, "openid": {**SCHEMES["openid"], "openIdConnectUrl": "https://b.example/c"}}
    found = breaking(judge(api([{"openid": []}]), api([{"openid": []}], schemes=moved)))
    assert request(found["security-address-changed"])["target"] == "/.well-known"


def test_a_flow_that_is_gone_breaks_with_the_request_for_a_token(judge: Judge) -> None:
    both = {**SCHEMES, "oauth": oauth(clientCredentials=FLOW, implicit=FLOW)}
    found = breaking(judge(api(USED, schemes=both), api(USED)))["security-flow-removed"]
    assert request(found)["target"] == "/ask?response_type=token&client_id=fake-client&scope=read"
    assert breaking(judge(api(USED), api(USED, schemes=both))) == {}
    only = {**SCHEMES, "oauth": oauth(implicit=FLOW)}
    found = breaking(judge(api(USED), api(USED, schemes=only)))["security-flow-removed"]
    assert (
        request(found)["body"] == "grant_type=client_credentials&client_id=fake-client&scope=read"
    )


def test_a_scope_off_the_list_breaks_only_where_it_was_used(judge: Judge) -> None:
    less = changed(scopes={"write": "", "spare": ""})
    assert list(breaking(judge(api(USED), api(USED, schemes=less)))) == ["security-scope-removed"]
    unused = changed(scopes={"read": "", "write": ""})
    report = judge(api(USED), api(USED, schemes=unused))
    assert breaking(report) == {}
    assert "security-scope-removed" in {f.rule for f in report.findings}


def test_words_and_names_of_schemes_mean_nothing(judge: Judge) -> None:
    renamed = {"login": {**SCHEMES["oauth"], "description": "new words", "x-note": 1}}
    report = judge(api(USED), api([{"login": ["read"]}], schemes=renamed))
    assert breaking(report) == {}
    assert "security-loosened" not in {f.rule for f in report.findings}


SWAGGER_OAUTH = {
    "type": "oauth2",
    "flow": "application",
    "tokenUrl": "https://login.example/token",
    "scopes": {"read": ""},
}


def test_schemes_of_swagger_are_those_of_openapi(judge: Judge) -> None:
    flow = {"tokenUrl": "https://login.example/token", "scopes": {"read": ""}}
    new = api(USED, schemes={"oauth": oauth(clientCredentials=flow)})
    assert breaking(judge(swagger(USED, oauth=SWAGGER_OAUTH), new)) == {}
    basic = swagger([{"b": []}], b={"type": "basic"})
    assert breaking(judge(basic, api([{"basic": []}]))) == {}


def test_flows_of_swagger_are_compared(judge: Judge) -> None:
    old = swagger(USED, oauth=SWAGGER_OAUTH)
    moved = swagger(USED, oauth={**SWAGGER_OAUTH, "tokenUrl": "https://login.example/t2"})
    assert list(breaking(judge(old, moved))) == ["security-address-changed"]
    implicit = {"type": "oauth2", "flow": "implicit", "authorizationUrl": "https://a.example/b"}
    other = swagger(USED, oauth={**implicit, "scopes": {"read": ""}})
    assert list(breaking(judge(old, other))) == ["security-flow-removed"]
    key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    named = swagger([{"k": []}], k={**key, "name": "X-Other"})
    assert breaking(judge(swagger([{"k": []}], k=key), named))
    cased = swagger([{"k": []}], k={**key, "name": "x-key"})
    assert breaking(judge(swagger([{"k": []}], k=key), cased)) == {}
