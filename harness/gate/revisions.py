"""Which contract documents changed between two git revisions."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from harness.catalog import open_source
from harness.catalog.provenance import OVERLAYS, SIDECAR
from harness.catalog.sources import PREFERRED_NAMES
from harness.model.errors import OutsideWorld, UsageError

_GIT_SECONDS = 60
_DOCUMENT_ENDINGS = (".yaml", ".yml", ".json", ".graphql", ".graphqls")
# The key that makes a file an API description, as it stands in YAML or JSON. Read from the bytes,
# because a document too broken to parse must be found as well: it is never green.
_SIGN = re.compile(rb"""^\s*\{?\s*["']?(openapi|swagger)["']?\s*:\s*["']?[0-9]""", re.MULTILINE)
_NAMED_AS_CONTRACT = re.compile(r"(^|/)((openapi|swagger)\.(ya?ml|json)|schema\.graphqls?)$")


class Change(StrEnum):
    """What happened to a document between the two revisions."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


@dataclass(frozen=True, slots=True)
class TouchedDocument:
    """One document; ``old`` and ``new`` are its paths from the repository's root."""

    change: Change
    old: str | None
    new: str | None

    @property
    def name(self) -> str:
        """Return the path a person knows it by."""
        return self.new or self.old or ""


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository; ``root`` is its top folder."""

    root: Path

    @staticmethod
    def around(folder: Path) -> Repository:
        """Return the repository that holds ``folder``; raises ``UsageError`` when none does."""
        done = _run(["rev-parse", "--show-toplevel"], folder)
        if done.returncode:
            msg = f"{folder} is not inside a git repository."
            raise UsageError(msg, remedy="Run the gate in a clone, or name one with --repository.")
        return Repository(Path(done.stdout.decode().strip()))

    def commit(self, revision: str) -> str:
        """Return the commit id of ``revision``; raises ``UsageError`` when it is not there."""
        done = _run(
            ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
            self.root,
        )
        if done.returncode:
            msg = f"git knows no revision {revision!r} here."
            raise UsageError(
                msg, remedy="Check the name; in CI fetch the whole history (fetch-depth: 0)."
            )
        return done.stdout.decode().strip()

    def merge_base(self, base: str, head: str) -> str:
        """Return where ``head`` left ``base``: changes made on ``base`` since are not ours."""
        done = _run(["merge-base", base, head], self.root)
        if done.returncode:
            msg = f"{base} and {head} share no history here."
            raise UsageError(msg, remedy="In CI fetch the whole history (fetch-depth: 0).")
        return done.stdout.decode().strip()

    def touched_documents(self, base: str, head: str) -> tuple[TouchedDocument, ...]:
        """Return every contract document touched between two commits, in path order.

        A renamed document is compared under both names. When a touched file is a fragment, the
        documents that refer to it by name count as touched; when it is a correction filed with a
        document, that document does.
        """
        raw = self._git("diff", "--name-status", "-z", "-M", base, head)
        changes = list(_parse_name_status(raw))
        documents = {d.name: d for d in changes if self._is_document(d, base, head)}
        fragments = [d.name for d in changes if d.name not in documents]
        for path in (*self._referring(fragments, head), *self._corrected(changes, head)):
            documents.setdefault(path, TouchedDocument(Change.MODIFIED, path, path))
        return tuple(documents[name] for name in sorted(documents))

    def holds(self, commit: str, path: str) -> bool:
        """Say whether ``path`` exists in ``commit``."""
        return _run(["cat-file", "-e", f"{commit}:{path}"], self.root).returncode == 0

    def files(self, commit: str, folder: str = "") -> tuple[str, ...]:
        """Return the paths of all files under ``folder`` in ``commit``, sorted."""
        raw = self._git(
            "ls-tree", "-r", "--name-only", "-z", commit, "--", *([folder] * bool(folder))
        )
        return tuple(sorted(n for n in raw.decode("utf-8", "surrogateescape").split("\0") if n))

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file of ``commit``, ``None`` when it is not there.

        Raises ``DocumentError`` for one beyond the limits of a document.
        """
        if not self.holds(commit, path):
            return None
        return open_source(f"{commit}:{path}", cwd=self.root).text

    def _is_document(self, document: TouchedDocument, base: str, head: str) -> bool:
        sides = ((base, document.old), (head, document.new))
        return any(
            path is not None
            and (
                _NAMED_AS_CONTRACT.search(path) is not None
                or _SIGN.search(self._git("cat-file", "blob", f"{commit}:{path}")) is not None
            )
            for commit, path in sides
        )

    def _corrected(self, changes: list[TouchedDocument], head: str) -> list[str]:
        """Return the documents in whose folder an overlay, or the list of them, was touched."""
        folders = set()
        for path in (PurePosixPath(d.name) for d in changes):
            if path.name == SIDECAR:
                folders.add(path.parent)
            elif path.parent.name == OVERLAYS:
                folders.add(path.parent.parent)
        candidates = sorted(str(f / name) for f in folders for name in PREFERRED_NAMES)
        return [path for path in candidates if self.holds(head, path)]

    def _referring(self, fragments: list[str], head: str) -> list[str]:
        found: set[str] = set()
        for fragment in fragments:
            done = _run(
                ["grep", "-l", "-z", "-I", "-F", "-e", Path(fragment).name, head, "--"]
                + [f"*{ending}" for ending in _DOCUMENT_ENDINGS],
                self.root,
            )
            for name in done.stdout.decode("utf-8", "replace").split("\0"):
                path = name.removeprefix(f"{head}:")
                text = self._git("cat-file", "blob", f"{head}:{path}") if path else b""
                if _SIGN.search(text):
                    found.add(path)
        return sorted(found)

    def _git(self, *arguments: str) -> bytes:
        done = _run(list(arguments), self.root)
        if done.returncode:
            detail = done.stderr.decode("utf-8", "replace").strip()
            msg = f"git {arguments[0]} failed: {detail}."
            raise OutsideWorld(msg, remedy="Check that the repository is complete.")
        return done.stdout


def _parse_name_status(raw: bytes) -> list[TouchedDocument]:
    fields = raw.decode("utf-8", "surrogateescape").split("\0")
    found: list[TouchedDocument] = []
    position = 0
    while position < len(fields) - 1:
        status, path = fields[position], fields[position + 1]
        position += 2
        old: str | None = path
        new: str | None = path
        if status[0] in "RC":
            new = fields[position]
            position += 1
        if status[0] == "A":
            old = None
        if status[0] == "D":
            new = None
        if (new or old or "").endswith(_DOCUMENT_ENDINGS):
            found.append(TouchedDocument(_change(old, new), old, new))
    return found


def _change(old: str | None, new: str | None) -> Change:
    if old is None:
        return Change.ADDED
    return Change.REMOVED if new is None else Change.MODIFIED


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
        )
    except FileNotFoundError as error:
        msg = "git is not installed, or the folder does not exist."
        raise OutsideWorld(msg, remedy="Install git and run the gate inside a clone.") from error
    except subprocess.TimeoutExpired as error:
        msg = f"git {arguments[0]} did not finish within {_GIT_SECONDS} seconds."
        raise OutsideWorld(msg, remedy="Run the gate again.") from error
