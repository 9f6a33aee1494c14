"""Two folders of contracts: every API that both hold, one after the other, in one report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.errors import DocumentError, OutsideWorld
from harness.model.finding import NotChecked, Report

if TYPE_CHECKING:
    from harness.catalog import Source
    from harness.cli.pairs import Pairs
    from harness.gate.documents import Document


def compare_folders(
    old: str, new: str, before: dict[str, str], after: dict[str, str], pairs: Pairs
) -> Report:
    """Return one report over the documents of two folders, by their paths inside.

    A document that is gone is a finding, a new one is listed; one that does not load is *not
    checked* and leaves the others alone. Raises ``MetadataError`` for wrong files beside them.
    """
    from harness.gate.conclusion import headline
    from harness.gate.documents import documents_report

    documents = [
        _document(name, before.get(name), after.get(name), _place(new, name), pairs)
        for name in sorted({*before, *after})
    ]
    findings = [f for d in documents for f in d.judged.findings]
    unread = sum(len(d.judged.not_checked) for d in documents)
    first = f"{unread} of {len(documents)} documents could not be checked. " if unread else ""
    return documents_report(
        "diff",
        f"{old} against {new}",
        documents,
        pairs.choices,
        headline=first + headline(findings, pairs.choices.categories),
    )


def _place(folder: str, name: str) -> Source:
    """Return where a document stands, or would stand, in a folder or a git revision."""
    from harness.catalog import Source

    joined = f"{folder}{'' if folder.endswith((':', '/')) else '/'}{name}"
    on_disk = Path(folder).is_dir()
    return Source(joined, b"", (Path.cwd() / joined).resolve().parent if on_disk else None)


def _document(name: str, old: str | None, new: str | None, place: Source, pairs: Pairs) -> Document:
    from harness.gate.documents import Document
    from harness.gate.judging import Judged, about

    try:
        if new is None:
            gone = pairs.gone(name, old or "", place)
            return Document(name, "removed", about(name, gone))
        second = pairs.read(new, "new")
        if old is None:
            return Document(name, "added", Judged())
        first = pairs.read(old, "old")
    except (DocumentError, OutsideWorld) as error:
        at = f"{error.location}: " if error.location else ""
        change = "added" if old is None else "modified" if new else "removed"
        missing = NotChecked(name, f"{at}{error.message}.", error.remedy)
        return Document(name, change, Judged(not_checked=(missing,)))
    if first.source.text == second.source.text:
        # Waivers of a document that nobody touched are not this change's business, as in the gate;
        # a file it refers to may still have changed.
        untouched = replace(pairs, choices=replace(pairs.choices, use_accepted=False))
        judged = untouched.judged(first, second)
        if not judged.findings:
            return Document(name, "unchanged", judged)
    return Document(name, "modified", about(name, pairs.judged(first, second)))
