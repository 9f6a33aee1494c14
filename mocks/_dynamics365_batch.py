"""``$batch``: requests inside a request, each with an answer of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.model.exchange import HttpRequest
from harness.model.values import Json, JsonObject
from mocks.kit.answers import encode_json
from mocks.kit.batches import RowAnswer
from mocks.kit.binding import Binder
from mocks.kit.routing import Router
from mocks.kit.simulator import Answer, Call, RefusalKind, Refused, Simulator

# What asks somebody outside first, or holds requests itself, is not imitated inside a batch.
_NOT_INSIDE = ("batch", "createSubscription", "renewSubscription")


class InnerCalls:
    """Runs the requests of a batch in order, by the contract of the batch's own version."""

    def __init__(self, simulator: Simulator) -> None:
        """Answer with the handlers of ``simulator``."""
        self._simulator = simulator
        self._router = Router(simulator.setup.contracts)
        self._binder = Binder(simulator, costs=_free, check_answers=False)

    def run(self, call: Call) -> Answer:
        """Answer a batch; raises ``Refused`` INVALID for one that cannot be read."""
        body: Any = call.body
        rows: list[JsonObject] = body["requests"]
        if len({row["id"] for row in rows}) != len(rows):
            msg = "Each request of a batch needs an id of its own."
            raise _wrong(msg)
        groups = [row.get("atomicityGroup") for row in rows]
        for group in groups:
            if group is not None and groups.count(group) > 1:
                msg = "The simulator does not imitate change sets of several requests."
                raise _wrong(msg)
        if any(row.get("dependsOn") for row in rows):
            msg = "The simulator does not imitate dependsOn."
            raise _wrong(msg)
        result = self._simulator.manners.batches.run(
            call,
            rows,
            lambda row: self._inner(call, row),
            lambda _row, refused: _answered(self._simulator.error_answer(refused, call.request_id)),
        )
        responses = []
        for row, (status, shown) in zip(rows, result.rows, strict=True):
            one: dict[str, Any] = {"id": row["id"], "status": status, "headers": {}}
            if shown is not None:
                one["headers"] = {"content-type": "application/json"}
                one["body"] = shown
            responses.append(one)
        return Answer(result.status, {"responses": responses})

    def _inner(self, call: Call, row: Json) -> RowAnswer:
        request = _request(call, row)
        route, values = self._router.find(request.method, request.path)
        if route.api != f"{call.api}/{call.version}":
            msg = "A batch reaches its own version only."
            raise _wrong(msg)
        if route.operation.operation_id in _NOT_INSIDE:
            msg = f"The simulator does not imitate {route.address} inside a batch."
            raise _wrong(msg)
        bound = self._binder.bind(route)
        query, body = bound.checker.check(request, values)
        inner = replace(
            call,
            request=request,
            operation=route.operation,
            path=values,
            query=query,
            body=body,
        )
        answer = self._binder.run(bound, inner, None, checked=False)
        if not isinstance(answer, Answer):
            msg = f"The simulator does not imitate {route.address} inside a batch."
            raise _wrong(msg)
        return _answered(answer)


def _free(_address: str) -> bool:
    return False


def _answered(answer: Answer) -> RowAnswer:
    return answer.status, answer.body


def _wrong(message: str) -> Refused:
    return Refused(RefusalKind.INVALID, message, code="BadRequest_InvalidRequestUri")


def _request(call: Call, row: JsonObject) -> HttpRequest:
    root = call.request.path.removesuffix("/").removesuffix("$batch")
    url = str(row["url"])
    if "://" in url:
        url = "/" + url.partition("://")[2].partition("/")[2]
    target = url if url.startswith("/") else root + url
    headers = {name.lower(): str(value) for name, value in (row.get("headers") or {}).items()}
    host = call.request.header("host")
    if host is not None:
        headers["host"] = host
    content = b""
    if row.get("body") is not None:
        try:
            content = encode_json(row["body"])
        except ValueError:
            msg = "The body of a request in the batch holds a number JSON has not."
            raise _wrong(msg) from None
        headers.setdefault("content-type", "application/json")
    try:
        return HttpRequest.from_target(str(row["method"]), target, tuple(headers.items()), content)
    except ValueError:
        msg = "The url of a request in the batch cannot be read."
        raise _wrong(msg) from None
