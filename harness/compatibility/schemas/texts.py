"""Sample texts: of known formats, and of regular expressions."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

from harness.compatibility.schemas.languages import (
    NotRegularError,
    Texts,
    TooMuchWorkError,
    shortest,
)
from harness.compatibility.schemas.matching import matches

# The first is the plain one; the others differ in what a narrower format would refuse.
FORMAT_SAMPLES: dict[str, tuple[str, ...]] = {
    "date": ("2024-01-01",),
    "date-time": ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5+01:00"),
    "time": ("00:00:00Z",),
    "duration": ("P1D",),
    "email": ("a@example.com",),
    "idn-email": ("a@example.com", "é@example.com"),
    "hostname": ("example.com",),
    "idn-hostname": ("example.com", "é.example"),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "uri": ("https://example.com/a",),
    "uri-reference": ("/a", "https://example.com/a"),
    "iri": ("https://example.com/a", "https://example.com/é"),
    "iri-reference": ("/a", "/é"),
    "uuid": ("00000000-0000-4000-8000-000000000000",),
    "json-pointer": ("/a",),
    "regex": ("a",),
}
DIFFERENT_MAX = 4
SAMPLE_MAX = 2_000
_FILL = "a0A-_ .~"
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_parser: Any = importlib.import_module("re._parser")


def matching(patterns: tuple[str, ...], size_min: int, size_max: int | None) -> list[str]:
    """Return texts that match every pattern, shortest first; empty when none was found."""
    found: dict[str, None] = dict.fromkeys(_by_automaton(patterns, size_min, size_max))
    for pattern in patterns:
        try:
            tree = _parser.parse(pattern)
        except (re.error, RecursionError, OverflowError):
            continue
        for variant in range(6):
            sample = _sample(tree, variant)
            found[sample] = None
            found["a" * variant + sample + "Z" * variant] = None
            found[sample.ljust(size_min, "a")] = None
    return [t for t in found if _fits(t, patterns, size_min, size_max)]


def _by_automaton(patterns: tuple[str, ...], size_min: int, size_max: int | None) -> Iterator[str]:
    """Yield a few different texts, shortest first; none when the patterns are not regular."""
    known: list[str] = []
    try:
        while len(known) < DIFFERENT_MAX:
            wanted = Texts(patterns, (), size_min, size_max, frozenset(known))
            text = shortest(wanted)
            if text is None:
                return
            known.append(text)
            yield text
    except (NotRegularError, TooMuchWorkError):
        return


def _fits(text: str, patterns: tuple[str, ...], size_min: int, size_max: int | None) -> bool:
    if len(text) < size_min or (size_max is not None and len(text) > size_max):
        return False
    return all(matches(p, text) for p in patterns)


def _sample(tree: Any, variant: int) -> str:
    text = ""
    for op, argument in tree:
        text += _piece(str(op), argument, variant)
        if len(text) > SAMPLE_MAX:
            break
    return text


def _piece(op: str, argument: Any, variant: int) -> str:
    if op == "LITERAL":
        return chr(argument)
    if op in {"ANY", "NOT_LITERAL"}:
        return next(c for c in _FILL[variant % len(_FILL) :] + _FILL if ord(c) != argument)
    if op == "IN":
        return _member(argument, variant)
    if op in _REPEATS:
        low, high, inner = argument
        count = min(int(high), int(low) + variant)
        one = _sample(inner, variant)
        return one * min(count, SAMPLE_MAX // max(len(one), 1))
    if op == "SUBPATTERN":
        return _sample(argument[-1], variant)
    if op == "BRANCH":
        branches = argument[1]
        return _sample(branches[variant % len(branches)], variant)
    return ""


def _member(items: Any, variant: int) -> str:
    negated = str(items[0][0]) == "NEGATE"
    if negated:
        tests = [(str(op), a) for op, a in items[1:]]
        return next((c for c in _FILL + "!b1" if not _inside(c, tests)), "")
    choices: list[str] = []
    for op, argument in items:
        if str(op) == "LITERAL":
            choices.append(chr(argument))
        elif str(op) == "RANGE":
            choices += [chr(argument[0]), chr(argument[1])]
        elif str(op) == "CATEGORY":
            choices += [c for c in _FILL if _inside(c, [("CATEGORY", argument)])]
    return choices[variant % len(choices)] if choices else ""


def _inside(character: str, tests: list[tuple[str, Any]]) -> bool:
    return any(_one(character, op, argument) for op, argument in tests)


def _one(character: str, op: str, argument: Any) -> bool:
    if op == "LITERAL":
        return bool(ord(character) == argument)
    if op == "RANGE":
        return bool(argument[0] <= ord(character) <= argument[1])
    name = str(argument)
    kinds = {
        "DIGIT": character.isdigit(),
        "WORD": character.isalnum() or character == "_",
        "SPACE": character.isspace(),
    }
    kind = name.rsplit("_", 1)[-1]
    return bool(kinds.get(kind, False)) != ("NOT" in name)
