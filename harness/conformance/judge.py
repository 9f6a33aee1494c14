"""Judges one observed exchange against a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.conformance.additions import additions
from harness.conformance.observation import (
    Observation,
    Pile,
    Subject,
    evidence_of,
    findings_from,
)
from harness.conformance.parameters import decoded_value
from harness.conformance.routing import Router
from harness.conformance.violations import BodySchemas, Path
from harness.model.contract import (
    Contract,
    Header,
    MediaType,
    Operation,
    ParameterLocation,
    Response,
)
from harness.model.exchange import Exchange
from harness.model.finding import Direction, Finding
from harness.model.masking import MASK, mask_json
from harness.model.values import Json

_BODILESS = frozenset({204, 205, 304})


@dataclass(frozen=True, slots=True)
class _Seen:
    """One value that departs, before values of the same field are put together."""

    rule: str
    direction: Direction
    field: str
    pointer: str
    expected: Json
    detail: str
    sample: Json = None


class ExchangeJudge:
    """Says whether an observed exchange is one the contract allows, and where it is not."""

    def __init__(self, contract: Contract, *, subject: Subject | None = None) -> None:
        """Prepare to judge; validators are compiled when first needed."""
        self.contract = contract
        self.subject = subject or Subject()
        self._schemas = BodySchemas(contract)
        self._router = Router(contract)

    def judge(self, exchange: Exchange, operation: Operation | None = None) -> tuple[Finding, ...]:
        """Return the findings of this exchange alone, both directions; none means it conforms."""
        seen = self.observe(exchange, operation)
        return findings_from(seen, contract=self.contract, subject=self.subject)

    def observe(
        self, exchange: Exchange, operation: Operation | None = None, *, requests: bool = True
    ) -> tuple[Observation, ...]:
        """Return what departs from the contract, one observation per rule and field.

        ``requests=False`` judges the answer only: for requests that we made up ourselves.
        """
        request = exchange.request
        operation = operation or self._router.find(request)
        if operation is None:
            label = f"{request.method} {request.path}"
            detail = "the contract has no such operation"
            seen = _Seen("operation-undocumented", Direction.REQUEST, "", "", None, detail)
            return self._observations([seen], label, exchange)
        found: list[_Seen] = []
        if requests:
            found += self._request(operation, exchange)
        found += self._response(operation, exchange)
        return self._observations(found, operation.label, exchange)

    def _observations(
        self, found: list[_Seen], label: str, exchange: Exchange
    ) -> tuple[Observation, ...]:
        if not found:
            return ()
        evidence = evidence_of(exchange)
        pile = Pile()
        for one in found:
            observation = Observation(
                rule=f"observed-{one.rule}",
                operation=label,
                direction=one.direction,
                field=one.field,
                pointer=one.pointer,
                expected=one.expected,
                detail=one.detail,
                samples=(one.sample,),
                evidence=evidence,
            )
            pile.add([observation], same_exchange=True)
        return pile.all()

    # The answer ---------------------------------------------------------------------------

    def _response(self, operation: Operation, exchange: Exchange) -> Iterator[_Seen]:
        status = exchange.response.status
        declared = operation.response_for(status)
        if declared is None:
            known = sorted(r.status for r in operation.responses)
            detail = f"status {status} is not among {', '.join(known) or 'any'}"
            at = f"{operation.pointer}/responses"
            yield _Seen(
                "status-undocumented",
                Direction.RESPONSE,
                f"(status {status})",
                at,
                known,
                detail,
                status,
            )
            return
        for header in declared.headers:
            yield from self._header(header, exchange.response.header(header.name))
        if operation.method != "HEAD":
            yield from self._response_body(declared, exchange)

    def _header(self, header: Header, value: str | None) -> Iterator[_Seen]:
        field = f"(header {header.name})"
        if value is None:
            if header.required:
                detail = "the promised header is missing"
                yield _Seen(
                    "header-missing", Direction.RESPONSE, field, header.pointer, "required", detail
                )
            return
        if header.schema is None:
            return
        decoded = decoded_value(self.contract.schemas, header.schema, [value])
        for violation in self._schemas.violations(header.schema, decoded, absent="writeOnly"):
            yield _Seen(
                "header-invalid",
                Direction.RESPONSE,
                field,
                violation.pointer,
                violation.expected,
                violation.detail,
                _masked({header.name: value}, header.name),
            )

    def _response_body(self, declared: Response, exchange: Exchange) -> Iterator[_Seen]:
        response = exchange.response
        if not response.body:
            if declared.content and response.status not in _BODILESS:
                detail = f"status {response.status} came without the promised body"
                yield _Seen(
                    "body-missing", Direction.RESPONSE, "", declared.pointer, "a body", detail
                )
            return
        if not declared.content:
            # A client written from the contract does not look at a body that nobody promised.
            detail = f"status {response.status} came with a body that the contract does not know"
            field = f"(status {response.status})"
            yield _Seen(
                "field-undeclared", Direction.RESPONSE, field, declared.pointer, None, detail
            )
            return
        media = best_media_type(declared.content, response.media_type)
        if media is None:
            names = [m.name for m in declared.content]
            detail = f"content type {response.media_type or '(none)'} is not declared"
            yield _Seen(
                "media-type-undocumented",
                Direction.RESPONSE,
                f"(status {response.status})",
                declared.pointer,
                names,
                detail,
                response.media_type,
            )
            return
        yield from self._body(media, response.media_type, response, Direction.RESPONSE)

    # The request --------------------------------------------------------------------------

    def _request(self, operation: Operation, exchange: Exchange) -> Iterator[_Seen]:
        request = exchange.request
        path_values = self._router.path_values(operation, request)
        for parameter in operation.parameters:
            values: list[str]
            if parameter.location is ParameterLocation.QUERY:
                values = [v for k, v in request.query if k == parameter.name]
            elif parameter.location is ParameterLocation.PATH:
                values = [v for k, v in path_values.items() if k == parameter.name]
            elif parameter.location is ParameterLocation.HEADER:
                values = [v for k, v in request.headers if k == parameter.name.lower()]
            else:
                continue
            field = f"({parameter.location.value} {parameter.name})"
            if not values:
                if parameter.required:
                    detail = "the required parameter is missing"
                    yield _Seen(
                        "required-missing",
                        Direction.REQUEST,
                        field,
                        parameter.pointer,
                        "required",
                        detail,
                    )
                continue
            if parameter.schema is None or parameter.media_type or parameter.style == "deepObject":
                continue
            decoded = decoded_value(
                self.contract.schemas, parameter.schema, values, style=parameter.style
            )
            for violation in self._schemas.violations(parameter.schema, decoded, absent="readOnly"):
                yield _Seen(
                    violation.rule.removeprefix("observed-"),
                    Direction.REQUEST,
                    field,
                    violation.pointer,
                    violation.expected,
                    violation.detail,
                    _masked({parameter.name: violation.value}, parameter.name),
                )
        yield from self._request_body(operation, exchange)

    def _request_body(self, operation: Operation, exchange: Exchange) -> Iterator[_Seen]:
        request = exchange.request
        declared = operation.request_body
        if declared is None:
            return
        if not request.body:
            if declared.required:
                detail = "the required request body is missing"
                yield _Seen(
                    "body-missing", Direction.REQUEST, "", declared.pointer, "required", detail
                )
            return
        name = (request.header("content-type") or "").split(";", 1)[0].strip().lower()
        media = best_media_type(declared.content, name)
        if media is None:
            detail = f"content type {name or '(none)'} is not declared"
            names = [m.name for m in declared.content]
            yield _Seen(
                "media-type-undocumented",
                Direction.REQUEST,
                "",
                declared.pointer,
                names,
                detail,
                name,
            )
            return
        yield from self._body(media, name, request, Direction.REQUEST)

    # Bodies -------------------------------------------------------------------------------

    def _body(
        self, media: MediaType, name: str, message: Any, direction: Direction
    ) -> Iterator[_Seen]:
        if not is_json(name):
            return
        try:
            value = message.json()
        except (ValueError, RecursionError):
            detail = f"the body says {name} and is no JSON"
            yield _Seen("body-unreadable", direction, "", media.pointer, name, detail)
            return
        if media.schema is None:
            return
        hidden = mask_json(value)
        absent = "writeOnly" if direction is Direction.RESPONSE else "readOnly"
        for violation in self._schemas.violations(media.schema, value, absent=absent):
            missing = violation.rule == "observed-required-missing"
            yield _Seen(
                violation.rule.removeprefix("observed-"),
                direction,
                field_path(violation.path),
                violation.pointer,
                violation.expected,
                violation.detail,
                None if missing else sample_at(hidden, violation.path),
            )
        for addition in additions(self._schemas, media.schema, value):
            yield _Seen(
                "field-undeclared",
                direction,
                field_path(addition.path),
                addition.owner,
                None,
                "is not in the contract",
                sample_at(hidden, addition.path),
            )


def is_json(media_type: str) -> bool:
    """Say whether a content type is JSON or one of its kinds (``application/hal+json``)."""
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def best_media_type(content: tuple[MediaType, ...], name: str) -> MediaType | None:
    """Return the entry that speaks for content type ``name``: exact, then range, then any."""
    exact: Mapping[str, MediaType] = {_plain(m.name): m for m in content}
    kind = name.split("/", 1)[0]
    return exact.get(name) or exact.get(f"{kind}/*") or exact.get("*/*")


def _plain(name: str) -> str:
    return name.split(";", 1)[0].strip().lower()


def field_path(path: Path) -> str:
    """Return ``payload.Orders[].OrderStatus``: the path with every index written ``[]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += "[]"
        else:
            text += f".{step}" if text else step
    return text


def sample_at(hidden: Json, path: Path) -> Json:
    """Return the masked value at ``path``; what lies inside something masked is masked too."""
    value = hidden
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return MASK
    text = str(value)
    if isinstance(value, dict | list) and len(text) > 300:
        return f"({type(value).__name__} of {len(value)})".replace("dict", "object")
    return value


def _masked(member: dict[str, Json], name: str) -> Json:
    return mask_json(member)[name]
