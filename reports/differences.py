"""What differs between two composite values, as a short list a person can read.

deepdiff finds the differences. It takes a tenth of a second to import, so it is asked only when
both sides are composite and too long to compare at a glance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.values import Json
from reports.spelling import dumped, short, visible

# Up to here both sides are read faster than a list of their differences.
_GLANCE = 60
# deepdiff's effort grows with the product of the sides; past this the list helps nobody anyway.
_NODES_MAX = 2_000
LISTED_MAX = 12


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs; ``old`` or ``new`` is empty where the place is absent."""

    path: str
    old: str
    new: str

    @property
    def sentence(self) -> str:
        """Return the difference as a person says it."""
        if not self.old:
            return f"{self.path}: added {self.new}"
        if not self.new:
            return f"{self.path}: removed {self.old}"
        return f"{self.path}: {self.old} → {self.new}"


def differences(old: Json, new: Json) -> list[Difference]:
    """Return the places in which two composite values differ, in the order of their paths.

    Empty when a side is not composite, when both are short enough to read, or when they are too
    large to be compared in a reasonable time.
    """
    if not (_composite(old) and _composite(new)) or _count(old) + _count(new) > _NODES_MAX:
        return []
    if max(len(dumped(old)), len(dumped(new))) <= _GLANCE:
        return []
    return _listed(old, new)


def _listed(old: Json, new: Json) -> list[Difference]:
    from deepdiff import DeepDiff

    tree = DeepDiff(old, new, view="tree")
    found = []
    for kind, levels in tree.items():
        for level in levels:
            if _same_number(level.t1, level.t2):
                continue
            tokens = level.path(output_format="list")
            gone, came = kind.endswith("_removed"), kind.endswith("_added")
            before = "" if came else short(level.t1, 60)
            after = "" if gone else short(level.t2, 60)
            order = [(isinstance(t, int), t if isinstance(t, int) else 0, str(t)) for t in tokens]
            found.append((order, Difference(_path(tokens), before, after)))
    found.sort(key=lambda entry: (entry[0], entry[1].old, entry[1].new))
    return [difference for _, difference in found]


def _same_number(old: Json, new: Json) -> bool:
    """Say whether only the spelling of a number differs: JSON has one kind of number."""
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    return numbers and not isinstance(old, bool) and not isinstance(new, bool) and old == new


def _path(tokens: list[str | int]) -> str:
    text = ""
    for token in tokens:
        if isinstance(token, int):
            text += f"[{token}]"
        else:
            text += f".{visible(str(token))}" if text else visible(str(token))
    return text or "(whole)"


def _composite(value: Json) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _count(value: Json) -> int:
    """Return the number of values inside, counting no further than the limit."""
    todo, seen = [value], 0
    while todo and seen <= _NODES_MAX:
        one = todo.pop()
        seen += 1
        if isinstance(one, Mapping):
            todo.extend(one.values())
        elif isinstance(one, list | tuple):
            todo.extend(one)
    return seen
