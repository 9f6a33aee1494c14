"""Proves that calls are paced by the declared rate and slow down after a refusal."""

from __future__ import annotations

from harness.simulation.clock import VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from harness.sync.calls import Backoff
from harness.sync.governor import Governor
from harness.sync.settings import Settings

QUOTA = {"id": "q", "kind": "token_bucket", "operations": ["a#op"]}
BEHAVIOUR = {"quotas": [{**QUOTA, "rate_per_second": 0.5, "burst": 2}]}


def paced(calls: int, *, refusal: bool = False) -> float:
    clock = VirtualClock(0)

    async def story() -> None:
        governor = Governor(BEHAVIOUR, clock)
        for number in range(calls):
            async with governor.turn("a#op"):
                if refusal and number == 0:
                    governor.refused("a#op", 2.0)

    run_virtual(story, clock=clock, limit_s=1000)
    return clock.now_us() / 1_000_000


def test_the_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    assert paced(2) == 0
    assert paced(5) == 6.0


def test_a_refusal_takes_the_burst_away_and_halves_the_rate() -> None:
    assert paced(2, refusal=True) == 2.0
    assert paced(3, refusal=True) == 6.0


def test_waits_grow_to_a_ceiling_with_jitter_and_an_empty_budget_waits_longest() -> None:
    settings = Settings(retry_budget=20)
    backoff = Backoff(settings, SeededStreams(1).stream("b"))
    waits = [backoff.wait_s(n) for n in range(1, 21)]
    assert 1.0 <= waits[0] <= 2.0
    assert all(wait <= settings.backoff_ceiling_s for wait in waits)
    assert backoff.wait_s(1) >= settings.backoff_ceiling_s / 2
