"""What stands behind the operations of the warehouse: clients, doors, books and events.

The operations themselves are in :mod:`mocks.wms`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from typing_extensions import override

from harness.model.exchange import Headers, HttpRequest
from harness.model.instants import from_text, to_text
from harness.model.ports import Credentials, SystemAccess
from harness.model.values import Json
from mocks import _wms_shapes as shapes
from mocks._wms_house import House
from mocks._wms_orders import Order
from mocks._wms_refusals import Problem
from mocks._wms_shapes import WORDS, Words
from mocks._wms_stock import Shelf
from mocks.kit.accounts import Account, PerAccount
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused, Simulator, SimulatorSetup
from mocks.kit.visibility import ListView

_LATEST = "2026-01"

T = TypeVar("T")


class WarehouseBase(Simulator):
    """Clients with shelves of their own; nothing of one shows in another."""

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open a warehouse with empty shelves; raises ``UsageError`` for a wrong setting."""
        super().__init__(setup)
        self.houses = PerAccount(self._open_house)
        _ = self.houses[self.accounts.default.id]  # a wrong setting shows now, not mid-run
        self._secrets = PerAccount(self._draw_secrets)
        self._numbers = count(1001)
        self._ends_us = {
            str(entry["api"]).partition("/")[2]: from_text(f"{entry['on']}T00:00:00Z")
            for entry in setup.behaviour.get("sunsets", ())
        }

    def _open_house(self, account: str) -> House:
        visibility, address = self.manners.visibility, "warehouse/{}#{}"
        shelves: dict[str, ListView[Shelf]] = {}
        orders: dict[str, ListView[Order]] = {}
        for version in WORDS:
            stock_list, order_list = (
                address.format(version, name) for name in ("listStock", "listOrders")
            )
            shelves[version] = ListView(visibility, stock_list, account=account)
            orders[version] = ListView(visibility, order_list, account=account)
        return House(self.books.for_account(account), self.settings, shelves, orders)

    def _draw_secrets(self, account: str) -> dict[str, str]:
        chance = self.stream("credentials", account)
        return {
            "client_id": f"client-{hex_text(chance, 16)}",
            "client_secret": hex_text(chance, 40),
        }

    # What the kit asks

    @override
    def default_account(self) -> Account:
        """Return the one client a warehouse has when nobody names any."""
        return Account(str(self.settings.get("account", "client-1")))

    @override
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        """Return a client's address and credentials; the same for the same seed."""
        client = self.accounts[account]
        path = self.setup.behaviour.get("authentication", {}).get("token_path", "/oauth/token")
        return SystemAccess(
            name=self.system_name,
            role="wms",
            base_url=base_url,
            account=client.id,
            credentials=Credentials(dict(self._secrets[client.id])),
            parameters={"token_url": base_url + path, **client.parameters},
        )

    @override
    def example(self, now_us: int) -> HttpRequest:
        """Return the list an engine polls stock with."""
        return HttpRequest("GET", f"/{_LATEST}/stock", (("limit", "50"),))

    @override
    def answer_headers(self, call_id: str) -> Headers:
        """Return the request id, which every answer carries."""
        return (("x-request-id", call_id),)

    @override
    def readdressed(self, request: HttpRequest, now_us: int) -> HttpRequest:
        """Refuse a version whose announced end has come."""
        version = request.path.split("/", 2)[1]
        if now_us >= self._ends_us.get(version, now_us + 1):
            msg = f"Version {version} ended on {to_text(self._ends_us[version])[:10]}."
            raise Refused(
                RefusalKind.UNKNOWN_PATH, msg, status=410, code=Problem.VERSION_ENDED.value
            )
        return request

    @override
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return the list of errors, or the other shape a full window has."""
        at_200 = bool(self.settings.get("throttled_at_200", False))
        return shapes.error(refused, call_id, throttled_at_200=at_200)

    # What people in the warehouse do (the ErpSystem role)

    def set_stock(
        self, sku: str, quantity: int, now_us: int, *, account: str | None = None
    ) -> None:
        """Count goods, at the first location, so that ``quantity`` of a SKU may be promised."""
        client = self.accounts[account].id
        house = self.settled(client, now_us)
        house.stock.set_available(sku, quantity, now_us)
        house.book_stock(sku, now_us, None)
        self.tell_stock(house, client, now_us)

    def available(self, sku: str, *, account: str | None = None) -> int | None:
        """Return what may be promised of a SKU over all locations."""
        return self.houses[self.accounts[account].id].stock.available(sku)

    # Shared by the handlers

    def house(self, call: Call) -> House:
        """Return the house of whoever calls, as time has left it."""
        return self.settled(call.account, call.now_us)

    def settled(self, account: str, now_us: int) -> House:
        """Return a client's house after everything that time alone has changed."""
        house = self.houses[account]
        self.tell_stock(house, account, now_us)
        return house

    def write(
        self, call: Call, do: Callable[[House], T], show: Callable[[Words, T], Json]
    ) -> Answer:
        """Do what a request asks, once for each reference, and show what came of it."""
        house, operation = self.house(call), call.operation.operation_id or ""
        reference = call.body["reference_id"]
        house.check_reference(operation, reference)
        made = do(house)
        house.use_reference(operation, reference)
        self.tell_stock(house, call.account, call.now_us)
        return Answer(201, show(WORDS[call.version], made))

    def tell(
        self, house: House, call: Call, topic: str, show: Callable[[Words, T], Json], what: T
    ) -> None:
        """Publish what a request made happen."""
        self._publish(house, call.account, topic, show, what, call.now_us)

    def tell_stock(self, house: House, account: str, now_us: int) -> None:
        """Let reservations expire and waiting orders go ahead, then tell what has changed."""
        house.orders.settle(now_us)
        for shelf in house.take_changed(now_us):
            self._publish(house, account, "stock.changed", Words.stock, shelf, now_us)

    def _publish(
        self,
        house: House,
        account: str,
        topic: str,
        show: Callable[[Words, T], Json],
        what: T,
        now_us: int,
    ) -> None:
        """Publish in the words of every version; a subscription listens to those of its own."""
        if not house.subscriptions:
            return
        for version, words in WORDS.items():
            body = {"topic": topic, "occurred_at": to_text(now_us), "data": show(words, what)}
            self.manners.events.publish(topic_in(version, topic), account, body, now_us)


def topic_in(version: str, topic: str) -> str:
    """Return the name a topic has in ``behaviour.yaml``, where the latest version needs no mark."""
    return topic if version == _LATEST else f"{version}/{topic}"


def hex_text(chance: Any, length: int) -> str:
    """Return hex digits drawn from a stream."""
    return "".join(f"{chance.randrange(0, 16):x}" for _ in range(length))
