"""A problem of a document, said in the one finding model."""

from __future__ import annotations

from harness.catalog.published_rules import INCOMPLETE
from harness.model.contract import Problem
from harness.model.finding import Category, Context, Finding, Places, Proof, Sides, Verdict
from harness.model.values import fingerprint


def problem_finding(problem: Problem, document: str) -> Finding:
    """Return what a reader of ``document`` needs to know about one problem.

    A mistake breaks whoever reads the document; a check that could not finish proves nothing.
    """
    unfinished = problem.rule == INCOMPLETE
    return Finding(
        fingerprint=fingerprint(
            "document", problem.rule, document, problem.pointer, problem.message
        ),
        rule=problem.rule,
        category=Category.POLICY,
        verdict=Verdict.UNPROVEN if unfinished else Verdict.BREAKING,
        message=problem.message,
        pointer=Sides(new=problem.pointer),
        field=problem.pointer,
        new=problem.value,
        proof=Proof.NONE if unfinished else Proof.STRUCTURE,
        places=Places(new=problem.location),
        context=Context(api=document),
    )
