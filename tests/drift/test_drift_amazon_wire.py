"""Proves a scan against the Amazon simulator on loopback: silent when clean, exact when drifted.

Trouble that is not drift (a stopped server, a wrong secret, a throttle) is reported as not
checked with exit code 3, never as a finding and never as clean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.catalog import Catalog, contracts_root
from harness.cli.real_world import WireClient
from harness.drift import Budget, FindingsStore, ScanResult, ScanTarget, scan
from harness.model.errors import ExitCode
from harness.model.finding import Severity, Verdict
from harness.model.ports import Credentials
from harness.simulation.clock import SystemClock
from harness.simulation.streams import SeededStreams
from mocks.kit.estate import Estate
from mocks.kit.roles import DraftLine, OrderDraft
from mocks.kit.wire import WireServer

NAME = "amazon_spapi"
API = ("orders", "2026-01-01")

pytestmark = pytest.mark.slow


def scanned(
    *,
    pack: str | None = None,
    api: tuple[str, str] = API,
    secret: str | None = None,
    stop_first: bool = False,
    seed: int = 1,
    prepare: Callable[[Estate], None] | None = None,
) -> ScanResult:
    return asyncio.run(_scanned(pack, api, secret, stop_first, seed, prepare))


async def _scanned(
    pack: str | None,
    api: tuple[str, str],
    secret: str | None,
    stop_first: bool,
    seed: int,
    prepare: Callable[[Estate], None] | None,
) -> ScanResult:
    catalog = Catalog(contracts_root())
    clock = SystemClock()
    estate = Estate(
        [NAME],
        catalog=catalog,
        clock=clock,
        streams=SeededStreams(7),
        latency=False,
        drift_packs={NAME: pack},
    )
    shop = estate.simulators[NAME]
    for number in range(3):
        shop.list_sku(f"SKU-{number}", 50, clock.now_us() - 7_200_000_000)  # type: ignore[attr-defined]
        line = DraftLine(f"SKU-{number}", 1 + number, "12.50", "Mug")
        shop.place_order(  # type: ignore[attr-defined]
            OrderDraft((line,), "USD", "A. Buyer", "Austin", "US", "73301"),
            clock.now_us() - 3_600_000_000,
        )
    if prepare:
        prepare(estate)
    server = WireServer(estate.edges[NAME])
    url = await server.start()
    if stop_first:
        await server.close()
    try:
        access = estate.access(NAME, url)
        values = dict(access.credentials.values)
        if secret is not None:
            values["client_secret"] = secret
        target = ScanTarget(
            name=NAME,
            api="/".join(api),
            credentials=Credentials(values),
            behaviour=catalog.behaviour(NAME),
            system=catalog.system(NAME).data,
            mapping=catalog.mapping(NAME, *api),
            environment="sandbox",
            region="na",
            account="main",
            known={k: (v,) for k, v in access.parameters.items()},
        )
        async with WireClient(url) as client:
            return await scan(
                target,
                catalog.contract(NAME, *api).contract,
                client=client,
                clock=clock,
                streams=SeededStreams(seed),
                budget=Budget(samples=4, timeout_s=10),
            )
    finally:
        if not stop_first:
            await server.close()


@pytest.mark.parametrize("api", [API, ("orders", "v0")])
def test_the_clean_channel_is_silent_and_every_reading_operation_was_seen(
    api: tuple[str, str],
) -> None:
    result = scanned(api=api)

    assert result.findings == ()
    assert result.not_checked == ()
    assert result.verdict is Verdict.COMPATIBLE
    assert all(c.succeeded for c in result.coverage)
    assert result.report().exit_code() is ExitCode.CLEAN


def test_the_next_shape_is_named_field_by_field(tmp_path: Path) -> None:
    result = scanned(pack="2026-11-30-next-shape")
    by_field = {f.field: f for f in result.findings}

    price = by_field["orders[].orderItems[].product.price.unitPrice.amount"]
    assert price.rule == "observed-type-changed"
    assert price.severity is Severity.CRITICAL
    assert "/lines/unit_price" in price.context.canonical_fields
    assert price.old == "string"
    state = by_field["orders[].fulfillment.fulfillmentStatus"]
    assert state.rule == "observed-enum-value-unknown"
    assert state.new == "AWAITING_PICKUP"
    promise = by_field["orders[].deliveryPromise"]
    assert (promise.rule, promise.verdict) == ("observed-field-undeclared", Verdict.COMPATIBLE)
    assert len(result.findings) == 3
    assert result.report().exit_code() is ExitCode.FINDINGS

    store = FindingsStore(f"sqlite:///{tmp_path / 'findings.db'}")
    assert len(store.remember(result)) == 3
    assert {f.fingerprint for f in store.open_findings(NAME)} == {
        f.fingerprint for f in result.findings
    }
    store.remember(replace(scanned(), finished_us=result.finished_us + 1))
    assert store.open_findings(NAME) == ()
    store.close()


def test_no_credential_and_no_buyer_reaches_the_findings() -> None:
    result = scanned(pack="2026-11-30-next-shape")
    text = str([f.to_json() for f in result.findings])

    assert "A. Buyer" not in text
    assert "x-amz-access-token" not in text


def test_a_stopped_server_is_not_checked() -> None:
    report = scanned(stop_first=True).report()

    assert report.verdict is Verdict.NOT_CHECKED
    assert report.findings == ()
    assert "cannot be" in report.not_checked[0].reason
    assert report.exit_code() is ExitCode.NOT_CHECKED


def test_a_wrong_secret_is_a_closed_door_and_not_drift() -> None:
    report = scanned(secret="wrong").report()

    assert report.verdict is Verdict.NOT_CHECKED
    assert report.findings == ()
    assert "authentication was refused" in report.not_checked[0].reason
    assert report.exit_code() is ExitCode.NOT_CHECKED


def test_the_same_seed_asks_the_same_questions() -> None:
    asked: list[list[str]] = []
    for _ in range(2):
        estates: list[Estate] = []
        scanned(seed=11, prepare=estates.append)
        asked.append([f"{c.method} {c.path}" for c in estates[0].books[NAME].calls])

    assert asked[0] == asked[1]
    assert len(asked[0]) > 4
