"""Folders and batches: every pair is answered on its own, with the same choices."""

from __future__ import annotations

import json
import subprocess
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
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {enum: [OPEN, SHIPPED]}}}
"""
WIDER = OLD.replace("SHIPPED]", "SHIPPED, HELD]")


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


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/") / "openapi.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    write(tmp_path / "a", shop__orders__v1=OLD, shop__stock__v1=OLD, shop__gone__v1=OLD)
    write(tmp_path / "b", shop__orders__v1=WIDER, shop__stock__v1=OLD, shop__new__v1=OLD)
    return tmp_path


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (r["document"].split("/")[1], r["change"], r["verdict"])
        for r in result["details"]["documents"]
    ]


def test_two_folders_are_compared_api_by_api(folders: Path) -> None:
    done = driftgate(folders, "diff", "a", "b", "-f", "json")
    result = json.loads(done.stdout)
    assert done.returncode == 1
    assert rows(result) == [
        ("gone", "removed", "breaking"),
        ("new", "added", "compatible"),
        ("orders", "modified", "breaking"),
        ("stock", "unchanged", "compatible"),
    ]
    assert [f["rule"] for f in result["findings"]] == [
        "contract-removed",
        "response-enum-value-added",
    ]
    assert result["findings"][1]["api"] == "shop/orders/v1/openapi.yaml"
    assert result["replay"] == "driftgate diff a b"


def waiver(mark: str) -> str:
    return (
        "accepted: 1\ndifferences:\n"
        f"  - {{fingerprint: '{mark}', reason: It was agreed., owner: us, expires: '2999-01-01'}}\n"
    )


def test_waivers_stand_beside_new_and_leave_untouched_documents_alone(folders: Path) -> None:
    found = json.loads(driftgate(folders, "diff", "a", "b", "-f", "json").stdout)["findings"]
    for finding, name in zip(found, ("gone", "orders"), strict=True):
        place = folders / "b" / "shop" / name / "v1"
        place.mkdir(exist_ok=True, parents=True)
        (place / "accepted.yaml").write_text(waiver(finding["fingerprint"]))
    (folders / "b/shop/stock/v1/accepted.yaml").write_text(waiver("0123456789ab"))
    done = driftgate(folders, "diff", "a", "b", "-f", "json")
    result = json.loads(done.stdout)
    assert done.returncode == 0, result["findings"]
    assert [f["accepted"]["owner"] for f in result["findings"]] == ["us", "us"]
    assert result["details"]["policy"]["accepted"] == [
        "b/shop/gone/v1/accepted.yaml",
        "b/shop/orders/v1/accepted.yaml",
    ]


def test_who_called_a_contract_that_is_gone_is_named(folders: Path) -> None:
    call = {"request": {"method": "GET", "path": "/orders"}, "response": {"status": 200}}
    names = {"consumer": {"name": "sync-engine"}, "provider": {"name": "shop"}}
    pact = {**names, "interactions": [{"description": "a list", **call}]}
    (folders / "pact.json").write_text(json.dumps(pact))
    done = driftgate(folders, "diff", "a", "b", "--consumers", "pact.json", "-f", "json")
    assert json.loads(done.stdout)["findings"][0]["consumers"] == ["sync-engine"]


def test_an_overlay_corrects_one_contract_only(folders: Path) -> None:
    (folders / "fix.yaml").write_text(
        "overlay: 1.0.0\ninfo: {title: t, version: '1', x-reason: The vendor forgot it.}\n"
        "actions: [{target: $.info, update: {x-a: 1}}]\n"
    )
    done = driftgate(folders, "diff", "a", "b", "--overlay", "fix.yaml")
    assert done.returncode == 2
    assert "not a folder" in done.stderr


def test_a_document_that_does_not_load_leaves_the_others_alone(folders: Path) -> None:
    write(folders / "b", shop__stock__v1="openapi: [", shop__gone__v1=OLD, shop__orders__v1=OLD)
    done = driftgate(folders, "diff", "a", "b", "-f", "json")
    result = json.loads(done.stdout)
    assert done.returncode == 3
    assert result["verdict"] == "not_checked"
    assert [n["target"] for n in result["not_checked"]] == ["shop/stock/v1/openapi.yaml"]
    assert "1 of 4 documents could not be checked." in result["headline"]


def test_a_new_document_that_does_not_load_is_no_pass(folders: Path) -> None:
    write(folders / "b", shop__orders__v1=OLD, shop__gone__v1=OLD, shop__new__v1="openapi: [")
    done = driftgate(folders, "diff", "a", "b", "-f", "json")
    assert done.returncode == 3
    assert rows(json.loads(done.stdout))[1] == ("new", "added", "not checked")


def test_a_git_revision_is_a_folder_too(folders: Path) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "c"]):
        subprocess.run(["git", *identity, *arguments], cwd=folders, check=True)
    write(folders / "a", shop__orders__v1=WIDER)
    done = driftgate(folders, "diff", "main:a", "a", "-f", "json")
    assert rows(json.loads(done.stdout))[1] == ("orders", "modified", "breaking")
    single = driftgate(folders, "diff", "main:a/shop/orders/v1", "a/shop/orders/v1", "-f", "json")
    assert json.loads(single.stdout)["findings"][0]["rule"] == "response-enum-value-added"


def test_a_folder_of_several_cannot_face_one_document(folders: Path) -> None:
    done = driftgate(folders, "diff", "a", "b/shop/orders/v1")
    assert done.returncode == 2
    assert "3 documents" in done.stderr


def test_one_list_of_waivers_cannot_hold_for_many(folders: Path) -> None:
    (folders / "mine.yaml").write_text("accepted: 1\ndifferences: []\n")
    done = driftgate(folders, "diff", "a", "b", "--accepted", "mine.yaml")
    assert done.returncode == 2
    assert "several" in done.stderr
    assert batch(folders, "--accepted", "mine.yaml")[1] == 2


def test_a_folder_with_one_file_of_another_name_is_that_document(folders: Path) -> None:
    (folders / "c").mkdir()
    (folders / "c" / "api.yaml").write_text(WIDER)
    done = driftgate(folders, "diff", "a/shop/orders/v1", "c", "-f", "json")
    assert [f["rule"] for f in json.loads(done.stdout)["findings"]] == ["response-enum-value-added"]


def test_a_folder_around_one_document_is_that_document(folders: Path) -> None:
    done = driftgate(folders, "diff", "a/shop/orders", "b/shop/orders/v1", "-f", "json")
    assert [f["rule"] for f in json.loads(done.stdout)["findings"]] == ["response-enum-value-added"]


def batch(folder: Path, *arguments: str) -> tuple[list[dict[str, Any]], int, str]:
    pairs = [
        {"id": name, "old": f"a/shop/{name}/v1", "new": f"b/shop/{name}/v1"}
        for name in ("orders", "stock")
    ]
    (folder / "pairs").write_text("".join(json.dumps(p) + "\n" for p in pairs))
    done = driftgate(folder, "diff", "--batch", "pairs", *arguments)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode, done.stderr


def test_options_hold_for_each_pair_of_a_batch(folders: Path) -> None:
    plain, code, told = batch(folders)
    assert ([r["verdict"] for r in plain], code, told) == (["breaking", "compatible"], 1, "")
    picked, code, _ = batch(folders, "--category", "wire-request")
    assert ([r["verdict"] for r in picked], code) == (["compatible", "compatible"], 0)
    assert picked[0]["summary"]["not_counted"] == 1
    versioned, code, _ = batch(folders, "--check-version")
    assert [r["details"]["version"]["outcome"] for r in versioned] == ["too small", "enough"]


def test_a_wrong_file_beside_one_pair_costs_only_that_pair(folders: Path) -> None:
    (folders / "b/shop/stock/v1/accepted.yaml").write_text("accepted: 2\ndifferences: []\n")
    results, code, _ = batch(folders)
    assert [r["verdict"] for r in results] == ["breaking", "not_checked"]
    assert "accepted.yaml:1" in results[1]["not_checked"][0]["reason"]
    assert code == 1


def test_a_batch_writes_witnesses_and_its_results_whole(folders: Path) -> None:
    results, code, told = batch(folders, "--witness-dir", "proof", "-o", "out/results", "--timing")
    assert results == []
    assert code == 1
    written = (folders / "out" / "results").read_text().splitlines()
    assert [json.loads(line)["id"] for line in written] == ["orders", "stock"]
    assert (folders / "proof" / "line-00001" / "index.json").is_file()
    assert "old: parse" in told
    assert [p.name for p in (folders / "out").iterdir()] == ["results"]


def test_a_batch_answers_in_json_lines_only(folders: Path) -> None:
    results, code, told = batch(folders, "--format", "html")
    assert (results, code) == ([], 2)
    assert "html" in told
