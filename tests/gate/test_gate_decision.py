"""The gate judges what git says changed, and never passes what it cannot read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.gate import GateOptions, gate
from harness.model.errors import UsageError
from harness.model.finding import Report, Verdict

DOCUMENT = """openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      operationId: listOrders
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                required: [state]
                properties:
                  state: {enum: [OPEN, SHIPPED]}
"""


class Clone:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True)

    def commit(self, path: str, text: str | None) -> None:
        target = self.root / path
        if text is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def judge(self, base: str = "HEAD~1") -> Report:
        return gate(self.root, GateOptions(base=base))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path)
    made.commit("contracts/shop/orders/v1/openapi.yaml", DOCUMENT)
    return made


def test_a_new_enum_value_in_an_answer_breaks(clone: Clone) -> None:
    clone.commit(
        "contracts/shop/orders/v1/openapi.yaml", DOCUMENT.replace("SHIPPED]", "SHIPPED, HELD]")
    )
    report = clone.judge()
    assert report.verdict is Verdict.BREAKING
    (finding,) = report.findings
    assert finding.context.api == "contracts/shop/orders/v1/openapi.yaml"
    assert finding.witness is not None
    assert finding.witness.value == {"state": "HELD"}
    assert report.exit_code() == 1


def test_a_text_change_passes(clone: Clone) -> None:
    clone.commit("contracts/shop/orders/v1/openapi.yaml", DOCUMENT.replace("ok", "all orders"))
    report = clone.judge()
    assert report.verdict is Verdict.COMPATIBLE
    assert report.summary["documents"] == 1
    assert report.exit_code() == 0


def test_other_files_do_not_matter(clone: Clone) -> None:
    clone.commit("settings.yaml", "colour: blue\n")
    assert clone.judge().summary["documents"] == 0


@pytest.mark.parametrize("broken", ["openapi: 3.1.0\npaths: [unclosed\n", "\x00\x01", ""])
def test_a_document_that_does_not_load_is_never_green(clone: Clone, broken: str) -> None:
    clone.commit("contracts/shop/orders/v1/openapi.yaml", broken)
    report = clone.judge()
    assert report.verdict is Verdict.NOT_CHECKED
    assert report.exit_code() == 3
    assert "contracts/shop/orders/v1/openapi.yaml" in report.not_checked[0].target


def test_a_broken_base_is_not_checked_either(clone: Clone) -> None:
    clone.commit("contracts/shop/orders/v1/openapi.yaml", "openapi: 3.1.0\npaths: [unclosed\n")
    clone.commit("contracts/shop/orders/v1/openapi.yaml", DOCUMENT)
    assert clone.judge().verdict is Verdict.NOT_CHECKED


def test_an_invalid_new_document_fails(clone: Clone) -> None:
    clone.commit(
        "contracts/shop/stock/v1/openapi.yaml", DOCUMENT.replace("description: ok", "x-none: 1")
    )
    report = clone.judge()
    assert report.verdict is Verdict.BREAKING
    assert report.findings[0].places.new is not None
    assert report.findings[0].places.new.path == "contracts/shop/stock/v1/openapi.yaml"


def test_an_old_problem_is_not_held_against_the_change(clone: Clone) -> None:
    invalid = DOCUMENT.replace("description: ok", "x-none: 1")
    clone.commit("contracts/shop/orders/v1/openapi.yaml", invalid)
    clone.commit("contracts/shop/orders/v1/openapi.yaml", invalid.replace("Orders", "All orders"))
    assert clone.judge().verdict is Verdict.COMPATIBLE


def test_a_removed_contract_breaks(clone: Clone) -> None:
    clone.commit("contracts/shop/orders/v1/openapi.yaml", None)
    report = clone.judge()
    assert [f.rule for f in report.findings] == ["contract-removed"]


def test_a_renamed_contract_is_compared_with_its_old_self(clone: Clone) -> None:
    clone.git("mv", "contracts/shop/orders/v1/openapi.yaml", "orders.yaml")
    changed = DOCUMENT.replace("SHIPPED]", "SHIPPED, HELD]")
    clone.commit("orders.yaml", changed)
    report = clone.judge()
    assert [f.verdict for f in report.findings] == [Verdict.BREAKING]


def test_a_touched_fragment_judges_the_document_that_uses_it(clone: Clone) -> None:
    whole = DOCUMENT.replace("state: {enum: [OPEN, SHIPPED]}", "state: {$ref: 'state.yaml'}")
    clone.commit("api/state.yaml", "enum: [OPEN, SHIPPED]\n")
    clone.commit("api/openapi.yaml", whole)
    clone.commit("api/state.yaml", "enum: [OPEN, SHIPPED, HELD]\n")
    report = clone.judge()
    assert report.summary["documents"] == 1
    assert report.verdict is Verdict.BREAKING


def test_changes_made_on_the_base_since_are_not_ours(clone: Clone) -> None:
    clone.git("branch", "feature")
    clone.commit("contracts/shop/orders/v1/openapi.yaml", DOCUMENT.replace("OPEN, ", ""))
    clone.git("checkout", "-q", "feature")
    clone.commit("notes.yaml", "a: 1\n")
    assert clone.judge("main").summary["documents"] == 0


def test_an_unknown_revision_says_what_to_do(clone: Clone) -> None:
    with pytest.raises(UsageError, match="fetch-depth"):
        clone.judge("no-such-branch")


def test_a_folder_outside_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git repository"):
        gate(tmp_path, GateOptions(base="main"))


def test_a_dangling_reference_is_told_once_with_its_line(clone: Clone) -> None:
    broken = DOCUMENT.replace("{enum: [OPEN, SHIPPED]}", "{$ref: '#/components/schemas/Gone'}")
    clone.commit("contracts/shop/orders/v2/openapi.yaml", broken)
    (finding,) = clone.judge().findings
    assert finding.rule == "dangling-reference"
    assert finding.places.new is not None
    assert finding.places.new.line == 16
