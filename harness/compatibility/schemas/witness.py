"""Confirms gaps: makes the smallest value that shows one, and lifts it to a whole body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from harness.compatibility.schemas.containment import Containment, Pair
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.samples import NoValueError, Sampler
from harness.compatibility.schemas.shrinking import smaller
from harness.compatibility.schemas.side import Node, Side
from harness.compatibility.schemas.texts import matching
from harness.model.values import Json

CANDIDATES_MAX = 100

Step = tuple[str, ...]
WithMember = Callable[[Node, str, Json], Json]
Path = tuple[tuple[Pair, Step], ...]


class Confirmation:
    """A value of the whole body that the writer may send and the reader cannot take."""

    __slots__ = ("value",)

    def __init__(self, value: Json) -> None:
        """Hold the value; ``None`` is a value too."""
        self.value = value


def name_like(pattern: str) -> str:
    """Return a member name of a pattern. Raises :class:`NoValueError` when none was found."""
    found = matching((pattern,), 0, None)
    if not found:
        raise NoValueError
    return min(found, key=lambda name: (len(name), name))


class Confirmer:
    """Looks for witnesses in one direction of one comparison."""

    def __init__(self, containment: Containment) -> None:
        """Use the two sides of this containment."""
        self._containment = containment
        self._sampler = sampler = Sampler(containment.writer)
        self._makers: dict[str, Callable[[Node, Json], Json]] = {
            "any": lambda node, _: sampler.minimal(node),
            "without": sampler.without,
            "with": self._with_member,
            "extra": self._with_extra,
            "type": sampler.of_type,
            "size": lambda node, size: sampler.of_size(node, size[0], size[1]),
            "length": lambda node, length: sampler.of_size(node, "array", length),
            "twins": lambda node, _: sampler.twins(node),
        }

    def confirm(self, root: Pair, path: Path, pair: Pair, gap: Gap) -> Confirmation | None:
        """Return a value confirmed against both full schemas of ``root``, or ``None``.

        ``path`` leads from the root to ``pair``, where the gap is.
        """
        algebra = self._containment.algebra
        sends = algebra.writer_test(root.writer)
        takes = algebra.reader_test(root.reader, wire=root.wire)
        if sends is None or takes is None:
            return None
        refuses = None if pair.wire else algebra.near_test(pair.reader)
        for value in islice(self._candidates(pair, gap), CANDIDATES_MAX):
            if refuses is not None and refuses(value):
                continue  # it shows something, but not this gap
            for with_member in (self._sampler.with_member, self._found_with_member):
                try:
                    body = self._lift(path, value, with_member)
                except (NoValueError, LookupError):
                    continue
                if sends(body) and not takes(body):
                    places = [step for _, step in path if step]
                    return Confirmation(smaller(body, places, lambda v: sends(v) and not takes(v)))
        return None

    def _lift(self, path: Path, value: Json, with_member: WithMember) -> Json:
        for pair, step in reversed(path):
            if not step:
                continue
            if step[0] == "property":
                value = with_member(pair.writer, step[1], value)
            elif step[0] == "pattern":
                value = with_member(pair.writer, name_like(step[1]), value)
            elif step[0] == "extra":
                value = self._sampler.with_extra(pair.writer, value)
            else:
                value = self._sampler.with_item(pair.writer, int(step[1]), value)
        return value

    def _found_with_member(self, node: Node, name: str, value: Json) -> Json:
        """Return an object of a schema that only the search for values can keep."""
        found = self._containment.proofs.example(node, (name,))
        if not isinstance(found, dict):
            raise NoValueError
        return {**found, name: value}

    def _candidates(self, pair: Pair, gap: Gap) -> Iterator[Json]:
        for kind, argument in gap.hints:
            yield from self._follow(pair, kind, argument)
        if gap.hints:
            yield from islice(self._sampler.variants(pair.writer), CANDIDATES_MAX // 2)
            answer = self._containment.proofs.whole(pair.writer, pair.reader)
            if answer.holds is False:
                yield answer.value
            yield from islice(self._difference(pair), CANDIDATES_MAX // 2)

    def _difference(self, pair: Pair) -> Iterator[Json]:
        rest = self._containment.algebra.difference(pair.writer, pair.reader)
        if rest is not None:
            side = Side(rest, dropped="", writer=True, closed=False)
            yield from Sampler(side).variants(side.node(""))

    def _follow(self, pair: Pair, kind: str, argument: Json) -> Iterator[Json]:
        make = self._makers.get(kind)
        if kind == "value":
            yield argument
        elif make is not None:
            try:
                yield make(pair.writer, argument)
            except NoValueError:
                return

    def _with_member(self, node: Node, name: str) -> Json:
        side = self._containment.writer
        member = side.property_node(side.shape(node), name)
        if member is None:
            raise NoValueError
        return self._sampler.with_member(node, name, self._sampler.minimal(member))

    def _with_extra(self, node: Node, _argument: Json) -> Json:
        side = self._containment.writer
        rest = side.rest_node(side.shape(node))
        if rest is None:
            raise NoValueError
        return self._sampler.with_extra(node, self._sampler.minimal(rest))
