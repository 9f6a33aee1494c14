"""The obligations of one pair of merged shapes, keyword by keyword, without descending."""

from __future__ import annotations

from harness.compatibility.schemas import formats, numbers
from harness.compatibility.schemas.gaps import Gap
from harness.compatibility.schemas.keywords import (
    ALL_TYPES,
    same_value,
    type_of,
)
from harness.compatibility.schemas.shapes import Opaque, Shape
from harness.compatibility.schemas.side import Side
from harness.model.values import Json

_NUMERIC = frozenset({"integer", "fraction"})
_TOUCHES = {
    "contains": "array",
    "unevaluatedItems": "array",
    "dependentSchemas": "object",
    "dependentRequired": "object",
    "propertyNames": "object",
    "patternProperties": "object",
    "unevaluatedProperties": "object",
}
_SIZES = (
    ("minLength", "string"),
    ("minItems", "array"),
    ("minProperties", "object"),
    ("maxLength", "string"),
    ("maxItems", "array"),
    ("maxProperties", "object"),
)


def finite_values(writer: Shape) -> list[Json] | None:
    """Return every value of a shape when they can be counted."""
    if writer.enum is not None:
        return [v for v in writer.enum if type_of(v) in writer.types]
    if writer.types <= {"null", "boolean"}:
        values: list[Json] = [None] if "null" in writer.types else []
        return values + ([False, True] if "boolean" in writer.types else [])
    return None


def finite_gaps(writer: Shape, reader: Shape, bad: list[Json]) -> tuple[Gap, ...]:
    """Turn values the reader refuses into gaps, one per value."""
    gaps = []
    wrong_types = {type_of(v) for v in bad} - reader.types
    for value in bad:
        kind = type_of(value)
        if kind in wrong_types and kind != "null":
            continue
        if kind == "null":
            gaps.append(Gap("null", hints=(("value", value),)))
        elif reader.enum is not None or reader.unions:
            gaps.append(Gap("enum", mine=value, new=value, hints=(("value", value),)))
        else:
            gaps.append(Gap("value", mine=value, hints=(("value", value),)))
    wrong_types.discard("null")
    if wrong_types:
        odd = [v for v in bad if type_of(v) in wrong_types]
        gaps.append(
            Gap(
                "type",
                mine=type_names(writer.types),
                new=type_names(reader.types),
                hints=tuple(("value", v) for v in odd[:3]),
            )
        )
    return tuple(gaps)


def says_something(shape: Shape) -> bool:
    """Say whether a shape constrains values beside its unions."""
    return bool(
        shape.never
        or shape.types != ALL_TYPES
        or shape.enum is not None
        or shape.low
        or shape.high
        or shape.multiples
        or shape.floors
        or shape.ceilings
        or shape.patterns
        or shape.formats
        or shape.unique
        or shape.required
        or shape.names
        or shape.prefix
        or shape.opaque
        or not shape.silent
        or any("items" in s for _, s in shape.members)
    )


def any_text(reader: Shape, *, empty: bool) -> bool:
    """Say whether a string of any spelling is taken, with ``empty`` the empty one too."""
    return not (
        reader.enum is not None
        or reader.patterns
        or reader.opaque
        or reader.floors.get("minLength", 0) > (0 if empty else 1)
        or "maxLength" in reader.ceilings
        or any(formats.demands(f) for f in reader.formats)
    )


def disjoint(wside: Side, writer: Shape, rside: Side, reader: Shape) -> bool:
    """Say whether two shapes surely have no value in common."""
    if never_both(wside, writer, rside, reader):
        return True
    return writer.types == {"object"} and _missing(wside, writer, reader)


def never_both(wside: Side, writer: Shape, rside: Side, reader: Shape) -> bool:
    """Say whether no value matches both shapes, undeclared names allowed."""
    if reader.empty or writer.empty or not writer.types & reader.types:
        return True
    if writer.types == {"object"} and _tags_differ(wside, writer, rside, reader):
        return True
    if writer.enum is not None and reader.enum is not None:
        return not {same_value(v) for v in writer.enum} & {same_value(v) for v in reader.enum}
    return False


