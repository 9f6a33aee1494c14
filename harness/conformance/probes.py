"""Makes requests that a contract allows, for reading only; the one module that knows Schemathesis.

Generation is positive (values inside the contract), stateless and repeatable: the seed is an
argument, nothing is read from the working directory and nothing is left in it.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.conformance.violations import resolved
from harness.model.contract import Contract, Operation, Parameter, ParameterLocation
from harness.model.exchange import HttpRequest, encode_path_segment
from harness.model.instants import SECOND_US, to_text
from harness.model.values import Json, canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_WINDOW_US = 30 * 86_400 * SECOND_US
_LOWER_BOUNDS = ("after", "since", "from", "start", "startdate", "starttime", "min")
_SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_CONFIG: dict[str, Any] = {
    "generation": {
        "mode": "positive",
        "database": "none",
        "codec": "ascii",  # control characters and rare scripts teach nothing about an answer
        "allow-x00": False,
    },
    "cache": {"enabled": False},
    # Without this, methods that the contract does not list are sent: POST and DELETE among them.
    "phases": {"coverage": {"unexpected-methods": []}, "stateful": {"enabled": False}},
}


@dataclass(frozen=True, slots=True)
class GeneratedCase:
    """Values for one call. Path values are percent-encoded already."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Json] = field(default_factory=dict)
    body: Json = None


class CaseSource:
    """Generates cases for the operations of one contract."""

    def __init__(self, contract: Contract) -> None:
        """Hand the document to the generator; no request is made."""
        # Imported here: it takes a second, and only scans need it.
        import schemathesis
        from schemathesis.config import SchemathesisConfig

        self._schema = schemathesis.openapi.from_dict(
            copy.deepcopy(dict(contract.document)), config=SchemathesisConfig.from_dict(_CONFIG)
        )

    def cases(self, operation: Operation, *, seed: int, count: int) -> tuple[GeneratedCase, ...]:
        """Return up to ``count`` distinct cases, the plainest first; none when none can be made."""
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import seed as seeded
        from hypothesis.errors import HypothesisException
        from schemathesis import GenerationMode
        from schemathesis.errors import SchemathesisError

        collected: dict[str, GeneratedCase] = {}

        def collect(case: Any) -> None:
            made = GeneratedCase(
                path={k: str(v) for k, v in (case.path_parameters or {}).items()},
                query=dict(case.query or {}),
                body=case.body if isinstance(case.body, dict | list) else None,
            )
            key = canonical_json([dict(made.path), dict(made.query), made.body])
            collected.setdefault(key, made)

        try:
            made = self._schema[operation.path][operation.method]
            strategy = made.as_strategy(generation_mode=GenerationMode.POSITIVE)
            run = seeded(seed)(
                settings(
                    max_examples=count,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )(given(strategy)(collect))
            )
            with _private_storage():
                run()
        except (SchemathesisError, HypothesisException, LookupError, ValueError, TypeError):
            # An operation the generator cannot handle still gets its plain request, if it has one.
            return tuple(collected.values())[:count]
        return tuple(collected.values())[:count]


@contextmanager
def _private_storage() -> Iterator[None]:
    """Keep the generator's files out of the user's working directory."""
    from hypothesis import configuration

    with tempfile.TemporaryDirectory(prefix="driftgate-") as directory:
        configuration.set_hypothesis_home_dir(directory)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(None)


def read_only(operation: Operation, marked: frozenset[str] = frozenset()) -> bool:
    """Say whether calling the operation changes nothing: GET, or marked as a read by name."""
    if operation.incoming:
        return False
    return (
        operation.method == "GET"
        or operation.operation_id in marked
        or operation.extensions.get("x-driftgate-read") is True
    )


