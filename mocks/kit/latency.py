"""How long a simulated system takes: whole microseconds from integer ranges, from its own stream.

Integers, because logarithms may differ in the last bit between machines and a seed must travel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.errors import MetadataError
from harness.model.ports import Randomness
from harness.model.values import JsonObject

_Range = tuple[int, int]


def _microseconds(value: Any, what: str) -> _Range:
    """Read ``[least, most]`` or one number of milliseconds."""
    try:
        least, most = value if isinstance(value, list | tuple) else (value, value)
        span = (int(least * 1000), int(most * 1000))
    except (TypeError, ValueError):
        span = (-1, -1)
    if not 0 <= span[0] <= span[1]:
        msg = f"{what} is {value!r}."
        raise MetadataError(msg, remedy="Give milliseconds as a number or as [least, most].")
    return span


class Latency:
    """Samples the times of one system; all zero when ``behaviour`` says nothing."""

    def __init__(self, behaviour: JsonObject, stream: Randomness) -> None:
        """Read ``latency`` of ``behaviour.yaml``."""
        rules: Mapping[str, Any] = behaviour.get("latency") or {}
        self._stream = stream
        self._network = _microseconds(rules.get("network_ms", 0), "latency.network_ms")
        self._service = {
            str(address): _microseconds(value, f"latency.service_ms of {address}")
            for address, value in (rules.get("service_ms") or {}).items()
        }
        self._otherwise = self._service.get("*", (0, 0))

    def network_us(self) -> int:
        """Return the time of one way over the network."""
        return self._sample(self._network)

    def service_us(self, address: str) -> int:
        """Return the time the system works on one operation."""
        return self._sample(self._service.get(address, self._otherwise))

    def sample_ms(self, value: Any) -> int:
        """Return microseconds from a number or range of milliseconds in a fault's parameters."""
        return self._sample(_microseconds(value, "delay_ms"))

    def _sample(self, span: _Range) -> int:
        least, most = span
        return least if least == most else self._stream.randrange(least, most + 1)
