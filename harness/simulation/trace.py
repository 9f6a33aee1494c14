"""The trace: what happened, in order, as canonical JSON with a running digest.

Two runs are the same run when their digests are equal, byte for byte, in any process.
"""

from __future__ import annotations

import hashlib
import json
from typing import IO, Any

# Built once: json.dumps builds an encoder on every call when given options.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


class Trace:
    """Append-only evidence of one run.

    ``lines`` keeps everything for the first divergence to be shown; pass ``keep_lines=False`` for
    campaigns that only compare digests. ``sink`` gets the same lines as NDJSON.
    """

    def __init__(self, *, keep_lines: bool = True, sink: IO[str] | None = None) -> None:
        """Open an empty trace."""
        self.lines: list[str] = []
        self.count = 0
        self._keep_lines = keep_lines
        self._sink = sink
        self._hash = hashlib.blake2b(digest_size=16)

    def record(self, at_us: int, kind: str, **facts: Any) -> None:
        """Append one event; raises ``TypeError`` or ``ValueError`` for facts that are not JSON."""
        facts["at_us"] = at_us
        facts["kind"] = kind
        line = _ENCODER.encode(facts)
        self.count += 1
        self._hash.update(line.encode("utf-8", "surrogatepass"))
        self._hash.update(b"\n")
        if self._keep_lines:
            self.lines.append(line)
        if self._sink is not None:
            self._sink.write(line + "\n")

    def digest(self) -> str:
        """Return the digest of everything recorded so far."""
        return self._hash.hexdigest()


def first_divergence(left: list[str], right: list[str]) -> tuple[int, str, str] | None:
    """Return index and both lines where two traces part, ``None`` when they are equal."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index, one, other
    if len(left) == len(right):
        return None
    index = min(len(left), len(right))
    ended = "(the trace ends here)"
    return index, (left[index : index + 1] or [ended])[0], (right[index : index + 1] or [ended])[0]
