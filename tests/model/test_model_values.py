"""Pointers, instants, exit codes and headers follow their standards at the edges too."""

from __future__ import annotations

import pytest

from harness.model.contract import Response
from harness.model.errors import AnswerTimedOut, ConnectFailed, MetadataError, SourceLocation
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.finding import (
    Category,
    Finding,
    NotChecked,
    Report,
    Verdict,
    overall_verdict,
)
from harness.model.instants import from_datetime, from_text, to_datetime, to_text
from harness.model.ports import Credentials
from harness.model.values import canonical_json, fingerprint, pointer, resolve_pointer


def test_pointers_escape_and_resolve() -> None:
    document = {"paths": {"/a~b": {"get": [10, 20]}}}
    text = pointer("paths", "/a~b", "get", 1)
    assert text == "/paths/~1a~0b/get/1"
    assert resolve_pointer(document, text) == 20
    assert resolve_pointer(document, "") is document
    for missing in ("/paths/none", "/paths/~1a~0b/get/x", "/paths/~1a~0b/get/1/deeper"):
        with pytest.raises(LookupError):
            resolve_pointer(document, missing)
    with pytest.raises(ValueError, match="starts with"):
        resolve_pointer(document, "paths")


def test_a_fingerprint_ignores_the_order_of_members() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint("a", "b") != fingerprint("ab")
    assert len(fingerprint("é\ud800")) == 12


def test_canonical_json_refuses_what_json_cannot_carry() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def test_instants_keep_microseconds_and_need_a_zone() -> None:
    at_us = 1_795_400_000_123_456
    assert from_datetime(to_datetime(at_us)) == at_us
    assert to_text(at_us).endswith(".123Z")
    assert from_text("2026-03-29T02:30:00+02:00") == from_text("2026-03-29T00:30:00Z")
    with pytest.raises(ValueError, match="time zone"):
        from_text("2026-03-29T02:30:00")


def test_requests_encode_their_target_exactly_once() -> None:
    request = HttpRequest("GET", "/items/A%2FB", (("q", "a b&c"), ("q", "é")))
    assert request.target() == "/items/A%2FB?q=a%20b%26c&q=%C3%A9"
    again = HttpRequest.from_target("GET", request.target())
    assert again == request
    assert request.query_value("q") == "a b&c"


def test_header_names_have_no_case() -> None:
    answer = HttpResponse(200, (("content-type", "Application/JSON; charset=utf-8"),))
    assert answer.header("Content-Type") is not None
    assert answer.media_type == "application/json"


def test_a_response_range_covers_its_hundred() -> None:
    assert Response("4XX", "", (), ()).covers(404)
    assert not Response("4XX", "", (), ()).covers(500)
    assert not Response("default", "", (), ()).covers(500)


def test_credentials_never_show_their_values() -> None:
    secret = Credentials({"client_secret": "hunter2"})
    assert "hunter2" not in f"{secret} {secret!r}"
    assert secret["client_secret"] == "hunter2"


def test_errors_say_where_what_and_how_to_mend() -> None:
    error = MetadataError("no owner", remedy="Add one.", location=SourceLocation("s.yaml", 3, 1))
    assert str(error) == "s.yaml:3:1: no owner. Add one."
    assert str(MetadataError("No owner.", remedy="Add one.")) == "No owner. Add one."
    assert str(MetadataError("no owner")) == "no owner"
    assert not ConnectFailed("refused").outcome_unknown
    assert AnswerTimedOut("late").outcome_unknown


def finding(verdict: Verdict) -> Finding:
    return Finding("0" * 12, "r", Category.DOCS, verdict, "m")


@pytest.mark.parametrize(
    ("verdicts", "missing", "overall", "code"),
    [
        ([], 0, Verdict.COMPATIBLE, 0),
        ([Verdict.COMPATIBLE], 0, Verdict.COMPATIBLE, 0),
        ([Verdict.UNPROVEN, Verdict.COMPATIBLE], 0, Verdict.UNPROVEN, 0),
        ([Verdict.UNPROVEN], 1, Verdict.NOT_CHECKED, 3),
        ([Verdict.BREAKING], 1, Verdict.BREAKING, 1),
        ([], 1, Verdict.NOT_CHECKED, 3),
    ],
)
def test_not_checked_is_never_green(
    verdicts: list[Verdict], missing: int, overall: Verdict, code: int
) -> None:
    findings = tuple(finding(v) for v in verdicts)
    gaps = (NotChecked("t", "r"),) * missing
    assert overall_verdict(findings, gaps) is overall
    report = Report("diff", "t", overall, findings, gaps)
    assert report.exit_code() == code


def test_the_fail_level_is_the_users() -> None:
    report = Report("diff", "t", Verdict.UNPROVEN, (finding(Verdict.UNPROVEN),))
    assert report.exit_code(frozenset({Verdict.UNPROVEN})) == 1
    assert report.exit_code(frozenset()) == 0
