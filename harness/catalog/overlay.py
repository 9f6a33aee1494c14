"""OpenAPI Overlay: local corrections to a vendor's document, each with its reason.

We read Overlay 1.0 and 1.1 without ``copy``. Two things go beyond the standard: every correction
says why it is there (``x-reason`` in the action or in ``info``), and an action that selects
nothing or changes nothing is a problem: the vendor has repaired the document, or never had it so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.catalog.correction import Correction, Incompatible, Origin
from harness.catalog.json_paths import PathMistake, PathTooCostly, Selected, select
from harness.catalog.limits import DEFAULT_LIMITS, Limits, count_values
from harness.catalog.metadata import checked_metadata, metadata_schema
from harness.catalog.parsing import positions
from harness.catalog.sources import Source, open_source
from harness.model.contract import Problem
from harness.model.errors import MetadataError, SourceLocation
from harness.model.values import Json, JsonObject, pointer

TARGET_ABSENT = "overlay-target-absent"
WITHOUT_EFFECT = "overlay-without-effect"
_VISITS_MIN = 200_000
_VISITS_PER_VALUE = 10


@dataclass(frozen=True, slots=True)
class Action:
    """One correction: what it selects, what it does there, why, and where it is written."""

    target: str
    reason: str
    remove: bool
    update: Json
    pointer: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """One overlay file, known to be written correctly."""

    source: Source
    title: str
    version: str
    extends: str | None
    actions: tuple[Action, ...]

    def place(self, where: str) -> SourceLocation:
        """Return the line and column of a pointer of the overlay file."""
        label = self.source.label
        return SourceLocation(label, *positions(self.source.text, label).at(where))

    def mistake(self, where: str, message: str, remedy: str) -> MetadataError:
        """Return the error for something wrong at a pointer of the overlay file."""
        return MetadataError(message, remedy=remedy, location=self.place(where))


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected document, what is wrong with the corrections, and where each part came from."""

    document: dict[str, Any]
    problems: tuple[Problem, ...]
    correction: Correction
    overlays: tuple[Overlay, ...]

    def origin(self, place: str) -> tuple[Source | None, str]:
        """Return the overlay file that wrote a part (``None``: the document), and where."""
        found = self.correction.origin(place)
        chosen = None if found.overlay is None else self.overlays[found.overlay].source
        return chosen, found.pointer


