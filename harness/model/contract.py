"""A contract: the set of HTTP exchanges one API at one version allows.

Everything an exchange can hold is reachable from an :class:`Operation`. Schemas are named by JSON
Pointer and live in :attr:`Contract.schemas`: the whole document again, at the same pointers, with
every schema rewritten to JSON Schema 2020-12. So findings speak of the file the user has, and a
``$ref`` is never inlined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.errors import SourceLocation
from harness.model.values import Json, JsonObject

TITLE_MAX = 80


class Dialect(StrEnum):
    """The description formats we read."""

    SWAGGER_2_0 = "swagger-2.0"
    OPENAPI_3_0 = "openapi-3.0"
    OPENAPI_3_1 = "openapi-3.1"
    JSON_SCHEMA = "json-schema"
    GRAPHQL = "graphql"


class ParameterLocation(StrEnum):
    """Where a parameter travels."""

    QUERY = "query"
    PATH = "path"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter after path-level merging and ``$ref`` resolution.

    ``schema`` is a pointer into :attr:`Contract.schemas`, ``None`` when nothing is said.
    ``style`` and ``explode`` are the effective ones (Swagger's ``collectionFormat`` translated;
    ``tsv`` has no OpenAPI equal and stays ``tabDelimited``).
    ``media_type`` is set when the parameter uses ``content``. ``allow_empty`` is
    ``allowEmptyValue``: the name may be sent with nothing behind it, whatever the schema says.
    """

    name: str
    location: ParameterLocation
    required: bool
    pointer: str
    schema: str | None
    style: str
    explode: bool
    allow_reserved: bool = False
    deprecated: bool = False
    media_type: str | None = None
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A header of an answer or of a body part; ``name`` as written, compared without case."""

    name: str
    required: bool
    pointer: str
    schema: str | None
    style: str = "simple"
    explode: bool = False
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class PartEncoding:
    """How one property of a form or multipart body is written; ``None`` where nothing is said.

    ``content_types`` is the comma list of ``contentType`` taken apart. Swagger's
    ``collectionFormat`` of a form field becomes ``style`` and ``explode``.
    """

    name: str
    pointer: str
    content_types: tuple[str, ...] = ()
    style: str | None = None
    explode: bool | None = None
    allow_reserved: bool = False
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaType:
    """One media type of a body. ``name`` may be a range (``*/*``).

    ``stated`` is false for the ``*/*`` that stands where Swagger names no type at all.
    """

    name: str
    pointer: str
    schema: str | None
    encoding: tuple[PartEncoding, ...] = ()
    stated: bool = True


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The request body. Swagger's ``formData`` parameters become one object schema."""

    required: bool
    pointer: str
    content: tuple[MediaType, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A call that an answer makes possible; the target is an id or a reference, as written."""

    name: str
    pointer: str
    operation_id: str | None = None
    operation_ref: str | None = None
    parameters: JsonObject = field(default_factory=dict)
    body: Json = None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. ``status`` is ``200``, a range such as ``4XX``, or ``default``."""

    status: str
    pointer: str
    content: tuple[MediaType, ...]
    headers: tuple[Header, ...]
    links: tuple[Link, ...] = ()

    def covers(self, status: int) -> bool:
        """Say whether a numeric status falls under this entry, ``default`` not counted."""
        text = str(status)
        return self.status == text or (
            self.status.upper().endswith("XX") and self.status[0] == text[0]
        )


@dataclass(frozen=True, slots=True)
class SecurityAlternative:
    """Schemes that must all be met, each with its scopes; no schemes means anonymous."""

    schemes: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ServerVariable:
    """A placeholder of an address; no ``values`` means any text."""

    name: str
    default: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Server:
    """An address that serves an operation; Swagger's host, base path and schemes are joined."""

    url: str
    pointer: str
    variables: tuple[ServerVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``path`` is the template as written, without base path or server.

    ``incoming`` is true for webhooks and callbacks: the provider is the one who sends. ``via``
    then names what a callback belongs to (``POST /subscriptions onEvent``). ``servers`` are the
    effective ones: the operation's own, else the path's, else the document's.
    """

    method: str
    path: str
    pointer: str
    operation_id: str | None
    parameters: tuple[Parameter, ...]
    request_body: RequestBody | None
    responses: tuple[Response, ...]
    security: tuple[SecurityAlternative, ...]
    deprecated: bool = False
    incoming: bool = False
    extensions: JsonObject = field(default_factory=dict)
    servers: tuple[Server, ...] = ()
    via: str = ""

    @property
    def label(self) -> str:
        """Return ``GET /orders/v0/orders``, the name used in findings."""
        own = f"{self.method} {self.path}"
        return f"{self.via} {own}" if self.via else own

    def response_for(self, status: int) -> Response | None:
        """Return the entry that speaks for ``status``: exact, then range, then ``default``."""
        by_status = {r.status.upper(): r for r in self.responses}
        text = str(status)
        return by_status.get(text) or by_status.get(f"{text[0]}XX") or by_status.get("DEFAULT")


def _nowhere(_pointer: str) -> SourceLocation | None:
    return None


@dataclass(frozen=True, eq=False)
class Contract:
    """One API at one version.

    ``source`` is how the user named it; ``document`` is what stands in the file (external files
    bundled under ``/x-driftgate-files``); ``schemas`` is described in the module docstring;
    ``locate`` finds line and column of a pointer on demand.
    """

    source: str
    dialect: Dialect
    title: str
    version: str
    document: JsonObject
    schemas: JsonObject
    operations: tuple[Operation, ...]
    webhooks: tuple[Operation, ...] = ()
    servers: tuple[str, ...] = ()
    security_schemes: JsonObject = field(default_factory=dict)
    locate: Callable[[str], SourceLocation | None] = _nowhere

    @property
    def name(self) -> str:
        """Return the title on one short line; some vendors put a whole page there."""
        title = " ".join((self.title or self.source).split())
        if len(title) > TITLE_MAX:
            title = title.split(". ", 1)[0]
        return title if len(title) <= TITLE_MAX else title[: TITLE_MAX - 1].rstrip() + "…"

    def operation(self, operation_id: str) -> Operation:
        """Return the operation of that id; raises ``LookupError`` when there is none."""
        for operation in self.operations:
            if operation.operation_id == operation_id:
                return operation
        msg = f"{self.source} has no operation {operation_id!r}"
        raise LookupError(msg)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a document that can still be used."""

    rule: str
    message: str
    pointer: str
    location: SourceLocation | None = None
    value: Json = None
