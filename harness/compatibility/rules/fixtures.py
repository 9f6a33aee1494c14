"""Examples of rules: one file for each, which is what people are shown and what the tests compare.

A file holds fragments. ``around`` says what they stand in; :func:`document` puts the rest of an
OpenAPI document around one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.model.errors import MetadataError, SourceLocation
from harness.model.finding import Verdict
from harness.model.values import Json, JsonObject

GRAPHQL = "graphql"
FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class Side:
    """One pair of fragments: what the old and the new contract say."""

    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class Example:
    """What fires a rule, and a near miss that does not.

    ``verdict`` is what the rule says of the example when its category is picked. ``action``
    overrides the advice of the category. ``settings`` are options the comparison needs
    (``today``, ``steps_max``). ``openapi`` and ``components`` complete the document.
    """

    rule: str
    around: str
    example: Side
    near_miss: Side
    near_miss_why: str
    verdict: Verdict = Verdict.BREAKING
    action: str = ""
    settings: JsonObject = field(default_factory=dict)
    openapi: str = "3.1.0"
    components: JsonObject = field(default_factory=dict)

    def documents(self, side: Side) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the two whole documents of a pair of fragments."""
        return self._document(side.old), self._document(side.new)

    def _document(self, fragment: Json) -> dict[str, Any]:
        made = document(self.around, fragment, openapi=self.openapi)
        if self.components:
            made["components"] = {**self.components, **made.get("components", {})}
        return made


_MEMBERS = frozenset(
    {"around", "old", "new", "near_miss", "verdict", "action", "settings", "openapi", "components"}
)


def load_example(rule: str) -> Example:
    """Return the example of a rule.

    Raises ``MetadataError`` when there is no file for the rule or the file is not an example.
    """
    from harness.catalog import parse_document

    path = FOLDER / f"{rule}.yaml"
    if not path.is_file():
        msg = f"The rule {rule} has no example."
        raise MetadataError(msg, remedy=f"Write {path.name} beside the other examples.")
    found = parse_document(path.read_bytes(), path.name)
    problem = _problem(found)
    if problem:
        msg = f"This example cannot be used: {problem}."
        raise MetadataError(
            msg,
            remedy="See the section on rules in harness/compatibility/README.md.",
            location=SourceLocation(path.name),
        )
    near = found["near_miss"]
    return Example(
        rule=rule,
        around=found["around"],
        example=Side(found["old"], found["new"]),
        near_miss=Side(near.get("old", found["old"]), near.get("new", found["new"])),
        near_miss_why=near["why"],
        verdict=Verdict(found.get("verdict", "breaking")),
        action=found.get("action", ""),
        settings=found.get("settings", {}),
        openapi=str(found.get("openapi", "3.1.0")),
        components=found.get("components", {}),
    )


def _problem(found: Json) -> str:
    if not isinstance(found, Mapping) or not {"around", "old", "new", "near_miss"} <= found.keys():
        return "around, old, new and near_miss are needed"
    unknown = sorted(found.keys() - _MEMBERS)
    if unknown:
        return f"{unknown[0]!r} means nothing here"
    if found["around"] not in _AROUND:
        return f"around is one of {', '.join(sorted(_AROUND))}"
    near = found["near_miss"]
    if not isinstance(near, Mapping) or not {"old", "new"} & near.keys() or "why" not in near:
        return "near_miss needs 'why', and 'old' or 'new'"
    return ""


def document(around: str, fragment: Json, *, openapi: str = "3.1.0") -> dict[str, Any]:
    """Return a whole document around a fragment; a GraphQL schema is whole as it stands."""
    if around == GRAPHQL:
        return {GRAPHQL: fragment}
    made = {
        "openapi": openapi,
        "info": {"title": "Shop", "version": "1"},
        **_AROUND[around](fragment),
    }
    if "swagger" in made:
        del made["openapi"]
    made.setdefault("paths", {})
    return made


def _json(schema: Json) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _asking(schema: Json) -> dict[str, Any]:
    return _operation("post", {"requestBody": {"required": True, **_json(schema)}}, "204")


def _answering(schema: Json) -> dict[str, Any]:
    return _operation("get", {"responses": {"200": {"description": "The thing.", **_json(schema)}}})


def _operation(method: str, operation: Json, status: str = "200") -> dict[str, Any]:
    if operation is None:
        return {"paths": {}}
    usual = {"responses": {status: {"description": "Done."}}}
    return {"paths": {"/things": {method: {**usual, **operation}}}}


def _parameter(parameter: Json) -> dict[str, Any]:
    if parameter is None:
        return _operation("get", {})
    usual = {"name": "q", "in": "query", "schema": {"type": "string"}}
    return _operation("get", {"parameters": [{**usual, **parameter}]})


def _response(response: Json) -> dict[str, Any]:
    return _operation("get", {"responses": {"200": {"description": "The thing.", **response}}})


def _responses(responses: Json) -> dict[str, Any]:
    told = {s: {"description": "An answer.", **r} for s, r in responses.items()}
    return _operation("get", {"responses": told})


def _component(schema: Json) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Thing"}
    operation = {
        "requestBody": {"required": True, **_json(reference)},
        "responses": {"200": {"description": "The thing.", **_json(reference)}},
    }
    return {**_operation("put", operation), "components": {"schemas": {"Thing": schema}}}


def _webhook(event: Json) -> dict[str, Any]:
    if event is None:
        return {}
    usual = {"responses": {"200": {"description": "Taken."}}}
    return {"webhooks": {"changed": {"post": {**usual, **event}}}}


_AROUND: dict[str, Callable[[Json], dict[str, Any]]] = {
    "request-schema": _asking,
    "response-schema": _answering,
    "component": _component,
    "parameter": _parameter,
    "operation": lambda fragment: _operation("get", fragment),
    "call": lambda fragment: _operation("post", fragment),
    "response": _response,
    "responses": _responses,
    "webhook": _webhook,
    "document": dict,
    GRAPHQL: lambda fragment: {GRAPHQL: fragment},
}
