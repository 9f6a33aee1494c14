"""Clocks: virtual time for replayable runs, the machine's own for real sockets.

Both count integer microseconds. A double near today's Unix time cannot tell one nanosecond from
the next, so a loop fed with epoch seconds would spin for ever; event loops start at zero here and
the wall clock is that plus a fixed start.
"""

from __future__ import annotations

import asyncio
import time

from harness.model.instants import SECOND_US


class VirtualClock:
    """Time that moves only when the simulation says so; implements the ``Clock`` port.

    ``run_virtual`` moves it while a simulation runs. Code that needs no event loop (a quota, a
    token desk) can be tested by calling :meth:`advance_us`.
    """

    speed = 1.0

    def __init__(self, start_us: int) -> None:
        """Start at ``start_us``, UTC microseconds since 1970."""
        self.start_us = start_us
        self._now_us = start_us

    def now_us(self) -> int:
        """Return UTC microseconds since 1970."""
        return self._now_us

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time; raises ``RuntimeError`` outside ``run_virtual``."""
        loop = asyncio.get_running_loop()
        if getattr(loop, "clock", None) is not self:
            msg = "a virtual clock can only sleep inside run_virtual(..., clock=this clock)"
            raise RuntimeError(msg)
        await asyncio.sleep(seconds)

    def advance_us(self, microseconds: int) -> None:
        """Move time forward; raises ``ValueError`` for a step back."""
        if microseconds < 0:
            msg = f"time does not run backwards: {microseconds} microseconds"
            raise ValueError(msg)
        self._now_us += microseconds

    def advance_to(self, at_us: int) -> None:
        """Move time forward to ``at_us``; a moment already past changes nothing."""
        if at_us > self._now_us:
            self._now_us = at_us


class SystemClock:
    """The machine's clock, optionally faster: at ``speed=20`` a simulated minute takes 3 s.

    Monotonic after its start, so that a correction of the machine's time cannot upset a run.
    """

    def __init__(self, speed: float = 1.0, start_us: int | None = None) -> None:
        """Start now, or at ``start_us``; raises ``ValueError`` for a speed that is not positive."""
        if speed <= 0:
            msg = f"the speed of a clock is positive, not {speed}"
            raise ValueError(msg)
        self.speed = speed
        self._start_us = time.time_ns() // 1000 if start_us is None else start_us
        self._started_ns = time.monotonic_ns()

    def now_us(self) -> int:
        """Return UTC microseconds since 1970 in this clock's own time."""
        passed_us = (time.monotonic_ns() - self._started_ns) // 1000
        if self.speed != 1.0:
            passed_us = int(passed_us * self.speed)
        return self._start_us + passed_us

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of this clock's own time."""
        await asyncio.sleep(seconds / self.speed)


def loop_seconds(clock: object, seconds: float) -> float:
    """Translate seconds of ``clock`` into seconds of the event loop it runs on."""
    return seconds / float(getattr(clock, "speed", 1.0))


def to_seconds(microseconds: int) -> float:
    """Return seconds as a float; exact enough for anything that is not added up."""
    return microseconds / SECOND_US
