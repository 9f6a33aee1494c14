"""Which operation of the new contract answers the calls of an old one.

Names of placeholders mean nothing, positions do. Paths are compared with their case and their
trailing slash, as servers do; a path that differs only there is gone, and the finding says where
it went. Base paths are put in front when the bare paths do not meet.

Policy for a literal path that falls under a template. A call to ``/orders/open`` is still
described by ``/orders/{id}``, so when the template is new, it took over and the two are compared.
When the template was there before, both existed and one was dropped: its calls now reach another
operation, so it counts as removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

from harness.compatibility.exchanges.pairing import PLACEHOLDER
from harness.model.contract import Contract, Operation

Key = tuple[str, ...]


@dataclass(slots=True)
class Matches:
    """Pairs that meet, what is left on either side, and where calls of a lost path may go now."""

    pairs: list[tuple[Operation, Operation]] = field(default_factory=list)
    gone: list[Operation] = field(default_factory=list)
    added: list[Operation] = field(default_factory=list)
    taken_over: list[tuple[Operation, Operation]] = field(default_factory=list)


def matched_operations(old: Contract, new: Contract) -> Matches:
    """Match what callers may send."""
    found = _match(old.operations, new.operations, (_exact, _positional))
    if found.gone and found.added:
        _match_full(found, old, new)
    if found.gone:
        signposts = Signposts(new.operations)
        known = {_positional(o) for o in old.operations}
        for lost in list(found.gone):
            cover = signposts.cover(lost, known)
            if cover is not None:
                found.gone.remove(lost)
                found.taken_over.append((lost, cover))
        covers_of = {id(cover) for _, cover in found.taken_over}
        found.added = [o for o in found.added if id(o) not in covers_of]
    return found


def matched_incoming(old: Contract, new: Contract) -> Matches:
    """Match webhooks by name, and callbacks by the operation, name and expression they have."""
    return _match(old.webhooks, new.webhooks, (_incoming,))


@dataclass(slots=True)
class _Node:
    """Templates by their segments, so that a path meets only those that begin like it."""

    literal: dict[str, _Node] = field(default_factory=dict)
    patterns: dict[str, _Node] = field(default_factory=dict)
    operation: Operation | None = None

    def add(self, segments: list[str], operation: Operation) -> None:
        here = self
        for segment in segments:
            inner = here.patterns if "{" in segment else here.literal
            here = inner.setdefault(segment, _Node())
        here.operation = here.operation or operation

    def matching(self, segments: list[str]) -> Iterator[Operation]:
        """Yield the templates that match, those with early literals first."""
        todo: list[tuple[_Node, int]] = [(self, 0)]
        while todo:
            here, index = todo.pop()
            if index == len(segments):
                if here.operation is not None:
                    yield here.operation
                continue
            segment = segments[index]
            fitting = [n for p, n in here.patterns.items() if fits(p, segment)]
            todo += [(node, index + 1) for node in reversed(fitting)]
            if segment in here.literal:
                todo.append((here.literal[segment], index + 1))


class Signposts:
    """Says where calls may go now, without looking at every operation for every call."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        """Index the operations by method, spelling and number of segments."""
        self._near: dict[Key, Operation] = {}
        self._templates: dict[str, _Node] = {}
        self._by_id: dict[str, Operation] = {}
        for operation in operations:
            self._near.setdefault(_loose(operation), operation)
            if operation.operation_id:
                self._by_id.setdefault(operation.operation_id, operation)
            if "{" in operation.path:
                start = self._templates.setdefault(operation.method, _Node())
                start.add(_segments(operation), operation)

    def cover(self, lost: Operation, besides: Container[Key] = ()) -> Operation | None:
        """Return the first template that matches a lost path, those of ``besides`` left out."""
        start = self._templates.get(lost.method, _Node())
        found = (o for o in start.matching(_segments(lost)) if _positional(o) not in besides)
        return next(found, None)

    def hint(self, lost: Operation, added: Container[str]) -> str:
        """Return where the calls of a lost operation belong now; empty when nobody knows.

        ``added`` are the labels of the operations that are new.
        """
        moved = self._by_id.get(lost.operation_id or "")
        if moved is not None and moved.label in added:
            return f"its operationId {lost.operation_id} now stands at {moved.label}"
        near = self._near.get(_loose(lost))
        if near is not None:
            slash = near.path.rstrip("/") == lost.path.rstrip("/")
            what = "the last slash" if slash else "its case"
            return f"{near.label} differs only in {what}, which servers need not forgive"
        cover = self.cover(lost)
        return f"such calls now fall under {cover.label}" if cover else ""


def renamed_placeholders(before: Operation, after: Operation) -> dict[str, str]:
    """Return the new names of path parameters, by their position in the path."""
    found: dict[str, str] = {}
    pairs = zip(before.path.split("/")[::-1], after.path.split("/")[::-1], strict=False)
    for mine, theirs in pairs:  # from the end: a base path may stand in front of one of them
        names = zip(PLACEHOLDER.findall(mine), PLACEHOLDER.findall(theirs), strict=False)
        found.update(names)
    return found


def literal_values(template: Operation, operation: Operation) -> dict[str, str]:
    """Return what the placeholders of a template stand for in the path of an operation."""
    found: dict[str, str] = {}
    pairs = zip(template.path.split("/")[::-1], operation.path.split("/")[::-1], strict=False)
    for mine, theirs in pairs:
        for name in PLACEHOLDER.findall(mine):
            if mine == "{" + name + "}" and not PLACEHOLDER.search(theirs):
                found[name] = theirs
    return found


def _match(
    left: tuple[Operation, ...],
    right: tuple[Operation, ...],
    keys: tuple[Callable[[Operation], Key], ...],
) -> Matches:
    remaining = {id(o): o for o in right}
    partner: dict[int, Operation] = {}
    for key in keys:
        index: dict[Key, Operation] = {}
        for operation in remaining.values():
            index.setdefault(key(operation), operation)
        for operation in left:
            if id(operation) in partner:
                continue
            found = index.pop(key(operation), None)
            if found is not None:
                partner[id(operation)] = found
                del remaining[id(found)]
    return Matches(
        [(o, partner[id(o)]) for o in left if id(o) in partner],
        [o for o in left if id(o) not in partner],
        list(remaining.values()),
    )


def _match_full(found: Matches, old: Contract, new: Contract) -> None:
    """Pair what meets once the base path stands in front."""
    ahead = {_full(new, o): o for o in reversed(found.added)}
    for lost in list(found.gone):
        other = ahead.pop(_full(old, lost), None)
        if other is not None:
            found.gone.remove(lost)
            found.added.remove(other)
            found.pairs.append((lost, other))


def _exact(operation: Operation) -> Key:
    return operation.method, operation.path


def _positional(operation: Operation) -> Key:
    return operation.method, PLACEHOLDER.sub("{}", operation.path)


def _loose(operation: Operation) -> Key:
    path = PLACEHOLDER.sub("{}", operation.path)
    return operation.method, path.rstrip("/").lower()


def _incoming(operation: Operation) -> Key:
    return PLACEHOLDER.sub("{}", operation.via), operation.method, operation.path


def _full(contract: Contract, operation: Operation) -> Key:
    base = re.sub(r"^[a-zA-Z]+://[^/]*", "", contract.servers[0]) if contract.servers else ""
    method, path = _positional(operation)
    return method, base.rstrip("/") + path


def _segments(operation: Operation) -> list[str]:
    return PLACEHOLDER.sub("{}", operation.path).split("/")


def fits(template: str, text: str) -> bool:
    """Say whether a text is a template with something in place of every ``{...}``."""
    first, *others = PLACEHOLDER.split(template)[::2]
    if not others:
        return text == first
    if not text.startswith(first):
        return False
    position, last = len(first), others.pop()
    for piece in others:
        found = text.find(piece, position + 1)
        if found < 0:
            return False
        position = found + len(piece)
    return text.endswith(last) and len(text) - len(last) > position
