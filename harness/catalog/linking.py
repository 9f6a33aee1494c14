"""External files, anchors and ``$id``: every reference becomes a local pointer, or a problem."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.catalog.limits import Limits, bundle_too_large, count_values, too_many_files
from harness.catalog.parsing import parse
from harness.catalog.references import FILES, Linked, objects, reference_pointer, reference_to
from harness.model.contract import Problem
from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import Json, JsonObject, pointer


@dataclass(slots=True)
class Bundle:
    """The linked document, the files it pulled in (relative path to bytes), and the problems."""

    document: JsonObject
    linked: Linked
    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def link(
    root: JsonObject, label: str, beside: Callable[[str], bytes] | None, limits: Limits
) -> Bundle:
    """Bundle the local files ``root`` refers to and make its references local.

    A document that refers only to itself by pointer is returned as it is. References that are
    remote, leave the folder, or name a file that cannot be read are reported and left alone.
    """
    referring = _referring(root, "")
    if not any(_needs_linking(node) for _, node in referring):
        linked = Linked(root)
        return Bundle(root, linked, {}, _dangling(linked, referring))
    linker = _Linker(root, label, beside, limits)
    linker.run()
    return linker.bundle()


def _needs_linking(node: dict[str, Any]) -> bool:
    reference = node.get("$ref")
    if isinstance(reference, str) and reference_pointer(reference) is None:
        return True
    return isinstance(node.get("$dynamicRef"), str)


def _referring(document: Json, start: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (here, node)
        for here, node in objects(document, start)
        if "$ref" in node or "$dynamicRef" in node
    ]


def _dangling(linked: Linked, referring: Iterable[tuple[str, dict[str, Any]]]) -> list[Problem]:
    problems = []
    for here, node in referring:
        reference = node.get("$ref")
        target = reference_pointer(reference) if isinstance(reference, str) else None
        if target is None:
            continue
        if not linked.has(target):
            text = f"{reference!r} names nothing in this document"
            problems.append(Problem("dangling-reference", text, here, value=reference))
        elif linked.is_circular(node, here):
            text = f"{reference!r} leads back to itself and never to a definition"
            problems.append(Problem("circular-reference", text, here, value=reference))
    return problems


class _Linker:
    def __init__(
        self,
        root: JsonObject,
        label: str,
        beside: Callable[[str], bytes] | None,
        limits: Limits,
    ) -> None:
        self._label = label
        self._beside = beside
        self._limits = limits
        self._root = root
        self._copies: dict[str, Json] = {"": _copy(root)}
        self._originals: dict[str, Json] = {}
        self._bytes: dict[str, bytes] = {}
        self._problems: list[Problem] = []
        self._missing: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._dynamic: dict[str, list[str]] = {}
        self._values = count_values(root, limits.nodes)
        self._size = 0

    def run(self) -> None:
        waiting = [""]
        order = [""]
        while waiting:  # first find all files, then rewrite: a file's anchors may be used anywhere
            name = waiting.pop(0)
            for here, node in objects(self._copies[name], _prefix(name)):
                self._remember_names(name, here, node)
                for target in self._files_of(name, node):
                    if self._load(target):
                        waiting.append(target)
                        order.append(target)
        for name in order:
            for here, node in objects(self._copies[name], _prefix(name)):
                self._rewrite(name, here, node)

    def bundle(self) -> Bundle:
        files = {n: c for n, c in self._copies.items() if n}
        document: dict[str, Any] = dict(self._root)
        linked_document = self._copies[""]
        if files:
            document[FILES] = dict(self._originals)
            linked_document = {**linked_document, FILES: files}
        linked = Linked(linked_document)
        starts = [_prefix(name) for name in self._copies]
        referring = [found for s in starts for found in _referring(linked.find(s), s)]
        problems = [*self._problems, *_dangling(linked, referring)]
        return Bundle(document, linked, dict(self._bytes), problems)

    def _remember_names(self, name: str, here: str, node: dict[str, Any]) -> None:
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(keyword), str):
                self._names.setdefault(f"{name}#{node[keyword]}", here)
        if isinstance(node.get("$dynamicAnchor"), str):
            self._dynamic.setdefault(node["$dynamicAnchor"], []).append(here)
        for keyword in ("$id", "id"):
            identity = node.get(keyword)
            if isinstance(identity, str) and identity.startswith("#"):  # how old drafts anchor
                self._names.setdefault(f"{name}{identity}", here)
            elif isinstance(identity, str) and keyword == "$id":
                self._names.setdefault(identity, here)

    def _files_of(self, name: str, node: dict[str, Any]) -> list[str]:
        reference = node.get("$ref")
        if not isinstance(reference, str) or reference.startswith("#"):
            return []
        target = self._file_name(name, reference)
        return [target] if target else []

    def _file_name(self, name: str, reference: str) -> str | None:
        """Return the file a reference names, relative to the root's folder, or ``None``."""
        address = reference.partition("#")[0]
        if _is_remote(address) or address in self._names:
            return None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(address)))
        if path.startswith(("/", "..")) or "\0" in path or "\\" in path:
            return None
        return "" if path == posixpath.basename(self._label) else path

    def _load(self, name: str) -> bool:
        if name in self._copies or name in self._missing:
            return False
        if len(self._copies) > self._limits.files:
            raise too_many_files(SourceLocation(self._label), self._limits)
        if self._beside is None:
            self._missing[name] = "the document does not come from a folder"
            return False
        try:
            data = self._beside(name)
            parsed = parse(data, name, self._limits)
        except LookupError:
            self._missing[name] = "there is no such file below the document's folder"
            return False
        except DocumentError as error:
            self._missing[name] = str(error)
            return False
        self._spend(data, parsed.value)
        self._bytes[name] = data
        self._originals[name] = parsed.value
        self._copies[name] = _copy(parsed.value)
        self._problems += [
            Problem(p.rule, p.message, _prefix(name) + p.pointer, p.location, p.value)
            for p in parsed.problems
        ]
        return True

    def _spend(self, data: bytes, value: Json) -> None:
        """Charge one more file to the limits of the whole; raises ``DocumentError`` beyond them."""
        place = SourceLocation(self._label)
        self._size += len(data)
        if self._size > self._limits.bytes:
            raise bundle_too_large(place, self._limits, what="bytes")
        self._values += count_values(value, self._limits.nodes)
        if self._values > self._limits.nodes:
            raise bundle_too_large(place, self._limits, what="values")

    def _rewrite(self, name: str, here: str, node: dict[str, Any]) -> None:
        dynamic = node.get("$dynamicRef")
        if isinstance(dynamic, str) and "$ref" not in node:
            places = self._dynamic.get(dynamic.partition("#")[2], [])
            if len(places) == 1:  # nothing can override it, so it is an ordinary reference
                del node["$dynamicRef"]
                node["$ref"] = reference_to(places[0])
                return
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return
        target = self._local(name, reference)
        if target is not None:
            node["$ref"] = reference_to(target)
        else:
            self._problems.append(self._unreadable(name, here, reference))
            node["$ref"] = reference if not reference.startswith("#") else f"anchor:{reference[1:]}"

    def _local(self, name: str, reference: str) -> str | None:
        address, _, fragment = reference.partition("#")
        fragment = unquote(fragment)
        if not address:
            file = name
        elif address in self._names:
            return self._names[address] + fragment if _is_pointer(fragment) else None
        else:
            found = self._file_name(name, reference)
            if found is None or found not in self._copies:
                return None
            file = found
        if _is_pointer(fragment):
            return _prefix(file) + fragment
        return self._names.get(f"{file}#{fragment}")

    def _unreadable(self, name: str, here: str, reference: str) -> Problem:
        address = reference.partition("#")[0]
        if _is_remote(address):
            return Problem(
                "remote-reference-refused",
                f"{reference!r} is remote, and remote references are not followed; "
                "keep a copy beside the document",
                here,
                value=reference,
            )
        if address:
            target = self._file_name(name, reference)
            if target is None:
                return Problem(
                    "reference-outside-folder",
                    f"{reference!r} leaves the folder of the document and was refused",
                    here,
                    value=reference,
                )
            why = self._missing.get(target, "it has no such anchor")
            text = f"{reference!r} cannot be read: {why}"
            return Problem("dangling-reference", text, here, value=reference)
        text = f"{reference!r} names nothing in this document"
        return Problem("dangling-reference", text, here, value=reference)


def _is_remote(address: str) -> bool:
    try:
        return bool(urlsplit(address).scheme) or address.startswith("//")
    except ValueError:  # no address at all, such as ``http://[``
        return True


def _prefix(name: str) -> str:
    return pointer(FILES, name) if name else ""


def _is_pointer(fragment: str) -> bool:
    return not fragment or fragment.startswith("/")


def _copy(value: Json) -> Json:
    """Return a deep copy: the C encoder needs no stack of ours, and shared YAML nodes part."""
    return json.loads(json.dumps(value))
