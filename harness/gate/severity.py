"""How bad a finding is for us: the severity policy of one system.

A severity says how bad, never whether. There is no ``off``: a difference that may pass is accepted
by its fingerprint, with an owner and a last day, and stays visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from harness.catalog import metadata_schema, open_source
from harness.catalog.metadata import checked_metadata
from harness.gate.beside import SEVERITY
from harness.model.contract import Problem
from harness.model.finding import Category, Finding, Severity
from harness.model.values import Json, pointer


@dataclass(frozen=True, slots=True)
class Grade:
    """What a finding must look like, and how bad it is then; empty patterns fit everything."""

    severity: Severity
    reason: str
    rule: str | None = None
    category: Category | None = None
    operations: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def fits(self, finding: Finding) -> bool:
        """Say whether this grade speaks of ``finding``.

        Where operations and fields are given, one place of the finding must fit both.
        """
        return (
            (self.rule is None or _fits(self.rule, finding.rule))
            and (self.category is None or finding.category is self.category)
            and any(
                _one_of(self.operations, operation) and _one_of(self.fields, field)
                for operation, field in _places(finding)
            )
        )


def _places(finding: Finding) -> list[tuple[str, str]]:
    """Return every operation a finding touches, with the field at which it shows there."""
    fields = {o.operation: o.field for o in finding.occurrences}
    return [(o, fields.get(o, finding.field)) for o in finding.operations or ("",)]


def _one_of(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(_fits(p, text) for p in patterns)


@dataclass(frozen=True, slots=True)
class SeverityPolicy:
    """The grades of one file, first match wins; ``path`` is how the user knows it."""

    path: str
    grades: tuple[Grade, ...]


def severity_of(system: Path) -> SeverityPolicy | None:
    """Return the policy in the folder of a system, ``None`` without one; raises as below.

    ``driftgate scan`` grades what it finds with :func:`apply_severity` and this.
    """
    path = system / SEVERITY
    return read_severity(open_source(path).text, str(path)) if path.is_file() else None


def read_severity(data: bytes, path: str) -> SeverityPolicy:
    """Return the grades of a ``severity.yaml``.

    Raises ``MetadataError`` that lists every mistake with its line, an unknown rule with the
    nearest known name; ``DocumentError`` when it is not YAML at all.
    """
    value = checked_metadata(data, path, metadata_schema("severity"), further=severity_mistakes)
    return SeverityPolicy(path, tuple(_grade(one) for one in value["grades"]))


def _grade(one: dict[str, Any]) -> Grade:
    return Grade(
        Severity(one["severity"]),
        one["reason"],
        one.get("rule"),
        Category(one["category"]) if "category" in one else None,
        tuple(one.get("operations", ())),
        tuple(one.get("fields", ())),
    )


def severity_mistakes(value: Json) -> Iterator[Problem]:
    """Yield what the schema cannot say: grades that name nothing, and rules nobody knows."""
    for index, one in enumerate(value["grades"]):
        here = pointer("grades", index)
        if "rule" not in one and "category" not in one:
            yield Problem("grade-without-subject", "name a rule or a category", here)
        rule = one.get("rule")
        if rule is not None and not any(_fits(rule, known) for known in _known_rules()):
            near = get_close_matches(rule, _known_rules(), n=1)
            hint = f"did you mean {near[0]}?" if near else "driftgate rules lists them all"
            yield Problem(
                "unknown-rule", f"there is no rule {rule!r}; {hint}", here + "/rule", value=rule
            )


def apply_severity(
    findings: Iterable[Finding], policy: SeverityPolicy | None
) -> tuple[Finding, ...]:
    """Grade findings; the grade's reason becomes the effect where none is known.

    What no grade fits keeps the severity it has. ``None`` changes nothing.
    """
    if policy is None:
        return tuple(findings)
    return tuple(_graded(f, policy) for f in findings)


def _graded(finding: Finding, policy: SeverityPolicy) -> Finding:
    grade = next((g for g in policy.grades if g.fits(finding)), None)
    if grade is None:
        return finding
    context = finding.context
    if context.effect is None:
        context = replace(context, effect=grade.reason)
    return replace(finding, severity=grade.severity, context=context)


@cache
def _known_rules() -> tuple[str, ...]:
    """Return every rule a finding of diff, gate or scan can carry."""
    from harness.compatibility.rules import catalogue
    from harness.conformance import RULES as OBSERVED
    from harness.gate.rules import RULES

    return tuple(sorted({*(r.id for r in catalogue()), *OBSERVED, *RULES}))


def _fits(pattern: str, text: str) -> bool:
    """Say whether ``text`` fits; only ``*`` is special, because fields hold brackets of theirs."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
