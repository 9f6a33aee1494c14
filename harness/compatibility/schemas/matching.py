"""Whether a pattern is found in a text, as the validators see it and in bounded time."""

from __future__ import annotations

from functools import lru_cache

from jsonschema_rs import Draft202012Validator


def matches(pattern: str, text: str) -> bool:
    """Say whether a pattern is found in a text; an unusable pattern is found nowhere.

    The validator's engine does not backtrack without bound, so a hostile pattern costs no more
    than its text; Python's ``re`` would hang on it.
    """
    validator = _validator(pattern)
    return validator is not None and validator.is_valid(text)


@lru_cache(maxsize=1024)
def _validator(pattern: str) -> Draft202012Validator | None:
    try:
        return Draft202012Validator({"pattern": pattern})
    except ValueError:
        return None
