"""Checks requests (and, in tests, answers) against the contract a system serves.

Validators are compiled once per schema. Messages never repeat the value that is wrong: it may be
somebody's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import jsonschema_rs

from harness.model.contract import Contract, MediaType, Operation, Parameter, ParameterLocation
from harness.model.exchange import HttpRequest
from harness.model.values import Json, canonical_json, resolve_pointer
from mocks.kit.calls import Answer, RefusalKind, Refused

_DOCUMENT = "urn:driftgate:contract"
_REMEMBERED_MAX = 256
_REMEMBERED_LENGTH_MAX = 100
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}
_INTEGER = re.compile(r"-?[0-9]+\Z")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")


class WrongAnswerError(AssertionError):
    """A simulator answered something its own contract does not allow: a bug in the simulator."""


class Schemas:
    """The compiled validators of one contract."""

    def __init__(self, contract: Contract) -> None:
        """Compile nothing yet."""
        self._document: Json = contract.schemas
        self._registry: Any = None
        self._compiled: dict[str, Any] = {}

    def validator(self, pointer: str) -> Any:
        """Return the validator of the schema at ``pointer``."""
        found = self._compiled.get(pointer)
        if found is None:
            if self._registry is None:
                self._registry = jsonschema_rs.Registry(
                    [(_DOCUMENT, self._document)], draft=jsonschema_rs.Draft202012
                )
            found = jsonschema_rs.Draft202012Validator(
                {"$ref": f"{_DOCUMENT}#{_fragment(pointer)}"},
                registry=self._registry,
                validate_formats=True,
                mask="the value",
            )
            self._compiled[pointer] = found
        return found

    def types(self, pointer: str | None) -> tuple[str, ...]:
        """Return the JSON types a schema names, references followed; empty when it names none."""
        schema = self._schema(pointer)
        named = schema.get("type", ()) if isinstance(schema, Mapping) else ()
        return (named,) if isinstance(named, str) else tuple(named)

    def item_types(self, pointer: str | None) -> tuple[str, ...]:
        """Return the JSON types of an array's items."""
        schema = self._schema(pointer)
        items = schema.get("items") if isinstance(schema, Mapping) else None
        for _ in range(32):
            if not isinstance(items, Mapping) or "$ref" not in items:
                break
            items = resolve_pointer(self._document, str(items["$ref"])[1:])
        named = items.get("type", ()) if isinstance(items, Mapping) else ()
        return (named,) if isinstance(named, str) else tuple(named)

    def _schema(self, pointer: str | None) -> Json:
        if pointer is None:
            return {}
        schema = resolve_pointer(self._document, pointer)
        for _ in range(32):  # a chain of references longer than this is a loop
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                break
            schema = resolve_pointer(self._document, str(schema["$ref"])[1:])
        return schema


def _fragment(pointer: str) -> str:
    """Escape what may not stand in a URI fragment."""
    return pointer.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")


