"""JSON and YAML are read by one set of rules, with places, within limits, and never by guessing."""

from __future__ import annotations

import json

import pytest

from harness.catalog import Limits, locate, parse_document
from harness.catalog.parsing import parse
from harness.model.errors import DocumentError

SMALL = Limits(bytes=10_000, depth=10, nodes=1_000)


def refused(data: bytes, label: str = "a.yaml", limits: Limits = SMALL) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_document(data, label, limits)
    return caught.value


# ---------------------------------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("text", "pointer", "place"),
    [
        ("a:\n  b: 1\n", "/a/b", (2, 3)),
        ("a:\n  - x\n  - y: 2\n", "/a/1/y", (3, 5)),
        ("a:\n  - x\n  - y\n", "/a/1", (3, 5)),
        ("/p/{id}:\n  get: {}\n", "/~1p~1{id}/get", (2, 3)),
        ("a: {b: {c: 1}}\n", "/a/b/c", (1, 9)),
        ("a: 1\n", "", (1, 1)),
        ("\ufeffa: 1\nb: 2\n", "/b", (2, 1)),
        ("a:\r\n  b: 1\r\n", "/a/b", (2, 3)),
        ('{\n  "a": {\n    "b": [1, 2]\n  }\n}', "/a/b/1", (3, 14)),
        ('{\n\t"a": {\n\t\t"b": 1}}', "/a/b", (3, 3)),
        ('{"a":\t{"b":\t1}}', "/a/b", (1, 8)),
        ('{"\\u0061": {"x y": 1}}', "/a/x y", (1, 13)),
    ],
)
def test_a_pointer_is_found_where_it_stands(
    text: str, pointer: str, place: tuple[int, int]
) -> None:
    assert locate(text.encode(), pointer) == place


def test_a_pointer_that_is_not_there_is_placed_at_the_nearest_thing_around_it() -> None:
    assert locate(b"a:\n  b: 1\n", "/a/gone/deeper") == (1, 1)


def test_places_agree_between_a_document_and_its_json_twin() -> None:
    value = {"a": [{"b": None}, [1.5, "x"]], "c/d~e": {"": True}}
    compact = json.dumps(value).encode()
    assert parse_document(compact, "a.json") == parse_document(compact, "a.yaml") == value
    assert locate(compact, "/c~1d~0e/") == (1, compact.decode().index('"": true') + 1)


# --------------------------------------------------------------------------------- YAML 1.2 core


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("Off", "Off"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("12:30:45", "12:30:45"),
        ("0o17", 15),
        ("017", 17),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-7", -7),
        ("~", None),
        ("Null", None),
        ("TRUE", True),
        ("'true'", "true"),
        ('"7"', "7"),
        ("!!str 7", "7"),
        ("2.0.1", "2.0.1"),
    ],
)
def test_a_plain_word_means_what_yaml_1_2_says(text: str, value: object) -> None:
    read = parse_document(f"k: {text}\n".encode(), "a.yaml")["k"]
    assert read == value
    assert type(read) is type(value)


def test_names_are_always_text() -> None:
    read = parse_document(b"200: a\nno: b\ntrue: c\n1.5: d\n2026-01-01: e\nnull: f\n", "a.yaml")
    assert list(read) == ["200", "no", "true", "1.5", "2026-01-01", "null"]


def test_a_name_that_is_no_text_is_refused_where_it_stands() -> None:
    error = refused(b"a: 1\n? [x, y]\n: 2\n")
    assert "must be text" in error.message
    assert str(error.location) == "a.yaml:2:3"


def test_a_value_json_cannot_carry_stays_text_and_is_told() -> None:
    parsed = parse(b"a: .inf\nb: 1e999\n", "a.yaml")
    assert parsed.value == {"a": ".inf", "b": "1e999"}
    assert [(p.rule, p.pointer) for p in parsed.problems] == [
        ("not-a-json-value", "/a"),
        ("not-a-json-value", "/b"),
    ]


def test_aliases_and_merges_unfold() -> None:
    text = b"base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: *b\n"
    read = parse_document(text, "a.yaml")
    assert read["one"] == {"x": 1, "y": 3}
    assert read["two"] == read["base"] == {"x": 1, "y": 2}


