"""The parts that several formats share say what differs, what an exchange is, and hide nothing."""

from __future__ import annotations

import json

import pytest

from harness.model.finding import Category, Finding, Verdict, Witness
from reports.differences import differences
from reports.exchanges import message_lines, read_exchange, shown_exchange
from reports.sides import marked, one_line, unified
from reports.spelling import cut, dumped, limited, short, visible, visible_lines, xml_text

LONG = "a text that is long enough to make both sides worth a list of differences"


class TestDifferences:
    def test_name_each_place_once_in_path_order(self) -> None:
        old = {"type": "object", "about": LONG, "enum": ["a", "b", "c"], "gone": 1, "n": 1}
        new = {"type": "array", "about": LONG, "enum": ["a", "c"], "came": [2], "n": 1.0}
        assert [d.sentence for d in differences(old, new)] == [
            "came: added [2]",
            'enum[1]: removed "b"',
            "gone: removed 1",
            'type: "object" → "array"',
        ]

    @pytest.mark.parametrize(
        ("old", "new"),
        [(LONG, LONG + "!"), (None, {"a": LONG}), ({"a": 1}, {"a": 2}), ({"a": LONG}, 5)],
    )
    def test_are_not_listed_where_nobody_needs_a_list(self, old: object, new: object) -> None:
        assert differences(old, new) == []

    def test_are_not_sought_in_huge_values(self) -> None:
        huge = {"rows": [{"n": n, "text": LONG} for n in range(2_000)]}
        assert differences(huge, {"rows": []}) == []

    def test_a_different_whole_is_one_difference(self) -> None:
        [found] = differences([LONG], {"text": LONG})
        assert found.path == "(whole)"

    def test_true_is_not_one(self) -> None:
        [found] = differences({"a": LONG, "b": True}, {"a": LONG, "b": 1})
        assert found.sentence == "b: true → 1"

    def test_hostile_names_stay_on_one_line(self) -> None:
        [found] = differences({"a": LONG}, {"a": LONG, "x\n\x1b[2J": 1})
        assert found.path == "x\\n\\x1b[2J"


class TestSides:
    def test_only_lines_that_differ_are_marked(self) -> None:
        left, right = marked({"a": 1, "b": 2}, {"a": 1, "b": 3})
        assert [line.text for line in left if line.changed] == ['  "b": 2']
        assert [line.text for line in right if line.changed] == ['  "b": 3']

    def test_an_absent_side_marks_nothing(self) -> None:
        left, right = marked(None, {"a": 1})
        assert [line.text for line in left] == ["nothing"]
        assert not any(line.changed for line in right)

    def test_unified_shows_both(self) -> None:
        assert list(unified({"a": 1}, {"a": 2})) == [" {", '-  "a": 1', '+  "a": 2', " }"]

    def test_one_line_is_empty_when_the_value_needs_more(self) -> None:
        assert one_line({"a": LONG * 2}) == ""
        assert one_line(None) == "nothing"
        assert one_line([1]) == "[1]"


class TestExchanges:
    def test_a_status_makes_body_and_headers_the_answer(self) -> None:
        lines = message_lines_of(
            {
                "method": "GET",
                "target": "/a",
                "status": 404,
                "headers": {"X-A": ["1", "2"]},
                "accept": "application/json",
                "content_type": "application/problem+json",
                "body": None,
            }
        )
        assert lines == [
            "GET /a HTTP/1.1",
            "Accept: application/json",
            "",
            "HTTP/1.1 404 Not Found",
            "Content-Type: application/problem+json",
            "X-A: 1",
            "X-A: 2",
            "",
            "null",
        ]

    def test_request_and_response_may_be_told_apart(self) -> None:
        lines = message_lines_of(
            {
                "request": {"method": "post", "path": "/a", "body": "x=1", "content_type": "a/b"},
                "response": {"status": "2XX", "body": [1]},
            }
        )
        assert lines[:4] == ["POST /a HTTP/1.1", "Content-Type: a/b", "", "x=1"]
        assert lines[4:] == ["", "HTTP/1.1 2XX", "", "[1]"]

    def test_the_credentials_that_used_to_suffice_are_named(self) -> None:
        assert '(authorised by {"key": []})' in message_lines_of(
            {"method": "GET", "target": "/a", "security": {"key": []}}
        )

    @pytest.mark.parametrize(
        "exchange", [None, {}, [], "GET /", {"status": 200}, {"method": "GET"}]
    )
    def test_half_an_exchange_is_none(self, exchange: object) -> None:
        finding = Finding(
            "f", "r", Category.DOCS, Verdict.BREAKING, "m", witness=Witness(1, exchange)
        )
        assert shown_exchange(finding) is None

    @pytest.mark.parametrize("wrong", [5, [], "text", {"a": {"b": 1}}, [["n", "v"], ["odd"]]])
    def test_unexpected_shapes_are_shown_as_far_as_they_go(self, wrong: object) -> None:
        note = {"method": wrong, "target": "/a", "headers": wrong, "cookies": wrong, "body": wrong}
        assert " /a HTTP/1.1" in message_lines_of(note)[0]


def message_lines_of(exchange: dict[str, object]) -> list[str]:
    shown = read_exchange(exchange)
    assert shown is not None
    return message_lines(shown)


class TestSpelling:
    @pytest.mark.parametrize(
        ("text", "seen"),
        [
            ("plain – ünïcode 很", "plain – ünïcode 很"),
            ("\x1b[2J\x07", "\\x1b[2J\\x07"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\x9b31m\x7f", "\\x9b31m\\x7f"),
            ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
            ("\ud800\u2028\ufeff", "\\ud800\\u2028\\ufeff"),
        ],
    )
    def test_visible(self, text: str, seen: str) -> None:
        assert visible(text) == seen
        assert visible(seen) == seen

    def test_visible_lines_keeps_line_breaks_only(self) -> None:
        assert visible_lines("a\n\x1bb\r") == "a\n\\x1bb\\r"

    def test_xml_text_drops_what_xml_cannot_carry(self) -> None:
        assert xml_text("a\x00\x0b\ud800\ufffe\tb\n\U0001f600") == "a\tb\n\U0001f600"

    def test_json_stays_the_same_json(self) -> None:
        value = {"k\u2028": ["\ud800", "\x9b", "\x00", 'q"', 1.5, None, True]}
        text = dumped(value)
        assert json.loads(text) == value
        text.encode()
        assert visible(text) == text

    def test_json_is_written_even_of_what_json_cannot_carry(self) -> None:
        value = {1: float("nan"), "a": float("-inf"), "big": 1 << 20_000, "s": {2: (3,)}}
        assert json.loads(dumped(value, sort=True)) == {
            "1": "nan",
            "a": "-inf",
            "big": "a number of 20001 bits",
            "s": {"2": [3]},
        }

    def test_limits(self) -> None:
        assert cut("abcdef", 4) == "abc…"
        assert short({"a": "x" * 99}, 10) == '{"a": "xx…'
        assert limited(["1", "2", "3", "4"], 3) == ["1", "2", "… 2 more lines"]
        assert limited(["1", "2", "3"], 3) == ["1", "2", "3"]
