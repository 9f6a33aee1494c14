"""The full check of a contract document, and validators for its schemas."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.catalog.limits import DEFAULT_LIMITS
from harness.catalog.linking import link
from harness.catalog.normalising import normalise
from harness.catalog.references import CONTRACT_URI, FILES, Linked, contract_reference
from harness.model.contract import Contract, Dialect, Problem
from harness.model.values import pointer

if TYPE_CHECKING:
    import jsonschema_rs


def validate_contract(contract: Contract) -> tuple[Problem, ...]:
    """Return everything wrong with a contract document, each with its place; never raises.

    The published rules of the format come from openapi-spec-validator; references and schemas
    are walked by us, so that one that names nothing does not end the check.
    """
    root = {k: v for k, v in contract.document.items() if k != FILES}
    files = contract.document.get(FILES, {})
    bundle = link(root, contract.source, _bundled(files), DEFAULT_LIMITS)
    problems = [*bundle.problems, *normalise(bundle.linked, contract.dialect)[1]]
    problems += _published_rules(bundle.linked, contract)
    unique = {(p.rule, p.pointer, p.message): p for p in problems}
    placed = [
        replace(p, location=p.location or contract.locate(p.pointer)) for p in unique.values()
    ]
    return tuple(sorted(placed, key=lambda p: (p.pointer, p.rule, p.message)))


def _bundled(files: Any) -> Any:
    import json

    def beside(name: str) -> bytes:
        return json.dumps(files[name]).encode()

    return beside


def _published_rules(linked: Linked, contract: Contract) -> list[Problem]:
    from openapi_spec_validator import (
        OpenAPIV2SpecValidator,
        OpenAPIV30SpecValidator,
        OpenAPIV31SpecValidator,
    )

    validators: dict[Dialect, Any] = {
        Dialect.SWAGGER_2_0: OpenAPIV2SpecValidator,
        Dialect.OPENAPI_3_0: OpenAPIV30SpecValidator,
        Dialect.OPENAPI_3_1: OpenAPIV31SpecValidator,
    }
    problems: list[Problem] = []
    try:
        # the validator recognises the format by text; YAML may have read `swagger: 2.0` as a number
        document = dict(linked.document)
        for name in ("swagger", "openapi"):
            if name in document:
                document[name] = str(document[name])
        for error in validators[contract.dialect](document).iter_errors():
            problems.append(_problem(error))
    except Exception as error:  # noqa: BLE001 - the library raises many kinds on broken documents
        dangling = type(error).__name__ in {"PointerToNowhere", "Unresolvable", "NoSuchResource"}
        if not dangling and "Unresolvable" not in type(error).__name__:
            problems.append(
                Problem(
                    "check-incomplete",
                    f"the document stopped the check of the published rules ({error!r:.120})",
                    "",
                )
            )
    return problems


def _problem(error: Any) -> Problem:
    kind = type(error).__name__
    rule = {
        "DuplicateOperationIDError": "duplicate-operation-id",
        "UnresolvableParameterError": "undefined-path-parameter",
        "ParameterDuplicateError": "duplicate-parameter",
        "OpenAPIValidationError": "invalid-document",
    }.get(kind, "invalid-document")
    path = list(getattr(error, "absolute_path", ()) or ())
    message = " ".join(str(getattr(error, "message", error)).split())
    return Problem(rule, message[:300], pointer(*path))


def schema_registry(contract: Contract) -> jsonschema_rs.Registry:
    """Return a registry that knows the contract's schemas under ``CONTRACT_URI``."""
    import jsonschema_rs

    return jsonschema_rs.Registry(
        [(CONTRACT_URI, dict(contract.schemas))], draft=jsonschema_rs.Draft202012
    )


def schema_validator(
    contract: Contract,
    target: str,
    *,
    registry: jsonschema_rs.Registry | None = None,
    validate_formats: bool = False,
) -> jsonschema_rs.Draft202012Validator:
    """Return a validator for the schema at a pointer of :attr:`Contract.schemas`."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(
        {"$ref": contract_reference(target)},
        registry=registry or schema_registry(contract),
        validate_formats=validate_formats,
    )
