"""What a rule beside containment says of one place, before anybody asks where that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.model.finding import Verdict
from harness.model.values import Json


class Difference(NamedTuple):
    """One difference at one place.

    ``verdict`` is what the rule would say if somebody picked its category. ``keyword`` names the
    annotation that differs, so that the finding can point at where it stands.
    """

    rule: str
    verdict: Verdict
    message: str
    old: Json = None
    new: Json = None
    keyword: str = ""


Differences = Iterator[Difference]
Annotations = Mapping[str, Any]


def breaks(
    rule: str, message: str, *, old: Json = None, new: Json = None, keyword: str = ""
) -> Difference:
    """Return a difference that breaks what its category protects."""
    return Difference(rule, Verdict.BREAKING, message, old, new, keyword)


def notes(
    rule: str, message: str, *, old: Json = None, new: Json = None, keyword: str = ""
) -> Difference:
    """Return a difference that harms nobody."""
    return Difference(rule, Verdict.COMPATIBLE, message, old, new, keyword)


def leaves_open(rule: str, message: str, *, old: Json = None, new: Json = None) -> Difference:
    """Return a difference about which the documents do not say enough."""
    return Difference(rule, Verdict.UNPROVEN, message, old, new)


def differ(old: Json, new: Json) -> bool:
    """Say whether two JSON values differ; ``true`` is not 1, and 1.0 is 1."""
    if isinstance(old, bool) or isinstance(new, bool):
        return old is not new
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() != new.keys() or any(differ(old[k], new[k]) for k in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) != len(new) or any(differ(a, b) for a, b in zip(old, new, strict=True))
    return bool(old != new)
