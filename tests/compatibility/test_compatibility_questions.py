"""Proves the containment answers on hand-made questions: none is wrong, nearly all are decided."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from harness.compatibility.schemas.containment import Containment, Pair
from harness.compatibility.schemas.side import Side
from harness.compatibility.schemas.witness import Confirmer
from harness.compatibility.schemas.witness import Path as Way

FOLDER = Path(__file__).with_name("questions")
# What stays open today, and why. An entry that is decided, or a new open question, fails.
UNDECIDED: dict[str, str] = {}


@dataclass(frozen=True)
class Question:
    """May everything of one schema be read as the other?"""

    name: str
    writer: dict[str, Any]
    reader: dict[str, Any]
    holds: bool
    closed: bool


def read() -> list[Question]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
            shared = entry.get("parts", {})
            sides = [
                {"top": entry[side], "parts": {**shared, **entry.get(f"{side}_parts", {})}}
                for side in ("left", "right")
            ]
            closed = not entry.get("open", False)
            name = entry["id"]
            found.append(Question(f"{name}-there", sides[0], sides[1], entry["there"], closed))
            found.append(Question(f"{name}-back", sides[1], sides[0], entry["back"], closed))
    return found


QUESTIONS = read()


def answer(question: Question, steps: int = 20_000) -> tuple[bool | None, Any, list[str]]:
    """Return the verdict (``None`` when undecided), the witness, and what is open."""
    writer = Side(question.writer, dropped="readOnly", writer=True, closed=question.closed)
    reader = Side(question.reader, dropped="readOnly", writer=False, closed=False)
    containment = Containment(writer, reader, steps=steps)
    confirmer = Confirmer(containment)
    root = Pair(writer.node("/top"), reader.node("/top"))
    ways: dict[Pair, Way] = {root: ()}
    todo = deque([root])
    still_open = []
    while todo:
        pair = todo.popleft()
        expansion = containment.expand(pair)
        for gap in expansion.gaps:
            shown = confirmer.confirm(root, ways[pair], pair, gap)
            if shown is not None:
                return False, shown.value, []
            still_open.append(f"{gap.keyword}: {gap.reason}")
        for edge in expansion.edges:
            if edge.pair not in ways:
                ways[edge.pair] = (*ways[pair], (pair, edge.step))
                todo.append(edge.pair)
    return (None if still_open else True), None, still_open


def valid(document: dict[str, Any], value: Any) -> bool:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    schema = {"$ref": "#/top", **document}
    return jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid(value)


# The second validator does not know the ranges of numeric formats, and these texts' formats.
NUMERIC = {"int32-int64-back", "int64-integer-back", "int32-spelled-out-back", "float-double-back"}
UNKNOWN_THERE = {"format-uri-reference-back", "format-email-idn-back", "format-uuid-uri-there"}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.name)
def test_no_answer_is_wrong(question: Question) -> None:
    holds, value, still_open = answer(question)
    if holds is None:
        assert question.name in UNDECIDED, still_open
        return
    assert question.name not in UNDECIDED, "decided now: take it off the list"
    assert holds is question.holds, value
    if not holds and question.name not in NUMERIC | UNKNOWN_THERE:
        assert valid(question.writer, value), value
        assert not valid(question.reader, value), value


def test_there_are_enough_questions_and_nearly_all_are_decided() -> None:
    assert len({q.name for q in QUESTIONS}) == len(QUESTIONS) >= 400
    assert {q.holds for q in QUESTIONS} == {True, False}
    assert len(UNDECIDED) <= 0.05 * len(QUESTIONS)


@pytest.mark.parametrize("steps", [1, 3, 10, 50])
def test_less_budget_only_leaves_questions_open(steps: int) -> None:
    for question in QUESTIONS:
        containment_says = starved(question, steps)
        assert containment_says in {None, question.holds}, question.name


def starved(question: Question, steps: int) -> bool | None:
    from harness.compatibility.schemas.containment import BudgetSpent

    try:
        return answer(question, steps)[0]
    except BudgetSpent:
        return None
