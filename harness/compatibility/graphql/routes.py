"""Which types of two schemas meet, and on which ways operations reach them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import graphql

Kind = Literal["query", "mutation", "subscription"]
KINDS: tuple[Kind, ...] = ("query", "mutation", "subscription")


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two named types at the same place; ``asked`` says that clients write the value there."""

    asked: bool
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way: into a field, a fragment, an argument or a member of an input object.

    ``owner`` names the types that the field, argument or member belongs to; ``of`` names the field
    of an argument; ``shown`` is what a person reads, ``edges[]`` or ``<Order>``.
    """

    kind: Literal["field", "on", "argument", "member"]
    name: str
    owner: Meeting
    of: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A way from the start of an operation down to a type; ``fragments`` counts those on it."""

    kind: Kind
    steps: tuple[Step, ...] = ()
    fragments: int = 0


@dataclass
class Schemas:
    """Two schemas, and what is asked of both again and again."""

    old: graphql.GraphQLSchema
    new: graphql.GraphQLSchema
    _possible: dict[tuple[int, str], frozenset[str]] = field(default_factory=dict)

    def types(self, meeting: Meeting) -> tuple[graphql.GraphQLNamedType, graphql.GraphQLNamedType]:
        """Return the old and the new type of a meeting."""
        return self.old.type_map[meeting.old], self.new.type_map[meeting.new]

    def possible(self, name: str, *, new: bool) -> frozenset[str]:
        """Return the object types a value of this type may have; itself for an object."""
        key = (int(new), name)
        if key not in self._possible:
            schema = self.new if new else self.old
            found = schema.type_map.get(name)
            names: set[str] = set()
            if isinstance(found, graphql.GraphQLObjectType):
                names = {name}
            elif isinstance(found, graphql.GraphQLInterfaceType | graphql.GraphQLUnionType):
                names = {t.name for t in schema.get_possible_types(found)}
            self._possible[key] = frozenset(names)
        return self._possible[key]

    def root(self, kind: Kind) -> Meeting | None:
        """Return where operations of a kind start, ``None`` when one side has none."""
        old, new = (getattr(s, f"{kind}_type") for s in (self.old, self.new))
        return Meeting(asked=False, old=old.name, new=new.name) if old and new else None


def level(kind: object) -> str:
    """Return what a type is, as far as a place for it is concerned."""
    if isinstance(kind, graphql.GraphQLInputObjectType):
        return "input"
    return "leaf" if graphql.is_leaf_type(kind) else "composite"


def list_levels(kind: graphql.GraphQLType) -> int:
    """Return how many lists stand around the named type."""
    levels = 0
    while isinstance(kind, graphql.GraphQLWrappingType):
        levels += isinstance(kind, graphql.GraphQLList)
        kind = kind.of_type
    return levels


