"""The part of OData that lists of Dynamics 365 are asked in: conditions, orders, members.

A condition is compiled once into a function over a record as it is shown; whatever is not
imitated is refused by name and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.model.instants import from_text, to_text
from harness.model.values import Json, JsonObject, resolve_pointer
from mocks.kit.simulator import RefusalKind, Refused

Condition = Callable[[Mapping[str, Any]], bool]

_LENGTH_MAX = 8000
_TOKENS_MAX = 600
_DEPTH_MAX = 40
_TOKEN = re.compile(
    r"""(?P<string>(?:[A-Za-z_][A-Za-z0-9_.]*)?'(?:[^']|'')*')
      | (?P<moment>\d{4}-\d{2}-\d{2}T[0-9:.]+(?:Z|[+-]\d{2}:\d{2}))
      | (?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})
      | (?P<date>\d{4}-\d{2}-\d{2})
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>[(),])""",
    re.VERBOSE,
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a is not None and a > b,
    "ge": lambda a, b: a is not None and a >= b,
    "lt": lambda a, b: a is not None and a < b,
    "le": lambda a, b: a is not None and a <= b,
}
_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part.lower() in text.lower(),
    "startswith": lambda text, part: text.lower().startswith(part.lower()),
    "endswith": lambda text, part: text.lower().endswith(part.lower()),
}
# Which literals each type of member may be compared with.
_LITERALS: Mapping[str, tuple[str, ...]] = {
    "text": ("string",),
    "number": ("number",),
    "boolean": ("boolean",),
    "guid": ("guid", "string"),
    "date": ("date",),
    "moment": ("moment", "date"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The plain members of one kind of record: their types, and which are always sent."""

    kinds: Mapping[str, str]
    required: tuple[str, ...]

    def kind(self, name: str, what: str) -> str:
        """Return the type of a member; raises ``Refused`` INVALID for an unknown one."""
        found = self.kinds.get(name)
        if found is None:
            msg = f"{what} names {name!r}, which is no member of this kind of record"
            raise wrong(msg)
        return found


def wrong(message: str) -> Refused:
    """Return the refusal of a query that cannot be read."""
    return Refused(RefusalKind.INVALID, message, code="BadRequest_InvalidRequestUri")


def members_of(document: Json, schema: str) -> Members:
    """Read the plain members of a schema of a contract, references followed."""
    entity = resolve_pointer(document, f"/components/schemas/{schema}")
    kinds: dict[str, str] = {}
    for name, value in entity["properties"].items():
        kind = _kind(document, value)
        if kind is not None and "@" not in name:
            kinds[name] = kind
    return Members(kinds, tuple(entity.get("required", ())))


def _kind(document: Json, schema: JsonObject) -> str | None:
    while "$ref" in schema:
        schema = resolve_pointer(document, str(schema["$ref"])[1:])
    named = {"date-time": "moment", "date": "date", "uuid": "guid"}
    if schema.get("type") == "string":
        return named.get(str(schema.get("format")), "text")
    plain = {"number": "number", "integer": "number", "boolean": "boolean"}
    return plain.get(str(schema.get("type")))


@lru_cache(maxsize=256)
def condition(text: str, members: Members) -> Condition:
    """Return the test a ``$filter`` asks for; raises ``Refused`` INVALID."""
    if len(text) > _LENGTH_MAX:
        msg = f"$filter has more than {_LENGTH_MAX} characters"
        raise wrong(msg)
    reader = _Reader(_tokens(text), members)
    found = reader.either(0)
    reader.end()
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        found = _TOKEN.match(text, position)
        if found is None:
            msg = f"$filter cannot be read at character {position + 1}"
            raise wrong(msg)
        tokens.append((str(found.lastgroup), found.group()))
        position = found.end()
        if len(tokens) > _TOKENS_MAX:
            msg = f"$filter has more than {_TOKENS_MAX} parts"
            raise wrong(msg)
    return tokens


