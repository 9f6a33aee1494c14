"""Where a document comes from: a file, a folder, standard input, a git revision, a URL."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.catalog.limits import DEFAULT_LIMITS, Limits, too_many_bytes
from harness.model.errors import DocumentError, SourceLocation, UsageError

PREFERRED_NAMES = (
    *(
        f"{stem}.{ending}"
        for stem in ("openapi", "swagger", "schema")
        for ending in ("yaml", "yml", "json")
    ),
    "schema.graphql",
    "schema.graphqls",
)
_ENDINGS = (".yaml", ".yml", ".json", ".graphql", ".graphqls")
_GIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Source:
    """A document's bytes, the name the user knows it by, and how to read files beside it.

    ``base`` names the folder the document stands in. ``beside`` reads a file by its path relative
    to that folder and raises ``LookupError`` when there is none or it may not be read.
    """

    label: str
    text: bytes
    base: Path | None = None
    beside: Callable[[str], bytes] | None = None


def open_source(
    text: str | Path,
    *,
    allow_remote: bool = False,
    cwd: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    clock: Callable[[], float] | None = None,
) -> Source:
    """Return the document a user named: path, folder, ``-``, URL or ``revision:path``.

    ``clock`` gives seconds and bounds how long a URL may take.

    Raises ``DocumentError`` when there is no such document, ``UsageError`` for a URL that was not
    allowed, ``Unreachable`` for one that did not answer.
    """
    name = str(text)
    if name == "-":
        return Source("standard input", _bounded(sys.stdin.buffer.read, "standard input", limits))
    if name.startswith(("http://", "https://")):
        return _remote(name, limits, allowed=allow_remote, clock=clock)
    folder = cwd or Path.cwd()
    path = folder / name
    if path.is_dir():
        path = _only_document(path, name)
        return _file(path, str(Path(name) / path.name), limits)
    if path.exists():
        return _file(path, name, limits)
    revision, separator, inside = name.partition(":")
    if isinstance(text, str) and separator and revision and not revision.startswith("-"):
        return _from_git(revision, inside, folder, limits)
    msg = "there is no such file or folder"
    raise DocumentError(
        msg,
        remedy="Name a file, a folder, '-', or revision:path.",
        location=SourceLocation(name),
    )


def _bounded(read: Callable[[int], bytes], label: str, limits: Limits) -> bytes:
    data = read(limits.bytes + 1)
    if len(data) > limits.bytes:
        raise too_many_bytes(label, limits)
    return data


def _read_path(path: Path, label: str, limits: Limits) -> bytes:
    try:
        with path.open("rb") as stream:
            return _bounded(stream.read, label, limits)
    except OSError as error:
        msg = f"the file cannot be read: {error.strerror}"
        raise DocumentError(
            msg,
            remedy="Check the path and its permissions.",
            location=SourceLocation(label),
        ) from error


def _file(path: Path, label: str, limits: Limits) -> Source:
    base = path.resolve().parent

    def beside(relative: str) -> bytes:
        target = (base / relative).resolve()
        if not target.is_relative_to(base) or not target.is_file():
            raise LookupError(relative)
        return _read_path(target, relative, limits)

    return Source(label, _read_path(path, label, limits), base, beside)


def _only_document(folder: Path, name: str) -> Path:
    chosen = _choose(sorted(p.name for p in folder.iterdir() if p.is_file()), name)
    return folder / chosen


def _choose(names: list[str], folder: str) -> str:
    for preferred in PREFERRED_NAMES:
        if preferred in names:
            return preferred
    documents = [n for n in names if n.endswith(_ENDINGS)]
    if len(documents) == 1:
        return documents[0]
    found = f"{len(documents)} documents ({', '.join(documents[:5])})" if documents else "none"
    msg = f"which document of this folder is meant? It holds {found}"
    raise DocumentError(
        msg,
        remedy="Name the file, or call it openapi.yaml.",
        location=SourceLocation(folder),
    )


def _from_git(revision: str, inside: str, cwd: Path, limits: Limits) -> Source:
    label = f"{revision}:{inside}"
    if _git(["cat-file", "-t", label], cwd, label).strip() == b"tree":
        listing = _git(["ls-tree", "--name-only", "-z", label], cwd, label)
        names = sorted(n.decode("utf-8", "replace") for n in listing.split(b"\0") if n)
        inside = f"{inside.rstrip('/')}/{_choose(names, label)}".lstrip("/")
        label = f"{revision}:{inside}"
    folder = PurePosixPath(inside).parent

    def blob(path: str) -> bytes:
        name = f"{revision}:{path}"
        if int(_git(["cat-file", "-s", name], cwd, name)) > limits.bytes:
            raise too_many_bytes(name, limits)
        return _git(["cat-file", "blob", name], cwd, name)

    def beside(relative: str) -> bytes:
        if ".." in PurePosixPath(relative).parts:
            raise LookupError(relative)
        try:
            return blob(str(folder / relative))
        except DocumentError as error:
            raise LookupError(relative) from error

    return Source(label, blob(inside), None, beside)


def _git(arguments: list[str], cwd: Path, label: str) -> bytes:
    """Run git on an object name that is known not to start with a dash; never through a shell."""
    import subprocess  # only a revision needs it

    location = SourceLocation(label)
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
        )
    except FileNotFoundError as error:
        msg = "there is no such file, and git is not installed to read it as revision:path"
        raise DocumentError(
            msg,
            remedy="Name an existing file, or install git.",
            location=location,
        ) from error
    except subprocess.TimeoutExpired as error:
        msg = f"git did not answer within {_GIT_SECONDS} seconds"
        raise DocumentError(
            msg,
            remedy="Run the command again, or export the file first.",
            location=location,
        ) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        detail = lines[-1].removeprefix("fatal: ") if lines else "git failed"
        msg = f"there is no such file, and git cannot read it as revision:path ({detail})"
        raise DocumentError(
            msg,
            remedy="Check the path; for git, that the revision is fetched and holds the file.",
            location=location,
        )
    return done.stdout


def _remote(
    url: str, limits: Limits, *, allowed: bool, clock: Callable[[], float] | None
) -> Source:
    shown = url.partition("#")[0].partition("?")[0]
    if not allowed:
        msg = f"{shown} is remote, and remote documents are refused unless allowed"
        raise UsageError(msg, remedy="Download it first, or allow remote documents.")
    from harness.catalog.remote import fetch

    return Source(shown, fetch(url, limits, clock=clock))
