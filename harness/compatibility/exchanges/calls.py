"""Concrete calls: the request line that shows a difference, with sample values filled in."""

from __future__ import annotations

from harness.compatibility.pairing import PLACEHOLDER
from harness.compatibility.samples import NoValueError, Sampler
from harness.compatibility.side import Side
from harness.compatibility.wire import filled, query
from harness.model.contract import Contract, Operation, Parameter
from harness.model.values import Json


class Calls:
    """Makes the calls of one contract; the same operation always gives the same call."""

    def __init__(self, contract: Contract) -> None:
        """Sample values of this contract's parameters."""
        self._side = Side(contract.schemas, dropped="readOnly", writer=True, closed=True)
        self._sampler = Sampler(self._side)

    def call(self, operation: Operation, **more: Json) -> dict[str, Json]:
        """Return method, path template and target, then ``more``.

        The ``parameter`` in ``more`` (``query.limit``) is left out of the target: its value is put
        there with the witness.
        """
        own = str(more.get("parameter", ""))
        target = self._target(operation, own)
        return {"method": operation.method, "path": operation.path, "target": target, **more}

    def _target(self, operation: Operation, own: str) -> str:
        path, asked = operation.path, []
        for parameter in operation.parameters:
            place = f"{parameter.location.value}.{parameter.name}"
            if place == own:
                continue
            if place.startswith("path."):
                path = filled(path, parameter.name, self._value(parameter))
            elif place.startswith("query.") and parameter.required:
                asked.append(query(parameter.name, self._value(parameter)))
        if not own.startswith("path."):
            path = PLACEHOLDER.sub("a", path)
        return f"{path}?{'&'.join(asked)}" if asked else path

    def _value(self, parameter: Parameter) -> Json:
        if parameter.schema is None:
            return "a"
        try:
            return self._sampler.minimal(self._side.node(parameter.schema))
        except NoValueError:
            return "a"


def status_code(status: str, operation: Operation) -> int:
    """Return a number for a status: the first of a range, a failure for a spare ``default``."""
    if status.isdigit():
        return int(status)
    if status.upper().endswith("XX") and status[0].isdigit():
        return int(status[0]) * 100
    return 500 if any(r.status.startswith("2") for r in operation.responses) else 200
