"""Values as text on the wire: how a parameter spells them, and what a reader makes of the text.

A *wire form* is what travels: pairs of key and text, the text percent-encoded where the place
demands it and its separators bare. :func:`serialise` makes one from a value; :func:`heard` gives
every structure of texts (a text, a list, an object) that a reader of some spelling may see in it;
:func:`typed` gives the JSON values a structure of texts may stand for.

Servers differ in whether they split before or after decoding, so both readings count. What OpenAPI
leaves undefined (an object inside a list, say) travels as JSON text here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from math import isfinite
from urllib.parse import quote, unquote

from harness.model.contract import Header, Parameter, ParameterLocation
from harness.model.values import Json, canonical_json

Wire = tuple[tuple[str, str], ...]
Heard = str | list[str] | dict[str, str]

_RESERVED = ":/?#[]@!$&'()*+,;="
_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "|", "tabDelimited": "%09"}
TYPINGS_MAX = 32


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a parameter is written: where it travels, style and explode, or as JSON."""

    place: ParameterLocation
    style: str
    explode: bool
    json: bool = False
    reserved: bool = False

    @property
    def words(self) -> str:
        """Return what a person reads: ``form, explode=true``."""
        if self.json:
            return "JSON"
        return f"{self.style}, explode={'true' if self.explode else 'false'}"

    @property
    def encoded(self) -> bool:
        """Say whether texts are percent-encoded here: headers and cookies carry them bare."""
        return self.place in {ParameterLocation.QUERY, ParameterLocation.PATH}

    @property
    def separator(self) -> str:
        """Return what stands between the items of one text."""
        return _SEPARATORS.get(self.style, ",")

    @property
    def paired(self) -> bool:
        """Say whether the text has a key of its own, so that it may be repeated."""
        return self.place in {ParameterLocation.QUERY, ParameterLocation.COOKIE}

    def form_of(self, kind: str) -> tuple[str, ...]:
        """Return what decides how a text, an ``array`` or an ``object`` is written.

        Two spellings with equal forms write every value of that kind alike.
        """
        if self.json:  # numbers and truth values are spelled alike as JSON and as text
            return ("",) if kind in {"integer", "fraction", "boolean"} else ("json",)
        own = self.style if self.style in {"label", "matrix", "deepObject"} else ""
        if kind not in {"array", "object"}:
            return ("" if own == "deepObject" else own,)
        if kind == "array" and self.paired and (self.explode or own == "deepObject"):
            return ("repeated",)
        if kind == "array" and not own:
            return (self.separator,)
        if own == "deepObject":
            return (own,)
        return (own, str(self.explode), "" if self.explode and self.paired else self.separator)


def spelling_of(parameter: Parameter) -> Spelling:
    """Return how a parameter is written."""
    return Spelling(
        parameter.location,
        parameter.style,
        parameter.explode,
        parameter.media_type is not None,
        parameter.allow_reserved,
    )


def spelling_of_header(header: Header) -> Spelling:
    """Return how a header of an answer is written."""
    as_json = header.media_type is not None
    return Spelling(ParameterLocation.HEADER, header.style, header.explode, as_json)


