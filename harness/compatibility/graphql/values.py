"""Type against type at one place: may everything be written there that is, and read?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import graphql

from harness.compatibility.graphql.routes import Schemas, level
from harness.model.values import Json

_BUILT_IN = frozenset({"Int", "Float", "String", "Boolean", "ID"})
# Values that a type may give and that tell it from the others.
_GIVEN: dict[str, tuple[Json, ...]] = {
    "Int": (1,),
    "Float": (0.5,),
    "String": ("text",),
    "Boolean": (True,),
    "ID": ("id",),
}
_TEXTS = frozenset({"String", "ID"})
_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class AnswerGap:
    """How the new type of a field differs for readers.

    ``values`` may be given now; ``conditions`` are types of fragments that may be refused.
    ``unknown`` names a scalar whose values no schema describes.
    """

    kind: str
    values: tuple[Json, ...] = ()
    conditions: tuple[str, ...] = ()
    unknown: str = ""


def _same(value: Json) -> Json:
    return value


def answer_gap(
    schemas: Schemas, old: graphql.GraphQLType, new: graphql.GraphQLType
) -> AnswerGap | None:
    """Return what the new type may give that the old one does not, ``None`` when nothing."""
    if _is_value(old) != _is_value(new):
        return AnswerGap("selection")
    wrap: Callable[[Json], Json] = _same
    while True:
        if isinstance(old, graphql.GraphQLNonNull) and not isinstance(new, graphql.GraphQLNonNull):
            return AnswerGap("null", (wrap(None),))
        old, new = _bare(old), _bare(new)
        if not (isinstance(old, graphql.GraphQLList) and isinstance(new, graphql.GraphQLList)):
            break
        old, new, wrap = old.of_type, new.of_type, _in_list(wrap)
    if isinstance(old, graphql.GraphQLList) or isinstance(new, graphql.GraphQLList):
        return _listed(schemas, new, wrap)
    return _named(schemas, old, new, wrap)


def _is_value(kind: graphql.GraphQLType) -> bool:
    return level(graphql.get_named_type(kind)) == "leaf"


def _in_list(wrap: Callable[[Json], Json]) -> Callable[[Json], Json]:
    return lambda value: wrap([value])


def _bare(kind: graphql.GraphQLType) -> graphql.GraphQLType:
    return kind.of_type if isinstance(kind, graphql.GraphQLNonNull) else kind


def _listed(
    schemas: Schemas,
    new: graphql.GraphQLType,
    wrap: Callable[[Json], Json],
) -> AnswerGap:
    after = graphql.get_named_type(new)
    found = [_wrapped(new, v) for v in _samples(schemas, after)]
    return AnswerGap("type", tuple(wrap(v) for v in found))


def _wrapped(kind: graphql.GraphQLType, value: Json) -> Json:
    kind = _bare(kind)
    return [_wrapped(kind.of_type, value)] if isinstance(kind, graphql.GraphQLList) else value


def _named(
    schemas: Schemas,
    old: graphql.GraphQLType,
    new: graphql.GraphQLType,
    wrap: Callable[[Json], Json],
) -> AnswerGap | None:
    before, after = graphql.get_named_type(old), graphql.get_named_type(new)
    if before.name == after.name and type(before) is type(after):
        return None  # what differs inside is found where the two types meet
    if level(before) == "leaf":
        for one in (after, before):
            if isinstance(one, graphql.GraphQLScalarType) and one.name not in _BUILT_IN:
                return AnswerGap("type", unknown=one.name)
        return AnswerGap("type", tuple(wrap(v) for v in _unread(before, after)))
    mine = schemas.possible(before.name, new=False)
    theirs = schemas.possible(after.name, new=True)
    came = sorted(theirs - mine)[:_SHOWN_MAX]
    fragments = sorted({before.name, *mine})
    gone = [n for n in fragments if not schemas.possible(n, new=True) & theirs][:_SHOWN_MAX]
    return AnswerGap("type", tuple(wrap({"__typename": name}) for name in came), tuple(gone))


def _unread(old: graphql.GraphQLNamedType, new: graphql.GraphQLNamedType) -> tuple[Json, ...]:
    """Return values of a new type that the old one does not have, none when it has them all."""
    if isinstance(new, graphql.GraphQLEnumType):
        known = old.values if isinstance(old, graphql.GraphQLEnumType) else {}
        return () if old.name in _TEXTS else tuple(sorted(new.values.keys() - known.keys()))
    if (new.name in _TEXTS and old.name in _TEXTS) or (old.name, new.name) == ("Float", "Int"):
        return ()
    return _GIVEN[new.name]


def _samples(schemas: Schemas, kind: graphql.GraphQLNamedType) -> tuple[Json, ...]:
    if isinstance(kind, graphql.GraphQLEnumType):
        return tuple(sorted(kind.values))
    if level(kind) == "leaf":
        return _GIVEN.get(kind.name, ("text",))
    return tuple({"__typename": name} for name in sorted(schemas.possible(kind.name, new=True))[:1])


@dataclass(frozen=True, slots=True)
class AskGap:
    """How the new type of an argument or member differs for writers.

    ``null`` says that null is what is refused, within ``levels`` lists.
    """

    null: bool
    levels: int


def ask_gap(
    old: graphql.GraphQLType, new: graphql.GraphQLType, *, defaulted: bool
) -> AskGap | None:
    """Return what the new type refuses that the old one takes, ``None`` when nothing.

    A value that must be given now, and has no default (``defaulted``), is not asked about here:
    whoever leaves it out breaks first.
    """
    levels = 0
    while True:
        demands = isinstance(new, graphql.GraphQLNonNull)
        if demands and not isinstance(old, graphql.GraphQLNonNull) and (levels or defaulted):
            return AskGap(null=True, levels=levels)
        old, new = _bare(old), _bare(new)
        if not (isinstance(old, graphql.GraphQLList) and isinstance(new, graphql.GraphQLList)):
            break
        old, new, levels = old.of_type, new.of_type, levels + 1
    before, after = graphql.get_named_type(old), graphql.get_named_type(new)
    lists = isinstance(old, graphql.GraphQLList) or isinstance(new, graphql.GraphQLList)
    if lists or before.name != after.name or type(before) is not type(after):
        return AskGap(null=False, levels=levels)
    return None
