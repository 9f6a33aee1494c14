"""What the old contract itself excuses: changes that its readers were told to expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.compatibility.rules.lifecycle import tolerated, unstable_operations
from harness.compatibility.rules.open_enums import DECLARED_OPEN, declared_open
from harness.compatibility.rules.schema_views import Views
from harness.model.contract import Contract
from harness.model.finding import Finding, Proof, Verdict

# What an open list lets an answer hold; a list says nothing of the kind to those who ask.
_OPENED = frozenset({"response-enum-value-added", "response-enum-dropped"})


def excused(findings: Iterable[Finding], old: Contract) -> Iterator[Finding]:
    """Yield the findings; one that the old contract announced is compatible, with the reason.

    That is a change of operations that it calls draft or alpha, and a value that is new in an
    answer where it declared the list open.
    """
    yield from tolerated(_opened(findings, old), unstable_operations(old))


def _opened(findings: Iterable[Finding], old: Contract) -> Iterator[Finding]:
    views = Views(old)
    for finding in findings:
        where = finding.pointer.old
        if (
            finding.rule in _OPENED
            and finding.verdict is not Verdict.COMPATIBLE
            and where is not None
            and declared_open(views.view((where,)).words)
        ):
            finding = replace(
                finding,
                verdict=Verdict.COMPATIBLE,
                proof=Proof.NONE,
                witness=None,
                reason=DECLARED_OPEN,
            )
        yield finding
