"""Proves the decisions about texts, formats and numbers against brute force."""

from __future__ import annotations

import itertools
import os
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from harness.compatibility.schemas import formats
from harness.compatibility.schemas.expressions import NotRegularError
from harness.compatibility.schemas.languages import Texts, TooMuchWorkError, shortest
from harness.compatibility.schemas.numbers import Bound, Numbers, pick
from harness.compatibility.schemas.texts import FORMAT_SAMPLES

WIDE = int(os.environ.get("DRIFTGATE_WIDE", "0"))
WORDS = ["".join(w) for size in range(5) for w in itertools.product("ab0", repeat=size)]
quick = settings(
    max_examples=300 * max(WIDE, 1), derandomize=not WIDE, deadline=None, database=None
)

pieces = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "a?", "\\w", "(?:ab)"])
expressions = st.recursive(
    pieces,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"(?:{p[0]}|{p[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "{2}"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
        inner.map(lambda p: f"^{p}"),
        # Python's own "$" also matches before a last line feed; "\Z" means what ECMA-262 means.
        inner.map(lambda p: f"{p}$"),
    ),
    max_leaves=6,
)


def found(pattern: str, text: str) -> bool:
    return re.search(pattern.replace("$", "\\Z"), text) is not None


@quick
@given(expressions, expressions, st.integers(0, 2), st.sampled_from([None, 3, 4]))
def test_a_difference_of_expressions_agrees_with_brute_force(
    matching: str, failing: str, least: int, most: int | None
) -> None:
    text = shortest(Texts((matching,), (failing,), least, most))
    words = [
        w
        for w in WORDS
        if len(w) >= least
        and (most is None or len(w) <= most)
        and found(matching, w)
        and not found(failing, w)
    ]
    if text is None:
        assert words == []
        return
    assert found(matching, text)
    assert not found(failing, text)
    assert least <= len(text) <= (len(text) if most is None else most)
    assert not words or len(text) <= len(words[0])


def test_excluded_texts_are_passed_over() -> None:
    wanted = Texts(("^[ab]$",), excluded=frozenset({"a"}))
    assert shortest(wanted) == "b"
    assert shortest(Texts(("^[ab]$",), excluded=frozenset({"a", "b"}))) is None


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)b", "(a)\\1", "\\bword\\b", "\\p{L}", "(?i)a"])
def test_what_is_not_regular_is_refused_and_never_guessed(pattern: str) -> None:
    with pytest.raises(NotRegularError):
        shortest(Texts((pattern,)))


def test_a_language_too_large_to_walk_is_given_up() -> None:
    with pytest.raises(TooMuchWorkError):
        shortest(Texts(("(a|b)*a(a|b){20}$",), ("(a|b)*a(a|b){21}$",)))


def is_of(name: str, text: str) -> bool:
    return Draft202012Validator({"format": name}, validate_formats=True).is_valid(text)


@pytest.mark.parametrize("name", sorted(formats.LANGUAGES))
def test_the_languages_of_a_format_enclose_what_the_validator_takes(name: str) -> None:
    outer, inner = formats.LANGUAGES[name]
    assert shortest(Texts((inner,), (outer,))) is None
    known: list[str] = []
    for _ in range(6):
        text = shortest(Texts((inner,), excluded=frozenset(known)))
        if text is None:
            break
        known.append(text)
        assert is_of(name, text), text
    for text in FORMAT_SAMPLES[name]:
        assert Draft202012Validator({"pattern": outer}).is_valid(text)


@pytest.mark.parametrize(("narrow", "wide", "why"), formats.ORDER)
def test_every_edge_of_the_order_of_formats_has_a_reason_and_holds(
    narrow: str, wide: str, why: str
) -> None:
    assert why
    inner = formats.LANGUAGES[narrow].inner
    known: list[str] = []
    for _ in range(4):
        text = shortest(Texts((inner,), excluded=frozenset(known)))
        assert text is not None
        known.append(text)
    for text in (*known, *FORMAT_SAMPLES[narrow]):
        assert is_of(wide, text), text


bounds = st.one_of(st.none(), st.builds(Bound, st.integers(-4, 4).map(Fraction), st.booleans()))
steps = st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3)])


@quick
@given(
    bounds,
    bounds,
    st.lists(steps, max_size=2, unique=True),
    st.lists(steps, max_size=2, unique=True),
    st.frozensets(st.integers(-3, 3).map(Fraction), max_size=3),
    st.booleans(),
)
def test_a_number_is_picked_exactly_when_there_is_one(
    low: Bound | None,
    high: Bound | None,
    on: list[Fraction],
    off: list[Fraction],
    excluded: frozenset[Fraction],
    whole: bool,
) -> None:
    def fits(value: Fraction) -> bool:
        above = low is None or value > low.value or (value == low.value and not low.exclusive)
        below = high is None or value < high.value or (value == high.value and not high.exclusive)
        return (
            above
            and below
            and (value.denominator == 1) is whole
            and all((value / s).denominator == 1 for s in on)
            and not any((value / s).denominator == 1 for s in off)
            and value not in excluded
        )

    value = pick(Numbers(low, high, tuple(on), tuple(off), excluded), whole=whole)
    if value is None:
        assert not [n for n in range(-120, 121) if fits(Fraction(n, 12))]
    else:
        assert fits(value)
