"""GraphQL schemas as contracts: SDL text to a :class:`Contract`, within limits.

graphql-core parses and checks the text; what it would take too long to look at, or too deep to
follow, is refused before. The contract keeps the text in :attr:`Contract.document` under
``graphql``, with the number of tokens it was allowed, and :func:`schema_of` returns the schema
that was built from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from harness.catalog.limits import DEFAULT_LIMITS, Limits
from harness.catalog.parsing import decode
from harness.model.contract import Contract, Dialect, Operation, Problem
from harness.model.errors import DocumentError, SourceLocation
from harness.model.values import pointer, pointer_tokens

if TYPE_CHECKING:
    import graphql

DOCUMENT, TOKENS = "graphql", "tokens_max"
ENDINGS = (".graphql", ".graphqls", ".gql")
SCHEMA_RULE = "graphql-schema-invalid"
# A token costs graphql-core some 20 microseconds and 500 bytes; the largest public schemas that
# are known to us have 300,000.
TOKENS_MAX = 1_000_000
COMMENTS_MAX = 200_000
PROBLEMS_MAX = 200
_REMEDY = "Correct the schema; driftgate reads SDL as of the GraphQL specification."
# Strings and comments first, so that brackets within them are not counted.
_NESTING = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*+"""|"(?:[^"\\\n]|\\.)*+"|#[^\n]*|(?P<open>[\[{(])|(?P<shut>[\]})])'
)
_START = re.compile(
    r'(?:\s|,|#[^\n]*\n|"""(?:\\"""|[^"]|"(?!""))*+"""|"(?:[^"\\\n]|\\.)*+")*+'
    r"(?:extend\s+)?(?:(?:type|interface|union|scalar|enum|input)\s+\w|schema\s*[@{]|directive\s*@)"
)
_ROOTS = ("query", "mutation", "subscription")


def is_graphql(label: str, data: bytes) -> bool:
    """Say whether a document is GraphQL SDL: by its name, else by how the text starts."""
    name = label.lower()
    if name.endswith(ENDINGS):
        return True
    if name.endswith((".json", ".yaml", ".yml")):
        return False
    start = data[:65_536].decode("utf-8-sig", "replace")
    return _START.match(start) is not None


