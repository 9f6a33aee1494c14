"""Proves that the store keeps first and last sighting, and closes only what a scan looked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from harness.drift import FindingsStore, OperationCoverage, ScanResult, ScanTarget
from harness.model.errors import UsageError
from harness.model.finding import Category, Finding, Verdict
from harness.model.ports import Credentials

LABEL = "GET /orders"
DAY = 86_400_000_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'findings.db'}"


@pytest.fixture
def store(url: str) -> Iterator[FindingsStore]:
    opened = FindingsStore(url)
    yield opened
    opened.close()


def result(day: int, *fingerprints: str, succeeded: int = 1, account: str = "main") -> ScanResult:
    found = tuple(
        Finding(f, "observed-x", Category.WIRE_RESPONSE, Verdict.BREAKING, f, operations=(LABEL,))
        for f in fingerprints
    )
    target = ScanTarget("shop", "orders/v1", Credentials(), account=account)
    row = OperationCoverage(LABEL, 1, 1, 1, succeeded, {200: 1})
    return ScanResult(target, "c", "1", day * DAY, day * DAY, found, (), (row,))


def test_a_finding_keeps_its_first_sighting(store: FindingsStore) -> None:
    store.remember(result(1, "a"))
    (again,) = store.remember(result(3, "a"))

    assert again.context.first_seen == "1970-01-02T00:00:00.000Z"
    assert again.context.last_seen == "1970-01-04T00:00:00.000Z"
    assert [h.times_seen for h in store.history()] == [2]


def test_a_clean_scan_closes_and_a_return_opens_again(store: FindingsStore) -> None:
    store.remember(result(1, "a"))
    store.remember(result(2))
    assert store.open_findings("shop") == ()
    store.remember(result(3, "a"))
    assert [f.fingerprint for f in store.open_findings("shop")] == ["a"]


def test_a_scan_that_could_not_look_closes_nothing(store: FindingsStore) -> None:
    store.remember(result(1, "a"))
    store.remember(result(2, succeeded=0))

    assert [f.fingerprint for f in store.open_findings("shop")] == ["a"]


def test_accounts_are_kept_apart(store: FindingsStore) -> None:
    store.remember(result(1, "a"))
    store.remember(result(2, account="second"))

    assert [f.fingerprint for f in store.open_findings("shop")] == ["a"]


def test_a_store_of_another_layout_is_refused(url: str, store: FindingsStore) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE driftgate_store SET schema_version = 99"))
    engine.dispose()

    with pytest.raises(UsageError, match="99"):
        FindingsStore(url)
