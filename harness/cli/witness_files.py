"""Witnesses as files: each one a request to run, and JSON to read, in a folder with an index."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.model.errors import UsageError
from harness.model.finding import Direction, Finding, Proof, Report, Verdict
from harness.model.values import Json

INDEX = "index.json"
_NAME_MAX = 120


def write_witnesses(report: Report, folder: Path) -> list[Path]:
    """Write every witness that has an exchange into ``folder``; return the files, index last.

    Each witness becomes ``<fingerprint>-<rule>.http``, ready to run in an editor or a REST
    client, and ``<fingerprint>-<rule>.json``. A body that the ``.http`` format could misread
    stands in a ``.body`` file beside them. ``index.json`` lists what this report has; files of
    earlier runs stay where they are. The same report gives the same bytes.

    Raises ``UsageError`` when the folder cannot be written.
    """
    contents = _contents(report)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = folder / name
            partial = folder / f".{name}.part"
            partial.write_bytes(content)
            partial.replace(path)
            written.append(path)
    except OSError as error:
        msg = f"Cannot write witnesses to {folder}: {error.strerror}."
        raise UsageError(msg, remedy="Choose another folder with --witness-dir.") from error
    return written


def _contents(report: Report) -> dict[str, bytes]:
    """Return all files by name before the first is written, so that a fault writes nothing."""
    from reports.http_file import http_file

    contents: dict[str, bytes] = {}
    entries = []
    taken: set[str] = set()
    for finding in report.findings:
        stem = _stem(finding, taken)
        made = http_file(finding, f"{stem}.body")
        if made is None:
            continue
        taken.add(stem.lower())
        files = {"http": f"{stem}.http", "json": f"{stem}.json"}
        contents[files["http"]] = made.text.encode()
        if made.body is not None:
            files["body"] = f"{stem}.body"
            contents[files["body"]] = made.body
        contents[files["json"]] = _json({**_facts(finding), "files": files})
        entries.append({**_entry(finding), "files": files})
    index = {"title": report.title, "verdict": report.verdict.value, "witnesses": entries}
    contents[INDEX] = _json(index)
    return contents


def _stem(finding: Finding, taken: set[str]) -> str:
    """Return a file name that any file system takes and no other witness has."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{finding.fingerprint}-{finding.rule}")
    stem = plain[:_NAME_MAX].strip("._") or "witness"
    number, name = 2, stem
    while name.lower() in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


def _entry(finding: Finding) -> dict[str, Any]:
    data = finding.to_json()
    names = ("fingerprint", "rule", "category", "verdict", "operations", "field", "message")
    return {name: data[name] for name in names}


def _facts(finding: Finding) -> dict[str, Any]:
    data = finding.to_json()
    witness = data["witness"]
    return {
        **_entry(finding),
        "direction": data["direction"],
        "pointer": data["pointer"],
        "places": data.get("places"),
        "proof": data["proof"],
        "sides": _sides(finding),
        "value": witness["value"],
        "exchange": witness["exchange"],
    }


def _sides(finding: Finding) -> dict[str, str] | None:
    """Return what each side makes of the exchange, ``None`` when the finding does not say."""
    if finding.verdict is not Verdict.BREAKING or finding.direction is None:
        return None
    request = finding.direction is Direction.REQUEST
    if finding.proof is Proof.WITNESS:
        old, new = ("valid", "invalid") if request else ("invalid", "valid")
    else:
        old, new = ("accepted", "refused") if request else ("expected", "not promised")
    return {"old": old, "new": new}


def _json(value: Json) -> bytes:
    from reports.spelling import dumped

    return (dumped(value, indent=2) + "\n").encode()
