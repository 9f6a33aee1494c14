"""Idempotency keys: what a repeated request gets, and for how long.

Declared per operation under ``idempotency`` of ``behaviour.yaml``. Where nothing is declared, or
``none``, a repeat does its work again: real duplicates, as real systems make them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.model.exchange import HttpRequest
from harness.model.instants import SECOND_US
from harness.model.values import Json, JsonObject, fingerprint, pointer_tokens, walk
from mocks.kit.calls import Answer, RefusalKind, Refused

KEY_LENGTH_MAX = 255
KEYS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How one operation takes keys. ``header`` or ``pointer`` (into the body) says where.

    ``on_repeat``: ``replay`` the first answer, ``rebuild`` it (the handler is told and answers
    from what is there now), or ``refuse``. ``only_with`` is a header the key needs to count.
    """

    header: str | None
    pointer: str | None
    seconds: int
    on_repeat: str = "replay"
    required: bool = False
    compares: bool = True  # another payload under the same key is refused
    only_with: tuple[str, str] | None = None
    per_operation: bool = True  # else one key serves all operations of an account

    def key(self, request: HttpRequest, body: Json) -> str | None:
        """Return the key of a request; raises ``Refused`` where one is required or too long."""
        if self.only_with is not None:
            name, value = self.only_with
            given = (request.header(name) or "").split(",")
            if value not in [text.strip().lower() for text in given]:
                return None
        key = request.header(self.header) if self.header is not None else self._in(body)
        if key is None or key == "":
            if self.required:
                msg = f"the request has no idempotency key ({self.header or self.pointer})"
                raise Refused(RefusalKind.INVALID, msg, reason="idempotency.missing")
            return None
        if len(key) > KEY_LENGTH_MAX:
            msg = f"an idempotency key has {KEY_LENGTH_MAX} characters at most"
            raise Refused(RefusalKind.INVALID, msg, reason="idempotency.key")
        return key

    def _in(self, body: Json) -> str | None:
        try:
            value = walk(body, pointer_tokens(self.pointer or ""))
        except LookupError:
            return None
        return value if isinstance(value, str) else None


def key_rule(behaviour: JsonObject, settings: Mapping[str, Any], address: str) -> KeyRule | None:
    """Return the rule of one operation; the setting ``idempotency_key_seconds`` overrides."""
    for entry in behaviour.get("idempotency", ()):
        if entry["kind"] not in ("header", "body"):
            continue
        if address in entry["operations"] or "*" in entry["operations"]:
            only = entry.get("only_with")
            header = entry.get("header")
            seconds = settings.get("idempotency_key_seconds", entry.get("seconds", 86_400))
            return KeyRule(
                header=str(header).lower() if header is not None else None,
                pointer=entry.get("pointer"),
                seconds=int(seconds),
                on_repeat=str(entry.get("on_repeat", "replay")),
                required=bool(settings.get("idempotency_required", entry.get("required", False))),
                compares=bool(entry.get("compares_payload", True)),
                only_with=(only["header"], str(only["value"]).lower()) if only else None,
                per_operation=entry.get("scope", "operation") == "operation",
            )
    return None


@dataclass(slots=True, eq=False)
class _Seen:
    payload: str
    first_us: int
    answer: Answer | None = None


class Ticket:
    """One request, under a key when ``keyed``. ``repeat``: the handler rebuilds the answer."""

    def __init__(self, forget: Callable[[], None], seen: _Seen | None, *, repeat: bool) -> None:
        """Keep what to do when the request ends."""
        self.keyed = repeat or seen is not None
        self.repeat = repeat
        self._forget = forget
        self._seen = seen

    def done(self, answer: Answer) -> None:
        """Remember the answer; what failed on our side may be tried again under its key."""
        if self._seen is None:
            return
        if answer.status >= 500:
            self._forget()
        elif self._seen.answer is None:
            self._seen.answer = answer
        self._seen = None

    def given_up(self) -> None:
        """Forget the key of a request that came to no answer; a no-op after :meth:`done`."""
        if self._seen is not None and self._seen.answer is None:
            self._forget()
        self._seen = None


NO_TICKET = Ticket(lambda: None, None, repeat=False)


class Repeated(Exception):
    """The request is a repeat; carries the answer the first one got."""

    def __init__(self, answer: Answer) -> None:
        """Keep the answer to send again."""
        super().__init__("repeated")
        self.answer = answer


class IdempotencyKeys:
    """The keys one system remembers."""

    def __init__(self, behaviour: JsonObject, settings: Mapping[str, Any]) -> None:
        """Read ``idempotency``; settings are looked up when a rule is first needed."""
        self._behaviour = behaviour
        self._settings = settings
        self._rules: dict[str, KeyRule | None] = {}
        self._seen: dict[tuple[str, str, str], _Seen] = {}

    def rule(self, address: str) -> KeyRule | None:
        """Return the rule of one operation, ``None`` where keys mean nothing."""
        if address not in self._rules:
            self._rules[address] = key_rule(self._behaviour, self._settings, address)
        return self._rules[address]

    def reread(self) -> None:
        """Read the rules again: a setting has changed."""
        self._rules.clear()

    def open(
        self, address: str, account: str, request: HttpRequest, body: Json, now_us: int
    ) -> Ticket:
        """Register a request before its work begins.

        Raises :class:`Repeated` with the first answer, or ``Refused`` CONFLICT
        (``idempotency.in_flight``, ``idempotency.mismatch``, ``idempotency.repeat``).
        """
        rule = self.rule(address)
        key = rule.key(request, body) if rule is not None else None
        if rule is None or key is None:
            return NO_TICKET
        name = (address if rule.per_operation else "", account, key)
        payload = fingerprint(request.path, list(request.query), request.body.hex())
        seen = self._seen.get(name)
        if seen is not None and now_us - seen.first_us >= rule.seconds * SECOND_US:
            seen = None
        if seen is None:
            seen = self._seen[name] = _Seen(payload, now_us)
            if len(self._seen) > KEYS_MAX:
                self._seen.pop(next(iter(self._seen)))
            return Ticket(lambda: self._forget(name), seen, repeat=False)
        return self._again(rule, seen, payload)

    def _forget(self, name: tuple[str, str, str]) -> None:
        self._seen.pop(name, None)

    @staticmethod
    def _again(rule: KeyRule, seen: _Seen, payload: str) -> Ticket:
        if rule.compares and seen.payload != payload:
            msg = "this idempotency key was used with another request"
            raise Refused(RefusalKind.CONFLICT, msg, reason="idempotency.mismatch")
        if seen.answer is None:
            msg = "a request with this idempotency key is being worked on"
            raise Refused(RefusalKind.CONFLICT, msg, reason="idempotency.in_flight")
        if rule.on_repeat == "refuse":
            msg = "a request with this idempotency key was answered before"
            raise Refused(RefusalKind.CONFLICT, msg, reason="idempotency.repeat", first=seen.answer)
        if rule.on_repeat == "replay":
            raise Repeated(seen.answer)
        return Ticket(lambda: None, None, repeat=True)
