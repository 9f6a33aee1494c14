"""The rule catalogue: every kind of difference a comparison can report, by id."""

from __future__ import annotations

from dataclasses import replace

from harness.compatibility.rules import (
    beside,
    contradictions,
    defaults,
    documentation,
    flags,
    graphql_schemas,
    lifecycle,
    open_enums,
    source_names,
)
from harness.compatibility.rules.exchanges import ONE_SIDED
from harness.compatibility.rules.exchanges import STRUCTURE as _EXCHANGES
from harness.compatibility.rules.obligations import DATA, KEYWORDS, data_rule
from harness.compatibility.rules.rule import ALWAYS_JUDGED, Rule

__all__ = [
    "ALWAYS_JUDGED",
    "DATA",
    "FAMILIES",
    "KEYWORDS",
    "ONE_SIDED",
    "STRUCTURE",
    "Rule",
    "catalogue",
    "data_rule",
]
FAMILIES = (
    lifecycle,
    defaults,
    source_names,
    flags,
    open_enums,
    contradictions,
    documentation,
    beside,
    graphql_schemas,
)
# Every rule but those of containment, by id.
STRUCTURE: dict[str, Rule] = {
    **_EXCHANGES,
    **{rule.id: rule for family in FAMILIES for rule in family.RULES},
}


def catalogue() -> tuple[Rule, ...]:
    """Return every rule that a comparison can emit, by id, each with its mirror."""
    found = dict(STRUCTURE)
    for keyword in (*DATA, *KEYWORDS):
        for request in (True, False):
            rule, _ = data_rule(keyword, request=request)
            found[rule.id] = rule
    return tuple(_mirrored(found[name], found) for name in sorted(found))


def _mirrored(rule: Rule, found: dict[str, Rule]) -> Rule:
    """Return the rule with its mirror: named, told by its id, or the written reason for none."""
    if rule.mirror:
        return rule
    if rule.id in ONE_SIDED:
        reason = ONE_SIDED[rule.id]
        return replace(rule, mirror=f"{reason[0].upper()}{reason[1:]}.")
    swaps = (("request-", "response-"), ("response-", "request-"), ("-added", "-removed"))
    for left, right in (*swaps, ("-removed", "-added"), ("-deprecated", "-undeprecated")):
        other = rule.id.replace(left, right)
        if other != rule.id and other in found:
            return replace(rule, mirror=other)
    return rule
