"""No text of a document reaches a reader as an instruction, whatever format carries it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree.ElementTree import fromstring

import pytest
from typing_extensions import override

from harness.model.errors import SourceLocation
from harness.model.finding import (
    Accepted,
    Category,
    Context,
    Direction,
    Evidence,
    Finding,
    NotChecked,
    Occurrence,
    Places,
    Report,
    Sides,
    Verdict,
    Witness,
)
from harness.model.values import Json
from reports import FORMATS, render

HOSTILE = (
    "<script>alert('x')</script> ]]> --> ``` | **bold** [a](javascript:b) <!-- ${{ secrets.A }}"
    "\x1b[31mred\x1b]0;title\x07 \x9b2J \x00\x08\x7f \u202egnp.exe\u2066 \u2028 \ufeff \ud800"
    "\r\n::error::%0A\n### heading\n"
)
# What may never stand in a report as it came: controls, lone surrogates, reordering marks.
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def hostile_report(text: str = HOSTILE, value: Json = None) -> Report:
    nested = {text: [text, {text: text}], "value": value}
    place = SourceLocation(text, 3, 1)

    def finding(
        number: int, verdict: Verdict, category: Category, accepted: Accepted | None = None
    ) -> Finding:
        return Finding(
            fingerprint=f"{number:012}",
            rule="request-type-changed",
            category=category,
            verdict=verdict,
            message=text,
            direction=Direction.REQUEST,
            operations=(f"POST {text}", f"PUT {text}"),
            pointer=Sides(text, text),
            field=text,
            old=nested,
            new={**nested, "more": text},
            witness=Witness(nested, _exchange(text, nested)),
            reason=text,
            places=Places(place, place),
            evidence=Evidence(text, nested, nested, text),
            accepted=accepted,
            occurrences=(Occurrence(text, text), Occurrence(text + "2", text + "3")),
            context=Context(system=text, owner=text, action=text, consumers=(text,)),
        )

    findings = [
        finding(number, verdict, category)
        for number, (verdict, category) in enumerate(
            (v, c) for v in Verdict for c in (Category.WIRE_REQUEST, Category.DATA_LOSS)
        )
    ]
    findings.append(finding(99, Verdict.BREAKING, Category.POLICY, Accepted(text, text, text)))
    return Report(
        command="diff",
        title=text,
        verdict=Verdict.BREAKING,
        findings=tuple(findings),
        not_checked=(NotChecked(text, text, text),),
        headline=text,
        summary={"breaking": 2},
        details={"notes": {text: text}, "rows": [{text: text}], "lines": [text], "one": text},
        replay=text,
    )


def _exchange(text: str, body: Json) -> Json:
    return {
        "method": text,
        "target": f"/{text}",
        "status": text,
        "headers": {text: text},
        "cookies": {text: text},
        "content_type": text,
        "accept": text,
        "security": {text: [text]},
        "body": body,
    }


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [40, 100])
@pytest.mark.parametrize("fmt", FORMATS)
def test_controls_are_spelled_and_never_sent(fmt: str, width: int, colour: bool) -> None:
    text = render(hostile_report(), fmt, width=width, colour=colour)
    own = re.sub(r"\x1b\[\d+m", "", text) if colour and fmt == "text" else text
    assert RAW.search(own) is None
    text.encode()


@pytest.mark.parametrize("fmt", FORMATS)
def test_numbers_and_names_beyond_json_do_no_harm(fmt: str) -> None:
    value = {1: float("nan"), "big": 1 << 20_000, "t": (1, 2)}
    assert render(hostile_report("plain", value), fmt)


@pytest.mark.parametrize("fmt", ["text", "markdown", "html", "sarif", "junit", "github"])
def test_huge_texts_are_cut(fmt: str) -> None:
    text = render(hostile_report("x" * 200_000), fmt)
    assert len(text) < 8_000_000


def test_github_annotations_cannot_be_broken_out_of() -> None:
    lines = render(hostile_report(), "github").splitlines()
    assert len(lines) == 6 + 1 + 1 + 1 + 1
    command = re.compile(r"::(error|warning|notice) [^:]*::[^\n]*")
    assert all(command.fullmatch(line) for line in lines)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [v or "" for k, v in attrs if k in {"src", "href", "srcset", "style"}]
        assert not [k for k, _ in attrs if k.startswith("on")]


def test_html_escapes_values_and_loads_nothing() -> None:
    text = render(hostile_report(), "html")
    parser = _Elements()
    parser.feed(text)
    assert not parser.tags & {"script", "img", "iframe", "object", "link", "form"}
    assert all(link.startswith("#") for link in parser.links)
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text


def test_html_lists_the_operations_of_a_long_report() -> None:
    findings = tuple(
        Finding(f"{n}", "r", Category.DOCS, Verdict.BREAKING, "m", operations=(f"GET /{n}",))
        for n in range(6)
    )
    parser = _Elements()
    parser.feed(render(Report("diff", "t", Verdict.BREAKING, findings), "html"))
    assert parser.links == [f"#g-{n}" for n in range(1, 7)]


def test_markdown_does_not_let_values_become_markup() -> None:
    text = render(hostile_report(), "markdown")
    outside = _without_code(text)
    assert re.search(r"(?<!\\)[<*\[]", outside.replace("**breaking", "").replace("**", "")) is None
    assert "\n### heading" not in text


def _without_code(text: str) -> str:
    """Drop fenced blocks and code spans, each closed by as many backticks as opened it."""
    fenced = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", text)
    return re.sub(r"(?s)(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", fenced)


def test_machine_formats_keep_the_text_exactly() -> None:
    report = hostile_report()
    data = json.loads(render(report, "json"))
    assert data["findings"][0]["message"] == HOSTILE
    lines = render(report, "ndjson").split("\n")
    assert len(lines) == len(report.findings) + len(report.not_checked) + 1
    assert json.loads(lines[0])["old"] == report.findings[0].old


def test_sarif_and_junit_stay_well_formed() -> None:
    json.loads(render(hostile_report(), "sarif"))
    fromstring(render(hostile_report(), "junit"))  # noqa: S314 - our own text
