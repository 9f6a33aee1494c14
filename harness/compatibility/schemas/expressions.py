"""Reads regular expressions as JSON Schema means them: ECMA-262, searched, not anchored.

The regular subset becomes a small automaton. What is not regular, or what engines read differently
(look-around, back-references, word boundaries, properties of Unicode, inline flags), raises
:class:`NotRegularError`; nobody guesses about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from string import hexdigits
from typing import NoReturn

STATES_MAX = 3_000
LENGTH_MAX = 2_000
TOP = 0x10FFFF

Interval = tuple[int, int]
Characters = tuple[Interval, ...]


class NotRegularError(Exception):
    """The expression is outside the subset that is decided, or too large."""


def union(*sets: Characters) -> Characters:
    """Return the characters of all sets, as sorted intervals that do not touch."""
    merged: list[Interval] = []
    for low, high in sorted(i for s in sets for i in s):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(characters: Characters) -> Characters:
    """Return every other character."""
    found: list[Interval] = []
    at = 0
    for low, high in characters:
        if low > at:
            found.append((at, low - 1))
        at = high + 1
    return (*found, (at, TOP)) if at <= TOP else tuple(found)


def _chars(*parts: str) -> Characters:
    return union(tuple((ord(p[0]), ord(p[-1])) for p in parts))


DIGIT = _chars("09")
WORD = _chars("09", "AZ", "az", "_")
SPACE = _chars("\t\r", " ", "\xa0", "\u1680", "\u2000\u200a", "\u2028\u2029", "\u202f")
SPACE = union(SPACE, _chars("\u205f", "\u3000", "\ufeff"))
DOT = complement(_chars("\n", "\r", "\u2028\u2029"))
_CLASSES = {
    "d": DIGIT,
    "D": complement(DIGIT),
    "w": WORD,
    "W": complement(WORD),
    "s": SPACE,
    "S": complement(SPACE),
}
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}
ALWAYS, AT_START, AT_END = 0, 1, 2


@dataclass(slots=True)
class Automaton:
    """States by number: silent moves with their condition, and moves that read a character."""

    silent: list[list[tuple[int, int]]] = field(default_factory=list)
    reading: list[list[tuple[Characters, int]]] = field(default_factory=list)
    start: int = 0
    accept: int = 0

    def state(self) -> int:
        """Return a fresh state. Raises :class:`NotRegularError` when there are too many."""
        if len(self.silent) >= STATES_MAX:
            message = "the regular expression is too large"
            raise NotRegularError(message)
        self.silent.append([])
        self.reading.append([])
        return len(self.silent) - 1


def automaton(pattern: str) -> Automaton:
    """Return the automaton of all texts in which the expression finds a match."""
    if len(pattern) > LENGTH_MAX:
        message = "the regular expression is too long"
        raise NotRegularError(message)
    reader = _Reader(pattern)
    tree = reader.read()
    machine = Automaton()
    machine.start, machine.accept = machine.state(), machine.state()
    first, last = _build(machine, tree)
    anything: Characters = ((0, TOP),)
    machine.reading[machine.start].append((anything, machine.start))
    machine.reading[machine.accept].append((anything, machine.accept))
    machine.silent[machine.start].append((first, ALWAYS))
    machine.silent[last].append((machine.accept, ALWAYS))
    return machine


@dataclass(frozen=True, slots=True)
class _Tree:
    """One piece of an expression; ``kind`` is set, start, end, all, any or repeat."""

    kind: str
    parts: tuple[_Tree, ...] = ()
    characters: Characters = ()
    low: int = 0
    high: int | None = None


def _build(machine: Automaton, tree: _Tree) -> tuple[int, int]:
    first = machine.state()
    if tree.kind == "all":
        last = first
        for part in tree.parts:
            inner, last_inner = _build(machine, part)
            machine.silent[last].append((inner, ALWAYS))
            last = last_inner
        return first, last
    last = machine.state()
    if tree.kind == "set":
        machine.reading[first].append((tree.characters, last))
    elif tree.kind in {"start", "end"}:
        machine.silent[first].append((last, AT_START if tree.kind == "start" else AT_END))
    elif tree.kind == "any":
        for part in tree.parts:
            inner, end = _build(machine, part)
            machine.silent[first].append((inner, ALWAYS))
            machine.silent[end].append((last, ALWAYS))
    else:
        _repeat(machine, tree, first, last)
    return first, last


def _repeat(machine: Automaton, tree: _Tree, first: int, last: int) -> None:
    here = first
    for _ in range(tree.low):
        inner, end = _build(machine, tree.parts[0])
        machine.silent[here].append((inner, ALWAYS))
        here = end
    if tree.high is None:
        inner, end = _build(machine, tree.parts[0])
        machine.silent[here] += [(inner, ALWAYS), (last, ALWAYS)]
        machine.silent[end] += [(inner, ALWAYS), (last, ALWAYS)]
        return
    machine.silent[here].append((last, ALWAYS))
    for _ in range(tree.high - tree.low):
        inner, end = _build(machine, tree.parts[0])
        machine.silent[here].append((inner, ALWAYS))
        machine.silent[end].append((last, ALWAYS))
        here = end


class _Reader:
    """Reads one expression, left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self) -> _Tree:
        tree = self._alternatives()
        if self._at < len(self._text):
            self._refuse("a parenthesis that is not opened")
        return tree

    def _refuse(self, what: str) -> NoReturn:
        message = f"the regular expression has {what}"
        raise NotRegularError(message)

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _next(self) -> str:
        character = self._peek()
        if not character:
            self._refuse("no end")
        self._at += 1
        return character

    def _took(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _alternatives(self) -> _Tree:
        self._depth += 1
        if self._depth > 60:
            self._refuse("groups nested too deep")
        branches = [self._sequence()]
        while self._took("|"):
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else _Tree("any", tuple(branches))

    def _sequence(self) -> _Tree:
        parts = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._term())
        return _Tree("all", tuple(parts))

    def _term(self) -> _Tree:
        if self._took("^"):
            return _Tree("start")
        if self._took("$"):
            return _Tree("end")
        return self._quantified(self._atom())

    def _quantified(self, atom: _Tree) -> _Tree:
        bounds = self._bounds()
        if bounds is None:
            return atom
        self._took("?")
        if self._peek() in {"+", "*"} or self._bounds() is not None:
            self._refuse("two quantifiers in a row")
        low, high = bounds
        if high is not None and high < low:
            self._refuse("a range that ends before it starts")
        return _Tree("repeat", (atom,), low=low, high=high)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, low, high in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._took(sign):
                return low, high
        end = self._text.find("}", self._at)
        if self._peek() != "{" or end < 0:
            return None
        first, comma, second = self._text[self._at + 1 : end].partition(",")
        digits = first + second
        if not first or not (digits.isascii() and digits.isdigit()) or len(digits) > 8:
            return None
        self._at = end + 1
        if not comma:
            return int(first), int(first)
        return int(first), int(second) if second else None

    def _atom(self) -> _Tree:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return _Tree("set", characters=self._class())
        if character == ".":
            return _Tree("set", characters=DOT)
        if character == "\\":
            return _Tree("set", characters=self._escape())
        if character in "*+?":
            self._refuse("a quantifier with nothing before it")
        return _Tree("set", characters=_chars(character))

    def _group(self) -> _Tree:
        if self._took("?") and not self._took(":"):
            named = self._took("<") and self._peek() not in {"=", "!"}
            end = self._text.find(">", self._at)
            if not named or end < 0:
                self._refuse("a look-around or a flag")
            self._at = end + 1
        tree = self._alternatives()
        if not self._took(")"):
            self._refuse("a parenthesis that is not closed")
        return tree

    def _escape(self, *, inside: bool = False) -> Characters:
        character = self._next()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS and not (character == "0" and self._peek().isdigit()):
            return _chars(_CONTROLS[character])
        if inside and character == "b":
            return _chars("\b")
        if character in "xu":
            return self._coded(character)
        if character.isascii() and character.isalnum():
            self._refuse(f"the escape \\{character}")
        return _chars(character)

    def _coded(self, kind: str) -> Characters:
        if kind == "u" and self._took("{"):
            end = self._text.find("}", self._at)
            digits = self._text[self._at : end] if end >= 0 else ""
            self._at = end + 1
        else:
            size = 2 if kind == "x" else 4
            digits = self._text[self._at : self._at + size].ljust(size)
            self._at += size
        if not digits or any(d not in hexdigits for d in digits):
            self._refuse("a broken character code")
        code = int(digits, 16)
        if code > TOP or 0xD800 <= code <= 0xDFFF:
            self._refuse("a character code that is no character")
        return ((code, code),)

    def _class(self) -> Characters:
        negated = self._took("^")
        found: list[Characters] = []
        while not self._took("]"):
            low = self._member()
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in {"]", ""}:
                self._at += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1 or low[0][0] > high[0][1]:
                    self._refuse("a broken range of characters")
                low = ((low[0][0], high[0][1]),)
            found.append(low)
        whole = union(*found)
        return complement(whole) if negated else whole

    def _member(self) -> Characters:
        character = self._next()
        if character == "\\":
            return self._escape(inside=True)
        if character in "[&~" and self._peek() in {character, ":"}:
            self._refuse("an operation on character classes")
        return _chars(character)
