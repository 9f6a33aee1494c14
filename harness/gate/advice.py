"""Which step of the version a change demands, against the step it got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.compatibility.rules import Rule
from harness.gate.rules import BACKWARDS, BUMP_TOO_SMALL, NOT_JUDGED
from harness.gate.versions import Bump, Scheme, bump, expressible, next_version, read_version
from harness.model.contract import Contract
from harness.model.finding import Category, Finding, Places, Proof, Sides, Verdict
from harness.model.values import Json, fingerprint

_POINTER = "/info/version"


@dataclass(frozen=True, slots=True)
class Advice:
    """What was asked of a version and what came; ``findings`` is empty when it is enough."""

    details: dict[str, Json]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Demand:
    bump: Bump
    because: str
    maybe_major: bool = False


def version_advice(old: Contract, new: Contract, findings: Iterable[Finding]) -> Advice:
    """Judge ``info.version`` of both sides by what a comparison found.

    A breaking difference demands a major step (0.x: a minor one), an unproven one at least a
    minor step, an addition a minor one, texts a patch. An accepted difference still breaks
    clients, so it demands what it would demand anyway.
    """
    demand = _demand(old, new, tuple(findings))
    before, after = read_version(old.version), read_version(new.version)
    details: dict[str, Json] = {
        "old": old.version,
        "new": new.version,
        "change": demand.bump.word,
        "because": demand.because,
    }
    if demand.maybe_major:
        details["note"] = "It may be major: not everything is proved."
    if before is None or after is None or before.scheme is not after.scheme:
        return _not_judged(old, new, demand, details)
    details["scheme"] = before.scheme.value
    got = bump(before, after)
    if got is None:
        details |= {"got": "backwards", "outcome": "backwards"}
        text = f"The version went back from {old.version} to {new.version}."
        return Advice(details, (_finding(BACKWARDS, old, new, text, demand),))
    details["got"] = got.word
    needed = expressible(before, after, demand.bump)
    numbers = before.scheme is Scheme.NUMBERS
    details["demanded"] = needed.word if numbers or not needed else "a later one"
    # A pre-release promises nothing: it only has to rise.
    if got >= needed or (before.pre and got):
        return Advice({**details, "outcome": "enough"})
    smallest = next_version(before, needed)
    if smallest:
        details["smallest"] = smallest
    step = f"only a {got.word} step" if got else "no step"
    what = f"a {needed.word} one" if numbers else "a later version"
    text = (
        f"From {old.version} to {new.version} is {step}; this change demands {what}"
        f"{f', {smallest} or later' if smallest else ''}."
    )
    details["outcome"] = "too small"
    return Advice(details, (_finding(BUMP_TOO_SMALL, old, new, text, demand),))


def _demand(old: Contract, new: Contract, findings: tuple[Finding, ...]) -> _Demand:
    ranked = [(_demanded_by(f), f) for f in findings]
    if ranked:
        level, first = max(ranked, key=lambda pair: pair[0])
        because = f"{first.rule} ({first.verdict.value})"
        unproven = any(f.verdict is Verdict.UNPROVEN for _, f in ranked)
        return _Demand(level, because, maybe_major=unproven and level < Bump.MAJOR)
    if _without_version(old) != _without_version(new):
        return _Demand(Bump.PATCH, "the document changed, the exchanges it allows did not")
    return _Demand(Bump.NONE, "nothing changed")


def _demanded_by(finding: Finding) -> Bump:
    if finding.category is Category.DOCS:
        return Bump.PATCH
    return Bump.MAJOR if finding.verdict is Verdict.BREAKING else Bump.MINOR


def _without_version(contract: Contract) -> dict[str, Json]:
    document = dict(contract.document)
    info = document.get("info")
    if isinstance(info, dict):
        document["info"] = {k: v for k, v in info.items() if k != "version"}
    return document


def _not_judged(old: Contract, new: Contract, demand: _Demand, details: dict[str, Json]) -> Advice:
    details |= {"got": "not judged", "outcome": "not judged"}
    if demand.bump is Bump.NONE and old.version == new.version:
        return Advice({**details, "outcome": "enough"})
    unknown = [v for v in (old.version, new.version) if read_version(v) is None]
    if not all(unknown):
        why = "a document without info.version has none to compare"
    elif unknown:
        shown = " and ".join(dict.fromkeys(map(repr, unknown)))
        why = f"{shown} follows no order that is known here"
    else:
        why = f"{old.version!r} and {new.version!r} follow different schemes"
    text = f"Whether the version rose enough was not judged: {why}."
    return Advice(details, (_finding(NOT_JUDGED, old, new, text, demand),))


def _finding(rule: Rule, old: Contract, new: Contract, text: str, demand: _Demand) -> Finding:
    judged = rule is not NOT_JUDGED
    because = f"a {demand.bump.word} step is due: {demand.because}" if demand.bump else ""
    return Finding(
        fingerprint=fingerprint(rule.id, old.title, old.version, new.version, demand.bump.word),
        rule=rule.id,
        category=rule.category,
        verdict=Verdict.BREAKING if judged else Verdict.UNPROVEN,
        message=text,
        pointer=Sides(_POINTER, _POINTER),
        field="info.version",
        old=old.version,
        new=new.version,
        proof=Proof.STRUCTURE if judged else Proof.NONE,
        reason=because,
        places=Places(old.locate(_POINTER), new.locate(_POINTER)),
    )
