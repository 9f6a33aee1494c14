"""How large a value may be made: a document may demand what no memory holds."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model.values import Json

TEXT_MADE_MAX = 100_000
"""Characters of one text; real contracts bound texts at 65,535."""

PARTS_MADE_MAX = 10_000
"""Items of one array, or members of one object."""

WHOLE_MADE_MAX = 100_000
"""Values in one value, counted all the way down: small arrays in arrays grow fast."""


def too_large(value: Json) -> bool:
    """Say whether a value holds more than :data:`WHOLE_MADE_MAX` values; stops counting there."""
    count, todo = 0, [value]
    while todo:
        here = todo.pop()
        inner = list(here.values()) if isinstance(here, Mapping) else here
        if isinstance(inner, list):
            count += len(inner)
            if count > WHOLE_MADE_MAX:
                return True
            todo += inner
    return False
