"""The owner's report says what to do, and silence about a channel is never good news."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.drift import FindingsStore, OperationCoverage, ScanResult, ScanTarget
from harness.drift.owner_report import owner_report
from harness.model.finding import Category, Context, Finding, Severity, Verdict
from harness.model.ports import Credentials

SYSTEM = {
    "name": "shop",
    "title": "The Shop",
    "owner": {"role": "channel owner", "deputy": "deputy"},
    "support": {"route": "a case", "wants": ["request id"]},
}
NOW = "2026-11-23T04:00:00.000Z"
LATER_US = 1_795_400_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FindingsStore]:
    made = FindingsStore(f"sqlite:///{tmp_path / 'findings.db'}")
    yield made
    made.close()


def scanned(*findings: Finding, checked: int = 1) -> ScanResult:
    return ScanResult(
        target=ScanTarget("shop", "orders/v1", Credentials()),
        contract="shop",
        contract_version="1",
        started_us=LATER_US,
        finished_us=LATER_US,
        findings=findings,
        not_checked=(),
        coverage=(OperationCoverage("GET /orders", 3, 3, 3, checked, {200: 3}),),
    )


def difference(verdict: Verdict, severity: Severity) -> Finding:
    return Finding(
        fingerprint="0123456789ab",
        rule="observed-type-changed",
        category=Category.WIRE_RESPONSE,
        verdict=verdict,
        message="The price is a number.",
        operations=("GET /orders",),
        severity=severity,
        context=Context(system="shop"),
    )


def test_a_channel_never_scanned_is_not_checked(store: FindingsStore) -> None:
    report = owner_report(store, SYSTEM, generated_at=NOW)
    assert report.verdict is Verdict.NOT_CHECKED
    assert report.exit_code() == 3
    assert "driftgate scan shop" in report.not_checked[0].remedy


def test_a_clean_scan_is_good_news(store: FindingsStore) -> None:
    store.remember(scanned())
    report = owner_report(store, SYSTEM, generated_at=NOW)
    assert report.verdict is Verdict.COMPATIBLE
    assert "No difference" in report.headline


def test_an_operation_that_was_not_reached_is_not_checked(store: FindingsStore) -> None:
    store.remember(scanned(checked=0))
    report = owner_report(store, SYSTEM, generated_at=NOW)
    assert report.verdict is Verdict.NOT_CHECKED
    assert "0 of 1" in report.not_checked[0].reason
    assert "Nothing is known" in report.headline


def test_the_headline_names_the_worst_and_since_when(store: FindingsStore) -> None:
    store.remember(scanned(difference(Verdict.BREAKING, Severity.CRITICAL)))
    report = owner_report(store, SYSTEM, generated_at=NOW)
    assert report.verdict is Verdict.BREAKING
    assert "critical" in report.headline
    assert "The price is a number" in report.headline
    assert "First seen 2026-" in report.headline
    assert report.details["who_to_ask"]["vendor_route"] == "a case"


def test_tolerated_differences_ask_for_nothing(store: FindingsStore) -> None:
    store.remember(scanned(difference(Verdict.COMPATIBLE, Severity.LOW)))
    report = owner_report(store, SYSTEM, generated_at=NOW)
    assert report.verdict is Verdict.COMPATIBLE
    assert "nothing to do" in report.headline
