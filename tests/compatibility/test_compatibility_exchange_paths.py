"""Proves which operation of the new contract stands for an old one, and what is said if none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Finding, Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]


def api(*paths: str, schema: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path in paths:
        names = [p[1:-1] for p in path.split("/") if p.startswith("{")]
        made[path] = {
            "get": {
                "operationId": f"at-{path}",
                "parameters": [
                    {"name": n, "in": "path", "required": True, "schema": schema or {}}
                    for n in names
                ],
                "responses": {"204": {"description": ""}},
            }
        }
    info = {"title": "Shop", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": made, **more}


def removed(report: Report) -> Finding:
    (finding,) = [f for f in report.findings if f.rule == "operation-removed"]
    assert finding.verdict is Verdict.BREAKING
    return finding


def breaks(report: Report) -> list[str]:
    return [f.rule for f in report.findings if f.verdict is Verdict.BREAKING]


def test_a_placeholder_may_be_called_otherwise(judge: Judge) -> None:
    assert breaks(judge(api("/orders/{id}/items/{n}"), api("/orders/{order}/items/{item}"))) == []


def test_a_placeholder_in_matrix_style_keeps_its_name(judge: Judge) -> None:
    old, new = api("/orders/{id}", schema={"type": "integer"}), api("/orders/{key}")
    for document in (old, new):
        (item,) = document["paths"].values()
        item["get"]["parameters"][0]["style"] = "matrix"
    (finding,) = [f for f in judge(old, new).findings if f.verdict is Verdict.BREAKING]
    assert finding.witness is not None
    assert finding.witness.exchange["request"]["target"] == "/orders/;id=0"


def test_a_moved_operation_is_gone_and_the_finding_says_where(judge: Judge) -> None:
    old, new = api("/orders"), api("/v2/orders")
    new["paths"]["/v2/orders"]["get"]["operationId"] = "at-/orders"
    finding = removed(judge(old, new))
    assert "now stands at GET /v2/orders" in finding.message
    assert finding.witness is not None
    assert finding.witness.exchange["request"]["target"] == "/orders"
    assert finding.witness.exchange["response"]["status"] == 204


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [("/orders", "/orders/", "last slash"), ("/orders", "/Orders", "case")],
)
def test_slash_and_case_count_and_the_finding_says_so(
    judge: Judge, old: str, new: str, hint: str
) -> None:
    assert hint in removed(judge(api(old), api(new))).message


def test_a_new_template_takes_the_calls_of_a_path_over(judge: Judge) -> None:
    report = judge(api("/orders/open"), api("/orders/{state}", schema={"type": "string"}))
    assert breaks(report) == []
    assert "operation-path-generalised" in {f.rule for f in report.findings}


def test_a_template_that_refuses_the_old_path_breaks(judge: Judge) -> None:
    report = judge(api("/orders/open"), api("/orders/{id}", schema={"type": "integer"}))
    assert breaks(report) == ["request-path-literal-refused"]


def test_a_template_that_was_there_before_does_not_hide_a_removal(judge: Judge) -> None:
    both = api("/orders/open", "/orders/{id}")
    finding = removed(judge(both, api("/orders/{id}")))
    assert "fall under GET /orders/{id}" in finding.message


def test_a_template_split_into_paths_is_gone(judge: Judge) -> None:
    assert removed(judge(api("/orders/{state}"), api("/orders/open"))).old == "GET /orders/{state}"


def test_a_base_path_may_move_into_the_paths(judge: Judge) -> None:
    servers: dict[str, Any] = {"servers": [{"url": "https://shop.example/v1"}]}
    old = api("/orders/{id}", **servers)
    new = api("/v1/orders/{key}", servers=[{"url": "https://shop.example"}])
    assert breaks(judge(old, new)) == []


def test_the_target_has_base_path_and_samples_percent_encoded(judge: Judge) -> None:
    servers: dict[str, Any] = {"servers": [{"url": "https://{region}.shop.example/v1/"}]}
    servers["servers"][0]["variables"] = {"region": {"default": "eu"}}
    old = api("/shops/{name}/ärger", schema={"enum": ["a b/c"]}, **servers)
    finding = removed(judge(old, api("/none", **servers)))
    assert finding.witness is not None
    request = finding.witness.exchange["request"]
    assert request["target"] == "/v1/shops/a%20b%2Fc/%C3%A4rger"
    assert request["server"] == "https://eu.shop.example"


def test_literal_and_template_keep_to_their_own_when_both_exist(judge: Judge) -> None:
    both = api("/orders/open", "/orders/{id}", schema={"type": "integer"})
    assert judge(both, both).findings == ()


def test_hostile_paths_take_no_time(judge: Judge) -> None:
    deep = "/a" * 4000
    many = "/" + "{x}a" * 200 + "b"
    near = "/" + "a" * 4000
    servers = [{"url": "https://" + "{v}." * 300 + "example"}]
    report = judge(api(deep, many, near, servers=servers), api("/other", many[:-1], deep + "/{x}"))
    assert len(breaks(report)) >= 2
