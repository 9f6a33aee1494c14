"""Masks secrets and buyers' personal data before an exchange is written anywhere.

What counts as personal follows the field names the marketplaces use; the values of such fields
are replaced whole, because half a name is still a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.model.exchange import Headers
from harness.model.values import Json

MASK = "***"

_SECRET_HEADERS = re.compile(
    r"authorization|cookie|token|secret|signature|api[-_]?key|password|x-amz-access", re.IGNORECASE
)
# Names of JSON members, without separators, lower-case.
_PERSONAL = re.compile(
    r"^(buyer(name|email|info|phone|username|taxinfo|county)?|customer(name|email|phone)|email"
    r"|.*email(address)?|phone(number)?|.*phone(number)?|addressline[123]|address[12]"
    r"|addr[123]|addressee|street.*|name|firstname|lastname|fullname|recipientname"
    r"|contactname|companyname|postalcode|postcode|zip(code)?|city|county|attention"
    r"|municipality|district|deliverypreferences|taxid|vatnumber|birthdate)$"
)
_SECRET = re.compile(
    r"^(access|refresh|id|restricteddata)?token$|secret|password|apikey|clientassertion"
    r"|authorization|signature|privatekey"
)
# "name" and "city" are personal inside one of these, and ordinary words elsewhere.
_PERSON_PARENTS = re.compile(
    r"buyer|recipient|address|customer|shipto|billto|contact|entity|deliver|person", re.IGNORECASE
)
_AMBIGUOUS = frozenset({"name", "city", "county", "district", "municipality", "postalcode"})


def mask_headers(headers: Headers) -> dict[str, str]:
    """Return headers by name with secret-looking values replaced."""
    return {k: MASK if _SECRET_HEADERS.search(k) else v for k, v in headers}


def mask_json(value: Json, parent: str = "") -> Json:
    """Return a copy of ``value`` in which secrets and personal data read ``***``.

    Shape survives: objects stay objects and lists keep their length, so the copy still shows
    what drifted. ``parent`` is the member name above ``value``.
    """
    if isinstance(value, Mapping):
        return {k: _masked_member(str(k), v, parent) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [mask_json(v, parent) for v in value]
    return value


def _masked_member(name: str, value: Json, parent: str) -> Json:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if _SECRET.search(plain):
        return MASK
    if _PERSONAL.match(plain) and (plain not in _AMBIGUOUS or _PERSON_PARENTS.search(parent)):
        return _mask_leaves(value)
    return mask_json(value, f"{parent} {name}")


def _mask_leaves(value: Json) -> Json:
    """Mask every text and number below ``value``: drift may have wrapped what used to be text."""
    if isinstance(value, Mapping):
        return {k: _mask_leaves(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_leaves(v) for v in value]
    return MASK if value is not None else None
