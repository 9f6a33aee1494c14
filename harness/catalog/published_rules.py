"""The published rules of a format, by openapi-spec-validator, every mistake with its place.

The library stops at the first reference that names nothing, fetches remote ones, and says of most
of its own rules only what is broken, not where. So it is given a copy in which such references
name a harmless stand-in, and each of its checks is wrapped to note where it was looking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.catalog.drafts import Draft, draft_of
from harness.catalog.references import Linked, reference_pointer
from harness.model.contract import Dialect, Problem
from harness.model.values import Json, JsonObject, pointer, pointer_tokens

STAND_INS = "x-driftgate-stand-ins"
INCOMPLETE = "check-incomplete"
_RULES = {
    "DuplicateOperationIDError": "duplicate-operation-id",
    "UnresolvableParameterError": "undefined-path-parameter",
    "ParameterDuplicateError": "duplicate-parameter",
}
_LONGEST_MESSAGE = 300
_META: dict[Dialect, Any] = {}  # compiled once: that costs more than checking a small document


def published_rules(linked: Linked, dialect: Dialect) -> list[Problem]:
    """Return every rule of the format that a document breaks; never raises, never fetches."""
    if dialect is Dialect.JSON_SCHEMA:
        return _against(_draft_schema(linked.document), linked.document)
    copy, replaced = _without_dead_references(linked)
    document = Linked(copy)
    checker = _checker(dialect, copy)
    problems = _against_meta_schema(checker, dialect, copy)
    broken = tuple(p.pointer for p in problems)
    for slip in checker.root_validator(checker.schema_path):
        found = _placed_problem(slip, document)
        if not _is_consequence(found, broken, replaced):
            problems.append(found)
    return problems


def _against_meta_schema(checker: Any, dialect: Dialect, document: JsonObject) -> list[Problem]:
    """Compare with the published JSON Schema of the format.

    Asked directly, because the library's own wrapper drops what stands behind a failed ``oneOf``.
    """
    import jsonschema_rs

    if dialect not in _META:
        schema = checker.schema_validator.schema
        _META[dialect] = jsonschema_rs.validator_cls_for(schema)(schema)
    return _against(_META[dialect], document)


def _draft_schema(document: JsonObject) -> Any:
    """Return the validator of the draft a schema declares, or of the newest."""
    import jsonschema_rs

    draft, _ = draft_of(document)
    draft = draft or Draft.D2020
    if draft < Draft.D2019:
        kind = getattr(jsonschema_rs, f"Draft{draft.value}Validator")
        return kind({"$ref": f"http://json-schema.org/{draft.spoken}/schema#"})
    kind = getattr(jsonschema_rs, f"Draft{draft.spoken.replace('-', '')}Validator")
    return kind({"$ref": f"https://json-schema.org/draft/{draft.spoken}/schema"})


def _against(validator: Any, document: JsonObject) -> list[Problem]:
    try:
        errors = list(validator.iter_errors(document))
    except Exception as error:  # noqa: BLE001 - values Rust cannot take, such as half a surrogate
        return [Problem(INCOMPLETE, f"the published schema could not be applied ({error!r})", "")]
    found = [_deepest(error) for error in errors]
    return [Problem("invalid-document", _text(e), pointer(*e.instance_path)) for e in found]


def _is_consequence(problem: Problem, broken: tuple[str, ...], replaced: tuple[str, ...]) -> bool:
    """Say whether a problem only follows from one that is reported in its own right."""
    if problem.rule == INCOMPLETE:
        return any(place.startswith(problem.pointer) for place in broken)
    if problem.rule == "undefined-path-parameter":  # it may hide behind a dead reference
        path_item = pointer(*pointer_tokens(problem.pointer)[:-1])
        holders = (f"{problem.pointer}/parameters/", f"{path_item}/parameters/")
        return any(place.startswith(holders) for place in replaced)
    return False


# ------------------------------------------------------------------ a copy the library survives


def _without_dead_references(linked: Linked) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a copy whose every ``$ref`` arrives somewhere, and where the others stood."""
    stand_ins: dict[str, Json] = {}
    replaced: list[str] = []
    root: dict[str, Any] = {}
    waiting: list[tuple[Json, str, Any, Any]] = [(linked.document, "", root, "document")]
    while waiting:
        node, here, holder, key = waiting.pop()
        if isinstance(node, dict):
            inner: Any = dict(node)
            if isinstance(node.get("$ref"), str) and not _arrives(linked, node, here):
                name = str(len(replaced))
                replaced.append(here)
                stand_ins[name] = _stand_in(here, name)
                inner = {"$ref": f"#/{STAND_INS}/{name}"}
            waiting.extend((v, here + pointer(k), inner, k) for k, v in inner.items())
        elif isinstance(node, list):
            inner = list(node)
            waiting.extend((v, f"{here}/{i}", inner, i) for i, v in enumerate(inner))
        else:
            continue
        holder[key] = inner
    document: dict[str, Any] = root["document"]
    for name in ("swagger", "openapi"):  # YAML may have read `swagger: 2.0` as a number
        if name in document:
            document[name] = str(document[name])
    if stand_ins:
        document[STAND_INS] = stand_ins
    return document, tuple(replaced)


def _arrives(linked: Linked, node: dict[str, Any], here: str) -> bool:
    target = reference_pointer(node["$ref"])
    return target is not None and linked.has(target) and not linked.is_circular(node, here)


