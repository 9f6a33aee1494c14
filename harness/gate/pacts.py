"""Consumers' pacts, from a folder or from a git revision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.catalog import DEFAULT_LIMITS, open_source, parse_document
from harness.consumers import Pact, load_pact
from harness.model.errors import MetadataError, SourceLocation, UsageError

_FILES_MAX = 1_000


def pacts_from(place: Path) -> tuple[Pact, ...]:
    """Return the pacts of a file, or of every ``.json`` file under a folder, in path order.

    Raises ``UsageError`` when there is none, ``MetadataError`` or ``DocumentError`` for a file
    that is no pact.
    """
    if place.is_file():
        return (_checked(place, str(place)),)
    if not place.is_dir():
        msg = f"there are no pacts at {place}: no such file or folder."
        raise UsageError(msg, remedy="Name a Pact file or a folder of them with --consumers.")
    files = sorted(p for p in place.rglob("*.json") if p.is_file())
    if not files or len(files) > _FILES_MAX:
        msg = f"the folder {place} holds {len(files) or 'no'} Pact files (*.json)."
        raise UsageError(
            msg, remedy=f"Name a folder with 1 to {_FILES_MAX} Pact files with --consumers."
        )
    return tuple(_checked(path, str(path)) for path in files)


def pact_from_bytes(data: bytes, shown: str) -> Pact:
    """Return the pact that bytes hold; errors name it ``shown``.

    The reader of pacts takes a file, so these bytes are one for a moment.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pact.json"
        path.write_bytes(data)
        return _checked(path, shown)


def _checked(path: Path, shown: str) -> Pact:
    """Refuse what is too large or too deep before the pact's own reader looks at it."""
    source = open_source(path, limits=DEFAULT_LIMITS)
    parse_document(source.text, shown)
    try:
        return replace(load_pact(path), source=shown)
    except MetadataError as error:
        raise MetadataError(
            error.message, remedy=error.remedy, location=SourceLocation(shown)
        ) from error