def _coerce(text: str, types: tuple[str, ...]) -> Json:
    """Read parameter text as the type the contract names; text that does not fit stays text."""
    if "integer" in types and _INTEGER.match(text) and len(text) < 20:
        return int(text)
    if "number" in types and _NUMBER.match(text):
        return float(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    return text


@dataclass(frozen=True, slots=True, eq=False)
class _ParameterCheck:
    parameter: Parameter
    types: tuple[str, ...]
    item_types: tuple[str, ...]
    validator: Any
    # Values that passed before: clients ask for the same page size and states all day.
    passed: dict[str, None] = field(default_factory=dict)

    def value(self, texts: list[str]) -> Json:
        """Return the parameter's value as the contract's type."""
        if self.parameter.media_type is not None:
            return self._parsed(texts[0])
        if "array" not in self.types:
            return _coerce(texts[0], self.types)
        if not self.parameter.explode:
            separator = _SEPARATORS.get(self.parameter.style, ",")
            texts = [part for text in texts for part in text.split(separator)]
        return [_coerce(text, self.item_types) for text in texts]

    def _parsed(self, text: str) -> Json:
        """Read a parameter declared with ``content``: its text is a document of that type."""
        if not _is_json(str(self.parameter.media_type).split(";", 1)[0].strip().lower()):
            return text
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            where = f"{self.parameter.location} parameter {self.parameter.name}"
            _invalid(f"{where} is not JSON", self.parameter.pointer, "parameter.wrong")

    def check(self, texts: list[str] | None) -> None:
        """Raise ``Refused`` INVALID when the parameter is missing or wrong."""
        parameter = self.parameter
        if texts and len(texts) == 1 and texts[0] in self.passed:
            return
        if not texts:
            if parameter.required:
                where = f"{parameter.location} parameter {parameter.name}"
                _invalid(f"{where} is missing", parameter.pointer, "parameter.missing")
            return
        if parameter.allow_empty and texts == [""]:
            return
        if self.validator is None:
            return
        value = self.value(texts)
        if not self.validator.is_valid(value):
            error = next(self.validator.iter_errors(value))
            where = f"{parameter.location} parameter {parameter.name}"
            _invalid(f"{where}: {error.message}", parameter.pointer, "parameter.wrong")
        if len(texts) == 1 and len(texts[0]) <= _REMEMBERED_LENGTH_MAX:
            if len(self.passed) >= _REMEMBERED_MAX:
                self.passed.clear()
            self.passed[texts[0]] = None


def _invalid(explanation: str, pointer: str | None, reason: str) -> NoReturn:
    raise Refused(RefusalKind.INVALID, explanation, pointer=pointer, reason=reason)


def _carried(text: str, pointer: str) -> None:
    """Refuse text no answer could repeat; only callers in this process can send it at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        _invalid("a parameter is not text that UTF-8 can carry", pointer, "parameter.wrong")


def _cookies(request: HttpRequest) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in (request.header("cookie") or "").split(";"))
    return {name: value for name, equals, value in pairs if equals}


class RequestChecker:
    """Checks the requests of one operation."""

    def __init__(
        self,
        operation: Operation,
        schemas: Schemas,
        *,
        unknown_query: str,
        body_bytes_max: int = 10_000_000,
    ) -> None:
        """Prepare the checks; ``unknown_query`` is ``refuse`` or ``ignore``."""
        self._operation = operation
        self._schemas = schemas
        self._body_bytes_max = body_bytes_max
        self._refuse_unknown = unknown_query != "ignore"
        self._checks: dict[ParameterLocation, list[_ParameterCheck]] = {
            location: [] for location in ParameterLocation
        }
        for parameter in operation.parameters:
            self._checks[parameter.location].append(self._prepare(parameter))
        self._query_names = frozenset(
            p.name for p in operation.parameters if p.location is ParameterLocation.QUERY
        )

    def _prepare(self, parameter: Parameter) -> _ParameterCheck:
        schemas, pointer = self._schemas, parameter.schema
        validator = schemas.validator(pointer) if pointer is not None else None
        if parameter.media_type is not None:
            return _ParameterCheck(parameter, (), (), validator)
        types, item_types = schemas.types(pointer), schemas.item_types(pointer)
        return _ParameterCheck(parameter, types, item_types, validator)

    def check(self, request: HttpRequest, path: Mapping[str, str]) -> tuple[dict[str, str], Json]:
        """Return the query by name and the parsed body; raises ``Refused`` INVALID.

        A repeated query parameter keeps its first value.
        """
        for text in path.values():
            _carried(text, self._operation.pointer)
        for check in self._checks[ParameterLocation.PATH]:
            value = path.get(check.parameter.name)
            check.check(None if value is None else [value])
        query = self._check_query(request)
        for check in self._checks[ParameterLocation.HEADER]:
            value = request.header(check.parameter.name)
            check.check(None if value is None else [value])
        if self._checks[ParameterLocation.COOKIE]:
            cookies = _cookies(request)
            for check in self._checks[ParameterLocation.COOKIE]:
                value = cookies.get(check.parameter.name)
                check.check(None if value is None else [value])
        return query, self._check_body(request)

    def _check_query(self, request: HttpRequest) -> dict[str, str]:
        first: dict[str, str] = {}
        values: dict[str, list[str]] = {}
        for name, text in request.query:
            if name not in self._query_names and self._refuse_unknown:
                msg = f"the contract knows no query parameter {name!r} here"
                _invalid(msg, self._operation.pointer, "parameter.unknown")
            if not text.isascii():
                _carried(text, self._operation.pointer)
            first.setdefault(name, text)
            values.setdefault(name, []).append(text)
        for check in self._checks[ParameterLocation.QUERY]:
            check.check(values.get(check.parameter.name))
        return first

    def _check_body(self, request: HttpRequest) -> Json:
        wanted = self._operation.request_body
        if wanted is None:
            return None
        if not request.body:
            if wanted.required:
                _invalid("the request has no body", wanted.pointer, "body.missing")
            return None
        if len(request.body) > self._body_bytes_max:
            msg = f"the body has more than {self._body_bytes_max} bytes"
            raise Refused(RefusalKind.TOO_LARGE, msg, pointer=wanted.pointer)
        given = (request.header("content-type") or "").split(";", 1)[0].strip().lower()
        media_type = _matching(wanted.content, given)
        if media_type is None:
            known = ", ".join(m.name for m in wanted.content)
            msg = f"the content type {given!r} is not one of: {known}"
            raise Refused(RefusalKind.UNSUPPORTED_MEDIA_TYPE, msg, pointer=wanted.pointer)
        if not _is_json(given):
            return None
        try:
            body = json.loads(request.body)
            if b"\\u" in request.body:
                # An escaped lone surrogate parses, and then no UTF-8 answer can hold it.
                canonical_json(body).encode()
        except (ValueError, RecursionError):
            msg = "the body is not JSON that UTF-8 can carry"
            _invalid(msg, media_type.pointer, "body.malformed")
        if media_type.schema is not None:
            validator = self._schemas.validator(media_type.schema)
            if not validator.is_valid(body):
                error = next(validator.iter_errors(body))
                at = "/".join(str(step) for step in error.instance_path)
                _invalid(f"the body at /{at}: {error.message}", media_type.schema, "body.wrong")
        return body


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _matching(content: tuple[MediaType, ...], given: str) -> MediaType | None:
    """Return the entry for a media type: exact, then ``application/*``, then ``*/*``."""
    by_name = {m.name.split(";", 1)[0].strip().lower(): m for m in content}
    return by_name.get(given) or by_name.get(given.split("/")[0] + "/*") or by_name.get("*/*")


def check_answer(operation: Operation, schemas: Schemas, answer: Answer, address: str) -> None:
    """Raise ``WrongAnswerError`` when the contract does not allow this answer."""
    response = operation.response_for(answer.status)
    if response is None:
        msg = f"{address} answered {answer.status}, which its contract does not list"
        raise WrongAnswerError(msg)
    named = next((value for name, value in answer.headers if name == "content-type"), None)
    given = (named or "application/json").split(";", 1)[0].strip().lower()
    if answer.content is not None:
        if response.content and _matching(response.content, given) is None:
            msg = f"{address} answered {answer.status} as {given}, which its contract does not list"
            raise WrongAnswerError(msg)
        return
    media_type = _matching(response.content, given)
    if answer.body is None or media_type is None or media_type.schema is None:
        if media_type is not None and answer.body is None:
            msg = f"{address} answered {answer.status} without the body its contract describes"
            raise WrongAnswerError(msg)
        return
    _check_value(schemas, media_type.schema, answer.body, f"{address} answered {answer.status}")


def check_event(operation: Operation, schemas: Schemas, body: Json, address: str) -> None:
    """Raise ``WrongAnswerError`` when the contract's webhook does not allow this body."""
    wanted = operation.request_body
    media_type = _matching(wanted.content, "application/json") if wanted is not None else None
    if media_type is None or media_type.schema is None:
        return
    _check_value(schemas, media_type.schema, body, f"the event {address} was sent")


def _check_value(schemas: Schemas, pointer: str, value: Json, what: str) -> None:
    for error in schemas.validator(pointer).iter_errors(value):
        at = "/".join(str(step) for step in error.instance_path)
        msg = f"{what} with a wrong body at /{at}: {error.message}"
        raise WrongAnswerError(msg)
