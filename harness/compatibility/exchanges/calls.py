"""Whole exchanges around a difference: a request that can be sent, an answer that can come.

Everything not under question is filled with the smallest sample the contract allows, so that the
same operation always gives the same exchange. Credentials are obviously fake. Nothing is made
before a finding asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote, urlsplit

from harness.compatibility.exchanges.credentials import present
from harness.compatibility.exchanges.message_bodies import PartHeaders, written_body
from harness.compatibility.exchanges.pairing import PLACEHOLDER
from harness.compatibility.exchanges.wire import (
    query_text,
    serialise,
    spelling_of,
    spelling_of_header,
    text,
)
from harness.compatibility.schemas.samples import NoValueError, Sampler
from harness.compatibility.schemas.side import Side
from harness.model.contract import (
    Contract,
    Header,
    MediaType,
    Operation,
    Parameter,
    ParameterLocation,
    Response,
    SecurityAlternative,
    Server,
)
from harness.model.values import Json

_EXPRESSION = re.compile(r"\{\$[^{}]*\}")
_CONSUMER = "https://consumer.example"
_FIELD_MAX = 512
VARIANTS_MAX = 30


class Unset:
    """Stands for "take a sample", because ``None`` is a value."""


UNSET = Unset()


def place_of(parameter: Parameter) -> str:
    """Return ``query.limit``, the name of a parameter in findings."""
    return f"{parameter.location.value}.{parameter.name}"


class Calls:
    """Makes the exchanges of one contract."""

    def __init__(self, contract: Contract) -> None:
        """Sample values of this contract, when asked."""
        self._contract = contract
        self._samplers: dict[str, tuple[Side, Sampler]] = {}

    def call(
        self,
        operation: Operation,
        *,
        values: Mapping[str, Json] | None = None,
        sending: tuple[str, ...] = (),
        raw_query: str = "",
        media: MediaType | None = None,
        body: Json | Unset = UNSET,
        part_headers: PartHeaders | None = None,
        accept: str = "",
        alternative: SecurityAlternative | None = None,
        server: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Json]:
        """Return ``{"request": ...}``: a request the contract allows.

        ``values`` fixes parameters by place (``query.limit``) and ``sending`` names more that get
        a sample; other optional ones are left out.
        ``raw_query`` is put into the query as it is. ``media`` names the media type of the body,
        ``part_headers`` adds headers to its parts.
        ``server`` is the address to use instead of the first.
        """
        request = _Request(operation, server or _address(operation))
        given = values or {}
        for parameter in operation.parameters:
            place = place_of(parameter)
            if place in given or place in sending or parameter.required:
                value = given[place] if place in given else self._value(parameter)
                request.put(parameter, value)
        if raw_query:
            request.query.append(raw_query)
        request.headers.update(headers or {})
        self._authorise(request, operation, alternative)
        wanted = accept or _acceptable(operation)
        if wanted:
            request.headers.setdefault("Accept", wanted)
        chosen = media or self._usual_media(operation)
        content: dict[str, Json] = {}
        demanded = operation.request_body is not None and operation.request_body.required
        if chosen is not None and (media or demanded or not isinstance(body, Unset)):
            dropped = "writeOnly" if operation.incoming else "readOnly"
            content = self._body(chosen, body, dropped, part_headers)
        if content:
            request.headers["Content-Type"] = content["content_type"]
        return {"request": request.made(content)}

    def answer(
        self,
        response: Response,
        *,
        status: int,
        media: MediaType | None = None,
        body: Json | Unset = UNSET,
        headers: Mapping[str, Json] | None = None,
        sending: tuple[str, ...] = (),
        without: str = "",
        by_consumer: bool = False,
    ) -> dict[str, Json]:
        """Return ``{"response": ...}``: an answer the contract allows.

        ``headers`` fixes values by name, ``sending`` names more that get a sample, ``without``
        names one that stays away.
        """
        dropped = "readOnly" if by_consumer else "writeOnly"
        fields: dict[str, Json] = {}
        fixed = {k.lower(): v for k, v in (headers or {}).items()}
        for header in response.headers:
            name = header.name.lower()
            if name in fixed:
                fields[header.name] = _field_text(header, fixed[name])
            elif (header.required and name != without.lower()) or header.name in sending:
                fields[header.name] = _field_text(header, self._sample(header.schema, dropped))
        made: dict[str, Json] = {"status": status}
        chosen = media or next(iter(response.content), None)
        if chosen is not None:
            content = self._body(chosen, body, dropped)
            fields["Content-Type"] = content["content_type"]
            made["body"] = content["body"]
        return {"response": {**made, "headers": fields}}

    def _usual_media(self, operation: Operation) -> MediaType | None:
        content = operation.request_body.content if operation.request_body else ()
        return next((m for m in content if "json" in m.name.lower()), next(iter(content), None))

    def _body(
        self,
        media: MediaType,
        body: Json | Unset,
        dropped: str,
        part_headers: PartHeaders | None = None,
    ) -> dict[str, Json]:
        value = self._sample(media.schema, dropped) if isinstance(body, Unset) else body
        headers = {
            e.name: {
                **{h.name: text(self._sample(h.schema, dropped)) for h in e.headers if h.required},
                **(part_headers or {}).get(e.name, {}),
            }
            for e in media.encoding
        }
        return written_body(media, value, headers)

    def _authorise(
        self, request: _Request, operation: Operation, alternative: SecurityAlternative | None
    ) -> None:
        chosen = alternative or next(iter(operation.security), None)
        if chosen is None or operation.incoming:
            return
        shown = present(self._contract, chosen)
        for name, content in shown.headers:
            request.headers.setdefault(name, content)
        request.query += shown.query
        request.cookies += shown.cookies

    def _value(self, parameter: Parameter) -> Json:
        value = self._sample(parameter.schema, "readOnly", missing="a")
        if parameter.location is ParameterLocation.PATH and value in ("", None, [], {}):
            return self._filled(parameter)
        return value

    def _filled(self, parameter: Parameter) -> Json:
        """Return a value that leaves a trace: a path has no empty segments."""
        side, sampler = self._samplers.get("readOnly", (None, None))
        if side is None or sampler is None:
            return "a"
        found = islice(sampler.variants(side.node(parameter.schema)), VARIANTS_MAX)
        return next((v for v in found if v not in ("", None, [], {})), "a")

    def _sample(self, schema: str | None, dropped: str, *, missing: Json = None) -> Json:
        """Return the smallest value of a schema, ``missing`` when none could be made."""
        if schema is None:
            return missing
        if dropped not in self._samplers:
            side = Side(self._contract.schemas, dropped=dropped, writer=True, closed=True)
            self._samplers[dropped] = (side, Sampler(side))
        side, sampler = self._samplers[dropped]
        try:
            return sampler.minimal(side.node(schema))
        except NoValueError:
            return missing


class _Request:
    """A request under construction."""

    def __init__(self, operation: Operation, address: str) -> None:
        self.method = operation.method
        self.server, base = _split_address(address)
        path = operation.path
        if operation.incoming:
            self.server = _CONSUMER
            path = "/" + _EXPRESSION.sub("", path).lstrip("/")
            base = ""
        self.path = base + path
        self.query: list[str] = []
        self.cookies: list[str] = []
        self.headers: dict[str, str] = {}

    def put(self, parameter: Parameter, value: Json) -> None:
        """Write a value where its parameter travels."""
        wire = serialise(parameter.name, value, spelling_of(parameter))
        if parameter.location is ParameterLocation.QUERY:
            if wire:
                self.query.append(query_text(wire))
        elif parameter.location is ParameterLocation.COOKIE:
            self.cookies += [f"{k}={v}" for k, v in wire]
        elif parameter.location is ParameterLocation.HEADER:
            self.headers[parameter.name] = wire[0][1]
        else:
            self.path = self.path.replace("{" + parameter.name + "}", wire[0][1])

    def made(self, content: Mapping[str, Json]) -> dict[str, Json]:
        path = quote(PLACEHOLDER.sub("a", self.path), safe="/%:@!$&'()*+,;=~.-_")
        headers: dict[str, Any] = dict(self.headers)
        if self.cookies:
            headers["Cookie"] = "; ".join(self.cookies)
        made: dict[str, Json] = {
            "method": self.method,
            "target": f"{path}?{'&'.join(self.query)}" if self.query else path,
            "headers": headers,
        }
        if self.server:
            made["server"] = self.server
        if content:
            made |= {"media_type": content["content_type"], "body": content["body"]}
        return made


def filled_address(server: Server) -> str:
    """Return an address with the defaults of its variables."""
    defaults = {v.name: v.default for v in server.variables}
    return PLACEHOLDER.sub(lambda m: defaults.get(m[1]) or "a", server.url)


def _address(operation: Operation) -> str:
    return filled_address(operation.servers[0]) if operation.servers else ""


def _split_address(address: str) -> tuple[str, str]:
    """Return origin and base path; a relative address has no origin."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return origin, parts.path.rstrip("/")


def _acceptable(operation: Operation) -> str:
    """Return the media type an old client asks for: the first of the first success."""
    for response in operation.responses:
        if response.status.startswith("2") and response.content:
            return response.content[0].name
    return ""


def _field_text(header: Header, value: Json) -> str:
    wire = serialise(header.name, value, spelling_of_header(header))
    return wire[0][1][:_FIELD_MAX]
