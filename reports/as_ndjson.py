"""NDJSON: one finding a line, for streams and log stores."""

from __future__ import annotations

from harness.model.finding import Report
from reports.spelling import dumped


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return one JSON object a finding, then one for each thing that was not checked."""
    del colour, width
    lines = [dumped(f.to_json()) for f in report.findings]
    lines += [dumped({"verdict": "not_checked", **n.to_json()}) for n in report.not_checked]
    return "".join(line + "\n" for line in lines)
