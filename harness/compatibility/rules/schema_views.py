"""One value's schema as a person reads it: references followed, ``allOf`` taken together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.compatibility.schemas.keywords import is_annotation, reference
from harness.model.contract import Contract
from harness.model.values import Json, pointer, walk

PARTS_MAX = 200
Pointers = tuple[str, ...]


class View:
    """All schemas that speak of one value, the outermost first."""

    def __init__(self, head: str, parts: list[tuple[str, Mapping[str, Any]]], views: Views) -> None:
        """Take the parts in order of reading; an outer word wins over an inner one."""
        self.head = head
        self.parts = parts
        self._views = views
        self.words: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        for where, schema in parts:
            for keyword, value in schema.items():
                if keyword not in self.words:
                    self.words[keyword] = value
                    self.origins[keyword] = where

    def origin(self, keyword: str) -> str:
        """Return the pointer of the schema that says a keyword; the head when none does."""
        return self.origins.get(keyword, self.head)

    @property
    def names(self) -> dict[str, Pointers]:
        """Return where each property is declared, by name."""
        found: dict[str, Pointers] = {}
        for where, schema in self.parts:
            declared = schema.get("properties")
            for name in declared if isinstance(declared, Mapping) else ():
                place = where + pointer("properties", name)
                found[name] = (*found.get(name, ()), place)
        return found

    def member(self, name: str) -> View:
        """Return what is said of a declared property; raises ``KeyError`` for another name."""
        return self._views.view(self.names[name])

    @property
    def required(self) -> frozenset[str]:
        """Return the names that must be there."""
        return frozenset(
            name
            for _, schema in self.parts
            if isinstance(schema.get("required"), list)
            for name in schema["required"]
            if isinstance(name, str)
        )

    def below(self, keyword: str) -> Pointers:
        """Return where a keyword that holds one schema stands."""
        return tuple(f"{w}/{keyword}" for w, s in self.parts if isinstance(s.get(keyword), Mapping))

    @property
    def types(self) -> frozenset[str]:
        """Return the types that are named, those of a union's branches where the value has none."""
        own = _listed(self.words.get("type"))
        if own:
            return own
        inner = (self._views.view((b,)) for k in ("anyOf", "oneOf") for b in self.branches(k))
        return frozenset().union(*(_listed(view.words.get("type")) for view in inner))

    def branches(self, keyword: str) -> list[str]:
        """Return the branches of the first union of this keyword."""
        for where, schema in self.parts:
            listed = schema.get(keyword)
            if isinstance(listed, list) and listed:
                return [f"{where}/{keyword}/{i}" for i in range(len(listed))]
        return []


def _listed(value: Json) -> frozenset[str]:
    names = value if isinstance(value, list) else [value]
    return frozenset(n for n in names if isinstance(n, str))


class Views:
    """Reads the schemas of one contract; what was read is remembered."""

    def __init__(self, contract: Contract) -> None:
        """Take the contract; nothing is read yet."""
        self._schemas = contract.schemas
        self._nodes: dict[str, Json] = {}
        self._views: dict[Pointers, View] = {}

    def at(self, where: str) -> Json:
        """Return what stands at a pointer; ``None`` when nothing does."""
        if where not in self._nodes:
            try:
                tokens = [t.replace("~1", "/").replace("~0", "~") for t in where.split("/")[1:]]
                self._nodes[where] = walk(self._schemas, tokens)
            except (LookupError, ValueError):
                self._nodes[where] = None
        return self._nodes[where]

    def settled(self, where: str) -> str:
        """Follow references and wrappers that say nothing of their own."""
        seen = {where}
        while True:
            schema = self.at(where)
            if not isinstance(schema, Mapping) or len(schema) != 1:
                return where
            following = reference(schema)
            if following is None and isinstance(schema.get("allOf"), list):
                following = f"{where}/allOf/0" if len(schema["allOf"]) == 1 else None
            if following is None or following in seen:
                return where
            seen.add(following)
            where = following

    def view(self, pointers: Pointers) -> View:
        """Return what these schemas say of one value."""
        if pointers not in self._views:
            parts = [(w, s) for p in pointers for w, s in self._read(p)]
            self._views[pointers] = View(pointers[0], parts, self)
        return self._views[pointers]

    def _read(self, start: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        seen: set[str] = set()
        todo = [start]
        while todo and len(seen) < PARTS_MAX:
            where = todo.pop(0)
            schema = self.at(where)
            if where in seen or not isinstance(schema, Mapping):
                continue
            seen.add(where)
            yield where, schema
            todo += self._same_value(where, schema)

    def _same_value(self, where: str, schema: Mapping[str, Any]) -> Iterator[str]:
        following = reference(schema)
        if following is not None:
            yield following
        listed = schema.get("allOf")
        for index in range(len(listed) if isinstance(listed, list) else 0):
            yield f"{where}/allOf/{index}"
        for keyword in ("oneOf", "anyOf"):
            branches = schema.get(keyword)
            # A union of one thing and null is that thing: only its nullability is spelled so.
            telling = [
                i
                for i, b in enumerate(branches if isinstance(branches, list) else [])
                if not _null(b)
            ]
            if len(telling) == 1:
                yield f"{where}/{keyword}/{telling[0]}"


def _null(schema: Json) -> bool:
    if not isinstance(schema, Mapping):
        return False
    kept = {k: v for k, v in schema.items() if not is_annotation(k)}
    return kept in ({"type": "null"}, {"type": ["null"]}, {"const": None}, {"enum": [None]})
