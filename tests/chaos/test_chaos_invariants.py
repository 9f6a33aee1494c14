"""Proves each invariant alone: hand-written books that break it, and a near miss that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.chaos.invariants import INVARIANTS, judge
from harness.chaos.ledger import Ledger
from harness.chaos.scenario import (
    ChangeStep,
    Phases,
    PlayedSystem,
    Scenario,
    ServiceLevels,
    Tolerances,
    Workload,
)
from harness.chaos.service_levels import order_waits, percentile_us, recovery_us, stock_waits
from mocks.kit.books import BookKind, Books

MINUTE = 60_000_000
START = 1_800_000_000_000_000
LINES = [{"sku": "A", "quantity": 2, "unit_price": "9.90"}]
SHOP, ERP = "shop", "erp"


def scenario(*changes: ChangeStep) -> Scenario:
    return Scenario(
        name="by-hand",
        title="By hand",
        seed=1,
        start_us=START,
        channels=(PlayedSystem(SHOP),),
        erp=PlayedSystem(ERP),
        skus=1,
        currency="EUR",
        phases=Phases(10 * MINUTE, 60 * MINUTE, 30 * MINUTE, 20 * MINUTE, 5 * MINUTE),
        workload=Workload(0, 1, 0, 0, (), None, 0),
        faults=(),
        squeezes=(),
        changes=changes,
        crashes=(),
        invariants=tuple(INVARIANTS),
        tolerances=Tolerances(),
        service_levels=ServiceLevels(),
        must_happen={},
    )


class Night:
    """Books that a test fills in."""

    def __init__(self, *changes: ChangeStep) -> None:
        self.shop = Books(SHOP)
        self.erp = Books(ERP)
        self.listed: dict[str, int | None] = {"A": 5}
        self.available: dict[str, int | None] = {"A": 5}
        self.scenario = scenario(*changes)

    def place(self, order_id: str, minute: int, **more: Any) -> None:
        data = {"currency": "EUR", "lines": LINES, "pending": False, **more}
        self.shop.enter(START + minute * MINUTE, BookKind.ORDER_PLACED, order_id, data)

    def create(self, key: str, minute: int, internal: str = "1", **more: Any) -> None:
        data = {"id": internal, "currency": "EUR", "lines": LINES, **more}
        self.erp.enter(START + minute * MINUTE, BookKind.SALES_ORDER_CREATED, key, data)

    def publish(self, quantity: int, minute: int = 1) -> None:
        data = {"quantity": quantity}
        self.shop.enter(START + minute * MINUTE, BookKind.QUANTITY_PUBLISHED, "A", data)

    def call(self, second: float, outcome: str, path: str = "/x", method: str = "GET") -> None:
        self.shop.record_call(
            at_us=START + round(second * 1_000_000),
            request_id=f"r{len(self.shop.calls)}",
            method=method,
            path=path,
            operation_id="orders/v1#search",
            account="a",
            status=429 if outcome == "throttled" else 200,
            outcome=outcome,
            delivered=True,
        )

    def ledger(self) -> Ledger:
        quota = {
            "id": "search",
            "kind": "token_bucket",
            "operations": ["orders/v1#search"],
            "rate_per_second": 0.1,
        }
        return Ledger(
            scenario=self.scenario,
            channels={SHOP: self.shop},
            erp=self.erp,
            listed={SHOP: self.listed},
            available=self.available,
            behaviours={SHOP: {"quotas": [quota]}, ERP: {}},
            ended_us=START + 120 * MINUTE,
            replay="driftgate chaos run by-hand --seed 1",
        )

    def rules(self) -> list[str]:
        return [f.rule for f in judge(self.ledger())]


def fine(night: Night) -> None:
    night.place("111", 1)
    night.create("shop:111", 5)


def doubled(night: Night) -> None:
    fine(night)
    night.create("shop:111-again", 6, "2")


def doubled_under_a_key_of_its_own(night: Night) -> None:
    fine(night)
    night.create("random-key", 6, "2")


def two_buyers_want_the_same(night: Night) -> None:
    fine(night)
    night.place("222", 1)
    night.create("random-key", 6, "2")


def out_of_nowhere(night: Night) -> None:
    fine(night)
    night.create("x", 6, "2", lines=[{"sku": "B", "quantity": 1, "unit_price": "1"}])


def lost(night: Night) -> None:
    fine(night)
    night.place("222", 2)


def cancelled_instead(night: Night) -> None:
    lost(night)
    night.shop.enter(START + 3 * MINUTE, BookKind.ORDER_CANCELLED, "222")


def a_cent_off(night: Night) -> None:
    night.place("111", 1)
    night.create("111", 5, lines=[{"sku": "A", "quantity": 2, "unit_price": "9.91"}])


def other_currency(night: Night) -> None:
    night.place("111", 1)
    night.create("111", 5, currency="USD")


def spelled_otherwise(night: Night) -> None:
    night.place("111", 1)
    night.create("111", 5, lines=[{"sku": "A", "quantity": 2, "unit_price": "9.9"}])


def too_early(night: Night) -> None:
    night.place("111", 1, pending=True)
    night.create("111", 5)
    night.shop.enter(START + 6 * MINUTE, BookKind.ORDER_RELEASED, "111")


def after_release(night: Night) -> None:
    night.place("111", 1, pending=True)
    night.shop.enter(START + 4 * MINUTE, BookKind.ORDER_RELEASED, "111")
    night.create("111", 5)


def stale_listing(night: Night) -> None:
    night.listed["A"] = 6


def held_for_a_pending_order(night: Night) -> None:
    night.place("111", 1, pending=True)
    night.listed["A"] = 3


def below_zero(night: Night) -> None:
    night.publish(-1)


def exactly_zero(night: Night) -> None:
    night.publish(0)


def sold_out_but_selling(night: Night) -> None:
    night.available["A"], night.listed["A"] = 0, 4


def sold_out_and_closed(night: Night) -> None:
    night.available["A"], night.listed["A"] = 0, 0


def hammering(night: Night) -> None:
    for n in range(8):
        night.call(n, "throttled")


def patient(night: Night) -> None:
    for n in range(8):  # one token takes ten seconds
        night.call(n * 10, "throttled")


def mostly_refused(night: Night) -> None:
    for n in range(30):
        night.call(n * 20, "throttled" if n % 2 else "answered")


def poisoned(night: Night) -> None:
    for n in range(12):
        night.call(n, "invalid", "/order/1", "PUT")


def refused_for_many(night: Night) -> None:
    for n in range(12):
        night.call(n, "invalid", f"/order/{n}", "PUT")


CASES: list[tuple[str, Callable[[Night], None], Callable[[Night], None]]] = [
    ("orders.exactly_once", doubled, fine),
    ("orders.exactly_once", doubled_under_a_key_of_its_own, two_buyers_want_the_same),
    ("orders.exactly_once", out_of_nowhere, fine),
    ("orders.none_lost", lost, cancelled_instead),
    ("orders.lines_exact", a_cent_off, spelled_otherwise),
    ("orders.lines_exact", other_currency, spelled_otherwise),
    ("no.unreleased_orders", too_early, after_release),
    ("stock.converges", stale_listing, held_for_a_pending_order),
    ("stock.never_negative", below_zero, exactly_zero),
    ("stock.zero_means_zero", sold_out_but_selling, sold_out_and_closed),
    ("quota.respected", hammering, patient),
    ("quota.respected", mostly_refused, patient),
    ("retries.bounded", poisoned, refused_for_many),
]


@pytest.mark.parametrize(("rule", "broken", "near_miss"), CASES)
def test_an_invariant_fires_on_its_defect_and_not_on_the_near_miss(
    rule: str, broken: Callable[[Night], None], near_miss: Callable[[Night], None]
) -> None:
    bad, good = Night(), Night()
    broken(bad)
    near_miss(good)
    assert rule in bad.rules()
    assert rule not in good.rules()


def changed_night(arrives_after_minutes: int, touches: float) -> Night:
    night = Night(ChangeStep("new-shape", SHOP, 20 * MINUTE, 60 * MINUTE, touches))
    for n in range(20):
        night.place(f"order-{n:02d}", 21 + n)
        night.create(f"order-{n:02d}", 21 + n + (arrives_after_minutes if n % 2 else 1), f"{n}")
    return night


def test_neighbours_of_a_changed_record_must_not_wait_for_it() -> None:
    assert changed_night(40, touches=0.3).rules() == ["records.neighbours_flow"]
    assert changed_night(10, touches=0.3).rules() == []
    assert changed_night(40, touches=0.5).rules() == []  # half were unreadable: half may wait


def test_calls_are_held_against_their_effects() -> None:
    night = Night()
    for n in range(40):
        night.call(n * 20, "answered", "/item/A", "PATCH")
        if n % 4 == 0:
            night.shop.enter(
                START + n, BookKind.QUANTITY_PUBLISHED, "A", {"quantity": n}, request_id=f"r{n}"
            )
    assert night.rules() == ["retries.bounded"]
    night.scenario = replace(night.scenario, tolerances=Tolerances(writes_per_effect_max=4.0))
    assert night.rules() == []


def test_a_finding_names_the_invariant_the_evidence_and_the_replay_command() -> None:
    night = Night()
    doubled(night)
    (finding,) = judge(night.ledger())
    assert finding.rule == "orders.exactly_once"
    assert "111 is there 2 times" in finding.message
    assert finding.evidence is not None
    assert finding.evidence.response["replay"] == "driftgate chaos run by-hand --seed 1"
    keys = [e["key"] for e in finding.evidence.response["books"][0]["sales_orders"]]
    assert keys == ["shop:111", "shop:111-again"]


def test_an_invariant_that_is_not_asked_for_stays_silent() -> None:
    night = Night()
    doubled(night)
    night.scenario = replace(night.scenario, invariants=("orders.none_lost",))
    assert night.rules() == []


def test_latency_counts_from_placement_and_what_never_came_is_slowest() -> None:
    night = Night()
    fine(night)  # placed at minute 1, created at minute 5
    night.place("222", 2)
    waits = order_waits(night.ledger())
    assert percentile_us(waits, 50) == 4 * MINUTE
    assert percentile_us(waits, 99) is None
    assert recovery_us(night.ledger()) is None


def test_recovery_is_the_age_of_the_last_leftover_order_after_the_faults_end() -> None:
    night = Night()
    night.place("111", 69)
    night.create("111", 75)  # faults end at minute 70
    assert recovery_us(night.ledger()) == 5 * MINUTE


def test_a_stock_count_has_arrived_when_the_erp_quantity_is_published() -> None:
    night = Night()
    night.erp.enter(START + MINUTE, BookKind.STOCK_SET, "A", {"quantity": 7})
    night.publish(9, 2)  # something else
    night.place("111", 3)
    night.create("111", 4)  # reserves 2: five are left
    night.publish(5, 6)
    (wait,) = stock_waits(night.ledger())
    assert wait.took_us == 5 * MINUTE
