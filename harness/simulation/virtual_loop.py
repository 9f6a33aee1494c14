"""An asyncio event loop in virtual time: a day of trade in seconds, the same trace every time.

One thread, one ready queue in first-in-first-out order, and timers ordered by (deadline,
sequence) in integer microseconds. Time jumps to the next deadline when nothing is ready. Whatever
would let the real world in (sockets, threads, processes, signals) is refused where it is called.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from typing_extensions import override

from harness.model.instants import SECOND_US
from harness.model.ports import Randomness
from harness.simulation.clock import VirtualClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
ExceptionHandler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]

# Callbacks allowed within one instant; more means tasks that wake each other for ever.
CALLBACKS_PER_INSTANT_MAX = 2_000_000


class Deadlock(RuntimeError):
    """Nothing is ready and nothing is scheduled: every task waits for another."""


class Livelock(RuntimeError):
    """Tasks keep waking each other while time stands still."""


class TimeLimitReached(RuntimeError):
    """The run is not over at the end of the virtual time it was given."""


class EscapedSimulation(RuntimeError):
    """Simulated code asked for a socket, a thread, a process or a signal."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """Enough of an event loop for everything in asyncio that does no I/O."""

    def __init__(self, clock: VirtualClock, *, scheduling: Randomness | None = None) -> None:
        """Run on ``clock``; ``scheduling`` shuffles timers that are due at the same instant."""
        self.clock = clock
        self.limit_us: int | None = None
        self.unhandled: list[dict[str, Any]] = []
        self._base_us = clock.now_us()
        self._scheduling = scheduling
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._sequence = 0
        # Held strongly: a task collected as garbage would run its "finally" at a random moment.
        self.tasks: list[asyncio.Task[Any]] = []
        self._prune_at = 256
        self._generators: list[weakref.ref[AsyncGenerator[Any, Any]]] = []
        self._stopping = False
        self._running = False
        self._closed = False
        self._debug = False
        self._exception_handler: ExceptionHandler | None = None
        self._task_factory: Any = None

    # -- time -------------------------------------------------------------------------------

    @override
    def time(self) -> float:
        """Return virtual seconds since this loop began."""
        return (self.clock.now_us() - self._base_us) / SECOND_US

    @override
    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run ``callback`` in the next round."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    @override
    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` after ``delay`` virtual seconds, rounded to a microsecond."""
        due_us = self.clock.now_us() + max(0, round(delay * SECOND_US))
        return self._schedule(due_us, callback, args, context)

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run ``callback`` when :meth:`time` reads ``when``."""
        due_us = self._base_us + round(when * SECOND_US)
        return self._schedule(due_us, callback, args, context)

    def _schedule(
        self,
        due_us: int,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> asyncio.TimerHandle:
        when = (due_us - self._base_us) / SECOND_US
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._sequence += 1
        heapq.heappush(self._timers, (due_us, self._sequence, handle))
        return handle

    @override
    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run ``callback`` in the next round; there is only one thread."""
        return self.call_soon(callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers leave the heap when their time comes."""

    # -- futures and tasks --------------------------------------------------------------------

    @override
    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    @override
    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        """Start a task and remember it in order of creation."""
        if self._task_factory is not None:
            task: asyncio.Task[T] = self._task_factory(self, coro, context=context, **options)
        else:
            task = asyncio.Task(coro, loop=self, name=name, context=context, **options)
        self.tasks.append(task)
        if len(self.tasks) >= self._prune_at:
            self.tasks = [t for t in self.tasks if not t.done()]
            self._prune_at = max(256, 2 * len(self.tasks))
        return task

    @override
    def set_task_factory(self, factory: Any) -> None:
        """Let ``factory`` make the tasks; ``None`` restores the default."""
        self._task_factory = factory

    @override
    def get_task_factory(self) -> Any:
        """Return the task factory, ``None`` for the default."""
        return self._task_factory

    def pending_tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done, oldest first."""
        return [task for task in self.tasks if not task.done()]

    # -- running ------------------------------------------------------------------------------

    @override
    def run_forever(self) -> None:
        """Run until :meth:`stop`; raises ``Deadlock``, ``Livelock`` or ``TimeLimitReached``."""
        self._check_closed()
        if self._running or asyncio._get_running_loop() is not None:
            msg = "another event loop is running in this thread"
            raise RuntimeError(msg)
        hooks = sys.get_asyncgen_hooks()
        self._running = True
        sys.set_asyncgen_hooks(firstiter=self._generator_begins, finalizer=self._generator_dies)
        asyncio._set_running_loop(self)
        try:
            self._run_rounds()
        finally:
            self._stopping = False
            self._running = False
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _run_rounds(self) -> None:
        ready, timers, clock = self._ready, self._timers, self.clock
        in_this_instant = 0
        while not self._stopping:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not ready:
                self._jump()
                in_this_instant = 0
            now_us = clock.now_us()
            if timers and timers[0][0] <= now_us:
                self._collect_due(now_us)
            batch = len(ready)
            in_this_instant += batch
            for _ in range(batch):
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
            if in_this_instant > CALLBACKS_PER_INSTANT_MAX:
                msg = f"time stands still after {in_this_instant} callbacks: {self.who_waits()}"
                raise Livelock(msg)

    def _collect_due(self, now_us: int) -> None:
        timers = self._timers
        due: list[asyncio.Handle] = []
        while timers and timers[0][0] <= now_us:
            due.append(heapq.heappop(timers)[2])
        if self._scheduling is not None and len(due) > 1:
            self._scheduling.shuffle(due)
        self._ready.extend(due)

    def _jump(self) -> None:
        """Move the clock to the next deadline."""
        if not self._timers:
            msg = f"nothing is ready and nothing is scheduled: {self.who_waits()}"
            raise Deadlock(msg)
        due_us = self._timers[0][0]
        if self.limit_us is not None and due_us > self.limit_us:
            limit_s = (self.limit_us - self._base_us) / SECOND_US
            msg = f"the run is not over after {limit_s:g} virtual seconds: {self.who_waits()}"
            self.clock.advance_to(self.limit_us)
            raise TimeLimitReached(msg)
        self.clock.advance_to(due_us)

    def who_waits(self) -> str:
        """Return the tasks that are not done, in words."""
        pending = self.pending_tasks()
        names = ", ".join(task_label(task) for task in pending[:8])
        more = f" and {len(pending) - 8} more" if len(pending) > 8 else ""
        return f"{len(pending)} tasks wait ({names}{more})"

    @override
    def run_until_complete(self, future: Any) -> Any:
        """Run until ``future`` is done and return its result."""
        self._check_closed()
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(self._stop_when_done)
        try:
            self.run_forever()
        finally:
            task.remove_done_callback(self._stop_when_done)
        return task.result()

    def _stop_when_done(self, _future: asyncio.Future[Any]) -> None:
        self._stopping = True

    @override
    def stop(self) -> None:
        """Stop after the current round."""
        self._stopping = True

    @override
    def is_running(self) -> bool:
        """Say whether the loop runs right now."""
        return self._running

    @override
    def is_closed(self) -> bool:
        """Say whether :meth:`close` was called."""
        return self._closed

    @override
    def close(self) -> None:
        """Forget everything that is still queued."""
        if self._running:
            msg = "cannot close a running event loop"
            raise RuntimeError(msg)
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def _check_closed(self) -> None:
        if self._closed:
            msg = "this virtual loop is closed"
            raise RuntimeError(msg)

    # -- async generators -------------------------------------------------------------------

    def _generator_begins(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators = [ref for ref in self._generators if ref() is not None]
        self._generators.append(weakref.ref(generator))

    def _generator_dies(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.create_task(_close_generator(generator), name="close an async generator")

    @override
    async def shutdown_asyncgens(self) -> None:
        """Close async generators that were left open, oldest first."""
        generators, self._generators = self._generators, []
        for ref in generators:
            generator = ref()
            if generator is not None:
                await generator.aclose()

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is no executor to shut down."""

    # -- errors -------------------------------------------------------------------------------

    @override
    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Hand ``context`` to the handler, or keep it in ``unhandled``."""
        if self._exception_handler is not None:
            self._exception_handler(self, context)
        else:
            self.default_exception_handler(context)

    @override
    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep ``context``; ``run_virtual`` raises it at the end."""
        self.unhandled.append(context)

    @override
    def set_exception_handler(self, handler: ExceptionHandler | None) -> None:
        """Let ``handler`` have the errors nobody caught."""
        self._exception_handler = handler

    @override
    def get_exception_handler(self) -> ExceptionHandler | None:
        """Return the exception handler, ``None`` for the default."""
        return self._exception_handler

    @override
    def get_debug(self) -> bool:
        """Say whether asyncio's debug checks are on."""
        return self._debug

    @override
    def set_debug(self, enabled: bool) -> None:
        """Switch asyncio's debug checks."""
        self._debug = enabled

    # -- the real world, refused ------------------------------------------------------------

    @override
    def run_in_executor(
        self, executor: Any, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Refuse: a thread would make the run impossible to replay."""
        name = getattr(func, "__qualname__", type(func).__name__)
        msg = f"run_in_executor({name}) inside a simulation: threads cannot be replayed. {_REMEDY}"
        raise EscapedSimulation(msg)


_REMEDY = "Call it inline, or run this code in real time against the wire server."
_REFUSED = (
    "add_reader add_signal_handler add_writer connect_accepted_socket connect_read_pipe "
    "connect_write_pipe create_connection create_datagram_endpoint create_server "
    "create_unix_connection create_unix_server getaddrinfo getnameinfo remove_reader "
    "remove_signal_handler remove_writer sendfile set_default_executor sock_accept sock_connect "
    "sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall sock_sendfile "
    "sock_sendto start_tls subprocess_exec subprocess_shell"
)


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(_loop: VirtualLoop, *_args: Any, **_options: Any) -> NoReturn:
        msg = f"{name}() inside a simulation: the real world cannot be replayed. {_REMEDY}"
        raise EscapedSimulation(msg)

    refuse.__name__ = name
    refuse.__doc__ = f"Refuse ``{name}``: the real world cannot be replayed."
    return refuse


for _name in _REFUSED.split():
    setattr(VirtualLoop, _name, _refusal(_name))


async def _close_generator(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()


def task_label(task: asyncio.Task[Any]) -> str:
    """Return a task's name and the function it runs."""
    coroutine = task.get_coro()
    return f"{task.get_name()} {getattr(coroutine, '__qualname__', coroutine)}"
