"""A witness exchange as the messages it stands for: the call and, where there is one, the answer.

What a comparison notes about an exchange is a mapping with a ``request`` (``method``,
``target``, ``server``, ``headers``, ``body``) and perhaps a ``response`` (``status``, ``headers``,
``body``), or one flat mapping of the same names, in which a ``status`` makes headers and body the
answer's. Every name but the target is optional: a note that lacks one still shows the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from harness.model.finding import Finding
from harness.model.values import Json
from reports.spelling import dumped, pretty, short, visible

Fields = tuple[tuple[str, str], ...]

_LIST_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Body:
    """A body as a value; ``media_type`` is empty when nobody said."""

    value: Json
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """The request: ``target`` is path and query as the exchange spells them."""

    method: str
    target: str
    fields: Fields = ()
    cookies: Fields = ()
    body: Body | None = None
    server: str = ""
    security: Json = None

    @property
    def line(self) -> str:
        """Return the request line."""
        return f"{self.method} {self.target} HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """The response; ``status`` as a number where it is one."""

    status: str
    fields: Fields = ()
    body: Body | None = None

    @property
    def line(self) -> str:
        """Return the status line, with the standard's phrase when the code has one."""
        return f"HTTP/1.1 {self.status} {_phrase(self.status)}".rstrip()


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole witness exchange."""

    call: Call
    answer: Answer | None = None


def shown_exchange(finding: Finding) -> Shown | None:
    """Return the exchange of the finding's witness, or ``None`` when it has none to show."""
    exchange = finding.witness.exchange if finding.witness is not None else None
    if not isinstance(exchange, Mapping) or not exchange:
        return None
    return read_exchange(exchange)


def read_exchange(exchange: Mapping[str, Json]) -> Shown | None:
    """Return the messages of a noted exchange, ``None`` when it names no call: half is no proof."""
    request, response = exchange.get("request"), exchange.get("response")
    outer = {k: v for k, v in exchange.items() if k not in {"request", "response"}}
    if isinstance(request, Mapping):
        call = _call({**outer, **request}, answered=False)
        return Shown(call, _answer(response) if isinstance(response, Mapping) else None)
    if not outer.get("target") and not outer.get("path"):
        return None
    answered = outer.get("status") is not None
    return Shown(_call(outer, answered=answered), _answer(outer) if answered else None)


def _call(note: Mapping[str, Json], *, answered: bool) -> Call:
    """Read the call; in a note with a status, headers and body belong to the answer."""
    fields = _fields(note.get("request_headers"))
    if note.get("accept") and not _has(fields, "accept"):
        fields += (("Accept", str(note["accept"])),)
    body = None
    if not answered:
        fields += _fields(note.get("headers"))
        body = _body(note, fields)
    elif "request_body" in note:
        body = Body(note["request_body"], str(note.get("request_content_type") or ""))
    if body is not None and body.media_type and not _has(fields, "content-type"):
        fields += (("Content-Type", body.media_type),)
    elif not answered and note.get("content_type") and not _has(fields, "content-type"):
        fields += (("Content-Type", str(note["content_type"])),)
    return Call(
        method=str(note.get("method") or "GET").upper(),
        target=str(note.get("target") or note.get("path") or "/"),
        fields=fields,
        cookies=_fields(note.get("cookies")),
        body=body,
        server=str(note.get("server") or ""),
        security=note.get("security"),
    )


def _answer(note: Mapping[str, Json]) -> Answer:
    fields = _fields(note.get("headers"))
    body = _body(note, fields)
    media_type = str(note.get("content_type") or "")
    if media_type and not _has(fields, "content-type"):
        fields = (("Content-Type", media_type), *fields)
    return Answer(str(note.get("status", "")), fields, body)


def _body(note: Mapping[str, Json], fields: Fields) -> Body | None:
    if "body" not in note:
        return None
    stated = str(note.get("content_type") or note.get("media_type") or "")
    named = next((v for n, v in fields if n.lower() == "content-type"), "")
    return Body(note["body"], stated or named)


def _fields(value: Json) -> Fields:
    """Return names and texts of a mapping or of a list of pairs, lists as repeated names."""
    return tuple(_pairs(value))


def _pairs(value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        entries = list(value.items())
    elif isinstance(value, list | tuple):
        entries = [(v[0], v[1]) for v in value if isinstance(v, list | tuple) and len(v) == 2]
    else:
        return
    for name, content in entries:
        for one in content if isinstance(content, list | tuple) else [content]:
            yield str(name), scalar_text(one)


def message_lines(shown: Shown) -> list[str]:
    """Return the exchange as a person knows it from HTTP: start lines, fields, bodies.

    Start lines and fields stay one line each, whatever a document put into them.
    """
    call = shown.call
    fields = call.fields
    if call.cookies:
        fields += (("Cookie", "; ".join(f"{n}={v}" for n, v in call.cookies)),)
    lines = [*_head(call.line, fields), *_body_lines(call.body)]
    if call.security is not None:
        lines.append(visible(f"(authorised by {short(call.security)})"))
    if shown.answer is not None:
        told = shown.answer
        lines += ["", *_head(told.line, told.fields), *_body_lines(told.body)]
    return lines


def _head(start: str, fields: Fields) -> list[str]:
    return [visible(start), *(visible(f"{name}: {value}") for name, value in fields)]


def _body_lines(body: Body | None) -> list[str]:
    return [] if body is None else ["", *body_text(body.value, body.media_type).split("\n")]


def body_text(value: Json, media_type: str = "", *, line_max: int = 72) -> str:
    """Return a body as text: as it is when it is no JSON, JSON on one line when short or a list."""
    if isinstance(value, str) and media_type and "json" not in media_type.lower():
        return value.replace("\r\n", "\n")
    text = short(value, line_max + 1)
    if len(text) <= line_max:
        return text
    plain_list = isinstance(value, list) and all(_is_word(item) for item in value)
    return short(value, _LIST_MAX) if plain_list else pretty(value)


def _is_word(value: Json) -> bool:
    """Say whether a list of such values reads better in a row than in a column."""
    return not isinstance(value, Mapping | list | tuple) and len(short(value, 42)) <= 40


def scalar_text(value: Json) -> str:
    """Return how a value travels in a header, a cookie or a form: text without quotes."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return dumped(value, sort=True)


def _has(fields: Fields, name: str) -> bool:
    return any(n.lower() == name for n, _ in fields)


def _phrase(status: str) -> str:
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return ""
