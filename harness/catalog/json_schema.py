"""Bare JSON Schema documents: the same schema in 2020-12, as one message that is sent.

Vendors publish the payloads of events, feeds and reports as a lone schema. The provider writes
such a message and we read it, so it is one incoming operation whose body is the whole document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.catalog.drafts import Draft, draft_of
from harness.catalog.linking import Bundle
from harness.catalog.locating import Locator
from harness.catalog.normalising import normalise
from harness.catalog.references import FILES, Linked, reference_pointer, reference_to
from harness.catalog.schema_keywords import ONE_SCHEMA, SCHEMA_LIST, SCHEMA_MAP
from harness.model.contract import Contract, Dialect, MediaType, Operation, Problem, RequestBody
from harness.model.values import Json, JsonObject, pointer

EVENT = "EVENT"
"""The method of the one operation of a bare JSON Schema document."""

MESSAGE = "message"
"""Its path: never the title or the file's name, which may differ between two versions."""

_SINCE: dict[str, Draft] = {
    **dict.fromkeys(("const", "contains", "propertyNames"), Draft.D6),
    **dict.fromkeys(("if", "then", "else", "contentEncoding", "contentMediaType"), Draft.D7),
    **dict.fromkeys(
        ("dependentSchemas", "dependentRequired", "unevaluatedItems", "unevaluatedProperties",
         "minContains", "maxContains", "contentSchema", "$recursiveRef"),
        Draft.D2019,
    ),
    **dict.fromkeys(("prefixItems", "$dynamicRef"), Draft.D2020),
}  # fmt: skip
_BOUNDS = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))


def schema_contract(label: str, bundle: Bundle, locator: Locator) -> tuple[Contract, list[Problem]]:
    """Return the contract of a linked schema document, and what could not be kept."""
    modern, schemas, problems = modernised(bundle.linked)
    document = bundle.document
    contract = Contract(
        source=label,
        dialect=Dialect.JSON_SCHEMA,
        title=_text(document, "title") or _text(document, "$id") or Path(label).stem,
        version=_text(document, "version"),
        document=document,
        schemas=schemas,
        operations=(),
        webhooks=(message_of(document),),
        locate=lambda place: locator(modern.original(place)),
    )
    return contract, problems


def modernised(linked: Linked) -> tuple[Modernised, dict[str, Any], list[Problem]]:
    """Return a schema document in 2020-12 with its normal form, and what could not be kept.

    Problems stand at the pointers of the user's file.
    """
    modern = Modernised(linked)
    schemas, unusable = normalise(modern.linked, Dialect.JSON_SCHEMA)
    problems = [replace(p, pointer=modern.original(p.pointer)) for p in unusable]
    return modern, schemas, [*modern.problems, *problems]


