"""Every format carries the same findings, escapes what it is given, and matches its sample."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.model.errors import SourceLocation, UsageError
from harness.model.finding import (
    Category,
    Context,
    Direction,
    Evidence,
    Finding,
    NotChecked,
    Places,
    Proof,
    Report,
    Severity,
    Sides,
    Verdict,
    Witness,
)
from reports import FORMATS, render

SAMPLES = Path(__file__).parents[2] / "reports" / "samples"
HOSTILE = "<script>alert('x')</script> ``` | **bold**\n::error::%0A"


def sample_report(text: str = "Quantity is text where a number was agreed") -> Report:
    breaking = Finding(
        fingerprint="0123456789ab",
        rule="response-type-changed",
        category=Category.WIRE_RESPONSE,
        verdict=Verdict.BREAKING,
        message=text,
        direction=Direction.RESPONSE,
        operations=("GET /orders", "GET /orders/{orderId}"),
        pointer=Sides("/paths/~1orders/get", "/paths/~1orders/get"),
        field="orders[].quantity",
        old={"type": "integer"},
        new={"type": "string"},
        proof=Proof.WITNESS,
        witness=Witness({"orders": [{"quantity": "2"}]}, {"status": 200}),
        severity=Severity.CRITICAL,
        places=Places(SourceLocation("old.yaml", 12, 7), SourceLocation("new.yaml", 14, 7)),
        evidence=Evidence("2026-11-23T03:17:00.000Z", {"method": "GET"}, {"status": 200}, "r-1"),
        context=Context(
            system="amazon_spapi",
            first_seen="2026-11-22T03:17:00.000Z",
            last_seen="2026-11-23T03:17:00.000Z",
            samples=3,
            samples_checked=20,
            canonical_fields=("order.lines[].quantity",),
            owner="channel owner",
            action="Read the quantity as text.",
            deadline="2026-12-01",
            effect="Orders are set aside.",
        ),
    )
    tolerated = Finding(
        fingerprint="ba9876543210",
        rule="response-property-added",
        category=Category.DOCS,
        verdict=Verdict.COMPATIBLE,
        message="A new field appeared",
        operations=("GET /orders",),
        field="orders[].colour",
        new={"type": "string"},
    )
    return Report(
        command="scan",
        title="Drift scan of amazon_spapi",
        headline="One agreed field changed its type.",
        verdict=Verdict.BREAKING,
        findings=(tolerated, breaking),
        not_checked=(NotChecked("GET /returns", "throttled", "Scan again later."),),
        summary={"breaking": 1, "compatible": 1},
        details={"coverage": [{"operation": "GET /orders", "samples": 20}], "seed": {"seed": 7}},
        generated_at="2026-11-23T03:18:00.000Z",
        replay="driftgate scan amazon_spapi --seed 7",
    )


class TestEveryFormat:
    @pytest.mark.parametrize("fmt", FORMATS)
    def test_matches_its_sample(self, fmt: str) -> None:
        expected = (SAMPLES / f"scan.{fmt}").read_text(encoding="utf-8")
        assert render(sample_report(), fmt) == expected

    @pytest.mark.parametrize("fmt", FORMATS)
    def test_names_every_finding(self, fmt: str) -> None:
        text = render(sample_report(), fmt)
        assert "0123456789ab" in text
        assert "ba9876543210" in text
        assert "throttled" in text

    def test_unknown_format_names_the_choices(self) -> None:
        with pytest.raises(UsageError, match="html"):
            render(sample_report(), "pdf")


def test_json_is_the_object_of_the_design() -> None:
    data = json.loads(render(sample_report(), "json"))
    assert list(data)[:3] == ["verdict", "findings", "summary"]
    assert data["findings"][1]["pointer"] == {
        "old": "/paths/~1orders/get",
        "new": "/paths/~1orders/get",
    }
    assert data["findings"][1]["witness"]["value"] == {"orders": [{"quantity": "2"}]}
    assert data["findings"][0]["witness"] is None


def test_ndjson_is_one_object_a_line() -> None:
    lines = render(sample_report(), "ndjson").splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == [
        "compatible",
        "breaking",
        "not_checked",
    ]


def test_github_annotation_cannot_be_broken_out_of() -> None:
    text = render(sample_report(HOSTILE), "github")
    assert len(text.splitlines()) == 3
    assert all(line.startswith(("::error", "::notice")) for line in text.splitlines())
    assert "file=new.yaml,line=14,col=7" in text


def test_text_uses_colours_only_when_asked() -> None:
    assert "\x1b[" not in render(sample_report(), "text")
    assert "\x1b[31mbreaking" in render(sample_report(), "text", colour=True)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [v or "" for k, v in attrs if k in {"src", "href", "srcset"}]


def test_html_escapes_values_and_loads_nothing() -> None:
    parser = _Elements()
    text = render(sample_report(HOSTILE), "html")
    parser.feed(text)
    assert "script" not in parser.tags
    assert parser.links == []
    assert "&lt;script&gt;" in text


def test_markdown_does_not_let_values_become_markup() -> None:
    text = render(sample_report(HOSTILE), "markdown")
    assert "<script>" not in text
    assert "**bold**" not in text


if __name__ == "__main__":
    # `make samples` writes the golden files again; read the difference before committing it.
    for name in FORMATS:
        (SAMPLES / f"scan.{name}").write_text(render(sample_report(), name), encoding="utf-8")
