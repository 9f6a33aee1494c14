"""YAML text by the 1.2 core rules: no dates, ``on`` and ``no`` stay text, names are always text.

Values are built from libyaml's events, not by PyYAML's constructors: those recurse, follow the
YAML 1.1 rules and forget repeated names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.catalog.limits import Limits, too_deep, too_many_nodes
from harness.catalog.places import Place, packed_place
from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import Json, pointer

_CORE = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER_START = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Json] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_LONGEST_INTEGER = 4000  # digits; longer ones are refused by Python itself


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in the text that was read in the only sensible way, and should be known."""

    rule: str
    message: str
    pointer: str
    line: int
    column: int


@dataclass(slots=True)
class YamlDocument:
    """The value, what was noticed, and the place of everything."""

    value: Json = None
    notices: list[Notice] = field(default_factory=list)
    places: Place = field(default_factory=lambda: Place(packed_place(1, 1)))


@dataclass(slots=True)
class _Open:
    """A mapping or sequence being filled; sizes count values with aliases expanded."""

    value: Any
    place: Place
    anchor: str | None
    name: str | None = None
    merges: list[Json] = field(default_factory=list)
    size: int = 1
    height: int = 1


def read_yaml(text: str, label: str, limits: Limits) -> YamlDocument:
    """Return what one YAML document holds.

    Raises ``DocumentError`` with line and column for bad YAML, a second document, nesting or
    alias expansion beyond the limits, an alias inside its own anchor, and names that are not text.
    """
    builder = _Builder(label, limits)
    try:
        builder.take_all(_LOADER(text))
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, label) from error
    return builder.finish()


