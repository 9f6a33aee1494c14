"""The inventory of one seller: items by SKU, the offers that list them, and what buyers can buy.

Pure state. An offer shows what its item has, or less where the offer limits itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.instants import SECOND_US
from mocks.kit.books import AccountBooks, BookKind
from mocks.kit.calls import RefusalKind, Refused
from mocks.kit.money import Money
from mocks.kit.roles import OrderDraft, OutOfStock

_DAY_US = 86_400 * SECOND_US
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
SYSTEM_REFUSAL = "25002"
BAD_VALUE = "25709"


@dataclass(slots=True)
class Item:
    """One SKU. ``data`` is what the seller sent last; ``quantity`` is ``None`` when left out."""

    sku: str
    locale: str | None
    data: dict[str, Any]
    quantity: int | None


@dataclass(slots=True)
class Offer:
    """One SKU on one marketplace in one format; ``listing_id`` once it is published."""

    offer_id: str
    sku: str
    marketplace: str
    form: str
    available: int | None
    price: Money | None
    data: dict[str, Any] = field(default_factory=dict)
    listing_id: str | None = None
    sold: int = 0
    revised_day: int = -1
    revisions: int = 0


def read_amount(value: Any) -> Money:
    """Return money as a body words it; refuses what is no amount."""
    text, currency = (value.get("value"), value.get("currency")) if value else (None, None)
    known = isinstance(currency, str) and len(currency) == 3 and currency.isascii()
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        known = False
    if not known or not str(currency).isupper():
        msg = "An amount needs value, decimal text, and currency, three capital letters."
        raise Refused(RefusalKind.INVALID, msg)
    try:
        return Money.of(str(text), str(currency))
    except ValueError as error:
        raise Refused(RefusalKind.INVALID, f"The value is no amount in {currency}.") from error


class Inventory:
    """Items and offers of one seller."""

    def __init__(self, books: AccountBooks, *, revisions_max: int) -> None:
        """Start empty; a listing may be revised ``revisions_max`` times a day."""
        self.books = books
        self.items: dict[str, Item] = {}
        self.offers: dict[str, Offer] = {}
        self._revisions_max = revisions_max

    # Items

    def item(self, sku: str) -> Item:
        """Return an item; refuses an unknown SKU."""
        found = self.items.get(sku)
        if found is None:
            raise Refused(RefusalKind.NOT_FOUND, f"There is no inventory item {sku!r}.")
        return found

    def replace_item(
        self, sku: str, body: Mapping[str, Any], locale: str | None, now_us: int, request_id: str
    ) -> bool:
        """Set an item to the body, erasing what it leaves out; say whether it is new."""
        for offer in self._published(sku):
            self._revise(offer, now_us)
        available = (body.get("availability") or {}).get("shipToLocationAvailability") or {}
        quantity = available.get("quantity")
        data = {k: v for k, v in body.items() if k not in ("sku", "availability")}
        is_new = sku not in self.items
        self.items[sku] = Item(sku, locale, data, quantity)
        self._book_quantity(sku, now_us, request_id)
        return is_new

    def set_quantity(self, sku: str, quantity: int, now_us: int, request_id: str) -> None:
        """Set what there is of an item."""
        self.item(sku).quantity = quantity
        self._book_quantity(sku, now_us, request_id)

    def _book_quantity(self, sku: str, now_us: int, request_id: str) -> None:
        data = {"quantity": self.items[sku].quantity or 0}
        self.books.enter(now_us, BookKind.QUANTITY_PUBLISHED, sku, data, request_id=request_id)

    # Offers

    def offer(self, offer_id: str) -> Offer:
        """Return an offer; refuses an unknown id."""
        found = self.offers.get(offer_id)
        if found is None:
            raise Refused(RefusalKind.NOT_FOUND, f"There is no offer {offer_id!r}.")
        return found

    def offers_of(self, sku: str) -> list[Offer]:
        """Return the offers of a SKU, oldest first."""
        return [offer for offer in self.offers.values() if offer.sku == sku]

    def create_offer(
        self, offer_id: str, body: Mapping[str, Any], now_us: int, request_id: str
    ) -> Offer:
        """Make an offer; refuses a second one for SKU, marketplace and format."""
        for name in ("sku", "marketplaceId", "format"):
            if not body.get(name):
                raise Refused(RefusalKind.INVALID, f"{name} is required.")
        key = (str(body["sku"]), str(body["marketplaceId"]), str(body["format"]))
        self.item(key[0])
        for known in self.offers.values():
            if (known.sku, known.marketplace, known.form) == key:
                msg = f"Offer {known.offer_id} exists for this SKU, marketplace and format."
                raise Refused(RefusalKind.INVALID, msg, code=SYSTEM_REFUSAL)
        offer = Offer(offer_id, *key, None, None)
        self._set(offer, body, now_us, request_id)
        self.offers[offer_id] = offer
        return offer

    def replace_offer(
        self, offer: Offer, body: Mapping[str, Any], now_us: int, request_id: str
    ) -> None:
        """Set an offer to the body; SKU, marketplace and format stay as they are."""
        fixed = {"sku": offer.sku, "marketplaceId": offer.marketplace, "format": offer.form}
        for name, value in fixed.items():
            if body.get(name, value) != value:
                raise Refused(RefusalKind.INVALID, f"{name} of an offer cannot change.")
        price = _price_of(body)
        if offer.listing_id is not None:
            if price is None:
                raise Refused(RefusalKind.INVALID, "A published offer needs a price.")
            self._revise(offer, now_us)
        self._set(offer, body, now_us, request_id)

    def _set(self, offer: Offer, body: Mapping[str, Any], now_us: int, request_id: str) -> None:
        price = _price_of(body)
        offer.available = body.get("availableQuantity")
        offer.data = {
            name: body[name] for name in ("categoryId", "merchantLocationKey") if name in body
        }
        if price is None:
            offer.price = None
        else:
            self._set_price(offer, price, now_us, request_id)

    def _set_price(self, offer: Offer, price: Money, now_us: int, request_id: str) -> None:
        offer.price = price
        data = {"amount": price.text(), "currency": price.currency}
        self.books.enter(now_us, BookKind.PRICE_PUBLISHED, offer.sku, data, request_id=request_id)

    def publish(self, offer: Offer, listing_id: str) -> str:
        """List an offer; one that is listed keeps its listing."""
        if offer.price is None:
            msg = "The offer has no price and cannot be published."
            raise Refused(RefusalKind.INVALID, msg, code=SYSTEM_REFUSAL)
        if not self.shown(offer):
            msg = "The offer has no quantity and cannot be published."
            raise Refused(RefusalKind.INVALID, msg, code=SYSTEM_REFUSAL)
        if offer.listing_id is None:
            offer.listing_id = listing_id
        return offer.listing_id

    def update_row(self, row: Mapping[str, Any], now_us: int, request_id: str) -> list[Offer]:
        """Set stock and prices of one bulk row, all of it or nothing; return its offers."""
        stock = (row.get("shipToLocationAvailability") or {}).get("quantity")
        changes = row.get("offers") or []
        offers = [self.offer(str(change["offerId"])) for change in changes]
        prices = [read_amount(c["price"]) if "price" in c else None for c in changes]
        sku = row.get("sku")
        if sku is None and stock is not None:
            raise Refused(RefusalKind.INVALID, "sku is required to set its quantity.")
        if sku is None and not offers:
            raise Refused(RefusalKind.INVALID, "A row needs a SKU or offers.")
        if sku is not None:
            self.item(sku)
            if any(offer.sku != sku for offer in offers):
                raise Refused(RefusalKind.INVALID, f"An offer is not one of SKU {sku!r}.")
        for offer in offers or (self._published(sku) if sku is not None else ()):
            self._revise(offer, now_us)
        if sku is not None and stock is not None:
            self.set_quantity(sku, stock, now_us, request_id)
        for offer, change, price in zip(offers, changes, prices, strict=True):
            if "availableQuantity" in change:
                offer.available = change["availableQuantity"]
            if price is not None:
                self._set_price(offer, price, now_us, request_id)
        return offers

    def _published(self, sku: str) -> Iterator[Offer]:
        return (offer for offer in self.offers_of(sku) if offer.listing_id is not None)

    def _revise(self, offer: Offer, now_us: int) -> None:
        """Count a revision of a listing; the vendor takes so many a day and no more."""
        if offer.listing_id is None:
            return
        day = now_us // _DAY_US
        if offer.revised_day != day:
            offer.revised_day, offer.revisions = day, 0
        if offer.revisions >= self._revisions_max:
            msg = f"Listing {offer.listing_id} was revised {self._revisions_max} times today."
            raise Refused(RefusalKind.INVALID, msg, code=SYSTEM_REFUSAL)
        offer.revisions += 1

    # Buyers

    def shown(self, offer: Offer) -> int:
        """Return what buyers see of an offer."""
        item = self.items.get(offer.sku)
        there = 0 if item is None else item.quantity or 0
        return there if offer.available is None else min(there, offer.available)

    def list_sku(
        self, sku: str, quantity: int, marketplace: str, offer_id: str, listing_id: str
    ) -> None:
        """Put a SKU on sale, or set how many are; the ids are for an offer that is new."""
        known = self.items.setdefault(sku, Item(sku, "en_US", {"condition": "NEW"}, quantity))
        known.quantity = quantity
        offer = self.on_sale(sku)
        if offer is None:
            offer = Offer(offer_id, sku, marketplace, "FIXED_PRICE", None, None)
            offer.listing_id = listing_id
            self.offers[offer_id] = offer
        elif offer.available is not None:
            offer.available = quantity

    def on_sale(self, sku: str) -> Offer | None:
        """Return the published offer buyers find for a SKU."""
        return next((o for o in self._published(sku) if o.form == "FIXED_PRICE"), None)

    def listed(self, sku: str) -> int | None:
        """Return what buyers can buy of a SKU, ``None`` when it is not listed."""
        offer = self.on_sale(sku)
        return None if offer is None else self.shown(offer)

    def sell(self, draft: OrderDraft) -> list[str]:
        """Take a basket out of the offers and return the listing of each line.

        Raises ``OutOfStock`` and takes nothing when too few are listed.
        """
        wanted: dict[str, int] = {}
        for line in draft.lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
        for sku, quantity in wanted.items():
            listed = self.listed(sku)
            if listed is None or listed < quantity:
                raise OutOfStock(sku, quantity, listed)
        for sku, quantity in wanted.items():
            self._move(sku, -quantity)
        found = [self.on_sale(line.sku) for line in draft.lines]
        return [offer.listing_id or "" for offer in found if offer is not None]

    def put_back(self, sku: str, quantity: int) -> None:
        """Offer again what a cancelled order had taken."""
        self._move(sku, quantity)

    def _move(self, sku: str, quantity: int) -> None:
        item, offer = self.items.get(sku), self.on_sale(sku)
        if item is not None:
            item.quantity = max(0, (item.quantity or 0) + quantity)
        if offer is not None:
            if offer.available is not None:
                offer.available = max(0, offer.available + quantity)
            offer.sold = max(0, offer.sold - quantity)


def _price_of(body: Mapping[str, Any]) -> Money | None:
    price = (body.get("pricingSummary") or {}).get("price")
    return None if price is None else read_amount(price)
