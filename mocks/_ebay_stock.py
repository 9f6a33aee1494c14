"""The inventory service: items, offers, and bulk changes whose rows succeed or fail one by one."""

from __future__ import annotations

from typing import Any

from mocks import _ebay_shapes as shapes
from mocks._ebay_errors import error, error_at, service_at
from mocks._ebay_sellers import Sellers
from mocks.kit.batches import RowAnswer
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused


class InventoryService:
    """Answers what is asked about items and offers."""

    def __init__(self, sellers: Sellers) -> None:
        """Work for these sellers."""
        self._sellers = sellers

    # Items

    def items(self, call: Call) -> Answer:
        """List items by SKU; the offset counts pages here."""
        stock = self._sellers.look(call.account).inventory
        rows = [stock.items[sku] for sku in sorted(stock.items)]
        page = self._sellers.manners.pager.open(call).page(rows)
        shown = shapes.page_frame(call, page, pages=True)
        shown["inventoryItems"] = [shapes.item(item) for item in page.items]
        return Answer(200, shown)

    def item(self, call: Call) -> Answer:
        """Read one item."""
        stock = self._sellers.look(call.account).inventory
        return Answer(200, shapes.item(stock.item(call.path.get("sku", ""))))

    def replace(self, call: Call) -> Answer:
        """Create an item, or replace it as a whole."""
        stock = self._sellers.look(call.account).inventory
        sku = call.path.get("sku", "")
        is_new = stock.replace_item(sku, call.body, _locale(call), call.now_us, call.request_id)
        return Answer(201, {"warnings": []}) if is_new else Answer(204)

    def bulk_replace(self, call: Call) -> Answer:
        """Create or replace items, each row by itself; a SKU may stand there once."""
        stock = self._sellers.look(call.account).inventory
        seen: set[str] = set()  # looked up only, never iterated

        def do(row: Any) -> RowAnswer:
            sku = str(row["sku"])
            if sku in seen:
                raise Refused(RefusalKind.INVALID, f"SKU {sku!r} stands there twice.")
            seen.add(sku)
            is_new = stock.replace_item(sku, row, _locale(call), call.now_us, call.request_id)
            return _taken(201 if is_new else 200, sku)

        return self._bulk(call, do)

    def bulk_update(self, call: Call) -> Answer:
        """Set stock and prices, each row by itself, all of a row or nothing of it."""
        stock = self._sellers.look(call.account).inventory

        def do(row: Any) -> RowAnswer:
            offers = stock.update_row(row, call.now_us, call.request_id)
            if not offers:
                return _taken(200, row.get("sku"))
            return 200, [_taken(200, o.sku, o.offer_id)[1][0] for o in offers]

        return self._bulk(call, do)

    def _bulk(self, call: Call, do: Any) -> Answer:
        path = call.request.path

        def refuse(row: Any, refused: Refused) -> RowAnswer:
            status = error_at(path, refused).status
            shown: dict[str, Any] = {"statusCode": status}
            if "sku" in row:
                shown["sku"] = row["sku"]
            shown["errors"] = [error(refused, service_at(path))]
            return status, [shown]

        done = self._sellers.manners.batches.run(call, call.body["requests"], do, refuse)
        rows = [shown for _, answers in done.rows for shown in answers]
        return Answer(done.status, {"responses": rows})

    # Offers

    def offers(self, call: Call) -> Answer:
        """List the offers of one SKU."""
        stock = self._sellers.look(call.account).inventory
        sku, marketplace = call.query.get("sku", ""), call.query.get("marketplace_id")
        rows = [o for o in stock.offers_of(sku) if marketplace in (None, o.marketplace)]
        page = self._sellers.manners.pager.open(call).page(rows)
        shown = shapes.page_frame(call, page, pages=True)
        shown["offers"] = [shapes.offer(offer, stock, call.version) for offer in page.items]
        return Answer(200, shown)

    def create_offer(self, call: Call) -> Answer:
        """Make an offer that is not listed yet."""
        seller = self._sellers.look(call.account)
        made = seller.inventory.create_offer(
            seller.orders.digits(10), call.body, call.now_us, call.request_id
        )
        return Answer(201, {"offerId": made.offer_id})

    def replace_offer(self, call: Call) -> Answer:
        """Replace an offer as a whole."""
        stock = self._sellers.look(call.account).inventory
        offer = stock.offer(call.path.get("offerId", ""))
        stock.replace_offer(offer, call.body, call.now_us, call.request_id)
        return Answer(204)

    def publish(self, call: Call) -> Answer:
        """List an offer; a second time answers with the same listing."""
        seller = self._sellers.look(call.account)
        offer = seller.inventory.offer(call.path.get("offerId", ""))
        listing_id = seller.inventory.publish(offer, seller.orders.digits(12))
        return Answer(200, {"listingId": listing_id})


def _taken(status: int, sku: str | None, offer_id: str | None = None) -> RowAnswer:
    shown: dict[str, Any] = {"statusCode": status, "errors": [], "warnings": []}
    if sku is not None:
        shown["sku"] = sku
    if offer_id is not None:
        shown["offerId"] = offer_id
    return status, [shown]


def _locale(call: Call) -> str | None:
    language = call.request.header("content-language")
    return None if language is None else language.replace("-", "_")
