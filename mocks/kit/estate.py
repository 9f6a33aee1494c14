"""An estate: several simulated systems, set up together on one clock and one seed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.model.contract import Contract
from harness.model.errors import UsageError
from harness.model.ports import Clock, Streams, SystemAccess
from harness.model.values import JsonObject
from harness.simulation.faults import FaultPlan
from harness.simulation.trace import Trace
from mocks.kit.accounts import Account, Door
from mocks.kit.books import Books
from mocks.kit.client import InProcessClient
from mocks.kit.pipeline import Edge
from mocks.kit.posting import Poster, Receivers
from mocks.kit.simulator import Simulator, SimulatorSetup

if TYPE_CHECKING:
    import httpx

    from harness.catalog import Catalog


def discover() -> Mapping[str, type[Simulator]]:
    """Return every simulator found in ``mocks/*.py``, by system name, sorted.

    Found by looking: a new system needs no entry anywhere.
    """
    import mocks

    found: dict[str, type[Simulator]] = {}
    for module_info in pkgutil.iter_modules(mocks.__path__):
        if module_info.ispkg or module_info.name.startswith("_"):
            continue
        module = importlib.import_module(f"mocks.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Simulator) and value.system_name:
                found[value.system_name] = value
    return dict(sorted(found.items()))


def in_process_url(name: str) -> str:
    """Return the base URL a system has in process; ``.test`` resolves nowhere by definition."""
    return f"https://{name.replace('_', '-')}.test"


class Estate:
    """Simulators, their edges and books, by system name."""

    def __init__(
        self,
        names: Iterable[str],
        *,
        catalog: Catalog,
        clock: Clock,
        streams: Streams,
        faults: FaultPlan | None = None,
        trace: Trace | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        accounts: Mapping[str, Sequence[Account]] | None = None,
        drift_packs: Mapping[str, str | JsonObject | None] | None = None,
        check_answers: bool = False,
        latency: bool = True,
    ) -> None:
        """Set up the systems; raises ``UsageError`` for a name no simulator has.

        ``settings`` overrides ``behaviour.yaml`` by system; ``accounts`` names the sellers or
        companies of a system (without it, its default one); ``drift_packs`` names the pack a
        system starts with. All events go to :attr:`receivers` until :meth:`post_events_with`.
        """
        known = discover()
        self.clock = clock
        self.simulators: dict[str, Simulator] = {}
        self.edges: dict[str, Edge] = {}
        self.books: dict[str, Books] = {}
        self.receivers = Receivers()
        self._clients: dict[tuple[str, str | None], InProcessClient] = {}
        for name in names:
            if name not in known:
                msg = f"there is no simulator {name!r}."
                raise UsageError(msg, remedy=f"Simulators: {', '.join(known) or 'none'}.")
            setup = SimulatorSetup(
                contracts=_contracts(catalog, name),
                behaviour=catalog.behaviour(name),
                system=catalog.system(name).data,
                streams=streams,
                books=Books(name),
                settings=(settings or {}).get(name, {}),
                accounts=tuple((accounts or {}).get(name, ())),
            )
            simulator = known[name](setup)
            edge = Edge(
                simulator,
                clock=clock,
                streams=streams,
                faults=faults,
                trace=trace,
                check_answers=check_answers,
                latency=latency,
            )
            pack = (drift_packs or {}).get(name)
            if pack is not None:
                edge.switch_drift_pack(
                    catalog.drift_pack(name, pack) if isinstance(pack, str) else pack
                )
            self.simulators[name] = simulator
            self.edges[name] = edge
            self.books[name] = setup.books
            edge.courier.poster = self.receivers
            self._clients[name, None] = InProcessClient(edge, clock)

    @property
    def failures(self) -> list[Exception]:
        """Everything simulators raised by mistake; a run that has any proved nothing."""
        return [error for edge in self.edges.values() for error in edge.failures]

    def post_events_with(self, poster: Poster) -> None:
        """Deliver every system's events through ``poster`` from now on."""
        for edge in self.edges.values():
            edge.courier.poster = poster

    def client(self, name: str, account: str | None = None) -> InProcessClient:
        """Return the thin client of one system, at the address of ``account`` when named."""
        found = self._clients.get((name, account))
        if found is None:
            simulator = self.simulators[name]
            owner = simulator.accounts[account]
            door = Door(owner.region, owner.id if owner.host is not None else None)
            found = InProcessClient(self.edges[name], self.clock, door)
            self._clients[name, account] = found
        return found

    def httpx_client(self, name: str, account: str | None = None) -> httpx.AsyncClient:
        """Return an httpx client of one system, over the same edge."""
        import httpx

        from mocks.kit.httpx_transport import SimulatedTransport

        transport = SimulatedTransport(self.client(name, account))
        base_url = self.access(name, account=account).base_url
        return httpx.AsyncClient(transport=transport, base_url=base_url, trust_env=False)

    def access(
        self, name: str, base_url: str | None = None, *, account: str | None = None
    ) -> SystemAccess:
        """Return what a client needs to call a system, in process or at ``base_url``."""
        return self.simulators[name].access(base_url or in_process_url(name), account)


def _contracts(catalog: Catalog, name: str) -> dict[str, Contract]:
    return {
        f"{api}/{version}": catalog.contract(name, api, version).contract
        for api, version in catalog.apis(name)
    }