def text(value: Json) -> str:
    """Return how a scalar travels in a URL or a header; anything else goes as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else canonical_json(value)


def texts(value: Json) -> Heard:
    """Return the texts a value consists of."""
    if isinstance(value, list):
        return [text(v) for v in value]
    if isinstance(value, Mapping):
        return {k: text(v) for k, v in value.items()}
    return text(value)


def serialise(name: str, value: Json, spelling: Spelling) -> Wire:
    """Return the wire form of a value; an empty list that is exploded sends nothing."""
    if spelling.json:
        return ((name, _encode(canonical_json(value), spelling)),)
    said = texts(value)
    if spelling.paired:
        return _paired(name, said, spelling)
    return ((name, _prefixed(name, said, spelling)),)


def _paired(name: str, said: Heard, spelling: Spelling) -> Wire:
    if isinstance(said, str):
        return ((name, _encode(said, spelling)),)
    if isinstance(said, dict):
        if spelling.style == "deepObject":
            return tuple((f"{name}[{k}]", _encode(v, spelling)) for k, v in said.items())
        if spelling.explode:
            return tuple((k, _encode(v, spelling)) for k, v in said.items())
        return ((name, _joined([t for pair in said.items() for t in pair], spelling)),)
    if spelling.explode or spelling.style == "deepObject":
        return tuple((name, _encode(t, spelling)) for t in said)
    return ((name, _joined(said, spelling)),)


def _prefixed(name: str, said: Heard, spelling: Spelling) -> str:
    """Return the one text of a path segment or a header."""
    style, explode = spelling.style, spelling.explode
    if isinstance(said, str):
        lead = {"label": ".", "matrix": f";{name}="}.get(style, "")
        return lead + _encode(said, spelling)
    if isinstance(said, dict):
        pieces = [(_encode(k, spelling), _encode(v, spelling)) for k, v in said.items()]
        if explode:
            pairs = [f"{k}={v}" for k, v in pieces]
            lead = {"label": ".", "matrix": ";"}.get(style, "")
            return lead + (lead or spelling.separator).join(pairs)
        flat = spelling.separator.join(t for pair in pieces for t in pair)
        return {"label": ".", "matrix": f";{name}="}.get(style, "") + flat
    items = [_encode(t, spelling) for t in said]
    if style == "label":
        return "." + ("." if explode else ",").join(items)
    if style == "matrix":
        own = f";{name}="
        return own + (own if explode else ",").join(items)
    return spelling.separator.join(items)


def heard(wire: Wire, name: str, spelling: Spelling) -> Iterator[Heard]:
    """Yield every structure of texts that a reader of this spelling may see; none when absent."""
    if not spelling.paired:
        for _, written in wire:
            yield from _heard_in_one(written, name, spelling)
        return
    own = [t for key, t in wire if key == name]
    if len(own) == 1:
        yield _decode(own[0], spelling)
    if own and (spelling.explode or spelling.style == "deepObject"):
        yield [_decode(t, spelling) for t in own]
    elif len(own) == 1:
        yield from _split(own[0], spelling)
    if spelling.style == "deepObject":
        inner = {k[len(name) + 1 : -1]: t for k, t in wire if k.startswith(f"{name}[")}
        if inner:
            yield {k: _decode(t, spelling) for k, t in inner.items()}
    elif spelling.explode and wire:
        yield {k: _decode(t, spelling) for k, t in wire}


def _heard_in_one(written: str, name: str, spelling: Spelling) -> Iterator[Heard]:
    lead = {"label": ".", "matrix": f";{name}="}.get(spelling.style, "")
    if spelling.style == "matrix" and spelling.explode and written.startswith(";"):
        pairs = [p.partition("=") for p in written[1:].split(";")]
        if all(k == name for k, _, _ in pairs):
            yield [_decode(v, spelling) for _, _, v in pairs]
        yield {_decode(k, spelling): _decode(v, spelling) for k, _, v in pairs}
    if not written.startswith(lead):
        return
    bare = written[len(lead) :]
    yield _decode(bare, spelling)
    if spelling.style == "label" and spelling.explode:
        yield from _pieces([_decode(t, spelling) for t in bare.split(".")], pairs=True)
    elif not (spelling.style == "matrix" and spelling.explode):
        yield from _split(bare, spelling)


def _split(written: str, spelling: Spelling) -> Iterator[Heard]:
    before = [_decode(t, spelling) for t in written.split(spelling.separator)]
    bare = unquote(spelling.separator)
    after = _decode(written, spelling).split(bare)
    for items in [before] if before == after else [before, after]:
        yield from _pieces(items, pairs=spelling.explode)


def _pieces(items: list[str], *, pairs: bool) -> Iterator[Heard]:
    yield items
    if pairs and all("=" in i for i in items):
        yield {k: v for k, _, v in (i.partition("=") for i in items)}
    elif not pairs and len(items) % 2 == 0:
        yield dict(zip(items[::2], items[1::2], strict=True))


def same_meaning(value: Json, said: Heard) -> bool:
    """Say whether a reader who sees these texts has the value; one text is a list of one."""
    meant = texts(value)
    if isinstance(meant, list) and len(meant) == 1 and said == meant[0]:
        return True
    return meant == said or [meant] == said


def typed(said: Heard) -> Iterator[Json]:
    """Yield the JSON values that texts may stand for, at most a few dozen."""
    if isinstance(said, str):
        yield from _scalar(said)
    elif isinstance(said, list):
        yield from map(list, _typings(said))
    else:
        names, written = list(said), list(said.values())
        yield from (dict(zip(names, chosen, strict=True)) for chosen in _typings(written))


def readings(value: Json) -> Iterator[Json]:
    """Return every JSON value a reader of the same spelling may see in the text of ``value``."""
    said = texts(value)
    yield from typed(said)
    if isinstance(said, str):
        yield from ([v] for v in typed(said))
    elif isinstance(said, list) and len(said) == 1:
        yield from typed(said[0])
    elif isinstance(said, dict):
        yield value


def _typings(written: list[str]) -> Iterator[tuple[Json, ...]]:
    """Yield all as texts first, then the narrowest types, then mixtures."""
    yield tuple(written)
    kinds = [list(_scalar(t))[::-1] for t in written]
    if any(len(k) > 1 for k in kinds):
        yield from islice(product(*kinds), TYPINGS_MAX)


def _scalar(written: str) -> Iterator[Json]:
    yield written
    if written == "":
        yield None
        return
    if written in {"true", "false"}:
        yield written == "true"
        return
    try:
        number = json.loads(written)
    except (ValueError, RecursionError):
        return
    if isinstance(number, int | float) and not isinstance(number, bool) and isfinite(number):
        yield number


def _encode(written: str, spelling: Spelling) -> str:
    if not spelling.encoded:
        return written
    return quote(written, safe=_RESERVED if spelling.reserved else "")


def _decode(written: str, spelling: Spelling) -> str:
    return unquote(written) if spelling.encoded else written


def _joined(items: list[str], spelling: Spelling) -> str:
    return spelling.separator.join(_encode(t, spelling) for t in items)


def query_text(wire: Wire) -> str:
    """Return pairs as they stand in a query string."""
    return "&".join(f"{quote(key, safe='[]')}={written}" for key, written in wire)
