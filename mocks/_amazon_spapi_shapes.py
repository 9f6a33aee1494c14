"""One order in the words of each API version. Shapes only: nothing here changes anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from harness.model.instants import SECOND_US, to_text
from mocks._amazon_spapi_shop import Listing, Order, OrderItem, OrderStatus, Package, asin_of

_DAY_US = 86_400 * SECOND_US
_STATUS_2026 = {
    OrderStatus.PENDING: "PENDING",
    OrderStatus.UNSHIPPED: "UNSHIPPED",
    OrderStatus.PARTIALLY_SHIPPED: "PARTIALLY_SHIPPED",
    OrderStatus.SHIPPED: "SHIPPED",
    OrderStatus.CANCELED: "CANCELLED",  # one L in v0, two here
}


def status_2026(status: OrderStatus) -> str:
    """Return the spelling of orders 2026-01-01."""
    return _STATUS_2026[status]


def _line_total(item: OrderItem) -> Decimal:
    return Decimal(item.unit_price) * item.quantity


def _order_total(order: Order) -> str:
    return str(sum((_line_total(item) for item in order.items), Decimal(0)))


def _shows_money(order: Order) -> bool:
    """Pending orders carry no prices: the payment is not settled yet."""
    return order.status is not OrderStatus.PENDING


# orders v0


def _money_v0(amount: str, currency: str) -> dict[str, str]:
    return {"CurrencyCode": currency, "Amount": amount}


def order_v0(order: Order, marketplace_id: str, marketplace_name: str) -> dict[str, Any]:
    """Return the order as orders v0 words it."""
    shown: dict[str, Any] = {
        "AmazonOrderId": order.order_id,
        "PurchaseDate": to_text(order.created_us),
        "LastUpdateDate": to_text(order.updated_us),
        "OrderStatus": str(order.status),
        "FulfillmentChannel": "MFN",
        "SalesChannel": marketplace_name,
        "MarketplaceId": marketplace_id,
        "NumberOfItemsShipped": sum(item.shipped for item in order.items),
        "NumberOfItemsUnshipped": sum(item.open_quantity for item in order.items),
        "OrderType": "StandardOrder",
        "PaymentMethod": "Other",
    }
    if _shows_money(order):
        draft = order.draft
        shown["OrderTotal"] = _money_v0(_order_total(order), draft.currency)
        shown["ShippingAddress"] = {
            "City": draft.city,
            "PostalCode": draft.postal_code,
            "CountryCode": draft.country,
        }
    return shown


def item_v0(order: Order, item: OrderItem) -> dict[str, Any]:
    """Return one line as orders v0 words it: flags and pack sizes are text."""
    shown: dict[str, Any] = {
        "ASIN": item.asin,
        "SellerSKU": item.sku,
        "OrderItemId": item.item_id,
        "Title": item.title,
        "QuantityOrdered": item.quantity,
        "QuantityShipped": item.shipped,
        "ProductInfo": {"NumberOfItems": "1"},
        "IsGift": "true" if order.draft.gift else "false",
    }
    if _shows_money(order):
        shown["ItemPrice"] = _money_v0(str(_line_total(item)), order.draft.currency)
    return shown


# orders 2026-01-01


def _money_2026(amount: str, currency: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def order_2026(
    order: Order, marketplace_id: str, marketplace_name: str, included: Collection[str]
) -> dict[str, Any]:
    """Return the order as orders 2026-01-01 words it, with the parts ``included`` asks for."""
    draft = order.draft
    shown: dict[str, Any] = {
        "orderId": order.order_id,
        "createdTime": to_text(order.created_us),
        "lastUpdatedTime": to_text(order.updated_us),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": marketplace_id,
            "marketplaceName": marketplace_name,
        },
        "orderItems": [_item_2026(order, item, included) for item in order.items],
    }
    if "BUYER" in included:
        shown["buyer"] = {"buyerName": draft.buyer_name}
    if "RECIPIENT" in included and _shows_money(order):
        shown["recipient"] = {
            "deliveryAddress": {
                "name": draft.buyer_name,
                "city": draft.city,
                "postalCode": draft.postal_code,
                "countryCode": draft.country,
            }
        }
    if "PROCEEDS" in included and _shows_money(order):
        shown["proceeds"] = {"grandTotal": _money_2026(_order_total(order), draft.currency)}
    if "FULFILLMENT" in included:
        shown["fulfillment"] = {
            "fulfillmentStatus": status_2026(order.status),
            "fulfilledBy": "MERCHANT",
            "shipByWindow": {
                "earliestDateTime": to_text(order.created_us),
                "latestDateTime": to_text(order.created_us + 2 * _DAY_US),
            },
        }
    if "PACKAGES" in included:
        shown["packages"] = [_package_2026(package) for package in order.packages]
    return shown


def _item_2026(order: Order, item: OrderItem, included: Collection[str]) -> dict[str, Any]:
    currency = order.draft.currency
    product: dict[str, Any] = {"asin": item.asin, "title": item.title, "sellerSku": item.sku}
    shown: dict[str, Any] = {
        "orderItemId": item.item_id,
        "quantityOrdered": item.quantity,
        "product": product,
    }
    if _shows_money(order):
        product["price"] = {"unitPrice": _money_2026(item.unit_price, currency)}
        if "PROCEEDS" in included:
            total = _money_2026(str(_line_total(item)), currency)
            shown["proceeds"] = {"proceedsTotal": total}
    if "FULFILLMENT" in included:
        shown["fulfillment"] = {
            "quantityFulfilled": item.shipped,
            "quantityUnfulfilled": item.open_quantity,
        }
    return shown


def _package_2026(package: Package) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "packageReferenceId": package.reference,
        "createdTime": to_text(package.confirmed_us),
        "packageStatus": {"status": "SHIPPED"},
        "carrier": package.carrier_name or package.carrier,
        "trackingNumber": package.tracking,
        "shipTime": package.shipped_at,
        "packageItems": [{"orderItemId": i, "quantity": q} for i, q in package.items],
    }
    if package.service is not None:
        shown["shippingService"] = package.service
    return shown


# listings 2021-08-01


def listing_2021(listing: Listing, marketplace_id: str, included: Iterable[str]) -> dict[str, Any]:
    """Return a listing with the parts ``included`` asks for."""
    shown: dict[str, Any] = {"sku": listing.sku}
    for part in included:
        if part == "summaries":
            shown[part] = [_summary(listing, marketplace_id)]
        elif part == "attributes":
            shown[part] = _attributes(listing, marketplace_id)
        elif part == "fulfillmentAvailability":
            shown[part] = [{"fulfillmentChannelCode": "DEFAULT", "quantity": listing.quantity}]
        elif part == "offers" and listing.price is not None:
            shown[part] = [_offer(listing, marketplace_id)]
        elif part == "issues":
            shown[part] = []
    return shown


def _summary(listing: Listing, marketplace_id: str) -> dict[str, Any]:
    return {
        "marketplaceId": marketplace_id,
        "asin": asin_of(listing.sku),
        "productType": listing.product_type,
        "status": ["BUYABLE", "DISCOVERABLE"] if listing.quantity > 0 else ["DISCOVERABLE"],
        "itemName": listing.sku,
        "createdDate": to_text(listing.created_us),
        "lastUpdatedDate": to_text(listing.updated_us),
    }


def _attributes(listing: Listing, marketplace_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "fulfillment_availability": [
            {"fulfillment_channel_code": "DEFAULT", "quantity": listing.quantity}
        ]
    }
    if listing.price is not None:
        schedule = [{"value_with_tax": float(listing.price)}]
        shown["purchasable_offer"] = [
            {
                "marketplace_id": marketplace_id,
                "currency": listing.currency,
                "our_price": [{"schedule": schedule}],
            }
        ]
    return shown


def _offer(listing: Listing, marketplace_id: str) -> dict[str, Any]:
    return {
        "marketplaceId": marketplace_id,
        "offerType": "B2C",
        "price": {"currencyCode": listing.currency, "amount": listing.price},
    }
