"""Orders, items, offers, money and returns in the vendor's words; nothing here changes anything."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from harness.model.instants import SECOND_US
from harness.model.instants import to_text as instant_text
from mocks._ebay_inventory import Inventory, Item, Offer
from mocks._ebay_money import Payout, Transaction
from mocks._ebay_orders import Cancellation, Line, Order, Return, Shipment, how_far
from mocks.kit.money import Money
from mocks.kit.paging import Page, own_url
from mocks.kit.simulator import Call

_DAY_US = 86_400 * SECOND_US
OLD_FULFILLMENT = "v1.2021-11"
OLD_INVENTORY = "v1.17"
# The same few instants and amounts are shown again on every page of every list.
to_text = lru_cache(maxsize=4096)(instant_text)


def amount(money: Money) -> dict[str, str]:
    """Return decimal text and currency; the vendor cuts noughts at the end but for one digit."""
    return {"value": _value(money), "currency": money.currency}


@lru_cache(maxsize=4096)
def _value(money: Money) -> str:
    whole, _, rest = money.text().partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}"


def bare(money: Money) -> dict[str, Any]:
    """Return an amount as the post-order service words it: a number."""
    return {"value": float(money.text()), "currency": money.currency}


def page_frame(call: Call, page: Page[Any], *, pages: bool = False) -> dict[str, Any]:
    """Return what every page by offset says about itself; ``pages`` counts pages, not rows."""
    unit = page.size if pages else 1

    def at(offset: int) -> str:
        kept = [(n, v) for n, v in call.request.query if n not in ("limit", "offset")]
        pairs = [*kept, ("limit", str(page.size)), ("offset", str(offset // unit))]
        request = type(call.request)("GET", call.request.path, tuple(pairs))
        return own_url(call) + request.target()[len(call.request.path) :]

    shown: dict[str, Any] = {
        "href": at(page.offset),
        "limit": page.size,
        "total": page.total,
    }
    if pages:
        shown["size"] = len(page.items)
    else:
        shown["offset"] = page.offset
    if page.next is not None:
        shown["next"] = at(page.offset + page.size)
    if page.offset:
        shown["prev"] = at(max(0, page.offset - page.size))
    return shown


# Orders


def order(
    shown: Order, version: str, seller: str, marketplace: str, *, masked: bool
) -> dict[str, Any]:
    """Return an order as one version of the contract words it; ``masked`` hides the buyer."""
    old = version == OLD_FULFILLMENT
    nothing = Money(shown.currency, 0)
    total = shown.total
    cancel_state = "CANCELED" if shown.cancelled else "NONE_REQUESTED"
    answer: dict[str, Any] = {
        "orderId": shown.order_id,
        "creationDate": to_text(shown.created_us),
        "lastModifiedDate": to_text(shown.modified_us),
        "orderFulfillmentStatus": shown.fulfilment.value,
        "orderPaymentStatus": shown.payment,
        "sellerId": seller,
        "buyer": {"username": "****" if masked or not shown.username else shown.username},
        "cancelStatus": {"cancelState": cancel_state, "cancelRequests": []},
        "pricingSummary": {
            "priceSubtotal": amount(total),
            "priceDiscountSubtotal" if old else "priceDiscount": amount(nothing),
            "deliveryCost": amount(nothing),
            "total": amount(total),
        },
        "paymentSummary": {
            "payments": [
                {"paymentMethod": "EBAY", "paymentStatus": "PAID", "amount": amount(total)}
            ],
            "refunds": [
                {
                    "refundId": refund.refund_id,
                    "refundStatus": "PENDING" if refund.paid_us is None else "REFUNDED",
                    "refundDate": to_text(refund.paid_us or refund.asked_us),
                    "amount": amount(refund.amount),
                }
                for refund in shown.refunds
            ],
            "totalDueSeller": amount(total - shown.refunded),
        },
        "lineItems": [_line(line, shown, marketplace) for line in shown.lines],
    }
    if old:
        answer["legacyOrderId"] = f"{shown.lines[0].listing_id}-{shown.lines[0].line_id}"
    if not masked and shown.username:
        answer["fulfillmentStartInstructions"] = [_instructions(shown, old=old)]
    return answer


def _instructions(shown: Order, *, old: bool) -> dict[str, Any]:
    draft = shown.draft
    address = {
        "addressLine1": draft.street,
        "city": draft.city,
        "postalCode": draft.postal_code,
        "country" if old else "countryCode": draft.country,
    }
    ship_to: dict[str, Any] = {"fullName": draft.buyer_name, "contactAddress": address}
    if draft.phone is not None:
        ship_to["primaryPhone"] = {"phoneNumber": draft.phone}
    if draft.email is not None:
        ship_to["email"] = draft.email
    return {
        "fulfillmentInstructionsType": "SHIP_TO",
        "ebaySupportedFulfillment": False,
        "shippingStep": {"shippingServiceCode": "ShippingMethodStandard", "shipTo": ship_to},
    }


def _line(line: Line, shown: Order, marketplace: str) -> dict[str, Any]:
    return {
        "lineItemId": line.line_id,
        "legacyItemId": line.listing_id,
        "sku": line.sku,
        "title": line.title,
        "quantity": line.quantity,
        "lineItemCost": amount(line.cost),
        "total": amount(line.cost),
        "lineItemFulfillmentStatus": how_far(line.shipped, line.quantity).value,
        "lineItemFulfillmentInstructions": {
            "shipByDate": to_text(shown.created_us + 3 * _DAY_US),
            "guaranteedDelivery": False,
        },
        "listingMarketplaceId": marketplace,
        "purchaseMarketplaceId": marketplace,
    }


def shipment(shown: Shipment) -> dict[str, Any]:
    """Return one shipment."""
    answer: dict[str, Any] = {
        "fulfillmentId": shown.shipment_id,
        "shippedDate": shown.shipped_at,
        "lineItems": [{"lineItemId": i, "quantity": q} for i, q in shown.items],
    }
    if shown.tracking is not None:
        answer["shipmentTrackingNumber"] = shown.tracking
    if shown.carrier is not None:
        answer["shippingCarrierCode"] = shown.carrier
    return answer


# Inventory


def item(shown: Item) -> dict[str, Any]:
    """Return one inventory item: what the seller sent, and what is left of it."""
    answer: dict[str, Any] = {"sku": shown.sku, **shown.data}
    if shown.locale is not None:
        answer["locale"] = shown.locale
    if shown.quantity is not None:
        answer["availability"] = {"shipToLocationAvailability": {"quantity": shown.quantity}}
    return answer


def offer(shown: Offer, inventory: Inventory, version: str) -> dict[str, Any]:
    """Return one offer as one version of the contract words it."""
    plus = "ebayPlusIfEligible" if version == OLD_INVENTORY else "eBayPlusIfEligible"
    answer: dict[str, Any] = {
        "offerId": shown.offer_id,
        "sku": shown.sku,
        "marketplaceId": shown.marketplace,
        "format": shown.form,
        "availableQuantity": inventory.shown(shown),
        "status": "UNPUBLISHED" if shown.listing_id is None else "PUBLISHED",
        "listingPolicies": {plus: False},
        **shown.data,
    }
    if shown.price is not None:
        answer["pricingSummary"] = {"price": amount(shown.price)}
    if shown.listing_id is not None:
        answer["listing"] = {"listingId": shown.listing_id, "soldQuantity": shown.sold}
    return answer


# Money


def transaction(shown: Transaction) -> dict[str, Any]:
    """Return one transaction: an amount without a sign, and which way it goes."""
    size = shown.net if shown.net.minor >= 0 else -shown.net
    answer: dict[str, Any] = {
        "transactionId": shown.transaction_id,
        "orderId": shown.order_id,
        "transactionType": shown.kind,
        "transactionStatus": status_of(shown),
        "transactionDate": to_text(shown.at_us),
        "amount": amount(size),
        "bookingEntry": "CREDIT" if shown.net.minor >= 0 else "DEBIT",
        "totalFeeBasisAmount": amount(shown.gross),
        "totalFeeAmount": amount(shown.fee),
    }
    if shown.payout_id is not None:
        answer["payoutId"] = shown.payout_id
    if shown.lines:
        answer["orderLineItems"] = [
            {
                "lineItemId": line.line_id,
                "feeBasisAmount": amount(line.basis),
                "marketplaceFees": [{"feeType": "FINAL_VALUE_FEE", "amount": amount(line.fee)}],
            }
            for line in shown.lines
        ]
    return answer


def status_of(shown: Transaction) -> str:
    """Return the vendor's word for where the money of a transaction is."""
    return "FUNDS_AVAILABLE_FOR_PAYOUT" if shown.payout_id is None else "PAYOUT"


