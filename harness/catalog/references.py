"""``$ref``: where they stand, what they name, and following them without running in circles."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any
from urllib.parse import quote, unquote

from harness.model.values import Json, JsonObject, pointer, pointer_tokens, walk

UNRESOLVED = "x-driftgate-unresolved"
"""Marks a schema of which a part could not be read; no proof may rely on it."""

FILES = "x-driftgate-files"
"""Member of a document under which the external files it refers to are bundled."""

CONTRACT_URI = "urn:driftgate:contract"
"""The name under which :attr:`Contract.schemas` is registered with a validator."""

_SAFE = "/~!$&'()*+,;=:@-._"
_DATA = frozenset({"example", "default", "enum", "const", "value", "security", "mapping"})
_MAPS = frozenset({
    "properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "schemas",
    "responses", "requestBodies", "headers", "securitySchemes", "securityDefinitions", "links",
    "callbacks", "pathItems", "paths", "webhooks", "content", "encoding", "variables", "examples",
    "parameters",
})  # fmt: skip


def reference_to(target: str) -> str:
    """Return the local ``$ref`` text for a pointer: ``#`` and the pointer percent-encoded."""
    return "#" + quote(target, safe=_SAFE)


def contract_reference(target: str) -> str:
    """Return the ``$ref`` text that names a pointer of a registered contract."""
    return CONTRACT_URI + reference_to(target)


def reference_pointer(reference: str) -> str | None:
    """Return the pointer a local ``$ref`` names; ``None`` for an anchor or anything not local."""
    if not reference.startswith("#"):
        return None
    target = unquote(reference[1:])
    return target if not target or target.startswith("/") else None


def step(key: str) -> str:
    """Return ``pointer(key)``, without its price for the names nearly all keys are."""
    return pointer(key) if "/" in key or "~" in key else f"/{key}"


def objects(document: Json, start: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object that can hold a ``$ref``: examples, defaults and other data left out."""
    stack: list[tuple[Json, str, bool]] = [(document, start, False)]
    while stack:
        node, here, names = stack.pop()
        if isinstance(node, list):
            stack.extend((v, f"{here}/{i}", False) for i, v in reversed(list(enumerate(node))))
            continue
        if not isinstance(node, dict):
            continue
        if not names or isinstance(node.get("$ref"), str):
            yield here, node
        for key, value in reversed(node.items()):
            if not isinstance(value, dict | list):
                continue
            if names:
                stack.append((value, here + step(key), False))
            elif not _is_data(key, value):
                stack.append((value, here + step(key), key in _MAPS))


def _is_data(key: str, value: Json) -> bool:
    if key == FILES:
        return True  # each bundled file is walked from its own root
    return key in _DATA or key.startswith("x-") or (key == "examples" and isinstance(value, list))


class _Fate(Enum):
    """How a chain of references ends that arrives nowhere."""

    DANGLING = "dangling"
    CIRCULAR = "circular"


class Linked:
    """A document whose ``$ref`` all are local pointers, or could not be made so."""

    def __init__(self, document: JsonObject) -> None:
        """Take the document; nothing is walked yet."""
        self.document = document
        self._found: dict[str, Json] = {}
        self._ends: dict[str, tuple[Json, str] | _Fate] = {}

    def find(self, target: str) -> Json:
        """Return the value at a pointer; raises ``LookupError`` when there is none."""
        if target not in self._found:
            self._found[target] = walk(self.document, pointer_tokens(target))
        return self._found[target]

    def has(self, target: str) -> bool:
        """Say whether something stands at a pointer."""
        try:
            self.find(target)
        except LookupError:
            return False
        return True

    def follow(self, node: Json, here: str) -> tuple[Json, str] | None:
        """Return what a node stands for after all its ``$ref``, and where that is.

        ``None`` when a reference dangles, leaves the document, or comes back to itself.
        """
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            return node, here
        end = self._end(node["$ref"])
        return end if isinstance(end, tuple) else None

    def is_circular(self, node: Json, here: str) -> bool:
        """Say whether following only ``$ref`` from here never arrives anywhere."""
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            return False
        return self._end(node["$ref"]) is _Fate.CIRCULAR

    def _end(self, reference: str) -> tuple[Json, str] | _Fate:
        """Return where a chain of references ends, remembered for each of its links.

        A long chain that many start from is walked once: hostile documents have such chains.
        """
        chain: list[str] = []
        on_the_way: set[str] = set()
        end: tuple[Json, str] | _Fate
        while True:
            if reference in self._ends:
                end = self._ends[reference]
                break
            if reference in on_the_way:
                end = _Fate.CIRCULAR
                break
            chain.append(reference)
            on_the_way.add(reference)
            target = reference_pointer(reference)
            if target is None or not self.has(target):
                end = _Fate.DANGLING
                break
            node = self.find(target)
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                end = (node, target)
                break
            reference = node["$ref"]
        self._ends.update(dict.fromkeys(chain, end))
        return end
