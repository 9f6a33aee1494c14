"""Makes small values of a schema: the smallest one, and telling variants of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from harness.compatibility.schemas import numbers
from harness.compatibility.schemas.keywords import type_of
from harness.compatibility.schemas.shapes import Shape
from harness.compatibility.schemas.side import Node, Side
from harness.compatibility.schemas.sizes import PARTS_MADE_MAX, TEXT_MADE_MAX, too_large
from harness.compatibility.schemas.texts import FORMAT_SAMPLES, matching
from harness.model.values import Json

DEPTH_MAX = 14
CASES_TRIED = 12
_ORDER = ("null", "boolean", "integer", "fraction", "string", "array", "object")


class NoValueError(Exception):
    """No value of the schema could be made."""


class Sampler:
    """Makes values of one side's schemas; the same schema always gives the same values."""

    def __init__(self, side: Side) -> None:
        """Make values of this side."""
        self._side = side
        self._minimal: dict[Node, Json] = {}
        self._impossible: set[Node] = set()

    def minimal(self, node: Node, depth: int = 0) -> Json:
        """Return the smallest value found. Raises :class:`NoValueError`."""
        if node in self._minimal:
            return self._minimal[node]
        if depth > DEPTH_MAX or node in self._impossible:
            raise NoValueError
        try:
            value = self._make(node, depth)
        except NoValueError:
            if depth == 0:
                self._impossible.add(node)
            raise
        self._minimal[node] = value
        return value

    def variants(self, node: Node, depth: int = 0) -> Iterator[Json]:
        """Yield different values of the node, simple ones first."""
        shape = self._side.shape(node)
        if shape.unions:
            union = shape.unions[0]
            for index in range(min(union.branches, CASES_TRIED)):
                case = node.choosing(union.pointer, union.keyword, index)
                yield from islice(self.variants(case, depth + 1), CASES_TRIED)
            return
        try:
            yield self.minimal(node, depth)
        except NoValueError:
            return
        if shape.enum is not None:
            yield from shape.enum
            return
        for kind in _ORDER:
            if kind in shape.types:
                yield from self._variants_of(node, shape, kind, depth)

    def with_member(self, node: Node, name: str, value: Json) -> Json:
        """Return a small object of the node that has this member."""
        return {**self._object(node, self._side.shape(node), 0), name: value}

    def without(self, node: Node, name: str) -> Json:
        """Return a small object of the node that lacks this member."""
        made = self._object(node, self._side.shape(node), 0)
        made.pop(name, None)
        return made

    def with_extra(self, node: Node, value: Json) -> Json:
        """Return a small object with one undeclared member."""
        return self.with_member(node, _unused(self._side.shape(node)), value)

    def with_item(self, node: Node, index: int, value: Json) -> Json:
        """Return a small array of the node with this item at ``index``."""
        shape = self._side.shape(node)
        length = max(index + 1, shape.floors.get("minItems", 0))
        made = self._array(node, shape, length, 0)
        made[index] = value
        return made

    def of_type(self, node: Node, kind: str) -> Json:
        """Return a value of this atomic type. Raises :class:`NoValueError`."""
        shape = self._side.shape(node)
        if kind not in shape.types:
            raise NoValueError
        return self._of_kind(node, shape, kind, 0)

    def of_size(self, node: Node, kind: str, size: int) -> Json:
        """Return a string, array or object of this size. Raises :class:`NoValueError`."""
        _mind_size(size, kind)
        shape = self._side.shape(node)
        if kind == "string":
            return ("a" * size) if not shape.patterns else self._text(shape, size)
        if kind == "array":
            return self._array(node, shape, size, 0)
        made = self._object(node, shape, 0)
        for name in [*sorted(shape.names), *(f"k{i}" for i in range(size))]:
            if len(made) >= size:
                break
            member = self._side.property_node(shape, name)
            if member is not None and name not in made:
                made[name] = self.minimal(member, 1)
        return made

    def twins(self, node: Node) -> Json:
        """Return an array with the same item twice."""
        item = self._side.item_node(self._side.shape(node), 0)
        if item is None:
            raise NoValueError
        value = self.minimal(item, 1)
        size = max(2, self._side.shape(node).floors.get("minItems", 0))
        _mind_size(size, "array")
        return [value] * size

    def _make(self, node: Node, depth: int) -> Json:
        shape = self._side.shape(node)
        if shape.empty:
            raise NoValueError
        if shape.unions:
            union = shape.unions[0]
            for index in range(min(union.branches, CASES_TRIED)):
                try:
                    case = node.choosing(union.pointer, union.keyword, index)
                    return self.minimal(case, depth + 1)
                except NoValueError:
                    continue
            raise NoValueError
        if shape.enum is not None:
            fitting = [v for v in shape.enum if type_of(v) in shape.types]
            if not fitting:
                raise NoValueError
            return fitting[0]
        for kind in ("string", "integer", "boolean", "object", "array", "fraction", "null"):
            if kind in shape.types:
                try:
                    return self._of_kind(node, shape, kind, depth)
                except NoValueError:
                    continue
        raise NoValueError

    def _of_kind(self, node: Node, shape: Shape, kind: str, depth: int) -> Json:
        if kind == "null":
            return None
        if kind == "boolean":
            return False
        if kind in {"integer", "fraction"}:
            return self._number(shape, kind)
        if kind == "string":
            return self._text(shape, shape.floors.get("minLength", 0))
        if kind == "array":
            return self._array(node, shape, shape.floors.get("minItems", 0), depth)
        return self._object(node, shape, depth)

    def _number(self, shape: Shape, kind: str) -> Json:
        steps: list[Json] = list(shape.multiples)
        for value in (0, 0.5, *steps, *numbers.candidates(shape.low, shape.high)):
            if type_of(value) == kind and _in_range(shape, value):
                return value
        raise NoValueError

    def _text(self, shape: Shape, size: int) -> str:
        _mind_size(size, "string")
        for name in shape.formats:
            if name in FORMAT_SAMPLES:
                return FORMAT_SAMPLES[name][0]
        if shape.patterns:
            found = matching(shape.patterns, size, shape.ceilings.get("maxLength"))
            spelled = (s.get(k) for _, s in shape.members for k in ("default", "example"))
            found += [text for text in spelled if isinstance(text, str)]
            if not found:
                raise NoValueError
            return found[0]
        return "a" * max(size, min(1, shape.ceilings.get("maxLength", 1)))

    def _array(self, node: Node, shape: Shape, length: int, depth: int) -> list[Json]:
        _mind_size(length, "array")
        made: list[Json] = []
        for index in range(length):
            item = self._side.item_node(shape, index)
            if item is None:
                raise NoValueError
            if shape.unique and index >= 1:
                fresh = (v for v in self.variants(item, depth + 1) if v not in made)
                value = next(fresh, None)
                if value is None:
                    raise NoValueError
                made.append(value)
            else:
                made.append(self.minimal(item, depth + 1))
        if length > 1 and too_large(made):
            raise NoValueError
        return made

    def _object(self, node: Node, shape: Shape, depth: int) -> dict[str, Json]:
        made: dict[str, Json] = {}
        for name in sorted(shape.required):
            member = self._side.property_node(shape, name)
            if member is None:
                raise NoValueError
            made[name] = self.minimal(member, depth + 1)
        floor = shape.floors.get("minProperties", 0)
        _mind_size(floor, "object")
        for name in [*sorted(shape.names), *(f"k{i}" for i in range(floor))]:
            if len(made) >= floor:
                break
            member = self._side.property_node(shape, name)
            if member is not None:
                made.setdefault(name, self.minimal(member, depth + 1))
        return made

    def _variants_of(self, node: Node, shape: Shape, kind: str, depth: int) -> Iterator[Json]:
        if kind in {"null", "boolean"}:
            yield from [None] if kind == "null" else [False, True]
        elif kind in {"integer", "fraction"}:
            found = numbers.candidates(shape.low, shape.high)
            yield from (v for v in found if type_of(v) == kind and _in_range(shape, v))
        elif kind == "string":
            yield from self._texts(shape)
        elif kind == "array":
            for length in (0, 1, 2, 3):
                yield from self._try(lambda n=length: self._array(node, shape, n, depth))
            item = self._side.item_node(shape, 0)
            if item is not None and depth < 3:
                yield from ([v] for v in islice(self.variants(item, depth + 1), 8))
        else:
            yield from self._objects(node, shape, depth)

    def _texts(self, shape: Shape) -> Iterator[str]:
        if shape.patterns:
            yield from matching(shape.patterns, 0, shape.ceilings.get("maxLength"))
            return
        known = [f for f in shape.formats if f in FORMAT_SAMPLES]
        if known:
            yield from FORMAT_SAMPLES[known[0]]
            return
        low, high = shape.floors.get("minLength", 0), shape.ceilings.get("maxLength", 40)
        for text in ("", "a", "A", "0", "-", "a b", "aa", "~", "é", "x@y", "A" * 21):
            if low <= len(text) <= high:
                yield text
        if 0 < low <= 1000:
            yield "a" * low
        if high <= 1000:
            yield "a" * high

    def _objects(self, node: Node, shape: Shape, depth: int) -> Iterator[Json]:
        try:
            base = self._object(node, shape, depth)
        except NoValueError:
            return
        yield base
        full = dict(base)
        for name in sorted(shape.names):
            member = self._side.property_node(shape, name)
            if member is None or depth > 3:
                continue
            for value in islice(self.variants(member, depth + 2), 6):
                full.setdefault(name, value)
                yield {**base, name: value}
        yield full
        for name in sorted(full.keys() - shape.required):
            yield {k: v for k, v in full.items() if k != name}
        rest = self._side.rest_node(shape)
        if rest is not None:
            for value in islice(self.variants(rest, depth + 2), 4):
                yield {**base, _unused(shape): value}

    def _try(self, make: object) -> Iterator[Json]:
        try:
            yield make()  # type: ignore[operator]
        except NoValueError:
            return


def _mind_size(size: int, kind: str) -> None:
    """Refuse to make what a document may demand and no memory holds."""
    if not 0 <= size <= (TEXT_MADE_MAX if kind == "string" else PARTS_MADE_MAX):
        raise NoValueError


def _in_range(shape: Shape, value: Json) -> bool:
    number = numbers.exact(value)
    low, high = shape.low, shape.high
    if low and (number < low.value or (low.exclusive and number == low.value)):
        return False
    if high and (number > high.value or (high.exclusive and number == high.value)):
        return False
    return all(numbers.is_multiple(value, m) for m in shape.multiples)


def _unused(shape: Shape) -> str:
    name = "other"
    while name in shape.names:
        name += "_"
    return name
