"""The text format lets a person see what broke, side by side, and bothers nobody with the rest."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.cli.output import emit
from harness.model.errors import SourceLocation
from harness.model.finding import (
    Category,
    Direction,
    Finding,
    Places,
    Proof,
    Report,
    Verdict,
    Witness,
)
from reports import render
from reports.columns import cells, fold, side_by_side

BREAKING = Finding(
    fingerprint="0123456789ab",
    rule="request-type-changed",
    category=Category.WIRE_REQUEST,
    verdict=Verdict.BREAKING,
    message="quantity: the type integer is no longer accepted here.",
    direction=Direction.REQUEST,
    operations=("POST /orders",),
    field="quantity",
    old="integer",
    new="string",
    proof=Proof.WITNESS,
    places=Places(SourceLocation("old.yaml", 3, 1), SourceLocation("new.yaml", 4, 1)),
)


def shown(*findings: Finding, width: int = 100, colour: bool = False) -> list[str]:
    report = Report("diff", "Old against new", Verdict.BREAKING, findings)
    return render(report, "text", width=width, colour=colour).splitlines()


class TestSides:
    def test_stand_beside_each_other_when_there_is_room(self) -> None:
        lines = shown(BREAKING)
        assert any("old  old.yaml:3:1" in x and "│ new  new.yaml:4:1" in x for x in lines)
        assert any('"integer"' in line and '│ "string"' in line for line in lines)

    def test_stand_below_each_other_in_a_narrow_window(self) -> None:
        lines = [line.strip() for line in shown(BREAKING, width=60)]
        assert 'old        "integer"' in lines
        assert 'new        "string"' in lines
        assert "(old.yaml:3:1)" in lines

    def test_an_absent_side_reads_nothing_and_not_null(self) -> None:
        lines = shown(replace(BREAKING, old=None))
        assert any("nothing" in line and '│ "string"' in line for line in lines)

    def test_a_list_of_words_stands_in_a_row(self) -> None:
        kinds = ["array", "boolean", "integer", "null", "number", "object", "string"]
        lines = shown(replace(BREAKING, new=kinds))
        assert any('│ ["array", "boolean", "integer", ' in line for line in lines)

    def test_without_values_both_places_are_named(self) -> None:
        text = "\n".join(shown(replace(BREAKING, old=None, new=None)))
        assert "at         old.yaml:3:1\n                 new.yaml:4:1" in text

    def test_a_place_too_long_for_its_column_stays_whole(self) -> None:
        long = SourceLocation("contracts/" + "deep/" * 12 + "openapi.yaml", 3, 1)
        text = "\n".join(shown(replace(BREAKING, places=Places(long, long))))
        assert f"at         {long}" in text

    @pytest.mark.parametrize("width", [40, 79, 80, 100, 140])
    def test_no_line_is_wider_than_the_window(self, width: int) -> None:
        wide = replace(
            BREAKING,
            old={"names": ["很长的名字" * 9, "x" * 300], "pattern": "a b " * 60},
            new={"names": "y" * 500},
            reason="because " * 40,
            witness=Witness({"note": "z" * 400}),
            operations=("POST /orders", "PUT /orders/" + "p" * 200),
        )
        # The head and the last line hold identifiers, which are copied whole.
        body = [x for x in shown(wide, width=width) if x.startswith(" " * 6) and " · " not in x]
        assert body
        assert max(cells(line) for line in body) <= width


class TestWitness:
    def test_a_whole_exchange_reads_like_http(self) -> None:
        exchange = {
            "method": "POST",
            "target": "/orders?dry=1",
            "headers": {"X-Store": "7"},
            "cookies": {"session": "s"},
            "content_type": "application/json",
            "body": {"quantity": 2},
        }
        lines = shown(replace(BREAKING, witness=Witness({"quantity": 2}, exchange)))
        start = next(i for i, line in enumerate(lines) if "POST /orders?dry=1 HTTP/1.1" in line)
        assert [line.strip() for line in lines[start + 1 : start + 6]] == [
            "X-Store: 7",
            "Content-Type: application/json",
            "Cookie: session=s",
            "",
            '{"quantity": 2}',
        ]

    def test_a_long_body_is_spread_over_lines_and_cut(self) -> None:
        value = {"lines": [{"sku": f"MUG-{n:03}", "quantity": n} for n in range(200)]}
        text = "\n".join(shown(replace(BREAKING, witness=Witness(value))))
        assert '"sku": "MUG-000"' in text
        assert "more lines" in text
        assert "MUG-199" not in text

    def test_an_exchange_without_a_call_shows_the_value(self) -> None:
        text = "\n".join(shown(replace(BREAKING, witness=Witness({"a": 1}, {"status": 200}))))
        assert 'witness    {"a": 1}' in text
        assert "HTTP/1.1" not in text


class TestOrder:
    def test_breaking_first_then_lost_data_then_a_summary(self) -> None:
        lost = replace(
            BREAKING,
            fingerprint="105700000000",
            verdict=Verdict.COMPATIBLE,
            category=Category.DATA_LOSS,
            rule="request-property-removed",
        )
        added = [
            replace(
                BREAKING,
                fingerprint=f"{n:012}",
                verdict=Verdict.COMPATIBLE,
                category=Category.WIRE_RESPONSE,
                rule="response-property-added",
                field=f"extra{n}",
            )
            for n in range(7)
        ]
        lines = shown(*added, lost, BREAKING)
        order = ["POST /orders", "valid but lost (1)", "compatible (7)"]
        assert [line for line in lines if line in order] == order
        assert "  response-property-added: 7 differences" in lines
        assert sum("extra" in line for line in lines) == 3
        assert any("--format json lists them all" in line for line in lines)

    def test_many_operations_are_counted_and_the_first_few_named(self) -> None:
        many = tuple(f"GET /things/{n}" for n in range(40))
        text = " ".join(" ".join(shown(replace(BREAKING, operations=many))).split())
        assert "40 operations: GET /things/0, GET /things/1, GET /things/2 and 37 more" in text

    def test_colours_only_when_asked(self) -> None:
        assert not any("\x1b" in line for line in shown(BREAKING))
        assert any("\x1b[31mbreaking\x1b[0m" in line for line in shown(BREAKING, colour=True))


class TestLayout:
    @pytest.mark.parametrize(
        ("text", "width", "lines"),
        [
            ("short", 10, ["short"]),
            ("two words", 5, ["two", "words"]),
            ("  keeps its lead", 10, ["  keeps", "  its lead"]),
            ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
            ("contracts/shop/orders.yaml", 15, ["contracts/shop/", "orders.yaml"]),
            ("很长的名字", 4, ["很长", "的名", "字"]),
            ("", 5, [""]),
        ],
    )
    def test_fold(self, text: str, width: int, lines: list[str]) -> None:
        assert fold(text, width) == lines

    def test_columns_line_up_under_wide_letters(self) -> None:
        joined = side_by_side(["很", "ab"], ["x", "y", "z"], 4)
        assert joined == ["很   │ x", "ab   │ y", "     │ z"]


def test_a_terminal_of_another_encoding_shows_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    emit(Report("diff", "é 很", Verdict.BREAKING, (BREAKING,)), "text")
    text = written.getvalue().decode("latin-1")
    assert text.startswith("é \\u5f88\n")
    assert '\\u2502 "string"' in text


@pytest.mark.slow
def test_deepdiff_is_imported_only_for_values_worth_it() -> None:
    program = (
        "import sys; from harness.model.finding import *; from reports import render\n"
        "f = Finding('f', 'r', Category.DOCS, Verdict.BREAKING, 'm', old={old}, new={new})\n"
        "render(Report('diff', 't', Verdict.BREAKING, (f,)), 'text')\n"
        "print('deepdiff' in sys.modules)"
    )
    large = {f"member{n}": n for n in range(20)}
    answers = [
        subprocess.run(
            [sys.executable, "-c", program.format(old=old, new=new)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()
        for old, new in (("'a'", large), (["a"], ["b"]), (large, {"other": 1}))
    ]
    assert answers == ["False", "False", "True"]
