"""How large a document may be before we stop reading it, and the words for saying so."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import Json

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost: a hostile or broken file is refused before it fills memory.

    ``nodes`` counts values after YAML aliases are expanded, so a small file that unfolds into
    millions of values (a "YAML bomb") is refused like a large one. ``files`` counts the external
    files one document may pull in; ``bytes`` and ``nodes`` hold for the document and all of them
    together.
    """

    bytes: int = 32 * MEBIBYTE
    depth: int = 128
    nodes: int = 3_000_000
    files: int = 200


DEFAULT_LIMITS = Limits()

_SPLIT = "Split the document, or raise the limit if you trust its origin."


def too_many_bytes(label: str, limits: Limits) -> DocumentError:
    """Return the error for a document larger than allowed."""
    size = limits.bytes / MEBIBYTE
    return DocumentError(
        f"the document is larger than {size:.1f} MiB", remedy=_SPLIT, location=SourceLocation(label)
    )


def too_many_files(location: SourceLocation, limits: Limits) -> DocumentError:
    """Return the error for a document that pulls in more external files than allowed."""
    return DocumentError(
        f"the document refers to more than {limits.files} external files",
        remedy="Bundle the description into fewer files, or raise the limit if you trust it.",
        location=location,
    )


def too_deep(location: SourceLocation, limits: Limits) -> DocumentError:
    """Return the error for values nested deeper than allowed."""
    return DocumentError(
        f"values are nested more than {limits.depth} levels deep",
        remedy="Name inner schemas and refer to them by $ref.",
        location=location,
    )


def too_many_nodes(location: SourceLocation, limits: Limits) -> DocumentError:
    """Return the error for more values than allowed, aliases expanded."""
    return DocumentError(
        f"the document holds more than {limits.nodes:,} values once YAML aliases are expanded",
        remedy=_SPLIT,
        location=location,
    )


def bundle_too_large(location: SourceLocation, limits: Limits, *, what: str) -> DocumentError:
    """Return the error for a document that is too large together with the files it refers to."""
    most = f"{limits.nodes:,} values" if what == "values" else f"{limits.bytes / MEBIBYTE:.1f} MiB"
    return DocumentError(
        f"the document and the files it refers to hold more than {most}",
        remedy=_SPLIT,
        location=location,
    )


def count_values(document: Json, most: int) -> int:
    """Count the values of a document, shared ones as often as they are used.

    Stops soon after ``most``, so that the count never costs more than the limit it serves.
    """
    count = 0
    waiting = [document]
    while waiting and count <= most:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return count


def nested_deeper(document: Json, most: int) -> bool:
    """Say whether values are nested in more than ``most`` objects and arrays."""
    level: list[Json] = [document] if isinstance(document, dict | list) else []
    for _ in range(most):
        if not level:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return bool(level)
