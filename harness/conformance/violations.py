"""From what the validator objects to, to departures a person can act on.

The validator says which keyword failed where; the rules speak of fields. One value may fail
several keywords at once (a number where an enumeration of texts stands): the cause is reported,
its consequences are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

import jsonschema_rs

from harness.catalog import reference_pointer, schema_registry, schema_validator
from harness.model.contract import Contract
from harness.model.values import Json, JsonObject, canonical_json, pointer, resolve_pointer

Path: TypeAlias = tuple[str | int, ...]

_RULE_BY_KEYWORD = {
    "type": "type-changed",
    "enum": "enum-value-unknown",
    "const": "enum-value-unknown",
    "required": "required-missing",
    "format": "format-violated",
    "pattern": "pattern-violated",
    "minimum": "value-out-of-range",
    "maximum": "value-out-of-range",
    "exclusiveMinimum": "value-out-of-range",
    "exclusiveMaximum": "value-out-of-range",
    "multipleOf": "value-out-of-range",
    "minLength": "length-out-of-range",
    "maxLength": "length-out-of-range",
    "minItems": "item-count-out-of-range",
    "maxItems": "item-count-out-of-range",
    "additionalProperties": "field-forbidden",
    "unevaluatedProperties": "field-forbidden",
    "anyOf": "no-alternative-matches",
    "oneOf": "no-alternative-matches",
}
# A value of the wrong type fails everything else as a matter of course.
_CAUSES = ("observed-null-not-allowed", "observed-type-changed")


@dataclass(frozen=True, slots=True)
class Violation:
    """One value outside its schema. ``path`` is where it stands, ``pointer`` the keyword."""

    rule: str
    path: Path
    pointer: str
    expected: Json
    detail: str
    value: Json


class BodySchemas:
    """Validators of one contract's schemas by pointer, each compiled once."""

    def __init__(self, contract: Contract) -> None:
        """Index the contract's schemas; nothing is compiled yet."""
        self.schemas = contract.schemas
        self._contract = contract
        self._registry = schema_registry(contract)
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def validator(self, at: str) -> jsonschema_rs.Draft202012Validator:
        """Return the validator of the schema at pointer ``at``."""
        known = self._validators.get(at)
        if known is None:
            known = schema_validator(
                self._contract, at, registry=self._registry, validate_formats=True
            )
            self._validators[at] = known
        return known

    def violations(self, at: str, value: Json, *, absent: str) -> tuple[Violation, ...]:
        """Return how ``value`` departs from the schema at ``at``.

        ``absent`` names the annotation (``writeOnly`` in an answer, ``readOnly`` in a request)
        whose members do not travel this way and therefore cannot be missing.
        """
        found = list(_flattened(self.validator(at).iter_errors(value)))
        kept = [v for v in found if not self._never_travels(v, absent)]
        caused = {v.path for v in kept if v.rule in _CAUSES}
        unique: dict[tuple[str, Path], Violation] = {}
        for violation in kept:
            if violation.path in caused and violation.rule not in _CAUSES:
                continue
            unique.setdefault((violation.rule, violation.path), violation)
        return tuple(unique.values())

    def _never_travels(self, violation: Violation, absent: str) -> bool:
        if violation.rule != "observed-required-missing":
            return False
        owner = violation.pointer.rsplit("/", 1)[0]
        try:
            member = resolve_pointer(
                self.schemas, owner + pointer("properties", str(violation.path[-1]))
            )
        except LookupError:
            return False
        for _ in range(10):
            if not isinstance(member, dict):
                return False
            if member.get(absent) is True:
                return True
            target = reference_pointer(str(member.get("$ref", "")))
            if target is None:
                return False
            try:
                member = resolve_pointer(self.schemas, target)
            except LookupError:
                return False
        return False


def _flattened(errors: Iterable[jsonschema_rs.ValidationError]) -> Iterator[Violation]:
    for error in errors:
        yield from _from_error(error)


