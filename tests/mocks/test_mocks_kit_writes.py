"""Proves keys, batches, etags and jobs: each happens when declared and not when undeclared."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.simulation.faults import FaultKind, FaultRule


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


manners = _load("toy_manners")
Market, play = manners.Market.of, manners.play

PAY = {"amount": 1}


def keyed(**more: Any) -> dict[str, Any]:
    rule = {"operations": ["shop/v1#pay"], "kind": "header", "header": "Idempotency-Key"}
    return {"idempotency": [{**rule, **more}]}


def key(text: str = "k1") -> tuple[tuple[str, str], ...]:
    return (("idempotency-key", text),)


async def pay_twice(m: Any) -> tuple[Any, Any, int]:
    first = await m.call("POST", "/payments", PAY, headers=key())
    second = await m.call("POST", "/payments", PAY, headers=key())
    return first.json(), second.json(), len(m.simulator.executed)


def test_a_repeat_without_a_declared_key_is_a_real_duplicate() -> None:
    for behaviour in ({}, keyed(kind="none"), keyed(operations=["shop/v1#bulkItems"])):
        first, second, executed = play(Market(behaviour), pay_twice)
        assert (first["payments"], second["payments"], executed) == (1, 2, 2)


def test_a_repeat_under_a_key_gets_the_first_answer_and_has_no_effect() -> None:
    first, second, executed = play(Market(keyed()), pay_twice)
    assert first == second
    assert executed == 1


def test_a_repeat_may_be_rebuilt_from_what_is_there_now() -> None:
    first, second, executed = play(Market(keyed(on_repeat="rebuild")), pay_twice)
    assert (first["rebuilt"], second["rebuilt"], executed) == (False, True, 1)


def test_a_repeat_may_be_refused() -> None:
    _, second, executed = play(Market(keyed(on_repeat="refuse")), pay_twice)
    assert (second["reason"], executed) == ("idempotency.repeat", 1)


def test_another_payload_under_the_same_key_is_a_conflict_unless_nobody_compares() -> None:
    async def story(m: Any) -> Any:
        await m.call("POST", "/payments", PAY, headers=key())
        return (await m.call("POST", "/payments", {"amount": 2}, headers=key())).json()

    assert play(Market(keyed()), story)["reason"] == "idempotency.mismatch"
    assert play(Market(keyed(compares_payload=False)), story) == {"payments": 1, "rebuilt": False}


def test_a_repeat_while_the_first_is_worked_on_is_a_conflict() -> None:
    behaviour = {**keyed(), "latency": {"service_ms": {"*": [500, 500]}}}

    async def story(m: Any) -> list[int]:
        calls = [m.call("POST", "/payments", PAY, headers=key()) for _ in range(2)]
        return sorted(answer.status for answer in await asyncio.gather(*calls))

    assert play(Market(behaviour), story) == [200, 409]


def test_a_key_is_forgotten_after_its_time_and_required_only_where_declared() -> None:
    async def late(m: Any) -> int:
        await m.call("POST", "/payments", PAY, headers=key())
        await m.clock.sleep(61)
        await m.call("POST", "/payments", PAY, headers=key())
        return len(m.simulator.executed)

    assert play(Market(keyed(seconds=60)), late) == 2
    assert play(Market(keyed(seconds=62)), late) == 1

    async def bare(m: Any) -> int:
        return int((await m.call("POST", "/payments", PAY)).status)

    assert play(Market(keyed()), bare) == 200
    assert play(Market(keyed(required=True)), bare) == 400
    assert play(Market(keyed(), settings={"idempotency_required": True}), bare) == 400


def test_a_key_may_stand_in_the_body_and_needs_a_header_where_declared() -> None:
    rule = {"kind": "body", "pointer": "/key", "operations": ["shop/v1#pay"]}

    async def story(m: Any) -> int:
        for _ in range(2):
            await m.call("POST", "/payments", {"key": "k1"}, headers=(("prefer", "a, B"),))
        return len(m.simulator.executed)

    only = {"only_with": {"header": "Prefer", "value": "b"}}
    other = {"only_with": {"header": "Prefer", "value": "c"}}
    for more, executed in (({}, 1), (only, 1), (other, 2)):
        assert play(Market({"idempotency": [{**rule, **more}]}), story) == executed


def test_a_request_that_failed_may_be_tried_again_under_its_key() -> None:
    rule = FaultRule(FaultKind.ERROR_INTERNAL, operations=("pay",), nth=1)

    async def story(m: Any) -> list[int]:
        return [(await m.call("POST", "/payments", PAY, headers=key())).status for _ in range(2)]

    assert play(Market(keyed(), rules=(rule,)), story) == [500, 200]


def test_a_lost_answer_is_found_again_under_its_key() -> None:
    rule = FaultRule(FaultKind.ANSWER_LOST_AFTER_COMMIT, operations=("pay",), nth=1)

    async def story(m: Any) -> tuple[int, int]:
        with pytest.raises(Exception, match="hung up"):
            await m.call("POST", "/payments", PAY, headers=key())
        answer = await m.call("POST", "/payments", PAY, headers=key())
        return answer.status, len(m.simulator.executed)

    assert play(Market(keyed(), rules=(rule,)), story) == (200, 1)


def batch(**more: Any) -> dict[str, Any]:
    return {"batches": [{"operations": ["shop/v1#bulkItems"], "max": 3, **more}]}


@pytest.mark.parametrize(
    ("behaviour", "rows", "status", "rows_seen", "kept"),
    [
        (batch(partial_status=207), [{"id": "A"}, {}, {"id": "B"}], 207, [200, 400, 200], 2),
        (batch(partial_status=207), [{"id": "A"}, {"id": "B"}], 200, [200, 200], 2),
        (batch(), [{"id": "A"}, {}], 200, [200, 400], 1),
        (batch(all_or_nothing=True), [{"id": "A"}, {}], 200, [400, 400], 0),
        (batch(), [{"id": "A"}] * 4, 400, None, 0),
        ({}, [{"id": "A"}, {"id": "B"}], 400, None, 0),
        ({}, [{"id": "A"}], 200, [200], 1),
    ],
)
def test_rows_succeed_and_fail_one_by_one_as_declared(
    behaviour: dict[str, Any], rows: list[Any], status: int, rows_seen: Any, kept: int
) -> None:
    market = Market(behaviour)
    answer = play(market, lambda m: m.call("POST", "/bulk", {"rows": rows}))
    assert answer.status == status
    if rows_seen is None:
        assert answer.json()["reason"] == "batch.too_many"
    else:
        assert [row[0] for row in answer.json()["rows"]] == rows_seen
    assert len(market.simulator.items.get("seller", {})) == kept


def guarded(if_match: str, **more: Any) -> dict[str, Any]:
    return {"etags": [{"operations": ["shop/v1#putItem"], "if_match": if_match, **more}]}


@pytest.mark.parametrize(
    ("behaviour", "statuses"),
    [
        ({}, [204, 204, 204]),
        (guarded("ignored"), [204, 204, 204]),
        (guarded("honoured"), [204, 412, 204]),
        (guarded("required"), [400, 412, 204]),
        (guarded("required", status=409), [400, 409, 204]),
    ],
)
def test_a_write_is_guarded_by_its_etag_as_declared(
    behaviour: dict[str, Any], statuses: list[int]
) -> None:
    market = Market(behaviour)
    market.simulator.put("A", 1)

    async def story(m: Any) -> list[int]:
        seen = [(await m.call("PUT", "/items/A", {"n": 1})).status]
        old = (("if-match", 'W/"old"'),)
        seen.append((await m.call("PUT", "/items/A", {"n": 2}, headers=old)).status)
        tag = (await m.call("GET", "/items/A")).header("etag")
        seen.append(
            (await m.call("PUT", "/items/A", {"n": 3}, headers=(("if-match", tag),))).status
        )
        return seen

    assert play(market, story) == statuses


def test_a_read_of_what_the_client_has_is_304_only_where_declared() -> None:
    async def story(m: Any) -> tuple[int, int, int]:
        m.simulator.put("A", 1)
        tag = (await m.call("GET", "/items/A")).header("etag")
        have = (("if-none-match", tag),)
        same = await m.call("GET", "/items/A", headers=have)
        m.simulator.put("A", 2)
        changed = await m.call("GET", "/items/A", headers=have)
        return same.status, len(same.body), changed.status

    rule = {"etags": [{"operations": ["*"], "not_modified": True}]}
    assert play(Market(rule), story) == (304, 0, 200)
    assert play(Market({}), story)[0] == 200


def job(**more: Any) -> dict[str, Any]:
    words = {"queued": "IN_QUEUE", "working": "IN_PROGRESS", "done": "DONE", "failed": "FATAL"}
    times = {"queued_seconds": 10, "working_seconds": 20}
    return {"jobs": [{"kind": "report", "states": words, **times, **more}]}


async def watch(m: Any, seconds: tuple[int, ...]) -> list[str]:
    job_id = (await m.call("POST", "/reports", {})).json()["id"]
    seen = []
    for wait in seconds:
        await m.clock.sleep(wait)
        answer = await m.call("GET", f"/reports/{job_id}")
        seen.append(answer.json().get("state", answer.status))
    return seen


def test_a_job_passes_through_its_states_in_its_time_and_is_done_once() -> None:
    market = Market(job())
    assert play(market, lambda m: watch(m, (5, 10, 20, 5))) == [
        "IN_QUEUE",
        "IN_PROGRESS",
        "DONE",
        "DONE",
    ]
    assert len(market.simulator.executed) == 1


def test_a_job_fails_vanishes_and_takes_a_drawn_time_only_as_declared() -> None:
    assert play(Market(job(failure_share=1)), lambda m: watch(m, (40,))) == ["FATAL"]
    assert play(Market(job(kept_seconds=60)), lambda m: watch(m, (40, 30))) == ["DONE", 404]

    def ends(seed: int) -> list[str]:
        market = Market(job(queued_seconds=[0, 40], working_seconds=[0, 40]), seed=seed)
        return list(play(market, lambda m: watch(m, (5,) * 16)))

    assert ends(1) == ends(1)
    assert len({tuple(ends(seed)) for seed in range(6)}) > 1


def test_a_job_can_be_cancelled_until_the_declared_state() -> None:
    async def story(m: Any) -> list[int]:
        seen = []
        for wait in (5, 15, 40):
            job_id = (await m.call("POST", "/reports", {})).json()["id"]
            await m.clock.sleep(wait)
            seen.append((await m.call("DELETE", f"/reports/{job_id}")).status)
        return seen

    assert play(Market(job()), story) == [409, 409, 409]
    assert play(Market(job(cancel="queued")), story) == [204, 409, 409]
    assert play(Market(job(cancel="working")), story) == [204, 204, 409]


def test_like_jobs_wait_for_each_other_only_where_declared() -> None:
    async def story(m: Any) -> list[int]:
        kinds = ("prices", "prices", "stock")
        return [(await m.call("POST", "/reports", {"type": kind})).status for kind in kinds]

    assert play(Market(job()), story) == [202, 202, 202]
    assert play(Market(job(one_at_a_time=True)), story) == [202, 409, 202]
