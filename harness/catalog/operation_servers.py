"""Which addresses serve an operation: the document's, the path's or its own."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog.operation_parts import members
from harness.model.contract import Server, ServerVariable
from harness.model.values import Json, JsonObject


def swagger_servers(document: JsonObject, schemes: Json = None, at: str = "") -> tuple[Server, ...]:
    """Return host and base path joined, once for each scheme; an operation may have its own."""
    base = str(document.get("basePath") or "")
    host = document.get("host")
    if not host:
        return (Server(base, "/basePath"),) if base else ()
    listed = schemes if isinstance(schemes, list) and schemes else document.get("schemes")
    names = [str(s) for s in listed] if isinstance(listed, list) and listed else ["https"]
    if isinstance(schemes, list) and schemes:
        where = f"{at}/schemes"
    else:
        where = "/schemes" if "schemes" in document else "/host"
    return tuple(Server(f"{name}://{host}{base}", where) for name in names)


def listed_servers(node: JsonObject, at: str) -> tuple[Server, ...]:
    """Return the ``servers`` of a document, a path item or an operation."""
    listed = node.get("servers")
    return tuple(
        Server(str(entry["url"]), f"{at}/servers/{index}", tuple(_variables(entry)))
        for index, entry in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and "url" in entry
    )


def _variables(server: JsonObject) -> Iterator[ServerVariable]:
    for name, node in members(server, "variables"):
        if isinstance(node, dict):
            values = node.get("enum")
            yield ServerVariable(
                name,
                str(node.get("default", "")),
                tuple(str(v) for v in values) if isinstance(values, list) else (),
            )
