"""The full check of a contract document, and validators for its schemas."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.catalog.limits import Limits
from harness.catalog.linking import link
from harness.catalog.loading import Loaded
from harness.catalog.normalising import normalise
from harness.catalog.references import CONTRACT_URI, FILES, Linked, contract_reference
from harness.model.contract import Contract, Dialect, Problem

if TYPE_CHECKING:
    import jsonschema_rs

# What is checked here was read within limits already.
_READ_BEFORE = Limits(sys.maxsize, sys.maxsize, sys.maxsize, sys.maxsize)


def validate_contract(contract: Contract) -> tuple[Problem, ...]:
    """Return everything wrong with a contract document, each with its place; never raises.

    The published rules of the format come from openapi-spec-validator; references and schemas
    are walked by us, so that one that names nothing does not end the check. Loading reports
    references and schemas too: :func:`all_problems` returns both without telling anything twice.
    """
    if contract.dialect is Dialect.GRAPHQL:
        from harness.catalog.graphql_text import schema_problems

        return _placed(schema_problems(contract), contract)
    from harness.catalog.published_rules import published_rules  # no comparison needs them

    root = {k: v for k, v in contract.document.items() if k != FILES}
    bundle = link(root, contract.source, _bundled(contract.document.get(FILES)), _READ_BEFORE)
    problems = [*bundle.problems, *_unusable(bundle.linked, contract.dialect)]
    problems += published_rules(bundle.linked, contract.dialect)
    return _placed(problems, contract)


def _unusable(linked: Linked, dialect: Dialect) -> list[Problem]:
    """Return what normalising cannot keep, at the pointers of the user's file."""
    if dialect is not Dialect.JSON_SCHEMA:
        return normalise(linked, dialect)[1]
    from harness.catalog.json_schema import modernised

    return modernised(linked)[2]


def all_problems(loaded: Loaded) -> tuple[Problem, ...]:
    """Return what loading and validation found, each once, with its place, in document order.

    Where both speak of one thing the words of loading win: it knows why a file could not be read.
    """
    told = {(p.rule, p.pointer) for p in loaded.problems}
    more = [p for p in validate_contract(loaded.contract) if (p.rule, p.pointer) not in told]
    return _placed([*loaded.problems, *more], loaded.contract)


def _placed(problems: Iterable[Problem], contract: Contract) -> tuple[Problem, ...]:
    unique = {(p.rule, p.pointer, p.message): p for p in problems}
    placed = [
        replace(p, location=p.location or contract.locate(p.pointer)) for p in unique.values()
    ]
    return tuple(sorted(placed, key=_in_document_order))


def _in_document_order(problem: Problem) -> tuple[str, int, int, str, str, str]:
    place = problem.location
    known = (place.path, place.line or 0, place.column or 0) if place else ("", 0, 0)
    return (*known, problem.pointer, problem.rule, problem.message)


def _bundled(files: Any) -> Callable[[str], bytes]:
    def beside(name: str) -> bytes:
        if not isinstance(files, dict):
            raise LookupError(name)
        return json.dumps(files[name]).encode()

    return beside


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
