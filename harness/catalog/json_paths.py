"""JSONPath (RFC 9535) over one document, with an end to how much one query may look at.

The library is imported when a query is asked, and not before. Its regular expressions are
replaced by the validator's, which cannot be made to run forever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from harness.model.values import Json

if TYPE_CHECKING:
    from jsonpath import JSONPathMatch
    from jsonpath.filter import BaseExpression
    from jsonpath.stream import TokenStream

_LONGEST_QUERY = 2_000
_DEEPEST = 400


class PathMistake(ValueError):
    """The query is not JSONPath; the text says why."""


class PathTooCostly(Exception):
    """The query looked at more values than it may."""


@dataclass(frozen=True, slots=True)
class Selected:
    """One selected value, and the unescaped tokens that lead to it."""

    value: Json
    tokens: tuple[str | int, ...]


def select(document: Json, query: str, *, visits_max: int) -> list[Selected]:
    """Return what a query selects, each value once, in document order.

    Raises ``PathMistake`` for what is not JSONPath and ``PathTooCostly`` beyond ``visits_max``
    looked-at values, filters included.
    """
    from jsonpath import JSONPathError

    if len(query) > _LONGEST_QUERY:
        msg = f"the query is longer than {_LONGEST_QUERY} characters"
        raise PathMistake(msg)
    try:
        found = _found(document, query, visits_max)
    except JSONPathError as error:
        text = " ".join(str(error.args[0] if error.args else error).split())
        raise PathMistake(text) from error
    except RecursionError as error:
        msg = "the query is nested too deeply"
        raise PathMistake(msg) from error
    unique = {match.parts: Selected(match.obj, match.parts) for match in found}
    return list(unique.values())


def _found(document: Json, query: str, visits_max: int) -> list[JSONPathMatch]:
    """Ask the library, with every looked-at value counted.

    Its parser and its queries are replaced by ones that start from a counting match; the counting
    then spreads, because a match makes its children of its own kind.
    """
    from jsonpath import JSONPath, JSONPathEnvironment, JSONPathMatch
    from jsonpath.filter import RelativeFilterQuery, RootFilterQuery
    from jsonpath.function_extensions import Match, Search
    from jsonpath.parse import Parser

    left = visits_max

    class BoundedMatch(JSONPathMatch):
        @override
        def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
            nonlocal left
            left -= 1
            if left < 0:
                raise PathTooCostly
            return super().new_child(obj, key)

    class BoundedQuery(JSONPath):
        @override
        def finditer(self, data: Any, *, filter_context: Any = None) -> Iterable[JSONPathMatch]:
            matches: Iterable[JSONPathMatch] = [
                BoundedMatch(
                    filter_context=filter_context or {},
                    obj=data,
                    parent=None,
                    path="$",
                    parts=(),
                    root=data,
                )
            ]
            for segment in self.segments:
                matches = segment.resolve(matches)
            return matches

    class BoundedParser(Parser):
        @override
        def parse_absolute_query(self, stream: TokenStream) -> BaseExpression:
            stream.next()
            return RootFilterQuery(BoundedQuery(env=self.env, segments=self.parse_query(stream)))

        @override
        def parse_relative_query(self, stream: TokenStream) -> BaseExpression:
            stream.next()
            return RelativeFilterQuery(
                BoundedQuery(env=self.env, segments=self.parse_query(stream))
            )

    class WholeText(Match):
        @override
        def __call__(self, value: object, pattern: object) -> bool:
            return _follows(value, pattern, whole=True)

    class PartOfText(Search):
        @override
        def __call__(self, value: object, pattern: object) -> bool:
            return _follows(value, pattern, whole=False)

    class BoundedEnvironment(JSONPathEnvironment):
        parser_class = BoundedParser
        max_recursion_depth = _DEEPEST

    environment = BoundedEnvironment(strict=True)
    environment.function_extensions["match"] = WholeText()
    environment.function_extensions["search"] = PartOfText()
    compiled = environment.compile(query)
    if not isinstance(compiled, JSONPath):
        msg = "one query is expected"
        raise PathMistake(msg)
    return list(BoundedQuery(env=environment, segments=compiled.segments).finditer(document))


def _follows(value: object, pattern: object, *, whole: bool) -> bool:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return False
    validator = _expression(f"^(?:{pattern})$" if whole else pattern)
    try:
        return validator is not None and bool(validator.is_valid(value))
    except ValueError:  # half a surrogate, or more backtracking than the validator allows
        return False


@cache
def _expression(pattern: str) -> Any:
    import jsonschema_rs

    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return None  # RFC 9535: an expression that cannot be used matches nothing
