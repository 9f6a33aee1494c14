"""Proves that links are judged by where they lead, and never break an exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]


def api(links: dict[str, Any], *, target: str = "getOrder", name: str = "id") -> dict[str, Any]:
    parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    answer = {"204": {"description": ""}}
    one = {"operationId": target, "parameters": [parameter], "responses": answer}
    other = {"operationId": "other", "responses": answer}
    made = {"201": {"description": "", "links": links}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/orders": {"post": {"operationId": "make", "responses": made}},
            f"/orders/{{{name}}}": {"get": one},
            "/other": {"get": other},
        },
    }


def link(target: str = "getOrder", **parameters: str) -> dict[str, Any]:
    return {"operationId": target, "parameters": parameters or {"id": "$response.body#/id"}}


FIRST = {"next": link()}
CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("removed", api({}), "response-link-removed"),
    ("added", api({"next": link(), "more": link()}), "response-link-added"),
    ("broken", api({"next": link("nobody")}), "response-link-broken"),
    ("target", api({"next": link("other")}), "response-link-target-changed"),
    (
        "expression",
        api({"next": link(id="$response.body#/key")}),
        "response-link-parameters-changed",
    ),
]


@pytest.mark.parametrize(("name", "new", "rule"), CHANGES, ids=[c[0] for c in CHANGES])
def test_a_link_that_cannot_be_followed_as_before_is_told(
    judge: Judge, name: str, new: dict[str, Any], rule: str
) -> None:
    found = {f.rule: f for f in judge(api(FIRST), new).findings}
    assert rule in found
    assert found[rule].field == ("link.more" if name == "added" else "link.next")


SAME: list[tuple[str, dict[str, Any]]] = [
    ("renamed-id", api({"next": link("fetch")}, target="fetch")),
    ("renamed-placeholder", api({"next": link(key="$response.body#/id")}, name="key")),
    ("qualified", api({"next": link(**{"path.id": "$response.body#/id"})})),
    (
        "by-reference",
        api(
            {
                "next": {
                    "operationRef": "#/paths/~1orders~1{id}/get",
                    "parameters": {"id": "$response.body#/id"},
                }
            }
        ),
    ),
    ("words", api({"next": {**link(), "description": "new"}})),
]


@pytest.mark.parametrize(("name", "new"), SAME, ids=[c[0] for c in SAME])
def test_a_link_that_leads_to_the_same_call_is_the_same(
    judge: Judge, name: str, new: dict[str, Any]
) -> None:
    report = judge(api(FIRST), new)
    assert not [f for f in report.findings if "link" in f.rule]


def test_a_link_that_is_gone_breaks_no_exchange(judge: Judge) -> None:
    assert judge(api(FIRST), api({})).verdict is Verdict.COMPATIBLE
