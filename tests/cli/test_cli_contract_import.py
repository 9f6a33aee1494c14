"""``driftgate contract import`` files a vendor's document whole, and says what changed."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from harness.catalog import Catalog, load_metadata, metadata_schema
from harness.cli.main import main

DOCUMENT = """# the vendor's own remark
openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema: {type: object, properties: {state: {enum: [open, paid]}}}
"""
SECOND = DOCUMENT.replace('version: "1"', 'version: "2 beta/b"').replace("paid]", "paid, lost]")
OVERLAY = """overlay: 1.0.0
info: {title: Fixes, version: "1", x-reason: lost is never sent}
actions:
  - target: $.paths..properties.state.enum[?@ == 'lost']
    remove: true
"""
EVENT = {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"n": {}}}


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: str, cwd: Path, stdin: str = "") -> Done:
    """Run the command in this process: a dozen interpreters would take most of the time."""
    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    with (
        chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["driftgate", "contract", "import", *arguments])
        patch.setattr(sys, "stdin", given)
        with pytest.raises(SystemExit) as ended:
            main()
    return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())


def run(*arguments: str, cwd: Path, stdin: str = "") -> Done:
    options = ["--system", "shop", "--api", "orders", "--contracts", "contracts"]
    return call(*arguments, *options, cwd=cwd, stdin=stdin)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "first.yaml").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "second.yaml").write_text(SECOND, encoding="utf-8")
    (tmp_path / "fixes.yaml").write_text(OVERLAY, encoding="utf-8")
    return tmp_path


def filed(desk: Path) -> dict[str, bytes]:
    root = desk / "contracts"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def sidecar(desk: Path, version: str) -> dict[str, Any]:
    path = desk / "contracts/shop/orders" / version / "source.yaml"
    return dict(load_metadata(path, metadata_schema("source")))


def test_a_document_is_kept_byte_for_byte_with_where_it_came_from(desk: Path) -> None:
    done = run("first.yaml", cwd=desk)
    assert done.returncode == 0
    assert "The first version of shop/orders: 1." in done.stdout
    assert "filed as contracts/shop/orders/1" in done.stderr
    assert filed(desk)["shop/orders/1/openapi.yaml"] == DOCUMENT.encode()
    facts = sidecar(desk, "1")
    assert facts["from"] == "first.yaml"
    assert facts["sha256"] == sha256(DOCUMENT.encode()).hexdigest()
    assert facts["imported"].endswith("Z")
    contract = Catalog(desk / "contracts").contract("shop", "orders", "1").contract
    assert contract.title == "Orders"


def test_a_new_version_is_compared_with_the_last_and_filed(desk: Path) -> None:
    run("first.yaml", cwd=desk)
    done = run("second.yaml", "--format", "json", "--fail-on", "breaking", cwd=desk)
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (1, "breaking")
    (finding,) = report["findings"]
    assert finding["rule"] == "response-enum-value-added"
    assert finding["places"]["new"]["path"] == "contracts/shop/orders/2-beta-b/openapi.yaml"
    assert filed(desk)["shop/orders/2-beta-b/openapi.yaml"] == SECOND.encode()


def test_what_is_filed_already_is_recognised_and_nothing_is_written(desk: Path) -> None:
    run("first.yaml", cwd=desk)
    before = filed(desk)
    for more in ((), ("--version", "9")):
        done = run("first.yaml", *more, cwd=desk)
        assert done.returncode == 0
        assert "Nothing new" in done.stdout
        assert filed(desk) == before


def test_a_different_document_of_the_same_version_needs_replace(desk: Path) -> None:
    run("first.yaml", cwd=desk)
    (desk / "contracts/shop/orders/1/mapping.yaml").write_text("kept: 1\n", encoding="utf-8")
    before = filed(desk)
    refused = run("second.yaml", "--version", "1", cwd=desk)
    assert refused.returncode == 2
    assert "--replace" in refused.stderr
    assert filed(desk) == before
    replaced = run("second.yaml", "--version", "1", "--replace", cwd=desk)
    assert replaced.returncode == 0
    assert "lost" in replaced.stdout
    after = filed(desk)
    assert after["shop/orders/1/openapi.yaml"] == SECOND.encode()
    assert after["shop/orders/1/mapping.yaml"] == b"kept: 1\n"
    assert set(after) == set(before)


def test_an_overlay_is_filed_with_the_document_and_corrects_it_ever_after(desk: Path) -> None:
    run("first.yaml", cwd=desk)
    done = run("second.yaml", "--version", "2", "--overlay", "fixes.yaml", cwd=desk)
    assert (done.returncode, "verdict: compatible" in done.stdout) == (0, True)
    after = filed(desk)
    assert after["shop/orders/2/openapi.yaml"] == SECOND.encode()
    assert after["shop/orders/2/overlays/1-fixes.yaml"] == OVERLAY.encode()
    assert sidecar(desk, "2")["overlays"][0]["title"] == "Fixes"
    loaded = Catalog(desk / "contracts").contract("shop", "orders", "2")
    schema = loaded.contract.schemas["paths"]["/orders"]["get"]["responses"]["200"]
    assert schema["content"]["application/json"]["schema"]["properties"]["state"] == {
        "enum": ["open", "paid"]
    }
    assert "Nothing new" in run("second.yaml", "--overlay", "fixes.yaml", cwd=desk).stdout
    assert run("second.yaml", "--version", "2", "--replace", cwd=desk).returncode == 0
    assert "shop/orders/2/overlays/1-fixes.yaml" not in filed(desk)


def test_files_the_document_refers_to_are_filed_with_it(desk: Path) -> None:
    (desk / "parts").mkdir()
    (desk / "parts/state.yaml").write_text("enum: [open]\n", encoding="utf-8")
    split = DOCUMENT.replace("{enum: [open, paid]}", "{$ref: parts/state.yaml}")
    (desk / "first.yaml").write_text(split, encoding="utf-8")
    assert run("first.yaml", cwd=desk).returncode == 0
    assert filed(desk)["shop/orders/1/parts/state.yaml"] == b"enum: [open]\n"
    assert sidecar(desk, "1")["files"] == ["parts/state.yaml"]
    assert Catalog(desk / "contracts").contract("shop", "orders", "1").problems == ()


def test_a_message_schema_is_filed_under_its_own_name(desk: Path) -> None:
    (desk / "event.json").write_text(json.dumps(EVENT), encoding="utf-8")
    assert "does not say its version" in run("event.json", cwd=desk).stderr
    assert run("event.json", "--version", "v1", cwd=desk).returncode == 0
    assert "shop/orders/v1/schema.json" in filed(desk)
    assert Catalog(desk / "contracts").apis("shop") == (("orders", "v1"),)


def test_problems_of_the_document_are_told_with_their_lines(desk: Path) -> None:
    (desk / "first.yaml").write_text(DOCUMENT.replace("/orders:", "/{id}:"), encoding="utf-8")
    done = run("first.yaml", cwd=desk)
    assert done.returncode == 0
    assert "openapi.yaml:6:" in done.stderr
    assert "1 problem in the document" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [\n", "first.yaml:2:1: not valid YAML"),
        ("name: driftgate\n", "neither 'openapi' nor 'swagger'"),
        ("", "empty"),
    ],
)
def test_what_is_no_contract_is_refused_and_nothing_is_written(
    desk: Path, text: str, words: str
) -> None:
    (desk / "first.yaml").write_text(text, encoding="utf-8")
    done = run("first.yaml", cwd=desk)
    assert done.returncode == 2
    assert words in done.stderr
    assert filed(desk) == {}


@pytest.mark.parametrize(
    "options",
    [("--system", ".."), ("--api", "a/b"), ("--version", "../x"), ("--system", "canonical")],
)
def test_names_that_would_leave_the_folder_are_refused(
    desk: Path, options: tuple[str, str]
) -> None:
    given = {"--system": "shop", "--api": "orders", "--contracts": "contracts"}
    given |= dict([options])
    words = [word for pair in given.items() for word in pair]
    done = call("first.yaml", *words, cwd=desk)
    assert done.returncode == 2
    assert "cannot be the name of a" in done.stderr
    assert filed(desk) == {}


def test_a_place_that_cannot_be_written_leaves_nothing_behind(desk: Path) -> None:
    (desk / "contracts/shop").write_text("in the way", encoding="utf-8")
    done = run("first.yaml", cwd=desk)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert filed(desk) == {"shop": b"in the way"}


def test_standard_input_is_a_source(desk: Path) -> None:
    assert run("-", cwd=desk, stdin=DOCUMENT).returncode == 0
    assert sidecar(desk, "1")["from"] == "standard input"


# ------------------------------------------------------------------------------------- the network


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def vendor(desk: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(desk)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_document_is_imported_from_an_address_of_this_machine(desk: Path, vendor: str) -> None:
    assert run(f"{vendor}/first.yaml?key=secret", cwd=desk).returncode == 0
    assert sidecar(desk, "1")["from"] == f"{vendor}/first.yaml"
    again = run("first.yaml", cwd=desk)
    assert "Nothing new" in again.stdout
    missing = run(f"{vendor}/gone.yaml", cwd=desk)
    assert missing.returncode == 3
    assert "the server answered 404" in missing.stderr


def test_another_machine_is_asked_only_when_allowed(desk: Path) -> None:
    done = run("https://vendor.example/openapi.yaml", cwd=desk)
    assert done.returncode == 2
    assert "--allow-remote" in done.stderr


def test_help_shows_examples(desk: Path) -> None:
    done = call("--help", cwd=desk)
    assert "driftgate contract import openapi.yaml --system shop --api orders" in done.stdout
