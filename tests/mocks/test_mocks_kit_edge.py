"""Proves that the edge takes every request through the stages in order and books how it ended."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import AnswerLost, AnswerTimedOut, ConnectFailed
from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US
from harness.simulation.faults import FaultKind, FaultRule, Stage
from harness.simulation.loop import run_virtual
from mocks.kit.quotas import Caller


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


toy = _load("toy_shop")


def run(shop: Any, story: Callable[[Any], Awaitable[Any]], *, limit_s: float = 1000) -> Any:
    async def main() -> Any:
        await shop.log_in()
        return await story(shop)

    return run_virtual(main, clock=shop.clock, limit_s=limit_s)


ORDER = {"sku": "A", "quantity": 1}


def test_an_order_is_placed_booked_and_listed() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> Any:
        placed = await shop.call("POST", "/orders", ORDER)
        return placed, await shop.call("GET", "/orders")

    placed, listed = run(shop, story)
    assert placed.json() == ORDER
    assert listed.json() == {"orders": [ORDER]}
    assert listed.header("x-limit") == "0.5"
    assert [e.kind.value for e in shop.books.entries] == ["token.issued", "order.placed"]
    assert [c.operation_id for c in shop.books.calls] == [
        "token",
        "shop/v1#placeOrder",
        "shop/v1#listOrders",
    ]
    assert all(c.delivered and c.outcome == "answered" for c in shop.books.calls)
    assert shop.books.calls[1].account == "seller"
    # Token and two calls of 110 ms each.
    assert shop.clock.now_us() - toy.START_US == 330_000


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/orders/latest", {"latest": True}),
        ("/orders/latest/", {"latest": True}),
        ("/orders/eid:X%2F1", {"external": "X/1"}),
        ("/orders/eid%3AX", {"external": "X"}),
        ("/orders/12%20a", {"id": "12 a"}),
    ],
)
def test_literal_segments_beat_templates_and_values_are_decoded(
    target: str, expected: dict[str, Any]
) -> None:
    answer = run(toy.Shop(), lambda shop: shop.call("GET", target))
    assert answer.json() == expected


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "outcome", "explains"),
    [
        ("GET", "/nowhere", None, 404, "unknown", "no contract"),
        ("DELETE", "/orders", None, 405, "unknown", "only GET, POST"),
        ("GET", "/orders?size=9", None, 400, "invalid", "query parameter size"),
        ("GET", "/orders?size=x", None, 400, "invalid", "query parameter size"),
        ("GET", "/orders?states=NEW,LOST", None, 400, "invalid", "query parameter states"),
        ("GET", "/orders?colour=red", None, 400, "invalid", "colour"),
        ("POST", "/orders", {"sku": "A"}, 400, "invalid", "quantity"),
        ("POST", "/orders", {"sku": "A", "quantity": 0}, 400, "invalid", "/quantity"),
        ("POST", "/orders", None, 400, "invalid", "no body"),
        ("POST", "/orders/1/!transform/parcel", None, 204, "answered", None),
        ("GET", "/notImitated", None, 501, "failed", "does not imitate"),
    ],
)
def test_what_the_contract_does_not_describe_is_refused_with_an_explanation(
    method: str, target: str, body: Any, status: int, outcome: str, explains: str | None
) -> None:
    shop = toy.Shop()
    answer = run(shop, lambda s: s.call(method, target, body))
    assert answer.status == status
    assert shop.books.calls[-1].outcome == outcome
    explanation = answer.header("x-driftgate-explain")
    assert (explanation is None) == (explains is None)
    assert (explains or "") in (explanation or "")


def test_valid_parameters_of_every_kind_pass() -> None:
    answer = run(toy.Shop(), lambda s: s.call("GET", "/orders?size=5&states=NEW,SENT"))
    assert answer.status == 200


def test_a_body_in_another_content_type_is_refused_and_a_broken_one_too() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> list[int]:
        token = ("x-access-token", shop.token)
        kinds = (
            ("text/plain", b"x"),
            ("application/json", b"{"),
            ("application/json", b"[" * 9999),
            ("application/json", b'{"sku": "\\ud800", "quantity": 1}'),
        )
        return [
            (
                await shop.client.send(
                    HttpRequest("POST", "/orders", (), (token, ("content-type", kind)), body)
                )
            ).status
            for kind, body in kinds
        ]

    assert run(shop, story) == [415, 400, 400, 400]


def test_a_refusal_never_repeats_the_value_that_was_wrong() -> None:
    shop = toy.Shop()
    body = {"sku": "A", "quantity": "Jane Doe"}
    answer = run(shop, lambda s: s.call("POST", "/orders", body))
    assert "Jane" not in (answer.header("x-driftgate-explain") or "")


def test_tokens_expire_on_the_clock_and_unknown_ones_are_refused() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> list[int]:
        statuses = [(await shop.call("GET", "/orders")).status]
        await shop.clock.sleep(61)
        statuses.append((await shop.call("GET", "/orders")).status)
        shop.token = "made up"
        statuses.append((await shop.call("GET", "/orders")).status)
        await shop.log_in()
        statuses.append((await shop.call("GET", "/orders")).status)
        assert shop.edge.expire_tokens() == 1
        statuses.append((await shop.call("GET", "/orders")).status)
        return statuses

    assert run(shop, story) == [200, 401, 401, 200, 401]


def test_the_bucket_lets_a_burst_through_then_the_published_rate() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> list[tuple[int, str | None]]:
        answers = [await shop.call("GET", "/orders") for _ in range(4)]
        await shop.clock.sleep(2)
        answers.append(await shop.call("GET", "/orders"))
        return [(a.status, a.header("retry-after")) for a in answers]

    assert run(shop, story) == [(200, None)] * 3 + [(429, "2"), (200, None)]
    assert shop.books.calls[4].outcome == "throttled"


def test_slots_are_held_for_the_whole_service_and_given_back() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> list[int]:
        calls = [shop.call("POST", "/orders", ORDER) for _ in range(3)]
        together = await asyncio.gather(*calls)
        after = await shop.call("POST", "/orders", ORDER)
        return [a.status for a in (*together, after)]

    assert run(shop, story) == [200, 200, 429, 200]


def test_a_squeezed_quota_shows_in_the_header_and_can_be_restored() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> list[Any]:
        shop.edge.squeeze("list", rate=0.1, burst=1)
        squeezed = [await shop.call("GET", "/orders") for _ in range(2)]
        shop.edge.restore_quotas()
        await shop.clock.sleep(2)
        restored = await shop.call("GET", "/orders")
        return [(a.status, a.header("x-limit")) for a in (*squeezed, restored)]

    assert run(shop, story) == [(200, "0.1"), (429, None), (200, "0.5")]


def test_a_client_that_gives_up_does_not_stop_the_effect() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> None:
        with pytest.raises(AnswerTimedOut):
            await shop.call("POST", "/orders", ORDER, timeout_s=0.05)
        assert shop.simulator.orders == []
        await shop.clock.sleep(1)

    run(shop, story)
    assert shop.simulator.orders == [ORDER]
    last = shop.books.calls[-1]
    assert (last.outcome, last.status, last.delivered) == ("answered", 200, False)


def test_a_cancelled_caller_does_not_stop_the_effect() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> None:
        caller = asyncio.create_task(shop.call("POST", "/orders", ORDER))
        await shop.clock.sleep(0.01)
        caller.cancel()
        await shop.clock.sleep(1)

    run(shop, story)
    assert shop.simulator.orders == [ORDER]
    assert not shop.books.calls[-1].delivered


PLACE = ("placeOrder",)


@pytest.mark.parametrize(
    ("kind", "error", "effects"),
    [
        (FaultKind.CONNECTION_REFUSED, ConnectFailed, 0),
        (FaultKind.CONNECTION_RESET, AnswerLost, 0),
        (FaultKind.ANSWER_LOST_AFTER_COMMIT, AnswerLost, 1),
        (FaultKind.BODY_TRUNCATED, AnswerLost, 1),
        (FaultKind.ANSWER_DELAYED, AnswerTimedOut, 1),
    ],
)
def test_transport_faults_have_the_effect_they_promise(
    kind: FaultKind, error: type[Exception], effects: int
) -> None:
    shop = toy.Shop(rules=(FaultRule(kind, operations=PLACE, nth=1),))

    async def story(shop: Any) -> None:
        with pytest.raises(error) as caught:
            await shop.call("POST", "/orders", ORDER)
        assert type(caught.value) is error
        assert (await shop.call("POST", "/orders", ORDER)).status == 200
        await shop.clock.sleep(60)

    run(shop, story)
    assert len(shop.simulator.orders) == effects + 1
    struck = next(c for c in shop.books.calls if c.outcome == kind.value)
    assert not struck.delivered
    assert shop.faults.fired == {kind: 1}


@pytest.mark.parametrize(
    ("kind", "status", "effects"),
    [
        (FaultKind.ERROR_UNAVAILABLE, 503, 0),
        (FaultKind.ERROR_INTERNAL, 500, 0),
        (FaultKind.THROTTLE_SQUEEZE, 429, 0),
        (FaultKind.TOKEN_EXPIRED, 401, 0),
        (FaultKind.BODY_HTML, 502, 1),
        (FaultKind.REQUEST_EXECUTED_TWICE, 200, 2),
    ],
)
def test_answering_faults_have_the_effect_they_promise(
    kind: FaultKind, status: int, effects: int
) -> None:
    shop = toy.Shop(rules=(FaultRule(kind, operations=PLACE, nth=1),))
    answer = run(shop, lambda s: s.call("POST", "/orders", ORDER))
    assert answer.status == status
    assert len(shop.simulator.orders) == effects
    assert shop.edge.failures == []


def test_an_internal_error_after_the_effect_keeps_the_effect() -> None:
    rule = FaultRule(FaultKind.ERROR_INTERNAL, operations=PLACE, stage=Stage.AFTER_EFFECT)
    shop = toy.Shop(rules=(rule,))
    answer = run(shop, lambda s: s.call("POST", "/orders", ORDER))
    assert answer.status == 500
    assert len(shop.simulator.orders) == 1


def test_a_bug_in_a_handler_answers_500_and_leaves_evidence() -> None:
    shop = toy.Shop()
    answer = run(shop, lambda s: s.call("POST", "/orders", {"sku": "BUG", "quantity": 1}))
    assert answer.status == 500
    assert "KeyError in place_order" in (answer.header("x-driftgate-explain") or "")
    assert [type(e) for e in shop.edge.failures] == [KeyError]
    assert any("simulator_failed" in line for line in shop.trace.lines)
    assert "secret detail" not in "".join(shop.trace.lines)


def test_an_answer_outside_the_contract_is_caught_when_checks_are_on() -> None:
    shop = toy.Shop(check_answers=True)
    shop.simulator.lie = True
    answer = run(shop, lambda s: s.call("GET", "/orders"))
    assert answer.status == 500
    assert "wrong body at /orders/0" in str(shop.edge.failures[0])


def test_a_drift_pack_changes_answers_from_the_next_one_on() -> None:
    shop = toy.Shop(check_answers=True)
    rename = {
        "operations": ["shop/v1#listOrders"],
        "do": "rename",
        "at": "/orders/*/quantity",
        "to": "count",
    }

    async def story(shop: Any) -> list[Any]:
        await shop.call("POST", "/orders", ORDER)
        shop.edge.switch_drift_pack({"title": "renamed", "changes": [rename]})
        drifted = await shop.call("GET", "/orders")
        shop.edge.switch_drift_pack(None)
        return [drifted.json(), (await shop.call("GET", "/orders")).json()]

    drifted, back = run(shop, story)
    assert drifted == {"orders": [{"sku": "A", "count": 1}]}
    assert back == {"orders": [ORDER]}


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    behaviour = {
        **toy.BEHAVIOUR,
        "latency": {"network_ms": [1, 50], "service_ms": {"*": [1, 300]}},
    }

    def digest(seed: int) -> str:
        rules = (FaultRule(FaultKind.ERROR_UNAVAILABLE, operations=PLACE, probability=0.5),)
        shop = toy.Shop(behaviour=behaviour, seed=seed, rules=rules)

        async def story(shop: Any) -> None:
            await asyncio.gather(*(shop.call("POST", "/orders", ORDER) for _ in range(9)))

        run(shop, story)
        return str(shop.trace.digest())

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_a_throttled_call_says_when_the_next_one_passes() -> None:
    shop = toy.Shop()

    async def story(shop: Any) -> int:
        for _ in range(3):
            await shop.call("GET", "/orders")
        quota = shop.edge.quotas.quotas[0]
        caller = Caller("seller", "shop/v1#listOrders")
        wait_us = quota.counter(caller, shop.clock.now_us()).wait_us(shop.clock.now_us())
        await shop.clock.sleep((wait_us - 1) / SECOND_US - 0.005)
        early = await shop.call("GET", "/orders")
        assert early.status == 429
        return int((await shop.call("GET", "/orders")).status)

    assert run(shop, story) == 200
