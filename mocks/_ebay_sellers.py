"""Every seller of one simulated vendor, with what their services have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from harness.model.instants import SECOND_US
from mocks._ebay_inventory import Inventory
from mocks._ebay_money import Till
from mocks._ebay_orders import Order, OrderBook
from mocks._ebay_refunds import Refunds
from mocks.kit.accounts import PerAccount
from mocks.kit.ledger import SettlementRule, settlement_rule
from mocks.kit.manners import Manners
from mocks.kit.simulator import Call, RefusalKind, Refused, SimulatorSetup

DAY_US = 86_400 * SECOND_US
_SIGNED = ("signature", "signature-input", "x-ebay-signature-key")


@dataclass(frozen=True, slots=True)
class Seller:
    """One seller's orders, stock and money."""

    account: str
    orders: OrderBook
    inventory: Inventory
    till: Till


class Sellers:
    """All sellers; what a service of the vendor is given to work with."""

    def __init__(
        self, setup: SimulatorSetup, manners: Manners, settings: Mapping[str, Any], system: str
    ) -> None:
        """Open a shop for each seller when it is first looked at."""
        self.manners = manners
        self.settings = settings
        self.limits: Mapping[str, Any] = setup.behaviour.get("limits", {})
        self.marketplace = str(settings.get("marketplace_id", "EBAY_US"))
        self._books = setup.books
        self._streams = setup.streams
        self._system = system
        self._rule: SettlementRule = settlement_rule(setup.behaviour)
        self._sellers = PerAccount(self._open)
        self.refunds = Refunds(
            manners.jobs.desk("refunds"), on_repeat=str(settings.get("refund_repeat", "accept"))
        )

    def _open(self, account: str) -> Seller:
        books = self._books.for_account(account)
        chance = self._streams.stream(f"{self._system}/numbers/{account}")
        revisions = int(self.limits.get("listing_revisions_per_day", 250))
        till = Till(
            account,
            self._rule,
            fee_share=Fraction(str(self.settings.get("final_value_fee_share", 0))),
            returns_fee=bool(self.settings.get("refund_returns_fee", True)),
        )
        orders = OrderBook(books, chance)
        return Seller(account, orders, Inventory(books, revisions_max=revisions), till)

    def at(self, account: str, now_us: int) -> Seller:
        """Return a seller as things stand now: refunds that are due have been paid."""
        self.refunds.settle(now_us)
        return self._sellers[account]

    def look(self, account: str) -> Seller:
        """Return a seller without letting time pass."""
        return self._sellers[account]

    def order(self, call: Call) -> Order:
        """Return the order a path names; one whose checkout is not complete is not there yet."""
        order_id = call.path.get("orderId", "")
        found = self.at(call.account, call.now_us).orders.orders.get(order_id)
        if found is None or not found.paid:
            raise Refused(RefusalKind.NOT_FOUND, f"There is no order {order_id!r}.")
        return found

    def check_signature(self, call: Call) -> None:
        """Refuse an unsigned message where this seller must sign; what it holds is not checked."""
        if not self.settings.get("message_signatures_required", False):
            return
        for name in _SIGNED:
            if not call.request.header(name):
                msg = f"This seller must sign messages: the header {name} is missing."
                raise Refused(RefusalKind.FORBIDDEN, msg, reason="message.signature")
