"""From a source to a :class:`Contract`, with everything wrong that still leaves it usable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.catalog.limits import DEFAULT_LIMITS, Limits
from harness.catalog.linking import Bundle, link
from harness.catalog.normalising import normalise, set_aside
from harness.catalog.operations import OperationReader
from harness.catalog.parsing import PositionMap, parse, positions
from harness.catalog.references import FILES, Linked
from harness.catalog.sources import Source, open_source
from harness.model.contract import Contract, Dialect, Problem
from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import Json, JsonObject, pointer, pointer_tokens


@dataclass(frozen=True, slots=True)
class Loaded:
    """A usable contract and what is wrong with it."""

    contract: Contract
    problems: tuple[Problem, ...]


def load_contract(source: Source | str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Loaded:
    """Return the contract a source describes.

    Dangling, remote and circular references, repeated names and unusable parts are problems, not
    errors: the rest can still be compared. Raises ``DocumentError`` when the text cannot be read
    at all or is not Swagger 2.0, OpenAPI 3.0 or OpenAPI 3.1.
    """
    opened = source if isinstance(source, Source) else open_source(source, limits=limits)
    parsed = parse(opened.text, opened.label, limits)
    dialect = detect_dialect(parsed.value, opened.label)
    bundle = link(parsed.value, opened.label, opened.beside, limits)
    schemas, unusable = normalise(bundle.linked, dialect)
    reader = OperationReader(bundle.linked, dialect, schemas)
    contract = _contract(opened, dialect, bundle, schemas, reader, limits)
    # the reader walks path items twice (operations, callbacks), so it may complain twice
    problems = [*parsed.problems, *bundle.problems, *unusable, *set_aside(reader.problems)]
    return Loaded(contract, tuple(problems))


def _contract(
    opened: Source,
    dialect: Dialect,
    bundle: Bundle,
    schemas: JsonObject,
    reader: OperationReader,
    limits: Limits,
) -> Contract:
    document = bundle.document
    info = document.get("info")
    info = info if isinstance(info, dict) else {}
    return Contract(
        source=opened.label,
        dialect=dialect,
        title=str(info.get("title", "")),
        version=str(info.get("version", "")),
        document=document,
        schemas=schemas,
        operations=reader.operations(),
        webhooks=reader.incoming(),
        servers=_servers(document, dialect),
        security_schemes=_security_schemes(bundle.linked, dialect),
        locate=_Locator(opened, bundle.files, limits),
    )


def detect_dialect(document: Json, label: str) -> Dialect:
    """Return which format a document is written in; raises ``DocumentError`` for any other."""
    location = SourceLocation(label, 1, 1)
    remedy = "We read Swagger 2.0, OpenAPI 3.0 and OpenAPI 3.1."
    if not isinstance(document, dict):
        msg = "an API description is an object"
        raise DocumentError(msg, remedy=remedy, location=location)
    if "swagger" in document:
        if str(document["swagger"]) in {"2.0", "2"}:
            return Dialect.SWAGGER_2_0
        msg = f"Swagger {document['swagger']!r:.20} is not a version we read"
        raise DocumentError(msg, remedy=remedy, location=location)
    if "openapi" not in document:
        msg = "this is not an API description: it has neither 'openapi' nor 'swagger'"
        raise DocumentError(msg, remedy=remedy, location=location)
    version = re.match(r"3\.([01])(?:\D|$)", str(document["openapi"]))
    if not version:
        msg = f"OpenAPI {document['openapi']!r:.20} is not a version we read"
        raise DocumentError(msg, remedy=remedy, location=location)
    return Dialect.OPENAPI_3_1 if version[1] == "1" else Dialect.OPENAPI_3_0


def _servers(document: JsonObject, dialect: Dialect) -> tuple[str, ...]:
    if dialect is Dialect.SWAGGER_2_0:
        base = str(document.get("basePath") or "")
        host = document.get("host")
        if not host:
            return (base,) if base else ()
        schemes = document.get("schemes")
        names = [str(s) for s in schemes] if isinstance(schemes, list) and schemes else ["https"]
        return tuple(f"{name}://{host}{base}" for name in names)
    listed = document.get("servers")
    entries = listed if isinstance(listed, list) else []
    return tuple(str(s["url"]) for s in entries if isinstance(s, dict) and "url" in s)


def _security_schemes(linked: Linked, dialect: Dialect) -> dict[str, Any]:
    swagger = dialect is Dialect.SWAGGER_2_0
    start = "/securityDefinitions" if swagger else "/components/securitySchemes"
    try:
        schemes = linked.find(start)
    except LookupError:
        return {}
    found: dict[str, Any] = {}
    for name, node in schemes.items() if isinstance(schemes, dict) else ():
        resolved = linked.follow(node, start + pointer(name))
        if resolved:
            found[name] = resolved[0]
    return found


class _Locator:
    """Finds line and column of a pointer: files are scanned when first asked about."""

    def __init__(self, source: Source, files: dict[str, bytes], limits: Limits) -> None:
        self._source = source
        self._files = files
        self._limits = limits
        self._maps: dict[str, PositionMap] = {}

    def __call__(self, target: str) -> SourceLocation | None:
        """Return the place of ``target``, or of the nearest thing around it in the same file."""
        tokens = pointer_tokens(target)
        name = tokens[1] if len(tokens) > 1 and tokens[0] == FILES else ""
        if name and name not in self._files:
            return None
        inside = pointer(*tokens[2:]) if name else target
        if name not in self._maps:
            data = self._files[name] if name else self._source.text
            self._maps[name] = positions(data, name or self._source.label, self._limits)
        found = self._maps[name].at(inside)
        label = str(Path(self._source.label).parent / name) if name else self._source.label
        return SourceLocation(label, *found) if found else None
