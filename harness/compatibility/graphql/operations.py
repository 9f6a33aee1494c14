"""Operation documents and answers around one place: the smallest that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import graphql

from harness.compatibility.graphql.routes import Meeting, Route, Schemas, Step, list_levels
from harness.model.values import Json

_DEPTH_MAX = 32
_SAMPLES: dict[str, str] = {"Int": "1", "Float": "1.5", "Boolean": "true"}
_TYPENAME = "__typename"


class NoLiteral(Exception):
    """No value can be written for an input type: its required members never end."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes operations that the old schema accepts, and answers that the new one may give."""

    schemas: Schemas

    def literal(self, kind: graphql.GraphQLType, depth: int = 0) -> str:
        """Return the smallest literal of an input type; raises ``NoLiteral`` without one."""
        if depth > _DEPTH_MAX:
            raise NoLiteral
        named = kind.of_type if isinstance(kind, graphql.GraphQLNonNull) else kind
        if isinstance(named, graphql.GraphQLList):
            return "[]"
        if isinstance(named, graphql.GraphQLEnumType):
            other = self.schemas.new.type_map.get(named.name)
            common = set(named.values) & set(getattr(other, "values", ()))
            return str(min(common or named.values))
        if isinstance(named, graphql.GraphQLInputObjectType):
            return self.object_literal(named, depth=depth + 1)
        return _SAMPLES.get(getattr(named, "name", ""), '"a"')

    def object_literal(
        self,
        kind: graphql.GraphQLInputObjectType,
        given: Mapping[str, str] | None = None,
        *,
        without: str = "",
        depth: int = 0,
    ) -> str:
        """Return an object with the required members, those ``given``, and not ``without``."""
        members = dict(given or {})
        if kind.is_one_of and not members:
            name = min(kind.fields)
            members = {name: self.literal(kind.fields[name].type, depth)}
        other = getattr(self.schemas.new.type_map.get(kind.name), "fields", {})
        for name, found in kind.fields.items():
            needed = graphql.is_required_input_field(found) or (
                name in other and graphql.is_required_input_field(other[name])
            )
            if needed and name not in members and name != without and not kind.is_one_of:
                members[name] = self.literal(found.type, depth)
        inside = ", ".join(f"{name}: {members[name]}" for name in sorted(members))
        return f"{{{inside}}}"

    def listed(self, kind: graphql.GraphQLType, literal: str) -> str:
        """Return a literal within as many lists as a type has."""
        levels = list_levels(kind)
        return "[" * levels + literal + "]" * levels

    def call(
        self,
        owner: Meeting,
        name: str,
        given: Mapping[str, str] | None = None,
        *,
        without: str = "",
        selection: str | None = None,
        after: str = "",
    ) -> str:
        """Return the selection of a field with its required arguments and those ``given``.

        ``selection`` is what is selected of an object, its type's name otherwise; ``after`` stands
        between arguments and selection.
        """
        found = getattr(self.schemas.old.type_map[owner.old], "fields", {})[name]
        other = getattr(self.schemas.new.type_map.get(owner.new), "fields", {}).get(name)
        arguments = self.arguments(found.args, other.args if other else {}, given, without=without)
        text = f"{name}{arguments}{after}"
        named = graphql.get_named_type(found.type)
        if graphql.is_leaf_type(named):
            return text
        inner = selection or _TYPENAME
        if graphql.is_abstract_type(named) and not inner.startswith(_TYPENAME):
            inner = f"{_TYPENAME} {inner}"
        return f"{text} {{ {inner} }}"

    def arguments(
        self,
        old: Mapping[str, graphql.GraphQLArgument],
        new: Mapping[str, graphql.GraphQLArgument],
        given: Mapping[str, str] | None = None,
        *,
        without: str = "",
    ) -> str:
        """Return the required arguments and those ``given``, with their parentheses."""
        members = dict(given or {})
        for name, found in old.items():
            needed = graphql.is_required_argument(found) or (
                name in new and graphql.is_required_argument(new[name])
            )
            if needed and name not in members and name != without:
                members[name] = self.literal(found.type)
        inside = ", ".join(f"{name}: {members[name]}" for name in sorted(members))
        return f"({inside})" if inside else ""

    def document(self, route: Route, hole: str, *, variables: str = "", header: str = "") -> str:
        """Return the whole operation.

        ``hole`` stands at the end of the way: a selection in an object, a literal in an input
        object, nothing at a value. ``variables`` are declarations, ``header`` directives.
        """
        text = hole
        for step in reversed(route.steps):
            text = self._within(step, text)
        declared = f"({variables})" if variables else ""
        return f"{route.kind}{declared}{header} {{ {text} }}"

    def _within(self, step: Step, text: str) -> str:
        if step.kind == "on":
            return f"... on {step.name} {{ {text} }}"
        owner = self.schemas.old.type_map[step.owner.old]
        if step.kind == "field":
            return self.call(step.owner, step.name, selection=text)
        if isinstance(owner, graphql.GraphQLInputObjectType):
            literal = self.listed(owner.fields[step.name].type, text)
            return self.object_literal(owner, {step.name: literal})
        given = getattr(owner, "fields", {})[step.of].args[step.name]
        return self.call(step.owner, step.of, {step.name: self.listed(given.type, text)})

    def answer(self, route: Route, value: Json) -> Json:
        """Return the ``data`` of an answer to the operation on this way, ``value`` at its end."""
        for step in reversed(route.steps):
            if step.kind == "on":
                value = {**value, _TYPENAME: step.name}
                continue
            old, new = (
                getattr(t, "fields", {})[step.name].type for t in self.schemas.types(step.owner)
            )
            value = self._typed(graphql.get_named_type(old), graphql.get_named_type(new), value)
            for _ in range(list_levels(new)):
                value = [value]
            value = {step.name: value}
        return value

    def _typed(
        self, old: graphql.GraphQLNamedType, new: graphql.GraphQLNamedType, value: Json
    ) -> Json:
        """Name the type of an object wherever a type alone does not tell it."""
        if not isinstance(value, dict) or _TYPENAME in value or not graphql.is_abstract_type(old):
            return value
        after = self.schemas.possible(new.name, new=True)
        common = sorted(self.schemas.possible(old.name, new=False) & after)
        return {**value, _TYPENAME: (common or sorted(after) or [old.name])[0]}
