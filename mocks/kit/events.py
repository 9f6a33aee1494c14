"""Events: who subscribed to what, and what is to be delivered.

A simulator subscribes and publishes here, in handlers or when the outside world acts; it never
sends. :mod:`mocks.kit.event_delivery` takes what is due and delivers it, with the manners that
``events`` of ``behaviour.yaml`` declares.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.errors import MetadataError
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import SECOND_US
from harness.model.ports import Randomness, Streams
from harness.model.values import Json, JsonObject
from mocks.kit.calls import Answer, AskFirst, RefusalKind, Refused

OUTBOX_MAX = 10_000
ACTIVE, PENDING, DISABLED = "active", "pending", "disabled"


@dataclass(slots=True)
class Subscription:
    """One wish to be told. ``secret`` signs its deliveries where the vendor signs per subscription.

    ``facts`` keeps what the vendor's own shape needs (format, filter, client state, ...).
    """

    id: str
    account: str
    topic: str
    url: str
    created_us: int
    expires_us: int | None
    secret: str
    state: str = ACTIVE
    failures: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery as its body may show it; ``number`` counts from 1."""

    event_id: str
    delivery_id: str
    topic: str
    account: str
    subscription: Subscription
    number: int
    happened_us: int
    sent_us: int


Body = Json | Callable[[Attempt], Json]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for one subscription. ``body`` is as the vendor words it."""

    id: str
    topic: str
    account: str
    body: Body
    happened_us: int
    subscription: Subscription


@dataclass(frozen=True, slots=True)
class EventManners:
    """How a system delivers; see ``events`` in ``contracts/README.md``. Times in milliseconds."""

    topics: Mapping[str, str | None] = field(default_factory=dict)  # topic to contract address
    delay_ms: Any = 0
    timeout_ms: int = 5000
    success: tuple[str, ...] = ("2XX",)
    retries_ms: tuple[int, ...] = ()
    retry_on: tuple[str, ...] = ()  # empty: every failure; else statuses, timeout, unreachable
    remove_after_failures: int | None = None
    remove_on_other: bool = False  # a failure that is not retried ends the subscription
    duplicate_share: float = 0.0
    loss_share: float = 0.0
    disorder_share: float = 0.0
    disorder_ms: Any = 0
    subscription_seconds: int | None = None
    subscriptions_max: int | None = None
    one_per_topic_and_url: bool = False
    handshake: Mapping[str, Any] = field(default_factory=dict)
    signature: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    envelope: str = "none"


def read_manners(behaviour: JsonObject) -> EventManners | None:
    """Return the declared manners, ``None`` when a system sends no events."""
    rules: Mapping[str, Any] | None = behaviour.get("events")
    if rules is None:
        return None
    remove = rules.get("remove") or {}
    disorder = rules.get("disorder") or {}
    return EventManners(
        topics={str(t["topic"]): t.get("contract") for t in rules["topics"]},
        delay_ms=rules.get("delay_ms", 0),
        timeout_ms=int(rules.get("timeout_ms", 5000)),
        success=tuple(rules.get("success", ("2XX",))),
        retries_ms=tuple(rules.get("retries_ms", ())),
        retry_on=tuple(rules.get("retry_on", ())),
        remove_after_failures=remove.get("after_failures"),
        remove_on_other=bool(remove.get("on_other_failures", False)),
        duplicate_share=float(rules.get("duplicate_share", 0)),
        loss_share=float(rules.get("loss_share", 0)),
        disorder_share=float(disorder.get("share", 0)),
        disorder_ms=disorder.get("delay_ms", 0),
        subscription_seconds=rules.get("subscription_seconds"),
        subscriptions_max=rules.get("subscriptions_max"),
        one_per_topic_and_url=bool(rules.get("one_per_topic_and_url", False)),
        handshake=rules.get("handshake") or {},
        signature=rules.get("signature") or {},
        headers=rules.get("headers") or {},
        envelope=str(rules.get("envelope", "none")),
    )


class EventDesk:
    """The subscriptions of one system and its outbox."""

    def __init__(self, behaviour: JsonObject, streams: Streams, system: str) -> None:
        """Read ``events``; without it nothing can be subscribed and nothing is sent."""
        self.manners = read_manners(behaviour)
        self.outbox: deque[Event] = deque()
        self.wake: Callable[[], None] = _nothing
        self._streams = streams
        self._system = system
        self._drawn: Randomness | None = None
        self._subscriptions: dict[str, Subscription] = {}

    @property
    def chance(self) -> Randomness:
        """Return the stream of ids and delays."""
        if self._drawn is None:
            self._drawn = self._streams.stream(f"events/{self._system}")
        return self._drawn

    def new_id(self) -> str:
        """Return an id in the form of a UUID, drawn from the seed."""
        text = "".join(format(self.chance.randrange(0, 16), "x") for _ in range(32))
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    # -- subscriptions ---------------------------------------------------------------------------

    def subscribe(
        self, account: str, topic: str, url: str, now_us: int, *, secret: str = "", **facts: Any
    ) -> Subscription:
        """Take a subscription in.

        Raises ``Refused``: INVALID for an unknown topic or more than allowed
        (``events.topic``, ``events.too_many``), CONFLICT for one that exists (``events.exists``).
        """
        manners = self._declared()
        if topic not in manners.topics:
            known = ", ".join(manners.topics)
            msg = f"there is no topic {topic!r}; known: {known}"
            raise Refused(RefusalKind.INVALID, msg, reason="events.topic")
        mine = self.subscriptions(account, now_us)
        if manners.one_per_topic_and_url and any((s.topic, s.url) == (topic, url) for s in mine):
            msg = f"a subscription of {topic} to this address exists"
            raise Refused(RefusalKind.CONFLICT, msg, reason="events.exists")
        if manners.subscriptions_max is not None and len(mine) >= manners.subscriptions_max:
            msg = f"an account has {manners.subscriptions_max} subscriptions at most"
            raise Refused(RefusalKind.INVALID, msg, reason="events.too_many")
        made = Subscription(
            self.new_id(), account, topic, url, now_us, self._until(now_us), secret, facts=facts
        )
        self._subscriptions[made.id] = made
        return made

    def _declared(self) -> EventManners:
        if self.manners is None:
            msg = f"{self._system} publishes events but its behaviour.yaml declares none."
            raise MetadataError(msg, remedy="Add 'events' to behaviour.yaml.")
        return self.manners

    def _until(self, now_us: int) -> int | None:
        seconds = self._declared().subscription_seconds
        return None if seconds is None else now_us + seconds * SECOND_US

    def subscriptions(self, account: str, now_us: int) -> list[Subscription]:
        """Return the subscriptions of one account that have not expired, oldest first."""
        return [
            s
            for s in self._subscriptions.values()
            if s.account == account and (s.expires_us is None or now_us < s.expires_us)
        ]

    def find(self, account: str, subscription_id: str, now_us: int) -> Subscription:
        """Return one subscription; raises ``Refused`` NOT_FOUND."""
        for subscription in self.subscriptions(account, now_us):
            if subscription.id == subscription_id:
                return subscription
        msg = f"there is no subscription {subscription_id!r}"
        raise Refused(RefusalKind.NOT_FOUND, msg, reason="events.subscription")

    def renew(self, subscription: Subscription, now_us: int) -> None:
        """Let a subscription live for another full time."""
        subscription.expires_us = self._until(now_us)

    def remove(self, subscription_id: str) -> None:
        """End a subscription; what is on its way is still delivered."""
        self._subscriptions.pop(subscription_id, None)

    def is_alive(self, subscription: Subscription) -> bool:
        """Say whether a subscription has not been removed."""
        return subscription.id in self._subscriptions

    def verify(
        self,
        subscription: Subscription,
        then: Callable[[bool], Answer],
        *,
        token: str = "",
    ) -> AskFirst | Answer:
        """Do the declared handshake with a subscriber before answering.

        A handler returns what this returns; ``then`` is told whether the subscriber passed. A
        subscription that fails is removed. ``token`` is the secret a challenge is hashed with.
        """
        rules = self._declared().handshake
        kind = str(rules.get("kind", "none"))
        if kind == "none":
            return then(True)  # noqa: FBT003 - the one thing a handshake says
        challenge = self.new_id()
        wanted = challenge
        if kind == "challenge_sha256":
            text = f"{challenge}{token}{subscription.url}"
            wanted = hashlib.sha256(text.encode()).hexdigest()
        name = str(rules["parameter"])
        request = _challenge(str(rules.get("method", "GET")), subscription.url, name, challenge)
        subscription.state = PENDING

        def judge(reply: HttpResponse | None) -> Answer:
            passed = reply is not None and reply.status == 200
            passed = passed and reply is not None and _reply(rules, reply) == wanted
            if passed:
                subscription.state = ACTIVE
            else:
                self.remove(subscription.id)
            return then(passed)

        return AskFirst(
            subscription.url, request, float(rules.get("timeout_ms", 5000)) / 1000, judge
        )

    # -- what happens ----------------------------------------------------------------------------

    def publish(self, topic: str, account: str, body: Body, now_us: int) -> str | None:
        """Tell every subscription of this account and topic; return the event's id.

        ``body`` may be a function of the attempt, for vendors that count attempts in the body.
        Does nothing, and returns ``None``, where no events are declared. Raises ``OverflowError``
        when far too many wait outside a running loop: losing them in silence would be a lie.
        """
        if self.manners is None:
            return None
        wanted = [
            s for s in self.subscriptions(account, now_us) if s.topic == topic and s.state == ACTIVE
        ]
        if not wanted:
            return None
        event_id = self.new_id()
        for subscription in wanted:
            if len(self.outbox) >= OUTBOX_MAX:
                msg = f"{OUTBOX_MAX} events wait and nobody delivers them"
                raise OverflowError(msg)
            self.outbox.append(Event(event_id, topic, account, body, now_us, subscription))
        self.wake()
        return event_id


def _nothing() -> None:
    """Nobody delivers yet: events wait in the outbox."""


def _challenge(method: str, url: str, name: str, challenge: str) -> HttpRequest:
    target = "/" + url.partition("://")[2].partition("/")[2]
    request = HttpRequest.from_target(method, target)
    return HttpRequest(method, request.path, (*request.query, (name, challenge)))


def _reply(rules: Mapping[str, Any], reply: HttpResponse) -> Any:
    member = rules.get("reply")
    if member is None:
        return reply.body.decode("utf-8", "replace").strip()
    try:
        value = reply.json()
    except (ValueError, RecursionError):
        return None
    return value.get(member) if isinstance(value, dict) else None
