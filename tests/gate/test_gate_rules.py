"""The gate's own rules have names of their own, a reason each, and a word on their mirror."""

from __future__ import annotations

import pytest

from harness.compatibility.rules import Rule, catalogue
from harness.gate.rules import RULES


def test_no_rule_of_the_gate_is_a_rule_of_the_comparison() -> None:
    assert RULES
    assert {r.id for r in catalogue()}.isdisjoint(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_says_why_and_why_it_has_no_mirror(rule: Rule) -> None:
    assert RULES[rule.id] is rule
    assert rule.why.endswith(".")
    assert rule.mirror.endswith(".")
