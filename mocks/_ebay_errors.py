"""How each service of the vendor words a refusal: one error list, and an older one for post-order.

An answer's domain and ids depend on the service that was called, so the path decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mocks.kit.calls import Answer, RefusalKind, Refused

POST_ORDER = "/post-order/"
_STATUS: Mapping[RefusalKind, int] = {
    RefusalKind.UNKNOWN_PATH: 404,
    RefusalKind.METHOD_NOT_ALLOWED: 405,
    RefusalKind.UNAUTHENTICATED: 401,
    RefusalKind.TOKEN_EXPIRED: 401,
    RefusalKind.FORBIDDEN: 403,
    RefusalKind.THROTTLED: 429,
    RefusalKind.INVALID: 400,
    RefusalKind.UNSUPPORTED_MEDIA_TYPE: 415,
    RefusalKind.TOO_LARGE: 413,
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.CONFLICT: 409,
    RefusalKind.PRECONDITION_FAILED: 412,
    RefusalKind.UNAVAILABLE: 503,
    RefusalKind.INTERNAL: 500,
}
_MISSING = (RefusalKind.NOT_FOUND, RefusalKind.UNKNOWN_PATH)
_FAILED = (RefusalKind.UNAVAILABLE, RefusalKind.INTERNAL)
_TOKEN = (RefusalKind.UNAUTHENTICATED, RefusalKind.TOKEN_EXPIRED)
# Whatever the service: kind of refusal, then id, domain and message.
_SHARED: Mapping[RefusalKind, tuple[int, str, str]] = {
    RefusalKind.UNAUTHENTICATED: (1001, "OAuth", "Invalid access token"),
    RefusalKind.TOKEN_EXPIRED: (1001, "OAuth", "Invalid access token"),
    RefusalKind.FORBIDDEN: (1100, "ACCESS", "Access denied"),
    RefusalKind.THROTTLED: (2001, "ACCESS", "Too many requests."),
}


@dataclass(frozen=True, slots=True)
class Service:
    """One service: where it lives, and the ids of its own refusals."""

    prefix: str
    domain: str
    invalid: int
    missing: int
    failed: int
    conflict: int


_SERVICES = (
    Service("/sell/fulfillment/", "API_FULFILLMENT", 30700, 32100, 30500, 32300),
    Service("/sell/inventory/", "API_INVENTORY", 25709, 25710, 25001, 25002),
    Service("/sell/finances/", "API_FINANCES", 135001, 135002, 135000, 135001),
    Service("/commerce/notification/", "API_NOTIFICATION", 195001, 195004, 195000, 195009),
    Service("/developer/analytics/", "API_ANALYTICS", 112001, 112004, 112000, 112001),
)
_ANYWHERE = Service("/", "ACCESS", 2002, 2002, 2003, 2002)


def service_at(path: str) -> Service:
    """Return the service a path belongs to."""
    return next((s for s in _SERVICES if path.startswith(s.prefix)), _ANYWHERE)


def error_at(path: str, refused: Refused) -> Answer:
    """Return the refusal as the service at ``path`` words it."""
    status = refused.status or _STATUS[refused.kind]
    if path.startswith(POST_ORDER):
        body: dict[str, Any] = {"errorMessage": {"error": [_old_error(refused)]}}
    else:
        body = {"errors": [error(refused, service_at(path))]}
    return Answer(status, body, refused.headers)


def error(refused: Refused, service: Service) -> dict[str, Any]:
    """Return one member of the error list."""
    shared = _SHARED.get(refused.kind)
    if shared is not None:
        number, domain, message = shared
    else:
        number, domain, message = _own_id(refused, service), service.domain, refused.explanation
    return {
        "errorId": int(refused.code) if refused.code else number,
        "domain": domain,
        "category": _category(refused),
        "message": message,
        "longMessage": refused.explanation,
        "parameters": [{"name": "reason", "value": refused.reason or refused.kind.value}],
    }


def _own_id(refused: Refused, service: Service) -> int:
    if refused.kind in _MISSING:
        return service.missing
    if refused.kind in _FAILED:
        return service.failed
    return service.conflict if refused.kind is RefusalKind.CONFLICT else service.invalid


def _category(refused: Refused) -> str:
    if refused.kind in _FAILED:
        return "APPLICATION"
    return "BUSINESS" if refused.kind is RefusalKind.CONFLICT else "REQUEST"


def _old_error(refused: Refused) -> dict[str, Any]:
    number = 1617
    if refused.kind in _TOKEN:
        number = 1600
    elif refused.kind is RefusalKind.FORBIDDEN:
        number = 1601
    elif refused.kind in _MISSING:
        number = 1604
    elif refused.kind is RefusalKind.THROTTLED:
        number = 2001
    elif refused.kind in _FAILED:
        number = 1503 if refused.kind is RefusalKind.UNAVAILABLE else 1500
    return {
        "errorId": int(refused.code) if refused.code else number,
        "domain": "returnErrorDomain",
        "severity": "ERROR",
        "category": _category(refused),
        "message": refused.explanation,
    }
