"""An httpx transport over a simulator, for engines and tests that want a real ``AsyncClient``.

Unlike ``httpx.ASGITransport`` it honours timeouts and loses answers when the plan says so.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

import httpx
from typing_extensions import override

from harness.model.errors import AnswerLost, AnswerTimedOut, ConnectFailed
from harness.model.exchange import HttpRequest, lower_headers
from harness.model.ports import HttpClient

_PATIENCE_S = 86_400.0  # httpx may be told to wait for ever; a simulation may not


class SimulatedTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests through a thin client."""

    def __init__(self, client: HttpClient) -> None:
        """Send through ``client``; scheme and host of a request are not looked at."""
        self._client = client

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer; raises httpx's own transport errors."""
        body = await request.aread()
        raw_path, _, query = request.url.raw_path.decode("ascii").partition("?")
        asked = HttpRequest(
            request.method,
            raw_path,
            tuple(parse_qsl(query, keep_blank_values=True)),
            lower_headers(request.headers.multi_items()),
            body,
        )
        patience = request.extensions.get("timeout", {}).get("read")
        try:
            answer = await self._client.send(asked, timeout_s=patience or _PATIENCE_S)
        except ConnectFailed as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except AnswerTimedOut as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except AnswerLost as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        return httpx.Response(
            answer.status, headers=list(answer.headers), content=answer.body, request=request
        )
