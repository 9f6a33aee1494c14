"""The marketplace without its calls: sellers and their shops, credentials, buyers, error words."""

from __future__ import annotations

import base64
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from typing_extensions import override

from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US, to_text
from harness.model.ports import Credentials, SystemAccess
from mocks import _walmart_hooks as hooks
from mocks import _walmart_shapes as shapes
from mocks._walmart_feeds import Feeds
from mocks._walmart_shop import Shop
from mocks._walmart_stock import Assortment
from mocks._walmart_till import Rates, Till
from mocks.kit.accounts import Account, PerAccount
from mocks.kit.ledger import MoneyLedger, settlement_rule
from mocks.kit.roles import OrderDraft
from mocks.kit.simulator import (
    Answer,
    AskFirst,
    Call,
    Refused,
    Simulator,
    SimulatorSetup,
)

# The last part of an error code, by API.
API_NAMES = {
    "authentication": "GMP_TOKEN_API",
    "orders": "GMP_ORDER_API",
    "inventory": "GMP_INVENTORY_API",
    "prices": "GMP_PRICE_API",
    "feeds": "GMP_FEED_API",
    "returns": "GMP_RETURN_API",
    "reports": "GMP_REPORT_API",
    "webhooks": "GMP_WEBHOOK_API",
}


class WalmartSellers(Simulator):
    """Sellers on one marketplace. Implements the ``SalesChannel`` role for buyers."""

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open an empty shop for every seller."""
        super().__init__(setup)
        self.limits: dict[str, int] = setup.behaviour.get("limits", {})
        self.shops = PerAccount(self._open_shop)
        self._secrets = PerAccount(self._draw_secrets)
        self.feeds = PerAccount(
            lambda account: Feeds(self.manners.jobs.desk("feeds"), self.shops[account])
        )

    def _open_shop(self, account: str) -> Shop:
        rates = Rates(
            tax=Fraction(str(self.settings.get("tax_percent", 0))) / 100,
            commission=Fraction(str(self.settings.get("commission_percent", 0))) / 100,
        )
        nodes = (account, *map(str, self.settings.get("ship_nodes_more", ())))
        end = str(self.settings.get("old_order_events_end", "2026-12-15"))
        return Shop(
            self.books.for_account(account),
            self.stream("numbers", account),
            Assortment(nodes, unknown_sku=str(self.settings.get("unknown_sku", "refuse"))),
            Till(MoneyLedger(account, settlement_rule(self.setup.behaviour)), rates),
            hooks.Herald(self.manners.events, account, old_events_end=end),
            cancel_days=int(self.limits.get("ship_auto_cancel_days", 8)),
        )

    def _draw_secrets(self, account: str) -> dict[str, str]:
        chance = self.stream("credentials", account)
        text = "".join(format(chance.randrange(0, 16), "x") for _ in range(64))
        client_id = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
        secret = base64.urlsafe_b64encode(text[32:].encode()).decode().rstrip("=")
        return {"client_id": client_id, "client_secret": secret}

    # What the kit asks

    @override
    def default_account(self) -> Account:
        """Return the seller of the settings."""
        regions = (self.setup.behaviour.get("accounts") or {}).get("regions") or {}
        seller = str(self.settings.get("partner_id", "10000000017"))
        return Account(seller, region="us" if "us" in regions else None)

    @override
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        """Return a seller's address and credentials; the same for the same seed."""
        seller = self.accounts[account]
        base_url = self.doors.base_url(seller, base_url) if account is not None else base_url
        path = self.setup.behaviour.get("authentication", {}).get("token_path", "/v3/token")
        return SystemAccess(
            name=self.system_name,
            role="channel",
            base_url=base_url,
            account=seller.id,
            credentials=Credentials(dict(self._secrets[seller.id])),
            parameters={
                "partner_id": seller.id,
                "service_name": "Walmart Marketplace",
                "token_url": base_url + path,
                **seller.parameters,
            },
        )

    @override
    def example(self, now_us: int) -> HttpRequest:
        """Return a search for the orders of the last day."""
        query = (("createdStartDate", to_text(now_us - 86_400 * SECOND_US)), ("limit", "10"))
        headers = (
            ("wm_qos.correlation_id", "5f2c7a10-0000-4000-8000-000000000017"),
            ("wm_svc.name", "Walmart Marketplace"),
        )
        return HttpRequest("GET", "/v3/orders", query, headers)

    @override
    def handler(self, api: str, operation_id: str | None) -> Callable[[Call], Any] | None:
        """Return what answers an operation; its refusals carry the name of its API."""
        found = super().handler(api, operation_id)
        if found is None:
            return None
        name = API_NAMES[api.partition("/")[0]]

        def answered(call: Call) -> Answer | AskFirst:
            try:
                self._settle(call.account, call.now_us)
                return found(call)
            except Refused as refused:
                refused.code = refused.code or shapes.error_code(refused, name)
                raise

        return answered

    @override
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return the vendor's error list; what no API refused, its gateway did."""
        code = refused.code or shapes.error_code(refused, shapes.GATEWAY)
        status, error = shapes.error(refused, code)
        name = str(self.settings.get("error_list_name", "errors"))
        return Answer(status, {name: [error]}, refused.headers)

    def _settle(self, account: str, now_us: int) -> Shop:
        self.manners.jobs.settle(now_us)
        shop = self.shops[account]
        shop.settle(now_us)
        return shop

    # What buyers do (the SalesChannel role, and what only this marketplace has)

    def _shop_of(self, account: str | None, now_us: int) -> Shop:
        return self._settle(self.accounts[account].id, now_us)

    def place_order(self, draft: OrderDraft, now_us: int, *, account: str | None = None) -> str:
        """Take an order and return its id; raises ``OutOfStock`` when too few are listed."""
        return self._shop_of(account, now_us).place(draft, now_us).id

    def release_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Let a pending order through to the seller."""
        self._shop_of(account, now_us).release(order_id, now_us)

    def cancel_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Cancel an unshipped order and put its goods back on offer."""
        self._shop_of(account, now_us).cancel_for_buyer(order_id, now_us)

    def ask_to_cancel(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Let the buyer ask for a cancellation; the seller decides."""
        self._shop_of(account, now_us).ask_to_cancel(order_id, now_us)

    def open_return(
        self,
        order_id: str,
        lines: list[tuple[str, int]],
        now_us: int,
        *,
        reason: str = "DAMAGED",
        account: str | None = None,
    ) -> str:
        """Let a buyer send back shipped units, by line number; return the return's id."""
        return self._shop_of(account, now_us).open_return(order_id, lines, reason, now_us).id

    def receive_return(self, return_id: str, now_us: int, *, account: str | None = None) -> None:
        """Let a returned parcel arrive."""
        self._shop_of(account, now_us).receive_return(return_id, now_us)

    def list_sku(self, sku: str, quantity: int, now_us: int, *, account: str | None = None) -> None:
        """Offer a SKU for sale."""
        shop = self._shop_of(account, now_us)
        shop.assortment.add(sku)
        shop.publish_quantity(sku, shop.assortment.nodes[0], quantity, now_us, None)

    def listed_quantity(self, sku: str, *, account: str | None = None) -> int | None:
        """Return what buyers see."""
        item = self.shops[self.accounts[account].id].assortment.get(sku)
        return None if item is None else item.sellable
