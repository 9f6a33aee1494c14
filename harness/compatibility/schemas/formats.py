"""What ``format`` means to a comparison: a partial order of names, bounds, and languages of texts.

Every name is one of four kinds. *Numeric* names are bounds. *Asserted* names are sets of texts that
the validators check. *Silent* names demand nothing of JSON. Any other name is *unknown*: equal to
itself, comparable with nothing, so a reader that newly demands it leaves the question open.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.compatibility.schemas.numbers import Bound


class Range(NamedTuple):
    """The numbers of a numeric format, both ends included."""

    low: Bound
    high: Bound


def _range(low: int, high: int) -> Range:
    return Range(Bound.of(low, exclusive=False), Bound.of(high, exclusive=False))


# The largest finite single-precision number is an integer, so the bound is exact.
_SINGLE = (2**24 - 1) * 2**104
# int32 < int64 < integer and float < double: each is the range of the binary type. ``double`` has
# no bounds of its own, because JSON numbers are read as doubles by nearly every reader; the coarser
# steps of ``float`` are not a set that a writer of decimals could keep, only its range is.
NUMERIC: dict[str, Range] = {
    "int8": _range(-(2**7), 2**7 - 1),
    "uint8": _range(0, 2**8 - 1),
    "int16": _range(-(2**15), 2**15 - 1),
    "uint16": _range(0, 2**16 - 1),
    "int32": _range(-(2**31), 2**31 - 1),
    "uint32": _range(0, 2**32 - 1),
    "int64": _range(-(2**63), 2**63 - 1),
    "uint64": _range(0, 2**64 - 1),
    "float": _range(-_SINGLE, _SINGLE),
}
# What the validators check; all of them lie below ``string``.
ASSERTED = frozenset(
    {"date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname"}
    | {"ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template"}
    | {"json-pointer", "relative-json-pointer", "regex"}
)
# Names that demand nothing of a JSON value: hints for a screen, an encoding that the JSON string
# does not show, or the name of the type itself.
SILENT = frozenset(
    {"password", "binary", "byte", "double", "string", "integer", "number", "boolean"}
    | {"textarea", "html", "markdown", "object", "array", "file"}
)
# (narrower, wider, why every value of the first is one of the second).
ORDER: tuple[tuple[str, str, str], ...] = (
    ("email", "idn-email", "RFC 6531 extends the mailbox of RFC 5321 by more characters"),
    ("hostname", "idn-hostname", "RFC 5890 names contain the plain ASCII names"),
    ("uri", "uri-reference", "RFC 3986: a reference is a URI or a relative reference"),
    ("uri", "iri", "RFC 3987: every URI is an IRI"),
    ("uri", "iri-reference", "by way of iri"),
    ("iri", "iri-reference", "RFC 3987: a reference is an IRI or a relative reference"),
    ("uri-reference", "iri-reference", "RFC 3987: every URI reference is an IRI reference"),
    ("ipv4", "hostname", "four numbers with dots are labels of digits"),
    ("ipv4", "idn-hostname", "by way of hostname"),
    ("uuid", "uri-reference", "hexadecimal digits and hyphens are one relative path segment"),
    ("uuid", "iri-reference", "by way of uri-reference"),
    ("date", "uri-reference", "digits and hyphens are one relative path segment"),
    ("date", "iri-reference", "by way of uri-reference"),
)
_NARROWER = frozenset((a, b) for a, b, _ in ORDER)


class Language(NamedTuple):
    """Regular expressions around a format: ``outer`` takes all its texts, ``inner`` only such."""

    outer: str
    inner: str


_DAY_OUTER = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_DAY_INNER = r"2\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
_HOUR_OUTER = r"\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+\-]\d{2}:\d{2})"
_HOUR_INNER = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"
_BYTE = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HEX = "[0-9a-fA-F]"
LANGUAGES: dict[str, Language] = {
    "date": Language(f"^{_DAY_OUTER}$", f"^{_DAY_INNER}$"),
    "date-time": Language(f"^{_DAY_OUTER}[Tt]{_HOUR_OUTER}$", f"^{_DAY_INNER}T{_HOUR_INNER}$"),
    "time": Language(f"^{_HOUR_OUTER}$", f"^{_HOUR_INNER}$"),
    "duration": Language(r"^P[0-9YMWDTHS]+$", r"^P\d{1,3}D$"),
    "uuid": Language(
        f"^{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}$",
        f"^{_HEX}{{8}}-{_HEX}{{4}}-[1-5]{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}$",
    ),
    "email": Language(r"@", r"^[a-z]{1,12}@[a-z]{1,12}\.com$"),
    "idn-email": Language(r"@", r"^[a-z]{1,12}@[a-z]{1,12}\.com$"),
    "ipv4": Language(rf"^{_BYTE}(\.{_BYTE}){{3}}$", rf"^{_BYTE}(\.{_BYTE}){{3}}$"),
    "ipv6": Language(r"^[0-9a-fA-F:.]{2,45}$", rf"^([1-9]{_HEX}{{0,3}}:){{7}}[1-9]{_HEX}{{0,3}}$"),
    "hostname": Language(r"^[0-9A-Za-z.\-]{1,254}$", r"^[a-z]{1,12}(\.[a-z]{2,12})?$"),
    "uri": Language(r"^[A-Za-z][^ \\<>]*$", r"^https://[a-z]{1,12}\.com(/[a-z0-9]*)?$"),
    "iri": Language(r"^[A-Za-z][^ \\<>]*$", r"^https://[a-z]{1,12}\.com(/[a-z0-9]*)?$"),
    "uri-reference": Language(r"^[^ \\<>]*$", r"^[a-zA-Z0-9/\-]*$"),
    "iri-reference": Language(r"^[^ \\<>]*$", r"^[a-zA-Z0-9/\-]*$"),
    "json-pointer": Language(r"^(/[\s\S]*)?$", r"^(/[a-z0-9]*)*$"),
}


def demands(name: str) -> bool:
    """Say whether a format can refuse a text, or may: unknown names may."""
    return name not in SILENT and name not in NUMERIC


def keeps(writer: tuple[str, ...], reader: str) -> bool:
    """Say whether one of the writer's formats promises the reader's."""
    return reader in writer or any((name, reader) in _NARROWER for name in writer)
