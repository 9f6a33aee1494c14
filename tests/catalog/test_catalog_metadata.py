"""A mistake in one of our own files is told with its line: all of them at once, none missed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from harness.catalog import load_metadata, metadata_problems, metadata_schema
from harness.model.errors import DocumentError, MetadataError, UsageError

KINDS = ("system", "behaviour", "mapping", "drift_pack", "accepted", "severity")

BEHAVIOUR = """behaviour: 1
authentication:
  kind: oauth2_refresh_token
  token_path: /token
  token_seconds: 3600
  request_header: x-token
quotas:
  - {id: a, kind: token_bucket, operations: ["*"], rate_per_second: 1, burst: 5}
  - {id: b, kind: concurrency, operations: ["*"], slots: 5}
throttled: {status: 429, retry_after: none}
idempotency: []
sunsets: [{api: orders/v0, on: "2027-03-27"}]
"""
PACK = """drift_pack: 1
title: renamed
date: "2026-12-01"
evidence: seen
changes:
  - {operations: ["orders/v0#getOrders"], do: rename, at: /a/b, to: c}
  - {operations: ["orders/v0#getOrders"], do: set, at: /a/c, value: null, share: 0.5}
"""
ACCEPTED = """accepted: 1
differences:
  - fingerprint: "0123456789ab"
    reason: Nobody reads this member.
    owner: channel owner
    expires: "2027-01-31"
"""


def mistakes(tmp_path: Path, kind: str, text: str) -> list[str]:
    path = tmp_path / f"{kind}.yaml"
    path.write_text(text, encoding="utf-8")
    problems = metadata_problems(path, metadata_schema(kind))
    return [f"{str(p.location).rpartition('/')[2]} {p.message}" for p in problems]


@pytest.mark.parametrize(
    ("kind", "text"), [("behaviour", BEHAVIOUR), ("drift_pack", PACK), ("accepted", ACCEPTED)]
)
def test_a_correct_file_is_returned(kind: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    assert metadata_problems(path, metadata_schema(kind)) == ()
    assert load_metadata(path, metadata_schema(kind))


@pytest.mark.parametrize(
    ("kind", "text", "old", "new", "told"),
    [
        (
            "behaviour",
            BEHAVIOUR,
            "throttled:",
            "throtled: 1\nthrottled:",
            ["behaviour.yaml:10:1 'throtled' is not a known name here"],
        ),
        (
            "behaviour",
            BEHAVIOUR,
            "burst: 5",
            "brust: 5",
            [
                'behaviour.yaml:8:5 "burst" is a required property',
                "behaviour.yaml:8:72 'brust' is not a known name here",
            ],
        ),
        (
            "behaviour",
            BEHAVIOUR,
            "kind: concurrency",
            "kind: concurency",
            [
                'behaviour.yaml:9:13 "concurency" is not one of "token_bucket", "leaky_bucket" '
                "or 4 other candidates"
            ],
        ),
        (
            "behaviour",
            BEHAVIOUR,
            "slots: 5",
            "slots: none",
            ['behaviour.yaml:9:51 "none" is not of type "integer"'],
        ),
        (
            "behaviour",
            BEHAVIOUR,
            '"2027-03-27"',
            '"2027-13-27"',
            ['behaviour.yaml:12:28 "2027-13-27" is not a "date"'],
        ),
        (
            "drift_pack",
            PACK,
            "to: c",
            "too: c",
            [
                'drift_pack.yaml:6:5 "to" is a required property',
                "drift_pack.yaml:6:65 'too' is not a known name here",
            ],
        ),
        (
            "drift_pack",
            PACK,
            "value: null",
            "valeu: null",
            [
                'drift_pack.yaml:7:5 "value" is a required property',
                "drift_pack.yaml:7:62 'valeu' is not a known name here",
            ],
        ),
        (
            "accepted",
            ACCEPTED,
            '"0123456789ab"',
            "0123",
            ['accepted.yaml:3:5 123 is not of type "string"'],
        ),
        (
            "accepted",
            ACCEPTED,
            "0123456789ab",
            "0123456789AB",
            ['accepted.yaml:3:5 "0123456789AB" does not match "^[0-9a-f]{12}$"'],
        ),
        (
            "accepted",
            ACCEPTED,
            "    owner: channel owner\n",
            "",
            ['accepted.yaml:3:5 "owner" is a required property'],
        ),
        (
            "accepted",
            ACCEPTED,
            "2027-01-31",
            "2027-02-30",
            ['accepted.yaml:6:5 "2027-02-30" is not a "date"'],
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(
    kind: str, text: str, old: str, new: str, told: list[str], tmp_path: Path
) -> None:
    assert text.count(old) == 1
    assert mistakes(tmp_path, kind, text.replace(old, new)) == told


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = BEHAVIOUR.replace("token_seconds: 3600", "token_seconds: soon").replace(
        "status: 429", "status: 42\n  , satus: 429"
    )
    text += "behaviour: 1\n"
    path = tmp_path / "behaviour.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MetadataError) as caught:
        load_metadata(path, metadata_schema("behaviour"))
    lines = str(caught.value).splitlines()
    assert [line.removeprefix(str(path)).split(": ")[0] for line in lines] == [
        ":5:3",
        ":10:13",
        ":11:5",
        ":14:1",
    ]
    assert "stands twice" in str(caught.value)
    assert caught.value.location is not None


def test_text_that_is_no_yaml_is_a_document_error(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(DocumentError, match="not valid YAML"):
        load_metadata(path, metadata_schema("system"))


def test_a_missing_file_is_a_metadata_error(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="cannot be read"):
        load_metadata(tmp_path / "system.yaml", metadata_schema("system"))


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"accepted, behaviour, drift_pack, mapping, .*system"):
        metadata_schema("systme")


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_a_kind_is_a_valid_schema(kind: str) -> None:
    jsonschema_rs.meta.validate(dict(metadata_schema(kind)))


def open_objects(schema: Any, here: str = "") -> list[str]:
    """Return every object schema that would let a misspelt name pass."""
    found = []
    if isinstance(schema, dict):
        named = "properties" in schema and schema.get("type") == "object"
        if named and "additionalProperties" not in schema and "allOf" not in schema:
            found.append(here)
        for key, inner in schema.items():
            found += open_objects(inner, f"{here}/{key}")
    elif isinstance(schema, list):
        for index, inner in enumerate(schema):
            found += open_objects(inner, f"{here}/{index}")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_of_our_metadata_lets_a_misspelt_name_pass(kind: str) -> None:
    schema = json.loads(json.dumps(dict(metadata_schema(kind))))
    assert open_objects(schema) == []
    opened = copy.deepcopy(schema)
    del opened["additionalProperties"]
    assert open_objects(opened) == [""]


def test_every_kind_of_change_and_quota_is_closed() -> None:
    for kind, name, tag in (("drift_pack", "change", "do"), ("behaviour", "quota", "kind")):
        definitions = metadata_schema(kind)["$defs"]
        choices = definitions[name]["properties"][tag]["enum"]
        chosen = [entry["then"]["$ref"] for entry in definitions[name]["allOf"]]
        assert chosen == [f"#/$defs/{choice}" for choice in choices]
        for choice in choices:
            assert definitions[choice]["additionalProperties"] is False