class _Reader:
    """Reads a condition by recursive descent: or, and, not, comparison."""

    def __init__(self, tokens: list[tuple[str, str]], members: Members) -> None:
        self._tokens = tokens
        self._at = 0
        self._members = members

    def either(self, depth: int) -> Condition:
        if depth > _DEPTH_MAX:
            msg = f"$filter is nested deeper than {_DEPTH_MAX}"
            raise wrong(msg)
        first = self._both(depth)
        while self._takes("name", "or"):
            first = _any_of(first, self._both(depth))
        return first

    def end(self) -> None:
        if self._at < len(self._tokens):
            msg = f"$filter does not end before {self._tokens[self._at][1]!r}"
            raise wrong(msg)

    def _both(self, depth: int) -> Condition:
        first = self._one(depth)
        while self._takes("name", "and"):
            first = _all_of(first, self._one(depth))
        return first

    def _one(self, depth: int) -> Condition:
        if self._takes("name", "not"):
            if depth > _DEPTH_MAX:
                msg = f"$filter is nested deeper than {_DEPTH_MAX}"
                raise wrong(msg)
            inner = self._one(depth + 1)
            return lambda record: not inner(record)
        if self._takes("mark", "("):
            inner = self.either(depth + 1)
            self._needs("mark", ")")
            return inner
        name = self._needs("name")
        if name in _TEXT_TESTS and self._takes("mark", "("):
            return self._text_test(name)
        return self._comparison(name)

    def _text_test(self, name: str) -> Condition:
        member = self._needs("name")
        if self._members.kind(member, "$filter") != "text":
            msg = f"{name} looks into text, and {member} is none"
            raise wrong(msg)
        self._needs("mark", ",")
        part = _string(self._needs("string"))
        self._needs("mark", ")")
        test = _TEXT_TESTS[name]
        return lambda record: test(str(record.get(member) or ""), part)

    def _comparison(self, member: str) -> Condition:
        kind = self._members.kind(member, "$filter")
        word = self._needs("name")
        compare = _COMPARE.get(word)
        if compare is None:
            msg = f"the simulator imitates {', '.join(_COMPARE)}, not {word!r}"
            raise wrong(msg)
        value = self._literal(member, kind)
        if value is None and word not in ("eq", "ne"):
            msg = f"{word} cannot compare with null"
            raise wrong(msg)
        return lambda record: compare(record.get(member), value)

    def _literal(self, member: str, kind: str) -> Any:
        if self._at >= len(self._tokens):
            msg = "$filter ends too early"
            raise wrong(msg)
        found, text = self._tokens[self._at]
        self._at += 1
        if found == "name":
            if text == "null":
                return None
            found = "boolean" if text in ("true", "false") else found
        if found not in _LITERALS[kind]:
            msg = f"$filter compares {member}, which is a {kind}, with another type"
            raise wrong(msg)
        return _value(kind, found, text)

    def _takes(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == (kind, text):
            self._at += 1
            return True
        return False

    def _needs(self, kind: str, text: str | None = None) -> str:
        found = self._tokens[self._at] if self._at < len(self._tokens) else ("", "the end")
        if found[0] != kind or text not in (None, found[1]):
            msg = f"$filter has {found[1]!r} where {text or f'a {kind}'} must stand"
            raise wrong(msg)
        self._at += 1
        return found[1]


def _any_of(first: Condition, second: Condition) -> Condition:
    return lambda record: first(record) or second(record)


def _all_of(first: Condition, second: Condition) -> Condition:
    return lambda record: first(record) and second(record)


def _string(text: str) -> str:
    """Return what a string literal holds; the type before a choice's name says nothing more."""
    return text[text.index("'") + 1 : -1].replace("''", "'")


def _value(kind: str, found: str, text: str) -> Any:
    if found == "string":
        return _string(text).lower() if kind == "guid" else _string(text)
    if found == "number":
        return float(text)
    if found == "boolean":
        return text == "true"
    if kind == "guid":
        return text.lower()
    if kind == "date":
        return text
    try:
        return to_text(from_text(text if found == "moment" else f"{text}T00:00:00Z"))
    except (ValueError, OverflowError):
        msg = f"{text!r} is no moment"
        raise wrong(msg) from None


def ordering(text: str | None, members: Members) -> tuple[tuple[str, bool], ...]:
    """Read ``$orderby`` into (member, descending); raises ``Refused`` INVALID."""
    wanted: list[tuple[str, bool]] = []
    for part in (text or "").split(",") if text else ():
        words = part.split()
        if not words or len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
            msg = "$orderby must be members, each with asc or desc"
            raise wrong(msg)
        members.kind(words[0], "$orderby")
        wanted.append((words[0], words[1:] == ["desc"]))
    return tuple(wanted)


def order_key(record: Mapping[str, Any], wanted: tuple[tuple[str, bool], ...]) -> list[Any]:
    """Return what sorts a record; it is JSON, as it travels in the address of the next page."""
    return [_sortable(record.get(name), descending=down) for name, down in wanted]


def _sortable(value: Any, *, descending: bool) -> list[Any]:
    if value is None:
        return [1 if descending else 0]
    if isinstance(value, str):
        # Text cannot be negated, its characters can; the end mark sorts a prefix behind.
        turned: Any = [-ord(c) for c in value] + [1] if descending else value
    else:
        turned = -value if descending else value
    return [0 if descending else 1, turned]


def only(record: JsonObject, select: str | None, members: Members) -> JsonObject:
    """Return the members ``$select`` names, and those the contract always sends."""
    if not select:
        return record
    names = [name.strip() for name in select.split(",")]
    for name in names:
        members.kind(name, "$select")
    kept = {*names, *members.required}
    return {name: value for name, value in record.items() if name in kept or "@" in name}


def expanded(text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Read ``$expand``; raises ``Refused`` INVALID for a relation that is not imitated."""
    names = tuple(name.strip() for name in text.split(",")) if text else ()
    for name in names:
        if name not in known:
            imitated = ", ".join(known) or "none"
            msg = f"$expand of {name!r} is not imitated here; imitated: {imitated}"
            raise wrong(msg)
    return names


def page_size(prefer: str | None, most: int) -> int:
    """Return the page size ``Prefer: odata.maxpagesize`` asks for; raises ``Refused``."""
    for wish in (prefer or "").split(","):
        name, _, value = wish.strip().partition("=")
        if name.lower() not in ("odata.maxpagesize", "maxpagesize"):
            continue
        if not (value.isascii() and value.isdecimal() and 0 < len(value) < 10 and int(value)):
            msg = "odata.maxpagesize must be a whole number from 1"
            raise wrong(msg)
        if int(value) > most:
            msg = f"a page holds {most} entities at most"
            raise Refused(RefusalKind.TOO_LARGE, msg)
        return int(value)
    return most
