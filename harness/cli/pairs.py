"""Reads two contracts, finds the files beside them, and has them judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness.model.finding import Finding

if TYPE_CHECKING:
    from harness.catalog import Loaded, Source
    from harness.catalog.caching import ContractCache
    from harness.catalog.overlay import Overlay
    from harness.gate.judging import Choices, Judged


def _nobody(_phase: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Side:
    """One contract as it was read."""

    source: Source
    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Pairs:
    """How to read and judge pairs; the same for all pairs of a run.

    ``lap`` is told every phase that ended, reading included; ``cache`` remembers documents that
    a batch meets again.
    """

    choices: Choices
    overlays: tuple[Overlay, ...] = ()
    lap: Callable[[str], None] = _nobody
    cache: ContractCache | None = None

    def read(self, name: str, side: str) -> Side:
        """Return one contract as the overlays filed with it and those named correct it.

        Raises ``DocumentError`` and its kin as the catalog does.
        """
        from harness.catalog import load_contract, open_source
        from harness.gate.beside import folder_of

        def lap(phase: str) -> None:
            self.lap(f"{side}: {phase}")

        source = open_source(name)
        folder = folder_of(source, Path.cwd())
        filed = folder.overlays(PurePosixPath(source.label).name) if folder else ()
        overlays = (*filed, *self.overlays)
        loaded = load_contract(source, overlays=overlays, lap=lap, cache=self.cache)
        return Side(source, loaded)

    def judged(self, old: Side, new: Side) -> Judged:
        """Return what comes of a pair; raises ``MetadataError`` for wrong files beside it."""
        from harness.gate.beside import folder_of
        from harness.gate.judging import files_beside, judge

        here = Path.cwd()
        folders = (folder_of(new.source, here), folder_of(old.source, here))
        files = files_beside(folders, self.choices)
        self.lap("files beside")
        choices = replace(self.choices, lap=self.lap)
        contracts = (old.loaded.contract, new.loaded.contract)
        judged = judge(*contracts, choices, files, self._stale(old, new))
        self.lap("choices of the gate")
        return judged

    def gone(self, name: str, old: str, where: Source) -> Judged:
        """Return what comes of a document that has no counterpart.

        ``name`` is how the report knows it; ``where`` is the place it would have on the new side,
        because a waiver for its removal stands there.
        """
        from harness.catalog import open_source
        from harness.gate.beside import folder_of
        from harness.gate.documents import removed
        from harness.gate.judging import Judged, decided, files_beside
        from harness.model.errors import DriftgateError

        here = Path.cwd()
        source = open_source(old)
        files = files_beside((folder_of(where, here), folder_of(source, here)), self.choices)
        callers: tuple[str, ...] = ()
        if self.choices.pacts:
            from harness.gate.impact import usage

            try:
                contract = self.read(old, "old").loaded.contract
            except DriftgateError:  # it is gone either way; nobody can say who called it
                return Judged(decided((removed(name, old),), self.choices, files), files=files)
            callers = usage(self.choices.pacts, contract, files.others).consumers
        gone = removed(name, old, callers)
        return Judged(decided((gone,), self.choices, files), callers=callers, files=files)

    def _stale(self, old: Side, new: Side) -> tuple[Finding, ...]:
        """Return the corrections that do nothing on either side: they wait to be deleted."""
        if not self.overlays:
            return ()
        from harness.catalog import problem_finding
        from harness.catalog.overlay import stale_everywhere

        stale = stale_everywhere(new.loaded.problems, old.loaded.problems)
        return tuple(
            problem_finding(p, p.location.path if p.location else new.source.label) for p in stale
        )
