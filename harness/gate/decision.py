"""Judge every touched document: valid, loaded, compared, with the waivers that stand at head."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness.catalog import (
    Loaded,
    all_problems,
    load_contract,
    open_source,
    problem_finding,
)
from harness.gate.beside import in_git
from harness.gate.conclusion import left_aside, verdict_of
from harness.gate.documents import Document, documents_report, removed
from harness.gate.judging import Choices, Files, Judged, about, decided, files_beside, judge
from harness.gate.revisions import Change, Repository, TouchedDocument
from harness.model.contract import Contract
from harness.model.errors import DriftgateError, ExitCode
from harness.model.finding import Finding, NotChecked, Report, Verdict

if TYPE_CHECKING:
    from harness.consumers import Pact

_PACTS = re.compile(r"(^|/)contracts/consumers/.+\.json$")


@dataclass(frozen=True, slots=True)
class GateOptions:
    """``base`` and ``head`` are git revisions; ``progress`` is told each document's name.

    Pacts under ``contracts/consumers/`` of head join those of ``choices``. ``replay`` is the
    command that gives the same report again.
    """

    base: str
    choices: Choices
    head: str = "HEAD"
    progress: Callable[[str], None] = lambda _name: None
    replay: str | None = None


def gate(folder: Path, options: GateOptions) -> Report:
    """Return one report over all contract documents touched since ``head`` left ``base``.

    Documents, waivers, severities and pacts are read from git, so the state of the work tree does
    not matter. A document that does not load on either side is *not checked*. Raises
    ``UsageError`` for an unknown revision or a folder outside git, ``MetadataError`` for a waiver
    or a severity file with mistakes, ``OutsideWorld`` when git fails.
    """
    repository = Repository.around(folder)
    head = repository.commit(options.head)
    base = repository.merge_base(repository.commit(options.base), head)
    touched = repository.touched_documents(base, head)
    pacts = _pacts(repository, head) if touched else ()
    choices = replace(options.choices, pacts=(*options.choices.pacts, *pacts))
    judge_one = _Judge(repository, base, head, choices)
    documents = []
    for document in touched:
        options.progress(document.name)
        judged = judge_one(document)
        documents.append(Document(document.name, document.change.value, judged))
    return documents_report(
        "gate",
        f"Contract gate: {options.base} to {options.head}",
        documents,
        choices,
        headline=_headline(documents, choices),
        replay=options.replay or f"driftgate gate --base {options.base} --head {options.head}",
    )


def _pacts(repository: Repository, head: str) -> tuple[Pact, ...]:
    paths = [path for path in repository.files(head) if _PACTS.search(path)]
    if not paths:
        return ()
    from harness.gate.pacts import pact_from_bytes

    return tuple(pact_from_bytes(repository.read(head, path) or b"", path) for path in paths)


def _headline(documents: Sequence[Document], choices: Choices) -> str:
    if not documents:
        return "No contract document changed."
    findings = [f for d in documents for f in d.judged.findings]
    not_checked = [n for d in documents for n in d.judged.not_checked]
    words = {
        Verdict.BREAKING: "This change breaks somebody: do not merge it as it stands.",
        Verdict.NOT_CHECKED: "At least one document could not be checked: this is not a pass.",
        Verdict.UNPROVEN: "Nothing is proved broken, but not everything is proved safe.",
        Verdict.COMPATIBLE: "Every touched document stays compatible.",
    }
    first = words[verdict_of(findings, not_checked, choices.categories)]
    return " ".join([first, *left_aside(findings, choices.categories)])


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges one touched document after the other, between the same two commits."""

    repository: Repository
    base: str
    head: str
    choices: Choices

    def __call__(self, document: TouchedDocument) -> Judged:
        """Return what came of one document, its findings naming it."""
        shown = str(PurePosixPath(document.name).parent)
        beside = in_git(self.repository, self.head, document.name, shown=shown)
        files = files_beside((beside,), self.choices)
        return about(document.name, self._judged(document, files))

    def _judged(self, document: TouchedDocument, files: Files) -> Judged:
        if document.change is Change.REMOVED:
            gone = self._removed(document, files)
            return replace(self._decided((gone,), files), callers=gone.context.consumers)
        new = self._load(self.head, document.new or "")
        if isinstance(new, NotChecked):
            return Judged(not_checked=(new,), files=files)
        problems = all_problems(new)
        found = tuple(problem_finding(p, document.name) for p in problems)
        if document.old is None or not self.repository.holds(self.base, document.old):
            return self._decided(found, files)
        old = self._load(self.base, document.old)
        if isinstance(old, NotChecked):
            return replace(self._decided(found, files), not_checked=(old,))
        known = Counter((p.rule, p.pointer) for p in all_problems(old))
        fresh = tuple(
            f for f, p in zip(found, problems, strict=True) if (p.rule, p.pointer) not in known
        )
        return judge(old.contract, new.contract, self.choices, files, fresh)

    def _decided(self, findings: tuple[Finding, ...], files: Files) -> Judged:
        return Judged(decided(findings, self.choices, files), files=files)

    def _removed(self, document: TouchedDocument, files: Files) -> Finding:
        old = self._load(self.base, document.old or "")
        callers: tuple[str, ...] = ()
        if isinstance(old, Loaded):
            callers = self._callers(old.contract, files)
        return removed(document.name, document.old or "", callers)

    def _callers(self, contract: Contract, files: Files) -> tuple[str, ...]:
        if not self.choices.pacts:
            return ()
        from harness.gate.impact import usage

        return usage(self.choices.pacts, contract, files.others).consumers

    def _load(self, commit: str, path: str) -> Loaded | NotChecked:
        try:
            source = open_source(f"{commit}:{path}", cwd=self.repository.root)
            shown = PurePosixPath(path)
            folder = in_git(self.repository, commit, path, shown=str(shown.parent))
            overlays = folder.overlays(shown.name)
            return load_contract(replace(source, label=path), overlays=overlays)
        except DriftgateError as error:
            if error.exit_code is ExitCode.BUG:
                raise
            at = f"{error.location}: " if error.location else ""
            return NotChecked(f"{commit[:12]}:{path}", f"{at}{error.message}", error.remedy)
