"""The base of every simulator: a pure state machine over calls the kit has already routed.

The kit routes by contract, authenticates, meters, and validates against the contract; a
simulator answers operations with its own memory. It never sleeps, never reads a clock and never
touches a socket: ``now_us`` and randomness are handed in, effects go to the books.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from harness.model.contract import Contract
from harness.model.exchange import Headers, HttpRequest
from harness.model.ports import Randomness, Streams, SystemAccess
from harness.model.values import JsonObject
from mocks.kit.accounts import Account, Accounts, Doors
from mocks.kit.books import Books
from mocks.kit.calls import Answer, AskFirst, Call, Meter, RefusalKind, Refused
from mocks.kit.manners import Manners

__all__ = [
    "Answer",
    "AskFirst",
    "Call",
    "Meter",
    "RefusalKind",
    "Refused",
    "Simulator",
    "SimulatorSetup",
    "handles",
]


Handler = Callable[[Call], Answer | AskFirst]
HandlerT = TypeVar("HandlerT", bound=Callable[..., Answer | AskFirst])


def handles(operation_id: str, *, api: str | None = None) -> Callable[[HandlerT], HandlerT]:
    """Mark a method as the answer to one operation; ``api`` is ``orders/v0`` when ids repeat."""

    def mark(function: HandlerT) -> HandlerT:
        function.__dict__["handled_operation"] = (api, operation_id)
        return function

    return mark


@dataclass(frozen=True, slots=True)
class SimulatorSetup:
    """What the kit hands to a simulator.

    ``contracts`` maps ``orders/v0`` to the contract served; ``behaviour`` is the parsed
    ``behaviour.yaml``; ``system`` the parsed ``system.yaml``; ``settings`` overrides what
    ``behaviour.yaml`` lists under ``settings``; ``accounts`` are those to serve, the first being
    the default, none meaning the system's own default alone.
    """

    contracts: Mapping[str, Contract]
    behaviour: JsonObject
    system: JsonObject
    streams: Streams
    books: Books
    settings: Mapping[str, Any] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()


class Simulator(ABC):
    """Subclass this once per system, in ``mocks/<system>.py``, with ``system_name`` set."""

    system_name: ClassVar[str] = ""

    def __init__(self, setup: SimulatorSetup) -> None:
        """Keep the set-up and find the handlers by their marks."""
        self.setup = setup
        self.books = setup.books
        self.settings: dict[str, Any] = {
            **{
                name: entry.get("value") if isinstance(entry, Mapping) else entry
                for name, entry in setup.behaviour.get("settings", {}).items()
            },
            **setup.settings,
        }
        self.accounts = Accounts(setup.accounts or (self.default_account(),))
        self.doors = Doors(setup.behaviour, self.accounts, self.system_name)
        self.manners = Manners(
            setup.behaviour,
            self.settings,
            setup.streams,
            system=self.system_name,
        )
        self.handlers: dict[tuple[str | None, str], Handler] = {}
        for name in sorted(dir(type(self))):
            mark = getattr(getattr(type(self), name), "handled_operation", None)
            if mark is not None:
                self.handlers[mark] = getattr(self, name)

    def handler(self, api: str, operation_id: str | None) -> Handler | None:
        """Return the method that answers this operation, ``None`` when it is not imitated."""
        if operation_id is None:
            return None
        return self.handlers.get((api, operation_id)) or self.handlers.get((None, operation_id))

    @abstractmethod
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return this system's error shape and status for a refusal."""

    def example(self, now_us: int) -> HttpRequest | None:
        """Return a request worth trying first, without credentials; ``None`` when there is none."""
        return None

    def answer_headers(self, call_id: str) -> Headers:
        """Return headers this system puts on every answer (a request id, for instance)."""
        return ()

    def readdressed(self, request: HttpRequest, now_us: int) -> HttpRequest:
        """Return the request as it is to be routed: a version past its end may fall forward.

        May raise ``Refused``, as for a version that is gone.
        """
        return request

    def default_account(self) -> Account:
        """Return the account served when nobody names any; ``settings`` are already there."""
        return Account(self.system_name)

    def stream(self, purpose: str, account: str | None = None) -> Randomness:
        """Return a stream of chance of this system, or of one of its accounts.

        The default account draws from the system's own stream, so that further accounts change
        nothing of what it does.
        """
        name = f"{self.system_name}/{purpose}"
        if account is not None and account != self.accounts.default.id:
            name += f"/{account}"
        return self.setup.streams.stream(name)

    @abstractmethod
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        """Return what a client needs to call one account (the default one) at ``base_url``."""
