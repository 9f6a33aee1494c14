"""Rules of life and death: deprecation, sunsets and stability of operations and their parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.compatibility.rules.difference import (
    Annotations,
    Difference,
    Differences,
    breaks,
    notes,
)
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.sunsets import SUNSET_NAMES, Calendar, sunset_of, sunset_text
from harness.model.contract import Contract
from harness.model.finding import Category, Finding, Proof, Verdict
from harness.model.values import Json

_P = Category.POLICY
STABILITY = "x-stability-level"
LEVELS = ("draft", "alpha", "beta", "stable")

RULES = (
    Rule(
        "operation-undeprecated",
        "The operation was announced to go and stays after all.",
        _P,
        "operation-deprecated",
    ),
    Rule(
        "parameter-deprecated",
        "The parameter still works and will not for ever.",
        _P,
        "parameter-undeprecated",
    ),
    Rule(
        "parameter-undeprecated",
        "The parameter was announced to go and stays after all.",
        _P,
        "parameter-deprecated",
    ),
    Rule(
        "schema-deprecated",
        "The value still travels and will not for ever.",
        _P,
        "schema-undeprecated",
    ),
    Rule(
        "schema-undeprecated",
        "The value was announced to go and stays after all.",
        _P,
        "schema-deprecated",
    ),
    Rule(
        "deprecated-without-sunset",
        "Whoever uses it must leave and is not told by when.",
        _P,
        "The opposite, a date that is given later, is sunset-added.",
    ),
    Rule("sunset-added", "There is now a day by which users must have left.", _P, "sunset-removed"),
    Rule(
        "sunset-too-soon",
        "Users are given less time to leave than they were promised.",
        _P,
        "More notice than was promised harms nobody.",
    ),
    Rule(
        "sunset-moved-earlier",
        "Users planned with a later day than they have now.",
        _P,
        "sunset-moved-later",
    ),
    Rule("sunset-moved-later", "Users have more time to leave.", _P, "sunset-moved-earlier"),
    Rule(
        "sunset-removed",
        "What is deprecated may vanish any day when no day is named.",
        _P,
        "sunset-added",
    ),
    Rule(
        "sunset-unreadable",
        "A sunset that is not a date can be planned with by nobody.",
        _P,
        "A sunset that becomes readable is sunset-added.",
    ),
    Rule(
        "removed-before-sunset",
        "It was promised to stay until its sunset.",
        _P,
        "operation-removed-after-sunset",
    ),
    Rule(
        "removed-without-deprecation",
        "Users had no warning.",
        _P,
        "A warning that nothing follows is operation-deprecated or parameter-deprecated.",
    ),
    Rule(
        "operation-removed-after-sunset",
        "Its end was announced and its time has come.",
        _P,
        "removed-before-sunset",
    ),
    Rule(
        "stability-lowered",
        "What was promised to hold may now change without notice.",
        _P,
        "stability-raised",
    ),
    Rule("stability-raised", "More is promised than before.", _P, "stability-lowered"),
    Rule(
        "stability-unknown",
        "A level nobody knows promises nothing that can be checked.",
        _P,
        "A level that becomes known is judged as raised or lowered.",
    ),
)


def changes(
    kind: str, old: Annotations, new: Annotations, calendar: Calendar, *, told: bool = False
) -> Differences:
    """Yield what became of one thing that stays.

    ``kind`` is ``operation``, ``parameter``, ``schema`` or ``api``; ``told`` says that its
    deprecation is reported elsewhere.
    """
    yield from _deprecation(kind, old, new, told=told)
    yield from _sunset(old, new, calendar)
    yield from _stability(old, new)


def removal(old: Annotations, calendar: Calendar, what: str, *, noted: bool = True) -> Differences:
    """Yield what is to be said of the announcement of something that is gone.

    ``noted`` asks for a word when there was no announcement at all.
    """
    sunset = sunset_of(old)
    if sunset is not None and calendar.ahead(sunset):
        yield breaks(
            "removed-before-sunset",
            f"{what} is gone before its announced end, {sunset.isoformat()}.",
            old=sunset.isoformat(),
        )
    elif noted and old.get("deprecated") is not True:
        yield notes(
            "removed-without-deprecation", f"{what} is gone and never was deprecated.", old=False
        )


def _deprecation(kind: str, old: Annotations, new: Annotations, *, told: bool) -> Differences:
    before, after = old.get("deprecated") is True, new.get("deprecated") is True
    if before == after or kind == "api":
        return
    if after:
        if not told:
            yield notes(
                f"{kind}-deprecated",
                "It is deprecated now.",
                old=False,
                new=True,
                keyword="deprecated",
            )
        if sunset_text(new) is None:
            yield notes(
                "deprecated-without-sunset",
                "It is deprecated now and no end is announced.",
                keyword="deprecated",
            )
    else:
        yield notes(
            f"{kind}-undeprecated",
            "It is not deprecated any more.",
            old=True,
            new=False,
            keyword="deprecated",
        )


def _sunset(old: Annotations, new: Annotations, calendar: Calendar) -> Differences:
    was, text = sunset_text(old), sunset_text(new)
    if was == text:
        return
    key = next((k for k in SUNSET_NAMES if k in new or k in old), "")
    before, after = sunset_of(old), sunset_of(new)
    if text is not None and after is None:
        message = f"The announced end is not a date: {text!r:.60}."
        # A date that was promised is lost; where there was none, nobody had one to rely on.
        told = notes if before is None else breaks
        yield told("sunset-unreadable", message, old=was, new=text, keyword=key)
        return
    if after is None:
        yield _unannounced(was, new, key)
        return
    if (before is None or after < before) and calendar.too_soon(after):
        message = f"The announced end, {after}, leaves less time than was promised."
        yield breaks("sunset-too-soon", message, old=was, new=text, keyword=key)
    if before is None:
        yield notes("sunset-added", f"Its end is announced for {after}.", new=text, keyword=key)
    elif after < before:
        message = f"Its end is announced for {after} now, not for {before}."
        yield breaks("sunset-moved-earlier", message, old=was, new=text, keyword=key)
    elif after > before:
        message = f"Its end is announced for {after} now, not for {before}."
        yield notes("sunset-moved-later", message, old=was, new=text, keyword=key)


def _unannounced(was: Json, new: Annotations, key: str) -> Difference:
    if new.get("deprecated") is True:
        message = "It is deprecated and its end is not announced any more."
        return breaks("sunset-removed", message, old=was, keyword=key)
    return notes("sunset-removed", "Its end is not announced any more.", old=was, keyword=key)


def _stability(old: Annotations, new: Annotations) -> Differences:
    was, now = old.get(STABILITY), new.get(STABILITY)
    if was == now:
        return
    if now is not None and now not in LEVELS:
        message = f"{now!r:.40} is not a stability level; {', '.join(LEVELS)} are."
        yield notes("stability-unknown", message, old=was, new=now, keyword=STABILITY)
        return
    before, after = _rank(was), _rank(now)
    message = f"The stability is {LEVELS[after]} now; it was {LEVELS[before]}."
    if after < before:
        yield breaks("stability-lowered", message, old=was, new=now, keyword=STABILITY)
    elif after > before:
        yield notes("stability-raised", message, old=was, new=now, keyword=STABILITY)


def _rank(level: Json) -> int:
    """Return the place of a level; what names none is stable, as nothing was held back."""
    return LEVELS.index(level) if level in LEVELS else len(LEVELS) - 1


def unstable_operations(old: Contract) -> dict[str, str]:
    """Return the level of every operation that the old contract called unfinished, by label."""
    return {
        operation.label: str(operation.extensions[STABILITY])
        for operation in (*old.operations, *old.webhooks)
        if operation.extensions.get(STABILITY) in LEVELS[:2]
    }


def tolerated(findings: Iterable[Finding], levels: dict[str, str]) -> Iterator[Finding]:
    """Yield the findings; one that only unfinished operations meet is allowed, with the reason.

    ``levels`` is what :func:`unstable_operations` returns. A lowered stability stays what it is:
    a promise taken back is not excused by the level it was taken back to.
    """
    for finding in findings:
        met = [levels.get(name) for name in finding.operations]
        if finding.verdict is Verdict.COMPATIBLE or not met or not all(met):
            yield finding
            continue
        if finding.rule == "stability-lowered":
            yield finding
            continue
        level = met[0]
        yield replace(
            finding,
            verdict=Verdict.COMPATIBLE,
            proof=Proof.NONE,
            witness=None,
            reason=f"the old contract calls the operation {level}: it may change without notice",
        )
