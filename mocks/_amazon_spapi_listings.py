"""Reads the patches of a listing: which ones change quantity or price, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from harness.model.values import Json

_QUANTITY = "/attributes/fulfillment_availability"
_PRICE = "/attributes/purchasable_offer"


class _Wrong(Exception):
    """What is wrong with one patch, in the words of an issue."""


def read_patches(body: Json) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the attributes to set (``quantity``, ``price``) and the issues found."""
    attributes: dict[str, Any] = {}
    issues: list[dict[str, Any]] = []
    patches = body.get("patches", ()) if isinstance(body, Mapping) else ()
    for patch in patches:
        path = str(patch.get("path", ""))
        try:
            attributes.update(_read_patch(patch, path))
        except _Wrong as wrong:
            issues.append(_issue(str(wrong), path))
    if not patches:
        issues.append(_issue("There is no patch.", ""))
    return attributes, issues


def _read_patch(patch: Mapping[str, Any], path: str) -> dict[str, Any]:
    if path not in (_QUANTITY, _PRICE):
        msg = f"The simulator imitates {_QUANTITY} and {_PRICE} only."
        raise _Wrong(msg)
    if patch.get("op") == "delete":
        msg = "The simulator does not imitate taking an attribute away."
        raise _Wrong(msg)
    entries = patch.get("value")
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], Mapping):
        msg = "The value must be a list of objects."
        raise _Wrong(msg)
    return _quantity(entries) if path == _QUANTITY else _price(entries[0])


def _quantity(entries: list[Any]) -> dict[str, Any]:
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("fulfillment_channel_code") == "DEFAULT":
            quantity = entry.get("quantity")
            if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 0:
                msg = "The quantity must be a whole number, zero or more."
                raise _Wrong(msg)
            return {"quantity": quantity}
    msg = "No entry has fulfillment_channel_code DEFAULT."
    raise _Wrong(msg)


def _price(offer: Mapping[str, Any]) -> dict[str, Any]:
    try:
        amount = Decimal(str(offer["our_price"][0]["schedule"][0]["value_with_tax"]))
        currency = str(offer["currency"])
    except (KeyError, IndexError, TypeError, InvalidOperation) as error:
        msg = "An offer needs currency and our_price[0].schedule[0].value_with_tax."
        raise _Wrong(msg) from error
    if not amount.is_finite() or amount <= 0:
        msg = "The price must be more than zero."
        raise _Wrong(msg)
    return {"price": {"amount": str(amount), "currency": currency}}


def _issue(message: str, path: str) -> dict[str, Any]:
    return {
        "code": "4000001",
        "message": message,
        "severity": "ERROR",
        "categories": ["INVALID_ATTRIBUTE"],
        "attributeNames": [path.rsplit("/", 1)[-1]] if path else [],
    }