# -------------------------------------------------------------------------------- repeated names


@pytest.mark.parametrize(
    ("text", "label", "place"),
    [
        ('{"a": {"x": 1,\n "x": 2}}', "a.json", "a.json:2:2"),
        ("a:\n  x: 1\n  x: 2\n", "a.yaml", "a.yaml:3:3"),
    ],
)
def test_a_repeated_name_is_told_with_its_second_place(text: str, label: str, place: str) -> None:
    parsed = parse(text.encode(), label)
    assert parsed.value == {"a": {"x": 2}}
    (problem,) = parsed.problems
    assert (problem.rule, problem.pointer) == ("duplicate-key", "/a/x")
    assert str(problem.location) == place


# ------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("data", "label", "words", "place"),
    [
        (b"a: \xff", "a.yaml", "0xff is not UTF-8", "a.yaml:1:4"),
        (b"{}\n\xc3", "a.json", "0xc3 is not UTF-8", "a.json:2:1"),
        (b"a: \x07", "a.yaml", "control characters", "a.yaml:1:4"),
        (b"", "a.yaml", "is empty", "a.yaml:1:1"),
        (b"  \n", "a.json", "is empty", "a.json:1:1"),
        (b'{"a": 1}{"b": 2}', "a.json", "follows the end", "a.json:1:9"),
        (b'{"a": 1}\n{"b": 2}\n', "standard input", "follows the end", "standard input:2:1"),
        (b"a: 1\n---\nb: 2\n", "a.yaml", "second YAML document", "a.yaml:2:1"),
        (b"a: [1, 2\n", "a.yaml", "not valid YAML", "a.yaml:2:1"),
        (b"a: *gone\n", "a.yaml", "was never defined", "a.yaml:1:4"),
        (b"a: &x [*x]\n", "a.yaml", "refers to itself", "a.yaml:1:8"),
        (b'{"a": 1,}', "a.json", "not valid JSON", "a.json:1:9"),
        (b'{"a": NaN}', "a.json", "NaN is not JSON", "a.json"),
        (b'{"a": 1e999}', "a.json", "too large", "a.json"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    data: bytes, label: str, words: str, place: str
) -> None:
    error = refused(data, label)
    assert words in error.message
    assert str(error.location) == place
    assert error.remedy


def test_a_tab_in_yaml_indentation_says_what_to_do() -> None:
    assert "spaces" in refused(b"a:\n\tb: 1\n").remedy


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1,}', '[{"a": 01}]', '{ "a": b }'])
def test_broken_json_without_a_yaml_name_is_never_read_as_yaml(text: str) -> None:
    assert "JSON" in refused(text.encode(), "standard input").message


def test_yaml_in_braces_is_read_as_yaml() -> None:
    assert parse_document(b"{a: 1}", "standard input") == {"a": 1}
    assert parse_document(b'{"a": b}', "a.yaml") == {"a": "b"}


# ----------------------------------------------------------------------------------------- limits


def test_bytes_are_bounded() -> None:
    assert "larger than" in refused(b"a" * 10_001).message


@pytest.mark.parametrize(
    "text", ["[" * 11 + "]" * 11, '{"a":' * 11 + "1" + "}" * 11, "- " * 11 + "x"]
)
def test_depth_is_bounded(text: str) -> None:
    assert "10 levels deep" in refused(text.encode()).message


def test_depth_through_aliases_is_bounded() -> None:
    text = "a: &a [[[[[[1]]]]]]\nb: [[[[[[*a]]]]]]\n"
    assert "levels deep" in refused(text.encode()).message


@pytest.mark.parametrize("label", ["a.json", "a.yaml"])
def test_the_number_of_values_is_bounded_exactly(label: str) -> None:
    assert len(parse_document(json.dumps([0] * 999).encode(), label, SMALL)) == 999
    assert "more than 1,000 values" in refused(json.dumps([0] * 1000).encode(), label).message


def test_a_yaml_bomb_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 30):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    assert "aliases are expanded" in refused("\n".join(lines).encode()).message


def test_deep_brackets_do_not_exhaust_the_stack() -> None:
    deep = b"[" * 200_000
    for label in ("a.json", "a.yaml"):
        assert "levels deep" in refused(deep, label, Limits()).message
