"""Lets graphql-core judge: does the old schema accept it, and what does the new one say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import graphql

from harness.compatibility.graphql.operations import NoLiteral, Writer
from harness.compatibility.graphql.routes import Route, Schemas
from harness.compatibility.rules.difference import differ
from harness.model.finding import Witness
from harness.model.values import Json

_ERRORS_MAX = 20


class Unjudged(Exception):
    """graphql-core cannot judge an operation: it is too deep, or a schema breaks the rules."""


@contextmanager
def _judging() -> Iterator[None]:
    try:
        yield
    except (graphql.GraphQLError, TypeError, RecursionError) as error:
        raise Unjudged from error


@dataclass(frozen=True, slots=True)
class Ask:
    """An operation to be refused by the new schema: what stands at the end of a way.

    ``baseline`` is the same without the difference; what the new schema has against that one is
    somebody else's fault. ``None`` when there is no such operation.
    """

    hole: str
    baseline: str | None = None
    variables: str = ""
    header: str = ""


@dataclass(frozen=True, slots=True)
class Tell:
    """An answer that the new schema gives and the old one cannot: selection and value."""

    hole: str
    value: Json


@dataclass
class Judge:
    """Confirms witnesses of one pair of schemas."""

    schemas: Schemas
    _errors: dict[tuple[bool, str], frozenset[str]] = field(default_factory=dict)

    def witness(
        self, route: Route, asks: tuple[Ask, ...], tells: tuple[Tell, ...]
    ) -> Witness | None:
        """Return the first witness on a way that graphql-core confirms."""
        try:
            return next(self._tried(Writer(self.schemas), route, asks, tells), None)
        except (NoLiteral, Unjudged):
            return None

    def _tried(
        self, writer: Writer, route: Route, asks: tuple[Ask, ...], tells: tuple[Tell, ...]
    ) -> Iterator[Witness]:
        for ask in asks:
            text = writer.document(route, ask.hole, variables=ask.variables, header=ask.header)
            usual = writer.document(route, ask.baseline) if ask.baseline is not None else ""
            if self._refused(text, usual):
                yield Witness(_call(text), _exchange(text))
        for tell in tells:
            text = writer.document(route, tell.hole)
            data = writer.answer(route, tell.value)
            if self._unreadable(text, data):
                answer = {
                    "status": 200,
                    "headers": {"Content-Type": "application/json"},
                    "body": {"data": data},
                }
                yield Witness({"data": data}, {**_exchange(text), "response": answer})

    def errors(self, text: str, *, new: bool) -> frozenset[str]:
        """Return what one schema has against an operation."""
        key = (new, text)
        if key not in self._errors:
            schema = self.schemas.new if new else self.schemas.old
            with _judging():
                found = graphql.validate(schema, graphql.parse(text), max_errors=_ERRORS_MAX)
            self._errors[key] = frozenset(e.message for e in found)
        return self._errors[key]

    def _refused(self, text: str, usual: str) -> bool:
        if self.errors(text, new=False):
            return False
        known = self.errors(usual, new=True) if usual else frozenset()
        return bool(self.errors(text, new=True) - known)

    def _unreadable(self, text: str, data: Json) -> bool:
        """Say whether the new schema gives the data as they stand, and the old one cannot."""
        if self.errors(text, new=False) or self.errors(text, new=True):
            return False
        document = graphql.parse(text)
        given = _completed(self.schemas.new, document, data)
        read = _completed(self.schemas.old, document, data)
        return given and not read


def _completed(schema: graphql.GraphQLSchema, document: graphql.DocumentNode, data: Json) -> bool:
    """Say whether a schema completes the data to exactly themselves."""
    with _judging():
        result = graphql.execute_sync(schema, document, data)
    return not result.errors and not differ(result.data, data)


def _call(text: str) -> Json:
    return {"query": text}


def _exchange(text: str) -> dict[str, Json]:
    return {
        "request": {
            "method": "POST",
            "target": "/graphql",
            "headers": {"Accept": "application/json", "Content-Type": "application/json"},
            "media_type": "application/json",
            "body": _call(text),
        }
    }
