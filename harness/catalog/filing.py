"""Filing a vendor's document as a version folder of ``contracts/``, whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.catalog.provenance import OVERLAYS, SIDECAR, Provenance
from harness.catalog.sources import PREFERRED_NAMES
from harness.model.errors import SourceLocation, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NOT_NAMES = frozenset({"canonical", "consumers"})


@dataclass(frozen=True, slots=True)
class Shelf:
    """The place of one API of one system below a contracts folder."""

    root: Path
    system: str
    api: str

    def __post_init__(self) -> None:
        """Refuse names that are no plain folder names with ``UsageError``."""
        for what, name in (("system", self.system), ("API", self.api)):
            check_name(what, name)

    @property
    def folder(self) -> Path:
        """Return the folder that holds the versions."""
        return self.root / self.system / self.api

    def versions(self) -> tuple[str, ...]:
        """Return the versions filed, oldest name first: 2 before 10, v1 before v1.1."""
        if not self.folder.is_dir():
            return ()
        found = {
            p.parent.name
            for document in PREFERRED_NAMES
            for p in self.folder.glob(f"*/{document}")
            if p.parent.name[0] != "."
        }
        return tuple(sorted(found, key=version_key))

    def before(self, version: str) -> str | None:
        """Return the version a new one follows: itself when it is replaced, else the last."""
        known = self.versions()
        if version in known:
            return version
        older = [v for v in known if version_key(v) < version_key(version)]
        following = older or list(known)
        return following[-1] if following else None


def check_name(what: str, name: str) -> None:
    """Raise ``UsageError`` unless a name may be a folder below ``contracts/``."""
    if not _NAME.fullmatch(name) or name in _NOT_NAMES:
        msg = f"{name!r:.60} cannot be the name of a {what}"
        raise UsageError(
            msg, remedy="Use letters, digits, '.', '_' and '-', starting with a letter or digit."
        )


def version_key(version: str) -> tuple[tuple[bool, int, str], ...]:
    """Return a key that orders versions as people do: runs of digits count as numbers."""
    parts = re.findall(r"[0-9]+|[^0-9]+", version)
    return tuple((p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts)


def folder_version(text: str) -> str:
    """Return a version as a folder's name; empty when nothing usable is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:100]


@dataclass(frozen=True, slots=True)
class Filing:
    """One version folder about to be written: its document and the files filed with it."""

    folder: Path
    provenance: Provenance
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def write(self) -> None:
        """Write the folder; what people keep beside the document (a mapping, ...) stays.

        Raises ``UsageError`` when the place cannot be written; then nothing has changed.
        """
        part = self.folder.with_name(f".{self.folder.name}.part")
        old = self.folder.with_name(f".{self.folder.name}.old")
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.parent.mkdir(parents=True, exist_ok=True)
            self._prepare(part)
            _swap(part, self.folder, old)
        except OSError as error:
            msg = f"the folder cannot be written: {error.strerror or error}"
            raise UsageError(
                msg,
                remedy="Check the permissions, or give another --contracts.",
                location=SourceLocation(str(self.folder)),
            ) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _prepare(self, part: Path) -> None:
        if self.folder.is_dir():
            shutil.copytree(self.folder, part)
            for name in (*PREFERRED_NAMES, SIDECAR):
                (part / name).unlink(missing_ok=True)
            shutil.rmtree(part / OVERLAYS, ignore_errors=True)
        part.mkdir(exist_ok=True)
        facts = self.provenance
        files = {facts.document: facts.text, **self.beside}
        files |= {f"{OVERLAYS}/{name}": text for name, _, text in facts.overlays}
        files[SIDECAR] = facts.to_yaml().encode()
        for name, text in files.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(text)


def _swap(part: Path, folder: Path, old: Path) -> None:
    """Put the new folder in place of the old one, which comes back when that fails."""
    shutil.rmtree(old, ignore_errors=True)
    if folder.is_dir():
        folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        if old.is_dir():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
