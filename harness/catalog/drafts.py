"""The drafts of JSON Schema: which one a document declares, and whether it is a schema at all."""

from __future__ import annotations

import re
from enum import IntEnum

from harness.catalog.schema_keywords import TYPES
from harness.model.values import Json, JsonObject


class Draft(IntEnum):
    """The drafts of JSON Schema we read, in order."""

    D4 = 4
    D6 = 6
    D7 = 7
    D2019 = 2019
    D2020 = 2020

    @property
    def spoken(self) -> str:
        """Return the draft's name as its authors write it."""
        return {2019: "2019-09", 2020: "2020-12"}.get(self.value, f"draft-{self.value:02d}")


_NAMED = re.compile(r"https?://json-schema\.org/(?:draft-0?([0-9]+)|draft/([0-9]{4})-[0-9]{2})/")
_LATEST = re.compile(r"https?://json-schema\.org/schema#?$")
_SHAPES = (
    "properties", "patternProperties", "items", "additionalProperties", "enum", "required",
    "allOf", "anyOf", "oneOf", "$ref", "$defs", "definitions",
)  # fmt: skip


def is_schema_document(document: JsonObject) -> bool:
    """Say whether a document that is no API description is meant as a JSON Schema."""
    if isinstance(document.get("$schema"), str):
        return not {"asyncapi", "arazzo", "overlay"} & set(document)
    kind = document.get("type")
    listed = kind if isinstance(kind, list) else [kind]
    typed = bool(listed) and all(isinstance(k, str) and k in TYPES for k in listed)
    return typed and any(name in document for name in _SHAPES)


def draft_of(document: Json) -> tuple[Draft | None, str]:
    """Return the draft a schema declares and the words it used; the newest when it says nothing.

    ``None`` stands for a draft older than we read, or one we have never heard of.
    """
    declared = document.get("$schema") if isinstance(document, dict) else None
    if not isinstance(declared, str):
        return Draft.D2020, ""
    found = _NAMED.match(declared)
    number = int(found[1] or found[2]) if found else 0
    if number == 5:  # draft-05 changed words only
        number = 4
    if number in {int(d) for d in Draft}:
        return Draft(number), declared
    return (Draft.D2020 if _LATEST.match(declared) else None), declared
