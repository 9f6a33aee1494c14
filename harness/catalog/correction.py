"""A document under correction: edits in place on a copy, and where every part came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.catalog.limits import Limits, count_values, nested_deeper
from harness.model.values import Json, JsonObject, pointer, pointer_tokens

Tokens = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """A pointer into the document itself (``overlay`` is ``None``) or into one of its overlays."""

    overlay: int | None
    pointer: str

    def inside(self, token: str | int) -> Origin:
        """Return the origin of a member or element."""
        return Origin(self.overlay, self.pointer + pointer(token))


class Incompatible(ValueError):
    """An update of another kind than what it should change; the text says which."""


class Correction:
    """Applies corrections to a copy of a document and remembers who wrote what.

    Only what was moved or put in is remembered: an object or array by its identity, anything else
    by what holds it. Everything else stands where its surroundings say.
    """

    def __init__(self, document: JsonObject, limits: Limits) -> None:
        """Copy the document, so that shared YAML nodes part and the original stays as it is."""
        self.document: dict[str, Any] = _copy(document)
        self.limits = limits
        self.values = count_values(self.document, limits.nodes)
        self._came: dict[int, Origin] = {}
        self._single: dict[tuple[int, str | int], Origin] = {}
        self._kept: list[
            Json
        ] = []  # what was ever remembered stays alive: identities are not reused

    def has_room(self, size: int) -> bool:
        """Say whether ``size`` more values stay within the limits, and count them."""
        self.values += size
        return self.values <= self.limits.nodes

    def too_deep(self) -> bool:
        """Say whether the document is now nested deeper than allowed."""
        return nested_deeper(self.document, self.limits.depth)

    def origin(self, place: str) -> Origin:
        """Return where the part at a pointer of the corrected document was written."""
        return self._origin(pointer_tokens(place))

    def _origin(self, tokens: Tokens) -> Origin:
        here, node = self._came.get(id(self.document), Origin(None, "")), self.document
        for token in tokens:
            here, node = self._step(here, node, token)
        return here

    def _step(self, here: Origin, node: Any, token: str | int) -> tuple[Origin, Any]:
        key = int(token) if isinstance(node, list) and str(token).isdecimal() else token
        child = None
        if (isinstance(node, dict) and key in node) or (
            isinstance(node, list) and isinstance(key, int) and key < len(node)
        ):
            child = node[key]  # type: ignore[index] # the kind of key was just checked
        remembered = (
            self._came.get(id(child))
            if isinstance(child, dict | list)
            else self._single.get((id(node), key))
        )
        return remembered or here.inside(token), child

    # ------------------------------------------------------------------------------------ removal

    def remove(self, places: list[Tokens]) -> None:
        """Take parts away; elements that move up keep the line they stand in."""
        lists: dict[int, tuple[list[Json], Tokens, set[int]]] = {}
        for tokens in places:
            holder = self._at(tokens[:-1])
            last = tokens[-1]
            if isinstance(holder, list) and isinstance(last, int):
                lists.setdefault(id(holder), (holder, tokens[:-1], set()))[2].add(last)
        for tokens in places:
            holder = self._at(tokens[:-1])
            if isinstance(holder, dict):
                self._single.pop((id(holder), tokens[-1]), None)
                self._kept.append(holder.pop(str(tokens[-1])))
        inner_first = sorted(lists.values(), key=lambda found: -len(found[1]))
        for holder, tokens, gone in inner_first:  # so that the places of the others still hold
            self._shorten(holder, self._origin(tokens), gone)

    def _shorten(self, holder: list[Json], here: Origin, gone: set[int]) -> None:
        origins = [self._step(here, holder, index)[0] for index in range(len(holder))]
        self._kept += [holder[index] for index in sorted(gone)]
        kept = [(v, origins[i]) for i, v in enumerate(holder) if i not in gone]
        for index in range(len(holder)):
            self._single.pop((id(holder), index), None)
        holder[:] = [value for value, _ in kept]
        for index, (_, origin) in enumerate(kept):
            self._remember(holder, index, origin)

    def _at(self, tokens: Tokens) -> Any:
        """Return what stands there, or ``None`` where a correction just before changed the way."""
        node: Any = self.document
        for token in tokens:
            if not _holds(node, token):
                return None
            node = node[token]
        return node

    # ------------------------------------------------------------------------------------- update

    def update(self, tokens: Tokens, update: Json, origin: Origin) -> bool:
        """Merge, append or replace at one place; say whether that changed anything.

        Raises ``Incompatible`` when an object is updated with something that is none, or a plain
        value with an object or array.
        """
        holder = self._at(tokens[:-1])
        if tokens and not _holds(holder, tokens[-1]):
            return False  # the same update has just replaced what was around it
        target = self._at(tokens)
        if isinstance(target, dict):
            if not isinstance(update, dict):
                msg = "an object can only be merged with an object"
                raise Incompatible(msg)
            return self._merge(target, update, origin)
        if isinstance(target, list):
            return self._append(target, update, origin)
        if isinstance(update, dict | list):
            msg = "a plain value can only be replaced by a plain value"
            raise Incompatible(msg)
        return self._replace(holder, tokens[-1], update, origin)

    def _merge(self, target: dict[str, Any], update: dict[str, Any], origin: Origin) -> bool:
        changed = False
        waiting = [(target, update, origin)]
        while waiting:
            into, members, here = waiting.pop()
            for name, value in members.items():
                old, inner = into.get(name), here.inside(name)
                if isinstance(old, dict) and isinstance(value, dict):
                    waiting.append((old, value, inner))
                elif isinstance(old, list) and isinstance(value, list):
                    changed |= self._append(old, value, inner)
                else:
                    changed |= self._replace(into, name, value, inner)
        return changed

    def _append(self, target: list[Json], update: Json, origin: Origin) -> bool:
        listed = isinstance(update, list)
        for index, value in enumerate(update if listed else [update]):
            target.append(_copy(value))
            self._remember(target, len(target) - 1, origin.inside(index) if listed else origin)
        return not listed or bool(update)

    def _replace(self, holder: Any, key: str | int, value: Json, origin: Origin) -> bool:
        absent = isinstance(holder, dict) and key not in holder
        if not absent:
            if _same(holder[key], value):
                return False
            self._kept.append(holder[key])
        holder[key] = _copy(value)
        self._remember(holder, key, origin)
        return True

    def _remember(self, holder: Any, key: str | int, origin: Origin) -> None:
        value = holder[key]
        if isinstance(value, dict | list):
            self._came[id(value)] = origin
            self._kept.append(value)
        else:
            self._single[id(holder), key] = origin
            self._kept.append(holder)


def _holds(node: Any, token: str | int) -> bool:
    if isinstance(node, dict):
        return token in node
    return isinstance(node, list) and isinstance(token, int) and token < len(node)


def _same(one: Json, other: Json) -> bool:
    """Compare as JSON: ``true`` is not ``1``."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _copy(value: Json) -> Any:
    """Return a deep copy; values here are never deeper than the limits."""
    return json.loads(json.dumps(value))
