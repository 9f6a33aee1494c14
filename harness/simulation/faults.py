"""The fault vocabulary, where each fault strikes, and the plan that decides when.

A rule looks at one call and returns a verdict. Chance is a hash of (rule, operation, account, nth
call), so that one more call to one operation never changes what happens to another.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.model.errors import MetadataError
from harness.model.ports import Streams


class Stage(StrEnum):
    """The places at a simulator's edge where a fault can strike, in the order of one call."""

    CONNECT = "connect"
    BEFORE_AUTHENTICATION = "before_authentication"
    BEFORE_THROTTLING = "before_throttling"
    BEFORE_EFFECT = "before_effect"
    AFTER_EFFECT = "after_effect"
    HEADERS = "headers"
    RESPONSE = "response"
    BYTES = "bytes"
    EVENT = "event"


class FaultKind(StrEnum):
    """What can go wrong. The text is a stable name: scenarios and reports use it."""

    CONNECTION_REFUSED = "connection.refused"  # certainly no effect
    CONNECTION_RESET = "connection.reset"  # no effect, but the client cannot know
    ANSWER_LOST_AFTER_COMMIT = "answer.lost_after_commit"
    ANSWER_DELAYED = "answer.delayed"  # parameters: delay_ms (number or [least, most])
    ERROR_UNAVAILABLE = "error.unavailable"  # 503; parameters: status
    ERROR_INTERNAL = "error.internal"  # 500, no effect unless struck after_effect
    THROTTLE_SQUEEZE = "throttle.squeeze"  # a condition; per call: this call is throttled
    BODY_TRUNCATED = "body.truncated"  # parameters: share of the body kept
    BODY_HTML = "body.html"  # a proxy's error page in place of JSON; parameters: status
    TOKEN_EXPIRED = "token.expired"  # noqa: S105 - a kind of fault, not a secret
    REQUEST_EXECUTED_TWICE = "request.executed_twice"  # parameters: answer (first or second)
    HEADER_LIES = "header.lies"  # quota headers show this factor of the truth; parameters: factor
    EVENT_LOST = "event.lost"  # never sent, though subscribed
    EVENT_DUPLICATED = "event.duplicated"  # sent once more after delay_ms
    EVENT_DELAYED = "event.delayed"  # overtaken by later ones; parameters: delay_ms
    EVENT_FORGED = "event.forged"  # sent with a signature that does not fit


# The first stage is where the fault strikes unless the rule names another allowed one.
STAGES: Mapping[FaultKind, tuple[Stage, ...]] = {
    FaultKind.CONNECTION_REFUSED: (Stage.CONNECT,),
    FaultKind.CONNECTION_RESET: (Stage.BEFORE_EFFECT,),
    FaultKind.ANSWER_LOST_AFTER_COMMIT: (Stage.AFTER_EFFECT,),
    FaultKind.ANSWER_DELAYED: (Stage.RESPONSE,),
    FaultKind.ERROR_UNAVAILABLE: (
        Stage.BEFORE_AUTHENTICATION,
        Stage.BEFORE_EFFECT,
        Stage.AFTER_EFFECT,
    ),
    FaultKind.ERROR_INTERNAL: (Stage.BEFORE_EFFECT, Stage.AFTER_EFFECT),
    FaultKind.THROTTLE_SQUEEZE: (Stage.BEFORE_THROTTLING,),
    FaultKind.BODY_TRUNCATED: (Stage.BYTES,),
    FaultKind.BODY_HTML: (Stage.RESPONSE,),
    FaultKind.TOKEN_EXPIRED: (Stage.BEFORE_AUTHENTICATION,),
    FaultKind.REQUEST_EXECUTED_TWICE: (Stage.BEFORE_EFFECT,),
    FaultKind.HEADER_LIES: (Stage.HEADERS,),
    FaultKind.EVENT_LOST: (Stage.EVENT,),
    FaultKind.EVENT_DUPLICATED: (Stage.EVENT,),
    FaultKind.EVENT_DELAYED: (Stage.EVENT,),
    FaultKind.EVENT_FORGED: (Stage.EVENT,),
}

