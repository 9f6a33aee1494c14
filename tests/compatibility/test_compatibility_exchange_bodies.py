"""Proves what is said about request bodies: demanded, dropped, retyped, and sent in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.finding import Finding, Report, Verdict

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]
THING: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}},
    "required": ["id"],
}
FORM = "application/x-www-form-urlencoded"


def api(content: Any = None, *, required: bool = False) -> dict[str, Any]:
    operation: dict[str, Any] = {"responses": {"204": {"description": ""}}}
    if content is not None:
        operation["requestBody"] = {"content": content, "required": required}
    info = {"title": "Shop", "version": "1"}
    return {"openapi": "3.0.3", "info": info, "paths": {"/things": {"post": operation}}}


def typed(*names: str, schema: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return api({n: {"schema": schema or THING, **more} for n in names})


def swagger(parameters: list[dict[str, Any]], consumes: list[str] | None = None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "parameters": parameters,
        "responses": {"204": {"description": ""}},
    }
    if consumes is not None:
        operation["consumes"] = consumes
    info = {"title": "Shop", "version": "1"}
    return {"swagger": "2.0", "info": info, "paths": {"/things": {"post": operation}}}


def breaking(report: Report) -> dict[str, Finding]:
    return {f.rule: f for f in report.findings if f.verdict is Verdict.BREAKING}


def request(finding: Finding) -> dict[str, Any]:
    assert finding.witness is not None
    made: dict[str, Any] = finding.witness.exchange["request"]
    return made


JSON, XML = "application/json", "application/xml"
RETYPED: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = [
    ("other-type", (JSON,), (XML,), JSON),
    ("one-fewer", (JSON, XML), (JSON,), XML),
    ("suffix", (JSON,), ("application/problem+json",), JSON),
    ("vendor", ("application/vnd.shop.v1+json",), ("application/vnd.shop.v2+json",), ""),
    ("range-narrowed", ("*/*",), (JSON,), XML),
    ("kind-narrowed", ("image/*",), ("image/gif",), "image/png"),
    ("version-demanded", (JSON,), ("application/json;version=2",), JSON),
    ("version-moved", ("application/json;version=1",), ("application/json;version=2",), ""),
    ("charset", ("text/csv;charset=iso-8859-1",), ("text/csv;charset=us-ascii",), ""),
]


@pytest.mark.parametrize(("name", "old", "new", "sent"), RETYPED, ids=[c[0] for c in RETYPED])
def test_a_media_type_that_is_refused_now_breaks(
    judge: Judge, name: str, old: tuple[str, ...], new: tuple[str, ...], sent: str
) -> None:
    found = breaking(judge(typed(*old), typed(*new)))
    assert list(found) == ["request-media-type-removed"]
    made = request(found["request-media-type-removed"])
    assert made["headers"]["Content-Type"] == made["media_type"] == (sent or old[0])
    assert made["body"] == {"id": "a"}


TAKEN: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    ("same", (JSON,), (JSON,)),
    ("case", ("Application/JSON",), (JSON,)),
    ("utf-8", (JSON,), ("application/json; charset=UTF-8",)),
    ("without-utf-8", ('application/json; charset="utf-8"',), (JSON,)),
    ("into-a-range", (JSON,), ("application/*",)),
    ("into-any", ("image/png",), ("*/*",)),
    ("suffix-range", ("application/problem+json",), ("application/*+json",)),
    ("one-more", (JSON,), (JSON, XML)),
    ("version-dropped", ("application/json;version=1",), (JSON,)),
    ("boundary", ("multipart/mixed; boundary=a",), ("multipart/mixed",)),
]


@pytest.mark.parametrize(("name", "old", "new"), TAKEN, ids=[c[0] for c in TAKEN])
def test_a_media_type_that_is_still_taken_breaks_nothing(
    judge: Judge, name: str, old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    assert breaking(judge(typed(*old), typed(*new))) == {}


def test_bodies_under_a_range_are_compared_with_the_type_inside(judge: Judge) -> None:
    narrow = {**THING, "properties": {"id": {"type": "string", "maxLength": 2}}}
    found = breaking(judge(typed(JSON), typed("application/*", schema=narrow)))
    assert list(found) == ["request-max-length-tightened"]
    assert breaking(judge(typed(JSON), typed(JSON, XML, schema=THING))) == {}


def test_a_further_media_type_is_only_noted(judge: Judge) -> None:
    report = judge(typed(JSON), typed(JSON, "text/csv"))
    assert report.verdict is Verdict.COMPATIBLE
    assert "request-media-type-added" in {f.rule for f in report.findings}


def test_the_message_names_a_type_that_looks_alike(judge: Judge) -> None:
    found = breaking(judge(typed(JSON), typed("application/problem+json")))
    assert "application/problem+json is another media type" in next(iter(found.values())).message


def test_a_name_that_is_no_media_type_is_left_out(judge: Judge) -> None:
    assert breaking(judge(typed("responses"), typed(JSON))) == {}


def test_bodies_come_and_go(judge: Judge) -> None:
    optional, demanded = (
        api({JSON: {"schema": THING}}),
        api({JSON: {"schema": THING}}, required=True),
    )
    assert list(breaking(judge(api(), demanded))) == ["request-body-added-required"]
    assert breaking(judge(api(), optional)) == {}
    assert list(breaking(judge(optional, demanded))) == ["request-body-became-required"]
    assert breaking(judge(demanded, optional)) == {}
    assert list(breaking(judge(optional, api()))) == ["request-body-removed"]


def test_swagger_bodies_inherit_what_is_consumed(judge: Judge) -> None:
    body = [{"name": "b", "in": "body", "schema": THING}]
    said, inherited = swagger(body, [JSON]), swagger(body)
    inherited["consumes"] = [JSON]
    assert judge(said, inherited).findings == ()
    inherited["consumes"] = [XML]
    assert list(breaking(judge(said, inherited))) == ["request-media-type-removed"]
    assert breaking(judge(inherited, swagger(body, []))) == {}


def test_a_type_nobody_had_named_is_named_without_a_break(judge: Judge) -> None:
    body = [{"name": "b", "in": "body", "schema": THING}]
    report = judge(swagger(body), swagger(body, [JSON]))
    assert breaking(report) == {}
    assert "request-media-type-named" in {f.rule for f in report.findings}


def test_a_form_is_shown_as_it_is_sent(judge: Judge) -> None:
    fields = {"n": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}}
    old = typed(FORM, schema={"type": "object", "properties": fields, "required": ["tags"]})
    tight = {**fields, "n": {"type": "integer", "maximum": 5}}
    new = typed(FORM, schema={"type": "object", "properties": tight, "required": ["tags"]})
    (finding,) = breaking(judge(old, new)).values()
    made = request(finding)
    assert made["media_type"] == FORM
    assert made["body"].startswith("n=6") or made["body"].endswith("n=6")


def test_numbers_in_a_form_are_texts(judge: Judge) -> None:
    def form(kind: str) -> dict[str, Any]:
        return typed(FORM, schema={"type": "object", "properties": {"n": {"type": kind}}})

    assert breaking(judge(form("integer"), form("string"))) == {}
    assert breaking(judge(form("string"), form("integer")))


@pytest.mark.parametrize("repeated", [False, True])
def test_an_object_in_a_form_is_json_and_compared_as_json(judge: Judge, repeated: bool) -> None:
    def parts_of(kind: str) -> dict[str, Any]:
        box = {"type": "object", "properties": {"n": {"type": kind}}}
        inner = {"type": "array", "items": box} if repeated else box
        return typed("multipart/form-data", schema={"type": "object", "properties": {"b": inner}})

    (finding,) = [
        f
        for f in judge(parts_of("integer"), parts_of("string")).findings
        if f.verdict is Verdict.BREAKING
    ]
    assert finding.field == ("b[].n" if repeated else "b.n")
    assert 'Content-Type: application/json\r\n\r\n{"n":0}' in request(finding)["body"]
    (finding,) = [
        f
        for f in judge(parts_of("string"), parts_of("integer")).findings
        if f.verdict is Verdict.BREAKING
    ]
    assert breaking(judge(parts_of("integer"), parts_of("number"))) == {}


TEXTS = {"type": "array", "items": {"type": "string"}}
TAGGED = {"type": "object", "properties": {"tags": TEXTS}}


def test_a_form_field_that_is_spelled_otherwise_breaks(judge: Judge) -> None:
    joined = typed(FORM, schema=TAGGED, encoding={"tags": {"style": "form", "explode": False}})
    repeated = typed(FORM, schema=TAGGED)
    found = breaking(judge(repeated, joined))
    assert request(found["request-part-style-changed"])["body"] == "tags=a&tags=a"
    assert request(breaking(judge(joined, repeated))["request-part-style-changed"])["body"] == (
        "tags=a,a"
    )


def test_an_encoding_that_says_the_usual_changes_nothing(judge: Judge) -> None:
    usual = typed(FORM, schema=TAGGED, encoding={"tags": {"style": "form", "explode": True}})
    assert breaking(judge(typed(FORM, schema=TAGGED), usual)) == {}


def test_form_fields_of_swagger_have_collection_formats(judge: Judge) -> None:
    def form(collection: str, **more: Any) -> dict[str, Any]:
        tags = {"name": "tags", "in": "formData", **TEXTS, "collectionFormat": collection, **more}
        return swagger([tags])

    found = breaking(judge(form("multi"), form("csv")))
    assert request(found["request-part-style-changed"])["body"] == "tags=a&tags=a"
    assert breaking(judge(form("multi", maxItems=1), form("csv", maxItems=1))) == {}


def test_a_swagger_upload_is_multipart_and_becomes_openapi_without_a_word(judge: Judge) -> None:
    upload = [{"name": "f", "in": "formData", "type": "file", "required": True}]
    schema = {
        "type": "object",
        "properties": {"f": {"type": "string", "format": "binary"}},
        "required": ["f"],
    }
    new = api({"multipart/form-data": {"schema": schema}}, required=True)
    assert breaking(judge(swagger(upload), new)) == {}
    gone = breaking(judge(swagger(upload), api({JSON: {"schema": THING}}, required=True)))
    made = request(gone["request-media-type-removed"])
    assert made["media_type"] == "multipart/form-data; boundary=sample"
    assert 'name="f"' in made["body"]


FILE = {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}}


def parts(**encoding: Any) -> dict[str, Any]:
    return typed("multipart/form-data", schema=FILE, encoding={"f": encoding})


def test_a_part_of_a_type_that_is_refused_now_breaks(judge: Judge) -> None:
    both, one = parts(contentType="image/png, image/jpeg"), parts(contentType="image/jpeg")
    found = breaking(judge(both, one))["request-part-media-type-removed"]
    assert found.old == "image/png"
    assert "Content-Type: image/png" in request(found)["body"]
    assert breaking(judge(one, both)) == {}
    assert breaking(judge(one, parts(contentType="image/*"))) == {}


def test_a_header_demanded_of_a_part_breaks(judge: Judge) -> None:
    header = {"X-Sum": {"schema": {"type": "string"}}}
    demanded = {"X-Sum": {"schema": {"type": "string"}, "required": True}}
    assert list(breaking(judge(parts(), parts(headers=demanded)))) == [
        "request-part-header-required"
    ]
    assert breaking(judge(parts(), parts(headers=header))) == {}
    assert breaking(judge(parts(headers=demanded), parts(headers=header))) == {}


def test_headers_of_parts_are_texts_and_shown_in_their_part(judge: Judge) -> None:
    def summed(kind: str) -> dict[str, Any]:
        return parts(headers={"X-Sum": {"schema": {"type": kind}, "required": True}})

    assert breaking(judge(summed("integer"), summed("string"))) == {}
    (finding,) = breaking(judge(summed("string"), summed("integer"))).values()
    assert finding.field == "f.header.X-Sum"
    assert "X-Sum: " in request(finding)["body"]
    assert "X-Sum: 0" not in request(finding)["body"]


def test_examples_of_bodies_say_nothing(judge: Judge) -> None:
    plain = typed(JSON)
    shown = typed(JSON, examples={"one": {"value": {"id": 7}}})
    shown["paths"]["/things"]["post"]["requestBody"]["content"][JSON]["x-note"] = "new"
    wordy = typed(JSON, schema={**THING, "example": {"id": 1}}, example={"id": None})
    assert breaking(judge(plain, shown)) == breaking(judge(shown, wordy)) == {}
    assert judge(plain, shown).verdict is judge(shown, wordy).verdict is Verdict.COMPATIBLE
