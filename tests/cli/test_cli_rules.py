"""Proves that people find every rule on the command line, with an example they can read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.main import build_app
from harness.compatibility.rules import catalogue
from harness.conformance import RULES as OBSERVED
from harness.gate.rules import RULES as GATE
from harness.model.errors import UsageError
from harness.model.finding import Category

RUNNER = CliRunner()
START = "from harness.cli.main import main; main()"


def driftgate(*arguments: str, columns: int = 100) -> str:
    done = RUNNER.invoke(
        build_app(), list(arguments), env={"COLUMNS": str(columns)}, catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.output


def parsed(*arguments: str) -> Any:
    return json.loads(driftgate(*arguments, "--format", "json"))


def test_the_list_holds_every_rule_with_its_reason() -> None:
    shown = driftgate("rules").splitlines()
    rows = {line.split()[0]: line for line in shown[1:-2]}
    assert rows.keys() == {r.id for r in catalogue()} | GATE.keys()
    assert shown[-1].startswith(f"{len(rows)} rules.")
    for rule in catalogue():
        assert rule.category.value in rows[rule.id]
        assert rows[rule.id].endswith(rule.why)


@pytest.mark.parametrize("category", list(Category))
def test_a_category_leaves_the_others_out(category: Category) -> None:
    listed = parsed("rules", "--category", category.value)
    assert listed
    assert {rule["category"] for rule in listed} == {category.value}


def test_the_list_as_data_says_what_mirrors_what() -> None:
    listed = {rule["id"]: rule for rule in parsed("rules")}
    assert listed["request-enum-value-removed"]["mirror"] == {"rule": "response-enum-value-added"}
    assert listed["request-enum-value-removed"]["direction"] == "request"
    assert "reason" in listed["server-removed"]["mirror"]
    assert listed["operation-id-changed"]["direction"] is None


def test_the_list_as_markdown_is_a_table() -> None:
    lines = driftgate("rules", "-f", "markdown").splitlines()
    assert lines[:2] == ["| rule | category | direction | why |", "|---|---|---|---|"]
    assert len(lines) == len(catalogue()) + len(GATE) + 2
    assert {line.count(" | ") for line in lines[2:]} == {3}


def test_an_explanation_shows_both_sides_the_near_miss_and_what_to_do() -> None:
    shown = driftgate("explain", "request-default-changed")
    assert shown == EXPLAINED


def test_a_narrow_terminal_puts_the_sides_below_each_other() -> None:
    wide = driftgate("explain", "request-parameter-style-changed", columns=120)
    narrow = driftgate("explain", "request-parameter-style-changed", columns=30)
    assert any(line.split() == ["old", "new"] for line in wide.splitlines())
    assert "  old\n" in narrow
    assert "  new\n" in narrow
    assert not any(line.split() == ["old", "new"] for line in narrow.splitlines())


@pytest.mark.parametrize("fmt", ["text", "json", "markdown"])
def test_every_rule_can_be_explained_in_every_format(fmt: str) -> None:
    from harness.cli import rules as command
    from harness.compatibility.rules.fixtures import load_example

    for rule in catalogue():
        example = load_example(rule.id)
        if fmt == "text":
            shown = command._explained_text(rule, example, 100)
        elif fmt == "markdown":
            shown = command._explained_markdown(rule, example)
        else:
            shown = json.dumps(command._explained_json(rule, example), ensure_ascii=False)
        assert rule.id in shown
        assert "&id" not in shown
        if fmt != "text":
            assert rule.why in shown
            assert example.near_miss_why in shown


def test_an_explanation_as_data_can_be_compared_again() -> None:
    found = parsed("explain", "sunset-too-soon")
    assert found["example"]["settings"] == {"today": "2026-06-01", "notice_days": 30}
    assert found["near_miss"]["old"] == found["example"]["old"]
    assert found["verdict"] == "breaking"


def test_the_rules_of_live_traffic_are_listed_and_explained() -> None:
    shown = driftgate("rules", "--traffic")
    assert [line.split()[0] for line in shown.splitlines()[1:-2]] == sorted(OBSERVED)
    for name, rule in OBSERVED.items():
        told = driftgate("explain", name)
        assert rule.why in told
        assert rule.action in told
    assert parsed("explain", "observed-type-changed")["verdict"] == "breaking"


@pytest.mark.parametrize("fmt", ["text", "markdown"])
def test_a_decision_of_the_gate_is_explained_without_an_example(fmt: str) -> None:
    for name, rule in GATE.items():
        told = driftgate("explain", name, "--format", fmt)
        assert name in told
        assert rule.why in told
        assert rule.mirror in told


def test_an_unknown_rule_names_the_nearest_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, "explain", "respone-enum-value-aded"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "There is no rule 'respone-enum-value-aded'." in done.stderr
    assert "Did you mean response-enum-value-added" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rules", "--traffic", "--category", "docs"], "--traffic takes no --category"),
        (["explain", "xyzzy"], "There is no rule 'xyzzy'. driftgate rules lists all"),
        (["explain", "../../../etc/passwd"], "There is no rule"),
        (["rules", "--category", "wire"], "There is no category 'wire'. Use wire-request"),
        (["rules", "--format", "html"], "There is no format 'html' here"),
        (["explain", "server-removed", "-f", "sarif"], "Use text, json or markdown"),
    ],
)
def test_wrong_usage_says_what_to_change(arguments: list[str], complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        RUNNER.invoke(build_app(), arguments, catch_exceptions=False)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("command", ["rules", "explain"])
def test_the_help_shows_examples(command: str) -> None:
    assert f"driftgate {command}" in driftgate(command, "--help")
    assert "Examples" in driftgate(command, "--help")


def test_listing_rules_is_light() -> None:
    code = (
        "import sys\nsys.argv = ['driftgate', 'rules']\nfrom harness.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    heavy = {"schemathesis", "hypothesis", "pact", "sqlalchemy", "httpx", "matplotlib", "jinja2"}
    assert loaded & heavy == set()


EXPLAINED = """\
request-default-changed  (policy, request)

Why         Old calls that leave the value out now mean something else.
What to do  Send the value expressly, or keep the old default.
Mirror      response-default-changed

Example: parameter, breaking
  old                new
  name: size         name: size
  schema:            schema:
    type: integer      type: integer
    default: 20        default: 100

Near miss: Every call sends the value, so its default is never used.
  old                new
  name: size         name: size
  required: true     required: true
  schema:            schema:
    type: integer      type: integer
    default: 20        default: 100
"""
