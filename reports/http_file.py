"""A witness as an ``.http`` file: a request that editors and REST clients send as it stands.

The format gives meaning to much of what a document may contain: ``{{name}}`` is a variable (some
read the environment), ``< path`` sends a file, ``###`` starts another request. Whatever could be
read so is encoded where the wire allows it, and otherwise moved to a file beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from harness.model.finding import Finding
from harness.model.values import Json
from reports.exchanges import Answer, Body, Call, Fields, body_text, scalar_text, shown_exchange
from reports.spelling import dumped, short, visible
from reports.wording import witness_words

_DEFAULT_HOST = "http://localhost:8080"
_HOST = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]+(/[A-Za-z0-9.\-_~/%]*)?")
_TOKEN = re.compile(r"[A-Za-z0-9!$%&'*+.^_`|~-][A-Za-z0-9!#$%&'*+.^_`|~-]*")
_UNPAIRED = re.compile("[\ud800-\udfff]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# A line of a body that a client of this format would not send as it stands.
_MEANS_SOMETHING = re.compile(r"(?m)^\s*(?:<|>|#|@|//)|\{\{|[\x00-\x09\x0b-\x1f\x7f]|^\s*$")
# The client counts the body itself.
_COUNTED = frozenset({"content-length", "transfer-encoding", "host"})
_CONCRETE = {"text/*": "text/plain", "multipart/*": "multipart/form-data"}
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class HttpFile:
    """The text of the file, and the body when it has to travel in a file of its own."""

    text: str
    body: bytes | None = None


def http_file(finding: Finding, body_name: str) -> HttpFile | None:
    """Return the file for the finding's witness, ``None`` when it has no exchange.

    ``body_name`` is the name of the file beside it, should the body need one.
    """
    shown = shown_exchange(finding)
    if shown is None:
        return None
    written = _written(shown.call, finding, body_name)
    lines = [*_comments(finding, shown.call), f"@host = {_host(shown.call)}", ""]
    lines += [f"{_method(shown.call.method)} {{{{host}}}}{_target(shown.call.target)} HTTP/1.1"]
    lines += _field_lines(_sent_fields(shown.call, shown.answer, written))
    lines += ["", *written.lines] if written.lines else []
    if shown.answer is not None:
        lines += ["", "###", *_answer_lines(shown.answer)]
    return HttpFile("\n".join(lines) + "\n", written.companion)


@dataclass(frozen=True, slots=True)
class _Written:
    """A body as lines of the file, the header it needs, and the file beside it."""

    lines: tuple[str, ...] = ()
    media_type: str = ""
    companion: bytes | None = None


def _comments(finding: Finding, call: Call) -> Iterator[str]:
    yield _comment(f"{finding.rule}, {finding.verdict.value}, {finding.fingerprint}")
    yield _comment(f"Finding: {finding.message}")
    yield _comment(f"Below: {witness_words(finding)}.")
    if call.security is not None:
        yield _comment(f"Authorised by {short(call.security, 400)}: add the credentials yourself.")
    if call.server and _host(call) == _DEFAULT_HOST:
        yield _comment(f"The contract names the server {call.server}.")
    if call.body is not None and _unspellable(call.body):
        kind = call.body.media_type
        yield _comment(f"The body as {kind} is yours to write: {short(call.body.value, 4_000)}")


def _comment(text: str) -> str:
    return "# " + _no_variables(visible(" ".join(text.split())))


def _answer_lines(answer: Answer) -> Iterator[str]:
    yield "# The answer:"
    told = [answer.line, *(f"{name}: {value}" for name, value in answer.fields)]
    if answer.body is not None:
        told += ["", *body_text(answer.body.value, answer.body.media_type).split("\n")]
    for line in told:
        yield f"# < {_no_variables(visible(line))}".rstrip()


def _method(text: str) -> str:
    return text if re.fullmatch(r"[A-Z][A-Z-]{0,30}", text) else "GET"


def _host(call: Call) -> str:
    """Return where the call goes: one that writes goes to a live system only by a decision."""
    reads = call.method in {"GET", "HEAD", "OPTIONS"}
    return call.server.rstrip("/") if reads and _HOST.fullmatch(call.server) else _DEFAULT_HOST


def _target(text: str) -> str:
    """Return path and query with everything encoded that a request line cannot carry."""
    text = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", text)
    path = text if text.startswith("/") else f"/{text}"
    path = _STRAY_PERCENT.sub("%25", path)
    return quote(_encodable(path), safe="/?%!$&'()*+,;=:@-._~")


def _sent_fields(call: Call, answer: Answer | None, written: _Written) -> Fields:
    fields = [(n, v) for n, v in call.fields if n.lower() != "content-type"]
    stated = next((v for n, v in call.fields if n.lower() == "content-type"), "")
    media_type = written.media_type or stated
    if answer is not None and not any(n.lower() == "accept" for n, _ in fields):
        wanted = next((v for n, v in answer.fields if n.lower() == "content-type"), "")
        fields += [("Accept", wanted)] if wanted else []
    if media_type:
        fields.append(("Content-Type", media_type))
    if call.cookies:
        fields.append(("Cookie", "; ".join(f"{_cookie(n)}={_cookie(v)}" for n, v in call.cookies)))
    return tuple(fields)


def _field_lines(fields: Fields) -> Iterator[str]:
    for name, value in fields:
        if _TOKEN.fullmatch(name) and name.lower() not in _COUNTED:
            yield f"{name}: {_field_value(value)}".rstrip()


def _field_value(text: str) -> str:
    """Return a header value on one line: what a header cannot carry is percent-encoded."""
    kept = "".join(c if " " <= c <= "~" or "\xa0" <= c <= "\xff" else _encoded(c) for c in text)
    # Between two braces a client would look for a variable.
    return re.sub(r"\{(?=\{)", "%7B", kept).strip()


def _encoded(character: str) -> str:
    return quote(_encodable(character), safe="")


def _encodable(text: str) -> str:
    """Return text that UTF-8 can carry: half a surrogate pair becomes the mark for it."""
    return _UNPAIRED.sub("\ufffd", text)


def _cookie(text: str) -> str:
    return quote(_encodable(text), safe="!#$&'()*+-./:<=>?@[]^_`|~")


def _no_variables(text: str) -> str:
    return text.replace("{{", "{ {")


def _written(call: Call, finding: Finding, body_name: str) -> _Written:
    body = call.body
    if body is None or _unspellable(body):
        return _Written()
    media_type = _concrete(body.media_type)
    base = media_type.split(";", 1)[0].strip().lower()
    if not base or "json" in base:
        return _Written(_json_lines(body.value), media_type or "application/json")
    if base == _FORM and isinstance(body.value, Mapping):
        return _Written((urlencode(_pairs(body.value)),), media_type)
    if base.startswith("multipart/") and isinstance(body.value, Mapping):
        boundary = f"driftgate-{re.sub('[^0-9A-Za-z]', '', finding.fingerprint)}"
        content, boundary = _multipart(body.value, boundary)
        plain_type = media_type.split(";", 1)[0].strip()
        return _Written((f"< ./{body_name}",), f"{plain_type}; boundary={boundary}", content)
    text = _encodable(scalar_text(body.value))
    if not text:
        return _Written((), media_type)
    if _MEANS_SOMETHING.search(text):
        return _Written((f"< ./{body_name}",), media_type, text.encode())
    return _Written(tuple(text.split("\n")), media_type)


def _unspellable(body: Body) -> bool:
    """Say whether nobody told how this value looks in its media type (an object as XML)."""
    base = body.media_type.split(";", 1)[0].strip().lower()
    known = not base or "*" in base or "json" in base or base == _FORM
    return (
        isinstance(body.value, Mapping | list | tuple)
        and not known
        and not (base.startswith("multipart/") and isinstance(body.value, Mapping))
    )


def _concrete(media_type: str) -> str:
    """Return a media type that a header may carry: a range names no body."""
    base = media_type.split(";", 1)[0].strip().lower()
    return _CONCRETE.get(base, "application/json") if "*" in base else media_type.strip()


def _json_lines(value: Json) -> tuple[str, ...]:
    text = dumped(value, indent=2)
    # Two braces in a row only ever stand inside a string, where an escape means the same.
    return tuple(re.sub(r"\{(?=\{)", r"\\u007b", text).split("\n"))


def _pairs(value: Mapping[str, Json]) -> list[tuple[str, str]]:
    return [
        (_encodable(str(name)), _encodable(scalar_text(one)))
        for name, content in value.items()
        for one in (content if isinstance(content, list | tuple) else [content])
    ]


def _multipart(value: Mapping[str, Json], boundary: str) -> tuple[bytes, str]:
    while any(boundary in dumped(part) or boundary in scalar_text(part) for part in value.values()):
        boundary += "x"
    chunks = []
    for name, content in value.items():
        label = str(name).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        chunks.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{visible(label)}"\r\n'
        )
        if isinstance(content, Mapping | list | tuple):
            chunks.append("Content-Type: application/json\r\n")
        chunks.append(f"\r\n{scalar_text(content)}\r\n")
    chunks.append(f"--{boundary}--\r\n")
    return _encodable("".join(chunks)).encode(), boundary
