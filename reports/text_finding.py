"""One finding as lines of a terminal: the difference side by side, the proof, what to do."""

from __future__ import annotations

from collections.abc import Iterator

from harness.model.finding import Finding, Verdict
from harness.model.values import Json
from reports.columns import GUTTER, cells, fold, folded, side_by_side
from reports.differences import LISTED_MAX, differences
from reports.exchanges import body_text, message_lines, shown_exchange
from reports.spelling import cut, limited, visible, visible_lines
from reports.wording import counted, facts, identity, moment, reach, said, verdict_words

# A line is spans of (style, text); the page paints and cleans them in one place.
Span = tuple[str, str]
Line = tuple[Span, ...]

BOLD, DIM = "1", "2"
STYLES = {
    Verdict.BREAKING: "31",
    Verdict.NOT_CHECKED: "35",
    Verdict.UNPROVEN: "33",
    Verdict.COMPATIBLE: "32",
}

_INDENT = 6
_LABEL = 11
_COLUMNS_FROM = 80
_VALUE_LINES_MAX = 14
_WITNESS_LINES_MAX = 40
_TEXT_MAX = 6_000
OPERATIONS_SHOWN = 3


def plain(text: str) -> Line:
    """Return a line in the terminal's own colour."""
    return (("", text),)


def finding_lines(finding: Finding, names: tuple[str, str], width: int) -> Iterator[Line]:
    """Yield the finding; ``names`` are what the two sides are called."""
    head = verdict_words(finding)
    yield (
        ("", "  "),
        (STYLES[finding.verdict], head),
        ("", f"  {visible(finding.field) or '(whole)'}"),
    )
    for line in fold(_flat(said(finding)), width - _INDENT):
        yield plain(" " * _INDENT + line)
    yield from _sides(finding, names, width)
    yield from _differences(finding, width)
    yield from _witness(finding, width)
    for name, text in facts(finding):
        yield from labelled(name, fold(_flat(text), width - _INDENT - _LABEL))
    if finding.evidence is not None:
        request = f", request {finding.evidence.request_id}" if finding.evidence.request_id else ""
        yield from labelled("evidence", [_flat(f"seen {moment(finding.evidence.at)}{request}")])
    if len(reach(finding)) > 1:
        yield from labelled("in", fold(_flat(operations(finding)), width - _INDENT - _LABEL))
    yield ((DIM, " " * _INDENT + " · ".join(identity(finding))),)


def operations(finding: Finding) -> str:
    """Return the operation a finding touches, or how many and the first few of them."""
    touched = reach(finding)
    if len(touched) == 1:
        return touched[0]
    more = len(touched) - OPERATIONS_SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return f"{counted(len(touched), 'operation')}: {', '.join(touched[:OPERATIONS_SHOWN])}{rest}"


def labelled(name: str, lines: list[str]) -> Iterator[Line]:
    """Yield lines beside their label; a label too long for its column gets a line of its own."""
    margin = " " * _INDENT
    rest = lines
    if len(name) < _LABEL:
        first, rest = (lines[:1] or [""])[0], lines[1:]
        yield ((DIM, margin + name.ljust(_LABEL)), ("", first))
    else:
        yield ((DIM, margin + name),)
    for line in rest:
        yield plain((margin + " " * _LABEL + line).rstrip())


def _sides(finding: Finding, names: tuple[str, str], width: int) -> Iterator[Line]:
    places = [_flat(str(p)) if p else "" for p in (finding.places.old, finding.places.new)]
    if finding.old is None and finding.new is None:
        yield from _at(places)
    elif width < _COLUMNS_FROM:
        room = width - _INDENT - _LABEL
        for name, value, place in zip(names, (finding.old, finding.new), places, strict=True):
            yield from labelled(name, [*_value(value, room), *([f"({place})"] if place else [])])
    else:
        column = (width - _INDENT - len(GUTTER)) // 2
        heads = [f"{name}  {place}".rstrip() for name, place in zip(names, places, strict=True)]
        fitting = all(cells(head) <= column for head in heads)
        left, right = heads if fitting else names
        values = (_value(finding.old, column), _value(finding.new, column))
        for line in side_by_side([left, *values[0]], [right, *values[1]], column):
            yield plain(" " * _INDENT + line)
        yield from () if fitting else _at(places)


def _at(places: list[str]) -> Iterator[Line]:
    """Yield places whole, one a line: people click on them and copy them."""
    named = list(dict.fromkeys(place for place in places if place))
    if named:
        yield from labelled("at", named)


def _value(value: Json, width: int) -> list[str]:
    if value is None:
        return ["nothing"]
    text = cut(body_text(value, line_max=width), _TEXT_MAX)
    return limited(folded(text, width), _VALUE_LINES_MAX)


def _differences(finding: Finding, width: int) -> Iterator[Line]:
    listed = [d.sentence for d in differences(finding.old, finding.new)]
    if listed:
        lines = [line for s in listed for line in fold(_flat(s), width - _INDENT - _LABEL)]
        yield from labelled("differs", limited(lines, LISTED_MAX))


def _witness(finding: Finding, width: int) -> Iterator[Line]:
    if finding.witness is None:
        return
    shown = shown_exchange(finding)
    if shown is not None:
        source = message_lines(shown)
    else:
        source = body_text(finding.witness.value, line_max=width - _INDENT - _LABEL).split("\n")
    text = cut(visible_lines("\n".join(source)), _TEXT_MAX)
    lines = folded(text, width - _INDENT - _LABEL)
    yield from labelled("witness", limited(lines, _WITNESS_LINES_MAX))


def _flat(text: str) -> str:
    return visible(" ".join(cut(text, _TEXT_MAX).split()))