# Kinds that a scenario may also switch on as a lasting state of the system.
CONDITIONS = frozenset({FaultKind.THROTTLE_SQUEEZE, FaultKind.TOKEN_EXPIRED})


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Which call this is: ``operation`` is its address, ``nth`` counts from 1 per operation.

    Where a system has several accounts, ``nth`` counts per account as well and ``shared`` is
    false. An event's address is ``events#`` and its topic.
    """

    system: str
    operation: str
    account: str | None
    nth: int
    region: str | None = None
    shared: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that strikes now. ``rule`` is the index of the rule that decided."""

    kind: FaultKind
    rule: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FaultRule:
    """When a fault strikes.

    ``operations`` holds addresses (``record/v1#upsertSalesOrder``), bare operation ids, ``token``
    for the token endpoint, a topic for events, or ``*``. ``accounts`` and ``regions`` narrow the
    rule to some of them; empty means all. ``from_us`` and ``until_us`` are UTC microseconds, the
    end excluded. ``nth`` picks one call per operation and then chance plays no part.
    """

    kind: FaultKind
    system: str = "*"
    operations: tuple[str, ...] = ("*",)
    probability: float = 1.0
    max_count: int | None = None
    from_us: int | None = None
    until_us: int | None = None
    nth: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stage: Stage | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what can never strike."""
        if self.stage is not None and self.stage not in STAGES[self.kind]:
            allowed = ", ".join(STAGES[self.kind])
            msg = f"{self.kind} cannot strike at stage {self.stage}."
            raise MetadataError(msg, remedy=f"Use one of: {allowed}.")
        if not 0.0 <= self.probability <= 1.0:
            msg = f"the probability of {self.kind} is {self.probability}."
            raise MetadataError(msg, remedy="Give a number from 0 to 1.")

    @property
    def strikes_at(self) -> Stage:
        """Return the stage of this rule."""
        return self.stage or STAGES[self.kind][0]

    def covers(self, call: CallIdentity, now_us: int) -> bool:
        """Say whether this call, now, is one the rule is about; chance and counts aside."""
        if self.from_us is not None and now_us < self.from_us:
            return False
        if self.until_us is not None and now_us >= self.until_us:
            return False
        if self.nth is not None and call.nth != self.nth:
            return False
        if self.accounts and call.account not in self.accounts:
            return False
        if self.regions and call.region not in self.regions:
            return False
        return any(
            wanted in ("*", call.operation) or call.operation.endswith(f"#{wanted}")
            for wanted in self.operations
        )


class FaultPlan:
    """Decides for every call at every stage, the same way in every run of one seed.

    ``fired`` counts by kind, ``fired_by_rule`` by index of the rule: a run in which nothing fired
    proved nothing.
    """

    def __init__(self, rules: Iterable[FaultRule] = (), streams: Streams | None = None) -> None:
        """Keep the rules in order; ``streams`` is needed when any rule leaves it to chance."""
        self.rules = tuple(rules)
        self.fired: Counter[FaultKind] = Counter()
        self.fired_by_rule: Counter[int] = Counter()
        self._by_stage: dict[Stage, list[tuple[int, FaultRule, str]]] = {}
        seen: Counter[str] = Counter()
        for index, rule in enumerate(self.rules):
            purpose = f"faults/{rule.system}/{rule.kind}/{','.join(rule.operations)}"
            if rule.accounts or rule.regions:
                purpose += f"/{','.join(rule.accounts)}@{','.join(rule.regions)}"
            seen[purpose] += 1
            salt = _salt(streams, f"{purpose}/{seen[purpose]}", rule)
            self._by_stage.setdefault(rule.strikes_at, []).append((index, rule, salt))

    def decide(self, stage: Stage, call: CallIdentity, now_us: int) -> Fault | None:
        """Return the fault that strikes this call at this stage, ``None`` for none.

        The first rule that says yes wins. Asking counts: ask once per call and stage.
        """
        rules = self._by_stage.get(stage)
        if rules is None:
            return None
        for index, rule, salt in rules:
            if rule.system not in ("*", call.system) or not rule.covers(call, now_us):
                continue
            if rule.max_count is not None and self.fired_by_rule[index] >= rule.max_count:
                continue
            if rule.nth is None and not _chance(rule.probability, salt, call):
                continue
            self.fired[rule.kind] += 1
            self.fired_by_rule[index] += 1
            return Fault(rule.kind, index, rule.parameters)
        return None


def _salt(streams: Streams | None, purpose: str, rule: FaultRule) -> str:
    if streams is not None:
        return format(streams.stream(purpose).randrange(0, 2**64), "x")
    if rule.nth is None and rule.probability < 1.0:
        msg = f"{rule.kind} has probability {rule.probability} but the plan has no streams."
        raise MetadataError(msg, remedy="Pass FaultPlan(rules, streams).")
    return ""


def _chance(probability: float, salt: str, call: CallIdentity) -> bool:
    if probability >= 1.0:
        return True
    text = f"{salt}|{call.system}|{call.operation}|{call.nth}"
    if not call.shared:
        text += f"|{call.account}"
    drawn = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return drawn < int(probability * 2**64)
