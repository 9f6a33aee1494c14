"""Reads the bodies clients send to Business Central: numbers, dates, references to records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from harness.model.values import JsonObject
from mocks.kit.money import exponent
from mocks.kit.simulator import RefusalKind, Refused

NUMBER_MAX = 10**9
_DIGITS_MAX = 5
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

SHIP_TO = (
    "shipToName",
    "shipToAddressLine1",
    "shipToAddressLine2",
    "shipToCity",
    "shipToState",
    "shipToPostCode",
    "shipToCountry",
)
# The complex address of v1.0 and what v2.0 made of its members.
POSTAL_ADDRESS: Mapping[str, str] = {
    "street": "AddressLine1",
    "city": "City",
    "state": "State",
    "countryLetterCode": "Country",
    "postalCode": "PostCode",
}


def invalid(message: str, code: str = "Application_DialogException") -> Refused:
    """Return the refusal of a body that breaks a rule of the application."""
    return Refused(RefusalKind.INVALID, message, code=code)


def missing(what: str, key: str) -> Refused:
    """Return the refusal of a record that does not exist."""
    return Refused(RefusalKind.NOT_FOUND, f"The {what} does not exist: {key!r}.")


def number(body: JsonObject, name: str, default: Decimal, *, least: int = 0) -> Decimal:
    """Return a number with at most five decimals; raises ``Refused`` INVALID."""
    value = body.get(name)
    if value is None:
        return default
    text = repr(value) if isinstance(value, int | float) else str(value)
    found = Decimal(text) if len(text) < 40 and text not in ("nan", "inf", "-inf") else None
    if found is None or not least <= found <= NUMBER_MAX:
        msg = f"{name} must be a number from {least} to {NUMBER_MAX}."
        raise invalid(msg, "Application_FieldValidationException")
    if found != round(found, _DIGITS_MAX):
        msg = f"{name} has more than {_DIGITS_MAX} decimals."
        raise invalid(msg, "Application_FieldValidationException")
    return found


def minor(body: JsonObject, name: str, currency: str, default: int) -> int:
    """Return an amount in minor units; raises ``Refused`` for digits the currency has not."""
    if body.get(name) is None:
        return default
    scaled = number(body, name, Decimal(0)).scaleb(exponent(currency))
    if scaled != int(scaled):
        msg = f"{name} has more digits than {currency} has."
        raise invalid(msg, "Application_FieldValidationException")
    return int(scaled)


def shown_number(value: Decimal) -> int | float:
    """Return a decimal as JSON shows it."""
    return int(value) if value == int(value) else float(value)


def shown_amount(amount: int, currency: str) -> int | float:
    """Return minor units as JSON shows an amount."""
    return shown_number(Decimal(amount).scaleb(-exponent(currency)))


def day(body: JsonObject, name: str, default: str) -> str:
    """Return a date; the contract has checked its form."""
    value = body.get(name)
    if value is None:
        return default
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        msg = f"{name} must be a date."
        raise invalid(msg, "BadRequest_InvalidToken") from None


def guid(body: JsonObject, name: str) -> str | None:
    """Return a SystemId; v1.0 takes any text there, and refuses what is none only now."""
    value = body.get(name)
    if value is None:
        return None
    if _GUID.fullmatch(str(value)) is None:
        msg = f"{name} is not a GUID."
        raise invalid(msg, "Application_InvalidGUID")
    return str(value).lower()


def ship_to(body: JsonObject) -> dict[str, str]:
    """Return the members of the shipping address, as v2.0 names them."""
    found = {name: str(body[name]) for name in SHIP_TO if body.get(name) is not None}
    address = body.get("shippingPostalAddress")
    if isinstance(address, Mapping):
        for old, new in POSTAL_ADDRESS.items():
            if address.get(old) is not None:
                found[f"shipTo{new}"] = str(address[old])
    return found


def customer_fields(body: JsonObject) -> dict[str, str]:
    """Return the plain members of a customer, as v2.0 names them."""
    names = ("type", "addressLine1", "city", "country", "email", "currencyCode")
    found = {name: str(body[name]) for name in names if body.get(name) is not None}
    address = body.get("address")
    if isinstance(address, Mapping):
        for old, new in (("street", "addressLine1"), ("city", "city")):
            if address.get(old) is not None:
                found[new] = str(address[old])
        if address.get("countryLetterCode") is not None:
            found["country"] = str(address["countryLetterCode"])
    return found


def as_object(body: Any) -> JsonObject:
    """Return the body of a write, which must be one record."""
    if not isinstance(body, dict):
        msg = "The body must be one record."
        raise invalid(msg, "BadRequest_InvalidToken")
    return body
