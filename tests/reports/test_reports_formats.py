"""Every format carries the same findings, matches its samples, and is the same on every run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.model.errors import SourceLocation, UsageError
from harness.model.finding import (
    Accepted,
    Category,
    Context,
    Direction,
    Evidence,
    Finding,
    NotChecked,
    Occurrence,
    Places,
    Proof,
    Report,
    Severity,
    Sides,
    Verdict,
    Witness,
)
from reports import FORMATS, render

SAMPLES = Path(__file__).parents[2] / "reports" / "samples"


def scan_report() -> Report:
    breaking = Finding(
        fingerprint="0123456789ab",
        rule="response-type-changed",
        category=Category.WIRE_RESPONSE,
        verdict=Verdict.BREAKING,
        message="Quantity is text where a number was agreed",
        direction=Direction.RESPONSE,
        operations=("GET /orders", "GET /orders/{orderId}"),
        pointer=Sides("/paths/~1orders/get", "/paths/~1orders/get"),
        field="orders[].quantity",
        old={"type": "integer"},
        new={"type": "string"},
        proof=Proof.WITNESS,
        witness=Witness({"orders": [{"quantity": "2"}]}, {"status": 200}),
        severity=Severity.CRITICAL,
        places=Places(SourceLocation("old.yaml", 12, 7), SourceLocation("new.yaml", 14, 7)),
        evidence=Evidence("2026-11-23T03:17:00.000Z", {"method": "GET"}, {"status": 200}, "r-1"),
        context=Context(
            system="amazon_spapi",
            first_seen="2026-11-22T03:17:00.000Z",
            last_seen="2026-11-23T03:17:00.000Z",
            samples=3,
            samples_checked=20,
            canonical_fields=("order.lines[].quantity",),
            owner="channel owner",
            action="Read the quantity as text.",
            deadline="2026-12-01",
            effect="Orders are set aside.",
        ),
    )
    tolerated = Finding(
        fingerprint="ba9876543210",
        rule="response-property-added",
        category=Category.DOCS,
        verdict=Verdict.COMPATIBLE,
        message="A new field appeared",
        operations=("GET /orders",),
        field="orders[].colour",
        new={"type": "string"},
    )
    return Report(
        command="scan",
        title="Drift scan of amazon_spapi",
        headline="One agreed field changed its type.",
        verdict=Verdict.BREAKING,
        findings=(tolerated, breaking),
        not_checked=(NotChecked("GET /returns", "throttled", "Scan again later."),),
        summary={"breaking": 1, "compatible": 1},
        details={"coverage": [{"operation": "GET /orders", "samples": 20}], "seed": {"seed": 7}},
        generated_at="2026-11-23T03:18:00.000Z",
        replay="driftgate scan amazon_spapi --seed 7",
    )


def _places(old: int, new: int) -> Places:
    name = "contracts/shop/orders/{}/openapi.yaml"
    return Places(
        SourceLocation(name.format("v1"), old, 5), SourceLocation(name.format("v2"), new, 5)
    )


def _answer_finding() -> Finding:
    order = {"id": "A-1", "status": "AWAITING_PICKUP", "lines": [{"sku": "MUG-01", "quantity": 2}]}
    exchange = {
        "method": "GET",
        "path": "/orders/{orderId}",
        "target": "/orders/A-1",
        "status": 200,
        "content_type": "application/json",
        "body": order,
    }
    return Finding(
        fingerprint="71542ea38bf0",
        rule="response-enum-value-added",
        category=Category.WIRE_RESPONSE,
        verdict=Verdict.BREAKING,
        message=(
            'status: the value "AWAITING_PICKUP" may be sent now; the old contract did not list it.'
        ),
        direction=Direction.RESPONSE,
        operations=(
            "GET /orders/{orderId}",
            "GET /orders",
            *(f"GET /reports/{n}/orders" for n in range(1, 13)),
        ),
        pointer=Sides("/components/schemas/Order", "/components/schemas/Order"),
        field="status",
        new="AWAITING_PICKUP",
        proof=Proof.WITNESS,
        witness=Witness(order, exchange),
        places=_places(40, 41),
        occurrences=(
            Occurrence("GET /orders/{orderId}", "status"),
            Occurrence("GET /orders", "orders[].status"),
            *(Occurrence(f"GET /reports/{n}/orders", "status") for n in range(1, 13)),
        ),
    )


def _request_findings() -> tuple[Finding, ...]:
    call = {"method": "POST", "path": "/orders", "target": "/orders?dryRun=true"}
    return (
        Finding(
            fingerprint="5f0c9d1e2a3b",
            rule="request-property-type-changed",
            category=Category.WIRE_REQUEST,
            verdict=Verdict.BREAKING,
            message="shipTo: addresses are read otherwise now.",
            direction=Direction.REQUEST,
            operations=("POST /orders",),
            field="shipTo",
            old={
                "type": "object",
                "required": ["street", "city"],
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
            new={
                "type": "object",
                "required": ["lines", "city"],
                "properties": {
                    "lines": {"type": "array", "items": {"type": "string"}},
                    "city": {"type": "string", "maxLength": 40},
                },
            },
            proof=Proof.WITNESS,
            witness=Witness(
                {"shipTo": {"street": "a", "city": "a"}},
                {
                    **call,
                    "content_type": "application/json",
                    "body": {"shipTo": {"street": "a", "city": "a"}},
                },
            ),
            places=_places(88, 90),
        ),
        Finding(
            fingerprint="c0ffee123456",
            rule="request-parameter-added-required",
            category=Category.WIRE_REQUEST,
            verdict=Verdict.BREAKING,
            message="The header parameter X-Store must be sent now.",
            direction=Direction.REQUEST,
            operations=("POST /orders",),
            field="header.X-Store",
            new="X-Store",
            proof=Proof.STRUCTURE,
            witness=Witness(None, call),
            places=_places(70, 71),
        ),
        Finding(
            fingerprint="aa11bb22cc33",
            rule="request-property-pattern-changed",
            category=Category.WIRE_REQUEST,
            verdict=Verdict.UNPROVEN,
            message="note: texts have to match another pattern now.",
            direction=Direction.REQUEST,
            operations=("POST /orders",),
            field="note",
            old="^(?!x).*$",
            new="^[^x].*$",
            reason="the pattern looks ahead, which is beyond the regular expressions compared here",
            places=_places(95, 99),
        ),
    )


def _harmless_findings() -> tuple[Finding, ...]:
    lost = Finding(
        fingerprint="10570a7a0001",
        rule="request-property-removed",
        category=Category.DATA_LOSS,
        verdict=Verdict.COMPATIBLE,
        message="giftMessage: the property giftMessage is not described any more.",
        direction=Direction.REQUEST,
        operations=("POST /orders", "PUT /orders/{orderId}"),
        field="giftMessage",
        old="giftMessage",
        places=_places(101, 90),
    )
    added = [
        Finding(
            fingerprint=f"add0000000{number:02}",
            rule="response-property-added",
            category=Category.WIRE_RESPONSE,
            verdict=Verdict.COMPATIBLE,
            message=f"lines[].extra{number}: the property extra{number} is new.",
            direction=Direction.RESPONSE,
            operations=("GET /orders/{orderId}",),
            field=f"lines[].extra{number}",
            new=f"extra{number}",
        )
        for number in range(1, 6)
    ]
    accepted = Finding(
        fingerprint="acce97ed0001",
        rule="operation-removed",
        category=Category.WIRE_REQUEST,
        verdict=Verdict.BREAKING,
        message="The operation is gone.",
        direction=Direction.REQUEST,
        operations=("GET /labels",),
        old="GET /labels",
        proof=Proof.STRUCTURE,
        witness=Witness(None, {"method": "GET", "target": "/labels"}),
        places=Places(old=SourceLocation("contracts/shop/orders/v1/openapi.yaml", 140, 5)),
        accepted=Accepted("Nobody printed labels for a year.", "warehouse team", "2027-03-31"),
    )
    return lost, accepted, *added


def diff_report() -> Report:
    findings = (_answer_finding(), *_request_findings(), *_harmless_findings())
    return Report(
        command="diff",
        title="Shop orders: 1.4.0 against 2.0.0",
        verdict=Verdict.BREAKING,
        findings=findings,
        not_checked=(
            NotChecked(
                "POST /import",
                "its body refers to https://example.invalid/types.json.",
                "Allow remote references, or keep a copy beside the contract.",
            ),
        ),
        headline="3 changes break clients of the old contract.",
        summary={"breaking": 4, "unproven": 1, "compatible": 6, "operations_compared": 18},
    )


def clean_report() -> Report:
    return Report(
        command="diff",
        title="Shop orders: 1.4.0 against 1.4.1",
        verdict=Verdict.COMPATIBLE,
        headline="Clients of the old contract keep working.",
        summary={"breaking": 0, "unproven": 0, "compatible": 0, "operations_compared": 18},
    )


REPORTS = {"scan": scan_report, "diff": diff_report}


def write_samples(folder: Path) -> None:
    for name, made in REPORTS.items():
        for fmt in FORMATS:
            text = render(made(), fmt)
            (folder / f"{name}.{fmt}").write_text(text, encoding="utf-8")


class TestEveryFormat:
    def test_every_design_format_exists(self) -> None:
        assert set(FORMATS) == {
            *("text", "json", "ndjson", "markdown", "html", "sarif", "junit", "github")
        }

    @pytest.mark.parametrize("fmt", FORMATS)
    @pytest.mark.parametrize("name", REPORTS)
    def test_matches_its_sample(self, name: str, fmt: str) -> None:
        expected = (SAMPLES / f"{name}.{fmt}").read_bytes()
        assert render(REPORTS[name](), fmt).encode() == expected

    @pytest.mark.parametrize("fmt", FORMATS)
    def test_names_every_finding_that_needs_somebody(self, fmt: str) -> None:
        report = diff_report()
        text = render(report, fmt)
        for finding in report.findings:
            if finding.verdict is not Verdict.COMPATIBLE or finding.category is Category.DATA_LOSS:
                assert finding.fingerprint in text, (fmt, finding.rule)
        assert "POST /import" in text
        assert "looks ahead" in text

    @pytest.mark.parametrize("fmt", ["json", "ndjson", "sarif", "junit", "html"])
    def test_lists_every_harmless_finding_in_full(self, fmt: str) -> None:
        text = render(diff_report(), fmt)
        assert all(f.fingerprint in text for f in diff_report().findings)

    @pytest.mark.parametrize("fmt", ["text", "markdown", "html", "github", "junit"])
    def test_shows_the_witness_as_an_exchange(self, fmt: str) -> None:
        text = render(diff_report(), fmt)
        assert "GET /orders/A-1 HTTP/1.1" in text
        assert "HTTP/1.1 200 OK" in text
        assert "Content-Type: application/json" in text

    @pytest.mark.parametrize("fmt", ["text", "markdown", "html", "github", "junit", "sarif"])
    def test_names_both_places_or_the_new_one(self, fmt: str) -> None:
        text = render(diff_report(), fmt)
        assert "contracts/shop/orders/v2/openapi.yaml" in text

    @pytest.mark.parametrize("fmt", FORMATS)
    def test_says_who_accepted_what_until_when(self, fmt: str) -> None:
        text = render(diff_report(), fmt)
        for part in ("2027-03-31", "warehouse team", "Nobody printed labels for a year."):
            assert part in text

    @pytest.mark.parametrize("fmt", FORMATS)
    def test_names_another_field_where_a_cause_shows_elsewhere(self, fmt: str) -> None:
        # Annotations only count the operations.
        assert ("orders[].status" in render(diff_report(), fmt)) is (fmt != "github")

    @pytest.mark.parametrize("fmt", FORMATS)
    def test_a_run_without_findings_says_so(self, fmt: str) -> None:
        text = render(clean_report(), fmt)
        if fmt in {"ndjson", "github"}:
            assert text == ""
        else:
            assert "1.4.1" in text or '"compatible"' in text

    def test_unknown_format_names_the_choices(self) -> None:
        with pytest.raises(UsageError, match=re.escape(", ".join(FORMATS))):
            render(scan_report(), "pdf")


@pytest.mark.slow
def test_every_format_is_the_same_under_another_hash_seed(tmp_path: Path) -> None:
    for seed in ("1", "4242"):
        folder = tmp_path / seed
        folder.mkdir()
        subprocess.run(
            [sys.executable, __file__, str(folder)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            timeout=60,
        )
    first, second = (
        {p.name: p.read_bytes() for p in (tmp_path / s).iterdir()} for s in ("1", "4242")
    )
    assert first == second
    assert len(first) == len(REPORTS) * len(FORMATS)


def test_json_is_the_object_of_the_design() -> None:
    data = json.loads(render(scan_report(), "json"))
    assert list(data)[:3] == ["verdict", "findings", "summary"]
    assert data["findings"][1]["pointer"] == {
        "old": "/paths/~1orders/get",
        "new": "/paths/~1orders/get",
    }
    assert data["findings"][1]["witness"]["value"] == {"orders": [{"quantity": "2"}]}
    assert data["findings"][0]["witness"] is None


def test_ndjson_is_one_object_a_line() -> None:
    lines = render(scan_report(), "ndjson").splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == [
        "compatible",
        "breaking",
        "not_checked",
    ]


def test_github_shares_one_notice_among_harmless_differences_of_a_rule() -> None:
    lines = render(diff_report(), "github").splitlines()
    levels = [line.split(" ", 1)[0] for line in lines]
    assert levels == ["::error"] * 3 + ["::warning", "::error"] + ["::notice"] * 3
    assert "valid but lost" in lines[-3]
    assert "accepted%3A operation-removed" in lines[-2]
    assert "5 differences" in lines[-1]


if __name__ == "__main__":
    # `make samples` writes the golden files again; read the difference before committing it.
    write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
