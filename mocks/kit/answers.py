"""How the kit words what it answers: explanations, outcomes for the books, bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from harness.model.values import Json
from mocks.kit.calls import Answer, RefusalKind

EXPLAIN_HEADER = "x-driftgate-explain"
_EXPLANATION_LENGTH_MAX = 600
# Members keep the order the simulator gave them: sorting each answer costs more than it shows.
# Bodies are built anew for each answer and hold no cycles worth looking for.
_ENCODER = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)
OUTCOMES: Mapping[RefusalKind, str] = {
    RefusalKind.UNKNOWN_PATH: "unknown",
    RefusalKind.METHOD_NOT_ALLOWED: "unknown",
    RefusalKind.UNAUTHENTICATED: "unauthenticated",
    RefusalKind.TOKEN_EXPIRED: "unauthenticated",
    RefusalKind.FORBIDDEN: "unauthenticated",
    RefusalKind.THROTTLED: "throttled",
    RefusalKind.INVALID: "invalid",
    RefusalKind.UNSUPPORTED_MEDIA_TYPE: "invalid",
    RefusalKind.TOO_LARGE: "invalid",
    RefusalKind.NOT_FOUND: "answered",
    RefusalKind.CONFLICT: "answered",
    RefusalKind.PRECONDITION_FAILED: "answered",
    RefusalKind.UNAVAILABLE: "unavailable",
    RefusalKind.INTERNAL: "failed",
}
HTML_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>\n"


def encode_json(body: Json) -> bytes:
    """Return a body as compact UTF-8; raises for what JSON cannot carry."""
    return _ENCODER.encode(body).encode()


def explained(answer: Answer, explanation: str) -> Answer:
    """Put the explanation into a header, safe for any header writer."""
    text = explanation.encode("ascii", "backslashreplace").decode()
    text = "".join(c if " " <= c <= "~" else " " for c in text)[:_EXPLANATION_LENGTH_MAX]
    return replace(answer, headers=(*answer.headers, (EXPLAIN_HEADER, text)))
