"""Where the time of a command went, by phase."""

from __future__ import annotations

from harness.model.ports import Clock


class Stopwatch:
    """Adds up the time between laps under the name of the phase that just ended."""

    def __init__(self, clock: Clock) -> None:
        """Start now."""
        self._clock = clock
        self._since_us = clock.now_us()
        self._spent_us: dict[str, int] = {}

    def lap(self, phase: str) -> None:
        """Book the time since the last lap on ``phase``."""
        now_us = self._clock.now_us()
        self._spent_us[phase] = self._spent_us.get(phase, 0) + now_us - self._since_us
        self._since_us = now_us

    def lines(self) -> list[str]:
        """Return milliseconds and share of each phase, in the order they first ended."""
        total_us = sum(self._spent_us.values())
        rows = [*self._spent_us.items(), ("total", total_us)]
        width = max(len(name) for name, _ in rows)
        return [
            f"  {name.ljust(width)} {us / 1000:10.1f} ms {100 * us / max(total_us, 1):5.1f} %"
            for name, us in rows
        ]
