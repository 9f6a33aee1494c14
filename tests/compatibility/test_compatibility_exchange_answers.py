"""Proves what is said about answers: statuses with ranges and default, types, bodies, headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Finding, Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]
JSON = "application/json"
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def answer(schema: Any = None, *types: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"description": "", **more}
    if schema is not None:
        made["content"] = {t: {"schema": schema} for t in types or (JSON,)}
    return made


def api(**answers: Any) -> dict[str, Any]:
    responses = {k.removeprefix("s"): v for k, v in answers.items()}
    info = {"title": "Shop", "version": "1"}
    paths = {"/things": {"get": {"responses": responses}}}
    return {"openapi": "3.0.3", "info": info, "paths": paths}


def swagger(produces: list[str] | None = None, **response: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {"responses": {"200": {"description": "", **response}}}
    if produces is not None:
        operation["produces"] = produces
    info = {"title": "Shop", "version": "1"}
    return {"swagger": "2.0", "info": info, "paths": {"/things": {"get": operation}}}


def breaking(report: Report) -> dict[str, Finding]:
    return {f.rule: f for f in report.findings if f.verdict is Verdict.BREAKING}


def response(finding: Finding) -> dict[str, Any]:
    assert finding.witness is not None
    made: dict[str, Any] = finding.witness.exchange["response"]
    return made


OK, NO = answer(TEXT), answer(NUMBER)
GONE: list[tuple[str, dict[str, Any], dict[str, Any], str, int]] = [
    ("success", api(s200=OK, s202=OK), api(s200=OK), "response-success-status-removed", 202),
    ("moved", api(s200=OK), api(s201=OK), "response-success-status-removed", 200),
    ("to-no-content", api(s200=OK), api(s204=answer()), "response-success-status-removed", 200),
    ("range", api(s200=OK, s2XX=OK), api(s404=NO), "response-success-status-removed", 200),
    # A catch-all for errors does not stand for a success that was named.
    (
        "hidden-by-default",
        api(s200=OK, s201=OK, default=OK),
        api(s200=OK, default=OK),
        "response-success-status-removed",
        201,
    ),
    ("only-default", api(default=OK), api(s404=NO), "response-success-status-removed", 200),
    ("redirect", api(s302=answer()), api(s404=NO), "response-success-status-removed", 302),
    ("body", api(s200=OK), api(s200=answer()), "response-body-removed", 200),
]


@pytest.mark.parametrize(("name", "old", "new", "rule", "status"), GONE, ids=[c[0] for c in GONE])
def test_what_clients_wait_for_and_does_not_come_breaks(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any], rule: str, status: int
) -> None:
    found = {
        response(f)["status"]
        for f in judge(old, new).findings
        if f.verdict is Verdict.BREAKING and f.rule == rule
    }
    assert status in found


KEPT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("success-in-range", api(s200=OK), api(s2XX=OK)),
    ("error-in-range", api(s200=OK, s404=NO), api(s200=OK, s4XX=NO)),
    ("error-in-default", api(s200=OK, s404=NO), api(s200=OK, default=NO)),
    ("range-to-default", api(s200=OK, s4XX=NO), api(s200=OK, default=NO)),
    ("range-split", api(s200=OK, s4XX=NO), api(s200=OK, s400=NO, s404=NO)),
    ("new-error", api(s200=OK), api(s200=OK, s429=NO)),
    ("removed-error", api(s200=OK, s404=NO), api(s200=OK)),
    ("new-success", api(s200=OK), api(s200=OK, s202=OK)),
    ("lower-case-range", api(s200=OK, s4XX=NO), api(s200=OK, s4xx=NO)),
    ("exact-over-default", api(s200=OK, default=NO), api(s200=OK, s404=NO, default=NO)),
    ("body-to-one-that-had-none", api(s200=answer()), api(s200=OK)),
    ("success-beside-default", api(s200=OK, default=NO), api(s200=OK, s201=OK, default=NO)),
]


@pytest.mark.parametrize(("name", "old", "new"), KEPT, ids=[c[0] for c in KEPT])
def test_what_is_still_covered_breaks_nothing(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert breaking(judge(old, new)) == {}


RETYPED: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    ("range", api(s200=OK, s404=NO), api(s200=OK, s4XX=OK), 404),
    ("default", api(s200=OK, s404=NO), api(s200=OK, default=OK), 404),
    ("exact-under-default", api(s200=OK, default=NO), api(s200=OK, s404=OK, default=NO), 404),
    ("rest-of-a-range", api(s200=OK, s404=OK, s4XX=NO), api(s200=OK, s404=OK, s4XX=OK), 400),
    ("default-to-range", api(s200=OK, default=NO), api(s200=OK, s5XX=OK), 500),
]


@pytest.mark.parametrize(("name", "old", "new", "status"), RETYPED, ids=[c[0] for c in RETYPED])
def test_bodies_are_compared_by_the_entries_that_speak_for_a_status(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any], status: int
) -> None:
    (finding,) = breaking(judge(old, new)).values()
    assert finding.rule == "response-type-changed"
    made = response(finding)
    assert (made["status"], made["headers"]) == (status, {"Content-Type": JSON})
    assert isinstance(made["body"], str)


def test_statuses_that_share_a_component_stay_apart(judge: Judge) -> None:
    def shared(schema: dict[str, Any]) -> dict[str, Any]:
        made = api(s200=OK, **{f"s{s}": {"$ref": "#/components/responses/No"} for s in (400, 401)})
        return {**made, "components": {"responses": {"No": answer(schema)}}}

    assert judge(shared(NUMBER), shared(NUMBER)).findings == ()
    (finding,) = breaking(judge(shared(NUMBER), shared(TEXT))).values()
    assert response(finding)["status"] == 400


def test_the_message_says_where_success_went(judge: Judge) -> None:
    (finding,) = breaking(judge(api(s200=OK), api(s201=OK, s204=answer()))).values()
    assert "Success is 201 or 204 now." in finding.message


def test_a_media_type_clients_ask_for_must_stay(judge: Judge) -> None:
    both, one = api(s200=answer(TEXT, JSON, "text/csv")), api(s200=answer(TEXT, JSON))
    (finding,) = breaking(judge(both, one)).values()
    assert finding.rule == "response-media-type-removed"
    assert finding.witness is not None
    assert finding.witness.exchange["request"]["headers"]["Accept"] == "text/csv"
    assert response(finding)["headers"]["Content-Type"] == "text/csv"
    report = judge(one, both)
    assert breaking(report) == {}
    assert "response-media-type-added" in {f.rule for f in report.findings}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("*/*", JSON),
        (JSON, "*/*"),
        ("application/*", JSON),
        (JSON, "application/json;charset=utf-8"),
        (JSON, "application/json;version=2"),
    ],
)
def test_types_and_ranges_that_meet_are_compared(judge: Judge, old: str, new: str) -> None:
    assert breaking(judge(api(s200=answer(TEXT, old)), api(s200=answer(TEXT, new)))) == {}
    assert breaking(judge(api(s200=answer(TEXT, old)), api(s200=answer(NUMBER, new))))


def test_swagger_answers_inherit_what_is_produced(judge: Judge) -> None:
    said, other = swagger([JSON], schema=TEXT), swagger(schema=TEXT)
    other["produces"] = [JSON]
    assert judge(said, other).findings == ()
    other["produces"] = ["text/csv"]
    assert list(breaking(judge(said, other))) == ["response-media-type-removed"]
    assert breaking(judge(swagger(schema=TEXT), said)) == {}


def headed(**headers: Any) -> dict[str, Any]:
    return api(s200=answer(headers={k.replace("_", "-"): v for k, v in headers.items()}))


def test_headers_that_always_came_must_stay(judge: Judge) -> None:
    always, maybe = {"schema": NUMBER, "required": True}, {"schema": NUMBER}
    gone = breaking(judge(headed(X_Page=always), headed()))["response-required-header-removed"]
    assert response(gone)["headers"] == {"X-Page": "0"}
    loose = breaking(judge(headed(X_Page=always), headed(X_Page=maybe)))
    assert response(loose["response-header-became-optional"])["headers"] == {}
    assert breaking(judge(headed(X_Page=maybe), headed())) == {}
    assert breaking(judge(headed(X_Page=always), headed(x_page=always))) == {}
    assert breaking(judge(headed(), headed(X_Page=always))) == {}


def test_headers_are_texts(judge: Judge) -> None:
    text, number = headed(X_Page={"schema": TEXT}), headed(X_Page={"schema": NUMBER})
    assert breaking(judge(text, number)) == {}
    (finding,) = breaking(judge(number, text)).values()
    assert not response(finding)["headers"]["X-Page"].lstrip("-").isdigit()


def test_headers_of_swagger_are_schemas_themselves(judge: Judge) -> None:
    number, text = swagger(headers={"X-Page": NUMBER}), swagger(headers={"X-Page": TEXT})
    assert breaking(judge(text, number)) == {}
    assert breaking(judge(number, text))


def test_headers_that_are_spelled_otherwise_break(judge: Judge) -> None:
    box = {"type": "object", "properties": {"w": NUMBER}, "required": ["w"]}
    flat, named = ({"schema": box, "explode": e} for e in (False, True))
    found = breaking(judge(headed(X_Box=flat), headed(X_Box=named)))
    assert response(found["response-header-style-changed"])["headers"] == {"X-Box": "w=0"}
    words = {"type": "array", "items": TEXT}
    joined, exploded = ({"schema": words, "explode": e} for e in (False, True))
    assert breaking(judge(headed(X_Tags=joined), headed(X_Tags=exploded))) == {}


def test_lists_in_headers_of_swagger_have_collection_formats(judge: Judge) -> None:
    def tags(collection: str) -> dict[str, Any]:
        listed = {"type": "array", "items": TEXT, "collectionFormat": collection}
        return swagger(headers={"X-Tags": listed})

    found = breaking(judge(tags("csv"), tags("pipes")))
    assert "|" in response(found["response-header-style-changed"])["headers"]["X-Tags"]
    assert judge(tags("pipes"), tags("pipes")).findings == ()


def test_a_content_type_header_is_ignored_as_the_standard_says(judge: Judge) -> None:
    demanded = {"schema": TEXT, "required": True}
    assert judge(headed(Content_Type=demanded), headed()).verdict is Verdict.COMPATIBLE


def test_cookies_that_are_set_are_compared_one_by_one(judge: Judge) -> None:
    free, short = headed(Set_Cookie={"schema": TEXT}), headed(Set_Cookie={"schema": NUMBER})
    (finding,) = breaking(judge(short, free)).values()
    assert finding.field == "header.Set-Cookie"


def test_examples_of_answers_say_nothing(judge: Judge) -> None:
    old, new = api(s200=answer(TEXT)), api(s200=answer({**TEXT, "example": 5}))
    new["paths"]["/things"]["get"]["responses"]["200"]["content"][JSON]["example"] = 7
    new["paths"]["/things"]["get"]["responses"]["200"]["x-note"] = {"any": 1}
    assert judge(old, new).verdict is Verdict.COMPATIBLE
    shown = swagger([JSON], schema=TEXT, examples={JSON: 5})
    assert judge(swagger([JSON], schema=TEXT), shown).verdict is Verdict.COMPATIBLE
