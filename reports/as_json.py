"""JSON: the object of the design, for machines."""

from __future__ import annotations

from harness.model.finding import Report
from reports.spelling import dumped


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return one JSON object, indented, keys in the order of the design."""
    del colour, width
    return dumped(report.to_json(), indent=2)
