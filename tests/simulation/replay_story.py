"""A story of many tasks, faults and equal deadlines; prints its digest. Run as a script, twice."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

from harness.model.errors import TransportError
from harness.simulation.faults import FaultKind, FaultRule
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams


def load_toy_shop() -> Any:
    """Load the toy shop of the kit's tests; tests are no package."""
    path = Path(__file__).parents[1] / "mocks" / "toy_shop.py"
    spec = importlib.util.spec_from_file_location("toy_shop", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    sys.modules["toy_shop"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digest(seed: int) -> str:
    """Return digest, count and end of one run."""
    toy = load_toy_shop()
    behaviour = {
        **toy.BEHAVIOUR,
        "latency": {"network_ms": [5, 40], "service_ms": {"*": [20, 600]}},
    }
    rules = tuple(FaultRule(kind, probability=0.1) for kind in FaultKind)
    shop = toy.Shop(behaviour=behaviour, seed=seed, rules=rules)
    streams = SeededStreams(seed)

    async def worker(name: str) -> None:
        chance = streams.stream(f"worker/{name}")
        for number in range(12):
            await shop.clock.sleep(chance.randrange(0, 4))
            body = {"sku": f"{name}-{number}", "quantity": 1}
            try:
                answer = await shop.call("POST", "/orders", body, timeout_s=1.0)
                shop.trace.record(shop.clock.now_us(), "worker", name=name, status=answer.status)
            except TransportError as error:
                shop.trace.record(shop.clock.now_us(), "worker", name=name, error=str(error))

    async def main() -> None:
        while not shop.token:
            try:
                await shop.log_in()
            except (TransportError, AssertionError):
                await shop.clock.sleep(1)
        async with asyncio.TaskGroup() as group:
            # A set on purpose: its order differs between hash seeds, so it must be sorted.
            for name in sorted({"anna", "ben", "carla", "dora", "emil"}):
                group.create_task(worker(name))

    run_virtual(main, clock=shop.clock, streams=streams, limit_s=3600)
    return f"{shop.trace.digest()} {shop.trace.count} {shop.clock.now_us()}"


if __name__ == "__main__":
    sys.stdout.write(digest(int(sys.argv[1])) + "\n")
