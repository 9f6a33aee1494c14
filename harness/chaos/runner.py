"""Plays a scenario in virtual time; the same seed is the same night, byte for byte."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harness.catalog import Catalog
from harness.chaos.ledger import Ledger
from harness.chaos.report import Night, build_report
from harness.chaos.scenario import PHASE_NAMES, CrashStep, Scenario
from harness.chaos.timeline import acts, fault_plan
from harness.chaos.workload import OrderArrival, Plan, StockChange, plan_workload
from harness.chaos.world import ChaosWorld, Deliveries, EngineCrashed
from harness.model.errors import UsageError
from harness.model.finding import Report
from harness.model.instants import SECOND_US
from harness.model.ports import Engine, HttpClient
from harness.model.values import fingerprint
from harness.simulation.clock import VirtualClock
from harness.simulation.faults import FaultPlan
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from harness.simulation.trace import Trace
from mocks.kit.books import BookKind
from mocks.kit.estate import Estate
from mocks.kit.roles import ErpSystem, OutOfStock, SalesChannel

if TYPE_CHECKING:
    import httpx

DEFAULT_ENGINE = "harness.sync.engine:ReferenceEngine"
_LOOK_EVERY_US = 15 * SECOND_US
_LIMIT_MARGIN_S = 3600


@dataclass(frozen=True)
class ChaosResult:
    """What one run leaves: the report, the books, and the trace with its digest."""

    report: Report
    digest: str
    ledger: Ledger
    trace: Trace


def replay_command(scenario: Scenario, seed: int, engine: str | None = None) -> str:
    """Return the command that plays exactly this run again."""
    which = scenario.name if _is_shipped(scenario) else scenario.path or scenario.name
    command = f"driftgate chaos run {which} --seed {seed}"
    return f"{command} --engine {engine}" if engine and engine != DEFAULT_ENGINE else command


def _is_shipped(scenario: Scenario) -> bool:
    path = Path(scenario.path)
    return path.stem == scenario.name and path.parent.name == "scenarios"


def run_scenario(
    scenario: Scenario,
    *,
    engine_factory: Callable[[], Engine],
    catalog: Catalog,
    seed: int | None = None,
    engine_name: str | None = None,
    trace_sink: IO[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> ChaosResult:
    """Play the scenario against a fresh engine and return the verdict.

    ``seed`` replaces the scenario's own; ``engine_name`` goes into the replay command.
    Raises ``UserMistake`` when the scenario names something that does not exist.
    """
    chosen = scenario.seed if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="driftgate-chaos-") as folder:
        show = Show(
            scenario,
            seed=chosen,
            engine_factory=engine_factory,
            catalog=catalog,
            storage=Path(folder),
            trace=Trace(sink=trace_sink),
            progress=progress or (lambda _text: None),
        )
        show.play()
    ledger = show.ledger(catalog, replay_command(scenario, chosen, engine_name))
    digest = show.trace.digest()
    night = Night(
        seed=chosen,
        engine=engine_name or DEFAULT_ENGINE,
        digest=digest,
        trouble=tuple(show.trouble),
        faults_fired={str(k): n for k, n in sorted(show.faults.fired.items())},
        simulator_failures=tuple(f"{type(e).__name__}: {e}" for e in show.estate.failures),
    )
    return ChaosResult(build_report(ledger, night), digest, ledger, show.trace)


class Show:
    """One run: the estate, the agenda and the incarnations of the engine."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int,
        engine_factory: Callable[[], Engine],
        catalog: Catalog,
        storage: Path,
        trace: Trace,
        progress: Callable[[str], None],
    ) -> None:
        """Set everything up; nothing moves before :meth:`play`."""
        self.scenario = scenario
        self.trace = trace
        self.trouble: list[str] = []
        self.crashes = 0
        self.changes = 0
        self._progress = progress
        self._factory = engine_factory
        self._streams = SeededStreams(seed)
        self._clock = VirtualClock(scenario.start_us)
        self.faults: FaultPlan = fault_plan(scenario, self._streams)
        names = [s.system for s in scenario.systems]
        self.estate = Estate(
            names,
            catalog=catalog,
            clock=self._clock,
            streams=self._streams,
            faults=self.faults,
            trace=trace,
            settings={s.system: s.settings for s in scenario.systems},
            drift_packs={s.system: s.drift_pack for s in scenario.systems if s.drift_pack},
        )
        self._channels: Mapping[str, SalesChannel] = {
            c.system: self._role(c.system, SalesChannel, "sales channel") for c in scenario.channels
        }
        self._erp: ErpSystem = self._role(scenario.erp.system, ErpSystem, "ERP")
        self._plan: Plan = plan_workload(scenario, self._streams)
        self._acts = acts(scenario, self.estate, catalog)
        self._storage_root = storage
        self._storage = storage / "1"
        self._storage.mkdir()
        self._deliveries = Deliveries()
        self._world: ChaosWorld | None = None
        self._engine: asyncio.Task[None] | None = None
        self._armed: CrashStep | None = None
        self._finished = False

    def _role(self, name: str, role: type[Any], words: str) -> Any:
        simulator = self.estate.simulators[name]
        if not isinstance(simulator, role):
            msg = f"{name} cannot play the part of a {words}."
            raise UsageError(msg, remedy="Give the part to another system in the scenario.")
        return simulator

    # -- the run ------------------------------------------------------------------------------

    def play(self) -> None:
        """Run from the first order to the last echo."""
        limit_s = self.scenario.phases.end_us / SECOND_US + _LIMIT_MARGIN_S
        try:
            run_virtual(self._main, clock=self._clock, streams=self._streams, limit_s=limit_s)
        except EngineCrashed:
            # A background task of a dead incarnation woke up behind the fence; as it should.
            if not self._finished:
                raise
        except Exception as error:
            # Errors that nobody awaited surface here: the engine's, once the night was played.
            if not self._finished:
                raise
            self._note_trouble(error)
        self._record("end", entries=[self._books_mark(name) for name in self.estate.books])

    async def _main(self) -> None:
        for sku, quantity in self._plan.opening_stock:
            self._set_stock(sku, quantity)
            for channel in self._channels.values():
                channel.list_sku(sku, quantity, self._clock.now_us())
        self._start_engine()
        for at_us, deed in self._agenda():
            await self._sleep_until(at_us)
            deed()
        await self._sleep_until(self.scenario.phases.start_us("quiesce"))
        await self._quiesce()
        await self._stop_engine()
        self._finished = True

    def _agenda(self) -> list[tuple[int, Callable[[], None]]]:
        """Return every deed with its offset, oldest first; at one instant in this order."""
        agenda: list[tuple[int, Callable[[], None]]] = []
        for phase in PHASE_NAMES:
            agenda.append((self.scenario.phases.start_us(phase), self._deed(self._phase, phase)))
        for act in self._acts:
            agenda.append((act.at_us, self._deed(self._act, act.what, act.system, act.do)))
        for crash in self.scenario.crashes:
            agenda.append((crash.at_us, self._deed(self._arm, crash)))
        for event in self._plan.events:
            agenda.append((event.at_us, self._deed(self._happen, event)))
        return sorted(agenda, key=lambda item: item[0])

    @staticmethod
    def _deed(do: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        return lambda: do(*arguments)

    async def _sleep_until(self, offset_us: int) -> None:
        wait_us = self.scenario.start_us + offset_us - self._clock.now_us()
        if wait_us > 0:
            await self._clock.sleep(wait_us / SECOND_US)

    async def _quiesce(self) -> None:
        """Wait until nothing is written any more for a while, or the time is up."""
        phases = self.scenario.phases
        end_us = self.scenario.start_us + phases.end_us
        seen, since_us = self._effects(), self._clock.now_us()
        while self._clock.now_us() < end_us:
            await self._clock.sleep(_LOOK_EVERY_US / SECOND_US)
            effects, now_us = self._effects(), self._clock.now_us()
            if effects != seen:
                seen, since_us = effects, now_us
            elif now_us - since_us >= phases.idle_us:
                break

    def _effects(self) -> int:
        return sum(
            1
            for books in self.estate.books.values()
            for entry in books.entries
            if entry.kind is not BookKind.TOKEN_ISSUED
        )

    # -- what the outside world does ----------------------------------------------------------

    def _phase(self, phase: str) -> None:
        self._record("phase", phase=phase)
        self._progress(
            f"{phase}: {len(self._plan.events)} events planned, "
            f"{self._effects()} book entries so far"
        )

    def _act(self, what: str, system: str, do: Callable[[], None]) -> None:
        self._record("act", what=what, system=system)
        self.changes += 1
        do()

    def _happen(self, event: OrderArrival | StockChange) -> None:
        if isinstance(event, StockChange):
            self._set_stock(event.sku, event.quantity)
            return
        now_us = self._clock.now_us()
        channel = self._channels[event.channel]
        try:
            order_id = channel.place_order(event.draft, now_us)
        except OutOfStock as sold_out:
            self._record("order_not_placed", channel=event.channel, sku=sold_out.sku)
            return
        self._record("order_placed", channel=event.channel, order=order_id)
        if event.release_after_us is not None:
            delay_s = event.release_after_us / SECOND_US
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, lambda: channel.release_order(order_id, self._clock.now_us()))

    def _set_stock(self, sku: str, quantity: int) -> None:
        self._erp.set_stock(sku, quantity, self._clock.now_us())
        self._record("stock_set", sku=sku, quantity=quantity)

    # -- the engine ---------------------------------------------------------------------------

    def _start_engine(self) -> None:
        names = list(self.estate.edges)
        world = ChaosWorld(
            systems={name: self.estate.access(name) for name in names},
            inner_clock=self._clock,
            storage=self._storage,
            streams=self._streams,
            clients={name: self.estate.client(name) for name in names},
            wrap=_wrap_httpx,
            deliveries=self._deliveries,
            answered=self._answered,
        )
        self._world = world
        self._record("engine_started", incarnation=self.crashes + 1)
        task = asyncio.get_running_loop().create_task(
            self._factory().run(world), name=f"engine-{self.crashes + 1}"
        )
        task.add_done_callback(lambda done: self._engine_ended(world, done))
        self._engine = task

    def _engine_ended(self, world: ChaosWorld, task: asyncio.Task[None]) -> None:
        if task.cancelled() or world.fence.fallen or self._finished:
            if not task.cancelled():
                task.exception()  # looked at, so that nobody reports it as overlooked
            return
        error = task.exception()
        if error is None:
            self.trouble.append("run() returned; an engine runs until it is cancelled")
            self._record("engine_returned")
        else:
            self._note_trouble(error)

    def _note_trouble(self, error: BaseException) -> None:
        text = f"{type(error).__name__}: {error}".replace(str(self._storage_root), "(storage)")
        if isinstance(error, BaseExceptionGroup):
            inner = error.exceptions[0]
            text = f"{text}; first: {type(inner).__name__}: {inner}"
        self.trouble.append(text)
        self._record("engine_raised", error=type(error).__name__)

    def _arm(self, crash: CrashStep) -> None:
        self._armed = crash
        if crash.after is None:
            self._crash()

    def _answered(self, system: str) -> None:
        """Hear of an answer before the engine does: the worst moment to die."""
        if self._armed is None or self._armed.after is None or not self.estate.books[system].calls:
            return
        operation = self.estate.books[system].calls[-1].operation_id or ""
        if self._armed.after in (operation, operation.rpartition("#")[2]):
            self._crash()

    def _crash(self) -> None:
        if self._world is None or self._engine is None or self._armed is None:
            return
        restart_us, self._armed = self._armed.restart_us, None
        self._world.fence.fall()
        self.crashes += 1
        self._record("engine_killed", incarnation=self.crashes)
        # Whatever the dead incarnation's handlers still write goes to the storage it leaves behind.
        self._storage = self._storage_root / str(self.crashes + 1)
        shutil.copytree(self._world.storage, self._storage)
        self._engine.cancel()
        asyncio.get_running_loop().call_later(restart_us / SECOND_US, self._start_engine)

    async def _stop_engine(self) -> None:
        self._finished = True
        if self._engine is not None:
            self._engine.cancel()
            await asyncio.wait([self._engine], timeout=60)

    # -- evidence -----------------------------------------------------------------------------

    def _record(self, kind: str, **facts: Any) -> None:
        self.trace.record(self._clock.now_us(), kind, **facts)

    def _books_mark(self, name: str) -> str:
        entries = self.estate.books[name].entries
        return fingerprint([[e.at_us, e.kind.value, e.key, dict(e.data)] for e in entries])

    def ledger(self, catalog: Catalog, replay: str) -> Ledger:
        """Return the books for judgement."""
        skus = [sku for sku, _ in self._plan.opening_stock]
        books = self.estate.books
        calls = [call for b in books.values() for call in b.calls]
        channels = {name: books[name] for name in self._channels}
        erp = books[self.scenario.erp.system]
        counts = {
            "orders.placed": sum(1 for b in channels.values() for _ in b.of(BookKind.ORDER_PLACED)),
            "orders.created": sum(1 for _ in erp.of(BookKind.SALES_ORDER_CREATED)),
            "quantities.published": sum(
                1 for b in channels.values() for _ in b.of(BookKind.QUANTITY_PUBLISHED)
            ),
            "calls.throttled": sum(1 for c in calls if c.outcome == "throttled"),
            "calls.failed": sum(1 for c in calls if not c.delivered or (c.status or 0) >= 500),
            "engine.crashed": self.crashes,
            "changes.made": self.changes,
            **{f"fault.{kind}": n for kind, n in sorted(self.faults.fired.items())},
        }
        return Ledger(
            scenario=self.scenario,
            channels=channels,
            erp=erp,
            listed={
                name: {sku: channel.listed_quantity(sku) for sku in skus}
                for name, channel in self._channels.items()
            },
            available={sku: self._erp.available(sku) for sku in skus},
            behaviours={name: catalog.behaviour(name) for name in books},
            ended_us=self._clock.now_us(),
            replay=replay,
            counts=counts,
        )


def _wrap_httpx(client: HttpClient, base_url: str) -> httpx.AsyncClient:
    import httpx

    from mocks.kit.httpx_transport import SimulatedTransport

    return httpx.AsyncClient(
        transport=SimulatedTransport(client), base_url=base_url, trust_env=False
    )
