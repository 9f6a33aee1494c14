"""Proves what is said about addresses: they are judged by the URLs of calls, not by text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Finding, Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]


def api(*servers: Any, item: Any = None, own: Any = None, path: str = "/things") -> dict[str, Any]:
    listed = [s if isinstance(s, dict) else {"url": s} for s in servers]
    operation: dict[str, Any] = {"responses": {"204": {"description": ""}}}
    if own is not None:
        operation["servers"] = own
    made: dict[str, Any] = {"get": operation}
    if item is not None:
        made["servers"] = item
    other = {"get": {"responses": {"204": {"description": ""}}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {path: made, "/others": other},
        **({"servers": listed} if listed else {}),
    }


def swagger(*, schemes: list[str] | None = None, **more: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {"responses": {"204": {"description": ""}}}
    if schemes:
        operation["schemes"] = schemes
    info = {"title": "Shop", "version": "1"}
    return {"swagger": "2.0", "info": info, "paths": {"/things": {"get": operation}}, **more}


def breaking(report: Report) -> list[Finding]:
    return [f for f in report.findings if f.verdict is Verdict.BREAKING]


def url(finding: Finding) -> str:
    assert finding.witness is not None
    made = finding.witness.exchange["request"]
    return f"{made.get('server', '')}{made['target']}"


def server(address: str, **variables: Any) -> dict[str, Any]:
    return {"url": address, "variables": variables}


A, B = "https://a.example/v1", "https://b.example/v1"
REGION = "https://{region}.example/v1"
EU, US = ["eu"], ["eu", "us"]
MOVED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("host", api(A), api(B), "https://a.example/v1/things"),
    ("base-path", api(A), api("https://a.example/v2"), "https://a.example/v1/things"),
    ("replaced", api(A, B), api("https://c.example/v1", B), "https://a.example/v1/things"),
    ("scheme", api("http://a.example"), api("https://a.example"), "http://a.example/things"),
    ("relative", api("/v1"), api("/v2"), "/v1/things"),
    ("relative-to-root", api("/v1"), api(), "/v1/things"),
    ("root-to-relative", api(), api("/v1"), "/things"),
    ("host-to-other-path", api(A), api("/v2"), "https://a.example/v1/things"),
    (
        "listed-values",
        api(server(REGION, region={"default": "eu", "enum": EU})),
        api(server(REGION, region={"default": "us", "enum": ["us"]})),
        "https://eu.example/v1/things",
    ),
    (
        "swagger-host",
        swagger(host="a.example"),
        swagger(host="b.example"),
        "https://a.example/things",
    ),
    ("swagger-base", swagger(basePath="/v1"), swagger(basePath="/v2"), "/v1/things"),
    ("swagger-base-gone", swagger(basePath="/v1"), swagger(), "/v1/things"),
    (
        "swagger-scheme",
        swagger(host="a.example", schemes=["http"]),
        swagger(host="a.example", schemes=["https"]),
        "http://a.example/things",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "call"), MOVED, ids=[c[0] for c in MOVED])
def test_a_call_without_an_address_breaks(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any], call: str
) -> None:
    (finding,) = breaking(judge(old, new))
    assert url(finding) == call


STAYS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("one-fewer", api(A, B), api(A)),
    ("one-more", api(A), api(A, B)),
    ("case-and-slash", api("HTTPS://A.example/v1/"), api(A)),
    (
        "into-a-variable",
        api("https://eu.example/v1"),
        api(server(REGION, region={"default": "us"})),
    ),
    (
        "one-more-value",
        api(server(REGION, region={"default": "eu", "enum": EU})),
        api(server(REGION, region={"default": "eu", "enum": US})),
    ),
    (
        "written-out",
        api(server(REGION, region={"default": "eu", "enum": EU})),
        api("https://eu.example/v1"),
    ),
    (
        "one-value-fewer",
        api(server(REGION, region={"default": "eu", "enum": US})),
        api(server(REGION, region={"default": "eu", "enum": EU})),
    ),
    (
        "variable-renamed",
        api(server(REGION, region={"default": "eu"})),
        api(server("https://{where}.example/v1", where={"default": "eu"})),
    ),
    ("host-not-named-any-more", api(A), api("/v1")),
    ("nothing-said-any-more", api(A), api()),
    ("said-for-the-first-time", api(), api(A)),
    ("swagger-to-openapi", swagger(host="a.example", basePath="/v1"), api(A)),
    (
        "swagger-schemes-of-an-operation",
        swagger(host="a.example", schemes=["https"]),
        swagger(host="a.example"),
    ),
]


@pytest.mark.parametrize(("name", "old", "new"), STAYS, ids=[c[0] for c in STAYS])
def test_a_call_that_is_still_served_breaks_nothing(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert breaking(judge(old, new)) == []


def test_a_value_fewer_is_noted(judge: Judge) -> None:
    old = api(server(REGION, region={"default": "eu", "enum": US}))
    new = api(server(REGION, region={"default": "eu", "enum": EU}))
    found = {f.rule: f for f in judge(old, new).findings}
    assert found["server-variable-value-removed"].old == "https://us.example/v1"


def test_only_the_operations_that_moved_are_named(judge: Judge) -> None:
    for where in ("own", "item"):
        moved: dict[str, Any] = {where: [{"url": B}]}
        (finding,) = breaking(judge(api(A, **moved), api(A)))
        assert finding.operations == ("GET /things",)
        assert url(finding) == "https://b.example/v1/things"
    assert breaking(judge(api(A, own=[{"url": B}]), api(A, item=[{"url": B}]))) == []


def test_the_nearest_servers_count(judge: Judge) -> None:
    both = api(A, item=[{"url": B}], own=[{"url": A}])
    assert breaking(judge(both, api(A))) == []


def test_a_base_path_that_moves_into_paths_changes_no_url(judge: Judge) -> None:
    old, new = api(A), api("https://a.example", path="/v1/things")
    new["paths"]["/v1/others"] = new["paths"].pop("/others")
    assert breaking(judge(old, new)) == []
