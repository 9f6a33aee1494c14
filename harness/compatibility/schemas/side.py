"""One side of a comparison: schemas by pointer, merged into shapes that show obligations.

A *node* is a conjunction of schemas named by pointer, with the branches already chosen for the
unions inside it. References are followed, never inlined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.catalog.references import UNRESOLVED
from harness.compatibility.keywords import (
    ALL_TYPES,
    OPAQUE,
    lone,
    named_types,
    reference,
    same_value,
    unquoted,
    vacuous,
    whole,
)
from harness.compatibility.numbers import Bound, tighter
from harness.model.values import Json, JsonObject, pointer, walk

UNIONS = ("anyOf", "oneOf")
INT32_LOW = Bound.of(-(2**31), exclusive=False)
INT32_HIGH = Bound.of(2**31 - 1, exclusive=False)


class Choice(NamedTuple):
    """A decided union: ``branch`` is -1 when the union is set aside."""

    pointer: str
    keyword: str
    branch: int


class Node(NamedTuple):
    """A conjunction of schemas; no pointers at all is the schema ``true``."""

    pointers: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()

    def choosing(self, where: str, keyword: str, branch: int) -> Node:
        """Return this node with one more union decided."""
        return Node(self.pointers, tuple(sorted({*self.choices, Choice(where, keyword, branch)})))


ANYTHING = Node()
_OPENING = frozenset({"additionalProperties", "unevaluatedProperties", "patternProperties"})
_IN_PLACE = ("allOf", "anyOf", "oneOf")


def choices_made(node: Node) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return the branches chosen in each union; several where an anyOf takes them together."""
    made: dict[tuple[str, str], tuple[int, ...]] = {}
    for choice in node.choices:
        key = (choice.pointer, choice.keyword)
        made[key] = (*made.get(key, ()), choice.branch)
    return made


@dataclass(frozen=True, slots=True)
class Union:
    """A union nobody has chosen from yet."""

    pointer: str
    keyword: str
    branches: int

    def branch(self, index: int) -> str:
        """Return the pointer of one branch."""
        return f"{self.pointer}/{self.keyword}/{index}"


@dataclass(frozen=True, slots=True)
class Opaque:
    """A keyword taken as a whole."""

    keyword: str
    pointer: str
    value: Json


@dataclass(slots=True)
class Shape:
    """Everything the members of a node say, merged; read-only once built."""

    members: list[tuple[str, JsonObject]] = field(default_factory=list)
    unions: list[Union] = field(default_factory=list)
    opaque: list[Opaque] = field(default_factory=list)
    types: frozenset[str] = ALL_TYPES
    enum: list[Json] | None = None
    never: bool = False
    low: Bound | None = None
    high: Bound | None = None
    multiples: tuple[Json, ...] = ()
    floors: dict[str, int] = field(default_factory=dict)  # minLength, minItems, minProperties
    ceilings: dict[str, int] = field(default_factory=dict)  # maxLength, maxItems, maxProperties
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    unique: bool = False
    required: frozenset[str] = frozenset()
    names: dict[str, None] = field(default_factory=dict)  # declared property names, in order
    silent: bool = True  # nobody spoke about additional properties
    loose: set[str] = field(default_factory=set)  # names that only a condition declares
    prefix: int = 0  # how many leading items are described one by one

    @property
    def empty(self) -> bool:
        """Say whether no value can match, as far as types and enums tell."""
        return self.never or not self.types or self.enum == []


