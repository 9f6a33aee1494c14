"""The gate judges what git says changed, and never passes what it cannot read."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.gate.decision import GateOptions, gate
from harness.gate.judging import Choices
from harness.model.errors import MetadataError, UsageError
from harness.model.finding import Category, Report, Severity, Verdict

TODAY = date(2026, 11, 23)
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
    """A repository; each commit writes or removes one file."""

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

    def judge(self, base: str = "HEAD~1", **choices: Any) -> Report:
        picked = replace(Choices(today=TODAY), **choices)
        return gate(self.root, GateOptions(base=base, choices=picked))


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
        gate(tmp_path, GateOptions(base="main", choices=Choices(today=date(2026, 11, 23))))


def test_a_dangling_reference_is_told_once_with_its_line(clone: Clone) -> None:
    broken = DOCUMENT.replace("{enum: [OPEN, SHIPPED]}", "{$ref: '#/components/schemas/Gone'}")
    clone.commit("contracts/shop/orders/v2/openapi.yaml", broken)
    (finding,) = clone.judge().findings
    assert finding.rule == "dangling-reference"
    assert finding.places.new is not None
    assert finding.places.new.line == 16


CONTRACT = "contracts/shop/orders/v1/openapi.yaml"
WIDER = DOCUMENT.replace("SHIPPED]", "SHIPPED, HELD]")
SEVERITY = """severity: 1
grades:
  - {category: wire-response, severity: critical, reason: The engine reads these answers.}
"""
PACT = {
    "consumer": {"name": "sync-engine"},
    "provider": {"name": "shop"},
    "interactions": [
        {
            "description": "a list",
            "request": {"method": "GET", "path": "/orders"},
            "response": {"status": 200, "body": {"state": "OPEN", "memo": "x"}},
        }
    ],
}


def waiver(mark: str, expires: str = "2026-12-31") -> str:
    return f"""accepted: 1
differences:
  - fingerprint: "{mark}"
    reason: We treat HELD as OPEN.
    owner: channel owner
    expires: "{expires}"
"""


class TestWaivers:
    def accepted(self, clone: Clone, text: str, **choices: Any) -> Report:
        clone.commit("contracts/shop/orders/v1/accepted.yaml", text)
        return clone.judge("HEAD~2", **choices)

    def widen(self, clone: Clone) -> str:
        clone.commit(CONTRACT, WIDER)
        (finding,) = clone.judge().findings
        return finding.fingerprint

    def test_an_accepted_difference_passes_and_stays_visible(self, clone: Clone) -> None:
        report = self.accepted(clone, waiver(self.widen(clone)))
        (finding,) = report.findings
        assert finding.accepted is not None
        assert report.verdict is Verdict.COMPATIBLE
        assert report.exit_code() == 0
        assert report.summary["accepted"] == 1
        assert report.details["policy"] == {
            "accepted": ["contracts/shop/orders/v1/accepted.yaml"],
            "as_of": "2026-11-23",
        }
        assert "1 is accepted." in report.headline

    def test_the_file_in_the_work_tree_does_not_matter(self, clone: Clone) -> None:
        mark = self.widen(clone)
        (clone.root / "contracts/shop/orders/v1/accepted.yaml").write_text(waiver(mark))
        assert clone.judge().verdict is Verdict.BREAKING

    def test_an_expired_one_fails_beside_the_difference(self, clone: Clone) -> None:
        report = self.accepted(clone, waiver(self.widen(clone), "2026-11-22"))
        assert [f.rule for f in report.findings] == [
            "response-enum-value-added",
            "accepted-difference-expired",
        ]
        assert report.exit_code() == 1
        place = report.findings[1].places.new
        assert str(place) == "contracts/shop/orders/v1/accepted.yaml:3:5"

    def test_one_for_nothing_fails_alone(self, clone: Clone) -> None:
        clone.commit(CONTRACT, DOCUMENT.replace("ok", "all orders"))
        report = self.accepted(clone, waiver("0123456789ab"))
        assert [f.rule for f in report.findings if f.verdict is Verdict.BREAKING] == [
            "accepted-difference-unmatched"
        ]
        assert report.verdict is Verdict.BREAKING

    def test_they_can_be_ignored(self, clone: Clone) -> None:
        report = self.accepted(clone, waiver(self.widen(clone)), use_accepted=False)
        assert report.verdict is Verdict.BREAKING

    def test_a_mistake_in_the_file_stops_the_gate(self, clone: Clone) -> None:
        clone.commit(CONTRACT, WIDER)
        with pytest.raises(MetadataError, match=r"contracts/shop/orders/v1/accepted.yaml:6"):
            self.accepted(clone, waiver("0123456789ab", "tomorrow"))

    def test_a_removed_contract_can_be_accepted(self, clone: Clone) -> None:
        clone.commit(CONTRACT, None)
        (finding,) = clone.judge().findings
        report = self.accepted(clone, waiver(finding.fingerprint))
        assert report.verdict is Verdict.COMPATIBLE


def test_the_severities_of_the_system_are_applied(clone: Clone) -> None:
    clone.commit("contracts/shop/severity.yaml", SEVERITY)
    clone.commit(CONTRACT, WIDER)
    report = clone.judge()
    (finding,) = report.findings
    assert finding.severity is Severity.CRITICAL
    assert finding.context.effect == "The engine reads these answers."
    assert report.details["policy"] == {"severity": ["contracts/shop/severity.yaml"]}


def test_pacts_at_head_say_whom_it_breaks(clone: Clone) -> None:
    with_memo = DOCUMENT + "                  memo: {type: string}\n"
    clone.commit(CONTRACT, with_memo)
    clone.commit(CONTRACT, DOCUMENT)
    assert clone.judge().verdict is Verdict.COMPATIBLE
    clone.commit("contracts/consumers/sync-engine.json", json.dumps(PACT))
    report = clone.judge("HEAD~2")
    (finding,) = report.findings
    assert finding.category is Category.DATA_LOSS
    assert finding.verdict is Verdict.BREAKING
    assert finding.context.consumers == ("sync-engine",)
    assert "contracts/consumers/sync-engine.json" in finding.reason
    assert report.verdict is Verdict.BREAKING


def test_pacts_name_who_calls_a_removed_contract(clone: Clone) -> None:
    clone.commit("contracts/consumers/sync-engine.json", json.dumps(PACT))
    clone.commit(CONTRACT, None)
    (finding,) = clone.judge().findings
    assert finding.context.consumers == ("sync-engine",)


def test_a_pact_with_another_known_system_is_left_out(clone: Clone) -> None:
    for system in ("shop", "market"):
        clone.commit(f"contracts/{system}/system.yaml", "system: 1\n")
    pact = {**PACT, "provider": {"name": "market"}}
    clone.commit("contracts/consumers/sync-engine.json", json.dumps(pact))
    clone.commit(CONTRACT, WIDER)
    (finding,) = clone.judge().findings
    assert finding.context.consumers == ()


def test_the_version_is_checked_for_each_document(clone: Clone) -> None:
    clone.commit(CONTRACT, WIDER)
    report = clone.judge(check_version=True)
    assert [f.rule for f in report.findings] == [
        "response-enum-value-added",
        "version-bump-too-small",
    ]
    (row,) = report.details["version"]
    assert row["document"] == CONTRACT
    assert (row["old"], row["got"], row["outcome"]) == ("1", "none", "too small")


def test_only_the_picked_categories_count(clone: Clone) -> None:
    clone.commit(CONTRACT, WIDER)
    report = clone.judge(categories=frozenset({Category.WIRE_REQUEST}))
    assert report.verdict is Verdict.COMPATIBLE
    assert len(report.findings) == 1
    assert report.summary["not_counted"] == 1
    assert "1 finding outside the picked categories (wire-request) is not counted." in (
        report.headline
    )
    (row,) = report.details["documents"]
    assert row["verdict"] == "compatible"


OVERLAY = """overlay: 1.0.0
info: {title: corrections, version: '1', x-reason: The vendor does not list this value.}
actions:
  - target: $.paths['/orders'].get.responses['200'].content['application/json'].schema
    update: {properties: {state: {enum: [HELD]}}}
