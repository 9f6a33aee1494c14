"""Runs a mapping both ways. The rules are data; there is nothing channel-specific here.

A value that does not fit becomes a problem with its pointer, never an exception and never a
default: the caller decides what to do with the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.canonical.converters import CONVERTERS, read_money, write_money
from harness.canonical.mapping import FieldRule, ObjectMapping
from harness.model.values import Json, JsonObject, pointer, walk

UNMAPPED = "UNMAPPED"
_MISSING = object()


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """Why one value could not be mapped. ``pointer`` is into the record that was read."""

    pointer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """The result, the problems, and the codes no table knew (canonical pointer, raw value)."""

    value: dict[str, Any]
    problems: tuple[MappingProblem, ...] = ()
    unmapped: tuple[tuple[str, Json], ...] = ()


def keep_unmapped(_field: str, _raw: Json) -> str:
    """Answer an unknown code the only safe way: say that it is unknown."""
    return UNMAPPED


@dataclass(slots=True)
class _Run:
    mapping: ObjectMapping
    context: Mapping[str, Json]
    unknown_code: Callable[[str, Json], str]
    problems: list[MappingProblem] = field(default_factory=list)
    unmapped: list[tuple[str, Json]] = field(default_factory=list)

    def fail(self, tokens: tuple[str | int, ...], reason: str) -> None:
        self.problems.append(MappingProblem(pointer(*tokens), reason))


def to_canonical(
    mapping: ObjectMapping,
    record: Json,
    *,
    context: Mapping[str, Json],
    unknown_code: Callable[[str, Json], str] = keep_unmapped,
) -> Mapped:
    """Return the canonical object of a system's record.

    ``context`` holds what the record does not say (channel, account). An unknown code reads what
    ``unknown_code`` answers, and its raw value is kept under ``unmapped``.
    """
    run = _Run(mapping, context, unknown_code)
    value = _read(run, mapping.fields, record, (), ())
    if run.unmapped:
        value["unmapped"] = [{"field": name, "raw": raw} for name, raw in run.unmapped]
    return Mapped(value, tuple(run.problems), tuple(run.unmapped))


def to_system(
    mapping: ObjectMapping, value: JsonObject, *, context: Mapping[str, Json] | None = None
) -> Mapped:
    """Return a system's record of a canonical object."""
    run = _Run(mapping, context or {}, keep_unmapped)
    record = _write(run, mapping.fields, value, ())
    return Mapped(record, tuple(run.problems))


def _read(
    run: _Run,
    rules: tuple[FieldRule, ...],
    record: Json,
    at: tuple[str | int, ...],
    into: tuple[str | int, ...],
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for rule in rules:
        if rule.canonical is None or not rule.reads():
            continue
        value = _read_one(run, rule, record, at, into)
        if value is not _MISSING:
            _put(result, rule.canonical, value)
    return result


def _read_one(
    run: _Run,
    rule: FieldRule,
    record: Json,
    at: tuple[str | int, ...],
    into: tuple[str | int, ...],
) -> Json:
    if rule.system is None:
        return _stated(run, rule)
    raw = _find(record, rule.system)
    here = (*at, *rule.system)
    if raw is _MISSING or raw is None:
        if rule.required:
            run.fail(here, "is missing")
        return _MISSING
    there = (*into, *(rule.canonical or ()))
    if rule.each:
        if not isinstance(raw, list):
            run.fail(here, "is no list")
            return _MISSING
        return [
            _read(run, rule.each, element, (*here, i), (*there, i)) for i, element in enumerate(raw)
        ]
    return _converted(run, here, lambda: _take(run, rule, raw, pointer(*there)))


def _take(run: _Run, rule: FieldRule, raw: Json, name: str) -> Json:
    if rule.code is not None:
        known = run.mapping.codes[rule.code].get(str(raw))
        if known is None:
            run.unmapped.append((name, raw))
            return run.unknown_code(name, raw)
        return known
    if rule.money is not None:
        return read_money(raw, *rule.money)
    return CONVERTERS[rule.convert].read(raw)


def _write(
    run: _Run, rules: tuple[FieldRule, ...], value: Json, at: tuple[str | int, ...]
) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for rule in rules:
        if rule.system is None or not rule.writes():
            continue
        raw = _write_one(run, rule, value, at)
        if raw is not _MISSING:
            _put(record, rule.system, raw)
    return record


def _write_one(run: _Run, rule: FieldRule, value: Json, at: tuple[str | int, ...]) -> Json:
    if rule.canonical is None:
        return _stated(run, rule)
    known = _find(value, rule.canonical)
    here = (*at, *rule.canonical)
    if known is _MISSING or known is None:
        if rule.required:
            run.fail(here, "is missing")
        return _MISSING
    if rule.each:
        if not isinstance(known, list):
            run.fail(here, "is no list")
            return _MISSING
        return [_write(run, rule.each, element, (*here, i)) for i, element in enumerate(known)]
    return _converted(run, here, lambda: _give(run, rule, known))


def _give(run: _Run, rule: FieldRule, known: Json) -> Json:
    if rule.code is not None:
        for raw, canonical in run.mapping.codes[rule.code].items():
            if canonical == known:
                return raw
        msg = f"{known!r} has no code in table {rule.code}"
        raise ValueError(msg)
    if rule.money is not None:
        return write_money(known, *rule.money)
    return CONVERTERS[rule.convert].write(known)


def _stated(run: _Run, rule: FieldRule) -> Json:
    if rule.context is not None:
        return run.context.get(rule.context, _MISSING)
    return rule.constant


def _converted(run: _Run, here: tuple[str | int, ...], convert: Callable[[], Json]) -> Json:
    try:
        return convert()
    except ValueError as error:
        run.fail(here, str(error))
        return _MISSING


def _find(document: Json, tokens: tuple[str, ...]) -> Json:
    try:
        return walk(document, tokens)
    except (LookupError, TypeError):
        return _MISSING


def _put(target: dict[str, Any], tokens: tuple[str, ...], value: Json) -> None:
    for token in tokens[:-1]:
        target = target.setdefault(token, {})
    target[tokens[-1]] = value
