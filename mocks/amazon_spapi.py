"""The Amazon Selling Partner API of one seller: orders in both versions, and listings.

Both order versions read the same orders. What is imitated, and what is not, stands in
``mocks/README.md``; everything the vendor leaves open is a setting of ``behaviour.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from harness.model.exchange import Headers, HttpRequest
from harness.model.instants import SECOND_US, to_text
from harness.model.ports import Credentials, SystemAccess
from harness.model.values import Json, fingerprint
from mocks import _amazon_spapi_shapes as shapes
from mocks._amazon_spapi_listings import read_patches
from mocks._amazon_spapi_shop import Order, OrderStatus, Package, Shop, Submission
from mocks._amazon_spapi_walk import (
    WORDS_2026,
    WORDS_V0,
    WalkRules,
    open_walk,
)
from mocks.kit.accounts import Account, PerAccount
from mocks.kit.paging import every_value
from mocks.kit.roles import OrderDraft
from mocks.kit.simulator import (
    Answer,
    Call,
    RefusalKind,
    Refused,
    Simulator,
    SimulatorSetup,
    handles,
)

_MARKETPLACE_ID = "ATVPDKIKX0DER"
_MARKETPLACE_NAME = "Amazon.com"
_SELLER_ID = "A3DRIFTGATE001"

# Kind of refusal: status, code, message. No message means the explanation is the message.
_ERRORS: Mapping[RefusalKind, tuple[int, str, str]] = {
    RefusalKind.UNKNOWN_PATH: (404, "NotFound", ""),
    RefusalKind.METHOD_NOT_ALLOWED: (405, "InvalidInput", ""),
    RefusalKind.UNAUTHENTICATED: (401, "Unauthorized", "Access to requested resource is denied."),
    RefusalKind.TOKEN_EXPIRED: (401, "Unauthorized", "Access to requested resource is denied."),
    RefusalKind.FORBIDDEN: (403, "Unauthorized", "Access to requested resource is denied."),
    RefusalKind.THROTTLED: (
        429,
        "QuotaExceeded",
        "You exceeded your quota for the requested resource.",
    ),
    RefusalKind.INVALID: (400, "InvalidInput", ""),
    RefusalKind.UNSUPPORTED_MEDIA_TYPE: (415, "InvalidInput", ""),
    RefusalKind.TOO_LARGE: (413, "InvalidInput", ""),
    RefusalKind.NOT_FOUND: (404, "NotFound", ""),
    RefusalKind.CONFLICT: (409, "InvalidInput", ""),
    RefusalKind.PRECONDITION_FAILED: (412, "InvalidInput", ""),
    RefusalKind.UNAVAILABLE: (503, "ServiceUnavailable", "Service is temporarily unavailable."),
    RefusalKind.INTERNAL: (500, "InternalFailure", "We encountered an internal error."),
}


class AmazonSellingPartnerApi(Simulator):
    """Sellers on one marketplace each. Implements the ``SalesChannel`` role for buyers."""

    system_name: ClassVar[str] = "amazon_spapi"

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open an empty shop for every seller."""
        super().__init__(setup)
        self.marketplace_id: str = self.settings.get("marketplace_id", _MARKETPLACE_ID)
        self.marketplace_name: str = self.settings.get("marketplace_name", _MARKETPLACE_NAME)
        self.seller_id = self.accounts.default.id
        self.shops = PerAccount(self._open_shop)
        self._secrets = PerAccount(self._draw_secrets)
        self._rules = self._walk_rules()

    def _open_shop(self, account: str) -> Shop:
        return Shop(self.books.for_account(account), self.stream("numbers", account))

    def _draw_secrets(self, account: str) -> dict[str, str]:
        chance = self.stream("credentials", account)
        return {
            "client_id": f"amzn1.application-oa2-client.{_hex(chance, 32)}",
            "client_secret": f"amzn1.oa2-cs.v1.{_hex(chance, 64)}",
            "refresh_token": f"Atzr|{_hex(chance, 64)}",
        }

    @property
    def shop(self) -> Shop:
        """Return the shop of the default seller."""
        return self.shops[self.seller_id]

    # What the kit asks

    @override
    def default_account(self) -> Account:
        """Return the seller of the settings, in North America."""
        regions = (self.setup.behaviour.get("accounts") or {}).get("regions") or {}
        region = str(self.settings.get("region", "na"))
        seller_id = str(self.settings.get("seller_id", _SELLER_ID))
        return Account(seller_id, region=region if region in regions else None)

    @override
    def access(self, base_url: str, account: str | None = None) -> SystemAccess:
        """Return a seller's address and credentials; the same for the same seed."""
        seller = self.accounts[account]
        base_url = self.doors.base_url(seller, base_url) if account is not None else base_url
        parameters = {
            "marketplace_id": self.marketplace_id,
            "seller_id": seller.id,
            "region": seller.region or "na",
            "token_url": base_url
            + self.setup.behaviour.get("authentication", {}).get("token_path", "/auth/o2/token"),
            **seller.parameters,
        }
        return SystemAccess(
            name=self.system_name,
            role="channel",
            base_url=base_url,
            account=seller.id,
            credentials=Credentials(dict(self._secrets[seller.id])),
            parameters=parameters,
        )

    @override
    def example(self, now_us: int) -> HttpRequest:
        """Return a search for the orders of the last day."""
        query = (
            ("createdAfter", to_text(now_us - 86_400 * SECOND_US)),
            ("includedData", "PROCEEDS,FULFILLMENT"),
        )
        return HttpRequest("GET", "/orders/2026-01-01/orders", query)

    @override
    def answer_headers(self, call_id: str) -> Headers:
        """Return the request id, which every answer carries."""
        return (("x-amzn-requestid", call_id),)

    @override
    def error_answer(self, refused: Refused, call_id: str) -> Answer:
        """Return Amazon's error list."""
        status, code, message = _ERRORS[refused.kind]
        code = refused.code or code
        explained = refused.explanation if message else ""
        error = {"code": code, "message": message or refused.explanation, "details": explained}
        if refused.kind is RefusalKind.THROTTLED:
            error["details"] = ""  # the published refusal says no more than that
        return Answer(
            refused.status or status,
            {"errors": [error]},
            (("x-amzn-errortype", code), *refused.headers),
        )

    # What buyers do (the SalesChannel role)

    def _shop_of(self, account: str | None, now_us: int) -> Shop:
        shop = self.shops[self.accounts[account].id]
        shop.settle(now_us)
        return shop

    def place_order(self, draft: OrderDraft, now_us: int, *, account: str | None = None) -> str:
        """Take an order and return its id; raises ``OutOfStock`` when too few are listed."""
        return self._shop_of(account, now_us).place(draft, now_us).order_id

    def release_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Let a pending order through to the seller."""
        self._shop_of(account, now_us).release(order_id, now_us)

    def cancel_order(self, order_id: str, now_us: int, *, account: str | None = None) -> None:
        """Cancel an unshipped order and put its goods back on offer."""
        self._shop_of(account, now_us).cancel(order_id, now_us)

    def list_sku(self, sku: str, quantity: int, now_us: int, *, account: str | None = None) -> None:
        """Offer a SKU for sale."""
        self._shop_of(account, now_us).offer(sku, quantity, now_us)

    def listed_quantity(self, sku: str, *, account: str | None = None) -> int | None:
        """Return what buyers see."""
        listing = self.shops[self.accounts[account].id].listings.get(sku)
        return None if listing is None else listing.quantity

    # orders v0

    @handles("getOrders", api="orders/v0")
    def get_orders(self, call: Call) -> Answer:
        """List orders, wrapped in ``payload``."""
        if not every_value(call.request.query, "MarketplaceIds"):
            raise Refused(RefusalKind.INVALID, "MarketplaceIds is required.")
        walk = open_walk(call, WORDS_V0, self.manners.pager, self._rules)
        wanted_ids = walk.values("AmazonOrderIds")
        statuses = walk.values("OrderStatuses")
        channels = walk.values("FulfillmentChannels")

        def wanted(order: Order) -> bool:
            return (
                (not wanted_ids or order.order_id in wanted_ids)
                and (not statuses or str(order.status) in statuses)
                and (not channels or "MFN" in channels)
                and self.marketplace_id in walk.values("MarketplaceIds")
            )

        page, token = walk.page(self.shops[call.account], wanted)
        shown = [
            shapes.order_v0(order, self.marketplace_id, self.marketplace_name) for order in page
        ]
        payload: dict[str, Any] = {"Orders": shown, **walk.bound_echo()}
        if token is not None:
            payload["NextToken"] = token
        return Answer(200, {"payload": payload})

    @handles("getOrder", api="orders/v0")
    def get_order_v0(self, call: Call) -> Answer:
        """Read one order, wrapped in ``payload``."""
        order = self._order(call)
        shown = shapes.order_v0(order, self.marketplace_id, self.marketplace_name)
        return Answer(200, {"payload": shown})

    @handles("getOrderItems", api="orders/v0")
    def get_order_items(self, call: Call) -> Answer:
        """Read the lines of one order, page by page."""
        order = self._order(call)
        size = int(self.settings.get("order_items_per_page", 100))
        page = self.manners.pager.open(call, default=size).page(order.items)
        payload: dict[str, Any] = {
            "AmazonOrderId": order.order_id,
            "OrderItems": [shapes.item_v0(order, item) for item in page.items],
        }
        if page.next is not None:
            payload["NextToken"] = page.next
        return Answer(200, {"payload": payload})

    @handles("confirmShipment", api="orders/v0")
    def confirm_shipment(self, call: Call) -> Answer:
        """Confirm one package of an order; ``packageReferenceId`` is its natural key."""
        order = self._order(call)
        self._check_marketplace([str(member(call.body, "marketplaceId"))])
        package = _read_package(member(call.body, "packageDetail"), call.now_us)
        if order.status in (OrderStatus.PENDING, OrderStatus.CANCELED):
            msg = f"Order {order.order_id} is {order.status} and cannot be shipped."
            raise Refused(RefusalKind.INVALID, msg)
        if order.package(package.reference) is not None:
            self._repeat_package(order, package, call)
        else:
            _check_quantities(order, package)
            self.shops[call.account].ship(order, package, call.now_us, call.request_id)
        return Answer(204)

    def _repeat_package(self, order: Order, package: Package, call: Call) -> None:
        if self.settings.get("confirm_shipment_repeat", "accept") == "refuse":
            msg = f"Package {package.reference} of order {order.order_id} is already confirmed."
            raise Refused(RefusalKind.INVALID, msg)
        self.shops[call.account].replace_package(order, package, call.now_us, call.request_id)

    # orders 2026-01-01

    @handles("searchOrders", api="orders/2026-01-01")
    def search_orders(self, call: Call) -> Answer:
        """Find orders with their lines; the answer is not wrapped."""
        walk = open_walk(call, WORDS_2026, self.manners.pager, self._rules)
        statuses = walk.values("fulfillmentStatuses")
        marketplaces = walk.values("marketplaceIds")
        fulfilled_by = walk.values("fulfilledBy")

        def wanted(order: Order) -> bool:
            return (
                (not statuses or shapes.status_2026(order.status) in statuses)
                and (not marketplaces or self.marketplace_id in marketplaces)
                and (not fulfilled_by or "MERCHANT" in fulfilled_by)
            )

        page, token = walk.page(self.shops[call.account], wanted)
        included = walk.values("includedData")
        answer: dict[str, Any] = {
            "orders": [self._shown_2026(order, included) for order in page],
            **walk.bound_echo(),
        }
        if token is not None:
            answer["pagination"] = {"nextToken": token}
        return Answer(200, answer)

    @handles("getOrder", api="orders/2026-01-01")
    def get_order_2026(self, call: Call) -> Answer:
        """Read one order."""
        included = every_value(call.request.query, "includedData")
        return Answer(200, {"order": self._shown_2026(self._order(call), included)})

    def _shown_2026(self, order: Order, included: tuple[str, ...]) -> dict[str, Any]:
        return shapes.order_2026(order, self.marketplace_id, self.marketplace_name, included)

    # listings 2021-08-01

    @handles("getListingsItem", api="listings/2021-08-01")
    def get_listings_item(self, call: Call) -> Answer:
        """Read one listing."""
        sku = self._listing_address(call)
        listing = self.shops[call.account].listings.get(sku)
        if listing is None:
            raise Refused(RefusalKind.NOT_FOUND, f"SKU {sku!r} not found.")
        included = every_value(call.request.query, "includedData") or ("summaries",)
        return Answer(200, shapes.listing_2021(listing, self.marketplace_id, included))

    @handles("patchListingsItem", api="listings/2021-08-01")
    def patch_listings_item(self, call: Call) -> Answer:
        """Take a change of quantity or price; ACCEPTED means queued, not applied."""
        sku = self._listing_address(call)
        shop = self.shops[call.account]
        if sku not in shop.listings and self.settings.get("unknown_sku") != "accept":
            raise Refused(RefusalKind.NOT_FOUND, f"SKU {sku!r} not found.")
        attributes, issues = read_patches(call.body)
        answer = {
            "sku": sku,
            "status": "INVALID" if issues else "ACCEPTED",
            "submissionId": fingerprint("submission", call.request_id),
            "issues": issues,
        }
        if call.query.get("mode") == "VALIDATION_PREVIEW":
            answer["status"] = "INVALID" if issues else "VALID"
        elif not issues:
            delay_us = int(self.settings.get("listing_apply_seconds", 0)) * SECOND_US
            due_us = call.now_us + delay_us
            shop.submit(Submission(due_us, sku, attributes, call.request_id))
            shop.settle(call.now_us)
        return Answer(200, answer)

    # Shared checks

    def _order(self, call: Call) -> Order:
        shop = self._shop_of(call.account, call.now_us)
        order_id = call.path.get("orderId", "")
        order = shop.orders.get(order_id)
        if order is None:
            raise Refused(RefusalKind.NOT_FOUND, f"Order {order_id!r} not found.")
        return order

    def _listing_address(self, call: Call) -> str:
        self._shop_of(call.account, call.now_us)
        if call.path.get("sellerId") != call.account:
            msg = f"The token belongs to seller {call.account}, not {call.path.get('sellerId')!r}"
            raise Refused(RefusalKind.FORBIDDEN, msg)
        marketplaces = every_value(call.request.query, "marketplaceIds")
        if len(marketplaces) != 1:
            raise Refused(RefusalKind.INVALID, "marketplaceIds takes exactly one id.")
        self._check_marketplace(marketplaces)
        return call.path.get("sku", "")

    def _check_marketplace(self, marketplaces: list[str] | tuple[str, ...]) -> None:
        for marketplace_id in marketplaces:
            if marketplace_id != self.marketplace_id:
                msg = f"The seller does not sell on marketplace {marketplace_id!r}."
                raise Refused(RefusalKind.INVALID, msg)

    def _walk_rules(self) -> WalkRules:
        limits = self.setup.behaviour.get("limits", {})
        return WalkRules(
            margin_us=int(limits.get("upper_bound_margin_seconds", 120)) * SECOND_US,
            new_order_lag_us=int(self.settings.get("order_visibility_seconds", 0)) * SECOND_US,
            visibility=self.manners.visibility,
        )


def member(value: Json, name: str) -> Json:
    """Return a member the contract requires; refuses when a caller left it out all the same."""
    if not isinstance(value, Mapping) or name not in value:
        raise Refused(RefusalKind.INVALID, f"{name} is required.")
    return value[name]


def _hex(chance: Any, length: int) -> str:
    return "".join(f"{chance.randrange(0, 16):x}" for _ in range(length))


def _read_package(detail: Json, now_us: int) -> Package:
    items = [
        (str(member(item, "orderItemId")), int(member(item, "quantity")))
        for item in member(detail, "orderItems")
    ]
    return Package(
        reference=str(member(detail, "packageReferenceId")),
        carrier=str(member(detail, "carrierCode")),
        tracking=str(member(detail, "trackingNumber")),
        shipped_at=str(member(detail, "shipDate")),
        items=tuple(items),
        confirmed_us=now_us,
        carrier_name=detail.get("carrierName"),
        service=detail.get("shippingMethod"),
    )


def _check_quantities(order: Order, package: Package) -> None:
    left: dict[str, int] = {item.item_id: item.open_quantity for item in order.items}
    for item_id, quantity in package.items:
        if item_id not in left:
            msg = f"Order {order.order_id} has no item {item_id!r}."
            raise Refused(RefusalKind.INVALID, msg)
        if quantity < 1 or quantity > left[item_id]:
            msg = f"Quantity {quantity} of item {item_id}: {left[item_id]} left to ship."
            raise Refused(RefusalKind.INVALID, msg)
        left[item_id] -= quantity
