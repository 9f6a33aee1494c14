"""Where a filed document came from: ``source.yaml`` beside it, and the overlays filed with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.catalog.metadata import load_metadata, metadata_schema
from harness.catalog.sources import open_source

if TYPE_CHECKING:
    from harness.catalog.overlay import Overlay

SIDECAR = "source.yaml"
OVERLAYS = "overlays"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a document was taken from, when (RFC 3339), and what else was filed with it."""

    origin: str
    imported: str
    document: str
    text: bytes
    files: tuple[str, ...] = ()
    overlays: tuple[tuple[str, str, bytes], ...] = ()

    def to_yaml(self) -> str:
        """Return ``source.yaml``; JSON texts are YAML texts, so nothing needs quoting rules."""
        facts: dict[str, Any] = {
            "source": 1,
            "document": self.document,
            "from": self.origin,
            "imported": self.imported,
            "sha256": sha256(self.text).hexdigest(),
        }
        lines = [f"{name}: {json.dumps(value)}" for name, value in facts.items()]
        if self.files:
            lines += ["files:", *(f"  - {json.dumps(name)}" for name in self.files)]
        if self.overlays:
            lines.append("overlays:")
        for file, title, text in self.overlays:
            entry = {"file": f"{OVERLAYS}/{file}", "title": title}
            entry["sha256"] = sha256(text).hexdigest()
            lines.append(f"  - {json.dumps(entry)}")
        heading = "# Written by driftgate contract import; the document is as it was published."
        return "\n".join([heading, *lines]) + "\n"


def filed_overlays(folder: Path, *, shown: Callable[[str], str] = str) -> tuple[Overlay, ...]:
    """Return the overlays a version folder was filed with, in order; none without a sidecar.

    ``shown`` turns a path into the one reports show. Raises ``MetadataError`` for a sidecar or an
    overlay with mistakes.
    """
    sidecar = folder / SIDECAR
    if not sidecar.exists():
        return ()
    listed = load_metadata(sidecar, metadata_schema("source")).get("overlays", ())
    if not listed:
        return ()
    from harness.catalog.overlay import read_overlay

    opened = (open_source(folder / entry["file"]) for entry in listed)
    return tuple(read_overlay(replace(o, label=shown(o.label))) for o in opened)
