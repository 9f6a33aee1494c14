"""The parts of an operation that carry values: parameters, bodies, answers, headers, links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.catalog.normalising import put_schema
from harness.catalog.references import Linked, reference_to
from harness.model.contract import (
    Dialect,
    Header,
    Link,
    MediaType,
    Parameter,
    ParameterLocation,
    PartEncoding,
    Problem,
    RequestBody,
    Response,
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
class PartReader:
    """Reads parts of one document; what is malformed is skipped and reported."""

    linked: Linked
    dialect: Dialect
    schemas: JsonObject
    problems: list[Problem] = field(default_factory=list)

    @property
    def swagger(self) -> bool:
        """Say whether the document is Swagger 2.0."""
        return self.dialect is Dialect.SWAGGER_2_0

    def resolve(self, node: Json, here: str) -> Located | None:
        """Return what a node stands for; dangling references were reported by linking."""
        resolved = self.linked.follow(node, here)
        if resolved is None:
            return None
        value, place = resolved
        if isinstance(value, dict):
            return value, place
        self.skip(place, "an object is expected here")
        return None

    def skip(self, here: str, message: str) -> None:
        """Report a part that is left out."""
        self.problems.append(Problem("unusable-part", f"{message}; this part was left out", here))

    def parameter(self, located: Located) -> Parameter | None:
        """Return a parameter; ``None`` when its place is unknown or the standard ignores it."""
        node, here = located
        try:
            location = ParameterLocation(node["in"])
        except ValueError:
            self.skip(here + "/in", f"{node['in']!r:.40} is not a place for a parameter")
            return None
        header = location is ParameterLocation.HEADER
        if header and not self.swagger and node["name"].lower() in _IGNORED_HEADERS:
            return None  # OpenAPI 3 says such definitions are ignored
        style, explode = self._style(node, location)
        media = next(iter(members(node, "content")), None)
        schema = here if self.swagger else _schema_at(node, here)
        if media and not self.swagger:
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
            media_type=media[0] if media and not self.swagger else None,
            allow_empty=node.get("allowEmptyValue") is True and location is ParameterLocation.QUERY,
        )

    def _style(self, node: dict[str, Any], location: ParameterLocation) -> tuple[str, bool]:
        form = location in {ParameterLocation.QUERY, ParameterLocation.COOKIE}
        usual = "form" if form else "simple"
        if self.swagger:
            if node.get("type") != "array":
                return usual, form
            return _COLLECTION_STYLES.get(str(node.get("collectionFormat")), (usual, False))
        style = node.get("style")
        style = style if isinstance(style, str) else usual
        explode = node.get("explode")
        return style, explode if isinstance(explode, bool) else style == "form"

    def body(self, node: dict[str, Any], at: str) -> RequestBody | None:
        """Return the request body of an OpenAPI 3 operation."""
        if "requestBody" not in node:
            return None
        resolved = self.resolve(node["requestBody"], at + "/requestBody")
        if not resolved:
            return None
        body, here = resolved
        return RequestBody(body.get("required") is True, here, self._content(body, here))

    def swagger_body(
        self, node: dict[str, Any], at: str, found: list[Located]
    ) -> RequestBody | None:
        """Return the request body of ``body`` and ``formData`` parameters."""
        types = self._media_names(node, "consumes")
        fields = [n for n in found if n[0]["in"] == "formData"]
        if fields:
            return self._swagger_form(at, fields, types)
        if not found:
            return None
        body, here = found[0]
        schema_place = _schema_at(body, here)
        media = tuple(
            MediaType(t, here, schema_place, stated=bool(types)) for t in types or ("*/*",)
        )
        return RequestBody(body.get("required") is True, here, media)

    def _swagger_form(self, at: str, fields: list[Located], types: tuple[str, ...]) -> RequestBody:
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
        encoding = tuple(
            PartEncoding(n["name"], here, (), *self._style(n, ParameterLocation.QUERY))
            for n, here in fields
            if n.get("type") == "array"
        )
        media = tuple(MediaType(t, place, place, encoding) for t in types or (usual,))
        return RequestBody(bool(names), place, media)

    def _media_names(self, node: dict[str, Any], member: str) -> tuple[str, ...]:
        listed = node[member] if member in node else self.linked.document.get(member)
        return tuple(t for t in listed if isinstance(t, str)) if isinstance(listed, list) else ()

    def responses(self, node: dict[str, Any], at: str) -> Iterator[Response]:
        """Yield the answers of an operation."""
        for status, value in members(node, "responses"):
            if status.startswith("x-"):
                continue
            start = at + pointer("responses", status)
            resolved = self.resolve(value, start)
            if not resolved:  # unreadable, but the status itself is promised
                yield Response(status, start, (), ())
                continue
            response, here = resolved
            if self.swagger:
                place = _schema_at(response, here)
                names = self._media_names(node, "produces")
                content = tuple(
                    MediaType(t, here, place, stated=bool(names))
                    for t in (names or ("*/*",))
                    if place
                )
            else:
                content = self._content(response, here)
            yield Response(
                status,
                here,
                content,
                tuple(self._headers(response, here, ignored={"content-type"})),
                tuple(self._links(response, here)) if not self.swagger else (),
            )

    def _headers(self, holder: dict[str, Any], at: str, *, ignored: set[str]) -> Iterator[Header]:
        for name, value in members(holder, "headers"):
            resolved = self.resolve(value, at + pointer("headers", name))
            if not resolved or (name.lower() in ignored and not self.swagger):
                continue
            node, here = resolved
            schema = here if self.swagger else _schema_at(node, here)
            media = next(iter(members(node, "content")), None)
            if media and schema is None:
                schema = _schema_at(media[1], here + pointer("content", media[0]))
            style, explode = self._style(node, ParameterLocation.HEADER)
            yield Header(
                name,
                node.get("required") is True,
                here,
                schema,
                style,
                explode,
                media[0] if media and not self.swagger else None,
            )

    def _links(self, response: dict[str, Any], at: str) -> Iterator[Link]:
        for name, value in members(response, "links"):
            resolved = self.resolve(value, at + pointer("links", name))
            if not resolved:
                continue
            node, here = resolved
            identity, reference = node.get("operationId"), node.get("operationRef")
            yield Link(
                name,
                here,
                identity if isinstance(identity, str) else None,
                reference if isinstance(reference, str) else None,
                dict(members(node, "parameters")),
                node.get("requestBody"),
            )

    def _content(self, node: dict[str, Any], here: str) -> tuple[MediaType, ...]:
        found = []
        for name, value in members(node, "content"):
            at = here + pointer("content", name)
            if "/" not in name and name != "*":
                self.skip(at, f"{name!r:.60} is not a media type")
                continue
            encodings = tuple(self._encodings(value, at))
            found.append(MediaType(name, at, _schema_at(value, at), encodings))
        return tuple(found)

    def _encodings(self, media: Json, at: str) -> Iterator[PartEncoding]:
        if not isinstance(media, dict):
            return
        for name, node in members(media, "encoding"):
            here = at + pointer("encoding", name)
            if not isinstance(node, dict):
                self.skip(here, "an encoding is an object")
                continue
            types, style, explode = node.get("contentType"), node.get("style"), node.get("explode")
            yield PartEncoding(
                name,
                here,
                tuple(t.strip() for t in types.split(",")) if isinstance(types, str) else (),
                style if isinstance(style, str) else None,
                explode if isinstance(explode, bool) else None,
                node.get("allowReserved") is True,
                tuple(self._headers(node, here, ignored={"content-type"})),
            )


def members(node: JsonObject, name: str) -> list[tuple[str, Any]]:
    """Return the entries of an inner object, none when it is no object."""
    inner = node.get(name)
    return list(inner.items()) if isinstance(inner, dict) else []


def _schema_at(node: Json, here: str) -> str | None:
    return here + "/schema" if isinstance(node, dict) and "schema" in node else None
