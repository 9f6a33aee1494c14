"""Proves that the virtual loop runs asyncio code in integer virtual time; nothing escapes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from harness.simulation.clock import SystemClock, VirtualClock
from harness.simulation.loop import (
    Deadlock,
    EscapedSimulation,
    TimeLimitReached,
    run_virtual,
)
from harness.simulation.streams import SeededStreams

START_US = 1_790_000_000_000_000


def run(main: Callable[[], Coroutine[Any, Any, Any]], *, limit_s: float = 1000) -> Any:
    return run_virtual(main, clock=VirtualClock(START_US), limit_s=limit_s)


async def echo(seconds: float, value: Any) -> Any:
    await asyncio.sleep(seconds)
    return value


def test_time_jumps_and_starts_at_zero_however_late_the_clock() -> None:
    clock = VirtualClock(START_US)

    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await clock.sleep(86_400.000001)
        return before, loop.time()

    assert run_virtual(main, clock=clock, limit_s=100_000) == (0.0, 86_400.000001)
    assert clock.now_us() == START_US + 86_400_000_001


def test_a_million_tiny_steps_lose_nothing() -> None:
    clock = VirtualClock(START_US)

    async def main() -> None:
        for _ in range(10_000):
            await clock.sleep(0.000001)

    run_virtual(main, clock=clock, limit_s=10)
    assert clock.now_us() == START_US + 10_000


def test_gather_wait_for_timeout_queue_lock_and_task_group_work() -> None:
    async def main() -> list[Any]:
        loop = asyncio.get_running_loop()
        seen: list[Any] = [await asyncio.gather(echo(2, "b"), echo(1, "a"))]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(echo(100, None), 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        lock = asyncio.Lock()

        async def fill() -> None:
            for number in range(3):
                async with lock:
                    await queue.put(number)

        async with asyncio.TaskGroup() as group:
            group.create_task(fill())
            seen.append([await queue.get() for _ in range(3)])
        seen.append(loop.time())
        return seen

    assert run(main) == [["b", "a"], [0, 1, 2], 6.0]


def test_equal_deadlines_run_in_the_order_they_were_made_or_as_the_seed_says() -> None:
    def order(streams: SeededStreams | None) -> list[int]:
        seen: list[int] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            for number in range(20):
                loop.call_later(1, seen.append, number)
            await asyncio.sleep(2)

        run_virtual(main, clock=VirtualClock(0), streams=streams, limit_s=10)
        return seen

    assert order(None) == list(range(20))
    shuffled = order(SeededStreams(1))
    assert shuffled != list(range(20))
    assert sorted(shuffled) == list(range(20))
    assert order(SeededStreams(1)) == shuffled


def test_a_deadlock_names_who_waits() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        await asyncio.create_task(stuck(), name="the stuck one")

    with pytest.raises(Deadlock, match="the stuck one"):
        run(main)


def test_a_run_that_does_not_end_stops_at_its_limit() -> None:
    clock = VirtualClock(START_US)

    async def main() -> None:
        for _ in range(1000):
            await asyncio.sleep(7)

    with pytest.raises(TimeLimitReached, match="100 virtual seconds"):
        run_virtual(main, clock=clock, limit_s=100)
    assert clock.now_us() == START_US + 100_000_000


def test_leftovers_are_cancelled_oldest_first_and_may_clean_up() -> None:
    ended: list[str] = []

    async def leftover(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            ended.append(name)

    async def main() -> str:
        tasks = [asyncio.create_task(leftover(name)) for name in ("one", "two", "three")]
        await asyncio.sleep(1)
        return f"done with {len(tasks)}"

    assert run(main) == "done with 3"
    assert ended == ["one", "two", "three"]


def test_an_error_in_a_forgotten_task_is_not_overlooked() -> None:
    async def broken() -> None:
        msg = "nobody looks at me"
        raise ValueError(msg)

    async def main() -> None:
        background = asyncio.create_task(broken())
        await asyncio.sleep(1)
        assert background.done()

    with pytest.raises(ValueError, match="nobody looks"):
        run(main)


def test_an_error_of_the_main_story_wins_and_leaves_no_warning() -> None:
    async def main() -> None:
        background = asyncio.create_task(echo(1000, None))
        await asyncio.sleep(1)
        msg = f"main failed, {background.done()}"
        raise LookupError(msg)

    with pytest.raises(LookupError, match="main failed, False"):
        run(main)


def test_async_generators_left_open_are_closed() -> None:
    closed: list[bool] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    async def main() -> AsyncIterator[int]:
        generator = numbers()
        assert await anext(generator) == 1
        return generator

    run(main)
    assert closed == [True]


@pytest.mark.parametrize(
    "escape",
    [
        lambda: asyncio.to_thread(print),
        lambda: asyncio.open_connection("localhost", 1),
        lambda: asyncio.create_subprocess_exec("true"),
        lambda: asyncio.get_running_loop().getaddrinfo("localhost", 1),
        lambda: asyncio.get_running_loop().add_signal_handler(signal.SIGINT, print),
    ],
)
def test_the_real_world_is_refused_where_it_is_called(escape: Callable[[], Any]) -> None:
    async def main() -> None:
        await escape()

    with pytest.raises(EscapedSimulation, match="replayed"):
        run(main)


def test_a_virtual_clock_sleeps_only_in_its_own_simulation() -> None:
    other = VirtualClock(0)

    async def main() -> None:
        await other.sleep(1)

    with pytest.raises(RuntimeError, match="run_virtual"):
        run(main)


def test_one_clock_goes_on_through_several_phases() -> None:
    clock = VirtualClock(START_US)
    for _ in range(2):
        run_virtual(lambda: echo(5, None), clock=clock, limit_s=6)
    assert clock.now_us() == START_US + 10_000_000


def test_a_fast_system_clock_shortens_sleeps() -> None:
    clock = SystemClock(speed=10_000, start_us=START_US)
    asyncio.run(clock.sleep(10))
    assert clock.now_us() >= START_US + 10_000_000
