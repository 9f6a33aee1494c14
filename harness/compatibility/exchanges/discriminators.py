"""Discriminators: the tags by which generated code chooses a class for a value.

They validate nothing, so containment does not see them. A *tag* is a value of the discriminating
property; it stands for a schema. Tags are the entries of ``mapping`` and, beside them, the names of
the referenced branches or of the schemas that extend the base with ``allOf`` (the only way in
Swagger 2.0, where the discriminator is a bare property name). A name counts only where the schema
it names does not give the property other values itself: then those are what travels, and the
schemas decide.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from harness.catalog.references import FILES, reference_pointer
from harness.compatibility.exchanges.pairing import Structural
from harness.compatibility.schemas.algebra import compiled
from harness.compatibility.schemas.samples import NoValueError, Sampler
from harness.compatibility.schemas.side import Side
from harness.model.contract import Contract, Dialect
from harness.model.finding import Direction, Sides, Verdict
from harness.model.values import Json, pointer, pointer_tokens, resolve_pointer

TAG_EXTENSION = "x-ms-discriminator-value"
DEPTH_MAX = 50


@dataclass(frozen=True, slots=True)
class Discriminator:
    """The property, where each tag leads, and which tags are only names of schemas."""

    property: str
    tags: Mapping[str, str]
    implied: frozenset[str]


@dataclass(slots=True)
class _Known:
    """What was found out about one contract."""

    subtypes: dict[str, list[str]] | None = None
    found: dict[str, Discriminator | None] = field(default_factory=dict)


_KNOWN: WeakKeyDictionary[Contract, _Known] = WeakKeyDictionary()


def discriminator_changes(
    old: Contract,
    new: Contract,
    old_pointer: str,
    new_pointer: str,
    *,
    request: bool = True,
) -> Iterator[Structural]:
    """Yield what changed in the tags of one schema; operation and field are the caller's to add.

    In requests a tag that is gone breaks, in answers one that is new; ``request`` says which.
    """
    before, after = discriminator_of(old, old_pointer), discriminator_of(new, new_pointer)
    if before is None and after is None:
        return
    judge = _Judge(old, new, Sides(old_pointer, new_pointer), request=request)
    if before is None or after is None:
        gone = after is None
        yield judge.note(
            f"discriminator-{'removed' if gone else 'added'}",
            "The kind of a value is not told by a property any more."
            if gone
            else f"The kind of a value is told by {after.property if after else ''} now.",
            before.property if before else None,
            after.property if after else None,
        )
        return
    if before.property != after.property:
        yield judge.breaking(
            "discriminator-property-changed",
            f"The kind of a value is told by {after.property} now, and was by {before.property}.",
            before.property,
            after.property,
            judge.payload(before, next(iter(before.tags), None)),
        )
        return
    yield from judge.tags(before, after)


def discriminator_of(contract: Contract, where: str) -> Discriminator | None:
    """Return the discriminator of a schema, or ``None``."""
    known = _KNOWN.setdefault(contract, _Known())
    if where not in known.found:
        known.found[where] = _read(contract, known, where)
    return known.found[where]


class _Judge:
    """Words the changes of one pair of schemas."""

    def __init__(self, old: Contract, new: Contract, where: Sides, *, request: bool) -> None:
        self.old, self.new, self.where, self.request = old, new, where, request
        self.direction = Direction.REQUEST if request else Direction.RESPONSE

    def note(self, what: str, message: str, old: Json, new: Json) -> Structural:
        """Return a change that breaks no exchange."""
        return self._made(what, Verdict.COMPATIBLE, message, old, new, None)

    def breaking(self, what: str, message: str, old: Json, new: Json, value: Json) -> Structural:
        """Return a change that breaks whoever dispatches by the tag."""
        return self._made(what, Verdict.BREAKING, message, old, new, value)

    def tags(self, before: Discriminator, after: Discriminator) -> Iterator[Structural]:
        """Yield tags that went, came, were renamed, or stand for another schema."""
        renamed = self._renamed(before, after)
        for tag, other in renamed.items():
            text = f"The schema {tag} is called {other} now, and its name is what travels."
            yield self.breaking("discriminator-value-renamed", text, tag, other, None)
        gone = sorted(before.tags.keys() - after.tags.keys() - renamed.keys())
        came = sorted(after.tags.keys() - before.tags.keys() - set(renamed.values()))
        for tag in gone:
            if self.request:
                text = f"Nothing answers to {before.property} = {tag!r} any more."
                value = self.payload(before, tag)
                made = self.breaking("discriminator-value-removed", text, tag, None, value)
            else:
                text = f"{before.property} is never {tag!r} any more."
                made = self.note("discriminator-value-removed", text, tag, None)
            yield made
        for tag in came:
            text = f"{before.property} may be {tag!r} now."
            make = self.note if self.request else self._surprise
            yield make("discriminator-value-added", text, None, tag)
        yield from self._retargeted(before, after)

    def _retargeted(self, before: Discriminator, after: Discriminator) -> Iterator[Structural]:
        """A tag that leads elsewhere, though its old schema is still there under its old name."""
        for tag in sorted(before.tags.keys() & after.tags.keys()):
            mine, theirs = before.tags[tag], after.tags[tag]
            if mine != theirs and _exists(self.new, mine) and _exists(self.old, theirs):
                text = f"{before.property} = {tag!r} stands for {_name(theirs)} now."
                names = (_name(mine), _name(theirs))
                value = self.payload(before, tag)
                yield self.breaking("discriminator-value-retargeted", text, *names, value)

    def _renamed(self, before: Discriminator, after: Discriminator) -> dict[str, str]:
        """Return the tags that are names of schemas which only changed their name."""
        came = sorted(after.implied - before.tags.keys())
        found: dict[str, str] = {}
        for tag in sorted(before.implied - after.tags.keys()):
            body = _at(self.old, before.tags[tag])
            other = next((c for c in came if _at(self.new, after.tags[c]) == body), None)
            if other is not None:
                found[tag] = other
                came.remove(other)
        return found

    def _surprise(self, what: str, message: str, old: Json, new: Json) -> Structural:
        return self.breaking(what, message, old, new, None)

    def payload(self, tagged: Discriminator, tag: str | None) -> Json:
        """Return an old value with this tag, valid as written; ``None`` when none was made."""
        if tag is None or not self.request:
            return None
        side = Side(self.old.schemas, dropped="readOnly", writer=True, closed=True)
        node = side.node(tagged.tags[tag])
        valid = compiled(side, node, closed=False)
        try:
            value = {**Sampler(side).minimal(node), tagged.property: tag}
        except (NoValueError, TypeError):
            return None
        return value if valid is not None and valid(value) else None

    def _made(
        self, what: str, verdict: Verdict, message: str, old: Json, new: Json, value: Json
    ) -> Structural:
        return Structural(
            f"{self.direction.value}-{what}",
            verdict,
            "",
            message,
            self.direction,
            old=old,
            new=new,
            pointer=self.where,
            value=value,
        )


def _read(contract: Contract, known: _Known, where: str) -> Discriminator | None:
    schema = _at(contract, where)
    said = schema.get("discriminator") if isinstance(schema, Mapping) else None
    if isinstance(said, str) and contract.dialect is Dialect.SWAGGER_2_0:
        return _swagger(contract, known, where, said)
    name = said.get("propertyName") if isinstance(said, Mapping) else None
    if not isinstance(said, Mapping) or not isinstance(name, str):
        return None
    mapping = said.get("mapping")
    explicit = {
        str(tag): _target(contract, target)
        for tag, target in (mapping.items() if isinstance(mapping, Mapping) else ())
        if isinstance(target, str)
    }
    branches = [
        reference_pointer(b["$ref"]) or ""
        for keyword in ("oneOf", "anyOf")
        for b in _list(schema.get(keyword))
        if isinstance(b, Mapping) and isinstance(b.get("$ref"), str)
    ]
    return _completed(contract, name, explicit, branches or _subtypes(contract, known, where))


def _swagger(contract: Contract, known: _Known, where: str, name: str) -> Discriminator:
    explicit: dict[str, str] = {}
    places = [where, *_subtypes(contract, known, where)]
    for place in places:
        stated = _mapping(_at(contract, place)).get(TAG_EXTENSION)
        if isinstance(stated, str):
            explicit[stated] = place
    return _completed(contract, name, explicit, [p for p in places if p.startswith("/definitions")])


def _completed(
    contract: Contract, name: str, explicit: dict[str, str], branches: list[str]
) -> Discriminator:
    """Add the branches that no entry names, and leave out the tags that lead nowhere."""
    explicit = {tag: place for tag, place in explicit.items() if _exists(contract, place)}
    implied = {
        _name(b): b
        for b in branches
        if b and b not in explicit.values() and _may_be(contract, b, name)
    }
    return Discriminator(name, {**implied, **explicit}, frozenset(implied))


def _may_be(contract: Contract, where: str, name: str) -> bool:
    """Say whether the schema leaves its own name as a value of the property."""
    for place in _family(contract, where):
        declared = _mapping(_mapping(_at(contract, place)).get("properties")).get(name)
        said = _mapping(declared)
        values = [said["const"]] if "const" in said else said.get("enum")
        if isinstance(values, list) and _name(where) not in values:
            return False
    return True


def _family(contract: Contract, where: str) -> Iterator[str]:
    """Yield a schema and all it is made of by ``allOf``."""
    todo, seen = [where], set[str]()
    while todo and len(seen) < DEPTH_MAX:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        yield here
        schema = _mapping(_at(contract, here))
        reference = schema.get("$ref")
        if isinstance(reference, str):
            todo.append(reference_pointer(reference) or here)
        todo += [f"{here}/allOf/{i}" for i in range(len(_list(schema.get("allOf"))))]


def _subtypes(contract: Contract, known: _Known, base: str) -> list[str]:
    """Return the named schemas that extend a base with ``allOf``, directly or not."""
    if known.subtypes is None:
        known.subtypes = _index(contract)
    found: dict[str, None] = {}
    todo = [base]
    while todo:
        for place in known.subtypes.get(todo.pop(), ()):
            if place not in found and place != base:
                found[place] = None
                todo.append(place)
    return sorted(found)


def _index(contract: Contract) -> dict[str, list[str]]:
    swagger = contract.dialect is Dialect.SWAGGER_2_0
    tokens = ("definitions",) if swagger else ("components", "schemas")
    named = _mapping(_at(contract, pointer(*tokens)))
    index: dict[str, list[str]] = {}
    for name, schema in named.items():
        for member in _list(_mapping(schema).get("allOf")):
            reference = _mapping(member).get("$ref")
            parent = reference_pointer(reference) if isinstance(reference, str) else None
            if parent:
                index.setdefault(parent, []).append(pointer(*tokens, name))
    return index


def _target(contract: Contract, text: str) -> str:
    """Return the pointer a mapping entry names: a reference, or the bare name of a schema."""
    if text.startswith("#"):
        return unquote(text[1:])
    file, separator, fragment = text.partition("#")
    if separator:
        return pointer(FILES, posixpath.normpath(file)) + unquote(fragment)
    named = pointer("components", "schemas", text)
    return named if _exists(contract, named) or "." not in text else text


def _at(contract: Contract, where: str) -> Any:
    try:
        return resolve_pointer(contract.schemas, where)
    except (LookupError, ValueError):
        return None


def _exists(contract: Contract, where: str) -> bool:
    return _at(contract, where) is not None


def _name(where: str) -> str:
    return pointer_tokens(where)[-1] if where.startswith("/") else where


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
