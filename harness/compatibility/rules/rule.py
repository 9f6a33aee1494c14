"""What a rule is: a stable name for one kind of difference, and why somebody should care."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.finding import Category, Direction

# Categories whose findings are judged always; the others speak only when somebody picks them.
ALWAYS_JUDGED = frozenset({Category.WIRE_REQUEST, Category.WIRE_RESPONSE, Category.POLICY})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``why`` is one sentence for a person.

    ``mirror`` names the rule of the opposite change or the opposite direction; a sentence there
    (it ends with a full stop) says why there is none.
    """

    id: str
    why: str
    category: Category
    mirror: str = ""

    @property
    def direction(self) -> Direction | None:
        """Return the half of the exchange the rule is about, where it is about one."""
        side = self.id.partition("-")[0]
        if side in {"request", "response"}:
            return Direction(side)
        return {
            Category.WIRE_REQUEST: Direction.REQUEST,
            Category.WIRE_RESPONSE: Direction.RESPONSE,
        }.get(self.category)
