"""Which format a document is written in."""

from __future__ import annotations

import re

from harness.catalog.drafts import is_schema_document
from harness.model.contract import Dialect
from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import Json

_REMEDY = "We read Swagger 2.0, OpenAPI 3.0, OpenAPI 3.1 and JSON Schema."


def detect_dialect(document: Json, label: str) -> Dialect:
    """Return which format a document is written in; raises ``DocumentError`` for any other."""
    if not isinstance(document, dict):
        raise _refusal(label, "an API description is an object")
    if "swagger" in document:
        if str(document["swagger"]) in {"2.0", "2"}:
            return Dialect.SWAGGER_2_0
        raise _refusal(label, f"Swagger {document['swagger']!r:.20} is not a version we read")
    if "openapi" not in document:
        if is_schema_document(document):
            return Dialect.JSON_SCHEMA
        raise _refusal(
            label, "this is not an API description: it has neither 'openapi' nor 'swagger'"
        )
    version = re.match(r"3\.([01])(?:\D|$)", str(document["openapi"]))
    if not version:
        raise _refusal(label, f"OpenAPI {document['openapi']!r:.20} is not a version we read")
    return Dialect.OPENAPI_3_1 if version[1] == "1" else Dialect.OPENAPI_3_0


def _refusal(label: str, message: str) -> DocumentError:
    return DocumentError(message, remedy=_REMEDY, location=SourceLocation(label, 1, 1))
