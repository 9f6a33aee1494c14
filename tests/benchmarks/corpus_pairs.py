"""A corpus on disk: pairs of documents with what is known about them beforehand.

A corpus folder holds ``checks/cases.json`` (small pairs with another tool's verdict) and
``drift/index.json`` (consecutive published states, with ``drift/labels.json`` beside it where
somebody judged by hand). Either half may be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any


@dataclass(frozen=True, slots=True)
class PairOfDocuments:
    """Two documents; ``group`` says what is expected of them."""

    name: str
    old: Path
    new: Path
    group: str
    subject: str = ""


def checks(corpus: Path) -> Iterator[PairOfDocuments]:
    """Yield the small pairs: ``breaking``, ``disputed``, ``harmless`` or ``unknown``."""
    listing = corpus / "checks" / "cases.json"
    if not listing.exists():
        return
    for case in json.loads(listing.read_text(encoding="utf-8"))["pairs"]:
        verdict = case["verdict"]
        if verdict == "breaking":
            group = "disputed" if case.get("dispute") else "breaking"
        else:
            group = "harmless" if verdict == "non-breaking" else "unknown"
        yield PairOfDocuments(
            case["pair"],
            listing.parent / case["base"],
            listing.parent / case["revision"],
            group,
            ", ".join(case.get("expected_ids", ())),
        )


def drift(corpus: Path) -> Iterator[PairOfDocuments]:
    """Yield the published pairs: ``clean``, ``unparseable`` or ``change``."""
    listing = corpus / "drift" / "index.json"
    if not listing.exists():
        return
    for entry in json.loads(listing.read_text(encoding="utf-8"))["pairs"]:
        clean = entry["group"] == "control-noop" or entry.get("wire_equivalent") is True
        broken = entry["group"] == "control-unparseable"
        folder = listing.parent / entry["dir"]
        yield PairOfDocuments(
            entry["id"],
            folder / entry["before_file"],
            folder / entry["after_file"],
            "unparseable" if broken else "clean" if clean else "change",
            str(entry.get("subject", ""))[:60],
        )


def labels(corpus: Path) -> list[Mapping[str, Json]]:
    """Return the rows judged by hand; none when the corpus has none."""
    listing = corpus / "drift" / "labels.json"
    if not listing.exists():
        return []
    found: list[Mapping[str, Json]] = json.loads(listing.read_text(encoding="utf-8"))["labels"]
    return found


def spoken_of(label: Mapping[str, Json], findings: list[Mapping[str, Json]]) -> list[str]:
    """Return the verdicts of the findings that speak of a labelled place, worst first.

    A finding speaks of it when it names the operation, the direction and the field; a data-loss
    finding counts as ``data-loss`` and not as its verdict.
    """
    found = {
        "data-loss" if f["category"] == "data-loss" else str(f["verdict"])
        for f in findings
        if _same_place(label, f)
    }
    order = ("breaking", "unproven", "data-loss", "compatible")
    return [word for word in order if word in found]


def _same_place(label: Mapping[str, Json], finding: Mapping[str, Json]) -> bool:
    location = label["location"]
    fields = {finding["field"]}
    if location.get("path") and location.get("method"):
        wanted = _positional(f"{location['method'].upper()} {location['path']}")
        if wanted not in {_positional(o) for o in finding["operations"]}:
            return False
        places = finding.get("occurrences", ())
        fields |= {o["field"] for o in places if _positional(o["operation"]) == wanted}
    direction = {"event": "response"}.get(label["direction"], label["direction"])
    if direction in {"request", "response"} and finding["direction"] not in {direction, None}:
        return False
    return any(_same_subject(label, finding, str(told)) for told in fields)


def _same_subject(label: Mapping[str, Json], finding: Mapping[str, Json], told: str) -> bool:
    location, kind = label["location"], str(label["kind"])
    field = str(location.get("field") or "")
    if kind.startswith("server"):
        return str(finding["rule"]).startswith("server")
    if "status" in kind:
        return told.lower() == f"status.{location.get('status')}".lower()
    if field.startswith("header:"):
        return told.lower() == f"header.{field.removeprefix('header:')}".lower()
    if field:
        return _plain(told) == _plain(field) or told.endswith(f".{field}")
    return kind in {str(finding["rule"]), f"{finding['direction']}-{finding['rule']}"}


def _plain(field: str) -> str:
    return field.replace("[]", "").lower()


def _positional(operation: str) -> str:
    return re.sub(r"\{[^{}]*\}", "{}", operation)
