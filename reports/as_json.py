"""JSON: the object of the design, for machines."""

from __future__ import annotations

import json

from harness.model.finding import Report


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return one JSON object, indented, keys in the order of the design."""
    del colour, width
    return json.dumps(report.to_json(), ensure_ascii=False, indent=2)
