"""Whatever a finding holds, every format is written, well formed and free of raw controls."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli.witness_files import write_witnesses
from harness.model.errors import SourceLocation
from harness.model.finding import (
    Accepted,
    Category,
    Direction,
    Finding,
    NotChecked,
    Places,
    Proof,
    Report,
    Verdict,
    Witness,
)
from reports import FORMATS, render
from reports.http_file import http_file

RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

# Every character there is, the halves of surrogate pairs included, and what formats stumble over.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=12),
    st.sampled_from(["", "{{$processEnv A}}", "\r\nX: y", "###", "< ./a", "`` ` ``", "]]>", "%0A"]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
MEDIA = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
        "application/xml",
        "*/*",
        "",
    ]
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "method": TEXTS | st.sampled_from(["GET", "post"]),
        "target": TEXTS | st.just("/a?b=c"),
        "path": TEXTS,
        "status": st.integers() | TEXTS,
        "headers": VALUES | st.dictionaries(TEXTS, TEXTS, max_size=2),
        "cookies": VALUES,
        "content_type": MEDIA | TEXTS,
        "media_type": MEDIA,
        "accept": TEXTS,
        "server": TEXTS | st.just("https://api.shop.example/v1"),
        "security": VALUES,
        "body": VALUES,
    },
)
EXCHANGES = st.one_of(
    MESSAGES,
    st.fixed_dictionaries({"request": MESSAGES}, optional={"response": MESSAGES | VALUES}),
    VALUES,
)
PLACES = st.builds(
    SourceLocation, TEXTS, st.none() | st.integers(1, 9), st.none() | st.integers(1, 9)
)
FINDINGS = st.builds(
    Finding,
    fingerprint=TEXTS,
    rule=TEXTS,
    category=st.sampled_from(Category),
    verdict=st.sampled_from(Verdict),
    message=TEXTS,
    direction=st.none() | st.sampled_from(Direction),
    operations=st.lists(TEXTS, max_size=3).map(tuple),
    field=TEXTS,
    old=VALUES,
    new=VALUES,
    proof=st.sampled_from(Proof),
    witness=st.none() | st.builds(Witness, VALUES, EXCHANGES),
    reason=TEXTS,
    places=st.builds(Places, st.none() | PLACES, st.none() | PLACES),
    accepted=st.none() | st.builds(Accepted, TEXTS, TEXTS, TEXTS),
)
REPORTS = st.builds(
    Report,
    command=st.sampled_from(["diff", "scan", "gate"]),
    title=TEXTS,
    verdict=st.sampled_from(Verdict),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    not_checked=st.lists(st.builds(NotChecked, TEXTS, TEXTS, TEXTS), max_size=1).map(tuple),
    headline=TEXTS,
)


@pytest.mark.parametrize("fmt", FORMATS)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(report=REPORTS, width=st.integers(40, 140))
def test_every_format_is_written_and_harmless(fmt: str, report: Report, width: int) -> None:
    text = render(report, fmt, width=width)
    assert text == render(report, fmt, width=width)
    text.encode()
    assert RAW.search(text) is None
    if fmt in {"json", "sarif"}:
        json.loads(text, parse_constant=pytest.fail)
    elif fmt == "junit":
        fromstring(text)  # noqa: S314 - our own text
    elif fmt == "github":
        assert all(line.startswith("::") for line in text.splitlines())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(finding=FINDINGS)
def test_a_witness_file_holds_one_request_and_nothing_else(finding: Finding) -> None:
    made = http_file(finding, "the.body")
    if made is None:
        return
    assert RAW.search(made.text) is None
    assert made.text.count("{{") == made.text.count("{{host}}") == 1
    head, _, rest = made.text.partition("\n@host = ")
    assert all(line.startswith("# ") for line in head.split("\n"))
    first, *after = rest.split("\n###\n")
    _host, blank, line, *fields = first.rstrip("\n").split("\n")
    assert blank == ""
    assert re.fullmatch(r"[A-Z-]+ \{\{host\}\}/[!-~]* HTTP/1\.1", line)
    ended = fields.index("") if "" in fields else len(fields)
    assert all(re.match(r"[A-Za-z0-9!$%&'*+.^_`|~-][!-~]*:", f) for f in fields[:ended])
    assert not any(f.startswith(("###", "@", "> ")) for f in fields[ended + 1 :])
    included = [f for f in fields[ended + 1 :] if f.startswith("<")]
    assert included == (["< ./the.body"] if made.body is not None else [])
    assert all(x.startswith("# ") for part in after for x in part.rstrip("\n").split("\n"))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(report=REPORTS)
def test_witness_folders_are_whole_and_the_same_each_time(report: Report) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        first, second = write_witnesses(report, Path(one)), write_witnesses(report, Path(two))
        assert [(p.name, p.read_bytes()) for p in first] == [
            (p.name, p.read_bytes()) for p in second
        ]
        index = json.loads(first[-1].read_bytes())
        listed = [name for w in index["witnesses"] for name in w["files"].values()]
        assert sorted([*listed, "index.json"]) == sorted(p.name for p in Path(one).iterdir())
