"""JSON and text as they may be shown: nothing a document says reaches a reader as an instruction.

Contracts and live answers are other people's text. An escape sequence in them could repaint a
terminal, a bidirectional override could make a line read as its opposite, and half a surrogate
pair cannot be written to a file at all; every format spells such characters instead.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from harness.model.values import Json

# Controls, lone surrogates, line separators and everything that changes the order of letters.
_UNSAFE = "\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
_UNSAFE_TEXT = re.compile(f"[{_UNSAFE}]")
_UNSAFE_JSON = re.compile("[" + _UNSAFE.removeprefix("\x00-\x1f") + "]")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# A whole number of more digits is a mistake or an attack, and Python refuses to spell it.
_DIGIT_BITS_MAX = 13_000


def visible(text: str) -> str:
    r"""Return ``text`` on one line, with what a reader could not see spelled (``\x1b``)."""
    return _UNSAFE_TEXT.sub(_spelled, text)


def visible_lines(text: str) -> str:
    """Return ``text`` like :func:`visible`, its line breaks kept."""
    return "\n".join(visible(line) for line in text.split("\n"))


def xml_text(text: str) -> str:
    """Return ``text`` without the characters that XML 1.0 cannot carry, escaped or not."""
    return _NOT_XML.sub("", text)


def _spelled(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def dumped(value: Json, *, indent: int | None = None, sort: bool = False) -> str:
    r"""Return JSON with unsafe characters as ``\u`` escapes, so that it stays the same JSON.

    What JSON cannot carry (NaN, infinities, names that are not text) is written as text.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort, allow_nan=False)
    except (TypeError, ValueError):
        text = json.dumps(_plain(value), ensure_ascii=False, indent=indent, sort_keys=sort)
    return _UNSAFE_JSON.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _plain(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _DIGIT_BITS_MAX:
        return f"a number of {value.bit_length()} bits"
    return value if value is None or isinstance(value, str | int | float) else str(value)


def cut(text: str, limit: int) -> str:
    """Return ``text``, with an ellipsis in place of what exceeds ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def short(value: Json, limit: int = 120) -> str:
    """Return JSON on one line, cut with an ellipsis past ``limit`` characters."""
    return cut(dumped(value, sort=True), limit)


def pretty(value: Json, limit: int = 20_000) -> str:
    """Return JSON over several lines, cut with an ellipsis past ``limit`` characters."""
    return cut(dumped(value, indent=2, sort=True), limit)


def limited(lines: list[str], most: int) -> list[str]:
    """Return at most ``most`` lines; the last then says how many there would have been more."""
    if len(lines) <= most:
        return lines
    kept = lines[: most - 1]
    return [*kept, f"… {len(lines) - len(kept)} more lines"]