class Side:
    """The schemas of one contract in one role.

    ``dropped`` names the flag of properties this direction cannot carry (``readOnly`` in
    requests). ``writer`` sides are closed unless ``closed`` is false.
    """

    def __init__(self, schemas: JsonObject, *, dropped: str, writer: bool, closed: bool) -> None:
        """Remember the document; everything else is computed on demand."""
        self.schemas = schemas
        self.dropped = dropped
        self.writer = writer
        self.closed = closed and writer
        self._found: dict[str, Json] = {}
        self._shapes: dict[Node, Shape] = {}
        self._targets: dict[str, str] = {}
        self._loops: dict[str, bool] = {}

    def at(self, where: str) -> Json:
        """Return the schema at a pointer; what nobody can know reads as ``None``.

        That is a reference that dangles, is refused or leads back to itself, and a schema the
        catalog could not read: nothing may be proved or refuted there.
        """
        if where not in self._found:
            try:
                tokens = [t.replace("~1", "/").replace("~0", "~") for t in where.split("/")[1:]]
                found = walk(self.schemas, tokens)
            except LookupError:
                found = None
            unreadable = isinstance(found, Mapping) and UNRESOLVED in found
            self._found[where] = None if unreadable else found
        return self._found[where]

    def target(self, where: str) -> str:
        """Follow references that stand alone, so that a renamed component is the same node."""
        if where not in self._targets:
            seen, here = {where}, where
            while True:
                following = reference(self.at(here))
                if (
                    following is None
                    or following in seen
                    or not lone(self.at(here))
                    or self.leads_back(here)
                ):
                    break
                seen.add(following)
                here = following
            self._targets[where] = here
        return self._targets[where]

    def node(self, *pointers: str | None) -> Node:
        """Return the conjunction of these schemas; ``None`` says nothing."""
        return Node(tuple(sorted({self.target(p) for p in pointers if p is not None})))

    def flagged(self, where: str) -> bool:
        """Say whether a property cannot travel in this direction."""
        seen: set[str] = set()
        todo = [where]
        while todo:
            here = todo.pop()
            schema = self.at(here)
            if here in seen or not isinstance(schema, Mapping):
                continue
            seen.add(here)
            if schema.get(self.dropped) is True:
                return True
            following = reference(schema)
            if following is not None:
                todo.append(following)
            if len(_list(schema.get("allOf"))) == 1:
                todo.append(f"{here}/allOf/0")
        return False

    def leads_back(self, where: str) -> bool:
        """Say whether a schema speaks of the same value by way of itself: it then means nothing."""
        if where not in self._loops:
            seen: set[str] = set()
            todo = [where]
            while todo:
                here = todo.pop()
                schema = self.at(here)
                if here in seen or not isinstance(schema, Mapping):
                    continue
                seen.add(here)
                following = reference(schema)
                todo += [] if following is None else [following]
                for keyword in _IN_PLACE:
                    count = len(_list(schema.get(keyword)))
                    todo += [f"{here}/{keyword}/{i}" for i in range(count)]
                if where in todo:
                    break
            self._loops[where] = where in todo
        return self._loops[where]

    def shape(self, node: Node) -> Shape:
        """Return what the node says, merged."""
        if node not in self._shapes:
            self._shapes[node] = self._merge(node)
        return self._shapes[node]

    def property_node(self, shape: Shape, name: str) -> Node | None:
        """Return the schema of a member name; ``None`` when no member of that name may appear."""
        found: list[str] = []
        for where, schema in shape.members:
            own = False
            declared = _object(schema.get("properties"))
            if name in declared:
                place = where + pointer("properties", name)
                if self.flagged(place):
                    return None if self.writer else ANYTHING
                found.append(place)
                own = True
            for pattern in _object(schema.get("patternProperties")):
                if _matches(pattern, name):
                    found.append(where + pointer("patternProperties", pattern))
                    own = True
            if not own and "additionalProperties" in schema:
                found.append(f"{where}/additionalProperties")
        known = name in shape.required or name in shape.loose
        if not found and self.closes(shape) and not known:
            return None
        return self._unless_false(found)

    def rest_node(self, shape: Shape) -> Node | None:
        """Return the schema of every undeclared name; ``None`` when there can be none."""
        if self.closes(shape):
            return None
        return self._unless_false(
            [f"{w}/additionalProperties" for w, s in shape.members if "additionalProperties" in s]
        )

    def patterns(self, shape: Shape) -> Iterator[tuple[str, str]]:
        """Yield where each pattern of names stands, and the pattern."""
        for where, schema in shape.members:
            for pattern in _object(schema.get("patternProperties")):
                yield where, pattern

    def pattern_node(self, shape: Shape, pattern: str) -> Node | None:
        """Return what holds for every name of a pattern; ``None`` when that is not one answer."""
        found: list[str] = []
        for where, schema in shape.members:
            own = _object(schema.get("patternProperties"))
            if own.keys() - {pattern}:
                return None
            if pattern in own:
                found.append(where + pointer("patternProperties", pattern))
            elif "additionalProperties" in schema:
                found.append(f"{where}/additionalProperties")
        return self._unless_false(found)

    def item_node(self, shape: Shape, index: int) -> Node | None:
        """Return the schema of one array place; ``None`` when it must stay empty."""
        found = []
        for where, schema in shape.members:
            prefix = _list(schema.get("prefixItems"))
            if index < len(prefix):
                found.append(f"{where}/prefixItems/{index}")
            elif "items" in schema:
                found.append(f"{where}/items")
        return self._unless_false(found)

    def closes(self, shape: Shape) -> bool:
        """Say whether this side sends no undeclared names here."""
        if not (self.closed and shape.silent and shape.names):
            return False
        # Names that stand only under a condition close nothing while it is not met.
        return not shape.loose or any(s.get("properties") for _, s in shape.members)

    def _unless_false(self, pointers: list[str]) -> Node | None:
        if any(self.at(p) is False for p in pointers):
            return None
        return self.node(*(p for p in pointers if self.at(p) is not True))

    def _merge(self, node: Node) -> Shape:
        shape = Shape()
        decided = choices_made(node)
        seen: set[str] = set()
        todo = list(node.pointers)
        while todo:
            where = todo.pop(0)
            if where in seen:
                continue
            seen.add(where)
            schema = self.at(where)
            if schema is False:
                shape.never = True
            elif schema is None:
                shape.opaque.append(Opaque("$ref", where, where))
            elif isinstance(schema, Mapping):
                todo.extend(self._parts(shape, where, schema, decided))
                _absorb(shape, where, schema)
                self._conditional(shape, where, schema)
        self._drop_flagged(shape)
        return shape

    def _conditional(self, shape: Shape, where: str, schema: JsonObject) -> None:
        """Note the names that stand under a condition: a closed writer may send them too."""
        todo = [f"{where}/{k}" for k in ("if", "then", "else") if k in schema]
        for name in _object(schema.get("dependentSchemas")):
            todo.append(where + pointer("dependentSchemas", name))
        seen: set[str] = set()
        while todo:
            here = todo.pop()
            inner = self.at(here)
            if here in seen or not isinstance(inner, Mapping):
                continue
            seen.add(here)
            names = _object(inner.get("properties"))
            shape.loose |= names.keys()
            shape.names.update(dict.fromkeys(names))
            if _OPENING & inner.keys():
                shape.silent = False
            following = reference(inner)
            todo += [] if following is None else [following]
            todo += [f"{here}/{k}" for k in ("if", "then", "else") if k in inner]
            todo += [
                here + pointer("dependentSchemas", n)
                for n in _object(inner.get("dependentSchemas"))
            ]
            todo += [f"{here}/{k}/{i}" for k in _IN_PLACE for i in range(len(_list(inner.get(k))))]

    def _parts(
        self,
        shape: Shape,
        where: str,
        schema: JsonObject,
        decided: Mapping[tuple[str, str], tuple[int, ...]],
    ) -> Iterator[str]:
        following = schema.get("$ref")
        if isinstance(following, str):
            if following.startswith("#"):
                yield unquoted(following[1:])
                if self.leads_back(unquoted(following[1:])):
                    shape.opaque.append(Opaque("$ref", where, following))
            else:
                shape.opaque.append(Opaque("$ref", where, following))
        for index in range(len(_list(schema.get("allOf")))):
            yield f"{where}/allOf/{index}"
        for keyword in UNIONS:
            branches = _list(schema.get(keyword))
            if not branches:
                continue
            chosen = decided.get((where, keyword))
            if chosen is None and len(branches) == 1:
                chosen = (0,)
            if chosen is None:
                shape.unions.append(Union(where, keyword, len(branches)))
                continue
            yield from (f"{where}/{keyword}/{branch}" for branch in chosen if branch >= 0)

    def _drop_flagged(self, shape: Shape) -> None:
        if not shape.required and not (self.writer and shape.names):
            return
        gone = {
            name
            for where, schema in shape.members
            for name in _object(schema.get("properties"))
            if self.flagged(where + pointer("properties", name))
        }
        shape.required -= gone
        if self.writer:
            for name in gone:
                shape.names.pop(name, None)