class Reach:
    """All meetings that operations reach, in the order of their distance."""

    def __init__(self, schemas: Schemas, *, steps_max: int) -> None:
        """Explore; ``steps_max`` bounds the meetings looked at."""
        self.schemas = schemas
        self.roots: dict[Meeting, list[Kind]] = {}
        self.spent = False
        self._routes: dict[Meeting, tuple[Route, ...]] = {}
        for kind in KINDS:
            start = schemas.root(kind)
            if start:
                self.roots.setdefault(start, []).append(kind)
        self._numbers: dict[Meeting, int] = {}
        self._parents: list[list[tuple[int, Step]]] = []
        self._behind: list[list[tuple[int, Step]]] = []  # parents by way of a fragment
        self.meetings = self._explore(steps_max)
        self._starts = {self._numbers[m]: kinds for m, kinds in self.roots.items()}

    def _explore(self, steps_max: int) -> tuple[Meeting, ...]:
        found: list[Meeting] = []
        for root in self.roots:
            self._number(root, found)
        for here in found:  # grows on the way
            for step, there in self._edges(here):
                if there not in self._numbers and len(found) >= steps_max:
                    self.spent = True
                    continue
                number = self._number(there, found)
                into = self._behind if step.kind == "on" else self._parents
                into[number].append((self._numbers[here], step))
        return tuple(found)

    def _number(self, meeting: Meeting, found: list[Meeting]) -> int:
        if meeting not in self._numbers:
            self._numbers[meeting] = len(found)
            self._parents.append([])
            self._behind.append([])
            found.append(meeting)
        return self._numbers[meeting]

    def _edges(self, here: Meeting) -> Iterator[tuple[Step, Meeting]]:
        old, new = self.schemas.types(here)
        before, after = (getattr(t, "fields", {}) for t in (old, new))
        for name in sorted(before.keys() & after.keys()):
            first, second = before[name], after[name]
            what: Literal["member", "field"] = "member" if here.asked else "field"
            there = _met(first.type, second.type, asked=here.asked)
            if there:
                yield Step(what, name, here, shown=f"{name}{brackets(first.type)}"), there
            if here.asked:
                continue
            for given in sorted(first.args.keys() & second.args.keys()):
                there = _met(first.args[given].type, second.args[given].type, asked=True)
                if there:
                    shown = f"{name}({given}{brackets(first.args[given].type)})"
                    yield Step("argument", given, here, of=name, shown=shown), there
        if not here.asked and graphql.is_abstract_type(old):
            common = self.schemas.possible(here.old, new=False)
            for name in sorted(common & self.schemas.possible(here.new, new=True)):
                step = Step("on", name, here, shown=f"<{name}>")
                yield step, Meeting(asked=False, old=name, new=name)

    def routes(self, meeting: Meeting) -> tuple[Route, ...]:
        """Return the best way of every operation that reaches a meeting, best first.

        A way without fragments is better than any with them, then a short one than a long one.
        """
        if meeting not in self._routes:
            self._routes[meeting] = tuple(self._ways(meeting))
        return self._routes[meeting]

    def _ways(self, meeting: Meeting) -> Iterator[Route]:
        """Search backwards, breadth first, fragments last; roots have the lowest numbers."""
        yield from (Route(kind) for kind in self.roots.get(meeting, ()))
        target, roots, parents = self._numbers[meeting], len(self.roots), self._parents
        onward: dict[int, tuple[int, Step]] = {}  # where to go from a meeting, and by which step
        seen = bytearray(len(parents))
        seen[target] = 1
        told: set[tuple[Kind, str]] = set()
        level_now, fragments = [target], 0
        while level_now:
            for here in level_now:  # grows on the way
                for parent, step in parents[here]:
                    if parent < roots:
                        for kind in self._starts[parent]:
                            operation = (kind, step.of or step.name)
                            if operation not in told:
                                told.add(operation)
                                yield Route(kind, (step, *_onward(onward, here, target)), fragments)
                    if not seen[parent]:
                        seen[parent] = 1
                        onward[parent] = (here, step)
                        level_now.append(parent)
            behind = ((p, h, s) for h in level_now for p, s in self._behind[h])
            level_now, fragments = [], fragments + 1
            for parent, here, step in list(behind):
                if not seen[parent]:
                    seen[parent] = 1
                    onward[parent] = (here, step)
                    level_now.append(parent)


def _onward(onward: dict[int, tuple[int, Step]], here: int, target: int) -> Iterator[Step]:
    while here != target:
        here, step = onward[here]
        yield step


def _met(old: graphql.GraphQLType, new: graphql.GraphQLType, *, asked: bool) -> Meeting | None:
    """Return the meeting behind two types; values and inputs of other names are other things."""
    first, second = graphql.get_named_type(old), graphql.get_named_type(new)
    same = first.name == second.name and type(first) is type(second)
    if same or level(first) == level(second) == "composite":
        return Meeting(asked, first.name, second.name)
    return None


def field_text(route: Route, tail: str = "") -> str:
    """Return the path a person reads: ``orders.edges[].node.status``, ``f(input).items[].sku``.

    A fragment shows as ``<Type>``.
    """
    text = "".join(s.shown if s.kind == "on" else f".{s.shown}" for s in route.steps)
    return f"{text}{tail}".removeprefix(".")


def brackets(kind: graphql.GraphQLType) -> str:
    """Return ``[]`` for each list around a type."""
    return "[]" * list_levels(kind)
