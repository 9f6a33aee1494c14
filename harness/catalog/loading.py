"""From a source to a :class:`Contract`, with everything wrong that still leaves it usable."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.catalog.dialects import detect_dialect
from harness.catalog.limits import DEFAULT_LIMITS, Limits
from harness.catalog.linking import Bundle, link
from harness.catalog.locating import Locator
from harness.catalog.normalising import normalise, set_aside
from harness.catalog.operations import OperationReader
from harness.catalog.parsing import Parsed, parse
from harness.catalog.references import Linked
from harness.catalog.sources import Source, open_source
from harness.model.contract import Contract, Dialect, Problem
from harness.model.errors import UsageError
from harness.model.values import JsonObject, pointer

if TYPE_CHECKING:
    from harness.catalog.caching import ContractCache
    from harness.catalog.overlay import Corrected, Overlay


@dataclass(frozen=True, slots=True)
class Loaded:
    """A usable contract and what is wrong with it."""

    contract: Contract
    problems: tuple[Problem, ...]


def _nobody(_phase: str) -> None:
    return None


def load_contract(
    source: Source | str | Path,
    *,
    overlays: Sequence[Overlay] = (),
    limits: Limits = DEFAULT_LIMITS,
    lap: Callable[[str], None] = _nobody,
    cache: ContractCache | None = None,
) -> Loaded:
    """Return the contract a source describes.

    ``overlays`` (from :func:`harness.catalog.read_overlay`) correct the document, in order, before
    anything else looks at it; a place in a finding is then the line of whichever file wrote the
    part. ``lap`` is told the name of each phase that just ended (read, parse, overlay, link,
    normalise), so that a caller with a clock can say where the time went. ``cache`` answers for
    a document of the same name and content that was loaded before.

    Dangling, remote and circular references, repeated names, unusable parts and corrections that
    no longer apply are problems, not errors: the rest can still be compared. Raises
    ``DocumentError`` when the text cannot be read at all or is not Swagger 2.0, OpenAPI 3.0 or
    3.1 or a JSON Schema, and ``MetadataError`` for an overlay that cannot be applied.
    """
    opened = source if isinstance(source, Source) else open_source(source, limits=limits)
    lap("read")
    corrections = tuple(overlays)

    def load() -> Loaded:
        with no_collection():
            return _load(opened, corrections, limits, lap)

    return cache.loaded(opened, corrections, limits, load) if cache else load()


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector from looking through a document that is still in use.

    Nothing is garbage yet, and a large document would be looked through several times.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(
    opened: Source, overlays: tuple[Overlay, ...], limits: Limits, lap: Callable[[str], None]
) -> Loaded:
    if not opened.label.lower().endswith((".yaml", ".yml", ".json")):
        from harness.catalog.graphql_text import graphql_contract, is_graphql

        if is_graphql(opened.label, opened.text):
            if overlays:
                msg = f"{opened.label} is a GraphQL schema; an overlay corrects OpenAPI documents"
                raise UsageError(msg, remedy="Leave --overlay out.")
            contract = graphql_contract(opened.label, opened.text, limits)
            lap("parse")
            return Loaded(contract, ())
    parsed = parse(opened.text, opened.label, limits)
    dialect = detect_dialect(parsed.value, opened.label)
    lap("parse")
    corrected = _corrected(parsed, overlays, limits)
    if corrected:
        dialect = detect_dialect(corrected.document, opened.label)
        lap("overlay")
    document = corrected.document if corrected else parsed.value
    bundle = link(document, opened.label, opened.beside, limits)
    lap("link")
    told = [*parsed.problems, *(corrected.problems if corrected else ()), *bundle.problems]
    locator = Locator(
        opened,
        bundle.files,
        limits,
        places=parsed.places,
        origin=corrected.origin if corrected else None,
    )
    if dialect is Dialect.JSON_SCHEMA:
        from harness.catalog.json_schema import schema_contract

        contract, more = schema_contract(opened.label, bundle, locator)
    else:
        schemas, unusable = normalise(bundle.linked, dialect)
        reader = OperationReader(bundle.linked, dialect, schemas)
        contract = _contract(opened.label, dialect, bundle, schemas, reader, locator)
        # the reader walks path items twice (operations, callbacks), so it may complain twice
        more = [*unusable, *set_aside(reader.problems)]
    lap("normalise")
    return Loaded(contract, (*told, *more))


def _corrected(parsed: Parsed, overlays: tuple[Overlay, ...], limits: Limits) -> Corrected | None:
    if not overlays:
        return None
    from harness.catalog.overlay import apply_overlays

    return apply_overlays(parsed.value, overlays, limits=limits)


def _contract(
    label: str,
    dialect: Dialect,
    bundle: Bundle,
    schemas: JsonObject,
    reader: OperationReader,
    locator: Locator,
) -> Contract:
    document = bundle.document
    info = document.get("info")
    info = info if isinstance(info, dict) else {}
    return Contract(
        source=label,
        dialect=dialect,
        title=str(info.get("title", "")),
        version=str(info.get("version", "")),
        document=document,
        schemas=schemas,
        operations=reader.operations(),
        webhooks=reader.incoming(),
        servers=_servers(document, dialect),
        security_schemes=_security_schemes(bundle.linked, dialect),
        locate=locator,
    )


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