def _missing(wside: Side, writer: Shape, reader: Shape) -> bool:
    if not wside.closes(writer) or any(o.keyword == "patternProperties" for o in writer.opaque):
        return False
    return bool(reader.required - writer.names.keys() - writer.required)


def _tags_differ(wside: Side, writer: Shape, rside: Side, reader: Shape) -> bool:
    for name in sorted(writer.required & writer.names.keys() & reader.names.keys()):
        mine, theirs = wside.property_node(writer, name), rside.property_node(reader, name)
        if mine is None or theirs is None:
            continue
        left, right = wside.shape(mine), rside.shape(theirs)
        if left.enum is None or right.enum is None:
            continue
        if not {same_value(v) for v in left.enum} & {same_value(v) for v in right.enum}:
            return True
    return False


def no_branch(writer: Shape, reader: Shape, keyword: str) -> Gap:
    """Return the gap of a writer that no branch of a union takes."""
    if writer.types == {"null"}:
        return Gap("null", hints=(("value", None),))
    return Gap(
        keyword,
        mine=type_names(writer.types),
        hints=(("any", ""), ("search", "")),
        reason="no single branch takes every value, and no value was found that all refuse",
    )


def type_names(types: frozenset[str] | set[str]) -> Json:
    """Return JSON Schema's names of atomic types."""
    names = sorted({"number" if t == "fraction" else t for t in types})
    if "number" in names and "integer" in names:
        names.remove("integer")
    return names[0] if len(names) == 1 else names


def type_gap(writer: Shape, reader: Shape, odd: set[str]) -> Gap:
    """Return the gap of types the reader does not know."""
    if odd == {"null"}:
        return Gap("null", hints=(("value", None),))
    return Gap(
        "type",
        mine=type_names(writer.types),
        new=type_names(reader.types),
        hints=tuple(("type", t) for t in sorted(odd - {"null"})),
    )


def local_gaps(writer: Shape, reader: Shape) -> list[Gap]:
    """Return every obligation of the reader that fails without looking into members or items."""
    if reader.never:
        return [Gap("false", hints=(("any", ""),))]
    gaps: list[Gap] = []
    odd = writer.types - reader.types
    if "null" in odd and len(odd) > 1:
        gaps.append(Gap("null", hints=(("value", None),)))
        odd = odd - {"null"}
    if odd:
        gaps.append(type_gap(writer, reader, set(odd)))
    common = writer.types & reader.types
    if reader.enum is not None:
        gaps.append(Gap("closed-enum", new=reader.enum, hints=(("outside", reader.enum),)))
    if common & _NUMERIC:
        gaps += _numbers(writer, reader, common)
    gaps += _sizes(writer, reader, common)
    if "string" in common:
        gaps += [*_strings(writer, reader), *_content(writer, reader)]
    several = writer.ceilings.get("maxItems", 2) > 1
    if "array" in common and reader.unique and not writer.unique and several:
        gaps.append(Gap("uniqueItems", mine=False, new=True, hints=(("twins", ""),)))
    return gaps


def _numbers(writer: Shape, reader: Shape, common: frozenset[str]) -> list[Gap]:
    gaps = []
    for keyword, low in (("minimum", True), ("maximum", False)):
        mine, theirs = (writer.low, reader.low) if low else (writer.high, reader.high)
        if common & _NUMERIC == {"integer"}:
            mine, theirs = numbers.rounded(mine, low=low), numbers.rounded(theirs, low=low)
        if theirs is None or numbers.within(mine, theirs, low=low):
            continue
        values = numbers.candidates(theirs, mine) if low else numbers.candidates(mine, theirs)
        name = "format" if _from_format(writer, reader) else keyword
        shown = [None if b is None else b.to_json() for b in (mine, theirs)]
        if name == "format":
            shown = [list(writer.formats), list(reader.formats)]
        gaps.append(
            Gap(name, mine=shown[0], new=shown[1], hints=tuple(("value", v) for v in values))
        )
    for step in reader.multiples:
        if any(numbers.is_multiple(m, step) for m in writer.multiples):
            continue
        if common & _NUMERIC == {"integer"} and numbers.is_multiple(1, step):
            continue
        ends = numbers.candidates(writer.low, writer.high)
        values = [*writer.multiples, 1, 2, 3, 0.5, 0.01, 0.001, *ends]
        gaps.append(
            Gap(
                "multipleOf",
                mine=list(writer.multiples),
                new=step,
                hints=tuple(("value", v) for v in values),
                reason="no value was found that shows the narrower step",
            )
        )
    return gaps


