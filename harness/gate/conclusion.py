"""From judged pairs to one report: what counts decides verdict and headline, the rest is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.gate.counting import DEFAULT_CATEGORIES, counts, uncounted
from harness.gate.judging import Choices, Judged
from harness.gate.rules import BACKWARDS, BUMP_TOO_SMALL, EXPIRED, REMOVED, RULES, UNMATCHED
from harness.model.finding import (
    Category,
    Finding,
    NotChecked,
    Report,
    Verdict,
    overall_verdict,
)
from harness.model.values import Json

_ANSWERS = (Verdict.BREAKING, Verdict.UNPROVEN, Verdict.COMPATIBLE)


def verdict_of(
    findings: Iterable[Finding],
    not_checked: Sequence[NotChecked],
    categories: frozenset[Category],
) -> Verdict:
    """Return the worst answer among what counts."""
    kept = tuple(f for f in findings if counts(f, categories))
    return overall_verdict(kept, tuple(not_checked))


def summary_of(
    findings: Sequence[Finding], categories: frozenset[Category], operations: int
) -> dict[str, Json]:
    """Return the counts; accepted and uncounted differences have their own, where there are any."""
    found = Counter(
        f.verdict
        for f in findings
        if counts(f, categories) or (f.accepted is None and f.verdict is Verdict.COMPATIBLE)
    )
    aside = {
        "accepted": sum(f.accepted is not None for f in findings),
        "not_counted": uncounted(findings, categories),
    }
    return {
        **{v.value: found[v] for v in _ANSWERS},
        **{name: number for name, number in aside.items() if number},
        "operations_compared": operations,
    }


def pair_report(judged: Judged, choices: Choices, *, replay: str | None = None) -> Report:
    """Return the report of ``driftgate diff`` on one pair."""
    return Report(
        command="diff",
        title=judged.title,
        verdict=verdict_of(judged.findings, judged.not_checked, choices.categories),
        findings=judged.findings,
        not_checked=judged.not_checked,
        headline=headline(judged.findings, choices.categories),
        summary=summary_of(judged.findings, choices.categories, judged.operations),
        details=details_of([judged], choices),
        replay=replay,
    )


def headline(findings: Sequence[Finding], categories: frozenset[Category]) -> str:
    """Return what a person must know first, then what was left aside."""
    counted = [f for f in findings if counts(f, categories)]
    own = Counter(f.rule for f in counted if f.verdict is Verdict.BREAKING)
    broken = sum(n for rule, n in own.items() if rule not in RULES or rule == REMOVED.id)
    unproven = sum(f.verdict is Verdict.UNPROVEN for f in counted)
    if broken:
        first = f"{broken} {'change breaks' if broken == 1 else 'changes break'} clients of the "
        first += "old contract."
    elif unproven:
        first = f"Nothing proved breaking; {unproven} left unproven."
    elif any(f.verdict is not Verdict.COMPATIBLE and not counts(f, categories) for f in findings):
        first = "Nothing that counts breaks clients of the old contract."
    else:
        first = "Clients of the old contract keep working."
    return " ".join([first, *_failures(own), *left_aside(findings, categories)])


def _failures(own: Mapping[str, int]) -> list[str]:
    texts = (
        (BUMP_TOO_SMALL.id, "The version rose too little.", "{} versions rose too little."),
        (BACKWARDS.id, "The version went back.", "{} versions went back."),
        (EXPIRED.id, "1 accepted difference has expired.", "{} accepted differences have expired."),
        (
            UNMATCHED.id,
            "1 accepted difference matches nothing any more.",
            "{} accepted differences match nothing any more.",
        ),
    )
    return [
        one if own[rule] == 1 else many.format(own[rule]) for rule, one, many in texts if own[rule]
    ]


def left_aside(findings: Sequence[Finding], categories: frozenset[Category]) -> list[str]:
    """Return a sentence for what is accepted and one for what is not counted."""
    texts = []
    accepted = sum(f.accepted is not None for f in findings)
    if accepted:
        texts.append(f"{accepted} {'is' if accepted == 1 else 'are'} accepted.")
    others = uncounted(findings, categories)
    if others:
        noun = "finding" if others == 1 else "findings"
        verb = "is" if others == 1 else "are"
        texts.append(
            f"{others} {noun} outside the picked categories ({names(categories)}) {verb} "
            "not counted."
        )
    return texts


def names(categories: frozenset[Category]) -> str:
    """Return the categories as the option takes them."""
    return ",".join(c.value for c in Category if c in categories)


def details_of(judged: Sequence[Judged], choices: Choices) -> dict[str, Json]:
    """Return which files and choices decided, and the advice on versions, where there is any."""
    applied = {
        "accepted": _paths(j.files.accepted.path for j in judged if j.files.accepted),
        "severity": _paths(j.files.severity.path for j in judged if j.files.severity),
        "consumers": sorted({name for j in judged for name in j.callers}),
    }
    given = {p.consumer for p in choices.pacts}
    applied["consumers_that_do_not_call"] = sorted(given.difference(applied["consumers"]))
    policy: dict[str, Json] = {name: found for name, found in applied.items() if found}
    if "accepted" in policy:
        policy["as_of"] = choices.today.isoformat()
    if choices.categories != DEFAULT_CATEGORIES:
        policy["categories"] = names(choices.categories)
    details: dict[str, Json] = {"policy": policy} if policy else {}
    versions = [j.version for j in judged if j.version]
    if versions:
        details["version"] = versions[0] if len(judged) == 1 else versions
    return details


def _paths(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))
