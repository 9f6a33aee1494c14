"""Values that really exist: told by the user, or learned from the answers to list calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from harness.model.contract import Operation, ParameterLocation
from harness.model.values import Json

_KEPT_PER_NAME = 20
_GENERIC = frozenset({"id", "name", "key", "code", "number"})
_WALK_MAX = 20_000


class KnownValues:
    """Parameter values by name, told ones before learned ones."""

    def __init__(
        self,
        told: Mapping[str, Sequence[str]],
        usual: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Start with what the user told us; ``marketplace_id`` also answers ``marketplaceIds``.

        ``getItem.id`` is for one operation only: an ``id`` of one collection is none of another.
        ``usual`` holds, in that form, what our own engine sends: the shape it reads is the shape
        to check.
        """
        self._usual = {name: list(values) for name, values in (usual or {}).items()}
        self._exactly = {name: list(values) for name, values in told.items() if "." in name}
        self._told = {_plain(name): list(values) for name, values in told.items()}
        # Members by plain name, and generic ones by the collection they came from.
        self._learned: dict[tuple[str, str], list[str]] = {}

    def learn(self, operation: Operation, body: Json) -> None:
        """Keep the scalar members of an answer."""
        stack: list[Json] = [body]
        steps = 0
        while stack and steps < _WALK_MAX:
            steps += 1
            value = stack.pop(0)
            if isinstance(value, list):
                stack += value
            elif isinstance(value, dict):
                for name, member in value.items():
                    if isinstance(member, dict | list):
                        stack.append(member)
                    elif isinstance(member, str | int) and not isinstance(member, bool):
                        self._keep(operation, name, str(member))

    def _keep(self, operation: Operation, name: str, value: str) -> None:
        plain = _plain(name)
        origin = operation.path if plain in _GENERIC else ""
        values = self._learned.setdefault((origin, plain), [])
        if value and value not in values and len(values) < _KEPT_PER_NAME:
            values.append(value)

    def for_operation(self, operation: Operation) -> dict[str, list[str]]:
        """Return known values by parameter name: told for any place, learned for the path only."""
        known: dict[str, list[str]] = {}
        for parameter in operation.parameters:
            plain = _plain(parameter.name)
            exact = self._exactly.get(f"{operation.operation_id}.{parameter.name}", [])
            values = list(exact or self._told.get(plain, []))
            values = values or self._usual.get(f"{operation.operation_id}.{parameter.name}", [])
            if not values and parameter.location is ParameterLocation.PATH:
                values = self._learned_for(operation, parameter.name, plain)
            if values:
                known[parameter.name] = values
        return known

    def can_address(self, operation: Operation) -> bool:
        """Say whether every path parameter has a value that exists."""
        known = self.for_operation(operation)
        return all(
            p.name in known for p in operation.parameters if p.location is ParameterLocation.PATH
        )

    def _learned_for(self, operation: Operation, name: str, plain: str) -> list[str]:
        if plain in _GENERIC:
            collection = operation.path.split("/{" + name + "}", 1)[0]
            return self._learned.get((collection, plain), [])
        exact = self._learned.get(("", plain))
        if exact:
            return exact
        # ``orderId`` may be ``AmazonOrderId`` elsewhere, or ``SellerOrderId``: try in turn.
        alike = [v for (_, n), v in sorted(self._learned.items()) if n.endswith(plain)]
        turns = zip_longest(*alike)
        return [value for turn in turns for value in turn if value is not None]


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain
