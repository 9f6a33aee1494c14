"""What a ``mapping.yaml`` says about objects: fields, code tables and declared losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.canonical.converters import CONVERTERS
from harness.model.errors import MetadataError
from harness.model.values import Json, JsonObject, pointer_tokens

_BOTH, _IN, _OUT = "both", "in", "out"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One binding of a system pointer to a canonical pointer.

    ``each`` makes both pointers lists that correspond element by element; ``constant`` replaces
    the side that has nothing to say.
    """

    system: tuple[str, ...] | None
    canonical: tuple[str, ...] | None
    convert: str
    direction: str
    required: bool
    code: str | None = None
    money: tuple[str, str] | None = None
    constant: Json = None
    context: str | None = None
    each: tuple[FieldRule, ...] = ()

    def reads(self) -> bool:
        """Say whether the rule takes part in system to canonical."""
        return self.direction in (_BOTH, _IN)

    def writes(self) -> bool:
        """Say whether the rule takes part in canonical to system."""
        return self.direction in (_BOTH, _OUT)


@dataclass(frozen=True, slots=True)
class Loss:
    """A field of the system that has no canonical place, and why that is accepted."""

    system: str
    reason: str


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """How one object of a system corresponds to one canonical object."""

    name: str
    canonical: str
    schema: str | None
    fields: tuple[FieldRule, ...]
    codes: Mapping[str, Mapping[str, str]]
    losses: tuple[Loss, ...]


def read_object_mapping(name: str, data: JsonObject) -> ObjectMapping:
    """Build the rules of one object; raises ``MetadataError`` for a name that does not exist."""
    codes = {
        table: {str(k): str(v) for k, v in entries.items()}
        for table, entries in (data.get("codes") or {}).items()
    }
    return ObjectMapping(
        name=name,
        canonical=str(data["canonical"]),
        schema=data.get("schema"),
        fields=tuple(_rule(name, entry, codes) for entry in data.get("fields", ())),
        codes=codes,
        losses=tuple(Loss(e["system"], e["reason"]) for e in data.get("losses", ())),
    )


def _rule(owner: str, entry: JsonObject, codes: Mapping[str, Any]) -> FieldRule:
    convert = entry.get("convert", "as_is")
    code = entry.get("code")
    if convert not in CONVERTERS:
        msg = f"object {owner!r} names the unknown converter {convert!r}."
        raise MetadataError(msg, remedy=f"Known converters: {', '.join(sorted(CONVERTERS))}.")
    if code is not None and code not in codes:
        msg = f"object {owner!r} names the unknown code table {code!r}."
        raise MetadataError(msg, remedy="Add it under codes.")
    pair = entry.get("money")
    return FieldRule(
        system=_tokens(entry.get("system")),
        canonical=_tokens(entry.get("canonical")),
        convert=convert,
        direction=entry.get("direction", _BOTH),
        required=bool(entry.get("required", False)),
        code=code,
        money=(pair["amount"], pair["currency"]) if pair else None,
        constant=entry.get("constant"),
        context=entry.get("context"),
        each=tuple(_rule(owner, e, codes) for e in entry.get("each", ())),
    )


def _tokens(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else pointer_tokens(text)
