"""Proves that the direction flips for webhooks and callbacks: receivers read, and they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Direction, Finding, Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]
JSON = "application/json"
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def content(schema: dict[str, Any], *types: str) -> dict[str, Any]:
    return {t: {"schema": schema} for t in types or (JSON,)}


def event(
    schema: dict[str, Any] | None = None,
    *types: str,
    answers: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    made: dict[str, Any] = {"responses": answers or {"200": {"description": ""}}, **more}
    if schema is not None:
        made["requestBody"] = {"required": True, "content": content(schema, *types)}
    return made


def hooks(**events: Any) -> dict[str, Any]:
    info = {"title": "Shop", "version": "1"}
    return {
        "openapi": "3.1.0",
        "info": info,
        "webhooks": {k: {"post": v} for k, v in events.items()},
    }


def callbacks(path: str = "/subscriptions", **events: Any) -> dict[str, Any]:
    """Return a subscription whose callbacks are named; each may have several expressions."""
    operation = {
        "responses": {"201": {"description": ""}},
        "callbacks": {
            name: {expression: {"post": made} for expression, made in found.items()}
            for name, found in events.items()
        },
    }
    info = {"title": "Shop", "version": "1"}
    return {"openapi": "3.0.3", "info": info, "paths": {path: {"post": operation}}}


URL = "{$request.body#/url}"


def breaking(report: Report) -> dict[str, Finding]:
    return {f.rule: f for f in report.findings if f.verdict is Verdict.BREAKING}


def both(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [hooks(sold=made), callbacks(sold={URL: made})]


def pairs(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return list(zip(both(old), both(new), strict=True))


HEADER = {"name": "X-Sign", "in": "header", "schema": TEXT}
DEMANDED = {"200": {"description": "", "headers": {"X-Seen": {"schema": TEXT, "required": True}}}}
SPOKEN = {"200": {"description": "", "content": content(TEXT)}}
TOLD = {"200": {"description": "", "content": content(NUMBER)}}
BREAKS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("type", event(NUMBER), event(TEXT), "response-type-changed"),
    ("body", event(TEXT), event(), "webhook-body-removed"),
    (
        "body-optional",
        event(TEXT),
        event(requestBody={"content": content(TEXT)}),
        "webhook-body-became-optional",
    ),
    ("media", event(TEXT), event(TEXT, JSON, "text/plain"), "webhook-media-type-added"),
    (
        "parameter",
        event(parameters=[{**HEADER, "required": True}]),
        event(),
        "webhook-parameter-removed",
    ),
    (
        "parameter-optional",
        event(parameters=[{**HEADER, "required": True}]),
        event(parameters=[HEADER]),
        "webhook-parameter-became-optional",
    ),
    (
        "answer-status",
        event(),
        event(answers={"204": {"description": ""}}),
        "webhook-answer-status-removed",
    ),
    ("answer-body", event(), event(answers=SPOKEN), "webhook-answer-body-added"),
    ("answer-type", event(answers=SPOKEN), event(answers=TOLD), "request-type-changed"),
    ("answer-header", event(), event(answers=DEMANDED), "webhook-answer-header-required"),
    (
        "answer-media",
        event(answers=SPOKEN),
        event(answers={"200": {"description": "", "content": content(TEXT, "text/plain")}}),
        "webhook-answer-media-type-removed",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "rule"), BREAKS, ids=[c[0] for c in BREAKS])
def test_what_old_receivers_cannot_handle_breaks(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any], rule: str
) -> None:
    for before, after in pairs(old, new):
        finding = breaking(judge(before, after))[rule]
        assert finding.witness is not None
        request = finding.witness.exchange["request"]
        assert request["method"] == "POST"
        assert request["server"] == "https://consumer.example"
        assert ("response" in finding.witness.exchange) is (finding.direction is Direction.REQUEST)


HARMLESS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("type", event({"type": "number"}), event(NUMBER)),
    ("body-added", event(), event(TEXT)),
    ("body-promised", event(requestBody={"content": content(TEXT)}), event(TEXT)),
    ("media", event(TEXT, JSON, "text/plain"), event(TEXT, JSON)),
    ("parameter-added", event(), event(parameters=[{**HEADER, "required": True}])),
    (
        "parameter-promised",
        event(parameters=[HEADER]),
        event(parameters=[{**HEADER, "required": True}]),
    ),
    ("parameter-dropped", event(parameters=[HEADER]), event()),
    ("answer-any", event(), event(answers={"default": {"description": ""}})),
    (
        "answer-more",
        event(),
        event(answers={"200": {"description": ""}, "410": {"description": ""}}),
    ),
    ("answer-body-ignored", event(answers=SPOKEN), event()),
    ("answer-header-dropped", event(answers=DEMANDED), event()),
]


@pytest.mark.parametrize(("name", "old", "new"), HARMLESS, ids=[c[0] for c in HARMLESS])
def test_what_old_receivers_can_handle_breaks_nothing(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    for before, after in pairs(old, new):
        assert breaking(judge(before, after)) == {}


def test_events_come_and_go(judge: Judge) -> None:
    report = judge(hooks(sold=event(TEXT)), hooks(sold=event(TEXT), lost=event(TEXT)))
    assert report.verdict is Verdict.COMPATIBLE
    assert "webhook-added" in {f.rule for f in report.findings}
    found = breaking(judge(hooks(sold=event(TEXT), lost=event(TEXT)), hooks(sold=event(TEXT))))
    assert found["webhook-removed"].witness is not None
    assert found["webhook-removed"].witness.exchange["request"]["target"] == "/lost"


def test_callbacks_of_one_name_are_not_confused(judge: Judge) -> None:
    old, new = (
        callbacks(sold={URL: event(TEXT), "{$request.body#/other}": event(NUMBER)}),
        callbacks(sold={"{$request.body#/other}": event(NUMBER), URL: event(TEXT)}),
    )
    for document, first, second in ((old, TEXT, NUMBER), (new, NUMBER, TEXT)):
        document["paths"]["/more"] = callbacks(
            sold={URL: event(second if document is old else first)}
        )["paths"]["/subscriptions"]
    assert judge(old, new).findings == ()


def test_a_callback_that_is_gone_says_where_it_belonged(judge: Judge) -> None:
    old = callbacks(sold={f"{URL}/sold": event(TEXT)})
    finding = breaking(judge(old, callbacks()))["callback-removed"]
    assert finding.operations == (f"POST /subscriptions sold POST {URL}/sold",)
    assert finding.witness is not None
    assert finding.witness.exchange["request"]["target"] == "/sold"


def test_a_callback_stays_the_same_when_its_path_has_other_placeholders(judge: Judge) -> None:
    old = callbacks("/shops/{a}/subscriptions", sold={URL: event(TEXT)})
    new = callbacks("/shops/{b}/subscriptions", sold={URL: event(TEXT)})
    assert breaking(judge(old, new)) == {}