def _from_format(writer: Shape, reader: Shape) -> bool:
    return any(f in formats.NUMERIC and f not in writer.formats for f in reader.formats)


def _sizes(writer: Shape, reader: Shape, common: frozenset[str]) -> list[Gap]:
    gaps = []
    for keyword, kind in _SIZES:
        if kind not in common:
            continue
        is_floor = keyword.startswith("min")
        mine = (writer.floors if is_floor else writer.ceilings).get(keyword)
        theirs = (reader.floors if is_floor else reader.ceilings).get(keyword)
        if is_floor:
            short = theirs is not None and (mine or 0) < theirs
            if short and kind == "object" and len(writer.required) >= (theirs or 0):
                continue
            sizes: list[int] = [] if theirs is None else [theirs - 1, mine or 0]
        else:
            short = theirs is not None and (mine is None or mine > theirs)
            sizes = [] if theirs is None else [theirs + 1]
        if short:
            hints = tuple(("size", [kind, s]) for s in sizes)
            gaps.append(Gap(keyword, mine=mine, new=theirs, hints=hints))
    return gaps


def _strings(writer: Shape, reader: Shape) -> list[Gap]:
    gaps = [
        Gap(
            "pattern",
            mine=list(writer.patterns),
            new=pattern,
            hints=(("search", ""),),
            reason="whether one regular expression lies inside the other is not decided here",
        )
        for pattern in reader.patterns
        if pattern not in writer.patterns and not _takes_all(pattern)
    ]
    for name in reader.formats:
        if not formats.demands(name) or formats.keeps(writer.formats, name):
            continue
        known = name in formats.ASSERTED
        gaps.append(
            Gap(
                "format",
                mine=list(writer.formats),
                new=name,
                hints=(("search", ""),) if known else (),
                reason="the formats cannot be compared"
                if known
                else f"the meaning of format {name!r} is not defined",
            )
        )
    return gaps


# Every text is a document of these.
_ANY_DOCUMENT = frozenset({"text/plain", "application/octet-stream", "*/*"})


def _content(writer: Shape, reader: Shape) -> list[Gap]:
    """Compare what texts stand for: the JSON strings are alike, the bytes in them are not."""
    gaps = []
    if writer.encodings != reader.encodings:
        mine, theirs = list(writer.encodings), list(reader.encodings)
        reason = "the validators do not look into encoded text, so no value can show it"
        gaps.append(Gap("contentEncoding", mine=mine, new=theirs, reason=reason, structural=True))
    if set(reader.media) - set(writer.media) - _ANY_DOCUMENT:
        mine, theirs = list(writer.media), list(reader.media)
        reason = "the validators do not look into documents inside text, so no value can show it"
        gaps.append(Gap("contentMediaType", mine=mine, new=theirs, reason=reason, structural=True))
    return gaps


def _takes_all(pattern: str) -> bool:
    return pattern in {"", ".*", "^.*", "^", "$", "[\\s\\S]*", "^[\\s\\S]*$"}


def concerns(keyword: Opaque, writer: Shape) -> bool:
    """Say whether an opaque keyword can refuse any value of the writer's types."""
    kind = _TOUCHES.get(keyword.keyword)
    return kind is None or kind in writer.types
