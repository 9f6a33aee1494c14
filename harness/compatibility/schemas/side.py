"""One side of a comparison: schemas by pointer, merged into shapes that show obligations.

A *node* is a conjunction of schemas named by pointer, with the branches already chosen for the
unions inside it. References are followed, never inlined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from harness.catalog.references import UNRESOLVED
from harness.compatibility.schemas.keywords import lone, reference, unquoted
from harness.compatibility.schemas.matching import matches
from harness.compatibility.schemas.shapes import (
    Opaque,
    Shape,
    Union,
    absorb,
    as_list,
    as_object,
)
from harness.model.values import Json, JsonObject, pointer, walk

UNIONS = ("anyOf", "oneOf")


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
            if len(as_list(schema.get("allOf"))) == 1:
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
                    count = len(as_list(schema.get(keyword)))
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
            declared = as_object(schema.get("properties"))
            if name in declared:
                place = where + pointer("properties", name)
                if self.flagged(place):
                    return None if self.writer else ANYTHING
                found.append(place)
                own = True
            for pattern in as_object(schema.get("patternProperties")):
                if matches(pattern, name):
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
            for pattern in as_object(schema.get("patternProperties")):
                yield where, pattern

    def pattern_node(self, shape: Shape, pattern: str) -> Node | None:
        """Return what holds for every name of a pattern; ``None`` when that is not one answer."""
        found: list[str] = []
        for where, schema in shape.members:
            own = as_object(schema.get("patternProperties"))
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
            prefix = as_list(schema.get("prefixItems"))
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
                absorb(shape, where, schema)
                self._conditional(shape, where, schema)
        self._drop_flagged(shape)
        return shape

    def _conditional(self, shape: Shape, where: str, schema: JsonObject) -> None:
        """Note the names that stand under a condition: a closed writer may send them too."""
        todo = [f"{where}/{k}" for k in ("if", "then", "else") if k in schema]
        for name in as_object(schema.get("dependentSchemas")):
            todo.append(where + pointer("dependentSchemas", name))
        seen: set[str] = set()
        while todo:
            here = todo.pop()
            inner = self.at(here)
            if here in seen or not isinstance(inner, Mapping):
                continue
            seen.add(here)
            names = as_object(inner.get("properties"))
            shape.loose |= names.keys()
            shape.names.update(dict.fromkeys(names))
            if _OPENING & inner.keys():
                shape.silent = False
            following = reference(inner)
            todo += [] if following is None else [following]
            todo += [f"{here}/{k}" for k in ("if", "then", "else") if k in inner]
            todo += [
                here + pointer("dependentSchemas", n)
                for n in as_object(inner.get("dependentSchemas"))
            ]
            for k in _IN_PLACE:
                todo += [f"{here}/{k}/{i}" for i in range(len(as_list(inner.get(k))))]

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
        for index in range(len(as_list(schema.get("allOf")))):
            yield f"{where}/allOf/{index}"
        for keyword in UNIONS:
            branches = as_list(schema.get(keyword))
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
            for name in as_object(schema.get("properties"))
            if self.flagged(where + pointer("properties", name))
        }
        shape.required -= gone
        if self.writer:
            for name in gone:
                shape.names.pop(name, None)
