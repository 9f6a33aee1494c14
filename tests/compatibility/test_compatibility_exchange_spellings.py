"""Proves that a change of spelling is never called the same when a value is heard as another."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import load_contract
from harness.catalog.sources import Source
from harness.compatibility.exchanges.spellings import Answer, Spoken, judge_spelling
from harness.compatibility.exchanges.wire import Spelling, heard, same_meaning, serialise
from harness.model.contract import ParameterLocation
from harness.model.values import Json

WORD = {"type": "string", "pattern": "^[a-z]+$"}
SCHEMAS: dict[str, dict[str, Any]] = {
    "word": WORD,
    "number": {"type": "integer"},
    "words": {"type": "array", "items": WORD},
    "one": {"type": "array", "items": WORD, "maxItems": 1},
    "either": {"anyOf": [WORD, {"type": "array", "items": WORD}]},
    "box": {"type": "object", "properties": {"w": WORD}, "required": ["w"]},
}
VALUES: dict[str, list[Json]] = {
    "word": ["a"],
    "number": [7],
    "words": [["a"], ["a", "b"], ["a", "b", "c"]],
    "one": [["a"]],
    "either": ["a", ["a", "b"]],
    "box": [{"w": "a"}],
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {},
    "components": {"schemas": SCHEMAS},
}
CONTRACT = load_contract(Source("shop.json", json.dumps(DOCUMENT).encode())).contract
STYLES = {
    ParameterLocation.QUERY: [
        "form",
        "spaceDelimited",
        "pipeDelimited",
        "tabDelimited",
        "deepObject",
    ],
    ParameterLocation.PATH: ["simple", "label", "matrix", "pipeDelimited"],
    ParameterLocation.HEADER: ["simple", "pipeDelimited"],
}


@st.composite
def two_spellings(draw: st.DrawFn) -> tuple[Spelling, Spelling]:
    place = draw(st.sampled_from(list(STYLES)))
    one, other = (
        Spelling(place, draw(st.sampled_from(STYLES[place])), draw(st.booleans())) for _ in "ab"
    )
    return one, other


@given(two_spellings(), st.sampled_from(sorted(SCHEMAS)))
def test_what_is_called_the_same_is_heard_as_itself(
    spellings: tuple[Spelling, Spelling], name: str
) -> None:
    schema = f"/components/schemas/{name}"
    writer, reader = (Spoken(CONTRACT, schema, "q", s) for s in spellings)
    judged = judge_spelling(writer, reader)
    if judged.answer is Answer.SAME:
        for value in VALUES[name]:
            wire = serialise("q", value, writer.spelling)
            assert any(same_meaning(value, s) for s in heard(wire, "q", reader.spelling)), value
    if judged.answer is Answer.OTHER:
        wire = serialise("q", judged.value, writer.spelling)
        assert wire != serialise("q", judged.value, reader.spelling)


@given(two_spellings(), st.sampled_from(sorted(SCHEMAS)))
def test_no_change_at_all_is_the_same(spellings: tuple[Spelling, Spelling], name: str) -> None:
    one = Spoken(CONTRACT, f"/components/schemas/{name}", "q", spellings[0])
    assert judge_spelling(one, one).answer is Answer.SAME


def test_a_name_that_is_part_of_the_text_may_not_change() -> None:
    schema = "/components/schemas/word"
    for style, answer in (("matrix", Answer.OTHER), ("label", Answer.SAME)):
        spelling = Spelling(ParameterLocation.PATH, style, explode=False)
        judged = judge_spelling(
            Spoken(CONTRACT, schema, "a", spelling), Spoken(CONTRACT, schema, "b", spelling)
        )
        assert judged.answer is answer
