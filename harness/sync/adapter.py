"""What one system can do, interpreted from its ``mapping.yaml`` and contracts.

Templates and pointers only: the engine names a capability, the data says which operation it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.canonical import ObjectMapping, read_object_mapping
from harness.catalog import Catalog, schema_validator
from harness.model.contract import Contract, Operation
from harness.model.errors import MetadataError
from harness.model.exchange import HttpRequest, HttpResponse, encode_path_segment
from harness.model.ports import SystemAccess
from harness.model.values import Json, JsonObject, canonical_json, pointer, resolve_pointer
from harness.sync.declared import declared_members

_VARIABLE = re.compile(r"\{([a-z_.]+)\}")
_SEGMENT = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Capability:
    """One thing a system can do for us."""

    name: str
    address: str
    operation: Operation
    rules: JsonObject
    objects: Mapping[str, ObjectMapping]
    record_errors: Callable[[Json], Iterator[Any]]
    answer_errors: Callable[[Json], Iterator[Any]]
    repeatable: bool
    declared_members: Callable[[str], frozenset[str]]
    page_size_name: str | None = None
    page_size: int | None = None

    def records(self, body: Json) -> list[Json] | None:
        """Return the records of a page, ``None`` when the answer has no such list."""
        found = read(body, self.rules["records"]["at"])
        return found if isinstance(found, list) else None

    @property
    def record_object(self) -> ObjectMapping:
        """Return the mapping of the records."""
        return self.objects[self.rules["records"]["object"]]


class Adapter:
    """The capabilities of one system."""

    def __init__(self, access: SystemAccess, catalog: Catalog) -> None:
        """Read every mapping of the system; raises ``MetadataError`` for a dangling binding."""
        self.access = access
        self.name = access.name
        self.behaviour = catalog.behaviour(access.name)
        self._capabilities: dict[str, Capability] = {}
        for api, version in catalog.apis(access.name):
            mapping = catalog.mapping(access.name, api, version)
            if mapping:
                contract = catalog.contract(access.name, api, version).contract
                self._bind(f"{api}/{version}", mapping, contract)

    def _bind(self, api: str, mapping: JsonObject, contract: Contract) -> None:
        objects = {
            name: read_object_mapping(name, data) for name, data in mapping["objects"].items()
        }
        for name, rules in (mapping.get("capabilities") or {}).items():
            address = rules["operation"]
            if not address.startswith(f"{api}#"):
                msg = f"capability {name!r} of {self.name} names {address}, which {api} has not."
                raise MetadataError(msg)
            if name in self._capabilities:
                msg = f"capability {name!r} of {self.name} is bound twice."
                raise MetadataError(msg, remedy="Keep it in one mapping.yaml.")
            try:
                operation = contract.operation(address.split("#")[1])
            except LookupError as error:
                raise MetadataError(str(error)) from error
            self._capabilities[name] = Capability(
                name,
                address,
                operation,
                rules,
                objects,
                _record_check(contract, rules, objects),
                _answer_check(contract, operation),
                self._repeatable(address),
                _declared_in_answer(contract, operation),
                *self._paging(address),
            )

    def _repeatable(self, address: str) -> bool:
        return any(
            address in entry["operations"] and entry["kind"] == "natural_key"
            for entry in self.behaviour.get("idempotency", ())
        )

    def _paging(self, address: str) -> tuple[str | None, int | None]:
        """Return the parameter that sets the page size, and the size when it is not sent."""
        for entry in self.behaviour.get("paging", ()):
            if address in entry["operations"]:
                return entry.get("size"), entry.get("default")
        return None, None

    def can(self, name: str) -> bool:
        """Say whether the system binds a capability."""
        return name in self._capabilities

    def capability(self, name: str) -> Capability:
        """Return one capability; raises ``MetadataError`` when it is not bound."""
        try:
            return self._capabilities[name]
        except KeyError:
            msg = f"system {self.name!r} binds no capability {name!r}."
            raise MetadataError(msg, remedy="Bind it in a mapping.yaml of the system.") from None

    def request(
        self, capability: Capability, variables: Mapping[str, Json], **more_query: str
    ) -> HttpRequest:
        """Return the request of a capability with its templates filled in."""
        known = {
            **{f"parameters.{k}": v for k, v in self.access.parameters.items()},
            "account": self.access.account,
            **variables,
        }
        rules = capability.rules
        names = {k: str(fill(v, known)) for k, v in (rules.get("path") or {}).items()}
        path = _SEGMENT.sub(
            lambda found: encode_path_segment(names[found.group(1)]), capability.operation.path
        )
        query = {k: str(fill(v, known)) for k, v in (rules.get("query") or {}).items()}
        pairs = tuple({**query, **more_query}.items())
        headers = tuple(
            (k.lower(), str(fill(v, known))) for k, v in (rules.get("headers") or {}).items()
        )
        headers = (("accept", "application/json"), *headers)
        if "body" not in rules:
            return HttpRequest(capability.operation.method.upper(), path, pairs, headers)
        typed = (*headers, ("content-type", "application/json"))
        body = canonical_json(fill(rules["body"], known)).encode()
        return HttpRequest(capability.operation.method.upper(), path, pairs, typed, body)


def fill(template: Json, variables: Mapping[str, Json]) -> Json:
    """Fill ``{name}`` in every text of a template; a lone ``{name}`` keeps the value's type.

    Raises ``MetadataError`` for a name nobody gave.
    """
    if isinstance(template, Mapping):
        return {k: fill(v, variables) for k, v in template.items()}
    if isinstance(template, list):
        return [fill(v, variables) for v in template]
    if not isinstance(template, str):
        return template
    alone = _VARIABLE.fullmatch(template)
    if alone:
        return _variable(alone.group(1), variables)
    return _VARIABLE.sub(lambda found: str(_variable(found.group(1), variables)), template)


def _variable(name: str, variables: Mapping[str, Json]) -> Json:
    try:
        return variables[name]
    except KeyError:
        msg = f"a mapping.yaml uses the unknown variable {{{name}}}."
        raise MetadataError(msg, remedy=f"Known: {', '.join(sorted(variables))}.") from None


def read(document: Json, at: str | None) -> Json:
    """Return the value at a pointer, ``None`` when there is none."""
    if at is None:
        return None
    try:
        return resolve_pointer(document, at)
    except (LookupError, TypeError):
        return None


def broken_rule(error: Any) -> str:
    """Say which rule a value breaks, without the value: it may be a buyer's name."""
    path = [str(token) for token in error.schema_path]
    return f"does not satisfy {pointer(*path[-3:])} of its schema"


