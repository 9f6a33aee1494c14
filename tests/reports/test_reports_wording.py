"""The words every format shares: order, names of the sides, facts, and details as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.model.finding import (
    Accepted,
    Category,
    Context,
    Direction,
    Finding,
    Occurrence,
    Proof,
    Report,
    Severity,
    Verdict,
)
from harness.model.values import Json
from reports.wording import (
    Section,
    by_rule,
    by_weight,
    facts,
    kinds,
    outcome,
    reach,
    said,
    scalar,
    sections,
    side_names,
    summary_line,
    titled,
    witness_words,
)

FINDING = Finding(
    fingerprint="0123456789ab",
    rule="request-type-changed",
    category=Category.WIRE_REQUEST,
    verdict=Verdict.BREAKING,
    message="quantity: the type changed.",
    direction=Direction.REQUEST,
    operations=("POST /orders",),
    field="quantity",
    proof=Proof.WITNESS,
)


def report_of(*findings: Finding, command: str = "diff", details: Json = None) -> Report:
    return Report(command, "A title", Verdict.BREAKING, findings, details=details or {})


class TestOrder:
    def test_worst_first(self) -> None:
        low = replace(FINDING, severity=Severity.LOW, fingerprint="low")
        high = replace(FINDING, severity=Severity.HIGH, fingerprint="high")
        green = replace(FINDING, verdict=Verdict.COMPATIBLE, fingerprint="green")
        unknown = replace(FINDING, verdict=Verdict.UNPROVEN, fingerprint="unknown")
        blind = replace(FINDING, verdict=Verdict.NOT_CHECKED, fingerprint="blind")
        ranked = by_weight([green, unknown, low, blind, high])
        assert [f.fingerprint for f in ranked] == ["high", "low", "blind", "unknown", "green"]

    def test_rules_by_how_often_they_fire(self) -> None:
        rules = [
            replace(FINDING, rule=rule, fingerprint=rule + n) for rule, n in ("b1", "a1", "b2")
        ]
        docs = [replace(FINDING, rule="d", category=Category.DOCS) for _ in range(9)]
        groups = [(rule, len(members)) for rule, members in by_rule(docs + rules)]
        assert groups == [("b", 2), ("a", 1), ("d", 9)]

    def test_each_finding_is_of_one_kind(self) -> None:
        accepted = replace(FINDING, accepted=Accepted("why", "who", "2027-01-01"))
        lost = replace(FINDING, verdict=Verdict.COMPATIBLE, category=Category.DATA_LOSS)
        accepted_loss = replace(lost, accepted=accepted.accepted)
        green = replace(FINDING, verdict=Verdict.COMPATIBLE)
        found = kinds(report_of(FINDING, accepted, lost, accepted_loss, green))
        assert found.urgent == [FINDING]
        assert found.lost == [lost]
        assert found.accepted == [accepted, accepted_loss]
        assert found.harmless == [green]


class TestWords:
    def test_sides_of_documents_and_of_a_live_channel(self) -> None:
        assert side_names(report_of()) == ("old", "new")
        assert side_names(report_of(command="scan")) == ("agreed", "now")

    def test_a_chaos_run_keeps_promises(self) -> None:
        run = replace(report_of(command="chaos run"), verdict=Verdict.COMPATIBLE)
        assert outcome(run) == "every promise held"

    def test_the_field_is_said_once(self) -> None:
        assert said(FINDING) == "The type changed."
        assert titled(FINDING) == "quantity: the type changed."
        bare = replace(FINDING, message="The type changed.")
        assert said(bare) == "The type changed."
        assert titled(bare) == "quantity: The type changed."
        assert titled(replace(bare, field="")) == "The type changed."

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({}, "a request that was valid and is refused now"),
            (
                {"direction": Direction.RESPONSE},
                "an answer that is valid now and that old clients cannot read",
            ),
            ({"proof": Proof.STRUCTURE}, "an exchange that used to work"),
            ({"direction": None}, "an exchange that shows it"),
            ({"verdict": Verdict.UNPROVEN}, "an exchange that shows it"),
        ],
    )
    def test_the_witness_is_called_what_it_is(self, changes: dict[str, Json], words: str) -> None:
        assert witness_words(replace(FINDING, **changes)) == words

    def test_counts_are_a_sentence_part(self) -> None:
        summary = {"breaking": 0, "operations_compared": 1, "note": "text", "done": True}
        assert summary_line(replace(report_of(), summary=summary)) == (
            "0 breaking, 1 operation compared"
        )

    def test_facts_come_in_reading_order(self) -> None:
        context = Context(
            system="shop",
            region="eu",
            samples=3,
            samples_checked=9,
            consumers=("erp", "wms"),
            owner="orders team",
            action="Read it as text.",
            deadline="2027-01-01",
            effect="Orders wait.",
            first_seen="2026-11-22T03:17:00.000Z",
        )
        assert facts(replace(FINDING, context=context, reason="because")) == [
            ("effect", "Orders wait."),
            ("do", "orders team: Read it as text. (by 2027-01-01)"),
            ("why", "because"),
            ("seen in", "3 of 9 samples"),
            ("first seen", "2026-11-22 03:17 UTC"),
            ("consumers", "erp, wms"),
            ("where", "shop, eu"),
        ]

    def test_owner_and_deadline_are_told_without_an_action_too(self) -> None:
        context = Context(owner="orders team", deadline="2027-01-01")
        known = facts(replace(FINDING, context=context))
        assert known == [("owner", "orders team"), ("by", "2027-01-01")]

    def test_reach_names_the_field_where_it_is_another(self) -> None:
        places = (Occurrence("GET /a", "quantity"), Occurrence("GET /b", "lines[].quantity"))
        assert reach(FINDING) == ["POST /orders"]
        assert reach(replace(FINDING, occurrences=places)) == [
            "GET /a",
            "GET /b (lines[].quantity)",
        ]


class TestDetails:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "–"),
            (True, "yes"),
            (False, "no"),
            (3, "3"),
            ("2026-11-23T03:17:00Z", "2026-11-23 03:17 UTC"),
            ([1, "a"], "1, a"),
            ([], "–"),
            ({"p50": 2, "ok": True}, "p50 2, ok yes"),
            ([{"a": 1}], '[{"a": 1}]'),
        ],
    )
    def test_a_value_in_a_cell(self, value: Json, text: str) -> None:
        assert scalar(value) == text

    def test_single_values_share_a_table_and_the_rest_have_their_own(self) -> None:
        details = {
            "seed": 7,
            "rows": [{"a": 1, "b": 2}, {"b": 3}],
            "pairs": {"x_y": 1},
            "lines": ["one", "two"],
            "levels": {
                "order_flow": {"to_erp": {"half": 1}, "back": {"half": 2, "most": 3}},
                "n": 4,
            },
        }
        assert sections(report_of(details=details)) == [
            Section("About this run", (), (("Seed", "7"),)),
            Section("Rows", ("A", "B"), (("1", "2"), ("–", "3"))),
            Section("Pairs", (), (("X y", "1"),)),
            Section("Lines", (), (), "one\ntwo"),
            Section(
                "Levels",
                ("Measure", "Part", "Half", "Most"),
                (
                    ("Order flow", "To erp", "1", "–"),
                    ("Order flow", "Back", "2", "3"),
                    ("N", "", "4", ""),
                ),
            ),
        ]
