"""Mistakes in our own files that only the gate can see: it knows the rules they name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.catalog import metadata_schema
from harness.catalog.metadata import Further, metadata_problems
from harness.gate.accepted import accepted_mistakes
from harness.gate.severity import severity_mistakes
from harness.model.contract import Problem
from harness.model.values import Json


def _none(_value: Json) -> Iterable[Problem]:
    return ()


_FURTHER: dict[str, Further] = {"accepted": accepted_mistakes, "severity": severity_mistakes}


def problems_of(kind: str, path: Path) -> tuple[Problem, ...]:
    """Return every mistake in a metadata file of a kind, each with its place.

    Beyond the schema of the kind it knows fingerprints that stand twice and rules nobody knows.
    Raises like :func:`harness.catalog.metadata_problems`.
    """
    return metadata_problems(path, metadata_schema(kind), further=_FURTHER.get(kind, _none))
