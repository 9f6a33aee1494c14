"""Finds the operation of a request: by contract, literal segments before templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.contract import Contract, Operation
from harness.model.errors import MetadataError
from harness.model.exchange import decode_path_segment
from mocks.kit.calls import RefusalKind, Refused

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One operation of one contract; ``api`` is ``orders/v0``.

    ``address`` is ``orders/v0#getOrders``, the name used in all metadata.
    """

    api: str
    operation: Operation
    address: str


def _route(api: str, operation: Operation) -> Route:
    return Route(api, operation, f"{api}#{operation.operation_id or operation.label}")


@dataclass(frozen=True, slots=True)
class _Segment:
    """One segment of a template: a literal, or a pattern with named placeholders."""

    literal: str | None
    pattern: re.Pattern[str] | None = None
    names: tuple[str, ...] = ()
    fixed_characters: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        """Sort literals first, then patterns with the most fixed text."""
        return (0, 0) if self.literal is not None else (1, -self.fixed_characters)


def _segment(text: str) -> _Segment:
    if "{" not in text:
        return _Segment(decode_path_segment(text))
    names: list[str] = []
    pattern, fixed, position = "", 0, 0
    for found in _PLACEHOLDER.finditer(text):
        before = decode_path_segment(text[position : found.start()])
        pattern += re.escape(before) + "(.+)"
        fixed += len(before)
        names.append(found.group(1))
        position = found.end()
    rest = decode_path_segment(text[position:])
    compiled = re.compile(pattern + re.escape(rest), re.DOTALL)
    return _Segment(None, compiled, tuple(names), fixed + len(rest))


@dataclass(slots=True, eq=False)
class _Template:
    """A path with placeholders and its operations by method."""

    segments: tuple[_Segment, ...]
    routes: dict[str, Route]

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """Return the decoded path parameters, ``None`` when the path is another one."""
        values: dict[str, str] = {}
        for wanted, given in zip(self.segments, segments, strict=True):
            if wanted.pattern is None:
                if wanted.literal != given:
                    return None
                continue
            found = wanted.pattern.fullmatch(given)
            if found is None:
                return None
            values.update(zip(wanted.names, found.groups(), strict=True))
        return values


class Router:
    """All operations of one system's contracts."""

    def __init__(
        self, contracts: Mapping[str, Contract], serves: Mapping[str, str] | None = None
    ) -> None:
        """Index the operations.

        Where versions of one API share an address, as vendors do who change a version without
        renaming it, ``serves`` (API to version) says which one answers; the latest does where it
        says nothing. Raises ``MetadataError`` when two APIs claim one method and path.
        """
        self._contracts = contracts
        self._serves = dict(serves or {})
        self._index()

    def serve(self, api: str, version: str) -> None:
        """Let another version of an API answer from now on; raises ``MetadataError``."""
        if f"{api}/{version}" not in self._contracts:
            msg = f"there is no version {version!r} of the API {api!r}."
            raise MetadataError(msg, remedy=f"Known: {', '.join(self._contracts)}.")
        self._serves[api] = version
        self._index()

    def serving(self, api: str) -> str:
        """Return the version that answers at the addresses the versions of an API share."""
        versions = [
            name.partition("/")[2] for name in self._contracts if name.startswith(f"{api}/")
        ]
        return self._serves.get(api) or (versions[-1] if versions else "")

    def _index(self) -> None:
        self.routes: list[Route] = []
        self._fixed: dict[str, dict[str, Route]] = {}
        self._templates: dict[int, list[_Template]] = {}
        shapes: dict[str, dict[str, Route]] = {}
        for api, contract in self._contracts.items():
            for operation in contract.operations:
                route = _route(api, operation)
                self.routes.append(route)
                self._add(route, shapes)
        for templates in self._templates.values():
            templates.sort(key=lambda template: [s.rank for s in template.segments])

    def _add(self, route: Route, shapes: dict[str, dict[str, Route]]) -> None:
        path = route.operation.path
        shape = _PLACEHOLDER.sub("{}", path)
        methods = shapes.get(shape)
        if methods is None:
            methods = shapes[shape] = {}
            if "{" in path:
                segments = tuple(_segment(text) for text in path.split("/"))
                template = _Template(segments, methods)
                self._templates.setdefault(len(segments), []).append(template)
            else:
                self._fixed[decode_path_segment(path)] = methods
        other = methods.get(route.operation.method)
        if other is None or self._replaces(route, other):
            methods[route.operation.method] = route

    def _replaces(self, route: Route, other: Route) -> bool:
        """Say which of two versions answers; a later one unless the older was asked for."""
        api, _, version = route.api.partition("/")
        if other.api.partition("/")[0] != api or other.api == route.api:
            msg = f"{route.address} and {other.address} both answer {route.operation.label}."
            raise MetadataError(msg, remedy="Serve only one of the two contracts.")
        wanted = self._serves.get(api)
        return version == wanted or other.api != f"{api}/{wanted}"

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route and its decoded path parameters.

        Raises ``Refused`` with UNKNOWN_PATH or METHOD_NOT_ALLOWED.
        """
        if path[-1:] == "/" and len(path) > 1:
            path = path[:-1]
        methods = self._fixed.get(path)
        values: dict[str, str] = {}
        if methods is None:
            methods, values = self._find_template(path)
        route = methods.get(method)
        if route is None:
            raise _method_refused(method, path, methods)
        return route, values

    def _find_template(self, path: str) -> tuple[dict[str, Route], dict[str, str]]:
        if "%" in path:
            segments = [decode_path_segment(text) for text in path.split("/")]
        else:
            segments = path.split("/")
        fixed = self._fixed.get("/".join(segments))
        if fixed is not None:
            return fixed, {}
        for template in self._templates.get(len(segments), ()):
            values = template.match(segments)
            if values is not None:
                return template.routes, values
        msg = f"no contract served here describes the path {path}"
        raise Refused(RefusalKind.UNKNOWN_PATH, msg)


def _method_refused(method: str, path: str, methods: Mapping[str, Route]) -> Refused:
    allowed = ", ".join(sorted(methods))
    return Refused(
        RefusalKind.METHOD_NOT_ALLOWED,
        f"the contract has no {method} for {path}, only {allowed}",
        headers=(("allow", allowed),),
    )