def payout(shown: Payout) -> dict[str, Any]:
    """Return one payout."""
    return {
        "payoutId": shown.payout_id,
        "payoutStatus": "SUCCEEDED",
        "payoutStatusDescription": "The funds have been sent.",
        "amount": amount(shown.amount),
        "payoutDate": to_text(shown.at_us),
        "transactionCount": len(shown.transaction_ids),
    }


# Post-order


def returned(shown: Return) -> dict[str, Any]:
    """Return one return."""
    refund: dict[str, Any] = {"estimatedRefundAmount": bare(shown.estimated)}
    if shown.refunded is not None:
        refund["actualRefundAmount"] = bare(shown.refunded)
    return {
        "returnId": shown.return_id,
        "orderId": shown.order.order_id,
        "buyerLoginName": shown.order.username,
        "state": shown.state,
        "status": shown.state,
        "creationInfo": {
            "creationDate": {"value": to_text(shown.opened_us)},
            "reason": shown.reason,
            "item": {
                "itemId": shown.line.listing_id,
                "transactionId": shown.line.line_id,
                "returnQuantity": shown.quantity,
            },
        },
        "sellerTotalRefund": refund,
    }


def cancellation(shown: Cancellation) -> dict[str, Any]:
    """Return one cancellation."""
    return {
        "cancelId": shown.cancel_id,
        "legacyOrderId": shown.order_id,
        "cancelState": "CLOSED",
        "cancelReason": "BUYER_ASKED_CANCEL",
        "requestorType": "BUYER",
        "cancelRequestDate": {"value": to_text(shown.at_us)},
    }