def confirmed_id(capability: Capability, response: HttpResponse | None, body: Json) -> str | None:
    """Return the internal id an answer names, ``None`` when it names none."""
    confirms = capability.rules.get("confirms")
    if confirms and response is not None:
        place = response.header(confirms["header"])
        if place:
            return place.rstrip("/").rsplit("/", 1)[-1]
    value = read(body, capability.rules.get("value"))
    return None if value is None else str(value)


def _record_check(
    contract: Contract, rules: JsonObject, objects: Mapping[str, ObjectMapping]
) -> Callable[[Json], Iterator[Any]]:
    schema = objects[rules["records"]["object"]].schema if "records" in rules else None
    if schema is None:
        return lambda _record: iter(())
    return schema_validator(contract, schema).iter_errors


def _declared_in_answer(
    contract: Contract, operation: Operation
) -> Callable[[str], frozenset[str]]:
    response = operation.response_for(200)
    root = next((c.schema for c in response.content if c.schema), None) if response else None
    return lambda at: declared_members(contract.schemas, root, at)


def _answer_check(contract: Contract, operation: Operation) -> Callable[[Json], Iterator[Any]]:
    response = operation.response_for(200)
    for content in response.content if response else ():
        if content.schema is not None:
            return schema_validator(contract, content.schema).iter_errors
    return lambda _body: iter(())
