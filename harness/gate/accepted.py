"""Accepted differences: somebody answers for each by name, with a reason and a last day.

An entry that has expired, or that matches nothing any more, is itself a finding: a waiver nobody
looks after would one day cover something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from harness.catalog import metadata_schema
from harness.catalog.metadata import checked_metadata
from harness.catalog.parsing import positions
from harness.compatibility.rules import Rule
from harness.gate.rules import EXPIRED, UNMATCHED
from harness.model.contract import Problem
from harness.model.errors import SourceLocation
from harness.model.finding import Accepted, Finding, Places, Proof, Verdict
from harness.model.values import Json, fingerprint, pointer


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of trust; ``expires`` is the last day it holds."""

    fingerprint: str
    accepted: Accepted
    expires: date
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """The entries of one file; ``path`` is how the user knows it."""

    path: str
    entries: tuple[Entry, ...]


def read_accepted(data: bytes, path: str) -> AcceptedFile:
    """Return the entries of an ``accepted.yaml``.

    Raises ``MetadataError`` that lists every mistake with its line: a missing reason, a date that
    is none, a fingerprint that stands twice; ``DocumentError`` when it is not YAML at all.
    """
    value = checked_metadata(data, path, metadata_schema("accepted"), further=accepted_mistakes)
    places = positions(data, path)
    return AcceptedFile(
        path,
        tuple(
            _entry(one, SourceLocation(path, *places.at(pointer("differences", index))))
            for index, one in enumerate(value["differences"])
        ),
    )


def _entry(one: dict[str, Any], location: SourceLocation) -> Entry:
    return Entry(
        one["fingerprint"],
        Accepted(one["reason"], one["owner"], one["expires"]),
        date.fromisoformat(one["expires"]),
        location,
    )


def accepted_mistakes(value: Json) -> Iterator[Problem]:
    """Yield what the schema cannot say: a fingerprint that stands twice."""
    seen: set[str] = set()
    for index, one in enumerate(value["differences"]):
        mark = one["fingerprint"]
        if mark in seen:
            yield Problem(
                "duplicate-entry",
                f"the fingerprint {mark} stands twice; keep the entry that holds",
                pointer("differences", index, "fingerprint"),
                value=mark,
            )
        seen.add(mark)


def apply_accepted(
    findings: Iterable[Finding], accepted: AcceptedFile, today: date
) -> tuple[Finding, ...]:
    """Mark what is accepted, and add what is wrong with the entries, in the order of the file."""
    by_fingerprint = {e.fingerprint: e for e in accepted.entries}
    met: set[str] = set()
    result: list[Finding] = []
    for finding in findings:
        entry = by_fingerprint.get(finding.fingerprint)
        if entry is not None:
            met.add(entry.fingerprint)
            if today <= entry.expires:
                finding = replace(finding, accepted=entry.accepted)
        result.append(finding)
    for entry in accepted.entries:
        if entry.fingerprint not in met:
            result.append(_unmatched(entry))
        elif entry.expires < today:
            result.append(_expired(entry))
    return tuple(result)


def _unmatched(entry: Entry) -> Finding:
    return _finding(
        UNMATCHED,
        entry,
        f"The accepted difference {entry.fingerprint} matches nothing any more: it was corrected "
        "or is part of both versions now. Remove the entry.",
    )


def _expired(entry: Entry) -> Finding:
    return _finding(
        EXPIRED,
        entry,
        f"The accepted difference {entry.fingerprint} expired after {entry.accepted.expires}: "
        f"{entry.accepted.owner} corrects it, or accepts it again with a new day.",
    )


def _finding(rule: Rule, entry: Entry, message: str) -> Finding:
    return Finding(
        fingerprint=fingerprint(rule.id, entry.fingerprint),
        rule=rule.id,
        category=rule.category,
        verdict=Verdict.BREAKING,
        message=message,
        proof=Proof.STRUCTURE,
        reason=f"accepted because: {entry.accepted.reason}",
        places=Places(new=entry.location),
    )
