"""The SARIF format keeps the rules of SARIF 2.1.0 and what code scanners ask beyond them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator

from harness.model.errors import SourceLocation
from harness.model.finding import (
    Accepted,
    Category,
    Context,
    Direction,
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
from reports import render

SAMPLES = Path(__file__).parents[2] / "reports" / "samples"

URI = {"type": "string", "pattern": r"^[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*$"}
TEXT = {"type": "string", "minLength": 1}
BAG = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def closed(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def listed(items: dict[str, Any], *, unique: bool = False) -> dict[str, Any]:
    return {"type": "array", "items": items, "uniqueItems": unique}


MESSAGE = closed(["text"], {"text": TEXT})
PHYSICAL = closed(
    ["artifactLocation"],
    {
        "artifactLocation": closed(["uri"], {"uri": URI, "uriBaseId": {"type": "string"}}),
        "region": closed(
            ["startLine"],
            {
                "startLine": {"type": "integer", "minimum": 1},
                "startColumn": {"type": "integer", "minimum": 1},
            },
        ),
    },
)
LOCATION = closed(
    [],
    {
        "id": {"type": "integer", "minimum": -1},
        "physicalLocation": PHYSICAL,
        "logicalLocations": listed(
            closed([], {"fullyQualifiedName": TEXT, "kind": TEXT}), unique=True
        ),
        "message": MESSAGE,
    },
)
RULE = closed(
    ["id"],
    {
        "id": TEXT,
        "shortDescription": MESSAGE,
        "defaultConfiguration": closed([], {"level": LEVEL}),
        "properties": BAG,
    },
)
RESULT = closed(
    ["message"],
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": listed(LOCATION),
        "relatedLocations": listed(LOCATION, unique=True),
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
        "suppressions": listed(
            closed(
                ["kind"],
                {
                    "kind": {"enum": ["inSource", "external"]},
                    "status": {"enum": ["accepted", "underReview", "rejected"]},
                    "justification": {"type": "string"},
                    "properties": BAG,
                },
            ),
            unique=True,
        ),
        "properties": BAG,
    },
)
INVOCATION = closed(
    ["executionSuccessful"],
    {
        "executionSuccessful": {"type": "boolean"},
        "commandLine": {"type": "string"},
        "endTimeUtc": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$",
        },
        "toolExecutionNotifications": listed(
            closed(
                ["message"],
                {"level": LEVEL, "message": MESSAGE, "descriptor": closed([], {"id": TEXT})},
            )
        ),
    },
)
RUN = closed(
    ["tool"],
    {
        "tool": closed(
            ["driver"],
            {
                "driver": closed(
                    ["name"], {"name": TEXT, "version": TEXT, "rules": listed(RULE, unique=True)}
                )
            },
        ),
        "automationDetails": closed([], {"id": TEXT}),
        "invocations": listed(INVOCATION),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": listed(RESULT),
        "properties": BAG,
    },
)
LOG = closed(
    ["version", "runs"],
    {"$schema": URI, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}},
)

FINDING = Finding(
    fingerprint="0123456789ab",
    rule="request-type-changed",
    category=Category.WIRE_REQUEST,
    verdict=Verdict.BREAKING,
    message="quantity: the type integer is no longer accepted here.",
    direction=Direction.REQUEST,
    operations=("POST /orders", "PUT /orders/{id}"),
    pointer=Sides("/paths/a", "/paths/b"),
    field="quantity",
    old="integer",
    new="string",
    proof=Proof.WITNESS,
    witness=Witness({"quantity": 2}, {"method": "POST", "target": "/orders", "body": {}}),
    severity=Severity.HIGH,
    places=Places(SourceLocation("v1/a.yaml", 3, 5), SourceLocation("v2/a b#.yaml", 4)),
    context=Context(owner="orders team", canonical_fields=("order.lines[].quantity",)),
)


def run_of(*findings: Finding, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"verdict": Verdict.BREAKING, "findings": findings, **more}
    log = json.loads(render(Report("diff", "Old against new", **given), "sarif"))
    assert_valid(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def assert_valid(log: Any) -> None:
    errors = [e.json_path + ": " + e.message for e in Draft202012Validator(LOG).iter_errors(log)]
    assert errors == []
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


@pytest.mark.parametrize("name", ["scan", "diff"])
def test_the_samples_keep_the_rules(name: str) -> None:
    assert_valid(json.loads((SAMPLES / f"{name}.sarif").read_text(encoding="utf-8")))


def test_a_result_points_at_the_new_side_and_relates_the_old_one() -> None:
    [result] = run_of(FINDING)["results"]
    [location] = result["locations"]
    physical = location["physicalLocation"]
    assert unquote(physical["artifactLocation"]["uri"]) == "v2/a b#.yaml"
    assert physical["artifactLocation"]["uri"] == "v2/a%20b%23.yaml"
    assert physical["region"] == {"startLine": 4}
    assert [x["fullyQualifiedName"] for x in location["logicalLocations"]] == [*FINDING.operations]
    [related] = result["relatedLocations"]
    assert related["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 5}
    assert related["message"]["text"] == "the old side"


def test_a_removed_thing_points_at_the_old_side_alone() -> None:
    places = Places(old=SourceLocation("v1/a.yaml", 9, 1))
    [result] = run_of(replace(FINDING, places=places))["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 9
    assert "relatedLocations" not in result


def test_properties_carry_everything_the_finding_knows() -> None:
    [result] = run_of(FINDING)["results"]
    known = result["properties"]
    assert known["witness"] == {
        "value": {"quantity": 2},
        "exchange": {"method": "POST", "target": "/orders", "body": {}},
    }
    expected = {
        "verdict": "breaking",
        "category": "wire-request",
        "direction": "request",
        "operations": ["POST /orders", "PUT /orders/{id}"],
        "field": "quantity",
        "old": "integer",
        "new": "string",
        "proof": "witness",
        "severity": "high",
        "owner": "orders team",
        "canonicalFields": ["order.lines[].quantity"],
        "pointerOld": "/paths/a",
        "pointerNew": "/paths/b",
    }
    assert {k: known[k] for k in expected} == expected


def test_the_fingerprint_tracks_the_alert() -> None:
    moved = replace(FINDING, places=Places(new=SourceLocation("v2/a.yaml", 400, 1)))
    [first], [second] = run_of(FINDING)["results"], run_of(moved)["results"]
    assert first["partialFingerprints"] == second["partialFingerprints"]
    assert "0123456789ab" in first["partialFingerprints"]["driftgate/v1"]


@pytest.mark.parametrize(
    ("verdict", "level"),
    [
        (Verdict.BREAKING, "error"),
        (Verdict.NOT_CHECKED, "error"),
        (Verdict.UNPROVEN, "warning"),
        (Verdict.COMPATIBLE, "note"),
    ],
)
def test_the_verdict_is_the_level(verdict: Verdict, level: str) -> None:
    [result] = run_of(replace(FINDING, verdict=verdict))["results"]
    assert result["level"] == level


def test_what_was_not_checked_is_a_notification_and_the_run_no_success() -> None:
    run = run_of(
        verdict=Verdict.NOT_CHECKED,
        not_checked=(NotChecked("GET /a", "throttled", "Try later."),),
        replay="driftgate scan a --seed 1",
        generated_at="2026-11-23T03:18:00.000Z",
    )
    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is False
    [notification] = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "GET /a: throttled Try later."
    assert invocation["commandLine"] == "driftgate scan a --seed 1"
    assert run["results"] == []


def test_a_clean_run_is_a_success_without_results() -> None:
    run = run_of(verdict=Verdict.COMPATIBLE)
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run["results"] == run["tool"]["driver"]["rules"] == []


@pytest.mark.parametrize(
    ("path", "uri", "relative"),
    [
        ("./contracts/a.yaml", "contracts/a.yaml", True),
        ("main:contracts/a.yaml", "main%3Acontracts/a.yaml", True),
        ("/srv/contracts/ä.yaml", "file:///srv/contracts/%C3%A4.yaml", False),
        ("C:\\shop\\a.yaml", "file:///C:/shop/a.yaml", False),
        ("https://example.invalid/a b?c=1", "https://example.invalid/a%20b?c=1", False),
        ("dir/a%20b.yaml", "dir/a%2520b.yaml", True),
    ],
)
def test_paths_become_uris(path: str, uri: str, relative: bool) -> None:
    places = Places(new=SourceLocation(path, 1, 1))
    [result] = run_of(replace(FINDING, places=places))["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == uri
    assert ("uriBaseId" in artifact) is relative


def test_an_accepted_finding_is_suppressed_with_its_reason() -> None:
    [open_one] = run_of(FINDING)["results"]
    assert "suppressions" not in open_one
    accepted = Accepted("The client is gone.", "orders team", "2027-01-31")
    [result] = run_of(replace(FINDING, accepted=accepted))["results"]
    assert result["level"] == "error"
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "The client is gone.",
            "properties": {"owner": "orders team", "expires": "2027-01-31"},
        }
    ]


def test_huge_values_are_cut() -> None:
    huge = {"rows": ["x" * 100] * 10_000}
    text = render(
        Report("diff", "t", Verdict.BREAKING, (replace(FINDING, new=huge, witness=Witness(huge)),)),
        "sarif",
    )
    assert len(text) < 20_000
    assert_valid(json.loads(text))
