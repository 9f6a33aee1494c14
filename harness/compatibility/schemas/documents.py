"""Self-contained schema documents: what a node reaches, copied into one schema with ``$defs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.compatibility.schemas.formats import NUMERIC
from harness.compatibility.schemas.keywords import is_annotation, reference
from harness.compatibility.schemas.shapes import Shape, Union
from harness.compatibility.schemas.side import Node, Side, choices_made
from harness.model.values import Json, pointer

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

    def __init__(
        self, side: Side, node: Node, *, closed: bool = True, scalar: bool = False
    ) -> None:
        """Prepare the copy of ``node``; ``closed`` false leaves a closed writer open.

        A ``scalar`` copy leaves out what only speaks of members and items, and so stays small.
        """
        self._side = side
        self._left_out = _OF_CONTAINERS if scalar else frozenset()
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
            k: v
            for k, v in schema.items()
            if not is_annotation(k) and k not in _NOT_COPIED and k not in self._left_out
        }
        place = "p" if variant == "m" else "o"
        following = reference(schema)
        if following is not None:
            copy["$ref"] = self._use(variant, following)["$ref"]
            self.exact = self.exact and not self._side.leads_back(following)
        elif "$ref" in schema:
            self.exact = False
        self._copy_lists(variant, where, schema, copy)
        numeric = NUMERIC.get(str(schema.get("format")))
        if numeric is not None:
            ends = {"minimum": numeric.low.to_json(), "maximum": numeric.high.to_json()}
            copy["allOf"] = [*copy.get("allOf", []), ends]
        self._copy_schemas(place, where, schema, copy)
        self._drop(where, schema, copy)
        self._decide(where, copy)
        return copy

    def _copy_lists(
        self, variant: str, where: str, schema: Mapping[str, Json], copy: dict[str, Any]
    ) -> None:
        for keyword in _LISTS:
            if keyword in copy and isinstance(schema[keyword], list):
                inner = ("p" if variant == "m" else "o") if keyword == "prefixItems" else variant
                copy[keyword] = [
                    self._use(inner, f"{where}/{keyword}/{i}") for i in range(len(schema[keyword]))
                ]

    def _copy_schemas(
        self, place: str, where: str, schema: Mapping[str, Json], copy: dict[str, Any]
    ) -> None:
        for keyword in (*_SCHEMAS, "items", "additionalProperties"):
            if keyword in copy and isinstance(schema[keyword], Mapping | bool):
                inner = "o" if keyword in _SCHEMAS else place
                copy[keyword] = self._use(inner, f"{where}/{keyword}")
        for keyword in _MAPS:
            if keyword in copy and isinstance(schema[keyword], Mapping):
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
        declared = schema.get("properties") if "properties" in copy else None
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


_OF_CONTAINERS = frozenset(
    {"properties", "patternProperties", "additionalProperties", "propertyNames", "items"}
    | {"prefixItems", "contains", "dependentSchemas", "dependentRequired", "required"}
    | {"unevaluatedProperties", "unevaluatedItems"}
)
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
