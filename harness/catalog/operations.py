"""From a linked document to operations: merged, resolved, with every default made explicit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.catalog.normalising import METHODS, put_schema
from harness.catalog.references import Linked, reference_to
from harness.model.contract import (
    Dialect,
    Header,
    MediaType,
    Operation,
    Parameter,
    ParameterLocation,
    Problem,
    RequestBody,
    Response,
    SecurityAlternative,
)
from harness.model.values import Json, JsonObject, pointer

_COLLECTION_STYLES = {
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
FORM = "x-driftgate-form"
"""Member of a Swagger 2.0 operation under which its form fields stand as one object schema."""

Located = tuple[dict[str, Any], str]


@dataclass(slots=True)
class OperationReader:
    """Reads the operations of one document; what is malformed is skipped and reported."""

    linked: Linked
    dialect: Dialect
    schemas: JsonObject
    problems: list[Problem] = field(default_factory=list)

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
                for name, callback in _members(operation, "callbacks"):
                    resolved = self._resolve(callback, at + pointer("callbacks", name))
                    if resolved:
                        label = f"{method.upper()} {path}"
                        found += self._callback(resolved, label)
        return tuple(found)

    def _callback(self, callback: Located, _label: str) -> Iterator[Operation]:
        node, here = callback
        for expression, value in node.items():
            item = self._resolve(value, here + pointer(expression))
            if item and not expression.startswith("x-"):
                yield from self._of_path(expression, item[0], item[1], incoming=True)

    def _under(self, member: str, *, incoming: bool) -> Iterator[Operation]:
        for path, item, here in self._path_items(member, ""):
            yield from self._of_path(path, item, here, incoming=incoming)

    def _path_items(self, member: str, start: str) -> Iterator[tuple[str, dict[str, Any], str]]:
        for path, value in _members(self.linked.document, member):
            here = start + pointer(member, path)
            if path.startswith("x-"):
                continue
            if not isinstance(value, dict):
                self._skip(here, "a path item is an object")
                continue
            yield path, value, here

    def _methods(self, item: dict[str, Any], here: str) -> dict[str, Located]:
        """Return the operations of a path item, those of its ``$ref`` first."""
        found: dict[str, Located] = {}
        if isinstance(item.get("$ref"), str):
            resolved = self._resolve(item, here)
            if resolved:
                found.update(self._methods(*resolved))
        for method in METHODS:
            if method in item and not (self._swagger and method == "trace"):
                node = item[method]
                if isinstance(node, dict):
                    found[method] = (node, here + pointer(method))
                else:
                    self._skip(here + pointer(method), "an operation is an object")
        return found

    def _of_path(
        self, path: str, item: dict[str, Any], here: str, *, incoming: bool
    ) -> Iterator[Operation]:
        shared = self._parameter_nodes(item, here)
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
                parameters=tuple(p for p in map(self._parameter, plain) if p),
                request_body=self._swagger_body(node, at, bodies)
                if self._swagger
                else self._body(node, at),
                responses=tuple(self._responses(node, at)),
                security=self._security(node),
                deprecated=node.get("deprecated") is True,
                incoming=incoming,
                extensions={k: v for k, v in node.items() if k.startswith("x-")},
            )

    def _parameter_nodes(self, node: dict[str, Any], at: str) -> dict[tuple[str, str], Located]:
        found: dict[tuple[str, str], Located] = {}
        listed = node.get("parameters")
        if isinstance(node.get("$ref"), str) and at.count("/"):
            resolved = self._resolve(node, at)
            if resolved and resolved[1] != at:
                found.update(self._parameter_nodes(*resolved))
        for index, entry in enumerate(listed if isinstance(listed, list) else []):
            resolved = self._resolve(entry, f"{at}/parameters/{index}")
            if not resolved:
                continue
            place, name = resolved[0].get("in"), resolved[0].get("name")
            if not isinstance(place, str) or not isinstance(name, str):
                self._skip(resolved[1], "a parameter needs 'name' and 'in'")
                continue
            found[place, name.lower() if place == "header" else name] = resolved
        return found

    def _parameter(self, located: Located) -> Parameter | None:
        node, here = located
        try:
            location = ParameterLocation(node["in"])
        except ValueError:
            self._skip(here + "/in", f"{node['in']!r:.40} is not a place for a parameter")
            return None
        header = location is ParameterLocation.HEADER
        if header and not self._swagger and node["name"].lower() in _IGNORED_HEADERS:
            return None  # OpenAPI 3 says such definitions are ignored
        style, explode = self._style(node, location)
        media = next(iter(_members(node, "content")), None)
        schema = here if self._swagger else _schema_at(node, here)
        if media and not self._swagger:
            schema = _schema_at(media[1], here + pointer("content", media[0]))
        return Parameter(
            name=node["name"],
            location=location,
            required=node.get("required") is True or location is ParameterLocation.PATH,
            pointer=here,
            schema=schema,
            style=style,
            explode=explode,
            allow_reserved=node.get("allowReserved") is True,
            deprecated=node.get("deprecated") is True,
            media_type=media[0] if media and not self._swagger else None,
        )

    def _style(self, node: dict[str, Any], location: ParameterLocation) -> tuple[str, bool]:
        form = location in {ParameterLocation.QUERY, ParameterLocation.COOKIE}
        usual = "form" if form else "simple"
        if self._swagger:
            if node.get("type") != "array":
                return usual, form
            return _COLLECTION_STYLES.get(str(node.get("collectionFormat")), (usual, False))
        style = node.get("style")
        style = style if isinstance(style, str) else usual
        explode = node.get("explode")
        return style, explode if isinstance(explode, bool) else style == "form"

    def _body(self, node: dict[str, Any], at: str) -> RequestBody | None:
        if "requestBody" not in node:
            return None
        resolved = self._resolve(node["requestBody"], at + "/requestBody")
        if not resolved:
            return None
        body, here = resolved
        return RequestBody(body.get("required") is True, here, _content(body, here))

    def _swagger_body(
        self, node: dict[str, Any], at: str, found: list[Located]
    ) -> RequestBody | None:
        types = self._media_names(node, "consumes")
        fields = [n for n in found if n[0]["in"] == "formData"]
        if fields:
            uploads = any(n[0].get("type") == "file" for n in fields)
            usual = "multipart/form-data" if uploads else "application/x-www-form-urlencoded"
            names = [n[0]["name"] for n in fields if n[0].get("required") is True]
            schema: dict[str, Any] = {
                "type": "object",
                "properties": {n[0]["name"]: {"$ref": reference_to(n[1])} for n in fields},
            }
            if names:
                schema["required"] = names
            place = put_schema(self.schemas, at, FORM, schema)
            media = tuple(MediaType(t, place, place) for t in types or (usual,))
            return RequestBody(bool(names), place, media)
        if not found:
            return None
        body, here = found[0]
        schema_place = _schema_at(body, here)
        media = tuple(MediaType(t, here, schema_place) for t in types or ("*/*",))
        return RequestBody(body.get("required") is True, here, media)

    def _media_names(self, node: dict[str, Any], member: str) -> tuple[str, ...]:
        listed = node[member] if member in node else self.linked.document.get(member)
        return tuple(t for t in listed if isinstance(t, str)) if isinstance(listed, list) else ()

    def _responses(self, node: dict[str, Any], at: str) -> Iterator[Response]:
        for status, value in _members(node, "responses"):
            if status.startswith("x-"):
                continue
            start = at + pointer("responses", status)
            resolved = self._resolve(value, start)
            if not resolved:  # unreadable, but the status itself is promised
                yield Response(status, start, (), ())
                continue
            response, here = resolved
            if self._swagger:
                place = _schema_at(response, here)
                names = self._media_names(node, "produces") or ("*/*",)
                content = tuple(MediaType(t, here, place) for t in names) if place else ()
            else:
                content = _content(response, here)
            yield Response(status, here, content, tuple(self._headers(response, here)))

    def _headers(self, response: dict[str, Any], at: str) -> Iterator[Header]:
        for name, value in _members(response, "headers"):
            resolved = self._resolve(value, at + pointer("headers", name))
            if not resolved or (name.lower() == "content-type" and not self._swagger):
                continue
            node, here = resolved
            schema = here if self._swagger else _schema_at(node, here)
            media = next(iter(_members(node, "content")), None)
            if media and schema is None:
                schema = _schema_at(media[1], here + pointer("content", media[0]))
            yield Header(name, node.get("required") is True, here, schema)

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

    def _resolve(self, node: Json, here: str) -> Located | None:
        """Return what a node stands for; dangling references were reported by linking."""
        resolved = self.linked.follow(node, here)
        if resolved is None:
            return None
        value, place = resolved
        if isinstance(value, dict):
            return value, place
        self._skip(place, "an object is expected here")
        return None

    def _skip(self, here: str, message: str) -> None:
        self.problems.append(Problem("unusable-part", f"{message}; this part was left out", here))


def _members(node: JsonObject, name: str) -> list[tuple[str, Any]]:
    inner = node.get(name)
    return list(inner.items()) if isinstance(inner, dict) else []


def _schema_at(node: Json, here: str) -> str | None:
    return here + "/schema" if isinstance(node, dict) and "schema" in node else None


def _content(node: dict[str, Any], here: str) -> tuple[MediaType, ...]:
    return tuple(
        MediaType(
            name, here + pointer("content", name), _schema_at(v, here + pointer("content", name))
        )
        for name, v in _members(node, "content")
    )
