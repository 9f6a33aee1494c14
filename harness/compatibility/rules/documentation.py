"""Rules of words: what is said to people and changes no exchange. One finding for one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.compatibility.rules.difference import Annotations, Difference, Differences, differ
from harness.compatibility.rules.difference import notes as say
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.schema_pairs import Meeting
from harness.compatibility.rules.source_names import TYPED_FORMATS
from harness.compatibility.schemas.formats import SILENT
from harness.model.contract import Contract
from harness.model.finding import Category
from harness.model.values import Json, JsonObject, pointer

_D = Category.DOCS
_SELF = "The opposite change is the same change."
_SHOWN_MAX = 200

RULES = (
    *(
        Rule(f"{place}-documentation-changed", f"People read other words about {about}.", _D, _SELF)
        for place, about in (
            ("api", "the whole API"),
            ("tag", "a group of operations"),
            ("operation", "the operation"),
            ("parameter", "the parameter"),
            ("response", "the answer"),
            ("schema", "the value"),
        )
    ),
    Rule(
        "format-name-changed",
        "The format hints at another use; no validator checks it and no type depends on it.",
        _D,
        _SELF,
    ),
    Rule(
        "keyword-without-effect",
        "A keyword for another type demands nothing, though its author meant something.",
        _D,
        "A keyword that demands nothing and goes changes nothing.",
    ),
)
TEXTS = {
    "api": ("title", "summary", "description", "termsOfService", "contact", "license"),
    "tag": ("summary", "description", "externalDocs"),
    "operation": ("summary", "description", "externalDocs", "tags"),
    "parameter": ("description", "example", "examples"),
    "response": ("summary", "description"),
    "schema": ("title", "description", "example", "examples", "externalDocs", "$comment"),
}
# Which type each keyword speaks about; on any other it demands nothing.
_ABOUT = {
    "string": ("minLength", "maxLength", "pattern"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("minItems", "maxItems", "uniqueItems", "items", "prefixItems"),
    "object": ("minProperties", "maxProperties", "required", "properties"),
}


def text_changes(place: str, old: Annotations, new: Annotations) -> Differences:
    """Yield at most one difference: all texts of this place that changed, together."""
    changed = [k for k in TEXTS[place] if differ(old.get(k), new.get(k))]
    if changed:
        message = f"Other words: {', '.join(changed)}."
        before, after = ({k: _short(side.get(k)) for k in changed} for side in (old, new))
        yield say(
            f"{place}-documentation-changed", message, old=before, new=after, keyword=changed[0]
        )


def _short(value: Json) -> Json:
    if isinstance(value, str) and len(value) > _SHOWN_MAX:
        return value[: _SHOWN_MAX - 1] + "…"
    return value


def document_changes(
    old: Contract, new: Contract
) -> Iterator[tuple[Difference, str, str | None, str | None]]:
    """Yield what is said of the API and of its tags: difference, place, both pointers."""
    left, right = (_object(c.document.get("info")) for c in (old, new))
    for found in text_changes("api", left, right):
        yield found, "info", "/info", "/info"
    mine, theirs = _tags(old), _tags(new)
    for name in dict.fromkeys((*mine, *theirs)):
        words, place = mine.get(name, ({}, None))
        other, there = theirs.get(name, ({}, None))
        for found in text_changes("tag", words, other):
            yield found, f"tags.{name}", place, there


def schema_changes(meeting: Meeting) -> Differences:
    """Yield what is said of a value, and what is written of it without effect."""
    old, new = meeting.old.words, meeting.new.words
    yield from text_changes("schema", old, new)
    was, now = old.get("format"), new.get("format")
    if was != now and not _meant(was) and not _meant(now):
        message = f"The format is {now or 'none'} now, not {was or 'none'}."
        yield say("format-name-changed", message, old=was, new=now, keyword="format")
    idle = sorted(set(_idle(new)) - set(_idle(old)))
    if idle:
        message = f"{', '.join(idle)} demand nothing of the type {new['type']}."
        if len(idle) == 1:
            message = f"{idle[0]} demands nothing of the type {new['type']}."
        yield say("keyword-without-effect", message, new=idle, keyword=idle[0])


def _meant(name: Json) -> bool:
    """Say whether a format may matter to a validator, or to the type in generated code."""
    return name in TYPED_FORMATS or not (name is None or name in SILENT)


def _idle(words: Annotations) -> Iterator[str]:
    named = words.get("type")
    types = set(named) if isinstance(named, list) else {named}
    if named is None:
        return
    if "integer" in types:
        types.add("number")
    for kind, keywords in _ABOUT.items():
        if kind not in types:
            yield from (k for k in keywords if k in words)


def _tags(contract: Contract) -> dict[str, tuple[JsonObject, str | None]]:
    listed = contract.document.get("tags")
    return {
        tag["name"]: (tag, pointer("tags", index))
        for index, tag in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(tag, Mapping) and isinstance(tag.get("name"), str)
    }


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, Mapping) else {}