def _stand_in(here: str, name: str) -> JsonObject:
    """Return something valid at that place: a parameter has members no other part may have."""
    tokens = pointer_tokens(here)
    holder = tokens[-2] if len(tokens) > 1 else ""
    listed = tokens[-1:] and tokens[-1].isdecimal()
    named = len(tokens) == 2 or tokens[:-2] == ("components",)
    if holder == "parameters" and (listed or named):
        return {"name": f"x-stand-in-{name}", "in": "query", "type": "string", "schema": {}}
    return {"description": "stands for something that could not be read"}


# --------------------------------------------------------------- checks that know where they look


@dataclass(slots=True)
class _Slip:
    """One complaint of the library, and the logical path it was looking at."""

    error: Exception
    path: tuple[str | int, ...]


def _refuse_to_fetch(uri: str) -> Json:
    msg = f"{uri} was not fetched"
    raise LookupError(msg)


def _checker(dialect: Dialect, document: JsonObject) -> Any:
    import openapi_spec_validator as library

    base: Any = {
        Dialect.SWAGGER_2_0: library.OpenAPIV2SpecValidator,
        Dialect.OPENAPI_3_0: library.OpenAPIV30SpecValidator,
        Dialect.OPENAPI_3_1: library.OpenAPIV31SpecValidator,
    }[dialect]
    members = {
        "keyword_validators": {k: _watched(v) for k, v in base.keyword_validators.items()},
        "resolver_handlers": dict.fromkeys(
            ("http", "https", "file", "", "<all_urls>"), _refuse_to_fetch
        ),
    }
    return type("WatchedSpecValidator", (base,), members)(document)


def _watched(check: Any) -> Any:
    """Return the check as one that yields slips: with a place, and never ending its siblings."""

    def call(self: Any, *arguments: Any, **options: Any) -> Iterator[_Slip]:
        place = _logical_path(arguments)
        try:
            for error in check.__call__(self, *arguments, **options):
                yield error if isinstance(error, _Slip) else _Slip(error, _inside(place, error))
        except Exception as error:  # noqa: BLE001 - the library raises many kinds on broken parts
            yield _Slip(error, place)

    def _inside(place: tuple[str | int, ...], error: Any) -> tuple[str | int, ...]:
        more = ("default",) if check.__name__.endswith("ValueValidator") else ()
        if type(error).__name__ == "DuplicateOperationIDError":
            more = ("operationId",)
        return (*place, *more, *error.absolute_path)

    members: dict[str, Any] = {"__call__": call}
    if hasattr(check, "_collect_properties"):
        members["_collect_properties"] = _once_around(check._collect_properties)
    return type(check.__name__, (check,), members)


def _once_around(collect: Any) -> Any:
    """Return the library's walk over property names, ended where a schema contains itself.

    Its own walk follows a recursive schema until the stack is full.
    """
    under_way: set[int] = set()

    def guarded(self: Any, schema: Any) -> set[str]:
        identity = id(schema.read_value())
        if identity in under_way:
            return set()
        under_way.add(identity)
        try:
            found: set[str] = collect(self, schema)
        finally:
            under_way.discard(identity)
        return found

    return guarded


def _logical_path(arguments: Iterable[Any]) -> tuple[str | int, ...]:
    for argument in arguments:
        if hasattr(argument, "parts"):
            return tuple(argument.parts)
    return ()


def _placed_problem(slip: _Slip, document: Linked) -> Problem:
    here = _real_pointer(slip.path, document)
    if not hasattr(slip.error, "absolute_path"):
        text = f"the check of this part could not be finished ({_text(slip.error)})"
        return Problem(INCOMPLETE, text[:_LONGEST_MESSAGE], here)
    usual = "invalid-default" if "default" in slip.path[-2:] else "invalid-document"
    return Problem(_RULES.get(type(slip.error).__name__, usual), _text(slip.error), here)


def _real_pointer(path: tuple[str | int, ...], document: Linked) -> str:
    """Return where a path that looks through references really stands in the file."""
    here = ""
    for token in path:
        followed = document.follow(document.find(here), here) if document.has(here) else None
        here = (followed[1] if followed else here) + pointer(token)
    return here


# ---------------------------------------------------------------------------------------- wording


def _deepest(error: Any) -> Any:
    """Return the complaint behind "not valid under any of the given schemas".

    The branch that got furthest is what the writer meant. A branch that only asks for ``$ref``
    never is, nor one refused for a member that tells branches apart, such as ``in: body``.
    """
    while True:
        branches = [branch for branch in getattr(error.kind, "context", ()) if branch]
        branches = [b for b in branches if not _asks_for_reference(b)] or branches
        if not branches:
            return error
        depth = len(error.instance_path)
        branch = min(branches, key=lambda b: (_is_other_kind(b, depth), -_furthest(b)))
        error = max(branch, key=lambda e: len(e.instance_path))


def _asks_for_reference(branch: Iterable[Any]) -> bool:
    return any(getattr(e.kind, "property", None) == "$ref" for e in branch)


def _is_other_kind(branch: Iterable[Any], depth: int) -> bool:
    return any(e.kind.name in {"enum", "const"} and len(e.instance_path) > depth for e in branch)


def _furthest(branch: Iterable[Any]) -> int:
    return max(len(e.instance_path) for e in branch)


def _text(error: Any) -> str:
    text = " ".join(str(getattr(error, "message", None) or repr(error)).split())
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 3] + "..."
