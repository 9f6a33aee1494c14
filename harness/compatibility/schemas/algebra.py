"""Self-contained schema documents for one node, and what jsonschema-rs proves about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs
from jsonschema_rs import Draft202012, Draft202012Validator

from harness.compatibility.keywords import is_annotation, reference
from harness.compatibility.side import Node, Shape, Side, Union, choices_made
from harness.compatibility.wire import readings
from harness.model.values import Json, pointer

Test = Callable[[Json], bool]
# Schemas above this size are not handed to the algebra: shared references make it slow.
DEFINITIONS_MAX = 40

_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_SCHEMAS = (
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas")


class Document:
    """Copies what a node reaches into one schema with ``$defs``, the writer's side closed.

    Three variants of a schema exist: ``p`` stands at a place of its own and is closed, ``m`` is a
    part of such a place, ``o`` is open all the way down.
    """

    def __init__(self, side: Side, node: Node, *, closed: bool = True) -> None:
        """Prepare the copy of ``node``; ``closed`` false leaves a closed writer open."""
        self._side = side
        self._closed_writer = side.closed and closed
        # Whether the copy may allow less, or (a reference leads nowhere) more, than the node.
        self.exact = True
        self._decided = choices_made(node)
        self._node = node
        self._names: dict[tuple[str, str], str] = {}
        self._todo: list[tuple[str, str]] = []

    def build(self, limit: int | None = None) -> dict[str, Any] | None:
        """Return the schema; ``None`` when it needs more than ``limit`` definitions."""
        variant = "m" if self._closed_writer else "o"
        top: dict[str, Any] = {"allOf": [self._use(variant, p) for p in self._node.pointers]}
        if self._closed_writer:
            self._mind_overlaps(self._node)
        if self._closed_writer and self._side.closes(self._side.shape(self._node)):
            top |= _closing(self._side.shape(self._node))
        elif self._closed_writer and len(self._node.pointers) == 1 and not self._node.choices:
            top = {"allOf": [self._use("p", self._node.pointers[0])]}
        definitions: dict[str, Any] = {}
        while self._todo:
            variant, where = self._todo.pop()
            definitions[self._names[variant, where]] = self._copy(variant, where)
            if limit is not None and len(self._names) > limit:
                return None
        return {**top, "$defs": definitions}

    def _use(self, variant: str, where: str) -> dict[str, str]:
        key = (variant, where)
        if key not in self._names:
            self._names[key] = f"d{len(self._names)}"
            self._todo.append(key)
        return {"$ref": f"#/$defs/{self._names[key]}"}

    def _copy(self, variant: str, where: str) -> Json:
        schema = self._side.at(where)
        if not isinstance(schema, Mapping):
            self.exact = self.exact and schema is not None
            return schema is not False
        if variant == "p":
            return self._closed(where, schema)
        copy: dict[str, Any] = {
            k: v for k, v in schema.items() if not is_annotation(k) and k not in _NOT_COPIED
        }
        place = "p" if variant == "m" else "o"
        following = reference(schema)
        if following is not None:
            copy["$ref"] = self._use(variant, following)["$ref"]
            self.exact = self.exact and not self._side.leads_back(following)
        elif "$ref" in schema:
            self.exact = False
        self._copy_lists(variant, where, schema, copy)
        if schema.get("format") == "int32":
            copy["allOf"] = [*copy.get("allOf", []), _INT32]
        self._copy_schemas(place, where, schema, copy)
        self._drop(where, schema, copy)
        self._decide(where, copy)
        return copy

    def _copy_lists(
        self, variant: str, where: str, schema: Mapping[str, Json], copy: dict[str, Any]
    ) -> None:
        for keyword in _LISTS:
            if isinstance(schema.get(keyword), list):
                inner = ("p" if variant == "m" else "o") if keyword == "prefixItems" else variant
                copy[keyword] = [
                    self._use(inner, f"{where}/{keyword}/{i}") for i in range(len(schema[keyword]))
                ]

    def _copy_schemas(
        self, place: str, where: str, schema: Mapping[str, Json], copy: dict[str, Any]
    ) -> None:
        for keyword in (*_SCHEMAS, "items", "additionalProperties"):
            if isinstance(schema.get(keyword), Mapping | bool):
                inner = "o" if keyword in _SCHEMAS else place
                copy[keyword] = self._use(inner, f"{where}/{keyword}")
        for keyword in _MAPS:
            if isinstance(schema.get(keyword), Mapping):
                inner = "o" if keyword == "dependentSchemas" else place
                copy[keyword] = {
                    n: self._use(inner, where + pointer(keyword, n)) for n in schema[keyword]
                }

    def _closed(self, where: str, schema: Mapping[str, Json]) -> Json:
        following = reference(schema)
        if following is not None and all(k == "$ref" or is_annotation(k) for k in schema):
            return self._use("p", following)
        shape = self._side.shape(Node((where,)))
        self._mind_overlaps(Node((where,)))
        part = self._use("m", where)
        if self._side.closes(shape):
            return {**part, **_closing(shape)}
        if len(shape.unions) == 1 and shape.unions[0].pointer == where and not shape.names:
            union = shape.unions[0]
            rest = {k for k in schema if k != union.keyword and not is_annotation(k)}
            if union.keyword == "anyOf":
                # A value may match several branches, so the branches are not closed one by one.
                return {**part, "unevaluatedProperties": False} if self._all_close(union) else part
            if rest <= {"type"}:
                branches = [self._use("p", union.branch(i)) for i in range(union.branches)]
                kept = {"type": schema["type"]} if "type" in rest else {}
                return {union.keyword: branches, **kept}
        return part

    def _all_close(self, union: Union) -> bool:
        shapes = [self._side.shape(self._side.node(union.branch(i))) for i in range(union.branches)]
        return all("object" not in s.types or self._side.closes(s) for s in shapes)

    def _mind_overlaps(self, node: Node) -> None:
        """Notice places that several members describe: each is closed alone, which is too much."""
        if self.exact and any(_overlap(pool) for pool in self._pools(node)):
            self.exact = False

    def _pools(self, node: Node) -> list[list[Mapping[str, Json]]]:
        """Return the groups of schemas that may all describe the same value."""
        shape = self._side.shape(node)
        common = [schema for _, schema in shape.members]
        pools = [common]
        for union in shape.unions[:8]:
            inner = [
                self._side.shape(self._side.node(union.branch(i))) for i in range(union.branches)
            ]
            groups = [[schema for _, schema in s.members] for s in inner]
            if union.keyword == "anyOf" or any(s.unions for s in inner):
                groups = [[schema for group in groups for schema in group]]
            pools = [[*pool, *group] for pool in pools for group in groups][:64]
        return pools

    def _drop(self, where: str, schema: Mapping[str, Json], copy: dict[str, Any]) -> None:
        declared = schema.get("properties")
        names = set(declared) if isinstance(declared, Mapping) else set()
        required = schema.get("required")
        for name in sorted(names):
            if self._side.flagged(where + pointer("properties", name)):
                copy["properties"][name] = not self._side.writer
                if isinstance(required, list):
                    copy["required"] = [r for r in copy["required"] if r != name]

    def _decide(self, where: str, copy: dict[str, Any]) -> None:
        for keyword in ("anyOf", "oneOf"):
            chosen = self._decided.get((where, keyword))
            if chosen is not None and keyword in copy:
                branches = copy.pop(keyword)
                kept = [branches[branch] for branch in chosen if branch >= 0]
                if kept:
                    copy["allOf"] = [*copy.get("allOf", []), *kept]


_NOT_COPIED = frozenset({"$id", "$anchor", "$dynamicAnchor", "$schema", "$defs", "definitions"})


def _closing(shape: Shape) -> dict[str, Any]:
    """Close an object; a name that is required counts as declared."""
    undeclared = sorted(shape.required - shape.names.keys())
    closing: dict[str, Any] = {"unevaluatedProperties": False}
    if undeclared:
        closing["properties"] = dict.fromkeys(undeclared, True)
    return closing


def _overlap(pool: list[Mapping[str, Json]]) -> bool:
    """Say whether two schemas of one value describe the same member or item."""
    names: dict[str, Json] = {}
    speakers = [s for s in pool if any(isinstance(s.get(k), Mapping | list) for k in _CHILDREN)]
    if len(speakers) > 1 and any(isinstance(s.get(k), Mapping) for s in speakers for k in _BROAD):
        return True
    for schema in speakers:
        declared = schema.get("properties")
        for name, member in declared.items() if isinstance(declared, Mapping) else ():
            if (
                name in names
                and names[name] != member
                and not (_plain(member) or _plain(names[name]))
            ):
                return True
            names[name] = member
    return False


def _plain(schema: Json) -> bool:
    """Say whether a schema surely has no members or items of its own."""
    if not isinstance(schema, Mapping):
        return True
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return "enum" in schema or "const" in schema or not {"object", "array"} & set(map(str, kinds))


_CHILDREN = ("properties", "patternProperties", "additionalProperties", "items", "prefixItems")
_BROAD = ("patternProperties", "additionalProperties", "items")


def compiled(side: Side, node: Node, *, closed: bool = True) -> Test | None:
    """Return a validator of the node with formats asserted; ``None`` when it cannot be built."""
    schema = Document(side, node, closed=closed).build()
    if schema is None:
        return None
    try:
        return Draft202012Validator(schema, validate_formats=True).is_valid
    except (ValueError, jsonschema_rs.ReferencingError):
        return None


class Algebra:
    """What can be asked of jsonschema-rs about the two sides."""

    def __init__(self, writer: Side, reader: Side) -> None:
        """Remember both sides; tests and proofs are made on demand."""
        self.writer = writer
        self.reader = reader
        self._tests: dict[tuple[bool, Node], Test | None] = {}
        self._covers: dict[tuple[Node, Node], bool] = {}
        self._open_tests: dict[Node, Test | None] = {}
        self._readable: dict[Node, bool] = {}

    def writer_test(self, node: Node) -> Test | None:
        """Return the validator of a writer's node, closed, and as written as well."""
        closed, written = self._test(self.writer, node, is_writer=True), self.written_test(node)
        if closed is None or written is None or not self.writer.closed:
            return closed
        return lambda value: written(value) and closed(value)

    def written_test(self, node: Node) -> Test | None:
        """Return the validator of a writer's node as written: it takes at least what is sent."""
        if node not in self._open_tests:
            self._open_tests[node] = compiled(self.writer, node, closed=False)
        return self._open_tests[node]

    def reader_test(self, node: Node, *, wire: str = "") -> Test | None:
        """Return the validator of a reader's node; on the wire any reading of the text may pass."""
        test = self._test(self.reader, node, is_writer=False)
        if test is None or not wire:
            return test
        return lambda value: any(test(v) for v in readings(value))

    def reader_is_readable(self, node: Node) -> bool:
        """Say whether a test of this node may prove a yes: every reference leads somewhere."""
        if node not in self._readable:
            copy = Document(self.reader, node)
            self._readable[node] = copy.build() is not None and copy.exact
        return self._readable[node]

    def covers(self, writer: Node, reader: Node) -> bool:
        """Say whether the algebra proves that the reader takes everything of the writer."""
        key = (writer, reader)
        if key not in self._covers:
            self._covers[key] = self._prove(writer, reader)
        return self._covers[key]

    def difference(self, writer: Node, reader: Node) -> dict[str, Any] | None:
        """Return a schema of what the writer may send and the reader does not take, if found."""
        both = self._canonical(writer, reader)
        if both is None:
            return None
        try:
            rest = both[0].subtract(both[1]).to_json_schema()
        except (ValueError, jsonschema_rs.ReferencingError):
            return None
        return rest if isinstance(rest, dict) else None

    def _canonical(self, writer: Node, reader: Node) -> tuple[Any, Any] | None:
        copies = Document(self.writer, writer), Document(self.reader, reader)
        mine, theirs = (copy.build(DEFINITIONS_MAX) for copy in copies)
        if mine is None or theirs is None or not all(copy.exact for copy in copies):
            return None
        try:
            left = jsonschema_rs.canonicalize(mine, draft=Draft202012, validate_formats=True)
            right = jsonschema_rs.canonicalize(theirs, draft=Draft202012, validate_formats=True)
        except (ValueError, jsonschema_rs.ReferencingError):
            return None
        return left, right

    def _test(self, side: Side, node: Node, *, is_writer: bool) -> Test | None:
        key = (is_writer, node)
        if key not in self._tests:
            self._tests[key] = compiled(side, node)
        return self._tests[key]

    def _prove(self, writer: Node, reader: Node) -> bool:
        both = self._canonical(writer, reader)
        if both is None:
            return False
        try:
            return bool(both[1].covers(both[0]).value == "yes")
        except (ValueError, jsonschema_rs.ReferencingError):
            return False
