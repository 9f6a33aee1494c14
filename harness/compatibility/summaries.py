"""Which failures are told: a cause rather than the summary above it, and no guess beneath one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from harness.compatibility.schemas.containment import Containment, Pair
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.pairs import Edge
from harness.model.finding import Finding, Verdict

Judged = tuple[list[tuple[Pair, Gap]], Finding]


def told_once(
    judged: list[Judged], containment: Containment, explored: Sequence[Pair], starts: Iterable[Pair]
) -> list[Finding]:
    """Leave out a summary that something beneath it explains, and guesses beneath a summary.

    ``judged`` holds each cause's sightings with its finding, ``explored`` the pairs that were
    looked at within the budget, ``starts`` where the questions begin.
    """
    edges = _Edges(containment, explored)
    firm = edges.reached(starts, soft=False)
    shown = {p for s, f in judged if f.verdict is Verdict.BREAKING for p, g in s if not g.summary}
    kept = []
    for sightings, finding in judged:
        pairs = dict.fromkeys(pair for pair, _ in sightings)
        if all(gap.summary for _, gap in sightings):
            beneath = edges.reached(edges.soft_targets(pairs), soft=True)
            if shown & beneath.keys():
                continue
        elif finding.verdict is Verdict.UNPROVEN and not pairs.keys() & firm.keys():
            continue
        kept.append(finding)
    return kept


class _Edges:
    """The questions a comparison went through, and what each of them led to."""

    def __init__(self, containment: Containment, explored: Sequence[Pair]) -> None:
        self._containment = containment
        self._explored = frozenset(explored)

    def _of(self, pair: Pair) -> tuple[Edge, ...]:
        return self._containment.expand(pair).edges if pair in self._explored else ()

    def soft_targets(self, pairs: Iterable[Pair]) -> list[Pair]:
        edges = (e for p in pairs for e in self._of(p))
        return list(dict.fromkeys(e.pair for e in edges if e.soft))

    def reached(self, starts: Iterable[Pair], *, soft: bool) -> Mapping[Pair, None]:
        """Return the pairs that these lead to, over firm edges alone unless ``soft``."""
        found = dict.fromkeys(starts)
        todo = deque(found)
        while todo:
            for edge in self._of(todo.popleft()):
                if (soft or not edge.soft) and edge.pair not in found:
                    found[edge.pair] = None
                    todo.append(edge.pair)
        return found
