"""Audits the rule catalogue: all that is emitted is in it, and all that is in it has its words."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import harness.compatibility
from harness.compatibility import rules
from harness.compatibility.rules import exchanges, obligations

PACKAGE = Path(harness.compatibility.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
IDS = {rule.id for rule in rules.catalogue()}
# Calls whose first argument is a rule, or what follows "request-" and "response-" in one.
SPEAKING = (
    "breaks",
    "notes",
    "doubts",
    "note",
    "breaking",
    "leaves_open",
    "say",
    "make",
    "Structural",
)


def first_arguments(*names: str) -> Iterator[str]:
    """Yield the first argument of every call of these names; ``*`` stands for what is put in."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            if name in names:
                yield from spelled(node.args[0])


def spelled(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values
        )


def known(emitted: str) -> bool:
    pattern = re.escape(emitted).replace(r"\*", ".*")
    return any(re.fullmatch(f"((request|response)-)?{pattern}", rule) for rule in IDS)


def test_every_obligation_that_can_fail_has_a_rule() -> None:
    emitted = set(first_arguments("Gap"))
    assert "closed" in emitted
    assert emitted <= {*rules.DATA, *rules.KEYWORDS}


def test_every_rule_id_in_the_code_is_in_the_catalogue() -> None:
    emitted = set(first_arguments(*SPEAKING))
    assert {"request-parameter-added-required", "*-default-changed", "sunset-removed"} <= emitted
    assert sorted(e for e in emitted if not known(e)) == []


def test_an_id_that_no_rule_has_would_be_noticed() -> None:
    assert known("discriminator-added")
    assert known("*-undeprecated")
    assert not known("*-documentation-translated")
    assert not known("operation-renumbered")


def test_no_id_is_given_twice() -> None:
    listed = [r.id for family in rules.FAMILIES for r in family.RULES]
    listed += exchanges.STRUCTURE
    listed += {
        rules.data_rule(k, request=r)[0].id
        for k in (*rules.DATA, *rules.KEYWORDS)
        for r in (True, False)
    }
    assert [name for name, count in Counter(listed).items() if count > 1] == []
    assert set(listed) == IDS
    assert [r.id for r in rules.catalogue()] == sorted(IDS)


def test_a_keyword_has_either_words_of_its_own_or_a_name() -> None:
    assert rules.DATA.keys() & rules.KEYWORDS.keys() == set()
    for words in obligations.DATA.values():
        assert not any(text.endswith(".") for text in (words.ask_text, words.answer_text))


def test_every_rule_says_why_in_one_sentence() -> None:
    for rule in rules.catalogue():
        assert re.fullmatch(r"[A-Z].*[^.]\.", rule.why), rule.id
        assert ". " not in rule.why, rule.id
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.id), rule.id


def test_every_rule_has_its_mirror_or_a_written_reason() -> None:
    for rule in rules.catalogue():
        assert rule.mirror != rule.id, rule.id
        assert rule.mirror in IDS or re.fullmatch(r"[A-Z].* .*\.", rule.mirror), rule.id


def test_reasons_for_having_no_mirror_are_about_rules_that_exist() -> None:
    assert rules.ONE_SIDED.keys() <= rules.STRUCTURE.keys()


def test_every_data_rule_has_its_mirror_in_the_other_direction() -> None:
    for keyword in (*rules.DATA, *rules.KEYWORDS):
        ask, answer = (rules.data_rule(keyword, request=r)[0] for r in (True, False))
        assert (ask.mirror, answer.mirror) == (answer.id, ask.id)
        assert {ask.direction, answer.direction} == {"request", "response"}


def test_what_is_told_only_on_demand_is_never_judged_otherwise() -> None:
    from harness.compatibility.rules.source_names import QUIET

    assert QUIET <= IDS
    assert {rules.STRUCTURE[name].category for name in QUIET} == {"sdk-source"}
