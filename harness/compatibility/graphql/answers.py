"""What clients read: fields of objects, types behind a union, values of an enum."""

from __future__ import annotations

from collections.abc import Iterator

import graphql

from harness.compatibility.graphql.difference import Difference
from harness.compatibility.graphql.operations import NoLiteral, Writer
from harness.compatibility.graphql.proofs import Ask, Tell
from harness.compatibility.graphql.routes import Meeting, Reach, Schemas, level
from harness.compatibility.graphql.values import AnswerGap, answer_gap
from harness.model.finding import Direction, Sides, Verdict
from harness.model.values import pointer

_ASKED, _ANSWERED = Direction.REQUEST, Direction.RESPONSE
_TYPENAME = "__typename"


class Answers:
    """Asks what is read of two types that meet."""

    def __init__(self, reach: Reach) -> None:
        """Compare the schemas of ``reach``; its roots are where operations start."""
        self.schemas: Schemas = reach.schemas
        self.roots = reach.roots
        self.writer = Writer(reach.schemas)

    def of(self, meeting: Meeting) -> Iterator[Difference]:
        """Yield what differs for readers at a meeting."""
        old, new = self.schemas.types(meeting)
        where = Sides(pointer("types", meeting.old), pointer("types", meeting.new))
        if isinstance(old, graphql.GraphQLEnumType):
            yield from self._enum(meeting, where)
            return
        if level(old) == "leaf":
            return
        yield from self._possible_types(meeting, where)
        before, after = (getattr(t, "fields", {}) for t in (old, new))
        for name in sorted(before.keys() | after.keys()):
            yield from self._field(meeting, name, where, was=name in before, is_=name in after)

    def _enum(self, meeting: Meeting, where: Sides) -> Iterator[Difference]:
        old, new = (getattr(t, "values", {}) for t in self.schemas.types(meeting))
        for value in sorted(new.keys() - old.keys()):
            yield Difference(
                "response-enum-value-added",
                Verdict.BREAKING,
                f'the value "{value}" may be sent now; the old contract did not list it',
                meeting,
                Sides(where.old, f"{where.new}{pointer('values', value)}"),
                new=value,
                direction=_ANSWERED,
                tells=(Tell("", value),),
            )

    def _possible_types(self, meeting: Meeting, where: Sides) -> Iterator[Difference]:
        old, new = self.schemas.types(meeting)
        mine = self.schemas.possible(meeting.old, new=False)
        theirs = self.schemas.possible(meeting.new, new=True)
        gone = set(mine - theirs) if graphql.is_abstract_type(old) else set()
        if graphql.is_object_type(old) and graphql.is_object_type(new):
            gone = _interfaces(old) - _interfaces(new)
        if meeting.old != meeting.new:  # told where the field is, unless operations start here
            gone, theirs = {meeting.old} if meeting in self.roots else set(), mine
        for name in sorted(gone):
            said, cause = self._membership(meeting, name)
            yield Difference(
                "request-type-condition-refused",
                Verdict.BREAKING,
                f"a fragment on {name} is no longer accepted here",
                meeting,
                cause,
                tail=f"<{name}>",
                old=said,
                direction=_ASKED,
                asks=(Ask(f"... on {name} {{ {_TYPENAME} }}", _TYPENAME),),
            )
        if not graphql.is_abstract_type(old):
            return
        union = isinstance(old, graphql.GraphQLUnionType)
        for name in sorted(theirs - mine):
            yield Difference(
                "response-possible-type-added" if union else "response-implementation-added",
                Verdict.BREAKING,
                f"a {name} may stand here now, which the old {'union' if union else 'interface'} "
                f"{meeting.old} did not hold",
                meeting,
                Sides(where.old, where.new if union else pointer("types", name)),
                tail=f"<{name}>",
                new=name,
                direction=_ANSWERED,
                tells=(Tell(_TYPENAME, {_TYPENAME: name}),),
            )

    def _membership(self, meeting: Meeting, name: str) -> tuple[str, Sides]:
        """Return what no longer holds, and where it was written, whichever side asks.

        A type that is gone is one cause wherever it stood, and an implementation that ended is
        one for the interface and for the type.
        """
        before, after = self.schemas.old.type_map, self.schemas.new.type_map
        here = Sides(pointer("types", meeting.old), pointer("types", meeting.new))
        if name not in after:
            return name, Sides(pointer("types", name))
        for owner, interface in ((meeting.old, name), (name, meeting.old)):
            if interface in _interfaces(before[owner]):
                at = pointer("types", owner)
                return f"{owner} implements {interface}", Sides(at, at if owner in after else None)
        return name, here

    def _field(
        self, meeting: Meeting, name: str, where: Sides, *, was: bool, is_: bool
    ) -> Iterator[Difference]:
        root = self.roots.get(meeting)
        at = pointer("fields", name)
        if not is_:
            yield Difference(
                "operation-removed" if root else "request-field-refused",
                Verdict.BREAKING,
                "the operation is gone" if root else f"the field {name} is gone",
                meeting,
                Sides(f"{where.old}{at}", where.new),
                head=name,
                tail="" if root else f".{name}",
                old=name,
                direction=_ASKED,
                asks=self._plain(meeting, name),
            )
        elif not was:
            yield Difference(
                "operation-added" if root else "response-property-added",
                Verdict.COMPATIBLE,
                "the operation is new" if root else f"the field {name} is new",
                meeting,
                Sides(where.old, f"{where.new}{at}"),
                head=name,
                tail="" if root else f".{name}",
                new=name,
                direction=None if root else _ANSWERED,
            )
        else:
            yield from self._type(meeting, name, Sides(f"{where.old}{at}", f"{where.new}{at}"))

    def _plain(self, meeting: Meeting, name: str) -> tuple[Ask, ...]:
        try:
            return (Ask(self.writer.call(meeting, name), _TYPENAME),)
        except NoLiteral:
            return ()

    def _type(self, meeting: Meeting, name: str, where: Sides) -> Iterator[Difference]:
        old, new = (getattr(t, "fields", {})[name].type for t in self.schemas.types(meeting))
        gap = answer_gap(self.schemas, old, new)
        if gap is None:
            return
        rule, verdict, text = _judged(gap, str(old), str(new))
        directions = {"request": _ASKED, "response": _ANSWERED}
        yield Difference(
            rule,
            verdict,
            text,
            meeting,
            where,
            head=name,
            tail=f".{name}",
            old=str(old),
            new=str(new),
            direction=directions.get(rule.partition("-")[0]),
            reason=f"no schema says which values the scalar {gap.unknown} has"
            if gap.unknown
            else "",
            asks=self._asks(meeting, name, gap),
            tells=self._tells(meeting, name, gap),
        )

    def _asks(self, meeting: Meeting, name: str, gap: AnswerGap) -> tuple[Ask, ...]:
        if gap.kind == "selection":
            return self._plain(meeting, name)
        try:
            return tuple(
                Ask(
                    self.writer.call(
                        meeting, name, selection=f"... on {condition} {{ {_TYPENAME} }}"
                    ),
                    self.writer.call(meeting, name),
                )
                for condition in gap.conditions
                if not gap.values
            )
        except NoLiteral:
            return ()

    def _tells(self, meeting: Meeting, name: str, gap: AnswerGap) -> tuple[Tell, ...]:
        try:
            selected = self.writer.call(meeting, name, selection=_TYPENAME)
        except NoLiteral:
            return ()
        return tuple(Tell(selected, {name: value}) for value in gap.values)


def _interfaces(kind: graphql.GraphQLNamedType) -> set[str]:
    return {i.name for i in getattr(kind, "interfaces", ())}


def _judged(gap: AnswerGap, old: str, new: str) -> tuple[str, Verdict, str]:
    if gap.kind == "null":
        return "response-became-nullable", Verdict.BREAKING, f"null may be sent here now: {new}"
    if gap.kind == "selection":
        return (
            "request-selection-refused",
            Verdict.BREAKING,
            f"{new} is selected otherwise than {old}",
        )
    text = f"the type {new} may be sent here now; the old contract said {old}"
    if gap.unknown:
        return "response-type-changed", Verdict.UNPROVEN, text
    if gap.values:
        return "response-type-changed", Verdict.BREAKING, text
    if gap.conditions:
        said = f"fragments on {', '.join(gap.conditions)} are no longer accepted: {new}, not {old}"
        return "request-type-condition-refused", Verdict.BREAKING, said
    return "schema-type-respelled", Verdict.BREAKING, f"{new} stands for {old}"
