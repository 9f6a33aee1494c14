"""Feeds: files of many changes, read when they come and worked on later, row by row.

The vendor's item status tells success or failure of each row, so one wrong row spoils no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.model.values import Json, canonical_json
from mocks._walmart_requests import MINOR_MAX
from mocks._walmart_shop import PriceChange, Shop
from mocks.kit.calls import Call, RefusalKind, Refused
from mocks.kit.jobs import Job, JobDesk, JobFailed, JobState
from mocks.kit.money import Money

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,70})"?', re.IGNORECASE)
# The member that holds the rows, by type of feed; the vendor is not consistent in its case.
_ROWS = {
    "inventory": "inventory",
    "mp_inventory": "inventory",
    "price": "price",
    "price_and_promotion": "mpitem",
    "mp_item": "mpitem",
}
_UNITS_MAX = 1_000_000_000
# What may be wrong with a row: the field and the words for it.
_NO_SKU = ("sku", "The row names no SKU.")
_NODES = ("shipNodes", "The nodes are not a list of nodes.")
_QUANTITY = ("quantity", "The amount is not a whole number, zero or more.")
_NO_PRICE = ("pricing", "The row names no price.")
_PRICE = ("currentPrice", "The price is not an amount of USD above zero.")


class RowError(Exception):
    """A row that cannot be done."""

    def __init__(self, field: str, description: str) -> None:
        """Keep which field is wrong and why."""
        super().__init__(description)
        self.field = field
        self.description = description


def file_of(call: Call) -> bytes:
    """Return the part named ``file`` of a multipart form; raises ``Refused``."""
    found = _BOUNDARY.search(call.request.header("content-type") or "")
    if found is None:
        msg = "the content type names no boundary"
        raise Refused(RefusalKind.INVALID, msg, reason="body.malformed")
    for part in call.request.body.split(b"--" + found.group(1).encode("utf-8", "replace"))[1:]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if blank and re.search(rb'name="?file"?', head):
            return content[:-2] if content.endswith(b"\r\n") else content
    msg = "the form has no part named file"
    raise Refused(RefusalKind.INVALID, msg, reason="body.wrong")


def rows_of(feed_type: str, content: bytes) -> list[Json] | None:
    """Return the rows of a file, ``None`` when it is not a file of that type."""
    try:
        document = json.loads(content)
        canonical_json(document).encode()  # a lone surrogate parses, and no answer can show it
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, Mapping):
        return None
    wanted = _ROWS[feed_type.lower()]
    for name, value in document.items():
        if name.lower() == wanted and isinstance(value, list):
            return value
    return None


def sku_of(row: Json) -> str:
    """Return the SKU a row speaks of, the empty text when it names none."""
    if not isinstance(row, Mapping):
        return ""
    for name in (None, "itemIdentifier", "Orderable", "Promo&Discount"):
        holder = row if name is None else row.get(name)
        sku = holder.get("sku") if isinstance(holder, Mapping) else None
        if isinstance(sku, str):
            return sku
    return ""


class Feeds:
    """The feeds of one seller."""

    def __init__(self, desk: JobDesk, shop: Shop) -> None:
        """Work on what ``shop`` offers."""
        self._desk = desk
        self._shop = shop

    def upload(self, call: Call, feed_type: str) -> Job:
        """Take a file in; it becomes a feed even when nothing in it can be read."""
        rows = rows_of(feed_type, file_of(call))
        shop, request_id = self._shop, call.request_id

        def work(_job: Job, at_us: int) -> list[dict[str, Any]]:
            if rows is None:
                raise JobFailed
            do = self._doer(feed_type, at_us, request_id)
            return [_result(number, row, do) for number, row in enumerate(rows)]

        job_id = f"{shop.new_id().replace('-', '').upper()}@AQkBAQA"
        facts: dict[str, Any] = {"type": feed_type, "rows": len(rows or ())}
        return self._desk.start(call.account, work, call.now_us, job_id=job_id, **facts)

    def _doer(self, feed_type: str, at_us: int, request_id: str) -> Callable[[Json], None]:
        shop = self._shop

        def stock(row: Json) -> None:
            nodes = row.get("shipNodes")
            if nodes is None:
                nodes = [{"shipNode": shop.assortment.nodes[0], **row}]
            if not isinstance(nodes, list) or not all(isinstance(n, Mapping) for n in nodes):
                raise RowError(*_NODES)
            shop.assortment.to_change(sku_of(row))
            parsed = [(_node(shop, n), _units(n.get("quantity"))) for n in nodes]
            for node, quantity in parsed:
                shop.publish_quantity(sku_of(row), node, quantity, at_us, request_id)

        def price(row: Json) -> None:
            item = shop.assortment.to_change(sku_of(row))
            parsed = [_price(one) for one in _pricing(row)]
            for kind, amount in parsed:
                change = PriceChange(at_us, item, kind, amount.currency, amount.text(), request_id)
                shop.publish_price(change, at_us)

        def item(row: Json) -> None:
            shop.assortment.add(sku_of(row))

        return {"inventory": stock, "price": price, "mpitem": item}[_kind(feed_type)]


def _kind(feed_type: str) -> str:
    return "price" if feed_type == "PRICE_AND_PROMOTION" else _ROWS[feed_type.lower()]


def _result(number: int, row: Json, do: Callable[[Json], None]) -> dict[str, Any]:
    result: dict[str, Any] = {"martId": 0, "sku": sku_of(row), "index": number}
    try:
        if not sku_of(row):
            raise RowError(*_NO_SKU)
        do(row)
    except RowError as error:
        return {**result, **_data_error(error.field, error.description)}
    except Refused as refused:
        field = "shipNode" if refused.reason == "node.unknown" else "sku"
        return {**result, **_data_error(field, refused.explanation)}
    return {**result, "ingestionStatus": "SUCCESS"}


def _data_error(field: str, description: str) -> dict[str, Any]:
    error = {
        "type": "DATA_ERROR",
        "code": "ERR_PDI_0001",
        "field": field,
        "description": description,
    }
    return {"ingestionStatus": "DATA_ERROR", "ingestionErrors": {"ingestionError": [error]}}


def _node(shop: Shop, row: Mapping[str, Any]) -> str:
    return shop.assortment.check_node(str(row.get("shipNode")))


def _units(quantity: Json) -> int:
    amount = quantity.get("amount") if isinstance(quantity, Mapping) else None
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= _UNITS_MAX:
        raise RowError(*_QUANTITY)
    return amount


def _pricing(row: Mapping[str, Any]) -> list[Json]:
    promotion = row.get("Promo&Discount")
    if isinstance(promotion, Mapping):
        amount = {"currency": "USD", "amount": promotion.get("price")}
        return [{"currentPriceType": "BASE", "currentPrice": amount}]
    listed = row.get("pricing")
    nested = row.get("pricingList")
    if listed is None and isinstance(nested, Mapping):
        listed = nested.get("pricing")
    if not isinstance(listed, list) or not listed:
        raise RowError(*_NO_PRICE)
    return listed


def _price(one: Json) -> tuple[str, Money]:
    price = one.get("currentPrice") if isinstance(one, Mapping) else None
    if isinstance(price, Mapping) and price.get("currency") == "USD":
        try:
            amount = Money.of(str(price.get("amount")), "USD")
        except ValueError as error:
            raise RowError(*_PRICE) from error
        if 0 < amount.minor <= MINOR_MAX:
            return str(one.get("currentPriceType", "BASE")), amount
    raise RowError(*_PRICE)


def summary(desk: JobDesk, job: Job) -> dict[str, Any]:
    """Return a feed and its counts."""
    rows = job.result or []
    good = sum(1 for row in rows if row["ingestionStatus"] == "SUCCESS")
    received = 0 if job.state is JobState.FAILED else job.facts["rows"]
    return {
        "feedId": job.id,
        "feedStatus": desk.word(job),
        "itemsReceived": received,
        "itemsSucceeded": good,
        "itemsFailed": len(rows) - good,
        "itemsProcessing": 0 if job.ended else received,
    }
