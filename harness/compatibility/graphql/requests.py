"""What clients write: arguments, members of input objects, values of an enum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import graphql

from harness.compatibility.graphql.difference import Difference
from harness.compatibility.graphql.operations import NoLiteral, Writer
from harness.compatibility.graphql.proofs import Ask
from harness.compatibility.graphql.routes import Meeting, Schemas
from harness.compatibility.graphql.spelling import spelled
from harness.compatibility.graphql.values import ask_gap
from harness.model.finding import Direction, Sides, Verdict
from harness.model.values import pointer

_ASKED = Direction.REQUEST
Input = graphql.GraphQLArgument | graphql.GraphQLInputField


@dataclass(frozen=True, slots=True)
class Words:
    """The rules of one kind of thing that clients give."""

    removed: str
    added: str
    added_required: str
    became_required: str
    noun: str


ARGUMENT = Words(
    "request-argument-refused",
    "request-parameter-added",
    "request-parameter-added-required",
    "request-parameter-became-required",
    "argument",
)
MEMBER = Words(
    "request-property-refused",
    "request-property-added",
    "request-required-property-added",
    "request-property-became-required",
    "member",
)


@dataclass(frozen=True, slots=True)
class Given:
    """One thing that may be given at a place; ``write`` makes the operation around its literal.

    ``write(None)`` leaves it out.
    """

    name: str
    words: Words
    place: Difference
    write: Callable[[str | None], str]


class Requests:
    """Asks what is written at two types that meet."""

    def __init__(self, schemas: Schemas) -> None:
        """Compare these schemas."""
        self.schemas = schemas
        self.writer = Writer(schemas)

    def of(self, meeting: Meeting) -> Iterator[Difference]:
        """Yield what differs for writers at a meeting of input types."""
        old, new = self.schemas.types(meeting)
        where = Sides(pointer("types", meeting.old), pointer("types", meeting.new))
        here = Difference("", Verdict.COMPATIBLE, "", meeting, where, direction=_ASKED)
        if isinstance(old, graphql.GraphQLEnumType) and isinstance(new, graphql.GraphQLEnumType):
            yield from _values(old, new, here)
        if isinstance(old, graphql.GraphQLInputObjectType) and isinstance(
            new, graphql.GraphQLInputObjectType
        ):
            yield from self._members(old, new, here)

    def _members(
        self,
        old: graphql.GraphQLInputObjectType,
        new: graphql.GraphQLInputObjectType,
        here: Difference,
    ) -> Iterator[Difference]:
        if new.is_one_of and not old.is_one_of:
            yield replace(
                here,
                rule="request-one-of-tightened",
                verdict=Verdict.BREAKING,
                message="exactly one member must be given now",
                new="@oneOf",
                asks=self._one_of(old),
            )
        for name in sorted(old.fields.keys() | new.fields.keys()):

            def write(literal: str | None, name: str = name) -> str:
                given = {} if literal is None else {name: literal}
                return self.writer.object_literal(old, given, without=name)

            at = pointer("fields", name)
            place = replace(
                here,
                where=_sides(here.where, at, was=name in old.fields, is_=name in new.fields),
                tail=f".{name}",
            )
            given = Given(name, MEMBER, place, write)
            yield from self.given(given, old.fields.get(name), new.fields.get(name))

    def _one_of(self, old: graphql.GraphQLInputObjectType) -> tuple[Ask, ...]:
        optional = [n for n, f in old.fields.items() if not graphql.is_required_input_field(f)]
        tries: list[dict[str, str]] = [{}, *({n: "null"} for n in sorted(optional)[:1])]
        try:
            pair = {n: self.writer.literal(old.fields[n].type) for n in sorted(old.fields)[:2]}
            return tuple(Ask(self.writer.object_literal(old, t)) for t in (*tries, pair))
        except NoLiteral:
            return ()

    def arguments(self, meeting: Meeting, name: str) -> Iterator[Difference]:
        """Yield what differs in the arguments of a field."""
        old, new = (getattr(t, "fields", {})[name].args for t in self.schemas.types(meeting))
        types = Sides(pointer("types", meeting.old), pointer("types", meeting.new))
        where = _sides(types, pointer("fields", name), was=True, is_=True)
        for argument in sorted(old.keys() | new.keys()):

            def write(literal: str | None, argument: str = argument) -> str:
                given = {} if literal is None else {argument: literal}
                return self.writer.call(meeting, name, given, without=argument)

            at = pointer("args", argument)
            place = Difference(
                "",
                Verdict.COMPATIBLE,
                "",
                meeting,
                _sides(where, at, was=argument in old, is_=argument in new),
                head=name,
                tail=f".{name}({argument})",
                direction=_ASKED,
            )
            given = Given(argument, ARGUMENT, place, write)
            yield from self.given(given, old.get(argument), new.get(argument))

    def given(self, one: Given, old: Input | None, new: Input | None) -> Iterator[Difference]:
        """Yield what became of one argument or member."""
        noun = f"the {one.words.noun} {one.name}"
        if new is None and old is not None:
            yield replace(
                one.place,
                rule=one.words.removed,
                verdict=Verdict.BREAKING,
                message=f"{noun} is refused now",
                old=one.name,
                asks=tuple(a for text in self._sample(old.type) for a in _asks(one, text)),
            )
        elif old is None and new is not None:
            demanded = _required(new)
            yield replace(
                one.place,
                rule=one.words.added_required if demanded else one.words.added,
                verdict=Verdict.BREAKING if demanded else Verdict.COMPATIBLE,
                message=f"{noun} is new and required" if demanded else f"{noun} is new",
                new=str(new.type),
                asks=_asks(one, None, *self._sample(new.type)) if demanded else (),
            )
        elif old is not None and new is not None:
            yield from self._both(one, old, new)

    def _both(self, one: Given, old: Input, new: Input) -> Iterator[Difference]:
        noun = f"the {one.words.noun} {one.name}"
        if _required(new) and not _required(old):
            yield replace(
                one.place,
                rule=one.words.became_required,
                verdict=Verdict.BREAKING,
                message=f"{noun} is required now",
                old="optional",
                new="required",
                asks=_asks(one, None, *self._sample(new.type)),
            )
        elif not _required(new) and not _required(old):
            yield from _defaults(one, old, new)
        gap = ask_gap(old.type, new.type, defaulted=not _required(new))
        if gap is None:
            return
        literals = ["[" * gap.levels + "null" + "]" * gap.levels]
        if not gap.null:
            named = self._sample(graphql.get_named_type(old.type))
            literals = [self.writer.listed(old.type, text) for text in named]
        said = "null is no longer accepted here" if gap.null else "the type is no longer accepted"
        asks = [a for text in literals for a in _asks(one, text)]
        if not gap.null:
            asks += _asks(one, "$v", variables=f"$v: {old.type}")
        yield replace(
            one.place,
            rule="request-became-not-nullable" if gap.null else "request-type-changed",
            verdict=Verdict.BREAKING,
            message=f"{said}: {new.type} now, {old.type} before",
            old=str(old.type),
            new=str(new.type),
            asks=tuple(asks),
        )

    def _sample(self, kind: graphql.GraphQLType) -> list[str]:
        """Return a literal of a type, none when there is no end to what it demands."""
        try:
            return [self.writer.literal(kind)]
        except NoLiteral:
            return []


def _values(
    old: graphql.GraphQLEnumType, new: graphql.GraphQLEnumType, here: Difference
) -> Iterator[Difference]:
    for value in sorted(old.values.keys() - new.values.keys()):
        common = sorted(old.values.keys() & new.values.keys())
        yield replace(
            here,
            rule="request-enum-value-removed",
            verdict=Verdict.BREAKING,
            message=f'the value "{value}" is no longer accepted',
            where=Sides(f"{here.where.old}{pointer('values', value)}", here.where.new),
            old=value,
            asks=(Ask(value, common[0] if common else None),),
        )


def _asks(
    one: Given, literal: str | None, usual: str | None = None, *, variables: str = ""
) -> tuple[Ask, ...]:
    """Return the operation with a literal, and the usual one beside it; ``None`` leaves out."""
    try:
        hole, baseline = one.write(literal), one.write(usual)
    except NoLiteral:
        return ()
    return (Ask(hole, baseline if baseline != hole else None, variables),)


def _required(one: Input) -> bool:
    if isinstance(one, graphql.GraphQLArgument):
        return graphql.is_required_argument(one)
    return graphql.is_required_input_field(one)


def _defaults(one: Given, old: Input, new: Input) -> Iterator[Difference]:
    before, after = default_text(old), default_text(new)
    if before == after:
        return
    if before is None:
        what, verdict, text = "added", Verdict.COMPATIBLE, f"left out, it stands for {after} now"
    elif after is None:
        what, verdict = "removed", Verdict.COMPATIBLE
        text = f"left out, it stood for {before}; now nothing is said"
    else:
        what, verdict = "changed", Verdict.BREAKING
        text = f"left out, it stands for {after} now, not {before}"
    yield replace(
        one.place,
        rule=f"request-default-{what}",
        verdict=verdict,
        message=text,
        old=before,
        new=after,
    )


def default_text(one: Input) -> str | None:
    """Return the default as it is written, members in order; ``None`` without one."""
    node = getattr(one.ast_node, "default_value", None)
    return None if node is None else spelled(node)


def _sides(where: Sides, at: str, *, was: bool, is_: bool) -> Sides:
    return Sides(f"{where.old}{at}" if was else where.old, f"{where.new}{at}" if is_ else where.new)
