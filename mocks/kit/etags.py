"""Versions of records: ETag, conditional reads (304) and guarded writes (412, or the vendor's).

Where ``etags`` of ``behaviour.yaml`` does not name an operation its conditional headers mean
nothing, as in systems that have none.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.exchange import HttpRequest
from harness.model.values import Json, JsonObject, fingerprint
from mocks.kit.calls import Answer, Call, RefusalKind, Refused


@dataclass(frozen=True, slots=True)
class EtagRule:
    """``if_match`` is ``required``, ``honoured`` or ``ignored``; reads may answer 304."""

    if_match: str = "ignored"
    not_modified: bool = False
    status: int | None = None  # of a write that came too late; 412 when nothing is said


def etag_of(value: Json, *, weak: bool = True) -> str:
    """Return the ETag of a record's present state: the same state, the same tag."""
    text = f'"{fingerprint("etag", value)}"'
    return f"W/{text}" if weak else text


class Etags:
    """The etag rules of one system."""

    def __init__(self, behaviour: JsonObject) -> None:
        """Read ``etags``."""
        self._rules: dict[str, EtagRule] = {}
        for entry in behaviour.get("etags", ()):
            rule = EtagRule(
                if_match=str(entry.get("if_match", "ignored")),
                not_modified=bool(entry.get("not_modified", False)),
                status=entry.get("status"),
            )
            self._rules.update(dict.fromkeys(entry["operations"], rule))
        self.declared = bool(self._rules)

    def rule(self, address: str) -> EtagRule | None:
        """Return the rule of one operation."""
        return self._rules.get(address) or self._rules.get("*")

    def guard(self, call: Call, current: str) -> None:
        """Let a write pass only if the client knows the record's ``current`` tag.

        Raises ``Refused`` PRECONDITION_FAILED (``etag.changed``) or INVALID (``etag.missing``).
        """
        rule = self.rule(call.address)
        if rule is None or rule.if_match == "ignored":
            return
        given = call.request.header("if-match")
        if given is None:
            if rule.if_match == "required":
                msg = "the If-Match header is required"
                raise Refused(RefusalKind.INVALID, msg, reason="etag.missing")
            return
        if not _matches(given, current):
            msg = "the record has changed since the client read it"
            raise Refused(
                RefusalKind.PRECONDITION_FAILED, msg, status=rule.status, reason="etag.changed"
            )

    def answered(self, address: str, request: HttpRequest, answer: Answer) -> Answer:
        """Return 304 in place of an answer the client has already, else the answer."""
        rule = self.rule(address)
        if rule is None or not rule.not_modified or answer.status != 200:
            return answer
        given = request.header("if-none-match")
        current = next((value for name, value in answer.headers if name == "etag"), None)
        if given is None or current is None or not _matches(given, current):
            return answer
        return Answer(304, None, (("etag", current),))


def _matches(given: str, current: str) -> bool:
    """Compare weakly (RFC 9110 section 8.8.3.2): systems here have weak tags and mean them."""
    wanted = current.removeprefix("W/")
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return "*" in tags or wanted in tags
