"""Rules of generated clients: what changes in source code though nothing changes on the wire.

Generators name methods after ``operationId``, client classes after the first tag, model classes
after components (inline ones after ``title``), order enum constants and positional arguments as
written, and choose a field's type from ``type`` and ``format``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.compatibility.exchanges.pairing import PLACEHOLDER
from harness.compatibility.rules.difference import (
    Annotations,
    Difference,
    Differences,
    breaks,
    notes,
)
from harness.compatibility.rules.rule import Rule
from harness.compatibility.rules.schema_pairs import Meeting
from harness.compatibility.schemas.formats import NUMERIC
from harness.compatibility.schemas.keywords import same_value
from harness.model.contract import Contract, Dialect, Operation
from harness.model.finding import Category
from harness.model.values import Json, pointer, pointer_tokens

_S = Category.SDK_SOURCE

RULES = (
    Rule(
        "operation-id-changed",
        "Generated clients name the method after it.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule(
        "operation-id-removed",
        "Generators must make up another name for the method.",
        _S,
        "operation-id-added",
    ),
    Rule(
        "operation-id-added",
        "Generators take this name instead of one they made up.",
        _S,
        "operation-id-removed",
    ),
    Rule(
        "operation-group-changed",
        "Generators put the method into the client class of its first tag.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule(
        "parameter-order-changed",
        "Required parameters are positional arguments of generated methods.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule(
        "schema-renamed",
        "Generators name the model class after the component.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule("schema-removed", "The model class of this name is gone.", _S, "schema-added"),
    Rule("schema-added", "There is one more model class.", _S, "schema-removed"),
    Rule(
        "schema-title-changed",
        "Generators name the class of an inline schema after its title.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule(
        "enum-order-changed",
        "Constants that are numbered by position get other numbers.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule(
        "schema-format-changed",
        "Generators choose the type of the field by its format.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule(
        "schema-type-respelled",
        "The field gets another type in generated code.",
        _S,
        "The opposite change is the same change.",
    ),
    Rule(
        "request-parameter-type-respelled",
        "The argument gets another type, though its text on the wire may be the same.",
        _S,
        "response-header-type-respelled",
    ),
    Rule(
        "response-header-type-respelled",
        "The header gets another type, though its text on the wire may be the same.",
        _S,
        "request-parameter-type-respelled",
    ),
)
# Mere spelling: another name or order for the same contract. Told only to who picks sdk-source.
QUIET = frozenset(
    {
        "schema-renamed",
        "schema-removed",
        "schema-added",
        "schema-title-changed",
        "enum-order-changed",
        "schema-type-respelled",
    }
)
# Formats that common generators give a type of their own.
TYPED_FORMATS = frozenset(NUMERIC) | frozenset(
    {"double", "decimal", "date", "date-time", "time", "uuid", "byte", "binary", "uri"}
)


def operation_changes(
    old: Operation, new: Operation, old_words: Annotations, new_words: Annotations
) -> Differences:
    """Yield what changes in the method that stands for an operation."""
    was, now = old.operation_id, new.operation_id
    if was != now:
        if now is None:
            yield breaks("operation-id-removed", f"The operationId {was} is gone.", old=was)
        elif was is None:
            yield notes("operation-id-added", f"The operationId is {now} now.", new=now)
        else:
            message = f"The operationId is {now} now, not {was}."
            yield breaks("operation-id-changed", message, old=was, new=now, keyword="operationId")
    before, after = _first_tag(old_words), _first_tag(new_words)
    if before != after:
        message = f"The first tag is {after or 'none'} now, not {before or 'none'}."
        yield breaks("operation-group-changed", message, old=before, new=after, keyword="tags")
    yield from _order(old, new)


def _first_tag(words: Annotations) -> str | None:
    tags = words.get("tags")
    return tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else None


def _order(old: Operation, new: Operation) -> Differences:
    renamed = dict(zip(PLACEHOLDER.findall(old.path), PLACEHOLDER.findall(new.path), strict=False))
    mine = [
        (p.location.value, renamed.get(p.name, p.name) if p.location.value == "path" else p.name)
        for p in old.parameters
        if p.required
    ]
    theirs = [(p.location.value, p.name) for p in new.parameters if p.required]
    before = [name for name in mine if name in theirs]
    after = [name for name in theirs if name in mine]
    if before != after:
        yield breaks(
            "parameter-order-changed",
            "The required parameters stand in another order.",
            old=[name for _, name in before],
            new=[name for _, name in after],
            keyword="parameters",
        )


def schema_changes(meeting: Meeting) -> Differences:
    """Yield what changes in the class or field that stands for a schema."""
    old, new = meeting.old.words, meeting.new.words
    yield from _title(meeting)
    yield from _enum_order(old.get("enum"), new.get("enum"))
    was, now = old.get("format"), new.get("format")
    if was != now and (was in TYPED_FORMATS or now in TYPED_FORMATS):
        message = f"The format is {now or 'none'} now, not {was or 'none'}."
        yield breaks("schema-format-changed", message, old=was, new=now, keyword="format")
    before, after = (sorted(side.types - {"null"}) for side in (meeting.old, meeting.new))
    if before and after and before != after:
        rule = {
            "parameter": "request-parameter-type-respelled",
            "header": "response-header-type-respelled",
        }.get(meeting.part, "schema-type-respelled")
        message = f"The type is {' or '.join(after)} now, not {' or '.join(before)}."
        yield breaks(rule, message, old=before, new=after, keyword="type")


def _title(meeting: Meeting) -> Differences:
    was, now = (side.words.get("title") for side in (meeting.old, meeting.new))
    if was == now or not _inline_class(meeting):
        return
    message = f"The title is {_quoted(now)} now, not {_quoted(was)}."
    yield breaks("schema-title-changed", message, old=was, new=now, keyword="title")


def _inline_class(meeting: Meeting) -> bool:
    """Say whether both sides are inline schemas that become classes: objects and enums."""
    return all(
        component(side.origin("title")) is None
        and component(side.head) is None
        and bool({"properties", "enum"} & side.words.keys())
        for side in (meeting.old, meeting.new)
    )


def _enum_order(old: Json, new: Json) -> Iterator[Difference]:
    if not isinstance(old, list) or not isinstance(new, list):
        return
    mine, theirs = [same_value(v) for v in old], [same_value(v) for v in new]
    before = [v for v in mine if v in set(theirs)]
    after = [v for v in theirs if v in set(mine)]
    if before != after:
        message = "The values stand in another order."
        yield breaks("enum-order-changed", message, old=old, new=new, keyword="enum")


def _quoted(title: Json) -> str:
    return f"“{title}”" if isinstance(title, str) else "none"


def component(where: str) -> str | None:
    """Return the name of the component a pointer names, ``None`` when it names none."""
    for start in ("/components/schemas/", "/definitions/"):
        if where.startswith(start) and "/" not in where[len(start) :]:
            return pointer_tokens(where)[-1]
    return None


def components(contract: Contract) -> dict[str, str]:
    """Return the pointer of every named schema, by name."""
    start: tuple[str, ...] = ("definitions",)
    if contract.dialect is not Dialect.SWAGGER_2_0:
        start = ("components", "schemas")
    here: Json = contract.document
    for token in start:
        here = here.get(token) if isinstance(here, Mapping) else None
    return {n: pointer(*start, n) for n in here} if isinstance(here, Mapping) else {}


def component_changes(
    old: Contract, new: Contract, met: Iterable[tuple[str, str]]
) -> Iterator[tuple[Difference, str | None, str | None]]:
    """Yield components that came, went or met under another name, with both pointers.

    ``met`` holds the pairs of pointers under which schemas of the two contracts met.
    """
    mine, theirs = components(old), components(new)
    gone = {n: p for n, p in mine.items() if n not in theirs}
    came = {n: p for n, p in theirs.items() if n not in mine}
    for left, right in met:
        was, now = component(left), component(right)
        if was in gone and now in came:
            message = f"The schema {was} is called {now} now."
            found = breaks("schema-renamed", message, old=was, new=now)
            yield found, gone.pop(was), came.pop(now)
    for name, place in gone.items():
        yield (
            breaks("schema-removed", f"There is no schema {name} any more.", old=name),
            place,
            None,
        )
    for name, place in came.items():
        yield notes("schema-added", f"The schema {name} is new.", new=name), None, place