def _from_error(error: jsonschema_rs.ValidationError) -> Iterator[Violation]:
    kind: Any = error.kind
    keyword: str = kind.name
    path: Path = tuple(error.instance_path)
    # The path below a reference keeps the reference's percent-encoding.
    at = unquote(pointer(*error.schema_path))
    value: Json = error.instance
    if keyword in ("anyOf", "oneOf"):
        yield from _from_alternatives(kind, value, path, at)
        return
    rule = f"observed-{_RULE_BY_KEYWORD.get(keyword, 'schema-violated')}"
    if keyword == "required":
        name = str(kind.property)
        yield Violation(rule, (*path, name), at, "required", "is required and missing", None)
    elif keyword in ("additionalProperties", "unevaluatedProperties"):
        for name in sorted(kind.unexpected):
            yield Violation(
                rule, (*path, name), at, None, "is not allowed in a closed object", value[name]
            )
    elif keyword == "falseSchema" and at.endswith("/additionalProperties"):
        # Of an object that allows no member at all the validator does not say which one came.
        detail = "holds a member although the contract allows none"
        yield Violation("observed-field-forbidden", path, at, None, detail, value)
    elif value is None and keyword in ("type", "enum", "const"):
        yield Violation(
            "observed-null-not-allowed", path, at, kind.value, "is null where a value is due", None
        )
    elif keyword == "type":
        wanted = " or ".join(kind.types)
        detail = f"is {a_type(value)} where the contract says {wanted}"
        yield Violation(rule, path, at, _one(kind.types), detail, value)
    elif keyword in ("enum", "const"):
        yield _from_choice(kind, value, path, at)
    else:
        detail = f"is outside {keyword} {_short(kind.value)}"
        yield Violation(rule, path, at, kind.value, detail, value)


def _from_choice(kind: Any, value: Json, path: Path, at: str) -> Violation:
    """Tell a new member of the list from a value of another type."""
    options = kind.options if kind.name == "enum" else [kind.value]
    types = sorted({_json_type(o) for o in options})
    if _json_type(value) not in types:
        detail = f"is {a_type(value)} where the contract says {' or '.join(types)}"
        return Violation("observed-type-changed", path, at, _one(types), detail, value)
    detail = "has a value that the contract does not list"
    return Violation("observed-enum-value-unknown", path, at, options, detail, value)


def _from_alternatives(kind: Any, value: Json, path: Path, at: str) -> Iterator[Violation]:
    """Report the branch the writer most likely meant: the one that failed deepest.

    A branch that fails at the value itself is another shape; one that fails further in is this
    shape with something wrong inside.
    """
    branches: Sequence[Sequence[jsonschema_rs.ValidationError]] = getattr(kind, "context", ())
    meant = [branch for branch in branches if branch and not _other_shapes(branch, path)]
    if meant:
        closest = min(meant, key=len)
        yield from _flattened(closest)
        return
    types = sorted({t for branch in branches for t in _other_shapes(branch, path)})
    if value is None:
        detail = "is null where a value is due"
        yield Violation("observed-null-not-allowed", path, at, types or None, detail, None)
    elif types:
        detail = f"is {a_type(value)} where the contract says {' or '.join(types)}"
        yield Violation("observed-type-changed", path, at, _one(types), detail, value)
    else:
        detail = "fits more than one of the shapes that exclude each other"
        yield Violation("observed-no-alternative-matches", path, at, None, detail, value)


def _other_shapes(branch: Sequence[jsonschema_rs.ValidationError], path: Path) -> list[str]:
    """Return the types a branch wanted at the value itself, nothing when it is that shape."""
    wanted: list[str] = []
    for error in branch:
        kind: Any = error.kind
        if kind.name == "type" and tuple(error.instance_path) == path:
            wanted += kind.types
    return wanted


def _one(values: Sequence[str]) -> Json:
    return values[0] if len(values) == 1 else list(values)


def _short(value: Json) -> str:
    text = canonical_json(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _json_type(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list | tuple) else "object"


def a_type(value: Json) -> str:
    """Return ``a string``, ``an array``: the JSON type with its article."""
    name = _json_type(value)
    if name == "null":
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def resolved(schemas: JsonObject, at: str) -> tuple[str, Json]:
    """Follow ``$ref`` from pointer ``at``; returns the last pointer and what stands there.

    Raises ``LookupError`` when a reference leads nowhere or in a circle.
    """
    for _ in range(50):
        value = resolve_pointer(schemas, at)
        target = reference_pointer(str(value.get("$ref", ""))) if isinstance(value, dict) else None
        if target is None:
            return at, value
        at = target
    raise LookupError(at)
