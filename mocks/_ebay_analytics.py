"""How many calls an application has left: the published daily quotas less what the books show.

No answer of this vendor carries a header for it, so this is the only place that tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.instants import SECOND_US, to_text
from harness.model.values import JsonObject
from mocks.kit.accounts import Accounts
from mocks.kit.books import Books
from mocks.kit.buckets import DayEnd

_DAY_US = 86_400 * SECOND_US
_UNMETERED = frozenset({"throttled", "unauthenticated", "unknown"})
# Context, name and version under which the vendor lists each of its quotas, and the resource.
_NAMES: Mapping[str, tuple[str, str, str, str]] = {
    "fulfillment": ("sell", "Fulfillment", "v1", "sell.fulfillment"),
    "inventory": ("sell", "Inventory", "v1", "sell.inventory"),
    "finances": ("sell", "Finances", "v1", "sell.finances"),
    "notification": ("commerce", "Notification", "v1", "commerce.notification"),
    "returns": ("sell", "PostOrder", "v2", "sell.postorder.return"),
    "cancellations": ("sell", "PostOrder", "v2", "sell.postorder.cancellation"),
    "analytics": ("developer", "Analytics", "v1_beta", "developer.analytics"),
}


def rate_limits(
    behaviour: JsonObject,
    books: Books,
    accounts: Accounts,
    application: str,
    now_us: int,
    *,
    context: str | None = None,
    name: str | None = None,
) -> list[dict[str, Any]]:
    """Return the quotas of an application, of one context or API where they are named."""
    mine = frozenset(a.id for a in accounts if a.application == application)
    shown: list[dict[str, Any]] = []
    for quota in behaviour.get("quotas", ()):
        known = _NAMES.get(str(quota["id"]))
        if known is None or quota["kind"] != "daily":
            continue
        if context not in (None, known[0]) or (name or known[1]).lower() != known[1].lower():
            continue
        ends = DayEnd(str(quota.get("resets_at", "00:00")), str(quota.get("zone", "UTC")))
        reset_us = ends.next_us(now_us)
        operations = frozenset(quota["operations"])
        used = sum(
            1
            for call in books.calls
            if call.operation_id in operations
            and call.account in mine
            and ends.next_us(call.at_us) == reset_us
            and call.outcome not in _UNMETERED
        )
        limit = int(quota["calls"])
        rate = {
            "limit": limit,
            "count": used,
            "remaining": max(0, limit - used),
            "reset": to_text(reset_us),
            "timeWindow": _DAY_US // SECOND_US,
        }
        shown.append(
            {
                "apiContext": known[0],
                "apiName": known[1],
                "apiVersion": known[2],
                "resources": [{"name": known[3], "rates": [rate]}],
            }
        )
    return shown
