"""The files that stand beside a contract and decide with it, on disk or in a git revision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import TYPE_CHECKING

from harness.catalog import Source, open_source
from harness.model.errors import MetadataError, SourceLocation, UsageError

if TYPE_CHECKING:
    from harness.catalog.overlay import Overlay
    from harness.gate.accepted import AcceptedFile
    from harness.gate.revisions import Repository
    from harness.gate.severity import SeverityPolicy

ACCEPTED = "accepted.yaml"
SEVERITY = "severity.yaml"
SIDECAR = "source.yaml"
# A document stands at <contracts>/<system>/<api>/<version>/openapi.yaml.
_SYSTEM = "../.."


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a document. ``shown`` is how the user knows it.

    ``read`` returns a file by its path from the folder, ``None`` when there is none; ``others``
    returns the systems of the same contracts folder that the document does not belong to.
    """

    shown: str
    read: Callable[[str], bytes | None]
    others: Callable[[], frozenset[str]]

    def accepted(self) -> AcceptedFile | None:
        """Return the accepted differences; raises ``MetadataError`` for a file with mistakes."""
        data = self.read(ACCEPTED)
        if data is None:
            return None
        from harness.gate.accepted import read_accepted

        return read_accepted(data, self._path(ACCEPTED))

    def severity(self) -> SeverityPolicy | None:
        """Return the system's severities; raises ``MetadataError`` for a file with mistakes."""
        name = f"{_SYSTEM}/{SEVERITY}"
        data = self.read(name)
        if data is None:
            return None
        from harness.gate.severity import read_severity

        return read_severity(data, self._path(name))

    def overlays(self, document: str) -> tuple[Overlay, ...]:
        """Return the corrections filed with a document of this folder, in order.

        They hold whenever it is loaded. Raises ``MetadataError`` for mistakes in them or in
        ``source.yaml``, which lists them.
        """
        data = self.read(SIDECAR)
        if data is None:
            return ()
        from harness.catalog import metadata_schema
        from harness.catalog.metadata import checked_metadata

        filed = checked_metadata(data, self._path(SIDECAR), metadata_schema("source"))
        if filed["document"] != document:
            return ()
        return tuple(self._overlay(entry["file"]) for entry in filed.get("overlays", ()))

    def _overlay(self, name: str) -> Overlay:
        from harness.catalog.overlay import read_overlay

        text = self.read(name)
        if text is None:
            msg = f"the overlay {name} is listed here and is not there"
            location = SourceLocation(self._path(SIDECAR))
            raise MetadataError(msg, remedy="Put it back, or take it out.", location=location)
        return read_overlay(Source(self._path(name), text))

    def _path(self, name: str) -> str:
        revision, colon, inside = self.shown.rpartition(":")
        return f"{revision}{colon}{normpath(str(PurePosixPath(inside) / name))}"


def folder_of(source: Source, cwd: Path) -> Folder | None:
    """Return the folder of a document, ``None`` for one that has no place (``-``, a URL)."""
    if source.base is not None:
        return on_disk(source.base, str(PurePosixPath(source.label).parent))
    revision, colon, inside = source.label.partition(":")
    if not colon or source.label.startswith(("http://", "https://")):
        return None
    from harness.gate.revisions import Repository

    try:
        repository = Repository.around(cwd)
    except UsageError:
        return None
    return in_git(repository, revision, inside, shown=f"{revision}:{PurePosixPath(inside).parent}")


def on_disk(base: Path, shown: str) -> Folder:
    """Return a folder of the file system."""

    def read(name: str) -> bytes | None:
        path = base / name
        return open_source(path).text if path.is_file() else None

    def others() -> frozenset[str]:
        system = (base / _SYSTEM).resolve()
        if not (system / "system.yaml").is_file():
            return frozenset()
        found = {p.parent.name for p in system.parent.glob("*/system.yaml")}
        return frozenset(found - {system.name})

    return Folder(shown, read, others)


def in_git(repository: Repository, commit: str, document: str, *, shown: str) -> Folder:
    """Return the folder of ``document`` in a commit; ``document`` is a path from the root."""
    base = PurePosixPath(document).parent

    def read(name: str) -> bytes | None:
        path = normpath(str(base / name))
        return None if path.startswith("..") else repository.read(commit, path)

    def others() -> frozenset[str]:
        system = PurePosixPath(normpath(str(base / _SYSTEM)))
        if read(f"{_SYSTEM}/system.yaml") is None:
            return frozenset()
        listed = map(PurePosixPath, repository.files(commit, f"{system.parent}/"))
        found = {
            p.parent.name
            for p in listed
            if p.name == "system.yaml" and p.parent.parent == system.parent
        }
        return frozenset(found - {system.name})

    return Folder(shown, read, others)
