"""Two folders of contracts, compared API by API."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from harness.catalog.sources import PREFERRED_NAMES
from harness.model.errors import UsageError

_DOCUMENTS_MAX = 2_000
_ENDINGS = (".yaml", ".yml", ".json", ".graphql", ".graphqls")


def documents_under(source: str, cwd: Path) -> dict[str, str] | None:
    """Return the documents below a folder by their path inside it, as sources to open.

    A document is a file called ``openapi`` or ``swagger`` (``.yaml``, ``.yml``, ``.json``), or
    ``schema.graphql``.
    ``None`` says that the source is to be read as one document: a file, or a folder that holds
    one itself. Raises ``UsageError`` for a folder with too many.
    """
    folder = cwd / source
    if folder.is_dir():
        if _is_one([p.name for p in folder.iterdir() if p.is_file()]):
            return None
        return _several(source, {n: str(PurePosixPath(source) / n) for n in _on_disk(folder)})
    if folder.exists() or source == "-" or source.startswith(("http://", "https://")):
        return None
    revision, colon, inside = source.partition(":")
    if not (colon and revision) or revision.startswith("-") or inside.endswith(_ENDINGS):
        return None
    names = _in_git(revision, inside.strip("/"), cwd)
    if _is_one(n for n in names if "/" not in n):
        return None
    found = {n: f"{revision}:{PurePosixPath(inside.strip('/')) / n}" for n in names}
    return _several(source, {n: s for n, s in found.items() if n.split("/")[-1] in PREFERRED_NAMES})


def _is_one(names: Iterable[str]) -> bool:
    """Say whether the files of one folder make it a document, as the catalog would read it."""
    documents = [n for n in names if n.endswith(_ENDINGS)]
    return len(documents) == 1 or any(n in PREFERRED_NAMES for n in documents)


def _on_disk(folder: Path) -> Iterator[str]:
    for here, inner, names in os.walk(folder):
        inner[:] = sorted(n for n in inner if not n.startswith("."))
        for name in names:
            if name in PREFERRED_NAMES:
                yield (Path(here) / name).relative_to(folder).as_posix()


def _in_git(revision: str, inside: str, cwd: Path) -> list[str]:
    """Return the files below a folder of a revision, by their path inside it."""
    from harness.gate.revisions import Repository

    try:
        repository = Repository.around(cwd)
        commit = repository.commit(revision)
    except UsageError:
        return []
    listed = repository.files(commit, f"{inside}/" if inside else "")
    return [PurePosixPath(path).relative_to(inside or ".").as_posix() for path in listed]


def _several(source: str, found: dict[str, str]) -> dict[str, str] | None:
    if len(found) > _DOCUMENTS_MAX:
        msg = f"{source} holds {len(found)} documents."
        raise UsageError(msg, remedy=f"Compare a folder with at most {_DOCUMENTS_MAX}.")
    return {name: found[name] for name in sorted(found)} or None
