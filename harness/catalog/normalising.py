"""The whole document again, at the same pointers, with every schema in JSON Schema 2020-12.

The walk knows where schemas stand (so examples and defaults are never touched) and keeps its own
stack (so depth costs no recursion). A ``$ref`` is never inlined: its target is rewritten in place,
also when it stands where no schema would be expected.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from harness.catalog.references import (
    UNRESOLVED,
    Linked,
    reference_pointer,
    reference_to,
    step,
)
from harness.catalog.schema_keywords import (
    MODERN,
    ONE_SCHEMA,
    SCHEMA_LIST,
    SCHEMA_MAP,
    is_usable_pattern,
    rewrite_keywords,
)
from harness.model.contract import Dialect, Problem
from harness.model.values import Json, JsonObject, pointer_tokens, walk

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# kind -> member -> (shape, kind of what is inside); shape "one", "list" or "map"
_OPERATIONS = dict.fromkeys(METHODS, ("one", "operation"))
_OPENAPI: dict[str, dict[str, tuple[str, str]]] = {
    "document": {
        "paths": ("map", "path"),
        "webhooks": ("map", "path"),
        "components": ("one", "components"),
    },
    "components": {
        "schemas": ("map", "schema"),
        "responses": ("map", "response"),
        "parameters": ("map", "parameter"),
        "requestBodies": ("map", "body"),
        "headers": ("map", "parameter"),
        "callbacks": ("map", "callback"),
        "pathItems": ("map", "path"),
    },
    "path": {"parameters": ("list", "parameter"), **_OPERATIONS},
    "operation": {
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "body"),
        "responses": ("map", "response"),
        "callbacks": ("map", "callback"),
    },
    "parameter": {"schema": ("one", "schema"), "content": ("map", "media")},
    "body": {"content": ("map", "media")},
    "media": {"schema": ("one", "schema"), "encoding": ("map", "encoding")},
    "encoding": {"headers": ("map", "parameter")},
    "response": {"headers": ("map", "parameter"), "content": ("map", "media")},
}
_SWAGGER: dict[str, dict[str, tuple[str, str]]] = {
    "document": {
        "paths": ("map", "path"),
        "definitions": ("map", "schema"),
        "parameters": ("map", "plain parameter"),
        "responses": ("map", "response"),
    },
    "path": {"parameters": ("list", "plain parameter"), **_OPERATIONS},
    "operation": {
        "parameters": ("list", "plain parameter"),
        "responses": ("map", "response"),
    },
    "body parameter": {"schema": ("one", "schema")},
    "response": {"schema": ("one", "schema"), "headers": ("map", "header")},
}
# What a reference may stand for as a whole. A path item keeps its own members beside one; a stray
# ``$ref`` in any other part means nothing, and must not take the part away.
_REFERABLE = frozenset({"response", "parameter", "body", "callback", "body parameter"})
_NOT_SCHEMA = frozenset({"name", "in", "required", "collectionFormat", "allowEmptyValue"})


_NOTHING = object()
_SCHEMA_LIKE = frozenset({"schema", "header", "plain parameter"})


@dataclass(slots=True)
class _Task:
    node: Json
    kind: str
    here: str
    holder: Any
    key: Any


class Normaliser:
    """Rewrites one linked document; ``problems`` says what could not be kept."""

    def __init__(self, linked: Linked, dialect: Dialect) -> None:
        """Take the document; nothing is rewritten yet."""
        self._linked = linked
        self._dialect = dialect
        self._kinds = _SWAGGER if dialect is Dialect.SWAGGER_2_0 else _OPENAPI
        self._tasks: list[_Task] = []
        self._seen: set[tuple[str, str]] = set()
        self._wanted: deque[tuple[str, str]] = deque()
        self._resolvable: dict[str, bool] = {}
        self._out: dict[str, Any] = {}
        self._asked: dict[tuple[str, str], list[str]] = {}
        self._first: dict[str, str] = {}
        self._around: set[str] = set()
        self.problems: list[Problem] = []

    def run(self) -> dict[str, Any]:
        """Return the rewritten document; the original stays as it is."""
        holder: dict[str, Any] = {}
        kind = "schema" if self._dialect is Dialect.JSON_SCHEMA else "document"
        self._drain(_Task(self._linked.document, kind, "", holder, "root"))
        self._out = holder["root"]
        while self._wanted:
            kind, here = self._wanted.popleft()
            if (kind, here) not in self._seen and (
                self._is_something_else(kind, here) or not self._reach(kind, here)
            ):
                self._mark_lost(kind, here)
        return self._out

    def _is_something_else(self, kind: str, here: str) -> bool:
        """Say whether a place was rewritten as another kind of thing, or holds such things.

        A reference that takes an operation for a schema must not make one of it.
        """
        if not self._around:
            for place in list(self._first):
                above = place
                while above and above.rpartition("/")[0] not in self._around:
                    above = above.rpartition("/")[0]
                    self._around.add(above)
            self._around.add("")
        first = self._first.get(here)
        if first is None:
            return here in self._around
        return first != kind and not {first, kind} <= _SCHEMA_LIKE

    def _mark_lost(self, kind: str, target: str) -> None:
        """Mark references to what cannot stand for what is asked for, or was left out."""
        for here in self._asked.pop((kind, target), ()):
            node = _part(self._out, *pointer_tokens(here))
            if isinstance(node, dict) and "$ref" in node:
                reference = node.pop("$ref")
                node[UNRESOLVED] = reference
                text = f"{reference!r:.80} cannot stand for what is expected here"
                self._complain(here, text)

    def _drain(self, first: _Task) -> None:
        self._tasks.append(first)
        while self._tasks:
            task = self._tasks.pop()
            self._seen.add((task.kind, task.here))
            if not self._around:  # later, what only references lead to may be rewritten again
                self._first[task.here] = task.kind
            if task.kind in _SCHEMA_LIKE:
                self._schema_like(task)
            else:
                self._structure(task)

    def _reach(self, kind: str, here: str) -> bool:
        """Rewrite something only a reference leads to; containers on the way are copied first.

        False where the way leads through something that was left out.
        """
        tokens = pointer_tokens(here)
        holder: Any = self._out
        for token in tokens[:-1]:
            inner = _part(holder, token)
            if not isinstance(inner, dict | list):
                return False
            copied = dict(inner) if isinstance(inner, dict) else list(inner)
            holder[int(token) if isinstance(holder, list) else token] = copied
            holder = copied
        if _part(holder, tokens[-1]) is _NOTHING:
            return False
        last = int(tokens[-1]) if isinstance(holder, list) else tokens[-1]
        self._drain(_Task(self._linked.find(here), kind, here, holder, last))
        return True

    def _structure(self, task: _Task) -> None:
        node = task.node
        if not isinstance(node, dict):
            task.holder[task.key] = node
            return
        if isinstance(node.get("$ref"), str) and task.kind in _REFERABLE:
            task.holder[task.key] = self._reference(node, task.kind, task.here)
            return
        new: dict[str, Any] = dict(node)
        task.holder[task.key] = new
        if isinstance(node.get("$ref"), str) and task.kind == "path":
            new.update(self._reference(node, task.kind, task.here))
        members = self._kinds.get(task.kind, {})
        if task.kind == "callback":
            members = {k: ("one", "path") for k in node if not k.startswith("x-")}
        for name, (shape, kind) in members.items():
            if name in node:
                self._member(new, name, shape, kind, task.here + step(name))

    def _member(self, new: dict[str, Any], name: str, shape: str, kind: str, here: str) -> None:
        value = new[name]
        if shape == "one":
            self._tasks.append(_Task(value, kind, here, new, name))
        elif shape == "map" and isinstance(value, dict):
            inner = new[name] = dict(value)
            for key, child in value.items():
                if not (key.startswith("x-") and kind in {"path", "response"}):
                    self._tasks.append(_Task(child, kind, here + step(key), inner, key))
        elif shape == "list" and isinstance(value, list):
            elements = new[name] = list(value)
            for index, child in enumerate(value):
                self._tasks.append(_Task(child, kind, f"{here}/{index}", elements, index))

    def _reference(self, node: dict[str, Any], kind: str, here: str) -> dict[str, Any]:
        reference: str = node["$ref"]
        if reference not in self._resolvable:
            target = reference_pointer(reference)
            self._resolvable[reference] = (
                target is not None
                and self._linked.has(target)
                and not self._linked.is_circular(node, here)
            )
        if not self._resolvable[reference]:
            return {UNRESOLVED: reference}
        target = reference_pointer(reference) or ""
        if (kind, target) not in self._seen:
            self._asked.setdefault((kind, target), []).append(here)
            self._wanted.append((kind, target))
        return {"$ref": reference_to(target)}

    def _schema_like(self, task: _Task) -> None:
        node = task.node
        if task.kind == "schema" or not isinstance(node, dict):
            self._schema(task, node)
        elif isinstance(node.get("$ref"), str):
            task.holder[task.key] = self._reference(node, task.kind, task.here)
        elif task.kind == "plain parameter" and node.get("in") == "body":
            task.kind = "body parameter"
            self._structure(task)
        else:
            self._schema(task, {k: v for k, v in node.items() if k not in _NOT_SCHEMA})

    def _schema(self, task: _Task, node: Json) -> None:
        if isinstance(node, bool):
            task.holder[task.key] = node
            return
        if not isinstance(node, dict):
            self._complain(task.here, f"a schema is an object, not {node!r:.40}")
            task.holder[task.key] = {UNRESOLVED: "schema"}
            return
        new: dict[str, Any] = {}
        task.holder[task.key] = new
        if isinstance(node.get("$ref"), str):
            new.update(self._reference(node, "schema", task.here))
            if self._dialect not in MODERN:
                return
            node = {k: v for k, v in node.items() if k != "$ref"}
        rewritten = rewrite_keywords(node, self._dialect)
        for keyword, message in rewritten.complaints:
            self._complain(task.here + step(keyword), message)
        new.update(rewritten.schema)
        for key in node:
            if (key in new and new[key] is None) or (
                key == "definitions" and isinstance(node[key], dict)
            ):
                self._inner(new, key, node[key], task.here + step(key))

    def _inner(self, new: dict[str, Any], key: str, value: Json, here: str) -> None:
        if key in ONE_SCHEMA:
            self._tasks.append(_Task(value, "schema", here, new, key))
        elif key in SCHEMA_LIST:
            new[key] = [None] * len(value)
            for index, child in enumerate(value):
                self._tasks.append(_Task(child, "schema", f"{here}/{index}", new[key], index))
        elif (key in SCHEMA_MAP or key == "definitions") and isinstance(value, dict):
            inner = new[key] = dict.fromkeys(value)
            for name, child in value.items():
                if key == "patternProperties" and not is_usable_pattern(name):
                    del inner[name]
                    new[UNRESOLVED] = key
                    self._complain(here + step(name), f"{name!r} is not a usable pattern")
                    continue
                self._tasks.append(_Task(child, "schema", here + step(name), inner, name))

    def _complain(self, here: str, message: str) -> None:
        self.problems.append(Problem("unusable-schema", message, here))


def _part(holder: Any, *tokens: str) -> Any:
    try:
        return walk(holder, tokens)
    except LookupError:
        return _NOTHING


def normalise(linked: Linked, dialect: Dialect) -> tuple[dict[str, Any], list[Problem]]:
    """Return :attr:`Contract.schemas` for a linked document, and what could not be kept."""
    normaliser = Normaliser(linked, dialect)
    schemas = normaliser.run()
    return schemas, sorted(set_aside(normaliser.problems), key=lambda p: (p.pointer, p.message))


def set_aside(problems: list[Problem]) -> list[Problem]:
    """Return each problem once: a part reached in two ways complains twice."""
    return list({(p.pointer, p.message): p for p in problems}.values())


def put_schema(schemas: JsonObject, operation: str, name: str, schema: JsonObject) -> str:
    """Add a synthetic member to an operation of the rewritten document; return its pointer."""
    holder = walk(schemas, pointer_tokens(operation))
    holder[name] = dict(schema)
    return operation + step(name)
