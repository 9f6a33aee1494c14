"""Questions to the search for values, asked in the terms of the walk."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compatibility.schemas.algebra import Algebra
from harness.compatibility.schemas.claims import READER, WRITER, Claim, Part, Place, Refusal, State
from harness.compatibility.schemas.inhabitants import Inhabitants
from harness.compatibility.schemas.sameness import Sameness
from harness.compatibility.schemas.shapes import Shape, as_list
from harness.compatibility.schemas.side import Node
from harness.model.values import Json

# Claims looked at for one question, and for all questions of one direction together.
QUESTION_STEPS = 1_500
TOTAL_STEPS = 200_000
CAUSES_MAX = 6
_WITH_NEIGHBOURS = {
    "minimum": ("minimum", "exclusiveMinimum"),
    "maximum": ("maximum", "exclusiveMaximum"),
    "closed-enum": ("enum", "const"),
    "items": ("items", "prefixItems", "unevaluatedItems"),
    "closed": ("additionalProperties", "patternProperties", "unevaluatedProperties", "properties"),
    "value": ("enum", "const"),
    "null": ("type",),
    "false": (),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """``holds`` is ``None`` when nobody knows; a refuted question comes with its ``value``."""

    holds: bool | None
    value: Json = None


_OPEN = Decision(None)
_YES = Decision(holds=True)


class Proofs:
    """Decides what the walk does not see through; a "no" comes with a value to be confirmed."""

    def __init__(self, algebra: Algebra, sameness: Sameness) -> None:
        """Ask about these two sides."""
        self._algebra = algebra
        self._search = Inhabitants(algebra, sameness)
        self._steps = TOTAL_STEPS
        self._impossible: dict[Node, str | None] = {}

    def whole(self, writer: Node, reader: Node) -> Decision:
        """Decide whether the reader takes everything of the writer."""
        if reader.choices:
            return _OPEN
        refused = [[Refusal(Place(READER, p))] for p in reader.pointers]
        return self._each(writer, reader, refused)

    def union(self, writer: Node, reader: Node, where: str, keyword: str) -> Decision:
        """Decide whether one union of the reader takes everything of the writer."""
        return self._each(writer, reader, [[Refusal(Place(READER, where), keyword)]])

    def keyword(self, writer: Node, reader: Node, shape: Shape, keyword: str) -> Decision:
        """Decide whether the writer keeps one keyword of the reader, wherever it stands."""
        names = _WITH_NEIGHBOURS.get(keyword, (keyword,))
        refused = [
            [Refusal(Place(READER, where), name)]
            for where, schema in shape.members
            for name in names
            if name in schema
        ]
        return self._each(writer, reader, refused) if refused else _OPEN

    def impossible(self, writer: Node) -> str | None:
        """Return why the writer surely can send nothing here; ``None`` when it can, or unknown."""
        if writer not in self._impossible:
            self._impossible[writer] = self._why_empty(writer, CAUSES_MAX)
        return self._impossible[writer]

    def _why_empty(self, writer: Node, depth: int) -> str | None:
        if not writer.pointers or not self._is_empty(writer):
            return None
        side = self._algebra.writer
        shape = side.shape(writer)
        for name in sorted(shape.required) if shape.types == {"object"} and depth else ():
            member = side.property_node(shape, name)
            if member is None:
                return f"the required property {name!r} is not allowed"
            inner = self._why_empty(member, depth - 1)
            if inner is not None:
                return f"the required property {name!r} has no value: {inner}"
        return "no value matches everything the schema says"

    def _is_empty(self, writer: Node) -> bool:
        refused = frozenset(self._siblings(writer))
        return self._ask(Claim(writer=writer, refused=refused)).holds is True

    def example(self, writer: Node, members: tuple[str, ...] = ()) -> Json:
        """Return a value of the writer, with these members. Raises :class:`LookupError`."""
        state = State(Claim(writer=writer), members=dict.fromkeys(members, Part()))
        if members:
            state.claim = Claim(writer=writer, kinds=frozenset({"object"}))
        found = self._search.answer(state)
        if not found.found:
            raise LookupError
        return found.value

    def _each(self, writer: Node, reader: Node, refused: list[list[Refusal]]) -> Decision:
        unsure = False
        siblings = self._siblings(writer)
        for refusals in refused:
            claim = Claim(writer=writer, refused=frozenset({*refusals, *siblings}))
            answer = self._ask(claim)
            if answer.holds is False:
                return answer
            unsure = unsure or answer.holds is not True
        return _OPEN if unsure else _YES

    def alone(self, writer: Node, value: Json) -> bool:
        """Say whether a value matches none of the branches that its oneOf did not choose."""
        return not any(self._matches(s, value) for s in self._siblings(writer))

    def _siblings(self, writer: Node) -> list[Refusal]:
        """Return the branches that a value of the chosen ones must not match as well."""
        found = []
        for choice in writer.choices:
            union = f"{choice.pointer}/{choice.keyword}"
            if choice.keyword == "oneOf" and choice.branch >= 0:
                branches = range(len(as_list(self._algebra.writer.at(union))))
                places = (Place(WRITER, f"{union}/{i}") for i in branches if i != choice.branch)
                found += [Refusal(p) for p in places]
        return found

    def _matches(self, refusal: Refusal, value: Json) -> bool:
        node = self._algebra.writer.node(refusal.place.pointer)
        plain = not isinstance(value, dict | list)
        test = self._algebra.written_test(node, scalar=plain)
        return test is None or test(value)

    def _ask(self, claim: Claim) -> Decision:
        if self._steps <= 0:
            return _OPEN
        found = self._search.find(claim, steps=min(QUESTION_STEPS, self._steps))
        self._steps -= self._search.spent
        if found.empty:
            return _YES
        sure = found.found and not found.doubtful
        return Decision(holds=False, value=found.value) if sure else _OPEN
