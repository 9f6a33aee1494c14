"""Converters between one value of a system and one canonical value, both ways.

A converter is named in ``mapping.yaml``; it has no conditions and sees nothing but its value.
Each raises ``ValueError`` with the reason when a value does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.canonical.money import money, read_decimal
from harness.model.instants import from_text, to_text
from harness.model.values import Json


@dataclass(frozen=True, slots=True)
class Converter:
    """Two functions: into the canonical value and back out of it."""

    read: Callable[[Json], Json]
    write: Callable[[Json], Json]


def _text(value: Json) -> Json:
    if isinstance(value, bool) or not isinstance(value, str | int):
        msg = f"{value!r} is no text"
        raise ValueError(msg)
    return str(value)


def _integer(value: Json) -> Json:
    number = read_decimal(value)
    if number != number.to_integral_value():
        msg = f"{value!r} is no whole number"
        raise ValueError(msg)
    return int(number)


def _decimal(value: Json) -> Json:
    return f"{read_decimal(value):f}"


def _number(value: Json) -> Json:
    # The shortest spelling of a double gives back up to fifteen digits, more than prices have.
    number = read_decimal(value)
    if read_decimal(float(number)) != number:
        msg = f"{value!r} cannot be carried by a JSON number"
        raise ValueError(msg)
    return float(number)


def _instant(value: Json) -> Json:
    if not isinstance(value, str):
        msg = f"{value!r} is no instant"
        raise ValueError(msg)
    return to_text(from_text(value))


def _boolean(value: Json) -> Json:
    if not isinstance(value, bool):
        msg = f"{value!r} is neither true nor false"
        raise ValueError(msg)
    return value


def _read_boolean_text(value: Json) -> Json:
    known = {"true": True, "false": False}
    if not isinstance(value, str) or value.lower() not in known:
        msg = f"{value!r} is neither 'true' nor 'false'"
        raise ValueError(msg)
    return known[value.lower()]


def _same(value: Json) -> Json:
    return value


CONVERTERS: Mapping[str, Converter] = {
    "as_is": Converter(_same, _same),
    "text": Converter(_text, _text),
    "integer": Converter(_integer, _integer),
    "integer_text": Converter(_integer, lambda value: str(_integer(value))),
    "decimal": Converter(_decimal, _decimal),
    "number": Converter(_decimal, _number),
    "instant": Converter(_instant, _instant),
    "boolean": Converter(_boolean, _boolean),
    "boolean_text": Converter(_read_boolean_text, lambda v: "true" if _boolean(v) else "false"),
}


def read_money(value: Json, amount: str, currency: str) -> Json:
    """Return canonical money from an object with these two members."""
    if not isinstance(value, Mapping) or amount not in value or currency not in value:
        msg = f"no money with members {amount} and {currency}"
        raise ValueError(msg)
    return money(value[amount], value[currency])


def write_money(value: Json, amount: str, currency: str) -> Json:
    """Undo :func:`read_money`."""
    return {amount: value["amount"], currency: value["currency"]}
