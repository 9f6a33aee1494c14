"""The contracts folder: which systems there are, their APIs and versions, and their metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.catalog.loading import Loaded, load_contract
from harness.catalog.metadata import load_metadata, metadata_schema
from harness.catalog.provenance import filed_overlays
from harness.catalog.sources import PREFERRED_NAMES, open_source
from harness.model.errors import SourceLocation, UsageError
from harness.model.values import Json, JsonObject

VARIABLE = "DRIFTGATE_CONTRACTS"
_NOT_SYSTEMS = frozenset({"canonical", "consumers"})
_HARNESS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class ContractsRoot:
    """The contracts folder in use and how it was found, so that a person can see which won."""

    path: Path
    how: str


def contracts_root(
    explicit: str | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    cwd: Path | None = None,
) -> ContractsRoot:
    """Return the contracts folder: option, environment, upwards from here, checkout, bundle.

    Raises ``UsageError`` when the one that was named does not exist, or there is none at all.
    """
    for named, how in ((explicit, "option"), (environ.get(VARIABLE), VARIABLE)):
        if named:
            if not Path(named).is_dir():
                msg = f"the contracts folder {named!r} (from {how}) does not exist"
                raise UsageError(msg, remedy="Name an existing folder.")
            return ContractsRoot(Path(named), how)
    here = (cwd or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if _is_contracts(folder / "contracts"):
            return ContractsRoot(folder / "contracts", "found upwards from here")
    for path, how in (
        (_HARNESS.parent / "contracts", "checkout"),
        (_HARNESS / "_contracts", "bundled"),
    ):
        if _is_contracts(path):
            return ContractsRoot(path, how)
    msg = "there is no contracts folder"
    raise UsageError(msg, remedy=f"Give --contracts or set {VARIABLE}.")


def _is_contracts(path: Path) -> bool:
    return path.is_dir() and ((path / "canonical").is_dir() or any(path.glob("*/system.yaml")))


@dataclass(frozen=True, slots=True)
class SystemRecord:
    """What ``system.yaml`` says about one system."""

    name: str
    data: JsonObject
    path: Path


class Catalog:
    """Everything under one contracts folder, read when asked for and then remembered."""

    def __init__(self, root: ContractsRoot | Path) -> None:
        """Take the folder; nothing is read yet."""
        self.root = root.path if isinstance(root, ContractsRoot) else root
        self._contracts: dict[tuple[str, str, str], Loaded] = {}
        self._files: dict[tuple[Path, str], JsonObject] = {}

    def system_names(self) -> tuple[str, ...]:
        """Return the systems, sorted: every folder but the canonical model and consumers."""
        return tuple(
            sorted(
                p.name
                for p in self.root.iterdir()
                if p.is_dir() and p.name not in _NOT_SYSTEMS and p.name[0] not in "._"
            )
        )

    def system(self, name: str) -> SystemRecord:
        """Return ``system.yaml``; raises ``UsageError`` for an unknown system."""
        folder = self._folder(name)
        return SystemRecord(name, self._file(folder / "system.yaml", "system"), folder)

    def behaviour(self, name: str) -> JsonObject:
        """Return ``behaviour.yaml``: quotas, paging, idempotency and other manners."""
        return self._file(self._folder(name) / "behaviour.yaml", "behaviour")

    def apis(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return (API, version) of every contract document of a system, sorted."""
        folder = self._folder(name)
        found = {
            (path.parent.parent.name, path.parent.name)
            for document in PREFERRED_NAMES
            for path in folder.glob(f"*/*/{document}")
            if path.parent.name[0] != "."  # an import that was cut short
        }
        return tuple(sorted(found))

    def contract(self, name: str, api: str, version: str) -> Loaded:
        """Return one API at one version, corrected by the overlays it was filed with.

        Raises ``UsageError`` when there is none.
        """
        key = (name, api, version)
        if key not in self._contracts:
            self._known(name, api, version)
            folder = self._folder(name) / api / version
            source = open_source(folder)
            overlays = filed_overlays(folder, shown=self._shown)
            self._contracts[key] = load_contract(
                replace(source, label=self._shown(source.label)), overlays=overlays
            )
        return self._contracts[key]

    def _shown(self, path: str) -> str:
        """Return a path as reports show it: from the contracts folder down, on any machine."""
        return str(Path("contracts") / Path(path).relative_to(self.root))

    def mapping(self, name: str, api: str, version: str) -> JsonObject | None:
        """Return ``mapping.yaml`` of one API, ``None`` when it has none."""
        self._known(name, api, version)
        path = self._folder(name) / api / version / "mapping.yaml"
        return self._file(path, "mapping") if path.exists() else None

    def accepted(self, name: str, api: str, version: str) -> JsonObject | None:
        """Return ``accepted.yaml``, the differences one API lives with; ``None`` without one."""
        self._known(name, api, version)
        path = self._folder(name) / api / version / "accepted.yaml"
        return self._file(path, "accepted") if path.exists() else None

    def drift_packs(self, name: str) -> tuple[str, ...]:
        """Return the names of a system's drift packs, sorted."""
        return tuple(sorted(p.stem for p in (self._folder(name) / "drift").glob("*.yaml")))

    def drift_pack(self, name: str, pack: str) -> JsonObject:
        """Return one drift pack; raises ``UsageError`` for an unknown one."""
        known = self.drift_packs(name)
        if pack not in known:
            msg = f"{name} has no drift pack {pack!r}"
            raise UsageError(msg, remedy=_known_names(known))
        return self._file(self._folder(name) / "drift" / f"{pack}.yaml", "drift_pack")

    def canonical_schema(self, object: str, version: str = "v1") -> JsonObject:  # noqa: A002 - the seam's name
        """Return the JSON Schema of a canonical object; raises ``UsageError`` for another."""
        folder = self.root / "canonical" / version
        known = tuple(
            sorted(p.name.removesuffix(".schema.json") for p in folder.glob("*.schema.json"))
        )
        if object not in known:
            msg = f"the canonical model {version} has no object {object!r}"
            raise UsageError(msg, remedy=_known_names(known))
        return self._file(folder / f"{object}.schema.json", "")

    def _file(self, path: Path, kind: str) -> JsonObject:
        key = (path, kind)
        if key not in self._files:
            schema: Json = metadata_schema(kind) if kind else {"type": "object"}
            self._files[key] = load_metadata(path, schema)
        return self._files[key]

    def _folder(self, name: str) -> Path:
        if name not in self.system_names():
            msg = f"there is no system {name!r}"
            raise UsageError(
                msg,
                remedy=_known_names(self.system_names()),
                location=SourceLocation(str(self.root)),
            )
        return self.root / name

    def _known(self, name: str, api: str, version: str) -> None:
        known = self.apis(name)
        if (api, version) not in known:
            msg = f"{name} has no API {api!r} at version {version!r}"
            raise UsageError(msg, remedy=_known_names(tuple("/".join(pair) for pair in known)))


def _known_names(names: tuple[str, ...]) -> str:
    return f"Known: {', '.join(names)}." if names else "None is known."