def graphql_contract(label: str, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Contract:
    """Return the contract of an SDL document.

    Raises ``DocumentError`` with line and column for text that is not SDL, that names types nobody
    defines, or that is beyond the limits. What makes a readable schema an invalid one is left to
    :func:`schema_problems`.
    """
    text = decode(data, label, limits)
    tokens = min(TOKENS_MAX, limits.nodes)
    schema = _schema(text, label, limits, tokens)
    folder = PurePosixPath(label.rpartition(":")[2]).parent
    stem = PurePosixPath(label).stem
    filed = stem == "schema" and len(folder.parts) > 1
    return Contract(
        source=label,
        dialect=Dialect.GRAPHQL,
        title=folder.parent.name if filed else "",
        version=folder.name if filed else "",
        document={DOCUMENT: text, TOKENS: tokens},
        schemas={},
        operations=tuple(_operations(schema)),
        locate=GraphqlPlaces(label, text, tokens),
    )


def schema_of(contract: Contract) -> graphql.GraphQLSchema:
    """Return the schema of a GraphQL contract; it was found readable when it was loaded."""
    return _built(contract.document[DOCUMENT], contract.document[TOKENS])


def schema_problems(contract: Contract) -> list[Problem]:
    """Return what makes a readable schema invalid by the rules of the specification."""
    import graphql

    from harness.catalog.published_rules import INCOMPLETE  # no comparison needs them

    settings = {**schema_of(contract).to_kwargs(), "assume_valid": False}
    try:
        errors = graphql.validate_schema(graphql.GraphQLSchema(**settings))  # type: ignore[arg-type]
    except RecursionError:
        message = "the types lead into each other too deeply to check them to the end"
        return [Problem(INCOMPLETE, message, "")]
    owners = _Owners(schema_of(contract)) if errors else None
    return [
        Problem(
            SCHEMA_RULE,
            " ".join(error.message.split()).rstrip("."),
            owners.of(error) if owners else "",
            _place(error, contract.source),
        )
        for error in errors[:PROBLEMS_MAX]
    ]


def _schema(text: str, label: str, limits: Limits, tokens: int) -> graphql.GraphQLSchema:
    import graphql

    _check_depth(text, label, limits)
    try:
        return _built(text, tokens)
    except graphql.GraphQLError as error:
        raise _refusal(error, label) from None
    except RecursionError:
        msg = "the schema is nested too deeply to be read"
        raise DocumentError(
            msg, remedy="Name inner types.", location=SourceLocation(label, 1, 1)
        ) from None


@lru_cache(maxsize=4)
def _built(text: str, tokens: int) -> graphql.GraphQLSchema:
    """Return the schema of a text; raises ``GraphQLError`` for the first thing wrong with it."""
    import graphql
    from graphql.validation.validate import validate_sdl

    document = graphql.parse(
        text, max_lexical_tokens=tokens, max_comments=COMMENTS_MAX, no_location=False
    )
    _check_names(document)
    errors = validate_sdl(document)
    if errors:
        raise _counted(errors)
    try:
        schema = graphql.build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
    except TypeError as error:  # graphql-core's word for a type in a place it may not stand in
        raise graphql.GraphQLError(str(error)) from error
    for kind in _ROOTS:
        root = getattr(schema, f"{kind}_type")
        if root is not None and not graphql.is_object_type(root):
            msg = f"The {kind} type {root.name} is not an object type"
            raise graphql.GraphQLError(msg, schema.ast_node)
    return schema


def _counted(errors: list[graphql.GraphQLError]) -> graphql.GraphQLError:
    """Return the first error in reading order, saying how many more there are."""
    import graphql

    def order(error: graphql.GraphQLError) -> tuple[tuple[int, int], str]:
        found = error.locations
        return ((found[0].line, found[0].column) if found else (0, 0), error.message)

    first, *others = sorted(errors, key=order)
    if not others:
        return first
    more = "1 more mistake" if len(others) == 1 else f"{len(others)} more mistakes"
    return graphql.GraphQLError(f"{first.message.rstrip('.')} (and {more})", first.nodes)


def _check_names(document: graphql.DocumentNode) -> None:
    """Refuse the first type that nobody defines.

    graphql-core says so as well, and searches all types for similar names each time: a hostile
    document would keep it busy for hours.
    """
    import graphql
    from graphql.type import introspection_types, specified_scalar_types

    for definition in document.definitions:
        if isinstance(definition, graphql.ExecutableDefinitionNode):
            msg = "This is an operation of a client, not a part of a schema"
            raise graphql.GraphQLError(msg, definition)
    known = {*introspection_types, *specified_scalar_types}
    known |= {
        d.name.value for d in document.definitions if isinstance(d, graphql.TypeDefinitionNode)
    }
    used: list[graphql.NameNode] = []

    class Names(graphql.Visitor):
        def enter_named_type(self, node: graphql.NamedTypeNode, *_: object) -> None:
            used.append(node.name)

    graphql.visit(document, Names())
    used += [d.name for d in document.definitions if isinstance(d, graphql.TypeExtensionNode)]
    for node in used:
        if node.value not in known:
            msg = f"The type {node.value} is not defined"
            raise graphql.GraphQLError(msg, node)


def _check_depth(text: str, label: str, limits: Limits) -> None:
    depth = 0
    for found in _NESTING.finditer(text):
        if found["open"]:
            depth += 1
            if depth > limits.depth:
                line = text.count("\n", 0, found.start()) + 1
                column = found.start() - text.rfind("\n", 0, found.start())
                msg = f"brackets are nested more than {limits.depth} levels deep"
                raise DocumentError(
                    msg, remedy="Name inner types.", location=SourceLocation(label, line, column)
                )
        elif found["shut"]:
            depth = max(0, depth - 1)


def _refusal(error: graphql.GraphQLError, label: str) -> DocumentError:
    message = " ".join(error.message.split()).rstrip(".")
    message = message.removeprefix("Syntax Error: ")
    if len(message) > 300:
        message = f"{message[:299]}…"
    remedy = _REMEDY
    if "more than" in message and ("token" in message or "comment" in message):
        remedy = "Leave out what no client uses; this is more than any known schema holds."
    location = _place(error, label) or SourceLocation(label, 1, 1)
    return DocumentError(
        f"this is not a usable GraphQL schema: {message}", remedy=remedy, location=location
    )


def _place(error: graphql.GraphQLError, label: str) -> SourceLocation | None:
    found = error.locations
    return SourceLocation(label, found[0].line, found[0].column) if found else None


def _operations(schema: graphql.GraphQLSchema) -> Iterator[Operation]:
    for kind in _ROOTS:
        root = getattr(schema, f"{kind}_type")
        for name, field in sorted(root.fields.items()) if root else ():
            yield Operation(
                method=kind.upper(),
                path=name,
                pointer=pointer("types", root.name, "fields", name),
                operation_id=None,
                parameters=(),
                request_body=None,
                responses=(),
                security=(),
                deprecated=field.deprecation_reason is not None,
            )


def element(schema: graphql.GraphQLSchema, where: str) -> object | None:
    """Return the part of a schema at a pointer such as ``/types/Order/fields/id/args/unit``."""
    found: object | None = schema
    tokens = pointer_tokens(where)
    for group, name in zip(tokens[::2], tokens[1::2], strict=False):
        if group == "directives":
            found = schema.get_directive(name)
        else:
            members = schema.type_map if group == "types" else getattr(found, group, None)
            found = members.get(name) if isinstance(members, dict) else None
    return found


@dataclass(frozen=True, slots=True)
class GraphqlPlaces:
    """Finds line and column of a pointer into a schema."""

    label: str
    text: str
    tokens: int = TOKENS_MAX

    def __call__(self, where: str) -> SourceLocation | None:
        """Return the place of the definition, ``None`` for what stands in no file."""
        if not where:
            return SourceLocation(self.label, 1, 1)
        return self._of(element(_built(self.text, self.tokens), where))

    def _of(self, found: object | None) -> SourceLocation | None:
        nodes = [getattr(found, "ast_node", None), *(getattr(found, "extension_ast_nodes", ()))]
        for node in nodes:
            if node is not None and node.loc is not None:
                name = getattr(node, "name", None) or node
                token = (name.loc or node.loc).start_token
                return SourceLocation(self.label, token.line, token.column)
        return None


class _Owners:
    """Finds the part of a schema that a node of its text belongs to."""

    def __init__(self, schema: graphql.GraphQLSchema) -> None:
        spans = []
        for where, node in _nodes(schema):
            if node.loc is not None:
                spans.append((node.loc.start, -node.loc.end, where))
        self._spans = sorted(spans)

    def of(self, error: graphql.GraphQLError) -> str:
        """Return the pointer of the innermost part around an error; the document without one."""
        at = next(iter(error.positions or ()), -1)
        inside = [where for start, end, where in self._spans if start <= at < -end]
        return inside[-1] if inside else ""


def _nodes(schema: graphql.GraphQLSchema) -> Iterator[tuple[str, graphql.Node]]:
    for directive in schema.directives:
        yield from _with_node(pointer("directives", directive.name), [directive])
    for name, kind in schema.type_map.items():
        here = pointer("types", name)
        yield from _with_node(here, [kind])
        for group in ("fields", "values"):
            for member, value in getattr(kind, group, {}).items():
                inner = here + pointer(group, member)
                yield from _with_node(inner, [value])
                for argument, found in getattr(value, "args", {}).items():
                    yield from _with_node(inner + pointer("args", argument), [found])


def _with_node(where: str, found: Iterable[object]) -> Iterator[tuple[str, graphql.Node]]:
    for one in found:
        for node in (getattr(one, "ast_node", None), *getattr(one, "extension_ast_nodes", ())):
            if node is not None:
                yield where, node
