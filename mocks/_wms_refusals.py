"""What the warehouse refuses of its own accord, and the code it gives each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from harness.model.values import Json
from mocks.kit.calls import RefusalKind, Refused

_QUANTITY_MAX = 1_000_000_000

T = TypeVar("T")


class Problem(StrEnum):
    """The codes in error answers, beside the general ones of each status."""

    DUPLICATE_LINE = "DUPLICATE_LINE"
    DUPLICATE_REFERENCE = "DUPLICATE_REFERENCE"
    MORE_THAN_ANNOUNCED = "MORE_THAN_ANNOUNCED"
    MORE_THAN_ORDERED = "MORE_THAN_ORDERED"
    NOTHING_TO_CANCEL = "NOTHING_TO_CANCEL"
    NOT_PICKED = "NOT_PICKED"
    NOT_SHIPPED = "NOT_SHIPPED"
    NOT_SHORT = "NOT_SHORT"
    ORDER_ON_HOLD = "ORDER_ON_HOLD"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    RESERVATION_NOT_HELD = "RESERVATION_NOT_HELD"
    RESERVATION_USED = "RESERVATION_USED"
    UNKNOWN_LINE = "UNKNOWN_LINE"
    UNKNOWN_LOCATION = "UNKNOWN_LOCATION"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"
    UNKNOWN_SKU = "UNKNOWN_SKU"
    VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
    VERSION_ENDED = "VERSION_ENDED"
    WRONG_DISPOSITION = "WRONG_DISPOSITION"
    WRONG_URL = "WRONG_URL"


def unprocessable(problem: Problem, explanation: str) -> Refused:
    """Return the refusal of a value that is well formed and wrong all the same (422)."""
    return Refused(RefusalKind.INVALID, explanation, code=problem.value, status=422)


def conflict(problem: Problem, explanation: str) -> Refused:
    """Return the refusal of what the state of things does not allow (409)."""
    return Refused(RefusalKind.CONFLICT, explanation, code=problem.value)


def known(records: Mapping[str, T], named: str, what: str) -> T:
    """Return the record of an id; refuses with 404 an id that nothing has."""
    found = records.get(named)
    if found is None:
        raise Refused(RefusalKind.NOT_FOUND, f"There is no {what} {named!r}.")
    return found


def whole(value: Json, name: str) -> int:
    """Return a whole number within a milliard either way; refuses anything else with 422."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or abs(value) > _QUANTITY_MAX or value != int(value):
        msg = f"{name} must be a whole number up to {_QUANTITY_MAX}."
        raise unprocessable(Problem.VALUE_OUT_OF_RANGE, msg)
    return int(value)
