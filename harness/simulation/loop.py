"""Runs a coroutine in virtual time from beginning to end, and leaves nothing running."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from harness.model.instants import SECOND_US
from harness.model.ports import Streams
from harness.simulation.clock import VirtualClock
from harness.simulation.virtual_loop import (
    Deadlock,
    EscapedSimulation,
    Livelock,
    TimeLimitReached,
    VirtualLoop,
    task_label,
)

__all__ = [
    "Deadlock",
    "EscapedSimulation",
    "Livelock",
    "TimeLimitReached",
    "VirtualLoop",
    "run_virtual",
]

T = TypeVar("T")

# Virtual time leftovers get to end after they were cancelled.
WIND_DOWN_SECONDS = 60.0


def run_virtual(
    main: Callable[[], Coroutine[Any, Any, T]],
    *,
    clock: VirtualClock,
    streams: Streams | None = None,
    limit_s: float,
) -> T:
    """Run ``main`` to its end in virtual time and return its result.

    ``streams`` turns on seeded shuffling of timers due at the same instant. What is still running
    afterwards is cancelled, oldest first. An error in a background task that nobody awaited is
    raised here when ``main`` itself succeeded: a simulation has no log in which to overlook it.

    Raises ``Deadlock``, ``Livelock``, ``TimeLimitReached`` or what ``main`` raised.
    """
    scheduling = streams.stream("scheduling") if streams is not None else None
    # The abstract methods are the refusals, set below the class by name.
    loop = VirtualLoop(clock, scheduling=scheduling)  # type: ignore[abstract]
    loop.limit_us = clock.now_us() + round(limit_s * SECOND_US)
    try:
        result: T = loop.run_until_complete(loop.create_task(main(), name="main"))
        _wind_down(loop)
        _raise_unhandled(loop)
    except BaseException:
        _give_up(loop)
        raise
    else:
        return result
    finally:
        loop.close()


def _wind_down(loop: VirtualLoop) -> None:
    """Cancel what is left, oldest first, and let it end."""
    loop.limit_us = loop.clock.now_us() + round(WIND_DOWN_SECONDS * SECOND_US)
    for _ in range(8):
        leftovers = loop.pending_tasks()
        if not leftovers:
            break
        for task in leftovers:
            task.cancel()
        loop.run_until_complete(_ended(leftovers))
    else:
        msg = f"tasks refuse to end when cancelled: {loop.who_waits()}"
        raise TimeLimitReached(msg)
    loop.run_until_complete(loop.shutdown_asyncgens())


async def _ended(tasks: list[asyncio.Task[Any]]) -> None:
    """Wait for all; their own errors are looked at afterwards."""
    await asyncio.wait(tasks)


def _raise_unhandled(loop: VirtualLoop) -> None:
    for task in loop.tasks:
        if task.done() and not task.cancelled() and getattr(task, "_log_traceback", False):
            error = task.exception()
            if error is not None:
                error.add_note(f"raised in background task {task_label(task)}; nobody awaited it")
                raise error
    for context in loop.unhandled:
        failure = context.get("exception")
        if isinstance(failure, BaseException):
            failure.add_note(str(context.get("message", "unhandled in the event loop")))
            raise failure
        raise RuntimeError(str(context.get("message", context)))


def _give_up(loop: VirtualLoop) -> None:
    """End what is left after a failure without hiding the failure."""
    loop.limit_us = loop.clock.now_us()
    try:
        for task in loop.pending_tasks():
            task.cancel()
        if loop.pending_tasks():
            loop.run_until_complete(_ended(loop.pending_tasks()))
    except (Deadlock, Livelock, TimeLimitReached):
        pass  # the first failure is the one worth reading
    loop.set_exception_handler(lambda _loop, _context: None)
    for task in loop.tasks:
        if task.done() and not task.cancelled():
            task.exception()
        elif not task.done():
            # Silences "Task was destroyed but it is pending": the failure above says it better.
            task._log_destroy_pending = False  # type: ignore[attr-defined]
