"""Drift packs: dated changes of shape, applied to answers as if the vendor had shipped them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from harness.model.errors import MetadataError
from harness.model.ports import Randomness
from harness.model.values import Json, JsonObject, pointer_tokens

_MISSING = object()


class DriftPack:
    """A pack that is switched on."""

    def __init__(self, pack: JsonObject, stream: Randomness) -> None:
        """Read the changes; raises ``MetadataError`` for one that is not known."""
        self.title = str(pack.get("title", ""))
        self._stream = stream
        self._changes = tuple(pack["changes"])
        for change in self._changes:
            if change["do"] not in _CHANGES:
                msg = f"a drift pack cannot {change['do']!r}."
                raise MetadataError(msg, remedy=f"Use one of: {', '.join(sorted(_CHANGES))}.")

    def apply(self, address: str, status: int, body: Json) -> Json:
        """Return the changed body; the given one stays as it is.

        A change speaks of successful answers unless it lists ``statuses``.
        """
        mine = [c for c in self._changes if _concerns(c, address, status)]
        if not mine:
            return body
        changed = deepcopy(body)
        for change in mine:
            if change["do"] == "wrap" and not change.get("at"):
                changed = {str(change["in"]): changed}
                continue
            tokens = pointer_tokens(str(change["at"]))
            if not tokens:
                msg = f"a drift pack can only wrap the whole body, not {change['do']} it."
                raise MetadataError(msg, remedy="Give 'at' a pointer to a member.")
            for parent, name in list(_places(changed, tokens)):
                if "share" not in change or self._stream.random() < float(change["share"]):
                    _CHANGES[change["do"]](parent, name, change)
        return changed


def _concerns(change: JsonObject, address: str, status: int) -> bool:
    operations = change["operations"]
    if "*" not in operations and address not in operations:
        return False
    text = str(status)
    statuses = [str(s) for s in change.get("statuses", ("2XX",))]
    return any(s == text or (s[1:] == "XX" and s[0] == text[0]) for s in statuses)


def _places(value: Json, tokens: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) of every place the tokens name; ``*`` is every element or member."""
    name, rest = tokens[0], tokens[1:]
    for key in _keys(value, name, last=not rest):
        if not rest:
            yield value, key
        else:
            yield from _places(value[key], rest)


def _keys(value: Json, name: str, *, last: bool) -> list[Any]:
    if isinstance(value, dict):
        if name == "*":
            return list(value)
        # The last step may name a member that is yet to be added.
        return [name] if last or name in value else []
    if isinstance(value, list):
        if name == "*":
            return list(range(len(value)))
        return [int(name)] if name.isdecimal() and int(name) < len(value) else []
    return []


def _get(parent: Any, name: Any) -> Any:
    if isinstance(parent, dict):
        return parent.get(name, _MISSING)
    return parent[name]


def _rename(parent: Any, name: Any, change: JsonObject) -> None:
    if isinstance(parent, dict) and name in parent:
        # Rebuilt so that the member keeps its place.
        items = [(str(change["to"]) if k == name else k, v) for k, v in parent.items()]
        parent.clear()
        parent.update(items)


def _remove(parent: Any, name: Any, _change: JsonObject) -> None:
    if isinstance(parent, dict):
        parent.pop(name, None)
    else:
        parent[name] = None  # removing elements would shift the others


def _add(parent: Any, name: Any, change: JsonObject) -> None:
    if _get(parent, name) is _MISSING:
        parent[name] = deepcopy(change["value"])


def _set(parent: Any, name: Any, change: JsonObject) -> None:
    parent[name] = deepcopy(change["value"])


def _replace_value(parent: Any, name: Any, change: JsonObject) -> None:
    if _get(parent, name) == change["from"]:
        parent[name] = deepcopy(change["to"])


def _wrap(parent: Any, name: Any, change: JsonObject) -> None:
    value = _get(parent, name)
    if value is not _MISSING:
        parent[name] = {str(change["in"]): value}


def _retype(parent: Any, name: Any, change: JsonObject) -> None:
    value = _get(parent, name)
    if value is _MISSING or value is None:
        return
    try:
        parent[name] = _TYPES[str(change["to"])](value)
    except (ValueError, TypeError):
        return  # a value that cannot be read as the new type stays, as in any real migration


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_TYPES: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "number": float,
    "integer": lambda value: int(float(value)),
    "boolean": lambda value: str(value).lower() in ("true", "1", "yes", "y"),
}
_CHANGES: dict[str, Callable[[Any, Any, JsonObject], None]] = {
    "rename": _rename,
    "remove": _remove,
    "add": _add,
    "set": _set,
    "replace_value": _replace_value,
    "retype": _retype,
    "wrap": _wrap,
}
