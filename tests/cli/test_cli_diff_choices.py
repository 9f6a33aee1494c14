"""``driftgate diff`` applies what the user chose, and the report says what was applied."""

from __future__ import annotations

import json
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from harness.cli.main import main

OLD = """openapi: 3.1.0
info: {title: Orders, version: 1.4.0}
paths:
  /orders:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  state: {enum: [OPEN, SHIPPED]}
                  memo: {type: string}
"""
WIDER = OLD.replace("SHIPPED]", "SHIPPED, HELD]")
SHORTER = OLD.replace("                  memo: {type: string}\n", "")
PACT = {
    "consumer": {"name": "sync-engine"},
    "provider": {"name": "shop"},
    "interactions": [
        {
            "description": "a list",
            "request": {"method": "GET", "path": "/orders"},
            "response": {"status": 200, "body": {"memo": "x"}},
        }
    ],
}


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def driftgate(folder: Path, *arguments: str) -> Done:
    """Run the command line in this process, as from a shell in ``folder``."""
    out, told = StringIO(), StringIO()
    line = patch.object(sys, "argv", ["driftgate", *arguments])
    with chdir(folder), line, redirect_stdout(out), redirect_stderr(told):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
            return Done(code, out.getvalue(), told.getvalue())
    return Done(0, out.getvalue(), told.getvalue())


def answer(folder: Path, *arguments: str) -> dict[str, Any]:
    done = driftgate(folder, "diff", "old.yaml", "new.yaml", "--format", "json", *arguments)
    result: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"error": done.stderr}
    return {**result, "code": done.returncode, "told": done.stderr}


def pair(folder: Path, new: str) -> Path:
    (folder / "old.yaml").write_text(OLD)
    (folder / "new.yaml").write_text(new)
    return folder


def accepting(mark: str) -> str:
    return f"""accepted: 1
differences:
  - {{fingerprint: "{mark}", reason: We treat HELD as OPEN., owner: us, expires: "2026-12-31"}}
"""


def test_an_accepted_difference_lets_the_change_pass_until_its_day(tmp_path: Path) -> None:
    pair(tmp_path, WIDER)
    found = answer(tmp_path)
    assert (found["verdict"], found["code"]) == ("breaking", 1)
    (tmp_path / "accepted.yaml").write_text(accepting(found["findings"][0]["fingerprint"]))

    passing = answer(tmp_path, "--as-of", "2026-12-31")
    assert (passing["verdict"], passing["code"]) == ("compatible", 0)
    assert passing["findings"][0]["accepted"]["owner"] == "us"
    assert passing["details"]["policy"]["accepted"] == ["accepted.yaml"]

    late = answer(tmp_path, "--as-of", "2027-01-01")
    assert (late["verdict"], late["code"]) == ("breaking", 1)
    assert "accepted-difference-expired" in [f["rule"] for f in late["findings"]]

    ignored = answer(tmp_path, "--no-accepted")
    assert (ignored["verdict"], ignored["code"]) == ("breaking", 1)
    assert "details" not in ignored


