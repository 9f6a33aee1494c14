"""Measures what a call to a simulator costs: in process (CPU) and over loopback (wall).

Run ``python tests/benchmarks/bench_simulator.py``. Bounded: a few seconds.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

from harness.simulation.clock import SystemClock
from harness.simulation.loop import run_virtual
from mocks.kit.wire import WireServer

CALLS = 10_000
WIRE_CALLS = 4_000
REPEATS = 3


def load_toy_shop() -> Any:
    """Load the toy shop of the kit's tests; tests are no package."""
    path = Path(__file__).parents[1] / "mocks" / "toy_shop.py"
    spec = importlib.util.spec_from_file_location("toy_shop", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    sys.modules["toy_shop"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shop(toy: Any, *, latency: bool, **options: Any) -> Any:
    """Return a toy shop without quotas that stop the measurement."""
    behaviour = {**toy.BEHAVIOUR}
    behaviour["quotas"] = [
        {**quota, "rate_per_second": 10**6, "burst": 10**6, "slots": 1000}
        for quota in behaviour["quotas"]
    ]
    behaviour["authentication"] = {**behaviour["authentication"], "token_seconds": 10**6}
    if not latency:
        behaviour["latency"] = {}
    made = toy.Shop(behaviour=behaviour, **options)
    made.simulator.orders = [{"sku": f"SKU-{n}", "quantity": n + 1} for n in range(20)]
    return made


def in_process(toy: Any, *, latency: bool) -> float:
    """Return CPU microseconds for one list call of 20 orders, from request to parsed JSON."""
    made = shop(toy, latency=latency)

    async def main() -> float:
        await made.log_in()
        started = time.process_time()
        for _ in range(CALLS):
            answer = await made.call("GET", "/orders?size=5&states=NEW,SENT")
            answer.json()
        return time.process_time() - started

    return run_virtual(main, clock=made.clock, limit_s=10**6) / CALLS * 1e6


async def wire(toy: Any) -> float:
    """Return requests per second of one pipelining client sharing the process."""
    made = shop(toy, latency=False, clock=SystemClock())
    await made.log_in()
    server = WireServer(made.edge)
    port = int((await server.start()).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    batch = 20
    text = f"GET /orders?size=5 HTTP/1.1\r\nhost: x\r\nx-access-token: {made.token}\r\n\r\n"
    started = time.perf_counter()
    for _ in range(WIRE_CALLS // batch):
        writer.write(text.encode() * batch)
        for _ in range(batch):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
    seconds = time.perf_counter() - started
    writer.close()
    await server.close()
    return WIRE_CALLS / seconds


def main() -> None:
    """Print the measurements."""
    toy = load_toy_shop()
    for latency in (False, True):
        # The least of a few: what else runs on the machine can only add.
        cost = min(in_process(toy, latency=latency) for _ in range(REPEATS))
        kind = "with three virtual sleeps" if latency else "without latency"
        print(f"in process, {kind}: {cost:.1f} us CPU a call, {1e6 / cost:,.0f} calls a CPU second")
    best = max(asyncio.run(wire(toy)) for _ in range(REPEATS))
    print(f"wire, pipelined, client in the same process: {best:,.0f} requests/s")


if __name__ == "__main__":
    main()
