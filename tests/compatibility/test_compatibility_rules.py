"""Audits the rule catalogue: all that is emitted is in it, and all that is in it has its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import harness.compatibility
from harness.compatibility import rules

SOURCES = sorted(Path(harness.compatibility.__file__).parent.glob("*.py"))


def first_arguments(*names: str) -> Iterator[str]:
    """Yield the literal first argument of every call of these names in the package."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            argument = node.args[0]
            if name in names and isinstance(argument, ast.Constant):
                yield str(argument.value)


def test_every_obligation_that_can_fail_has_a_rule() -> None:
    emitted = set(first_arguments("Gap"))
    assert "required" in emitted
    assert emitted <= {*rules.DATA, *rules.KEYWORDS}


def test_every_structural_rule_that_is_emitted_is_in_the_catalogue() -> None:
    emitted = set(first_arguments("breaks", "notes", "Structural"))
    assert "operation-added" in emitted
    assert emitted <= rules.STRUCTURE.keys()


def test_every_structural_rule_in_the_catalogue_is_spoken_of_in_the_code() -> None:
    texts = "\n".join(s.read_text(encoding="utf-8") for s in SOURCES if s.name != "rules.py")
    endings = {"status-added", "property-added", "property-removed", "webhook-removed"}
    silent = [
        name
        for name in rules.STRUCTURE
        if f'"{name}"' not in texts and not any(name.endswith(e) for e in endings)
    ]
    assert silent == []


def test_every_rule_says_why() -> None:
    for rule in rules.catalogue():
        assert rule.why.endswith("."), rule.id
        assert rule.id == rule.id.lower().strip("-"), rule.id


def test_every_structural_rule_has_its_mirror_or_a_written_reason() -> None:
    swap = {"request": "response", "response": "request"}
    for name in rules.STRUCTURE:
        side, _, rest = name.partition("-")
        if side in swap and f"{swap[side]}-{rest}" not in rules.STRUCTURE:
            assert name in rules.ONE_SIDED, name
    assert rules.ONE_SIDED.keys() <= rules.STRUCTURE.keys()


def test_every_data_rule_has_its_mirror() -> None:
    for keyword in (*rules.DATA, *rules.KEYWORDS):
        ids = {rules.data_rule(keyword, request=r, part="body")[0].id for r in (True, False)}
        assert len(ids) == 2, keyword