def _text(document: JsonObject, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def message_of(document: JsonObject) -> Operation:
    """Return the message the document describes, as something the provider sends."""
    whole = MediaType("application/json", "", "")
    return Operation(
        method=EVENT,
        path=MESSAGE,
        pointer="",
        operation_id=None,
        parameters=(),
        request_body=RequestBody(required=True, pointer="", content=(whole,)),
        responses=(),
        security=(),
        deprecated=document.get("deprecated") is True,
        incoming=True,
        extensions={k: v for k, v in document.items() if k.startswith("x-")},
    )


class Modernised:
    """One linked schema document in 2020-12, and where its parts stood before.

    An array of ``items`` becomes ``prefixItems``, ``additionalItems`` becomes ``items`` and
    ``dependencies`` is split in two; every other part keeps its pointer, and references follow.
    """

    def __init__(self, linked: Linked) -> None:
        """Rewrite the document; ``linked`` stays as it is."""
        self.problems: list[Problem] = []
        self._moved: dict[str, str] = {}
        self._back: dict[str, str] = {}
        self._references: list[tuple[dict[str, Any], str]] = []
        root = dict(linked.document)
        files = root.pop(FILES, None)
        document: dict[str, Any] = self._rewritten(root, "", self._draft(root, ""))
        if isinstance(files, dict):
            document[FILES] = {
                name: self._rewritten(file, pointer(FILES, name), self._draft(file, name))
                for name, file in files.items()
            }
        for node, target in self._references:
            node["$ref"] = reference_to(self._replaced(target, self._moved))
        self.linked = Linked(document)

    def original(self, place: str) -> str:
        """Return where a pointer of the rewritten document stands in the user's file."""
        return self._replaced(place, self._back)

    def _replaced(self, place: str, table: dict[str, str]) -> str:
        """Swap each moved step of a pointer, from the outside in."""
        result, seen = "", ""
        for token in place.split("/")[1:] if table else ():
            seen = f"{seen}/{token}"
            result = table.get(seen, f"{result}/{token}")
        return result if table else place

    def _draft(self, document: Json, name: str) -> Draft:
        draft, declared = draft_of(document)
        if draft is None:
            where = (pointer(FILES, name) if name else "") + "/$schema"
            text = f"{declared!r:.80} is not a draft we know; read as {Draft.D2020.spoken}"
            self.problems.append(Problem("unknown-meta-schema", text, where, value=declared))
        return draft or Draft.D2020

    def _rewritten(self, root: Json, start: str, draft: Draft) -> Any:
        holder: dict[str, Any] = {}
        waiting: list[tuple[Json, str, Any, Any]] = [(root, start, holder, "root")]
        while waiting:
            node, here, into, key = waiting.pop()
            if not isinstance(node, dict):
                into[key] = node
                continue
            into[key] = new = self._keywords(node, here, draft)
            waiting.extend(_inside(new, here))
        return holder["root"]

    def _keywords(self, node: dict[str, Any], here: str, draft: Draft) -> dict[str, Any]:
        if isinstance(node.get("$ref"), str) and draft < Draft.D2019:
            node = {"$ref": node["$ref"], **_kept_beside_reference(node)}
        new: dict[str, Any] = {}
        for name, value in node.items():
            if draft < _SINCE.get(name, draft):
                text = f"{name!r} has no meaning in {draft.spoken}"
                self.problems.append(
                    Problem("unusable-schema", text, self.original(here + pointer(name)))
                )
            else:
                new[name] = value
        if draft < Draft.D2020:
            self._tuples(new, here)
        if draft < Draft.D2019:
            self._dependencies(new, here)
        if draft < Draft.D6:
            _numeric_bounds(new)
        if draft is Draft.D2019 and new.get("$recursiveRef") == "#" and "$ref" not in new:
            del new["$recursiveRef"]
            new["$ref"] = reference_to(_start_of_file(here))
        target = reference_pointer(new["$ref"]) if isinstance(new.get("$ref"), str) else None
        if target is not None:
            self._references.append((new, target))
        return new

    def _tuples(self, new: dict[str, Any], here: str) -> None:
        if not isinstance(new.get("items"), list):
            new.pop("additionalItems", None)  # has no meaning without a tuple
            return
        listed = new.pop("items")
        if listed:
            new["prefixItems"] = listed
            self._move(f"{here}/items", f"{here}/prefixItems")
        if "additionalItems" in new:
            new["items"] = new.pop("additionalItems")
            self._move(f"{here}/additionalItems", f"{here}/items")

    def _dependencies(self, new: dict[str, Any], here: str) -> None:
        if not isinstance(new.get("dependencies"), dict):
            return  # nothing to split; the normaliser says what is wrong with it
        for name, value in new.pop("dependencies").items():
            keyword = "dependentRequired" if isinstance(value, list) else "dependentSchemas"
            new.setdefault(keyword, {})[name] = value
            at = pointer(name)
            self._move(f"{here}/dependencies{at}", f"{here}/{keyword}{at}")

    def _move(self, old: str, new: str) -> None:
        """Note both ways; the outer parts of both pointers are rewritten when they are used."""
        self._moved[self.original(old)] = new
        self._back[new] = self.original(old)


def _kept_beside_reference(node: dict[str, Any]) -> dict[str, Any]:
    """Return what still counts beside ``$ref`` in old drafts: places others may refer to."""
    return {k: node[k] for k in ("$schema", "definitions", "$defs") if k in node}


def _start_of_file(here: str) -> str:
    """Return the pointer of the file a pointer stands in."""
    bundled = here.startswith(pointer(FILES) + "/")
    return "/".join(here.split("/")[:3]) if bundled else ""


def _numeric_bounds(new: dict[str, Any]) -> None:
    for bound, exclusive in _BOUNDS:
        flag = new.get(exclusive)
        if isinstance(flag, bool):
            del new[exclusive]
            if flag and bound in new:
                new[exclusive] = new.pop(bound)


def _inside(new: dict[str, Any], here: str) -> Iterator[tuple[Json, str, Any, Any]]:
    """Yield the sub-schemas of a schema, each list or map that holds them copied first."""
    for name, value in new.items():
        at = here + pointer(name)
        if name in ONE_SCHEMA:
            yield value, at, new, name
        elif (name in SCHEMA_MAP or name == "definitions") and isinstance(value, dict):
            inner = new[name] = dict(value)
            for key, child in inner.items():
                yield child, at + pointer(key), inner, key
        elif name in SCHEMA_LIST and isinstance(value, list):
            elements = new[name] = list(value)
            for index, child in enumerate(elements):
                yield child, f"{at}/{index}", elements, index
