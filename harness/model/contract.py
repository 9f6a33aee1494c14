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


class Dialect(StrEnum):
    """The description formats we read."""

    SWAGGER_2_0 = "swagger-2.0"
    OPENAPI_3_0 = "openapi-3.0"
    OPENAPI_3_1 = "openapi-3.1"


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
    ``media_type`` is set when the parameter uses ``content``.
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


@dataclass(frozen=True, slots=True)
class MediaType:
    """One media type of a body. ``name`` may be a range (``*/*``)."""

    name: str
    pointer: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The request body. Swagger's ``formData`` parameters become one object schema."""

    required: bool
    pointer: str
    content: tuple[MediaType, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """A response header; ``name`` as written, compared without case."""

    name: str
    required: bool
    pointer: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. ``status`` is ``200``, a range such as ``4XX``, or ``default``."""

    status: str
    pointer: str
    content: tuple[MediaType, ...]
    headers: tuple[Header, ...]

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
class Operation:
    """One operation. ``path`` is the template as written, without base path or server.

    ``incoming`` is true for webhooks and callbacks: the provider is the one who sends.
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

    @property
    def label(self) -> str:
        """Return ``GET /orders/v0/orders``, the name used in findings."""
        return f"{self.method} {self.path}"

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
