"""Proves that texts on the wire are spelled as OpenAPI says, and heard as what they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compatibility.exchanges.wire import (
    Spelling,
    heard,
    query_text,
    readings,
    same_meaning,
    serialise,
    typed,
)
from harness.model.contract import ParameterLocation
from harness.model.values import Json

QUERY, PATH = ParameterLocation.QUERY, ParameterLocation.PATH
HEADER, COOKIE = ParameterLocation.HEADER, ParameterLocation.COOKIE
COLOURS = ["blue", "black"]
POINT = {"R": 100, "G": 200}
# The table of style examples in the OpenAPI specification, in its order, and Swagger's own.
TABLE: list[tuple[ParameterLocation, str, bool, Json, str]] = [
    (PATH, "matrix", False, "", ";color="),
    (PATH, "matrix", False, "blue", ";color=blue"),
    (PATH, "matrix", False, COLOURS, ";color=blue,black"),
    (PATH, "matrix", False, POINT, ";color=R,100,G,200"),
    (PATH, "matrix", True, COLOURS, ";color=blue;color=black"),
    (PATH, "matrix", True, POINT, ";R=100;G=200"),
    (PATH, "label", False, "blue", ".blue"),
    (PATH, "label", False, COLOURS, ".blue,black"),
    (PATH, "label", True, COLOURS, ".blue.black"),
    (PATH, "label", True, POINT, ".R=100.G=200"),
    (PATH, "simple", False, COLOURS, "blue,black"),
    (PATH, "simple", False, POINT, "R,100,G,200"),
    (HEADER, "simple", True, POINT, "R=100,G=200"),
    (QUERY, "form", False, "", "color="),
    (QUERY, "form", False, None, "color="),
    (QUERY, "form", False, True, "color=true"),
    (QUERY, "form", False, COLOURS, "color=blue,black"),
    (QUERY, "form", False, POINT, "color=R,100,G,200"),
    (QUERY, "form", True, COLOURS, "color=blue&color=black"),
    (QUERY, "form", True, POINT, "R=100&G=200"),
    (QUERY, "form", True, [], ""),
    (QUERY, "spaceDelimited", False, COLOURS, "color=blue%20black"),
    (QUERY, "pipeDelimited", False, COLOURS, "color=blue|black"),
    (QUERY, "tabDelimited", False, COLOURS, "color=blue%09black"),
    (QUERY, "deepObject", True, POINT, "color[R]=100&color[G]=200"),
    (COOKIE, "form", False, COLOURS, "color=blue,black"),
    (QUERY, "form", True, "a&b c", "color=a%26b%20c"),
    (QUERY, "form", False, ["a,b", "c"], "color=a%2Cb,c"),
]


@pytest.mark.parametrize(("place", "style", "explode", "value", "expected"), TABLE)
def test_values_are_spelled_by_style_and_explode(
    place: ParameterLocation, style: str, explode: bool, value: Json, expected: str
) -> None:
    wire = serialise("color", value, Spelling(place, style, explode))
    paired = place in {QUERY, COOKIE}
    assert (query_text(wire) if paired else wire[0][1]) == expected


def test_reserved_characters_go_as_they_are_where_that_is_allowed() -> None:
    spelling = Spelling(QUERY, "form", explode=True, reserved=True)
    assert serialise("q", "a/b c", spelling) == (("q", "a/b%20c"),)


def test_content_parameters_travel_as_json() -> None:
    spelling = Spelling(QUERY, "form", explode=True, json=True)
    assert serialise("q", {"a": 1}, spelling) == (("q", "%7B%22a%22%3A1%7D"),)


WORDS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=4)
VALUES = st.one_of(
    WORDS,
    st.integers(-99, 99),
    st.booleans(),
    st.lists(WORDS, min_size=1, max_size=3),
    st.dictionaries(WORDS, WORDS, min_size=1, max_size=3),
)
SPELLINGS = st.sampled_from(
    [
        Spelling(place, style, explode)
        for place, styles in (
            (QUERY, ("form", "spaceDelimited", "pipeDelimited", "tabDelimited")),
            (PATH, ("simple", "label", "matrix", "pipeDelimited")),
            (HEADER, ("simple",)),
            (COOKIE, ("form",)),
        )
        for style in styles
        for explode in (True, False)
    ]
)


@given(VALUES, SPELLINGS)
def test_a_reader_of_the_same_spelling_hears_what_was_meant(
    value: Json, spelling: Spelling
) -> None:
    wire = serialise("q", value, spelling)
    said = [s for s in heard(wire, "q", spelling) if same_meaning(value, s)]
    assert said
    assert any(value in typed(s) for s in said) or isinstance(value, list | dict)


@given(st.lists(WORDS, min_size=2, max_size=3))
def test_a_list_joined_by_commas_is_not_heard_where_names_are_repeated(words: list[str]) -> None:
    wire = serialise("q", words, Spelling(QUERY, "form", explode=False))
    reader = Spelling(QUERY, "form", explode=True)
    assert not any(same_meaning(words, s) for s in heard(wire, "q", reader))


def test_nothing_is_heard_of_a_parameter_that_was_not_sent() -> None:
    assert list(heard((), "q", Spelling(QUERY, "form", explode=True))) == []


def test_a_text_may_stand_for_several_json_values() -> None:
    assert list(typed("7")) == ["7", 7]
    assert list(typed("")) == ["", None]
    assert list(typed("true")) == ["true", True]
    assert [1, "a"] in list(typed(["1", "a"]))
    assert [7] in list(readings(7))


@pytest.mark.parametrize("written", ["NaN", "Infinity", "1e999", "9" * 5000, "[" * 9999])
def test_odd_texts_are_only_texts(written: str) -> None:
    assert list(typed(written)) == [written]
