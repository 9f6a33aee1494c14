"""Ties the delivery of events to one edge: its contracts, its drift, its accounts and secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.model.ports import Clock, SystemAccess
from harness.model.values import Json
from harness.simulation.trace import Trace
from mocks.kit.binding import Binder
from mocks.kit.drifting import Drifting
from mocks.kit.event_delivery import DeliverySetup
from mocks.kit.latency import Latency
from mocks.kit.simulator import Simulator
from mocks.kit.striking import Striker


def delivery_setup(
    simulator: Simulator,
    accesses: Mapping[str, SystemAccess],
    *,
    clock: Clock,
    latency: Latency,
    striker: Striker,
    drifting: Drifting,
    binder: Binder,
    trace: Trace | None,
    failed: Callable[[Exception], None],
) -> DeliverySetup:
    """Return what a courier works with."""
    rules = simulator.setup.behaviour.get("events") or {}
    secret = str((rules.get("signature") or {}).get("secret", "client_secret"))
    accounts, system = simulator.accounts, simulator.system_name

    def prepare(topic: str, body: Json, account: str) -> Json:
        """Check an event against its contract, and give it the shape it has drifted to."""
        manners = simulator.manners.events.manners
        address = manners.topics.get(topic) if manners is not None else None
        if address is None:
            return body
        if not drifting:
            binder.check_event(address, body)
        return drifting.apply(address, 200, body, account, accounts[account].region)

    return DeliverySetup(
        system=system,
        books=simulator.books,
        clock=clock,
        latency=latency,
        decide=striker.decide,
        prepare=prepare,
        secret_of=lambda account: accesses[account].credentials.values.get(secret, ""),
        host_of=lambda account: accounts[account].host or f"{account}.{system}.test",
        region_of=lambda account: accounts[account].region,
        failed=failed,
        trace=trace,
    )
