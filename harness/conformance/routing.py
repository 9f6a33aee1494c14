"""Finds the operation of a contract that a request was meant for."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from harness.model.contract import Contract, Operation
from harness.model.exchange import HttpRequest, decode_path_segment

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Router:
    """Matches paths to templates; a literal template wins over one with placeholders."""

    def __init__(self, contract: Contract) -> None:
        """Compile the templates of all operations that are not webhooks."""
        self._prefixes = _prefixes(contract.servers)
        ordered = sorted(contract.operations, key=lambda o: (o.path.count("{"), o.path, o.method))
        self._templates = [(_pattern(o.path), o) for o in ordered]

    def find(self, request: HttpRequest) -> Operation | None:
        """Return the operation, ``None`` when the contract has none for it."""
        for prefix in self._prefixes:
            if not request.path.startswith(prefix):
                continue
            path = request.path[len(prefix) :] or "/"
            for pattern, operation in self._templates:
                if operation.method == request.method.upper() and pattern.fullmatch(path):
                    return operation
        return None

    def path_values(self, operation: Operation, request: HttpRequest) -> dict[str, str]:
        """Return the decoded path parameters of a request to ``operation``."""
        names = _PLACEHOLDER.findall(operation.path)
        for prefix in self._prefixes:
            match = _pattern(operation.path).fullmatch(request.path[len(prefix) :])
            if request.path.startswith(prefix) and match:
                return dict(zip(names, map(decode_path_segment, match.groups()), strict=True))
        return {}


def _pattern(template: str) -> re.Pattern[str]:
    literal = _PLACEHOLDER.split(template)[::2]
    return re.compile("([^/]+?)".join(map(re.escape, literal)))


def _prefixes(servers: tuple[str, ...]) -> tuple[str, ...]:
    """Return base paths to try: those of the servers, longest first, then none."""
    paths = {urlsplit(s).path.rstrip("/") for s in servers if "{" not in urlsplit(s).path}
    return (*sorted(paths - {""}, key=len, reverse=True), "")
