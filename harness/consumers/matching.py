"""Checks a pact against a contract without a server.

The request must be one the contract accepts. Of the answer only what the consumer reads is in the
pact, so members it leaves out are not missing; what it does read must be declared and allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import jsonschema_rs

from harness.catalog import reference_pointer, schema_registry, schema_validator
from harness.consumers.pact_file import Interaction, Pact
from harness.model.contract import Contract, Operation, ParameterLocation
from harness.model.exchange import HttpRequest
from harness.model.finding import (
    Category,
    Context,
    Direction,
    Finding,
    Proof,
    Sides,
    Verdict,
    Witness,
)
from harness.model.masking import mask_json
from harness.model.values import Json, fingerprint, pointer, resolve_pointer


def match_pact(pact: Pact, contract: Contract) -> tuple[Finding, ...]:
    """Return where the contract does not allow what the consumer recorded; none means it does."""
    matcher = _Matcher(pact, contract)
    return tuple(f for one in pact.interactions for f in matcher.findings(one))


class _Matcher:
    def __init__(self, pact: Pact, contract: Contract) -> None:
        self._pact = pact
        self._contract = contract
        self._registry = schema_registry(contract)

    def findings(self, one: Interaction) -> Iterator[Finding]:
        operation = self._operation(one.exchange.request)
        if operation is None:
            label = f"{one.exchange.request.method} {one.exchange.request.path}"
            yield self._finding(one, "operation-unknown", label, "the contract has no such call")
            return
        yield from self._request(one, operation)
        yield from self._response(one, operation)

    def _operation(self, request: HttpRequest) -> Operation | None:
        bases = sorted(
            {"", *(urlsplit(s).path.rstrip("/") for s in self._contract.servers if "{" not in s)}
        )
        for operation in sorted(self._contract.operations, key=lambda o: o.path.count("{")):
            literal = re.split(r"\{[^{}]+\}", operation.path)
            template = "[^/]+?".join(map(re.escape, literal))
            if operation.method == request.method and any(
                re.fullmatch(re.escape(base) + template, request.path) for base in bases
            ):
                return operation
        return None

    def _request(self, one: Interaction, operation: Operation) -> Iterator[Finding]:
        request = one.exchange.request
        declared = {
            p.name: p for p in operation.parameters if p.location is ParameterLocation.QUERY
        }
        for name in sorted({n for n, _ in request.query} - set(declared)):
            detail = f"query parameter {name} is not declared"
            yield self._finding(one, "query-undeclared", operation.label, detail, field=name)
        for name, parameter in declared.items():
            if parameter.required and request.query_value(name) is None:
                detail = f"required query parameter {name} is not sent"
                yield self._finding(
                    one, "query-missing", operation.label, detail, field=name, at=parameter.pointer
                )
        body = operation.request_body
        if body is None or not request.body:
            if body and body.required:
                detail = "the required request body is not sent"
                yield self._finding(one, "request-body-missing", operation.label, detail)
            return
        at = next((m.schema for m in body.content if "json" in m.name or m.name == "*/*"), None)
        if at is None:
            return
        value = request.json()
        for error in self._errors(at, value):
            yield self._violation(one, operation, "request-invalid", error, value)

    def _response(self, one: Interaction, operation: Operation) -> Iterator[Finding]:
        response = one.exchange.response
        declared = operation.response_for(response.status)
        if declared is None:
            detail = f"the contract never answers {response.status}"
            yield self._finding(one, "status-unknown", operation.label, detail)
            return
        if not response.body:
            return
        at = next((m.schema for m in declared.content if "json" in m.name or m.name == "*/*"), None)
        if at is None:
            detail = "the consumer reads a body that the contract does not promise"
            yield self._finding(one, "response-body-unknown", operation.label, detail)
            return
        value = response.json()
        for error in self._errors(at, value):
            # The pact holds only what is read: a member it leaves out is not missing.
            if error.kind.name != "required":
                yield self._violation(one, operation, "response-contradicted", error, value)
        for path in self._undeclared(at, value, (), 0):
            detail = "the consumer reads a member the contract does not declare"
            yield self._finding(
                one, "response-field-undeclared", operation.label, detail, field=path, at=at
            )

    def _errors(self, at: str, value: Json) -> Iterator[jsonschema_rs.ValidationError]:
        validator = schema_validator(
            self._contract, at, registry=self._registry, validate_formats=True
        )
        yield from validator.iter_errors(value)

    def _undeclared(self, at: str, value: Json, path: tuple[str, ...], depth: int) -> Iterator[str]:
        """Walk the part of the schema that names members plainly; unions are left in peace."""
        if depth > 100 or not isinstance(value, dict | list):
            return
        schema = resolve_pointer(self._contract.schemas, at)
        while isinstance(schema, dict) and "$ref" in schema:
            target = reference_pointer(str(schema["$ref"]))
            if target is None:
                return
            at, schema = target, resolve_pointer(self._contract.schemas, target)
        if not isinstance(schema, dict) or {"allOf", "anyOf", "oneOf"} & schema.keys():
            return
        if isinstance(value, list):
            if isinstance(schema.get("items"), dict):
                for element in value:
                    inner = (*path[:-1], f"{path[-1]}[]") if path else ("[]",)
                    yield from self._undeclared(f"{at}/items", element, inner, depth + 1)
            return
        members = schema.get("properties")
        if not isinstance(members, dict) or schema.get("additionalProperties") not in (None, True):
            return
        for name, member in value.items():
            if name in members:
                below = at + pointer("properties", name)
                yield from self._undeclared(below, member, (*path, name), depth + 1)
            else:
                yield ".".join((*path, name))

    def _violation(
        self,
        one: Interaction,
        operation: Operation,
        rule: str,
        error: jsonschema_rs.ValidationError,
        value: Json,
    ) -> Finding:
        field = ""
        for step in error.instance_path:
            field += "[]" if isinstance(step, int) else f".{step}" if field else str(step)
        # The validator's text quotes the value, which may be personal: name the keyword instead.
        detail = f"{field or 'the body'} contradicts the contract ({error.kind.name})"
        at = pointer(*error.schema_path)
        return self._finding(
            one, rule, operation.label, detail, field=field, at=at, value=mask_json(value)
        )

    def _finding(
        self,
        one: Interaction,
        rule: str,
        label: str,
        detail: str,
        *,
        field: str = "",
        at: str | None = None,
        value: Json = None,
    ) -> Finding:
        request = rule.startswith(("request", "query", "operation"))
        pact = self._pact
        return Finding(
            fingerprint=fingerprint(
                pact.consumer, pact.provider, one.description, rule, label, field
            ),
            rule=f"consumer-{rule}",
            category=Category.WIRE_REQUEST if request else Category.WIRE_RESPONSE,
            verdict=Verdict.BREAKING,
            message=f"{pact.consumer}, {one.description!r}: {detail}: {field}".rstrip(": "),
            direction=Direction.REQUEST if request else Direction.RESPONSE,
            operations=(label,),
            pointer=Sides(old=one.pointer, new=at),
            field=field,
            proof=Proof.WITNESS if value is not None else Proof.STRUCTURE,
            witness=None if value is None else Witness(value),
            context=Context(consumers=(pact.consumer,)),
        )