def read_overlay(source: Source | str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Overlay:
    """Return an overlay from a file.

    Raises ``MetadataError`` with file and line for every mistake, a correction without a reason
    included, and ``DocumentError`` when the text cannot be read at all.
    """
    opened = source if isinstance(source, Source) else open_source(source, limits=limits)
    value = checked_metadata(opened.text, opened.label, metadata_schema("overlay"))
    info = value["info"]
    overlay = Overlay(
        source=opened,
        title=info["title"],
        version=info["version"],
        extends=value.get("extends"),
        actions=tuple(
            _action(node, pointer("actions", index), info)
            for index, node in enumerate(value["actions"])
        ),
    )
    for action, node in zip(overlay.actions, value["actions"], strict=True):
        _check(overlay, action, node)
    return overlay


def _action(node: JsonObject, where: str, info: JsonObject) -> Action:
    return Action(
        target=node["target"],
        reason=str(node.get("x-reason") or info.get("x-reason") or "").strip(),
        remove=node.get("remove") is True,
        update=node.get("update"),
        pointer=where,
    )


def _check(overlay: Overlay, action: Action, node: JsonObject) -> None:
    if not action.reason:
        raise overlay.mistake(
            action.pointer,
            f"the correction of {action.target} gives no reason",
            "Say in x-reason, in the action or in info, why we differ from the vendor.",
        )
    if not action.remove and "update" not in node:
        raise overlay.mistake(
            action.pointer,
            f"the action on {action.target} changes nothing",
            "Give it an update, or remove: true.",
        )
    if action.remove and action.target.strip() == "$":
        raise overlay.mistake(
            action.pointer + "/target",
            "the whole document cannot be removed",
            "Select a part of it.",
        )


def apply_overlay(
    document: JsonObject, overlay: Overlay, *, limits: Limits = DEFAULT_LIMITS
) -> Corrected:
    """Return the document with one overlay applied; see :func:`apply_overlays`."""
    return apply_overlays(document, (overlay,), limits=limits)


def apply_overlays(
    document: JsonObject,
    overlays: tuple[Overlay, ...],
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Corrected:
    """Return the document with overlays applied in order; ``document`` stays as it is.

    Objects are merged member by member, arrays grow at their end, anything else is replaced.
    What an overlay ``extends`` is not compared with the document's name: a filed document no longer
    has the vendor's. Raises ``MetadataError`` with the overlay's file and line for a target that
    is not JSONPath, an update that does not fit what it meets, and corrections that cost or grow
    beyond the limits.
    """
    correction = Correction(document, limits)
    problems: list[Problem] = []
    for number, overlay in enumerate(overlays):
        for action in overlay.actions:
            problems += _apply(correction, number, overlay, action)
    return Corrected(correction.document, tuple(problems), correction, overlays)


def _apply(correction: Correction, number: int, overlay: Overlay, action: Action) -> list[Problem]:
    selected = _selected(correction, overlay, action)
    if not selected:
        text = f"the overlay corrects {action.target}, and there is no such part"
        return [_stale(TARGET_ABSENT, text, overlay, action)]
    if action.remove:
        correction.remove([s.tokens for s in selected])
        return []
    size = count_values(action.update, correction.limits.nodes)
    changed = False
    origin = Origin(number, action.pointer + "/update")
    for one in selected:
        if not correction.has_room(size):
            raise _too_costly(overlay, action, f"more than {correction.limits.nodes:,} values")
        try:
            changed |= correction.update(one.tokens, action.update, origin)
        except Incompatible as error:
            where = pointer(*one.tokens) or "the document"
            raise overlay.mistake(
                origin.pointer,
                f"the update of {action.target} does not fit {where}: {error}",
                "Select something else, or write an update of the same kind.",
            ) from error
    if correction.too_deep():
        raise _too_costly(overlay, action, f"more than {correction.limits.depth} levels")
    if not changed:
        text = f"the overlay's update of {action.target} says what the document says already"
        return [_stale(WITHOUT_EFFECT, text, overlay, action)]
    return []


def _stale(rule: str, text: str, overlay: Overlay, action: Action) -> Problem:
    message = f"{text}; it was there because: {action.reason}"
    return Problem(rule, message, "", overlay.place(action.pointer + "/target"), action.target)


def _selected(correction: Correction, overlay: Overlay, action: Action) -> list[Selected]:
    visits = max(_VISITS_MIN, _VISITS_PER_VALUE * correction.values)
    try:
        return select(correction.document, action.target, visits_max=visits)
    except PathMistake as error:
        raise overlay.mistake(
            action.pointer + "/target",
            f"the target {action.target:.80} is not a JSONPath query: {error}",
            "Write it as RFC 9535 has it, for example $.paths['/orders'].get.",
        ) from error
    except PathTooCostly as error:
        raise _too_costly(overlay, action, f"more than {visits:,} values to look at") from error


def _too_costly(overlay: Overlay, action: Action, what: str) -> MetadataError:
    return overlay.mistake(
        action.pointer + "/target",
        f"the action on {action.target:.80} comes to {what}",
        "Select fewer parts, or name them more closely.",
    )


def stale_everywhere(*sides: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the complaints about overlay actions that every one of several documents shares.

    Where one overlay corrects an old and a new document, a part that only one of them has is no
    mistake: the vendor repaired it, or has just introduced it.
    """
    about = (TARGET_ABSENT, WITHOUT_EFFECT)
    stale = [{p.location: p for p in side if p.rule in about} for side in sides]
    if not stale:
        return ()
    first, *others = stale
    return tuple(replace(p) for place, p in first.items() if all(place in o for o in others))