def test_the_file_beside_new_wins_and_one_can_be_named(tmp_path: Path) -> None:
    pair(tmp_path, OLD)
    (tmp_path / "accepted.yaml").write_text(accepting("0123456789ab"))
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "new.yaml").write_text(WIDER)
    beside_old = driftgate(tmp_path, "diff", "old.yaml", "v2/new.yaml", "-f", "json")
    found = json.loads(beside_old.stdout)
    assert "accepted-difference-unmatched" in [f["rule"] for f in found["findings"]]
    mark = next(f["fingerprint"] for f in found["findings"] if f["rule"].startswith("response"))
    for name in ("v2/accepted.yaml", "elsewhere.yaml"):
        (tmp_path / name).write_text(accepting(mark))
        options = ["--accepted", name] if name == "elsewhere.yaml" else []
        arguments = ["diff", "old.yaml", "v2/new.yaml", "--as-of", "2026-11-23", "-f", "json"]
        done = driftgate(tmp_path, *arguments, *options)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["details"]["policy"]["accepted"] == [name]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--accepted", "none.yaml"), "--accepted names none.yaml"),
        (("--accepted", "new.yaml"), "new.yaml:"),
        (("--accepted", "new.yaml", "--no-accepted"), "contradict"),
        (("--as-of", "soon"), "2026-12-31"),
        (("--category", "wire"), "--category"),
        (("--fail-on", "hihg"), "critical"),
        (("--consumers", "nowhere"), "nowhere"),
        (("--severity", "nowhere"), "--severity names nowhere"),
        (("--overlay", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_a_wrong_option_is_one_message_and_2(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    found = answer(pair(tmp_path, OLD), *options)
    assert found["code"] == 2
    assert words in found["told"]
    assert "Traceback" not in found["told"]


def test_categories_decide_what_is_judged_and_what_counts(tmp_path: Path) -> None:
    pair(tmp_path, SHORTER)
    usual = answer(tmp_path)
    assert (usual["verdict"], usual["code"]) == ("compatible", 0)
    strict = answer(tmp_path, "--category", "data-loss")
    assert (strict["verdict"], strict["code"]) == ("breaking", 1)
    pair(tmp_path, WIDER)
    aside = answer(tmp_path, "--category", "data-loss")
    assert (aside["verdict"], aside["code"]) == ("compatible", 0)
    assert [f["verdict"] for f in aside["findings"]] == ["breaking"]
    assert aside["summary"]["not_counted"] == 1
    assert "1 finding outside the picked categories (data-loss)" in aside["headline"]
    assert aside["replay"] == "driftgate diff old.yaml new.yaml --category data-loss"


def test_a_removal_is_in_order_once_its_sunset_and_the_grace_have_passed(tmp_path: Path) -> None:
    leaving = OLD.replace(
        "    get:\n", "    get:\n      deprecated: true\n      x-sunset: '2026-03-01'\n"
    )
    (tmp_path / "old.yaml").write_text(leaving, encoding="utf-8")
    gone = OLD[: OLD.index("paths:")] + "paths: {}\n"
    (tmp_path / "new.yaml").write_text(gone, encoding="utf-8")
    pair = ("diff", "old.yaml", "new.yaml", "--format", "json")
    early = driftgate(tmp_path, *pair, "--as-of", "2026-02-01")
    assert early.returncode == 1
    assert "removed-before-sunset" in early.stdout
    late = driftgate(tmp_path, *pair, "--as-of", "2026-03-10")
    assert late.returncode == 0
    assert "operation-removed-after-sunset" in late.stdout
    patient = driftgate(tmp_path, *pair, "--as-of", "2026-03-10", "--grace-days", "30")
    assert patient.returncode == 1
    assert "--grace-days 30" in json.loads(patient.stdout)["replay"]


def test_a_consumer_that_reads_what_is_lost_is_named(tmp_path: Path) -> None:
    pair(tmp_path, SHORTER)
    (tmp_path / "pacts").mkdir()
    (tmp_path / "pacts" / "sync-engine.json").write_text(json.dumps(PACT))
    found = answer(tmp_path, "--consumers", "pacts")
    (finding,) = found["findings"]
    assert (finding["category"], finding["verdict"]) == ("data-loss", "breaking")
    assert finding["consumers"] == ["sync-engine"]
    assert found["code"] == 1
    assert found["details"]["policy"] == {"consumers": ["sync-engine"]}


def test_a_consumer_that_calls_something_else_is_told_apart(tmp_path: Path) -> None:
    pair(tmp_path, SHORTER)
    (tmp_path / "pact.json").write_text(json.dumps(PACT).replace("/orders", "/stock"))
    found = answer(tmp_path, "--consumers", "pact.json")
    assert found["verdict"] == "compatible"
    assert found["details"]["policy"] == {"consumers_that_do_not_call": ["sync-engine"]}


def test_severities_decide_what_fails(tmp_path: Path) -> None:
    pair(tmp_path, WIDER)
    (tmp_path / "grades.yaml").write_text(
        "severity: 1\ngrades:\n"
        "  - {rule: response-enum-value-added, severity: low, reason: The engine sets it aside.}\n"
    )
    assert answer(tmp_path, "--fail-on", "high")["code"] == 1
    graded = answer(tmp_path, "--severity", "grades.yaml", "--fail-on", "high")
    assert graded["code"] == 0
    assert graded["verdict"] == "breaking"
    assert graded["findings"][0]["severity"] == "low"
    assert answer(tmp_path, "--severity", "grades.yaml", "--fail-on", "low")["code"] == 1


def test_the_severities_of_a_system_are_found_from_its_contract(tmp_path: Path) -> None:
    version = tmp_path / "contracts" / "shop" / "orders" / "v1"
    version.mkdir(parents=True)
    (version / "openapi.yaml").write_text(WIDER)
    (tmp_path / "old.yaml").write_text(OLD)
    (tmp_path / "contracts" / "shop" / "severity.yaml").write_text(
        "severity: 1\ngrades: [{category: wire-response, severity: high, reason: Orders stop.}]\n"
    )
    done = driftgate(tmp_path, "diff", "old.yaml", "contracts/shop/orders/v1", "-f", "json")
    found = json.loads(done.stdout)
    assert found["findings"][0]["severity"] == "high"
    assert found["details"]["policy"]["severity"] == ["contracts/shop/severity.yaml"]


def test_the_version_is_checked_on_request(tmp_path: Path) -> None:
    pair(tmp_path, WIDER.replace("1.4.0", "1.5.0"))
    assert "version" not in answer(tmp_path).get("details", {})
    found = answer(tmp_path, "--check-version")
    assert found["details"]["version"]["smallest"] == "2.0.0"
    assert "The version rose too little." in found["headline"]


def test_timing_goes_to_standard_error_and_names_every_phase(tmp_path: Path) -> None:
    pair(tmp_path, WIDER)
    plain, timed = answer(tmp_path), answer(tmp_path, "--timing")
    assert plain["told"] == ""
    for phase in ("old: read", "new: parse", "new: normalise", "compare answers", "total"):
        assert f"  {phase}" in timed["told"]
    assert timed["findings"] == plain["findings"]


def test_witnesses_are_written(tmp_path: Path) -> None:
    found = answer(pair(tmp_path, WIDER), "--witness-dir", "proof")
    mark = found["findings"][0]["fingerprint"]
    names = sorted(p.name for p in (tmp_path / "proof").iterdir())
    assert f"{mark}-response-enum-value-added.http" in names
    assert "index.json" in names


def test_an_overlay_corrects_both_sides_and_a_stale_one_is_told(tmp_path: Path) -> None:
    pair(tmp_path, WIDER)
    overlay = {
        "overlay": "1.0.0",
        "info": {"title": "corrections", "version": "1", "x-reason": "The vendor lists too few."},
        "actions": [
            {
                "target": "$.paths['/orders'].get.responses['200'].content['application/json']"
                ".schema.properties.state.enum",
                "update": "HELD",
            }
        ],
    }
    (tmp_path / "fix.json").write_text(json.dumps(overlay))
    fixed = answer(tmp_path, "--overlay", "fix.json")
    assert "response-enum-value-added" not in [f["rule"] for f in fixed["findings"]], fixed
    overlay["actions"][0]["target"] = "$.paths['/gone']"  # type: ignore[index]
    (tmp_path / "fix.json").write_text(json.dumps(overlay))
    stale = answer(tmp_path, "--overlay", "fix.json")
    assert "overlay-target-absent" in [f["rule"] for f in stale["findings"]]
    assert stale["code"] == 1


def test_an_overlay_filed_with_a_document_corrects_it_unasked(tmp_path: Path) -> None:
    pair(tmp_path, OLD)
    (tmp_path / "v2" / "overlays").mkdir(parents=True)
    (tmp_path / "v2" / "openapi.yaml").write_text(OLD)
    (tmp_path / "v2" / "overlays" / "1.yaml").write_text(
        "overlay: 1.0.0\ninfo: {title: t, version: '1', x-reason: The vendor forgot this one.}\n"
        "actions:\n  - target: $.paths['/orders'].get.responses['200']"
        ".content['application/json'].schema.properties.state\n    update: {enum: [HELD]}\n"
    )
    digest = "ab" * 32
    (tmp_path / "v2" / "source.yaml").write_text(
        f"source: 1\ndocument: openapi.yaml\nfrom: a\nimported: '2026-11-23T00:00:00Z'\n"
        f"sha256: {digest}\noverlays: [{{file: overlays/1.yaml, sha256: {digest}}}]\n"
    )
    for name in ("v2", "v2/openapi.yaml"):
        done = driftgate(tmp_path, "diff", "old.yaml", name, "-f", "json")
        found = json.loads(done.stdout)["findings"]
        assert [f["rule"] for f in found] == ["response-enum-value-added"]


def test_the_same_question_gives_the_same_bytes(tmp_path: Path) -> None:
    pair(tmp_path, WIDER)
    arguments = ["diff", "old.yaml", "new.yaml", "--check-version", "--category", "all"]
    first, second = driftgate(tmp_path, *arguments), driftgate(tmp_path, *arguments)
    assert first.stdout == second.stdout
    assert "replay:  driftgate diff old.yaml new.yaml --category all --check-version" in (
        first.stdout
    )
