"""Proves what is said about parameters: a change breaks when an old text says something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Finding, Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]
STYLE = "request-parameter-style-changed"
TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}


def api(parameter: dict[str, Any], **more: Any) -> dict[str, Any]:
    location = parameter.get("in", "query")
    path = "/found/{q}" if location == "path" else "/found"
    made = {"name": "q", "in": "query", "required": location == "path", **parameter}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            path: {"get": {"parameters": [made], "responses": {"204": {"description": ""}}, **more}}
        },
    }


def swagger(parameter: dict[str, Any]) -> dict[str, Any]:
    path = "/found/{q}" if parameter.get("in") == "path" else "/found"
    made = {"name": "q", "in": "query", "required": "{" in path, **parameter}
    return {
        "swagger": "2.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {path: {"get": {"parameters": [made], "responses": {"204": {"description": ""}}}}},
    }


def breaking(report: Report) -> dict[str, Finding]:
    return {f.rule: f for f in report.findings if f.verdict is Verdict.BREAKING}


def target(finding: Finding) -> str:
    assert finding.witness is not None
    return str(finding.witness.exchange["request"]["target"])


def of(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schema": schema, **more}


JOINED, REPEATED = {"explode": False}, {"explode": True}
OTHERWISE: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("joined-to-repeated", of(TEXTS, **JOINED), of(TEXTS, **REPEATED), "/found?q=a,a"),
    ("repeated-to-joined", of(TEXTS, **REPEATED), of(TEXTS, **JOINED), "/found?q=a&q=a"),
    (
        "comma-to-pipe",
        of(TEXTS, **JOINED),
        of(TEXTS, style="pipeDelimited", explode=False),
        "/found?q=a,a",
    ),
    (
        "pipe-to-space",
        of(TEXTS, style="pipeDelimited", explode=False),
        of(TEXTS, style="spaceDelimited", explode=False),
        "/found?q=a|a",
    ),
    (
        "object-by-name-to-deep",
        of({**POINT, "required": ["x"]}, **REPEATED),
        of({**POINT, "required": ["x"]}, style="deepObject", explode=True),
        "/found?x=0",
    ),
    (
        "simple-to-label",
        {"in": "path", **of({"type": "integer"})},
        {"in": "path", **of({"type": "integer"}, style="label")},
        "/found/0",
    ),
    (
        "label-to-matrix",
        {"in": "path", **of({"type": "string"}, style="label")},
        {"in": "path", **of({"type": "string"}, style="matrix")},
        "/found/.a",
    ),
    (
        "style-to-json",
        of({"type": "string", "minLength": 1}),
        {"content": {"application/json": {"schema": {"type": "string", "minLength": 1}}}},
        "/found?q=a",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "line"), OTHERWISE, ids=[c[0] for c in OTHERWISE])
def test_what_is_spelled_otherwise_breaks_with_the_old_line(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any], line: str
) -> None:
    found = breaking(judge(api(old), api(new)))
    assert target(found[STYLE]) == line


ALIKE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("numbers", of({"type": "integer"}, **JOINED), of({"type": "integer"}, **REPEATED)),
    (
        "texts-by-pipe",
        of({"type": "string"}),
        of({"type": "string"}, style="pipeDelimited", explode=False),
    ),
    ("lists-of-one", of({**TEXTS, "maxItems": 1}, **JOINED), of({**TEXTS, "maxItems": 1})),
    (
        "numbers-as-json",
        of({"type": "integer"}),
        {"content": {"application/json": {"schema": {"type": "integer"}}}},
    ),
    (
        "lists-in-a-path",
        {"in": "path", **of(TEXTS, **JOINED)},
        {"in": "path", **of(TEXTS, **REPEATED)},
    ),
    ("examples", of(TEXTS, example=["a"]), of(TEXTS, examples={"one": {"value": ["b"]}})),
]


@pytest.mark.parametrize(("name", "old", "new"), ALIKE, ids=[c[0] for c in ALIKE])
def test_what_reads_the_same_breaks_nothing(
    judge: Judge, name: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert judge(api(old), api(new)).verdict is Verdict.COMPATIBLE


SWAGGER_LIST: dict[str, Any] = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("collection", "line"),
    [
        ("multi", "/found?q=a,a"),
        ("ssv", "/found?q=a,a"),
        ("tsv", "/found?q=a,a"),
        ("pipes", "/found?q=a,a"),
    ],
)
def test_collection_formats_of_swagger_are_spellings(
    judge: Judge, collection: str, line: str
) -> None:
    old = swagger({**SWAGGER_LIST, "collectionFormat": "csv"})
    new = swagger({**SWAGGER_LIST, "collectionFormat": collection})
    assert target(breaking(judge(old, new))[STYLE]) == line


@pytest.mark.parametrize(
    ("collection", "style", "explode"),
    [
        ("csv", "form", False),
        ("multi", "form", True),
        ("ssv", "spaceDelimited", False),
        ("pipes", "pipeDelimited", False),
    ],
)
def test_a_list_moves_from_swagger_to_openapi_without_a_word(
    judge: Judge, collection: str, style: str, explode: bool
) -> None:
    old = swagger({**SWAGGER_LIST, "collectionFormat": collection})
    report = judge(old, api(of(TEXTS, style=style, explode=explode)))
    assert report.verdict is Verdict.COMPATIBLE


def test_unset_is_csv_in_swagger(judge: Judge) -> None:
    csv = swagger({**SWAGGER_LIST, "collectionFormat": "csv"})
    assert judge(swagger(SWAGGER_LIST), csv).verdict is Verdict.COMPATIBLE


def test_a_number_in_a_query_may_become_a_text_but_not_the_other_way_round(judge: Judge) -> None:
    number, text = api(of({"type": "integer"})), api(of({"type": "string"}))
    assert judge(number, text).verdict is Verdict.COMPATIBLE
    (finding,) = breaking(judge(text, number)).values()
    assert target(finding).startswith("/found?q=")
    assert not target(finding).removeprefix("/found?q=").lstrip("-").isdigit()


def test_a_cookie_and_a_header_are_shown_where_they_travel(judge: Judge) -> None:
    shown = {}
    for location in ("cookie", "header"):
        old = api({"in": location, **of({"type": "string"})})
        new = api({"in": location, **of({"type": "string", "maxLength": 2})})
        (finding,) = breaking(judge(old, new)).values()
        assert finding.witness is not None
        shown[location] = finding.witness.exchange["request"]["headers"]
    assert len(shown["header"]["q"]) > 2
    assert shown["cookie"]["Cookie"].startswith("q=")


@pytest.mark.parametrize("make", [api, swagger])
def test_an_empty_value_that_is_refused_now_breaks(
    judge: Judge, make: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    schema = {"type": "integer"}
    base = schema if make is swagger else of(schema)
    found = breaking(judge(make({**base, "allowEmptyValue": True}), make(base)))
    assert target(found["request-parameter-empty-refused"]) == "/found?q="


@pytest.mark.parametrize("make", [api, swagger])
def test_an_empty_value_that_fits_the_schema_is_never_refused(
    judge: Judge, make: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    schema = {"type": "string"}
    base = schema if make is swagger else of(schema)
    assert judge(make({**base, "allowEmptyValue": True}), make(base)).verdict is Verdict.COMPATIBLE
    assert judge(make(base), make({**base, "allowEmptyValue": True})).verdict is Verdict.COMPATIBLE


def test_reserved_characters_are_told_and_not_judged(judge: Judge) -> None:
    report = judge(api(of({"type": "string"}, allowReserved=True)), api(of({"type": "string"})))
    assert report.verdict is Verdict.COMPATIBLE
    assert "request-parameter-reserved-changed" in {f.rule for f in report.findings}


def test_json_parameters_are_compared_as_json(judge: Judge) -> None:
    def content(kind: str) -> dict[str, Any]:
        return api({"content": {"application/json": {"schema": {"type": kind}}}})

    assert judge(content("integer"), content("number")).verdict is Verdict.COMPATIBLE
    (finding,) = breaking(judge(content("integer"), content("string"))).values()
    assert target(finding) == "/found?q=0"


def test_parameters_of_the_path_are_merged_before_anything_is_compared(judge: Judge) -> None:
    old = api(of({"type": "string"}))
    new = api(of({"type": "string"}))
    new["paths"]["/found"]["parameters"] = new["paths"]["/found"]["get"].pop("parameters")
    assert judge(old, new).findings == ()
    new["paths"]["/found"]["get"]["parameters"] = [
        {"name": "q", "in": "query", "schema": {"type": "integer"}}
    ]
    assert breaking(judge(old, new))


def test_a_parameter_that_moves_and_is_demanded_breaks(judge: Judge) -> None:
    old = api(of({"type": "string"}))
    new = api({"in": "header", "required": True, **of({"type": "string"})})
    assert list(breaking(judge(old, new))) == ["request-parameter-added-required"]
    new = api({"in": "header", **of({"type": "string"})})
    assert judge(old, new).verdict is Verdict.COMPATIBLE


def test_names_of_headers_have_no_case_and_names_in_queries_do(judge: Judge) -> None:
    for location, same in (("header", True), ("query", False)):
        lower = api({"in": location, "required": True, "name": "tag", **of({"type": "string"})})
        upper = api({"in": location, "required": True, "name": "Tag", **of({"type": "string"})})
        assert (judge(lower, upper).verdict is Verdict.COMPATIBLE) is same


def test_a_change_of_spelling_nobody_can_show_is_left_open(judge: Judge) -> None:
    odd = {"type": "array", "items": {"type": "string", "pattern": r"^(?=a)(?!a)$"}, "minItems": 2}
    report = judge(api(of(odd, **JOINED)), api(of(odd, **REPEATED)))
    assert report.verdict is Verdict.UNPROVEN
