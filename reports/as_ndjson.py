"""NDJSON: one finding a line, for streams and log stores."""

from __future__ import annotations

import json

from harness.model.finding import Report


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return one JSON object a finding, then one for each thing that was not checked."""
    del colour, width
    lines = [json.dumps(f.to_json(), ensure_ascii=False) for f in report.findings]
    lines += [
        json.dumps({"verdict": "not_checked", **n.to_json()}, ensure_ascii=False)
        for n in report.not_checked
    ]
    return "".join(line + "\n" for line in lines)
