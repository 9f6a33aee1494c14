"""Which answers of two contracts speak for the same status.

An exact status wins over its range, a range over ``default``. Every status is looked up on both
sides, one representative for each class that ranges or ``default`` speak for. Policy: once a
contract names a success, its ``default`` speaks for failures only; clients read it so, and a
removed 200 is not hidden by a catch-all for errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.contract import Response

CLASSES = "24531"  # in the order in which a representative is shown


@dataclass(frozen=True, slots=True)
class Meeting:
    """A status that both contracts describe, and their entries for it."""

    status: int
    old: Response
    new: Response


class Answering:
    """The answers of one operation, asked by status."""

    def __init__(self, responses: tuple[Response, ...]) -> None:
        """Take the entries as written."""
        self.entries: Mapping[str, Response] = {r.status.upper(): r for r in responses}
        self._default = self.entries.get("DEFAULT")
        self.names_success = any(s.startswith("2") for s in self.entries)

    def at(self, status: int) -> Response | None:
        """Return the entry that speaks for a status."""
        found = self.entries.get(str(status)) or self.entries.get(f"{str(status)[0]}XX")
        if found is None and not (200 <= status < 300 and self.names_success):
            found = self._default
        return found

    def is_success(self, response: Response) -> bool:
        """Say whether clients wait for an entry: a 2xx, or what stands in its place."""
        status = response.status.upper()
        if self.names_success:
            return status.startswith("2")
        return status == "DEFAULT" or status.startswith("3")


def meetings(old: Answering, new: Answering) -> list[Meeting]:
    """Return every pair of entries that speaks for a common status, once, by status."""
    # By identity: two statuses may share one component, and then one pointer.
    found: dict[tuple[int, int], Meeting] = {}
    for status in _representatives(old, new):
        mine, theirs = old.at(status), new.at(status)
        if mine is not None and theirs is not None:
            found.setdefault((id(mine), id(theirs)), Meeting(status, mine, theirs))
    return list(found.values())


def number_for(response: Response, answering: Answering) -> int:
    """Return a status that an entry speaks for: the first free one of a range or default."""
    status = response.status.upper()
    if status.isdigit():
        return int(status)
    classes = status[0] if status.endswith("XX") else CLASSES
    for kind in classes:
        for candidate in range(int(kind) * 100, int(kind) * 100 + 100):
            if answering.at(candidate) is response:
                return candidate
    return 500


def _representatives(old: Answering, new: Answering) -> list[int]:
    exact = {int(s) for a in (old, new) for s in a.entries if s.isdigit() and len(s) == 3}
    spread = any(not s.isdigit() for a in (old, new) for s in a.entries)
    if spread:
        for kind in CLASSES:
            base = int(kind) * 100
            exact.add(next(c for c in range(base, base + 100) if c not in exact))
    return sorted(exact, key=lambda status: (CLASSES.find(str(status)[0]), status))
