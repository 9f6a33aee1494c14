"""The eBay sell services of several sellers: orders, stock, money, returns and notifications.

What is imitated, and what is not, stands in ``mocks/README.md``; everything the vendor leaves
open is a setting of ``behaviour.yaml``. The services themselves are the ``_ebay_*`` modules.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import replace
from typing import ClassVar

from typing_extensions import override

from harness.model.exchange import Headers, HttpRequest
from harness.model.instants import SECOND_US, to_text
from harness.model.ports import Credentials, SystemAccess
from mocks._ebay_analytics import rate_limits
from mocks._ebay_errors import POST_ORDER, error_at
from mocks._ebay_finances import FinancesService
from mocks._ebay_fulfillment import FulfillmentService
from mocks._ebay_notifications import Notices
from mocks._ebay_orders import Order, Refund
from mocks._ebay_post_order import PostOrderService
from mocks._ebay_sellers import Seller, Sellers
from mocks._ebay_stock import InventoryService
from mocks.kit.accounts import Account, PerAccount
from mocks.kit.money import Money
from mocks.kit.roles import OrderDraft
from mocks.kit.simulator import (
    Answer,
    AskFirst,
    Call,
    RefusalKind,
    Refused,
    Simulator,
    SimulatorSetup,
    handles,
)

_SELLER_ID = "driftgate-seller"
# Every request is served in a context of its own; a refusal is worded by the service at this path.
_path: ContextVar[str] = ContextVar("ebay_request_path", default="")


class Ebay(Simulator):
    """Sellers on one marketplace each. Implements the ``SalesChannel`` role for buyers."""

    system_name: ClassVar[str] = "ebay"

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open an empty shop for every seller."""
        super().__init__(setup)
        self.sellers = Sellers(setup, self.manners, self.settings, self.system_name)
        self.notices = Notices(self.manners)
        self.seller_id = self.accounts.default.id
        self._fulfillment = FulfillmentService(self.sellers)
        self._inventory = InventoryService(self.sellers)
        self._finances = FinancesService(self.sellers)
        self._post_order = PostOrderService(self.sellers)
        self._applications = PerAccount(self._draw_application)
        self._refresh_tokens = PerAccount(self._draw_refresh_token)

    def _draw_application(self, application: str) -> dict[str, str]:
        chance = self.setup.streams.stream(f"{self.system_name}/application/{application}")
        digits = "".join(f"{chance.randrange(0, 16):x}" for _ in range(64))
        return {
            "client_id": f"Driftgat-harness-SBX-{digits[:9]}-{digits[9:17]}",
            "client_secret": f"SBX-{digits[17:29]}-{digits[29:33]}-{digits[33:37]}",
        }

    def _draw_refresh_token(self, account: str) -> str:
        chance = self.stream("credentials", account)
        return "v^1.1#" + "".join(f"{chance.randrange(0, 16):x}" for _ in range(64))

    # What the kit asks

    @override
    def default_account(self) -> Account:
        """Return the seller of the settings."""
        return Account(str(self.settings.get("seller_id", _SELLER_ID)))

    @override
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        """Return a seller's address and credentials; one application serves all its sellers."""
        seller = self.accounts[account]
        base_url = self.doors.base_url(seller, base_url) if account is not None else base_url
        authentication = self.setup.behaviour.get("authentication", {})
        path = authentication.get("token_path", "/identity/v1/oauth2/token")
        secrets = {
            **self._applications[seller.application],
            "refresh_token": self._refresh_tokens[seller.id],
        }
        return SystemAccess(
            name=self.system_name,
            role="channel",
            base_url=base_url,
            account=seller.id,
            credentials=Credentials(secrets),
            parameters={
                "marketplace_id": self.sellers.marketplace,
                "seller_id": seller.id,
                "token_url": base_url + path,
                **seller.parameters,
            },
        )

    @override
    def example(self, now_us: int) -> HttpRequest:
        """Return a search for the orders that changed within the last day."""
        since = to_text(now_us - 86_400 * SECOND_US)
        query = (("filter", f"lastmodifieddate:[{since}..]"), ("limit", "50"))
        return HttpRequest("GET", "/sell/fulfillment/v1/order", query)

    @override
    def answer_headers(self, call_id: str) -> Headers:
        """Return the request id, which every answer carries."""
        return (("x-ebay-c-request-id", call_id),)

    @override
    def readdressed(self, request: HttpRequest, now_us: int) -> HttpRequest:
        """Remember the service called, and read the word before the token, which depends on it."""
        _path.set(request.path)
        word, _, token = (request.header("authorization") or "").partition(" ")
        old = request.path.startswith(POST_ORDER)
        strict = bool(self.settings.get("token_words", True))
        if strict and old and word.lower() == "bearer":
            msg = "post-order wants the authorization header to be 'IAF <access token>'"
            raise Refused(RefusalKind.UNAUTHENTICATED, msg)
        if word.lower() != "iaf" or (strict and not old):
            return request
        kept = tuple(pair for pair in request.headers if pair[0] != "authorization")
        return replace(request, headers=(*kept, ("authorization", f"Bearer {token}")))

    @override
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return the error list of the service that was called."""
        return error_at(_path.get(), refused)

    # What buyers do (the SalesChannel role)

    def _seller(self, account: str | None, now_us: int) -> Seller:
        return self.sellers.at(self.accounts[account].id, now_us)

    def place_order(self, draft: OrderDraft, now_us: int, *, account: str | None = None) -> str:
        """Take an order and return its id; raises ``OutOfStock`` when too few are listed."""
        for line in draft.lines:
            Money.of(line.unit_price, draft.currency)  # refuse a price that is none before selling
        seller = self._seller(account, now_us)
        order = seller.orders.place(draft, seller.inventory.sell(draft), now_us)
        if order.paid:
            self._begin(seller, order, now_us)
        return order.order_id

    def _begin(self, seller: Seller, order: Order, now_us: int) -> None:
        seller.till.sale(order, now_us)
        self.notices.order_confirmed(seller.account, order, now_us)

    def release_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Let the checkout be complete; an order that is or that was cancelled stays as it is."""
        seller = self._seller(account, now_us)
        order = seller.orders.orders[order_id]
        if not order.paid and not order.cancelled:
            seller.orders.release(order, now_us)
            self._begin(seller, order, now_us)

    def cancel_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Cancel an unshipped order, pay back what was paid, and put its goods back on offer."""
        seller = self._seller(account, now_us)
        order = seller.orders.orders[order_id]
        seller.orders.cancel(order, now_us)
        for line in order.lines:
            seller.inventory.put_back(line.sku, line.quantity)
        if order.paid and order.refundable.minor:
            number = seller.orders.digits(10)
            refund = Refund(number, order.refundable, "BUYER_CANCEL", now_us, "", paid_us=now_us)
            order.refunds.append(refund)
            seller.till.refund(order, refund, now_us)

    def list_sku(self, sku: str, quantity: int, now_us: int, *, account: str | None = None) -> None:
        """Offer a SKU for sale, or set what is on offer."""
        seller = self._seller(account, now_us)
        number, listing = seller.orders.digits(10), seller.orders.digits(12)
        seller.inventory.list_sku(sku, quantity, self.sellers.marketplace, number, listing)

    def listed_quantity(self, sku: str, *, account: str | None = None) -> int | None:
        """Return what buyers see."""
        return self.sellers.look(self.accounts[account].id).inventory.listed(sku)

    def open_return(
        self,
        order_id: str,
        line_id: str,
        quantity: int,
        now_us: int,
        *,
        reason: str = "ARRIVED_DAMAGED",
        account: str | None = None,
    ) -> str:
        """Let the buyer ask to send units back; returns the id of the return.

        Raises ``KeyError`` for an unknown order, ``ValueError`` for units that cannot come back.
        """
        seller = self._seller(account, now_us)
        order = seller.orders.orders[order_id]
        line = order.line(line_id)
        if line is None:
            msg = f"order {order_id} has no line {line_id!r}"
            raise ValueError(msg)
        return seller.orders.open_return(order, line, quantity, reason, now_us).return_id

    def delete_user(self, username: str, now_us: int, *, account: str | None = None) -> int:
        """Let a user leave the platform; tells the applications, returns the orders concerned."""
        seller = self._seller(account, now_us)
        self.notices.user_deleted(seller.account, username, now_us)
        return seller.orders.delete_user(username)

    # fulfillment

    @handles("getOrders")
    def get_orders(self, call: Call) -> Answer:
        """List orders."""
        return self._fulfillment.orders(call)

    @handles("getOrder")
    def get_order(self, call: Call) -> Answer:
        """Read one order."""
        return self._fulfillment.order(call)

    @handles("getShippingFulfillments")
    def get_shipping_fulfillments(self, call: Call) -> Answer:
        """List the shipments of an order."""
        return self._fulfillment.shipments(call)

    @handles("getShippingFulfillment")
    def get_shipping_fulfillment(self, call: Call) -> Answer:
        """Read one shipment."""
        return self._fulfillment.shipment(call)

    @handles("createShippingFulfillment")
    def create_shipping_fulfillment(self, call: Call) -> Answer:
        """Take a shipment."""
        return self._fulfillment.ship(call)

    @handles("issueRefund")
    def issue_refund(self, call: Call) -> Answer:
        """Take a refund."""
        return self._fulfillment.refund(call)

    # inventory

    @handles("getInventoryItems")
    def get_inventory_items(self, call: Call) -> Answer:
        """List items."""
        return self._inventory.items(call)

    @handles("getInventoryItem")
    def get_inventory_item(self, call: Call) -> Answer:
        """Read one item."""
        return self._inventory.item(call)

    @handles("createOrReplaceInventoryItem")
    def create_or_replace_inventory_item(self, call: Call) -> Answer:
        """Create or replace an item."""
        return self._inventory.replace(call)

    @handles("bulkCreateOrReplaceInventoryItem")
    def bulk_create_or_replace_inventory_item(self, call: Call) -> Answer:
        """Create or replace items."""
        return self._inventory.bulk_replace(call)

    @handles("bulkUpdatePriceQuantity")
    def bulk_update_price_quantity(self, call: Call) -> Answer:
        """Set stock and prices."""
        return self._inventory.bulk_update(call)

    @handles("getOffers")
    def get_offers(self, call: Call) -> Answer:
        """List the offers of a SKU."""
        return self._inventory.offers(call)

    @handles("createOffer")
    def create_offer(self, call: Call) -> Answer:
        """Make an offer."""
        return self._inventory.create_offer(call)

    @handles("updateOffer")
    def update_offer(self, call: Call) -> Answer:
        """Replace an offer."""
        return self._inventory.replace_offer(call)

    @handles("publishOffer")
    def publish_offer(self, call: Call) -> Answer:
        """List an offer."""
        return self._inventory.publish(call)

    # finances

    @handles("getPayouts")
    def get_payouts(self, call: Call) -> Answer:
        """List payouts."""
        return self._finances.payouts(call)

    @handles("getPayout")
    def get_payout(self, call: Call) -> Answer:
        """Read one payout."""
        return self._finances.payout(call)

    @handles("getTransactions")
    def get_transactions(self, call: Call) -> Answer:
        """List transactions."""
        return self._finances.transactions(call)

    @handles("getSellerFundsSummary")
    def get_seller_funds_summary(self, call: Call) -> Answer:
        """Tell what is not paid out yet."""
        return self._finances.summary(call)

    # post-order

    @handles("searchReturns")
    def search_returns(self, call: Call) -> Answer:
        """List returns."""
        return self._post_order.returns(call)

    @handles("searchCancellations")
    def search_cancellations(self, call: Call) -> Answer:
        """List cancellations."""
        return self._post_order.cancellations(call)

    @handles("decideReturn")
    def decide_return(self, call: Call) -> Answer:
        """Accept or decline a return."""
        return self._post_order.decide(call)

    @handles("markReturnReceived")
    def mark_return_received(self, call: Call) -> Answer:
        """Note that goods came back."""
        return self._post_order.received(call)

    @handles("issueReturnRefund")
    def issue_return_refund(self, call: Call) -> Answer:
        """Refund a return."""
        return self._post_order.refund(call)

    # notification

    @handles("getDestinations")
    def get_destinations(self, call: Call) -> Answer:
        """List destinations."""
        return self.notices.destinations(call)

    @handles("createDestination")
    def create_destination(self, call: Call) -> Answer | AskFirst:
        """Challenge an endpoint and keep it."""
        return self.notices.create_destination(call)

    @handles("getSubscriptions")
    def get_subscriptions(self, call: Call) -> Answer:
        """List subscriptions."""
        return self.notices.subscriptions(call)

    @handles("createSubscription")
    def create_subscription(self, call: Call) -> Answer:
        """Subscribe a destination to a topic."""
        return self.notices.create_subscription(call)

    @handles("getPublicKey")
    def get_public_key(self, call: Call) -> Answer:
        """Return the key of the signatures."""
        return self.notices.public_key(call)

    # analytics

    @handles("getRateLimits")
    def get_rate_limits(self, call: Call) -> Answer:
        """Tell the quotas of the application and what is left of them."""
        shown = rate_limits(
            self.setup.behaviour,
            self.books,
            self.accounts,
            self.accounts[call.account].application,
            call.now_us,
            context=call.query.get("api_context"),
            name=call.query.get("api_name"),
        )
        return Answer(200, {"rateLimits": shown})

    @handles("getUserRateLimits")
    def get_user_rate_limits(self, call: Call) -> Answer:
        """Tell the quotas of the user: none, as every quota here is the application's."""
        return Answer(200, {"rateLimits": []})
