"""Judge every touched document: valid, loaded, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.catalog import (
    Loaded,
    all_problems,
    load_contract,
    open_source,
    problem_finding,
)
from harness.compatibility import compare
from harness.gate.revisions import Change, Repository, TouchedDocument
from harness.model.errors import DriftgateError, ExitCode
from harness.model.finding import (
    Category,
    Context,
    Finding,
    NotChecked,
    Proof,
    Report,
    Verdict,
    overall_verdict,
)
from harness.model.values import fingerprint


@dataclass(frozen=True, slots=True)
class GateOptions:
    """``base`` and ``head`` are git revisions; ``progress`` is told each document's name."""

    base: str
    head: str = "HEAD"
    progress: Callable[[str], None] = lambda _name: None


@dataclass(frozen=True, slots=True)
class _Judged:
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    operations: int = 0


def gate(folder: Path, options: GateOptions) -> Report:
    """Return one report over all contract documents touched since ``head`` left ``base``.

    Documents are read from git, so the state of the work tree does not matter. A document that
    does not load on either side is *not checked*. Raises ``UsageError`` for an unknown revision
    or a folder outside git, ``OutsideWorld`` when git fails.
    """
    repository = Repository.around(folder)
    head = repository.commit(options.head)
    base = repository.merge_base(repository.commit(options.base), head)
    touched = repository.touched_documents(base, head)
    findings: list[Finding] = []
    not_checked: list[NotChecked] = []
    operations = 0
    for document in touched:
        options.progress(document.name)
        judged = _judge(repository, document, base, head)
        findings += judged.findings
        not_checked += judged.not_checked
        operations += judged.operations
    verdict = overall_verdict(tuple(findings), tuple(not_checked))
    counts = Counter(f.verdict for f in findings)
    return Report(
        command="gate",
        title=f"Contract gate: {options.base} to {options.head}",
        headline=_headline(verdict, touched),
        verdict=verdict,
        findings=tuple(findings),
        not_checked=tuple(not_checked),
        summary={
            "documents": len(touched),
            "breaking": counts[Verdict.BREAKING],
            "unproven": counts[Verdict.UNPROVEN],
            "compatible": counts[Verdict.COMPATIBLE],
            "operations_compared": operations,
        },
        details={
            "documents": [
                {
                    "document": d.name,
                    "change": d.change.value,
                    "verdict": _verdict_of(d.name, findings, not_checked),
                }
                for d in touched
            ]
        }
        if touched
        else {},
        replay=f"driftgate gate --base {options.base} --head {options.head}",
    )


def _headline(verdict: Verdict, touched: tuple[TouchedDocument, ...]) -> str:
    if not touched:
        return "No contract document changed."
    words = {
        Verdict.BREAKING: "This change breaks somebody: do not merge it as it stands.",
        Verdict.NOT_CHECKED: "At least one document could not be checked: this is not a pass.",
        Verdict.UNPROVEN: "Nothing is proved broken, but not everything is proved safe.",
        Verdict.COMPATIBLE: "Every touched document stays compatible.",
    }
    return words[verdict]


def _verdict_of(name: str, findings: list[Finding], not_checked: list[NotChecked]) -> str:
    mine = tuple(f for f in findings if f.context.api == name)
    missing = tuple(n for n in not_checked if n.target.split(":", 1)[-1] == name)
    return overall_verdict(mine, missing).value.replace("_", " ")


def _judge(repository: Repository, document: TouchedDocument, base: str, head: str) -> _Judged:
    if document.change is Change.REMOVED:
        return _Judged((_removed(document),))
    new = _load(repository, head, document.new or "")
    if isinstance(new, NotChecked):
        return _Judged(not_checked=(new,))
    if document.old is None or not repository.holds(base, document.old):
        return _Judged(tuple(problem_finding(p, document.name) for p in all_problems(new)))
    old = _load(repository, base, document.old)
    if isinstance(old, NotChecked):
        problems = tuple(problem_finding(p, document.name) for p in all_problems(new))
        return _Judged(problems, (old,))
    known = Counter((p.rule, p.pointer) for p in all_problems(old))
    fresh = [p for p in all_problems(new) if (p.rule, p.pointer) not in known]
    report = compare(old.contract, new.contract)
    compared = tuple(
        replace(f, context=replace(f.context, api=document.name)) for f in report.findings
    )
    operations = report.summary.get("operations_compared", 0)
    return _Judged(
        (*(problem_finding(p, document.name) for p in fresh), *compared),
        report.not_checked,
        int(operations),
    )


def _load(repository: Repository, commit: str, path: str) -> Loaded | NotChecked:
    try:
        source = open_source(f"{commit}:{path}", cwd=repository.root)
        return load_contract(replace(source, label=path))
    except DriftgateError as error:
        if error.exit_code is ExitCode.BUG:
            raise
        return NotChecked(f"{commit[:12]}:{path}", error.message, error.remedy)


def _removed(document: TouchedDocument) -> Finding:
    return Finding(
        fingerprint=fingerprint("gate", "contract-removed", document.name),
        rule="contract-removed",
        category=Category.WIRE_REQUEST,
        verdict=Verdict.BREAKING,
        message=f"The contract {document.name} is gone, and every operation with it.",
        old=document.old,
        proof=Proof.STRUCTURE,
        context=Context(api=document.name),
    )
