"""List walks over orders and returns: windows, filters, and the vendor's cursor."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mocks._walmart_orders import Order, Return
from mocks._walmart_requests import days_before, instant
from mocks._walmart_shop import Shop
from mocks.kit.calls import Answer, Call
from mocks.kit.manners import Manners
from mocks.kit.paging import Walk

# Members of nextCursor that lead nowhere: a client sends them back with the rest.
_CURSOR_DRESS = frozenset({"hasMoreElements", "poIndex", "partnerId", "sellerId"})
_NAMED = ("purchaseOrderId", "customerOrderId", "lastModifiedStartDate")


def _undressed(call: Call) -> Call:
    """Return the call without those members of a cursor that say nothing."""
    query = tuple(pair for pair in call.request.query if pair[0] not in _CURSOR_DRESS)
    return replace(call, request=replace(call.request, query=query))


def _bound(walk: Walk, name: str) -> int | None:
    text = walk.value(name)
    return None if text is None else instant(text, name)


def order_list(
    call: Call,
    shop: Shop,
    manners: Manners,
    limits: Mapping[str, int],
    shown: Callable[[Order, Call], dict[str, Any]],
    *,
    only: Callable[[Order], bool] | None = None,
) -> Answer:
    """Return one page of orders, the oldest first; a walk keeps the window it began with."""
    walk = manners.pager.open(_undressed(call))
    since = _bound(walk, "createdStartDate")
    if since is None and not any(walk.value(name) for name in _NAMED):
        since = days_before(walk.started_us, int(limits.get("order_default_window_days", 7)))
    oldest = days_before(walk.started_us, int(limits.get("order_lookback_days", 180)))
    since = oldest if since is None else max(since, oldest)
    fits = _order_filter(walk, call)
    until = _bound(walk, "createdEndDate")
    rows = sorted(
        (
            order
            for order in shop.orders.values()
            if order.released
            and since <= order.created_us
            and (until is None or order.created_us < until)
            and (only is None or only(order))
            and fits(order)
            and manners.visibility.sees(call, order.id, order.updated_us)
        ),
        key=_order_key,
    )
    rows = rows[: int(limits.get("order_results_max", 20_000))]
    page = walk.page(rows, _order_key)
    meta: dict[str, Any] = {"totalCount": page.total, "limit": page.size}
    if page.next is not None:
        place = bisect_left(rows, _order_key(page.items[-1]), key=_order_key) + 1
        dress = f"hasMoreElements=true&poIndex={place}&partnerId={call.account}"
        meta["nextCursor"] = f"{page.next}&{dress}&sellerId={call.account}"
    orders = [shown(order, call) for order in page.items]
    return Answer(200, {"list": {"meta": meta, "elements": {"order": orders}}})


def _order_key(order: Order) -> tuple[int, str]:
    return order.created_us, order.id


def _order_filter(walk: Walk, call: Call) -> Callable[[Order], bool]:
    changed_since = _bound(walk, "lastModifiedStartDate")
    changed_until = _bound(walk, "lastModifiedEndDate")
    order_id, customer_id = walk.value("purchaseOrderId"), walk.value("customerOrderId")
    status, sku = walk.value("status"), walk.value("sku")
    ours = walk.value("shipNodeType") in (None, "SellerFulfilled")

    def fits(order: Order) -> bool:
        return (
            ours
            and (changed_since is None or order.updated_us >= changed_since)
            and (changed_until is None or order.updated_us < changed_until)
            and order_id in (None, order.id)
            and customer_id in (None, order.customer_order_id)
            and (status is None or order.units(status) > 0)
            and (sku is None or any(line.sku == sku for line in order.lines))
        )

    return fits


def return_list(
    call: Call, shop: Shop, manners: Manners, shown: Callable[[Return], dict[str, Any]]
) -> Answer:
    """Return one page of returns, the oldest first."""
    walk = manners.pager.open(call)
    since = _bound(walk, "returnCreationStartDate")
    until = _bound(walk, "returnCreationEndDate")
    return_id, order_id = walk.value("returnOrderId"), walk.value("customerOrderId")
    status = walk.value("status")
    rows = sorted(
        (
            found
            for found in shop.returns.values()
            if (since is None or found.created_us >= since)
            and (until is None or found.created_us < until)
            and return_id in (None, found.id)
            and order_id in (None, found.order.customer_order_id)
            and status in (None, found.status)
            and manners.visibility.sees(call, found.id, found.created_us)
        ),
        key=_return_key,
    )
    page = walk.page(rows, _return_key)
    meta: dict[str, Any] = {"totalCount": page.total, "limit": page.size}
    if page.next is not None:
        meta["nextCursor"] = page.next
    return Answer(200, {"meta": meta, "returnOrders": [shown(found) for found in page.items]})


def _return_key(found: Return) -> tuple[int, str]:
    return found.created_us, found.id
