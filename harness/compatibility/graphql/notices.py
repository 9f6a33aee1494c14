"""What stands beside the types: words, deprecations, directives, names of generated classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import graphql

from harness.compatibility.graphql.difference import Difference
from harness.compatibility.graphql.routes import Meeting, Reach, Schemas
from harness.compatibility.graphql.spelling import spelled
from harness.model.finding import Direction, Sides, Verdict
from harness.model.values import pointer

_JUDGED_ELSEWHERE = frozenset({"deprecated", "specifiedBy", "oneOf"})
_BUILT_IN = frozenset(graphql.specified_scalar_types)
_UNSAID = "a schema does not say what this directive demands"
_PLAIN = Difference("", Verdict.COMPATIBLE, "")


class Notices:
    """Asks what is said of two types that meet, beside what they hold."""

    def __init__(self, reach: Reach) -> None:
        """Compare the schemas of ``reach``; fields of its roots are operations."""
        self.schemas: Schemas = reach.schemas
        self.roots = reach.roots

    def of(self, meeting: Meeting) -> Iterator[Difference]:
        """Yield what is said otherwise of a meeting's types and everything in them."""
        old, new = self.schemas.types(meeting)
        where = Sides(pointer("types", meeting.old), pointer("types", meeting.new))
        here = replace(_PLAIN, meeting=meeting, where=where)
        if meeting.old == meeting.new:
            yield from _said(here, "schema", old, new)
            yield from _scalar(here, old, new)
        for group in ("fields", "values"):
            yield from self._within(here, group, getattr(old, group, {}), getattr(new, group, {}))

    def _within(
        self, here: Difference, group: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[Difference]:
        root = here.meeting in self.roots
        for name in sorted(old.keys() & new.keys()):
            at = pointer(group, name)
            place = replace(
                here,
                where=_deeper(here.where, at),
                head=name if group == "fields" else "",
                tail="" if root or group == "values" else f".{name}",
            )
            if group == "values":
                place = replace(place, old=name, new=name)
            yield from _said(place, "operation" if root else "schema", old[name], new[name])
            before, after = (getattr(x, "args", {}) for x in (old[name], new[name]))
            for argument in sorted(before.keys() & after.keys()):
                inner = replace(
                    place,
                    where=_deeper(place.where, pointer("args", argument)),
                    tail=f".{name}({argument})",
                    direction=Direction.REQUEST,
                )
                yield from _said(inner, "parameter", before[argument], after[argument])


def names(reach: Reach) -> Iterator[Difference]:
    """Yield the types that are gone or new: classes of generated clients."""
    old, new = reach.schemas.old.type_map, reach.schemas.new.type_map
    for name in sorted(old.keys() - new.keys() - _BUILT_IN):
        where = Sides(pointer("types", name))
        text = f"the type {name} is gone"
        yield replace(
            _PLAIN,
            rule="schema-removed",
            verdict=Verdict.BREAKING,
            message=text,
            where=where,
            old=name,
        )
    for name in sorted(new.keys() - old.keys() - _BUILT_IN):
        where = Sides(None, pointer("types", name))
        yield replace(
            _PLAIN, rule="schema-added", message=f"the type {name} is new", where=where, new=name
        )


def _deeper(where: Sides, at: str) -> Sides:
    return Sides(f"{where.old}{at}", f"{where.new}{at}")


def _said(place: Difference, noun: str, old: Any, new: Any) -> Iterator[Difference]:
    """Yield what is told otherwise of one thing: its words, its end, its directives."""
    before, after = (" ".join((x.description or "").split()) for x in (old, new))
    if before != after:
        yield replace(
            place,
            rule=f"{noun}-documentation-changed",
            message="the description reads otherwise now",
            old=old.description,
            new=new.description,
        )
    yield from _deprecation(place, noun, old, new)
    yield from _applied(place, old, new)


def _deprecation(place: Difference, noun: str, old: Any, new: Any) -> Iterator[Difference]:
    before, after = (getattr(x, "deprecation_reason", None) for x in (old, new))
    if before == after:
        return
    if before is None:
        rule, text = f"{noun}-deprecated", f"it is deprecated: {after}"
    elif after is None:
        rule, text = f"{noun}-undeprecated", "it is no longer deprecated"
    else:
        rule, text = (
            f"{noun}-documentation-changed",
            "the reason of its deprecation reads otherwise",
        )
    yield replace(place, rule=rule, message=text.rstrip("."), old=before, new=after)


def _scalar(place: Difference, old: Any, new: Any) -> Iterator[Difference]:
    before, after = (getattr(x, "specified_by_url", None) for x in (old, new))
    if before != after:
        yield replace(
            place,
            rule="scalar-specification-changed",
            verdict=Verdict.UNPROVEN,
            message=f"its specification is {after or 'nowhere'} now, not {before or 'nowhere'}",
            old=before,
            new=after,
            reason="no schema says which values a scalar has",
        )


def _applied(place: Difference, old: Any, new: Any) -> Iterator[Difference]:
    before, after = applied_directives(old), applied_directives(new)
    for name in sorted(before.keys() | after.keys()):
        was, is_ = before.get(name), after.get(name)
        if was == is_:
            continue
        what = "added" if was is None else "removed" if is_ is None else "changed"
        removed = is_ is None
        yield replace(
            place,
            rule=f"applied-directive-{what}",
            verdict=Verdict.COMPATIBLE if removed else Verdict.UNPROVEN,
            message=f"the directive {is_ or was} is {what} here",
            old=was,
            new=is_,
            reason="" if removed else _UNSAID,
        )


def applied_directives(found: Any) -> dict[str, str]:
    """Return the directives on a definition, by name, as they are written in a fixed order."""
    nodes = [found.ast_node, *(getattr(found, "extension_ast_nodes", ()) or ())]
    written: dict[str, list[str]] = {}
    for node in nodes:
        for directive in getattr(node, "directives", ()) or ():
            if directive.name.value not in _JUDGED_ELSEWHERE:
                written.setdefault(directive.name.value, []).append(_spelling(directive))
    return {name: " ".join(sorted(texts)) for name, texts in written.items()}


def _spelling(directive: graphql.DirectiveNode) -> str:
    given = sorted(f"{a.name.value}: {spelled(a.value)}" for a in directive.arguments or ())
    inside = ", ".join(given)
    return f"@{directive.name.value}({inside})" if given else f"@{directive.name.value}"