def _absorb(shape: Shape, where: str, schema: JsonObject) -> None:
    shape.members.append((where, schema))
    if "type" in schema:
        shape.types &= named_types(schema["type"])
    for values in ([schema["const"]] if "const" in schema else None, schema.get("enum")):
        if isinstance(values, list):
            shape.enum = _common(shape.enum, values)
    _absorb_numbers(shape, schema)
    _absorb_sizes(shape, schema)
    if isinstance(schema.get("pattern"), str):
        shape.patterns = _with(shape.patterns, schema["pattern"])
    if isinstance(schema.get("format"), str):
        shape.formats = _with(shape.formats, schema["format"])
    shape.unique = shape.unique or schema.get("uniqueItems") is True
    shape.required |= {r for r in _list(schema.get("required")) if isinstance(r, str)}
    shape.names.update(dict.fromkeys(_object(schema.get("properties"))))
    if {"additionalProperties", "unevaluatedProperties"} & schema.keys():
        shape.silent = False
    shape.prefix = max(shape.prefix, len(_list(schema.get("prefixItems"))))
    for keyword in OPAQUE:
        if keyword in schema and not vacuous(keyword, schema):
            shape.opaque.append(Opaque(keyword, f"{where}/{keyword}", whole(keyword, schema)))


def _absorb_sizes(shape: Shape, schema: JsonObject) -> None:
    for keyword in ("minLength", "minItems", "minProperties"):
        if isinstance(schema.get(keyword), int | float):
            shape.floors[keyword] = max(shape.floors.get(keyword, 0), int(schema[keyword]))
    for keyword in ("maxLength", "maxItems", "maxProperties"):
        if isinstance(schema.get(keyword), int | float):
            limit = int(schema[keyword])
            shape.ceilings[keyword] = min(shape.ceilings.get(keyword, limit), limit)


def _absorb_numbers(shape: Shape, schema: JsonObject) -> None:
    for keyword, is_low, exclusive in (
        ("minimum", True, False),
        ("exclusiveMinimum", True, True),
        ("maximum", False, False),
        ("exclusiveMaximum", False, True),
    ):
        value = schema.get(keyword)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        bound = Bound.of(value, exclusive=exclusive)
        if is_low:
            shape.low = tighter(shape.low, bound, low=True)
        else:
            shape.high = tighter(shape.high, bound, low=False)
    if schema.get("format") == "int32":
        shape.low = tighter(shape.low, INT32_LOW, low=True)
        shape.high = tighter(shape.high, INT32_HIGH, low=False)
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and not isinstance(step, bool) and step > 0:
        shape.multiples = _with(shape.multiples, step)


def _common(known: list[Json] | None, values: list[Json]) -> list[Json]:
    unique = list({same_value(v): v for v in values}.values())
    if known is None:
        return unique
    allowed = {same_value(v) for v in unique}
    return [v for v in known if same_value(v) in allowed]


def _with(known: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    return known if value in known else tuple(sorted((*known, value)))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
