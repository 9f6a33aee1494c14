"""JUnit XML: the report as test results, as Jenkins, GitLab and their like read them.

A suite is an operation (or the document), a case is a finding. What a server makes of each
answer decided the mapping:

- breaking is a ``failure``: red, and the text shows both sides and the witness;
- not checked is an ``error``: red as well, in the column for tests that could not run;
- unproven is ``skipped``: servers count it apart from passed and failed, which is what it is;
- compatible and accepted pass, the words in ``system-out``: nobody is bothered, anybody can look.

GitLab shows ``classname`` and ``name`` and matches runs by them; both stay the same as long as
the fingerprint does. A run without findings has one passing case, because servers take an empty
file for a job that did not run.
"""

from __future__ import annotations

# Only written here, never parsed: the known attacks need a parser.
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness.model.finding import Finding, NotChecked, Report, Verdict
from reports.differences import LISTED_MAX, differences
from reports.exchanges import message_lines, shown_exchange
from reports.spelling import cut, limited, pretty, visible, visible_lines, xml_text
from reports.wording import (
    by_operation,
    facts,
    outcome,
    reach,
    said,
    side_names,
    summary_line,
    witness_words,
)

_TEXT_MAX = 20_000
_NAME_MAX = 400


def render(report: Report, *, colour: bool, width: int) -> str:
    """Return one ``testsuites`` document."""
    del colour, width
    root = Element("testsuites", {"name": _line(f"driftgate {report.command}")})
    for operation, findings in by_operation(report.findings):
        suite = _suite(root, operation or "the document", report)
        for finding in findings:
            _case(suite, operation or "the document", finding, side_names(report))
    if report.not_checked:
        suite = _suite(root, "not checked", report)
        for item in report.not_checked:
            _unchecked(suite, item)
    if not report.findings and not report.not_checked:
        _whole(_suite(root, _line(f"driftgate {report.command}"), report), report)
    for suite in root:
        _count(suite)
    _count(root)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _suite(root: Element, name: str, report: Report) -> Element:
    suite = SubElement(root, "testsuite", {"name": _line(name)})
    if report.generated_at:
        suite.set("timestamp", _line(report.generated_at[:19]))
    return suite


def _case(suite: Element, operation: str, finding: Finding, names: tuple[str, str]) -> None:
    label = " ".join(part for part in (finding.field, finding.rule) if part)
    case = _named(suite, operation, f"{cut(label, _NAME_MAX)} {finding.fingerprint}")
    place = finding.places.new or finding.places.old
    if place:
        case.set("file", _line(place.path))
        if place.line:
            case.set("line", str(place.line))
    message = _line(cut(said(finding), _NAME_MAX))
    text = _text("\n".join(_told(finding, names)))
    if finding.accepted is not None or not finding.counted:
        SubElement(case, "system-out").text = text
    elif finding.verdict is Verdict.BREAKING:
        SubElement(case, "failure", {"message": message, "type": _line(finding.rule)}).text = text
    elif finding.verdict is Verdict.NOT_CHECKED:
        SubElement(case, "error", {"message": message, "type": _line(finding.rule)}).text = text
    elif finding.verdict is Verdict.UNPROVEN:
        why = f"unproven: {message}" + (f" {_line(finding.reason)}" if finding.reason else "")
        SubElement(case, "skipped", {"message": cut(why, _NAME_MAX)})
        SubElement(case, "system-out").text = text
    else:
        SubElement(case, "system-out").text = text


def _unchecked(suite: Element, item: NotChecked) -> None:
    case = _named(suite, "not checked", cut(item.target, _NAME_MAX))
    error = SubElement(
        case, "error", {"message": _line(cut(item.reason, _NAME_MAX)), "type": "not-checked"}
    )
    error.text = _text(f"{item.reason}\n{item.remedy}".strip())


def _whole(suite: Element, report: Report) -> None:
    """Add the one case of a run without findings; it passes only when something was checked."""
    case = _named(suite, report.command, report.title or report.command)
    if report.verdict is Verdict.NOT_CHECKED:
        words = {"message": "nothing was checked", "type": "not-checked"}
        SubElement(case, "error", words).text = _text(report.headline)
        return
    lines = (report.headline, f"{outcome(report)}: {summary_line(report)}")
    SubElement(case, "system-out").text = _text("\n".join(line for line in lines if line))


def _named(suite: Element, classname: str, name: str) -> Element:
    # Several servers insist on a time; nothing was timed.
    given = {"classname": _line(classname), "name": _line(name), "time": "0"}
    return SubElement(suite, "testcase", given)


def _told(finding: Finding, names: tuple[str, str]) -> Iterator[str]:
    yield said(finding)
    yield f"category: {finding.category.value}"
    for name, value, place in zip(
        names,
        (finding.old, finding.new),
        (finding.places.old, finding.places.new),
        strict=True,
    ):
        if finding.old is not None or finding.new is not None:
            yield f"{name}: {'nothing' if value is None else pretty(value, 4_000)}"
        if place:
            yield f"{name} at {place}"
    yield from limited(
        [f"differs: {d.sentence}" for d in differences(finding.old, finding.new)], LISTED_MAX
    )
    for name, text in facts(finding):
        yield f"{name}: {text}"
    if finding.operations:
        yield f"operations: {', '.join(reach(finding))}"
    shown = shown_exchange(finding)
    if shown is not None:
        yield f"witness, {witness_words(finding)}:"
        yield from message_lines(shown)
    elif finding.witness is not None:
        yield f"witness: {pretty(finding.witness.value, 4_000)}"


def _count(element: Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(plural, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", "0")


def _line(text: str) -> str:
    return visible(" ".join(xml_text(text).split()))


def _text(text: str) -> str:
    return cut(visible_lines(xml_text(text)), _TEXT_MAX)
