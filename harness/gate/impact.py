"""Whom a difference touches: findings joined with what consumers' pacts send and read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from harness.conformance.routing import Router
from harness.consumers import Interaction, Pact
from harness.model.contract import Contract
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.finding import Category, Direction, Finding, Proof, Verdict
from harness.model.values import Json


@dataclass(frozen=True, slots=True)
class _Call:
    """One recorded interaction: the fields it sends and those it reads, as findings name them."""

    consumer: str
    where: str
    operation: str
    sent: frozenset[str]
    read: frozenset[str]


@dataclass(frozen=True, slots=True)
class Usage:
    """What consumers do with one contract; ``calls`` holds what matched an operation of it."""

    calls: tuple[_Call, ...]

    @property
    def consumers(self) -> tuple[str, ...]:
        """Return the names of everybody who calls this contract."""
        return tuple(sorted({c.consumer for c in self.calls}))


def usage(pacts: Iterable[Pact], contract: Contract, others: frozenset[str] = frozenset()) -> Usage:
    """Return what the pacts do with ``contract``, the one consumers know.

    A pact whose provider is one of ``others``, systems this contract does not belong to, says
    nothing about it, even where two vendors share a path.
    """
    router = Router(contract)
    return Usage(
        tuple(
            call
            for pact in pacts
            if pact.provider not in others
            for one in pact.interactions
            for call in _calls(pact, one, router)
        )
    )


def _calls(pact: Pact, one: Interaction, router: Router) -> Iterator[_Call]:
    operation = router.find(one.exchange.request)
    if operation is not None:
        yield _Call(
            pact.consumer,
            f"{pact.source}#{one.pointer}",
            operation.label,
            frozenset(
                _sent(one.exchange.request, router.path_values(operation, one.exchange.request))
            ),
            frozenset(_read(one.exchange.response)),
        )


def _sent(request: HttpRequest, path_values: dict[str, str]) -> Iterator[str]:
    yield from (f"path.{name}" for name in path_values)
    yield from (f"query.{name}" for name, _ in request.query)
    yield from (f"header.{name.lower()}" for name, _ in request.headers)
    yield from _fields(_body(request))


def _read(response: HttpResponse) -> Iterator[str]:
    yield f"status.{response.status}"
    yield f"status.{response.status // 100}XX"
    yield from (f"header.{name.lower()}" for name, _ in response.headers)
    yield from _fields(_body(response))


def _body(message: HttpRequest | HttpResponse) -> Json:
    return message.json() if message.body else None


def _fields(value: Json, here: str = "") -> Iterator[str]:
    """Yield the path of every member, those that hold others included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{here}.{name}" if here else name
            yield path
            yield from _fields(inner, path)
    elif isinstance(value, list):
        yield f"{here}[]"
        for inner in value:
            yield from _fields(inner, f"{here}[]")


def with_consumers(findings: Iterable[Finding], used: Usage) -> tuple[Finding, ...]:
    """Name the consumers each finding touches; lost data that a consumer uses is breaking."""
    return tuple(_joined(f, used) for f in findings)


def _joined(finding: Finding, used: Usage) -> Finding:
    fields = {o.operation: o.field for o in finding.occurrences}
    calls = [
        call
        for call in used.calls
        if call.operation in finding.operations
        and _touches(call, finding, fields.get(call.operation, finding.field))
    ]
    if not calls:
        return finding
    names = tuple(sorted({c.consumer for c in calls}))
    known = tuple(sorted({*finding.context.consumers, *names}))
    finding = replace(finding, context=replace(finding.context, consumers=known))
    if finding.category is not Category.DATA_LOSS or finding.verdict is Verdict.BREAKING:
        return finding
    verb = "sends" if finding.direction is Direction.REQUEST else "reads"
    who = f"{', '.join(names)} {verb if len(names) == 1 else verb.rstrip('s')} it."
    return replace(
        finding,
        verdict=Verdict.BREAKING,
        proof=Proof.STRUCTURE,
        message=f"{finding.message} {who}",
        reason="; ".join([*filter(None, [finding.reason]), f"recorded in {calls[0].where}"]),
    )


def _touches(call: _Call, finding: Finding, field: str) -> bool:
    """Say whether this call would notice the difference, which shows at ``field`` there.

    What a request newly needs touches those who do not send it; everything else those who use
    the field. A difference without a field touches every caller of the operation.
    """
    if not field:
        return True
    request = finding.direction is Direction.REQUEST
    used = call.sent if request else call.read
    if request and _demands(finding):
        parent = re.sub(r"(^|\.)[^.]*$", "", field)
        outside = field.startswith(("query.", "header.", "cookie.")) or not parent
        return not _uses(used, field) and (outside or _uses(used, parent))
    return _uses(used, field)


def _demands(finding: Finding) -> bool:
    return "required" in finding.rule and finding.verdict is not Verdict.COMPATIBLE


def _uses(used: frozenset[str], field: str) -> bool:
    if field.startswith("header."):
        field = field.lower()
    if field in used:
        return True
    return "*" in field and any(_pattern(field).fullmatch(path) for path in used)


@cache
def _pattern(field: str) -> re.Pattern[str]:
    """Return what fits a field in which ``*`` stands for any member of a map."""
    return re.compile(r"[^.\[\]]+".join(map(re.escape, field.split("*"))))
