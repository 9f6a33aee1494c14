"""What was seen, before it is put into words: observations, and how they become findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from harness.conformance.rules import RULES
from harness.model.contract import Contract
from harness.model.exchange import Exchange
from harness.model.finding import (
    Category,
    Context,
    Direction,
    Evidence,
    Finding,
    Places,
    Proof,
    Sides,
    Verdict,
    Witness,
)
from harness.model.instants import to_text
from harness.model.masking import mask_headers, mask_json
from harness.model.values import Json, canonical_json, fingerprint

_SAMPLES_KEPT = 5
_LIST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose exchange it is; both parts go into the fingerprint."""

    system: str | None = None
    api: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One departure at one field of one operation, however many values show it.

    ``field`` has ``[]`` for every array index. ``pointer`` is into the contract. ``expected`` is
    what the contract says, ``samples`` are distinct masked values that were seen, ``values``
    counts all of them, ``exchanges`` the exchanges they came in.
    """

    rule: str
    operation: str
    direction: Direction
    field: str
    pointer: str
    expected: Json
    detail: str
    samples: tuple[Json, ...] = ()
    values: int = 1
    exchanges: int = 1
    evidence: Evidence | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what makes two observations the same departure."""
        return (self.operation, self.direction.value, self.rule, self.field)

    def merged(self, other: Observation, *, same_exchange: bool) -> Observation:
        """Return both as one; the first keeps its evidence, because it was seen first."""
        known = {canonical_json(s): s for s in (*self.samples, *other.samples)}
        return replace(
            self,
            samples=tuple(known.values())[:_SAMPLES_KEPT],
            values=self.values + other.values,
            exchanges=self.exchanges + (0 if same_exchange else other.exchanges),
        )


@dataclass(slots=True)
class Pile:
    """Collects observations by key in the order first seen."""

    by_key: dict[tuple[str, str, str, str], Observation] = field(default_factory=dict)

    def add(self, observations: Iterable[Observation], *, same_exchange: bool) -> None:
        """Merge ``observations`` into what is known."""
        for seen in observations:
            known = self.by_key.get(seen.key)
            self.by_key[seen.key] = (
                seen if known is None else known.merged(seen, same_exchange=same_exchange)
            )

    def all(self) -> tuple[Observation, ...]:
        """Return the observations in the order first seen."""
        return tuple(self.by_key.values())


def evidence_of(exchange: Exchange) -> Evidence:
    """Return the exchange as it may be shown to a vendor: masked, with its request id."""
    response = exchange.response
    request_id = next(
        (v for k, v in response.headers if k.replace("-", "").endswith(("requestid", "traceid"))),
        None,
    )
    request = exchange.request
    return Evidence(
        at="" if exchange.at_us is None else to_text(exchange.at_us),
        request={
            "method": request.method,
            "path": request.path,
            "query": mask_json(_pairs(request.query)),
            "headers": mask_headers(request.headers),
            "body": _masked_body(request.json, request.body),
        },
        response={
            "status": response.status,
            "headers": mask_headers(response.headers),
            "body": _masked_body(response.json, response.body),
        },
        request_id=request_id,
    )


def _pairs(query: tuple[tuple[str, str], ...]) -> dict[str, Json]:
    together: dict[str, Json] = {}
    for name, value in query:
        if name not in together:
            together[name] = value
        elif isinstance(together[name], list):
            together[name].append(value)
        else:
            together[name] = [together[name], value]
    return together


def _masked_body(parse: Callable[[], Json], body: bytes) -> Json:
    if not body:
        return None
    try:
        return _shortened(mask_json(parse()))
    except (ValueError, RecursionError):
        # Unknown text may hold anything, personal data included: say how much, not what.
        return f"({len(body)} bytes that are not JSON)"


def _shortened(value: Json) -> Json:
    """Keep the head of long lists: a case needs an example, not ten thousand orders."""
    if isinstance(value, dict):
        return {k: _shortened(v) for k, v in value.items()}
    if isinstance(value, list):
        kept = [_shortened(v) for v in value[:_LIST_SHOWN]]
        more = len(value) - _LIST_SHOWN
        return [*kept, f"(and {more} more)"] if more > 0 else kept
    return value


def findings_from(
    observations: Iterable[Observation],
    *,
    contract: Contract,
    subject: Subject,
    checked: Callable[[str], int] = lambda _operation: 1,
) -> tuple[Finding, ...]:
    """Put observations into words, worst first; ``checked`` counts exchanges per operation."""
    found = [_finding(o, contract, subject, checked(o.operation)) for o in observations]
    return tuple(
        sorted(
            found, key=lambda f: (f.verdict is not Verdict.BREAKING, f.operations, f.field, f.rule)
        )
    )


def _finding(seen: Observation, contract: Contract, subject: Subject, checked: int) -> Finding:
    rule = RULES[seen.rule]
    request = seen.direction is Direction.REQUEST
    breaking = rule.verdict is Verdict.BREAKING
    sample = seen.samples[0] if seen.samples else None
    pointer = seen.pointer or None
    return Finding(
        fingerprint=fingerprint(
            subject.system, subject.api, seen.operation, seen.direction.value, seen.rule, seen.field
        ),
        rule=seen.rule,
        category=Category.WIRE_REQUEST if request else Category.WIRE_RESPONSE,
        verdict=rule.verdict,
        message=_message(seen),
        direction=seen.direction,
        operations=(seen.operation,),
        pointer=Sides(old=pointer),
        field=seen.field,
        old=seen.expected,
        new=sample,
        proof=Proof.WITNESS,
        witness=Witness(sample) if breaking else None,
        severity=rule.severity,
        reason=rule.why,
        places=Places(old=contract.locate(pointer) if pointer else None),
        evidence=seen.evidence,
        context=Context(
            system=subject.system,
            api=subject.api,
            samples=seen.exchanges,
            samples_checked=checked,
            action=rule.action,
        ),
    )


def _message(seen: Observation) -> str:
    counted = f" ({seen.values} values)" if seen.values > 1 else ""
    where = f"{seen.field}: " if seen.field else ""
    others = ""
    if seen.rule == "observed-enum-value-unknown" and len(seen.samples) > 1:
        others = "; also " + ", ".join(canonical_json(s) for s in seen.samples[1:])
    return f"{where}{seen.detail}{others}{counted}"
