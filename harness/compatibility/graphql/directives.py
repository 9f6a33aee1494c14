"""Directives that clients write into operations: ``@idempotent(key: ...)``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import graphql

from harness.compatibility.graphql.difference import Difference
from harness.compatibility.graphql.operations import Writer
from harness.compatibility.graphql.proofs import Ask
from harness.compatibility.graphql.requests import ARGUMENT, Given, Requests
from harness.compatibility.graphql.routes import Kind, Reach, Route
from harness.model.finding import Direction, Sides, Verdict
from harness.model.values import pointer

_TYPENAME = "__typename"
_OPERATIONS: dict[str, Kind] = {
    "QUERY": "query",
    "MUTATION": "mutation",
    "SUBSCRIPTION": "subscription",
}
_EXECUTABLE = (*_OPERATIONS, "FIELD", "INLINE_FRAGMENT")


class Directives:
    """Asks what became of the directives that may stand in operations."""

    def __init__(self, reach: Reach) -> None:
        """Compare the schemas of ``reach``."""
        self.schemas = reach.schemas
        self.routes = {k: Route(k) for kinds in reach.roots.values() for k in kinds}
        self.requests = Requests(reach.schemas)
        self.writer = Writer(reach.schemas)

    def differences(self) -> Iterator[Difference]:
        """Yield what old operations can no longer write."""
        for old in sorted(self.schemas.old.directives, key=lambda d: d.name):
            if not graphql.is_specified_directive(old):
                yield from self._of(old, self.schemas.new.get_directive(old.name))

    def _of(
        self, old: graphql.GraphQLDirective, new: graphql.GraphQLDirective | None
    ) -> Iterator[Difference]:
        before = _locations(old)
        after = _locations(new) if new else frozenset()
        at = pointer("directives", old.name)
        here = Difference(
            "request-directive-refused",
            Verdict.BREAKING,
            "",
            where=Sides(at, at if new else None),
            tail=f"@{old.name}",
            direction=Direction.REQUEST,
        )
        for location in (name for name in _EXECUTABLE if name in before - after):
            text = f"the directive @{old.name} is no longer accepted on {location}"
            written = f" @{old.name}{self.writer.arguments(old.args, {})}"
            route, ask = self._placed(location, written)
            yield replace(here, message=text, old=location, asks=ask, routes=route)
        if new is not None:
            yield from self._arguments(old, new, here, before & after)

    def _arguments(
        self,
        old: graphql.GraphQLDirective,
        new: graphql.GraphQLDirective,
        here: Difference,
        locations: frozenset[str],
    ) -> Iterator[Difference]:
        location = next((name for name in _EXECUTABLE if name in locations), "")
        if not location:
            return
        for name in sorted(old.args.keys() | new.args.keys()):

            def write(literal: str | None, name: str = name) -> str:
                given = {} if literal is None else {name: literal}
                shown = self.writer.arguments(old.args, new.args, given, without=name)
                return f" @{old.name}{shown}"

            at = pointer("args", name)
            where = Sides(
                f"{here.where.old}{at}" if name in old.args else here.where.old,
                f"{here.where.new}{at}" if name in new.args else here.where.new,
            )
            place = replace(here, where=where, tail=f"@{old.name}({name})")
            found = self.requests.given(
                Given(name, ARGUMENT, place, write), old.args.get(name), new.args.get(name)
            )
            for difference in found:
                yield self._routed(difference, location)

    def _routed(self, difference: Difference, location: str) -> Difference:
        """Put what stands behind the name of a directive where the directive may stand."""
        asks: list[Ask] = []
        routes: tuple[Route, ...] = ()
        for ask in difference.asks:
            routes, placed = self._placed(location, ask.hole)
            asks += [replace(p, variables=ask.variables) for p in placed]
        return replace(difference, asks=tuple(asks), routes=routes)

    def _placed(self, location: str, written: str) -> tuple[tuple[Route, ...], tuple[Ask, ...]]:
        kind = _OPERATIONS.get(location)
        route = self.routes.get(kind) if kind else next(iter(self.routes.values()), None)
        if route is None:
            return (), ()
        if kind:
            return (route,), (Ask(_TYPENAME, _TYPENAME, header=written),)
        if location == "FIELD":
            return (route,), (Ask(f"{_TYPENAME}{written}", _TYPENAME),)
        return (route,), (Ask(f"...{written} {{ {_TYPENAME} }}", _TYPENAME),)


def _locations(directive: graphql.GraphQLDirective) -> frozenset[str]:
    return frozenset(location.name for location in directive.locations)
