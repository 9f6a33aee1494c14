"""Answers claims whose values are listed: each value is tried with the validators."""

from __future__ import annotations

from collections.abc import Callable

from jsonschema_rs import Draft202012Validator

from harness.compatibility.schemas.algebra import Algebra, Test
from harness.compatibility.schemas.claims import READER, WRITER, Place, Refusal, State
from harness.compatibility.schemas.keywords import same_value, type_of
from harness.compatibility.schemas.matching import matches
from harness.compatibility.schemas.naming import Outcome
from harness.compatibility.schemas.side import Node, Side
from harness.model.values import Json

EMPTY = Outcome(empty=True)
UNKNOWN = Outcome()
# Keywords without schemas inside: they can be tested as they stand.
_PLAIN = frozenset(
    {"type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "pattern"}
    | {"minProperties", "maxProperties", "required", "format"}
)


class Listed:
    """Tries listed values against what holds and what is refused."""

    def __init__(self, algebra: Algebra, side: Callable[[int], Side]) -> None:
        """Use the validators of this algebra; ``side`` gives the open side of a document."""
        self._algebra = algebra
        self._side = side

    def answer(self, state: State, listed: list[Json]) -> Outcome:
        """Answer for values that are listed one by one."""
        claim = state.claim
        plain = all(not isinstance(v, dict | list) for v in listed)
        nodes = (claim.writer, claim.aside)
        holds = [self._algebra.written_test(n, scalar=plain) for n in nodes if n.pointers]
        if claim.reader.pointers:
            holds.append(self._algebra.reader_test(claim.reader, scalar=plain))
        refused = [self.node(r.place) for r in sorted(claim.refused)]
        fails = [self._of(r, scalar=plain) for r in sorted(claim.refused)]
        doubt = False
        for value in listed:
            if type_of(value) not in claim.kinds or same_value(value) in claim.excluded:
                continue
            if any(test is not None and not test(value) for test in holds):
                continue
            if isinstance(value, str) and not _spelled(state, value):
                continue
            if any(test is None for test in fails):
                doubt = True
            elif not any(test(value) for test in fails if test is not None):
                return Outcome(found=True, value=value)
            elif not all(self._readable(d, n, scalar=plain) for d, n in refused):
                doubt = True
        return UNKNOWN if doubt else EMPTY

    def _of(self, refusal: Refusal, *, scalar: bool) -> Test | None:
        """Return the test of a refused schema, or of the one keyword of it that is meant."""
        document, node = self.node(refusal.place)
        if not refusal.keyword:
            return self.whole(document, node, scalar=scalar)
        schema = self._side(document).at(refusal.place.pointer)
        if refusal.keyword in _PLAIN:
            return Draft202012Validator(
                {refusal.keyword: schema[refusal.keyword]}, validate_formats=True
            ).is_valid
        if refusal.keyword not in {"anyOf", "oneOf"}:
            return None
        where = f"{refusal.place.pointer}/{refusal.keyword}"
        places = (f"{where}/{i}" for i in range(len(schema[refusal.keyword])))
        side = self._side(document)
        tests = [self.whole(document, side.node(p), scalar=scalar) for p in places]
        if refusal.keyword == "anyOf":
            return lambda value: any(t is None or t(value) for t in tests)
        return lambda value: sum(t is None or t(value) for t in tests) == 1

    def whole(self, document: int, node: Node, *, scalar: bool) -> Test | None:
        """Return the test of a schema as its document says it."""
        if document == WRITER:
            return self._algebra.written_test(node, scalar=scalar)
        return self._algebra.reader_test(node, scalar=scalar)

    def node(self, place: Place) -> tuple[int, Node]:
        """Return the schema of a place as its document reads it."""
        return place.document, self._side(place.document).node(place.pointer)

    def _readable(self, document: int, node: Node, *, scalar: bool) -> bool:
        if document == READER:
            return self._algebra.reader_is_readable(node, scalar=scalar)
        return self._algebra.writer_is_readable(node, scalar=scalar)


def _spelled(state: State, text: str) -> bool:
    """Say whether a text keeps the patterns the state asks for beside its claim."""
    wrong = any(matches(p, text) for p in state.failing)
    return not wrong and all(matches(p, text) for p in state.matching)