"""
SIDECAR = """source: 1
document: openapi.yaml
from: https://shop.example/openapi.yaml
imported: "2026-11-23T00:00:00Z"
sha256: {digest}
overlays:
  - {{file: overlays/1-fix.yaml, title: corrections, sha256: {digest}}}
"""


class TestFiledOverlays:
    """A correction filed with a document is part of it, and touching it touches the document."""

    def filed(self, clone: Clone, overlay: str = OVERLAY) -> None:
        folder = clone.root / "contracts/shop/orders/v1"
        (folder / "overlays").mkdir(exist_ok=True)
        (folder / "overlays/1-fix.yaml").write_text(overlay)
        clone.commit("contracts/shop/orders/v1/source.yaml", SIDECAR.format(digest="ab" * 32))

    def test_a_correction_that_adds_a_value_is_judged(self, clone: Clone) -> None:
        self.filed(clone)
        report = clone.judge()
        assert report.summary["documents"] == 1
        assert [f.rule for f in report.findings] == ["response-enum-value-added"]

    def test_a_change_of_the_overlay_alone_touches_its_document(self, clone: Clone) -> None:
        self.filed(clone)
        clone.commit(
            "contracts/shop/orders/v1/overlays/1-fix.yaml", OVERLAY.replace("[HELD]", "[GONE]")
        )
        assert clone.judge().verdict is Verdict.BREAKING

    def test_a_vendor_that_catches_up_with_the_correction_breaks_nobody(self, clone: Clone) -> None:
        self.filed(clone)
        clone.commit(CONTRACT, WIDER)
        report = clone.judge()
        assert report.summary["documents"] == 1
        assert report.verdict is Verdict.COMPATIBLE

    def test_a_correction_that_is_missing_is_never_green(self, clone: Clone) -> None:
        self.filed(clone)
        clone.commit("contracts/shop/orders/v1/overlays/1-fix.yaml", None)
        report = clone.judge()
        assert report.verdict is Verdict.NOT_CHECKED
        assert "overlays/1-fix.yaml" in report.not_checked[0].reason
