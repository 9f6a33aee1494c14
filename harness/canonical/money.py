"""Money as decimal text with the currency's own number of places; never a binary number."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from harness.model.values import Json, JsonObject

# ISO 4217 currencies whose minor unit is not two places.
_EXPONENTS = {
    "BHD": 3,
    "CLP": 0,
    "IQD": 3,
    "ISK": 0,
    "JOD": 3,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "LYD": 3,
    "OMR": 3,
    "PYG": 0,
    "TND": 3,
    "UGX": 0,
    "VND": 0,
    "XAF": 0,
    "XOF": 0,
    "XPF": 0,
}


def exponent(currency: str) -> int:
    """Return how many decimal places amounts of ``currency`` have."""
    return _EXPONENTS.get(currency, 2)


def read_decimal(value: Json) -> Decimal:
    """Return ``value`` as a finite decimal; raises ``ValueError`` for anything else.

    A JSON number is read by its shortest spelling, which gives back the digits that were sent.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        msg = f"{value!r} is no decimal number"
        raise ValueError(msg)
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation as error:
        msg = f"{value!r} is no decimal number"
        raise ValueError(msg) from error
    if not number.is_finite():
        msg = f"{value!r} is not finite"
        raise ValueError(msg)
    return number


def money(amount: Json, currency: Json) -> JsonObject:
    """Return canonical money; raises ``ValueError`` for a wrong code or too many places.

    An amount finer than the currency's minor unit is refused, not rounded: rounding is a posting
    decision with an account of its own.
    """
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isupper()):
        msg = f"{currency!r} is no ISO 4217 currency code"
        raise ValueError(msg)
    number = read_decimal(amount)
    places = Decimal(1).scaleb(-exponent(currency))
    exact = number.quantize(places)
    if exact != number:
        msg = f"{number} has more decimal places than {currency} allows"
        raise ValueError(msg)
    return {"amount": f"{exact:f}", "currency": currency}


def multiply(price: JsonObject, quantity: int) -> JsonObject:
    """Return ``quantity`` times ``price``."""
    return money(Decimal(price["amount"]) * quantity, price["currency"])


def add(amounts: list[JsonObject]) -> JsonObject:
    """Return the sum; raises ``ValueError`` for no amounts or for a sum over two currencies."""
    currencies = sorted({a["currency"] for a in amounts})
    if len(currencies) != 1:
        msg = f"cannot add amounts in {currencies or 'no currency'}"
        raise ValueError(msg)
    return money(sum((Decimal(a["amount"]) for a in amounts), Decimal(0)), currencies[0])