class _Builder:
    def __init__(self, label: str, limits: Limits) -> None:
        self._label = label
        self._limits = limits
        self._document = YamlDocument()
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Json, int, int]] = {}
        self._open_anchors: set[str] = set()
        self._documents = 0
        self._size = 0
        self._takers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event: self._begin({}, event),
            yaml.SequenceStartEvent: lambda event: self._begin([], event),
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._start,
        }

    def finish(self) -> YamlDocument:
        if not self._documents:
            msg = "the document is empty"
            raise DocumentError(
                msg,
                remedy="Name a file with content.",
                location=SourceLocation(self._label, 1, 1),
            )
        return self._document

    def take_all(self, loader: Any) -> None:
        """Take every event of a text; this is the inner loop of reading YAML."""
        next_event, takers = loader.get_event, self._takers
        try:
            while (event := next_event()) is not None:
                taker = takers.get(event.__class__)
                if taker is not None:
                    taker(event)
        finally:
            loader.dispose()

    def _start(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            msg = "a second YAML document begins here"
            raise DocumentError(
                msg, remedy="Keep one document per file.", location=self._place(event)
            )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        top = self._stack[-1] if self._stack else None
        if top and isinstance(top.value, dict) and top.name is None:
            if event.anchor:
                self._anchors[event.anchor] = (event.value, 1, 0)
            self._name(top, event)
            return
        value = self._resolve(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 0)
        self._put(value, event, size=1, height=0)

    def _name(self, top: _Open, event: yaml.ScalarEvent) -> None:
        name: str = event.value
        top.name = name
        merging = name == "<<" and event.implicit[0]
        if name in top.value and not merging:
            self._note(
                "duplicate-key",
                f"the name {name!r} stands twice in one object; the last one was read",
                event,
            )
        top.place.members[name] = packed_place(*_at(event))
        if merging:
            top.name = "<<"
            top.merges.append(None)  # the place the next value fills

    def _begin(self, value: Any, event: Any) -> None:
        if len(self._stack) >= self._limits.depth:
            raise too_deep(self._place(event), self._limits)
        self._refuse_as_name(event)
        self._count(1, event)
        if event.tag and not event.tag.startswith((f"{_CORE}map", f"{_CORE}seq")):
            self._note("unknown-yaml-tag", f"the tag {event.tag!r} was ignored", event)
        if event.anchor:
            self._open_anchors.add(event.anchor)
        self._stack.append(_Open(value, self._place_inside(event), event.anchor))

    def _end(self, event: yaml.Event) -> None:
        done = self._stack.pop()
        if done.merges:
            self._merge(done, event)
        if done.anchor:
            self._open_anchors.discard(done.anchor)
            self._anchors[done.anchor] = (done.value, done.size, done.height)
        self._put(done.value, event, size=done.size, height=done.height, known=True)

    def _alias(self, event: yaml.AliasEvent) -> None:
        top = self._stack[-1] if self._stack else None
        name = event.anchor
        if name in self._open_anchors or name not in self._anchors:
            unknown = "refers to itself" if name in self._open_anchors else "was never defined"
            msg = f"the YAML alias *{name} {unknown}"
            raise DocumentError(
                msg,
                remedy="Use a $ref for recursive structures.",
                location=self._place(event),
            )
        value, size, height = self._anchors[name]
        if top and isinstance(top.value, dict) and top.name is None:
            if not isinstance(value, str):
                self._refuse_as_name(event)
            top.name = value
            return
        if len(self._stack) + height > self._limits.depth:
            raise too_deep(self._place(event), self._limits)
        self._put(value, event, size=size, height=height)

    def _put(
        self, value: Json, event: yaml.Event, *, size: int, height: int, known: bool = False
    ) -> None:
        if not known:
            self._count(size, event)
        if not self._stack:
            self._document.value = value
            if not known:
                self._place_inside(event)
            return
        top = self._stack[-1]
        if not known and isinstance(top.value, list):
            top.place.elements.append(packed_place(*_at(event)))
        top.size += size
        top.height = max(top.height, height + 1)
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.merges and top.name == "<<" and top.merges[-1] is None:
            top.merges[-1] = value
            top.name = None
        else:
            top.value[top.name] = value
            top.name = None

    def _count(self, size: int, event: yaml.Event) -> None:
        self._size += size
        if self._size > self._limits.nodes:
            raise too_many_nodes(self._place(event), self._limits)

    def _merge(self, done: _Open, event: yaml.Event) -> None:
        """Apply ``<<``: YAML 1.1's merge is not in the core rules, but published files use it."""
        for merged in done.merges:
            parts = merged if isinstance(merged, list) else [merged]
            for part in parts:
                if not isinstance(part, dict):
                    self._note("unusable-merge", "'<<' merges objects only", event)
                    continue
                for name, value in part.items():
                    done.value.setdefault(name, value)

    def _resolve(self, event: yaml.ScalarEvent) -> Json:
        tag, text = event.tag, event.value
        plain = event.implicit[0]
        if tag and tag != "!":
            kind = tag.removeprefix(_CORE)
            if kind in {"int", "float", "bool", "null"}:
                plain = True
            elif kind != "str":
                self._note("unknown-yaml-tag", f"the tag {tag!r} was ignored", event)
        if not plain:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMBER_START:
            return text
        return self._number(text, event)

    def _number(self, text: str, event: yaml.ScalarEvent) -> Json:
        if _INTEGER.fullmatch(text) and len(text) < _LONGEST_INTEGER:
            return int(text)
        if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            value = float(text)
            if not math.isinf(value):
                return value
        elif text.lower().lstrip("+-") not in {".inf", ".nan"}:
            return text
        self._note(
            "not-a-json-value", f"{text[:40]} cannot be carried by JSON; kept as text", event
        )
        return text

    def _refuse_as_name(self, event: yaml.Event) -> None:
        top = self._stack[-1] if self._stack else None
        if top and isinstance(top.value, dict) and top.name is None:
            msg = "a name in an object must be text"
            raise DocumentError(
                msg,
                remedy="Write the key as a quoted string.",
                location=self._place(event),
            )

    def _place_inside(self, event: yaml.Event) -> Place:
        """Return the place of the object or array that begins: as a member, that of its name."""
        if not self._stack:
            self._document.places = place = Place(packed_place(*_at(event)))
            return place
        top = self._stack[-1]
        if isinstance(top.value, list):
            place = Place(packed_place(*_at(event)))
            top.place.elements.append(place)
            return place
        named = top.place.members[top.name or ""]
        place = top.place.members[top.name or ""] = Place(
            named if isinstance(named, int) else packed_place(*_at(event))
        )
        return place

    def _pointer(self) -> str:
        """Return the pointer of the value that is being read."""
        steps = (o.name or "" if isinstance(o.value, dict) else len(o.value) for o in self._stack)
        return pointer(*steps)

    def _note(self, rule: str, message: str, event: yaml.Event) -> None:
        line, column = _at(event)
        self._document.notices.append(Notice(rule, message, self._pointer(), line, column))

    def _place(self, event: yaml.Event) -> SourceLocation:
        return SourceLocation(self._label, *_at(event))


def _at(event: yaml.Event) -> tuple[int, int]:
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


def _syntax_error(error: yaml.YAMLError, text: str, label: str) -> DocumentError:
    detail, line, column = "unreadable", None, None
    if isinstance(error, yaml.MarkedYAMLError):
        detail = ", ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark or error.context_mark
        if mark:
            line, column = mark.line + 1, mark.column + 1
    elif isinstance(error, yaml.reader.ReaderError):
        before = text.encode("utf-8")[: error.position].decode("utf-8", "ignore")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        detail = "control characters are not allowed"
    remedy = "Correct the text there."
    if line and column and _character(text, line, column) == "\t":
        remedy = "Indent with spaces; YAML does not allow tabs there."
    return DocumentError(
        f"not valid YAML: {detail}", remedy=remedy, location=SourceLocation(label, line, column)
    )


def _character(text: str, line: int, column: int) -> str:
    """Return the character at a place; libyaml says which one it disliked only by its place."""
    lines = text.split("\n")
    return lines[line - 1][column - 1 : column] if line <= len(lines) else ""
