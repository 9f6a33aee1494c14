"""From a linked document to operations: merged, resolved, with every default made explicit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.catalog.normalising import METHODS
from harness.catalog.operation_parts import FORM, Located, PartReader, members
from harness.catalog.operation_servers import listed_servers, swagger_servers
from harness.catalog.references import Linked
from harness.model.contract import Dialect, Operation, Problem, SecurityAlternative, Server
from harness.model.values import JsonObject, pointer

__all__ = ["FORM", "OperationReader"]


@dataclass(slots=True)
class OperationReader:
    """Reads the operations of one document; what is malformed is skipped and reported."""

    linked: Linked
    dialect: Dialect
    schemas: JsonObject
    problems: list[Problem] = field(default_factory=list)
    _parts: PartReader = field(init=False)
    _shared_servers: tuple[Server, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Share the list of problems with the reader of parts."""
        self._parts = PartReader(self.linked, self.dialect, self.schemas, self.problems)
        document = self.linked.document
        self._shared_servers = (
            swagger_servers(document) if self._swagger else listed_servers(document, "")
        )

    @property
    def _swagger(self) -> bool:
        return self.dialect is Dialect.SWAGGER_2_0

    def operations(self) -> tuple[Operation, ...]:
        """Return what callers may send."""
        return tuple(self._under("paths", incoming=False))

    def incoming(self) -> tuple[Operation, ...]:
        """Return what the provider sends: webhooks, then callbacks."""
        found = list(self._under("webhooks", incoming=True))
        if self._swagger:
            return ()
        for path, item, here in self._path_items("paths", ""):
            for method, (operation, at) in self._methods(item, here).items():
                for name, callback in members(operation, "callbacks"):
                    resolved = self._parts.resolve(callback, at + pointer("callbacks", name))
                    if resolved:
                        via = f"{method.upper()} {path} {name}"
                        found += self._callback(resolved, via)
        return tuple(found)

    def _callback(self, callback: Located, via: str) -> Iterator[Operation]:
        node, here = callback
        for expression, value in node.items():
            item = self._parts.resolve(value, here + pointer(expression))
            if item and not expression.startswith("x-"):
                yield from self._of_path(expression, item[0], item[1], incoming=True, via=via)

    def _under(self, member: str, *, incoming: bool) -> Iterator[Operation]:
        for path, item, here in self._path_items(member, ""):
            yield from self._of_path(path, item, here, incoming=incoming)

    def _path_items(self, member: str, start: str) -> Iterator[tuple[str, dict[str, Any], str]]:
        for path, value in members(self.linked.document, member):
            here = start + pointer(member, path)
            if path.startswith("x-"):
                continue
            if not isinstance(value, dict):
                self._parts.skip(here, "a path item is an object")
                continue
            yield path, value, here

    def _methods(self, item: dict[str, Any], here: str) -> dict[str, Located]:
        """Return the operations of a path item, those of its ``$ref`` first."""
        found: dict[str, Located] = {}
        if isinstance(item.get("$ref"), str):
            resolved = self._parts.resolve(item, here)
            if resolved:
                found.update(self._methods(*resolved))
        for method in METHODS:
            if method in item and not (self._swagger and method == "trace"):
                node = item[method]
                if isinstance(node, dict):
                    found[method] = (node, here + pointer(method))
                else:
                    self._parts.skip(here + pointer(method), "an operation is an object")
        return found

    def _of_path(
        self, path: str, item: dict[str, Any], here: str, *, incoming: bool, via: str = ""
    ) -> Iterator[Operation]:
        shared = self._parameter_nodes(item, here)
        parts = self._parts
        for method, (node, at) in self._methods(item, here).items():
            merged = {**shared, **self._parameter_nodes(node, at)}
            bodies = [n for (place, _), n in merged.items() if place in {"body", "formData"}]
            plain = [n for (place, _), n in merged.items() if place not in {"body", "formData"}]
            identity = node.get("operationId")
            yield Operation(
                method=method.upper(),
                path=path,
                pointer=at,
                operation_id=identity if isinstance(identity, str) else None,
                parameters=tuple(p for p in map(parts.parameter, plain) if p),
                request_body=parts.swagger_body(node, at, bodies)
                if self._swagger
                else parts.body(node, at),
                responses=tuple(parts.responses(node, at)),
                security=self._security(node),
                deprecated=node.get("deprecated") is True,
                incoming=incoming,
                extensions={k: v for k, v in node.items() if k.startswith("x-")},
                servers=() if incoming else self._servers(item, here, node, at),
                via=via,
            )

    def _servers(
        self, item: dict[str, Any], here: str, node: dict[str, Any], at: str
    ) -> tuple[Server, ...]:
        if self._swagger:
            if "schemes" not in node:
                return self._shared_servers
            return swagger_servers(self.linked.document, node["schemes"], at)
        return listed_servers(node, at) or listed_servers(item, here) or self._shared_servers

    def _parameter_nodes(self, node: dict[str, Any], at: str) -> dict[tuple[str, str], Located]:
        found: dict[tuple[str, str], Located] = {}
        listed = node.get("parameters")
        if isinstance(node.get("$ref"), str) and at.count("/"):
            resolved = self._parts.resolve(node, at)
            if resolved and resolved[1] != at:
                found.update(self._parameter_nodes(*resolved))
        for index, entry in enumerate(listed if isinstance(listed, list) else []):
            resolved = self._parts.resolve(entry, f"{at}/parameters/{index}")
            if not resolved:
                continue
            place, name = resolved[0].get("in"), resolved[0].get("name")
            if not isinstance(place, str) or not isinstance(name, str):
                self._parts.skip(resolved[1], "a parameter needs 'name' and 'in'")
                continue
            found[place, name.lower() if place == "header" else name] = resolved
        return found

    def _security(self, node: dict[str, Any]) -> tuple[SecurityAlternative, ...]:
        listed = node["security"] if "security" in node else self.linked.document.get("security")
        found = []
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, dict):
                schemes = tuple(
                    (name, tuple(str(s) for s in scopes) if isinstance(scopes, list) else ())
                    for name, scopes in entry.items()
                )
                found.append(SecurityAlternative(schemes))
        return tuple(found)
