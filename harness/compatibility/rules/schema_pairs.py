"""Which schema of the old contract meets which of the new one, each pair once.

A pair is reached by many operations and kept with all of them, under the shortest path that leads
to it. Subtrees that are the same on both sides are left out whole: nothing differs there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harness.compatibility.exchanges.pairing import Root
from harness.compatibility.rules.schema_views import Pointers, View, Views
from harness.compatibility.rules.unchanged import Unchanged
from harness.model.contract import Contract

Key = tuple[Pointers, Pointers]
BRANCHES_MAX = 64


@dataclass(frozen=True, slots=True)
class Meeting:
    """One pair of schemas that differ, with everything that leads to it.

    ``asked`` and ``answered`` say whether it is reached in requests and in answers. ``part`` is
    that of the root (``parameter``, ``body``, ``header``) where the pair is one, else empty.
    ``optional`` says whether a sender may leave the value out somewhere.
    """

    old: View
    new: View
    field: str
    operations: tuple[str, ...]
    asked: bool
    answered: bool
    part: str = ""
    optional: bool = True


@dataclass(slots=True)
class _Known:
    path: str
    part: str = ""
    mask: int = 0
    optional: bool = False
    below: list[Key] = field(default_factory=list)


@dataclass(slots=True)
class SchemaPairs:
    """Walks two contracts from their roots, breadth first, within a budget of pairs.

    ``spent`` is true afterwards when the budget was too small; ``renamed`` holds components that
    met under two names.
    """

    old: Contract
    new: Contract
    pairs_max: int
    always: frozenset[str] = frozenset()
    spent: bool = False
    _left: Views = field(init=False)
    _right: Views = field(init=False)
    _same: Unchanged = field(init=False)
    _known: dict[Key, _Known] = field(init=False, default_factory=dict)
    met: dict[tuple[str, str], None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare both sides."""
        self._left, self._right = Views(self.old), Views(self.new)

    def meetings(self, roots: Iterable[Root]) -> Iterator[Meeting]:
        """Yield every pair that differs, nearest to its root first."""
        labels: dict[tuple[str, bool], int] = {}
        todo: deque[Key] = deque()
        told = list(roots)
        self._same = Unchanged(self._left, self._right, (r.old for r in told if r.old is not None))
        for root in told:
            if root.old is None or root.new is None:
                continue
            bit = 1 << labels.setdefault((root.operation, root.request), len(labels))
            optional = root.new not in self.always
            self._reach(
                todo,
                (root.old,),
                (root.new,),
                root.place,
                part=root.part,
                bit=bit,
                optional=optional,
            )
        order = list(self._explored(todo))
        self._spread(order)
        names = list(labels)
        for key in order:
            known = self._known[key]
            reached = [names[i] for i in range(known.mask.bit_length()) if known.mask >> i & 1]
            yield Meeting(
                self._left.view(key[0]),
                self._right.view(key[1]),
                known.path,
                tuple(sorted({operation for operation, _ in reached})),
                any(request for _, request in reached),
                any(not request for _, request in reached),
                known.part,
                known.optional,
            )

    def _reach(
        self,
        todo: deque[Key],
        old: Pointers,
        new: Pointers,
        path: str,
        *,
        part: str = "",
        bit: int = 0,
        optional: bool = True,
    ) -> Key | None:
        """Note a pair; ``None`` when both sides are the same all the way down."""
        self._name(old, new)
        key = (tuple(map(self._left.settled, old)), tuple(map(self._right.settled, new)))
        known = self._known.get(key)
        if known is None:
            if len(old) == len(new) and all(map(self._same.same, *key)):
                return None
            if len(self._known) >= self.pairs_max:
                self.spent = True
                return None
            known = self._known[key] = _Known(path, part)
            todo.append(key)
        known.mask |= bit
        known.optional |= optional
        return key

    def _explored(self, todo: deque[Key]) -> Iterator[Key]:
        while todo:
            key = todo.popleft()
            known = self._known[key]
            left, right = self._left.view(key[0]), self._right.view(key[1])
            for old, new, path, optional in self._children(left, right, known.path):
                child = self._reach(todo, old, new, path, optional=optional)
                if child is not None:
                    known.below.append(child)
            yield key

    def _children(
        self, left: View, right: View, path: str
    ) -> Iterator[tuple[Pointers, Pointers, str, bool]]:
        theirs = right.names
        for name, places in left.names.items():
            if name in theirs:
                optional = name not in left.required or name not in right.required
                yield places, theirs[name], f"{path}.{name}" if path else name, optional
        for keyword, step in (("items", "[]"), ("additionalProperties", ".*")):
            old, new = left.below(keyword), right.below(keyword)
            if old and new:
                yield old, new, f"{path}{step}" if path else step.lstrip("."), True
        for old_item, new_item in zip(
            left.branches("prefixItems"), right.branches("prefixItems"), strict=False
        ):
            yield (old_item,), (new_item,), f"{path}[]", True
        for old_branch, new_branch in self._branches(left, right):
            yield (old_branch,), (new_branch,), path, False

    def _branches(self, left: View, right: View) -> Iterator[tuple[str, str]]:
        """Pair the branches of unions by content, then by name and title, then by position."""
        mine = (left.branches("oneOf") or left.branches("anyOf"))[:BRANCHES_MAX]
        theirs = (right.branches("oneOf") or right.branches("anyOf"))[:BRANCHES_MAX]
        for alike in (self._alike, self._named, self._titled):
            for old in list(mine):
                new = next((t for t in theirs if alike(old, t)), None)
                if new is not None:
                    mine.remove(old)
                    theirs.remove(new)
                    yield old, new
        if len(mine) == len(theirs):
            yield from zip(mine, theirs, strict=True)

    def _alike(self, old: str, new: str) -> bool:
        return self._same.same(self._left.settled(old), self._right.settled(new))

    def _named(self, old: str, new: str) -> bool:
        target = self._left.settled(old)
        return target != old and target == self._right.settled(new)

    def _titled(self, old: str, new: str) -> bool:
        title = self._left.view((old,)).words.get("title")
        return title is not None and title == self._right.view((new,)).words.get("title")

    def _name(self, old: Pointers, new: Pointers) -> None:
        """Remember under which component names two schemas met."""
        if len(old) == len(new) == 1:
            left, right = self._left.settled(old[0]), self._right.settled(new[0])
            if left != right:
                self.met[left, right] = None

    def _spread(self, order: list[Key]) -> None:
        """Give every pair the operations of the pairs above it."""
        todo = deque(order)
        waiting = set(order)
        while todo:
            key = todo.popleft()
            waiting.discard(key)
            mask = self._known[key].mask
            for child in self._known[key].below:
                known = self._known[child]
                if known.mask | mask != known.mask:
                    known.mask |= mask
                    if child not in waiting:
                        waiting.add(child)
                        todo.append(child)
