"""Rules every canonical object keeps, whatever system it came from."""

from __future__ import annotations

from typing import Any

from harness.canonical.money import add, multiply
from harness.model.values import Json, JsonObject


def natural_key(channel: str, account: str, external_id: str) -> str:
    """Return the key of every write to an ERP for one order."""
    return f"{channel}:{account}:{external_id}"


def complete_order(order: dict[str, Any]) -> dict[str, Any]:
    """Add what follows from the rest: natural key, line totals, item total and currency.

    Raises ``ValueError`` when lines are priced in two currencies.
    """
    key = ("channel", "account", "external_id")
    if all(name in order for name in key):
        order["natural_key"] = natural_key(*(order[name] for name in key))
    totals = []
    for line in order.get("lines", ()):
        price, quantity = line.get("unit_price"), line.get("quantity", {}).get("ordered")
        if price is not None and quantity is not None:
            line.setdefault("line_total", multiply(price, quantity))
            totals.append(line["line_total"])
    if totals and len(totals) == len(order["lines"]):
        items = add(totals)
        order.setdefault("currency", items["currency"])
        order.setdefault("totals", {}).setdefault("items", items)
    return order


def priced(order: JsonObject) -> bool:
    """Say whether every line has a price, so that an ERP can take the order."""
    lines: Json = order.get("lines", ())
    return bool(lines) and all("unit_price" in line for line in lines)
