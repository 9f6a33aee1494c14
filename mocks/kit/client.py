"""The thin client: calls a simulator in the same process, with real timeouts and losses."""

from __future__ import annotations

import asyncio

from harness.model.errors import AnswerLost, AnswerTimedOut, ConnectFailed, TransportError
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US
from harness.model.ports import Clock
from harness.simulation.clock import loop_seconds
from mocks.kit.accounts import ANY_DOOR, Door
from mocks.kit.pipeline import Edge
from mocks.kit.plan import Delivery, ResponsePlan


class InProcessClient:
    """Implements the ``HttpClient`` port over an :class:`Edge`.

    The service runs in a task of its own: a caller that times out or is cancelled stops waiting,
    and the system goes on with what it was told, as real ones do.
    """

    def __init__(self, edge: Edge, clock: Clock, door: Door = ANY_DOOR) -> None:
        """Call ``edge``, at the address of one region or account when ``door`` names it.

        ``clock`` measures the caller's patience.
        """
        self._edge = edge
        self._door = door
        self._clock = clock
        self._services: set[asyncio.Task[None]] = set()  # held so that none is collected; not read

    async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
        """Return the complete answer.

        Raises ``ConnectFailed``, ``AnswerLost`` or ``AnswerTimedOut`` as the plan says.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[HttpResponse] = loop.create_future()
        service = loop.create_task(self._serve(request, answer))
        self._services.add(service)
        service.add_done_callback(self._services.discard)
        patience = loop.call_later(
            loop_seconds(self._clock, timeout_s), self._give_up, answer, timeout_s
        )
        try:
            return await answer
        finally:
            patience.cancel()

    async def _serve(self, request: HttpRequest, answer: asyncio.Future[HttpResponse]) -> None:
        edge = self._edge
        try:
            plan = await edge.serve(request, door=self._door)
            if plan.delay_us:
                await self._clock.sleep(plan.delay_us / SECOND_US)
            waiting = not answer.done()
            edge.settle(plan, delivered=waiting)
            if not waiting or plan.delivery is Delivery.SILENT:
                return
            if plan.delivery is Delivery.COMPLETE:
                answer.set_result(plan.response)
            else:
                answer.set_exception(_transport_error(edge.system, plan))
        except Exception as error:  # noqa: BLE001 - a bug of the kit belongs to the caller
            if not answer.done():
                answer.set_exception(error)

    def _give_up(self, answer: asyncio.Future[HttpResponse], timeout_s: float) -> None:
        if not answer.done():
            msg = f"{self._edge.system} did not answer within {timeout_s:g} s."
            answer.set_exception(AnswerTimedOut(msg))


def _transport_error(system: str, plan: ResponsePlan) -> TransportError:
    if plan.delivery is Delivery.REFUSED:
        return ConnectFailed(f"{system} refused the connection.")
    if plan.delivery is Delivery.RESET:
        return AnswerLost(f"{system} reset the connection before it answered.")
    if plan.delivery is Delivery.TRUNCATED:
        length = len(plan.response.body)
        return AnswerLost(f"{system} sent {plan.keep_bytes} of {length} bytes and hung up.")
    return AnswerLost(f"{system} hung up without an answer.")
