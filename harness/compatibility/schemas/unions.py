"""Which branches of a closed writer's anyOf one value may match at once, mixing their members."""

from __future__ import annotations

from itertools import combinations, islice

from harness.compatibility.schemas import obligations
from harness.compatibility.schemas.shapes import Shape, Union
from harness.compatibility.schemas.side import Side

CASES_MAX = 64


def together(side: Side, union: Union) -> list[tuple[int, ...]]:
    """Return the groups of two and more branches; more than :data:`CASES_MAX` means too many."""
    nodes = [side.node(union.branch(i)) for i in range(union.branches)]
    shapes = [side.shape(n) for n in nodes]
    # Only a branch that describes members or items lets a closed writer send more.
    telling = [i for i, s in enumerate(shapes) if s.unions or _describes(s)]
    apart = {
        (i, j)
        for i, j in combinations(telling, 2)
        if nodes[i] == nodes[j] or obligations.never_both(side, shapes[i], side, shapes[j])
    }
    groups: list[tuple[int, ...]] = []
    for size in range(2, len(telling) + 1):
        found = [
            g
            for g in islice(combinations(telling, size), 20 * CASES_MAX)
            if not any(two in apart for two in combinations(g, 2))
        ]
        groups += found
        if not found or len(groups) > CASES_MAX:
            break
    return groups


def _describes(shape: Shape) -> bool:
    keywords = {"items", "prefixItems", "patternProperties", "additionalProperties"}
    return bool(shape.names) or any(keywords & schema.keys() for _, schema in shape.members)
