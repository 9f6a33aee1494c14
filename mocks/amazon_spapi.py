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
    OrderWalk,
    WalkRules,
    every_value,
    open_walk,
    resume_items,
    seal_items,
)
from mocks.kit.paging import paging_rule
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
_TOKEN_SECONDS = 86_400
_PAGE_SIZE = 100

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
    RefusalKind.NOT_FOUND: (404, "NotFound", ""),
    RefusalKind.UNAVAILABLE: (503, "ServiceUnavailable", "Service is temporarily unavailable."),
    RefusalKind.INTERNAL: (500, "InternalFailure", "We encountered an internal error."),
}


class AmazonSellingPartnerApi(Simulator):
    """One seller on one marketplace. Implements the ``SalesChannel`` role for buyers."""

    system_name: ClassVar[str] = "amazon_spapi"

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open an empty shop."""
        super().__init__(setup)
        self.shop = Shop(setup.books, setup.streams.stream(f"{self.system_name}/numbers"))
        secrets = setup.streams.stream(f"{self.system_name}/credentials")
        self._secrets = {
            "client_id": f"amzn1.application-oa2-client.{_hex(secrets, 32)}",
            "client_secret": f"amzn1.oa2-cs.v1.{_hex(secrets, 64)}",
            "refresh_token": f"Atzr|{_hex(secrets, 64)}",
        }
        self.marketplace_id: str = self.settings.get("marketplace_id", _MARKETPLACE_ID)
        self.marketplace_name: str = self.settings.get("marketplace_name", _MARKETPLACE_NAME)
        self.seller_id: str = self.settings.get("seller_id", _SELLER_ID)
        self._used_tokens: dict[str, None] = {}

    # What the kit asks

    @override
    def access(self, base_url: str) -> SystemAccess:
        """Return the seller's address and credentials; the same for the same seed."""
        parameters = {
            "marketplace_id": self.marketplace_id,
            "seller_id": self.seller_id,
            "region": "na",
            "token_url": base_url
            + self.setup.behaviour.get("authentication", {}).get("token_path", "/auth/o2/token"),
        }
        return SystemAccess(
            name=self.system_name,
            role="channel",
            base_url=base_url,
            account=self.seller_id,
            credentials=Credentials(dict(self._secrets)),
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

    def place_order(self, draft: OrderDraft, now_us: int) -> str:
        """Take an order and return its id; raises ``OutOfStock`` when too few are listed."""
        self.shop.settle(now_us)
        return self.shop.place(draft, now_us).order_id

    def release_order(self, order_id: str, now_us: int) -> None:
        """Let a pending order through to the seller."""
        self.shop.settle(now_us)
        self.shop.release(order_id, now_us)

    def cancel_order(self, order_id: str, now_us: int) -> None:
        """Cancel an unshipped order and put its goods back on offer."""
        self.shop.settle(now_us)
        self.shop.cancel(order_id, now_us)

    def list_sku(self, sku: str, quantity: int, now_us: int) -> None:
        """Offer a SKU for sale."""
        self.shop.settle(now_us)
        self.shop.offer(sku, quantity, now_us)

    def listed_quantity(self, sku: str) -> int | None:
        """Return what buyers see."""
        listing = self.shop.listings.get(sku)
        return None if listing is None else listing.quantity

    # orders v0

    @handles("getOrders", api="orders/v0")
    def get_orders(self, call: Call) -> Answer:
        """List orders, wrapped in ``payload``."""
        if not every_value(call.request.query, "MarketplaceIds"):
            raise Refused(RefusalKind.INVALID, "MarketplaceIds is required.")
        walk = open_walk(call, WORDS_V0, self._walk_rules("orders/v0#getOrders"))
        self._use_token(walk)
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

        page, token = walk.page(self.shop, wanted)
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
        token = call.query.get("NextToken")
        rules = self._walk_rules("orders/v0#getOrderItems")
        start = resume_items(token, order.order_id, call.now_us, rules) if token else 0
        size = int(self.settings.get("order_items_per_page", 100))
        payload: dict[str, Any] = {
            "AmazonOrderId": order.order_id,
            "OrderItems": [shapes.item_v0(order, i) for i in order.items[start : start + size]],
        }
        if start + size < len(order.items):
            payload["NextToken"] = seal_items(order.order_id, start + size, call.now_us)
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
            self.shop.ship(order, package, call.now_us, call.request_id)
        return Answer(204)

    def _repeat_package(self, order: Order, package: Package, call: Call) -> None:
        if self.settings.get("confirm_shipment_repeat", "accept") == "refuse":
            msg = f"Package {package.reference} of order {order.order_id} is already confirmed."
            raise Refused(RefusalKind.INVALID, msg)
        self.shop.replace_package(order, package, call.now_us, call.request_id)

    # orders 2026-01-01

    @handles("searchOrders", api="orders/2026-01-01")
    def search_orders(self, call: Call) -> Answer:
        """Find orders with their lines; the answer is not wrapped."""
        walk = open_walk(call, WORDS_2026, self._walk_rules("orders/2026-01-01#searchOrders"))
        self._use_token(walk)
        statuses = walk.values("fulfillmentStatuses")
        marketplaces = walk.values("marketplaceIds")
        fulfilled_by = walk.values("fulfilledBy")

        def wanted(order: Order) -> bool:
            return (
                (not statuses or shapes.status_2026(order.status) in statuses)
                and (not marketplaces or self.marketplace_id in marketplaces)
                and (not fulfilled_by or "MERCHANT" in fulfilled_by)
            )

        page, token = walk.page(self.shop, wanted)
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
        listing = self.shop.listings.get(sku)
        if listing is None:
            raise Refused(RefusalKind.NOT_FOUND, f"SKU {sku!r} not found.")
        included = every_value(call.request.query, "includedData") or ("summaries",)
        return Answer(200, shapes.listing_2021(listing, self.marketplace_id, included))

    @handles("patchListingsItem", api="listings/2021-08-01")
    def patch_listings_item(self, call: Call) -> Answer:
        """Take a change of quantity or price; ACCEPTED means queued, not applied."""
        sku = self._listing_address(call)
        if sku not in self.shop.listings and self.settings.get("unknown_sku") != "accept":
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
            self.shop.submit(Submission(due_us, sku, attributes, call.request_id))
            self.shop.settle(call.now_us)
        return Answer(200, answer)

    # Shared checks

    def _order(self, call: Call) -> Order:
        self.shop.settle(call.now_us)
        order_id = call.path.get("orderId", "")
        order = self.shop.orders.get(order_id)
        if order is None:
            raise Refused(RefusalKind.NOT_FOUND, f"Order {order_id!r} not found.")
        return order

    def _listing_address(self, call: Call) -> str:
        self.shop.settle(call.now_us)
        if call.path.get("sellerId") != self.seller_id:
            msg = f"The token belongs to seller {self.seller_id}, not {call.path.get('sellerId')!r}"
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

    def _walk_rules(self, address: str) -> WalkRules:
        behaviour = self.setup.behaviour
        limits = behaviour.get("limits", {})
        rule = paging_rule(behaviour, address)
        token_s = rule.token_seconds if rule is not None else None
        lag_s = behaviour.get("visibility", {}).get("list_lag_seconds", 0)
        return WalkRules(
            margin_us=int(limits.get("upper_bound_margin_seconds", 120)) * SECOND_US,
            lag_us=int(self.settings.get("list_lag_seconds", lag_s)) * SECOND_US,
            new_order_lag_us=int(self.settings.get("order_visibility_seconds", 0)) * SECOND_US,
            token_us=int(token_s or _TOKEN_SECONDS) * SECOND_US,
            page_size=rule.default if rule is not None else _PAGE_SIZE,
        )

    def _use_token(self, walk: OrderWalk) -> None:
        if walk.token is None or self.settings.get("paging_token_reuse", True):
            return
        if walk.token in self._used_tokens:
            raise Refused(RefusalKind.INVALID, "The token was used before.")
        self._used_tokens[walk.token] = None


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
