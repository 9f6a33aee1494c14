"""Compares two GraphQL contracts: every difference once, with the operations that reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.catalog.graphql_text import schema_of
from harness.catalog.loading import no_collection
from harness.compatibility.findings import finished, identity
from harness.compatibility.graphql.answers import Answers
from harness.compatibility.graphql.difference import Difference
from harness.compatibility.graphql.directives import Directives
from harness.compatibility.graphql.notices import Notices, names
from harness.compatibility.graphql.operations import NoLiteral, Writer
from harness.compatibility.graphql.proofs import Ask, Judge
from harness.compatibility.graphql.requests import Requests
from harness.compatibility.graphql.routes import (
    KINDS,
    Meeting,
    Reach,
    Route,
    Schemas,
    field_text,
)
from harness.compatibility.rules import ALWAYS_JUDGED, Rule, catalogue
from harness.compatibility.rules.source_names import QUIET
from harness.model.contract import Contract
from harness.model.finding import (
    Category,
    Direction,
    Finding,
    Occurrence,
    Proof,
    Sides,
    Verdict,
    Witness,
)
from harness.model.values import canonical_json, pointer

_UNCONFIRMED = "no operation or answer was found that graphql-core confirms on both schemas"
ROUTES_TRIED = 6
_TOO_LARGE = "budget: too many pairs of types to look at"


@dataclass(frozen=True, slots=True)
class Compared:
    """The findings of two GraphQL contracts, and how many operations both have."""

    findings: tuple[Finding, ...]
    operations: int


@dataclass(frozen=True, slots=True)
class _Sighting:
    """One way to one difference, and how a finding speaks of it."""

    route: Route
    difference: Difference
    operation: str
    field: str

    @property
    def rank(self) -> tuple[int, int, str, str]:
        return (self.route.fragments, len(self.route.steps), self.operation, self.field)


def compare_schemas(
    old: Contract,
    new: Contract,
    *,
    judged: frozenset[Category],
    steps_max: int,
    lap: Callable[[str], None],
) -> Compared:
    """Return what clients of ``old`` meet in ``new``.

    ``judged`` names categories that may break beyond those that always are; ``steps_max`` bounds
    the pairs of types looked at, after which the rest is unproven.
    """
    with no_collection():
        reach = Reach(Schemas(schema_of(old), schema_of(new)), steps_max=steps_max)
        lap("match types")
        quiet = frozenset() if Category.SDK_SOURCE in judged else QUIET
        found = [d for d in _differences(reach) if d.rule not in quiet]
        lap("compare types")
        assembly = _Assembly(reach, judged)
        findings = [assembly.finding(group) for group in _grouped(found, reach.schemas)]
        lap("confirm witnesses")
        result = finished(findings, old, new)
        lap("order and locate")
    shared = {o.label for o in old.operations} & {o.label for o in new.operations}
    return Compared(result, len(shared))


def _differences(reach: Reach) -> Iterator[Difference]:
    answers, requests, notices = Answers(reach), Requests(reach.schemas), Notices(reach)
    for meeting in reach.meetings:
        if meeting.asked:
            yield from requests.of(meeting)
        else:
            yield from answers.of(meeting)
            old, new = (getattr(t, "fields", {}) for t in reach.schemas.types(meeting))
            for name in sorted(old.keys() & new.keys()):
                yield from requests.arguments(meeting, name)
        yield from notices.of(meeting)
    yield from Directives(reach).differences()
    yield from _lone_roots(reach.schemas)
    yield from names(reach)
    if reach.spent:
        for side, direction in (("request", Direction.REQUEST), ("response", Direction.RESPONSE)):
            rule = f"{side}-comparison-too-large"
            text = "there are more pairs of types than the budget"
            yield Difference(rule, Verdict.UNPROVEN, text, direction=direction, reason=_TOO_LARGE)


def _lone_roots(schemas: Schemas) -> Iterator[Difference]:
    """Yield the operations of kinds that only one side has."""
    writer = Writer(schemas)
    for kind in KINDS:
        old, new = (getattr(s, f"{kind}_type") for s in (schemas.old, schemas.new))
        if (old is None) == (new is None):
            continue
        for name in sorted((old or new).fields):
            at = pointer("types", (old or new).name, "fields", name)
            asks: tuple[Ask, ...] = ()
            if old is not None:
                try:
                    asks = (Ask(writer.call(Meeting(asked=False, old=old.name, new=""), name)),)
                except NoLiteral:
                    asks = ()
            yield Difference(
                "operation-removed" if old else "operation-added",
                Verdict.BREAKING if old else Verdict.COMPATIBLE,
                "the operation is gone" if old else "the operation is new",
                where=Sides(at) if old else Sides(None, at),
                head=name,
                old=name if old else None,
                new=name if new else None,
                direction=Direction.REQUEST if old else None,
                asks=asks,
                routes=(Route(kind),),
            )


def _grouped(found: Sequence[Difference], schemas: Schemas) -> list[list[Difference]]:
    """Return what is one change in the files together, wherever it was met.

    A field of an interface is written again in every type that implements it: what differs in
    both alike is one change, that of the interface.
    """
    keys = [_key(item) for item in found]
    known = frozenset(keys)
    groups: dict[str, list[Difference]] = {}
    for item, key in zip(found, keys, strict=True):
        cause = _inherited(item, known, schemas) or key
        group = groups.setdefault(cause, [])
        group.insert(0 if cause == key else len(group), item)
    return list(groups.values())


def _key(item: Difference, where: Sides | None = None) -> str:
    at = where or item.where
    return canonical_json([item.rule, at.old, at.new, item.old, item.new])


def _inherited(item: Difference, known: frozenset[str], schemas: Schemas) -> str | None:
    """Return the change of an interface that this one follows from."""
    meeting = item.meeting
    if meeting is None or meeting.asked or not item.head or meeting.old != meeting.new:
        return None
    own = pointer("types", meeting.old)
    kinds = schemas.types(meeting)
    before, after = ({i.name for i in getattr(k, "interfaces", ())} for k in kinds)
    for name in sorted(before & after):
        at = pointer("types", name)
        key = _key(item, Sides(_moved(item.where.old, own, at), _moved(item.where.new, own, at)))
        if key in known:
            return key
    return None


def _moved(where: str | None, own: str, at: str) -> str | None:
    return where if where is None else f"{at}{where.removeprefix(own)}"


class _Assembly:
    """Makes findings of differences."""

    def __init__(self, reach: Reach, judged: frozenset[Category]) -> None:
        self.reach = reach
        self.judge = Judge(reach.schemas)
        self.judged = judged | ALWAYS_JUDGED
        self.rules: dict[str, Rule] = {r.id: r for r in catalogue()}

    def finding(self, group: list[Difference]) -> Finding:
        """Return the finding of one change."""
        item = group[0]
        rule = self.rules[item.rule]
        sightings = sorted(self._sightings(group), key=lambda s: s.rank)
        verdict = item.verdict if rule.category in self.judged else Verdict.COMPATIBLE
        proof, witness, reason = Proof.NONE, None, item.reason
        if verdict is Verdict.BREAKING:
            proof = Proof.STRUCTURE
            if rule.category in {Category.WIRE_REQUEST, Category.WIRE_RESPONSE}:
                sightings, witness = self._witness(sightings)
                proof = Proof.WITNESS if witness else Proof.NONE
                verdict = Verdict.BREAKING if witness else Verdict.UNPROVEN
                reason = "" if witness else _UNCONFIRMED
        first = sightings[0] if sightings else _Sighting(Route("query"), item, "", item.tail)
        occurrences = _occurrences(sightings)
        place = min(occurrences, key=lambda o: o.operation, default=Occurrence("", first.field))
        said = first.field or first.operation
        return Finding(
            fingerprint=identity(rule.id, item.direction, place, item.old, item.new),
            rule=rule.id,
            category=rule.category,
            verdict=verdict,
            message=f"{said}: {item.message}." if said else f"{_sentence(item.message)}.",
            direction=item.direction,
            operations=tuple(o.operation for o in occurrences),
            occurrences=occurrences,
            pointer=item.where,
            field=first.field,
            old=item.old,
            new=item.new,
            proof=proof,
            witness=witness,
            reason=reason if verdict is Verdict.UNPROVEN else "",
        )

    def _sightings(self, group: list[Difference]) -> Iterator[_Sighting]:
        for item in group:
            routes = item.routes
            if item.meeting is not None:
                routes = self.reach.routes(item.meeting)
            for route in routes:
                operation = _operation(route, item.head)
                yield _Sighting(route, item, operation, field_text(route, item.tail))

    def _witness(self, sightings: list[_Sighting]) -> tuple[list[_Sighting], Witness | None]:
        """Return the first confirmed witness, the way it takes before the others."""
        for number, seen in enumerate(sightings[:ROUTES_TRIED]):
            found = self.judge.witness(seen.route, seen.difference.asks, seen.difference.tells)
            if found is not None:
                return [seen, *sightings[:number], *sightings[number + 1 :]], found
        return sightings, None


def _operation(route: Route, head: str) -> str:
    if route.steps:
        head = route.steps[0].of or route.steps[0].name
    return f"{route.kind.upper()} {head}" if head else ""


def _occurrences(sightings: list[_Sighting]) -> tuple[Occurrence, ...]:
    """Return every operation with its field: that of the first sighting, then by name."""
    fields: dict[str, str] = {}
    for seen in sightings:
        if seen.operation:
            fields.setdefault(seen.operation, seen.field)
    first = next(iter(fields), None)
    order = sorted(fields, key=lambda name: (name != first, name))
    return tuple(Occurrence(name, fields[name]) for name in order)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