def request_for(
    contract: Contract,
    operation: Operation,
    case: GeneratedCase | None,
    known: Mapping[str, Sequence[str]],
    *,
    turn: int,
    now_us: int,
) -> HttpRequest | None:
    """Build the ``turn``-th request; ``None`` when a required value is neither known nor made.

    ``known`` maps parameter names to values that really exist. Even turns ask plainly, so that
    data comes back; odd turns add generated filters. Free text that nobody can guess (cursors,
    search terms) is left out, and of several lower time bounds one is sent, because channels
    refuse both a search without any and a search with two.
    """
    case = case or GeneratedCase()
    path = _path(operation, case, known, turn)
    if path is None:
        return None
    query: list[tuple[str, str]] = []
    bounds = [p for p in operation.parameters if _is_lower_bound(contract, p)]
    for parameter in operation.parameters:
        if parameter.location is not ParameterLocation.QUERY:
            continue
        values: Sequence[str] | None = known.get(parameter.name)
        if values:
            value: Json = list(values) if _is_array(contract, parameter) else _turned(values, turn)
        elif parameter in bounds:
            if parameter is not bounds[turn // 2 % len(bounds)] and not parameter.required:
                continue
            value = to_text(now_us - _WINDOW_US)
        else:
            value = case.query.get(parameter.name)
            if not parameter.required and (turn % 2 == 0 or not _guessable(contract, parameter)):
                continue
        if value is None:
            if parameter.required:
                return None
            continue
        query += _written(parameter, value)
    prefix = next((urlsplit(s).path.rstrip("/") for s in contract.servers if "{" not in s), "")
    headers = (("accept", "application/json"),)
    if operation.method != "GET" and case.body is not None:
        return HttpRequest.with_json(
            operation.method, prefix + path, case.body, query=tuple(query), headers=headers
        )
    return HttpRequest(operation.method, prefix + path, tuple(query), headers)


def _path(
    operation: Operation, case: GeneratedCase, known: Mapping[str, Sequence[str]], turn: int
) -> str | None:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location is not ParameterLocation.PATH:
            continue
        values = known.get(parameter.name)
        segment = encode_path_segment(_turned(values, turn)) if values else None
        segment = segment or case.path.get(parameter.name)
        if not segment:
            return None
        path = path.replace("{" + parameter.name + "}", segment)
    return path


def _turned(values: Sequence[str], turn: int) -> str:
    return values[turn % len(values)]


def _schema_of(contract: Contract, parameter: Parameter) -> Json:
    if parameter.schema is None:
        return {}
    try:
        return resolved(contract.schemas, parameter.schema)[1]
    except LookupError:
        return {}


def _is_array(contract: Contract, parameter: Parameter) -> bool:
    schema = _schema_of(contract, parameter)
    return isinstance(schema, dict) and "array" in (schema.get("type"), *(schema.get("type") or ()))


def _is_time(contract: Contract, parameter: Parameter) -> bool:
    schema = _schema_of(contract, parameter)
    if not isinstance(schema, dict):
        return False
    named = parameter.name.lower().endswith(("after", "before"))
    return schema.get("format") == "date-time" or (named and schema.get("type") == "string")


def _is_lower_bound(contract: Contract, parameter: Parameter) -> bool:
    return (
        parameter.location is ParameterLocation.QUERY
        and _is_time(contract, parameter)
        and parameter.name.lower().endswith(_LOWER_BOUNDS)
    )


def _guessable(contract: Contract, parameter: Parameter) -> bool:
    """Say whether a generated value has a chance to mean something to the other side."""
    if _is_time(contract, parameter):
        return False
    schema = _schema_of(contract, parameter)
    if _is_array(contract, parameter) and parameter.schema is not None:
        try:
            schema = resolved(
                contract.schemas, f"{resolved(contract.schemas, parameter.schema)[0]}/items"
            )[1]
        except LookupError:
            return False
    if not isinstance(schema, dict):
        return False
    return "enum" in schema or schema.get("type") in ("integer", "boolean")


def _written(parameter: Parameter, value: Json) -> list[tuple[str, str]]:
    if isinstance(value, list):
        texts = [_text(v) for v in value]
        if parameter.explode:
            return [(parameter.name, t) for t in texts]
        return [(parameter.name, _SEPARATORS.get(parameter.style, ",").join(texts))]
    return [(parameter.name, _text(value))]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else canonical_json(value)
