"""Witness files run as they stand, say what they prove, and cannot be made to do anything else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.witness_files import INDEX, write_witnesses
from harness.model.errors import UsageError
from harness.model.finding import (
    Category,
    Direction,
    Finding,
    Proof,
    Report,
    Verdict,
    Witness,
)
from harness.model.values import Json

CALL: dict[str, Json] = {"method": "POST", "path": "/orders", "target": "/orders?dry=true"}
JSON_CALL: dict[str, Json] = {**CALL, "content_type": "application/json"}


def finding(exchange: Json, value: Json = None, **more: Any) -> Finding:
    base = Finding(
        fingerprint="0123456789ab",
        rule="request-type-changed",
        category=Category.WIRE_REQUEST,
        verdict=Verdict.BREAKING,
        message="quantity: the type integer is no longer accepted here.",
        direction=Direction.REQUEST,
        operations=("POST /orders",),
        proof=Proof.WITNESS,
        witness=Witness(value, exchange),
    )
    return replace(base, **more)


def written(folder: Path, *findings: Finding) -> dict[str, bytes]:
    report = Report("diff", "Old against new", Verdict.BREAKING, findings)
    paths = write_witnesses(report, folder)
    assert sorted(paths) == sorted(folder.iterdir())
    return {path.name: path.read_bytes() for path in paths}


def http(folder: Path, exchange: Json, **more: Any) -> str:
    files = written(folder, finding(exchange, **more))
    return files["0123456789ab-request-type-changed.http"].decode()


def sent(text: str) -> tuple[str, dict[str, str], str]:
    """Read a file as a REST client does: request line, headers and body of its first request."""
    variables = dict(re.findall(r"(?m)^@(\w+) = (.*)$", text))
    first = text.split("\n###", 1)[0]
    lines = [x for x in first.split("\n") if not x.startswith(("#", "//", "@"))]
    head, _, body = "\n".join(lines).strip("\n").partition("\n\n")
    start, *fields = head.split("\n")
    for name, value in variables.items():
        start = start.replace("{{" + name + "}}", value)
    headers = dict(field.split(": ", 1) for field in fields)
    assert "{{" not in start + "".join(headers.values()) + body
    return start, headers, body


class TestFiles:
    def test_a_request_is_ready_to_run(self, tmp_path: Path) -> None:
        text = http(tmp_path / "new" / "folder", {**JSON_CALL, "body": {"quantity": 2}})
        assert text == (
            "# request-type-changed, breaking, 0123456789ab\n"
            "# Finding: quantity: the type integer is no longer accepted here.\n"
            "# Below: a request that was valid and is refused now.\n"
            "@host = http://localhost:8080\n"
            "\n"
            "POST {{host}}/orders?dry=true HTTP/1.1\n"
            "Content-Type: application/json\n"
            "\n"
            "{\n"
            '  "quantity": 2\n'
            "}\n"
        )

    def test_an_answer_follows_its_call_as_comments(self, tmp_path: Path) -> None:
        exchange = {"method": "GET", "target": "/orders/A-1", "status": 200, "body": {"status": 5}}
        text = http(
            tmp_path,
            {**exchange, "content_type": "application/json"},
            direction=Direction.RESPONSE,
        )
        assert sent(text) == (
            "GET http://localhost:8080/orders/A-1 HTTP/1.1",
            {"Accept": "application/json"},
            "",
        )
        assert text.endswith(
            "\n###\n"
            "# The answer:\n"
            "# < HTTP/1.1 200 OK\n"
            "# < Content-Type: application/json\n"
            "# <\n"
            '# < {"status": 5}\n'
        )

    def test_the_json_says_what_each_side_makes_of_it(self, tmp_path: Path) -> None:
        exchange = {**JSON_CALL, "body": {"quantity": 2}}
        files = written(tmp_path, finding(exchange, {"quantity": 2}))
        data = json.loads(files["0123456789ab-request-type-changed.json"])
        assert data["fingerprint"] == "0123456789ab"
        assert data["sides"] == {"old": "valid", "new": "invalid"}
        assert data["value"] == {"quantity": 2}
        assert data["exchange"] == exchange
        assert data["files"] == {
            "http": "0123456789ab-request-type-changed.http",
            "json": "0123456789ab-request-type-changed.json",
        }

    @pytest.mark.parametrize(
        ("more", "sides"),
        [
            ({"direction": Direction.RESPONSE}, {"old": "invalid", "new": "valid"}),
            ({"proof": Proof.STRUCTURE}, {"old": "accepted", "new": "refused"}),
            ({"verdict": Verdict.UNPROVEN}, None),
            ({"direction": None}, None),
        ],
    )
    def test_sides_follow_direction_and_proof(
        self, tmp_path: Path, more: dict[str, Any], sides: Json
    ) -> None:
        files = written(tmp_path, finding(CALL, **more))
        assert json.loads(files["0123456789ab-request-type-changed.json"])["sides"] == sides

    def test_the_index_lists_every_witness(self, tmp_path: Path) -> None:
        files = written(
            tmp_path,
            finding(CALL),
            finding(CALL, fingerprint="bbbb"),
            finding(None, fingerprint="no exchange"),
            finding(CALL, witness=None, fingerprint="no witness"),
        )
        index = json.loads(files[INDEX])
        assert [w["fingerprint"] for w in index["witnesses"]] == ["0123456789ab", "bbbb"]
        assert all(name in files for w in index["witnesses"] for name in w["files"].values())

    def test_without_witnesses_there_is_an_empty_index(self, tmp_path: Path) -> None:
        files = written(tmp_path)
        assert list(files) == [INDEX]
        assert json.loads(files[INDEX])["witnesses"] == []

    def test_the_same_report_gives_the_same_bytes(self, tmp_path: Path) -> None:
        exchange = {**JSON_CALL, "body": {"b": 1, "a": {"d": 1, "c": 2}}}
        assert written(tmp_path / "1", finding(exchange)) == written(
            tmp_path / "2", finding(exchange)
        )

    def test_a_folder_that_cannot_be_written_is_a_plain_message(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="Cannot write witnesses"):
            written(tmp_path / "file", finding(CALL))

    def test_a_file_of_an_earlier_run_is_replaced_whole(self, tmp_path: Path) -> None:
        name = "0123456789ab-request-type-changed.http"
        (tmp_path / name).write_text("old" * 10_000)
        assert written(tmp_path, finding(CALL))[name].startswith(b"# request-type-changed")


class TestBodies:
    def test_forms_are_encoded(self, tmp_path: Path) -> None:
        body = {"a b": "1&2", "list": [1, True, None], "{{x}}": {"k": 1}}
        text = http(
            tmp_path, {**CALL, "content_type": "application/x-www-form-urlencoded", "body": body}
        )
        _, headers, sent_body = sent(text)
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert sent_body == "a+b=1%262&list=1&list=true&list=&%7B%7Bx%7D%7D=%7B%22k%22%3A+1%7D"

    def test_multipart_travels_in_a_file_of_its_own(self, tmp_path: Path) -> None:
        body = {"note": "driftgate-0123456789ab", 'q"\r\n': {"a": 1}}
        files = written(
            tmp_path, finding({**CALL, "content_type": "multipart/form-data", "body": body})
        )
        _, headers, sent_body = sent(files["0123456789ab-request-type-changed.http"].decode())
        assert sent_body == "< ./0123456789ab-request-type-changed.body"
        assert headers["Content-Type"] == ("multipart/form-data; boundary=driftgate-0123456789abx")
        assert files["0123456789ab-request-type-changed.body"] == (
            b"--driftgate-0123456789abx\r\n"
            b'Content-Disposition: form-data; name="note"\r\n\r\n'
            b"driftgate-0123456789ab\r\n"
            b"--driftgate-0123456789abx\r\n"
            b'Content-Disposition: form-data; name="q%22%0D%0A"\r\n'
            b"Content-Type: application/json\r\n\r\n"
            b'{"a": 1}\r\n'
            b"--driftgate-0123456789abx--\r\n"
        )

    def test_a_body_that_is_spelled_already_is_sent_as_it_is(self, tmp_path: Path) -> None:
        request = {
            **CALL,
            "headers": {"Content-Type": "multipart/form-data; boundary=sample"},
            "media_type": "multipart/form-data; boundary=sample",
            "body": "--sample\r\n\r\nx\r\n--sample--\r\n",
        }
        files = written(tmp_path, finding({"request": request}))
        assert files["0123456789ab-request-type-changed.body"] == request["body"].encode()
        _, headers, _ = sent(files["0123456789ab-request-type-changed.http"].decode())
        assert headers == {"Content-Type": "multipart/form-data; boundary=sample"}

    def test_a_form_that_is_spelled_already_stands_in_the_file(self, tmp_path: Path) -> None:
        form = {"media_type": "application/x-www-form-urlencoded", "body": "a=1&b=%7B"}
        assert sent(http(tmp_path, {"request": {**CALL, **form}}))[2] == "a=1&b=%7B"

    @pytest.mark.parametrize("text", ["plain", "two\nlines"])
    def test_harmless_text_stands_in_the_file(self, tmp_path: Path, text: str) -> None:
        made = http(tmp_path, {**CALL, "content_type": "text/plain", "body": text})
        assert sent(made)[2] == text

    @pytest.mark.parametrize(
        "text",
        ["< /etc/passwd", "a\n###\nGET /b", "{{$processEnv HOME}}", "> {% code %}", "@host = x"],
    )
    def test_text_that_a_client_would_obey_is_moved_away(self, tmp_path: Path, text: str) -> None:
        files = written(tmp_path, finding({**CALL, "content_type": "text/plain", "body": text}))
        assert files["0123456789ab-request-type-changed.body"].decode() == text
        made = files["0123456789ab-request-type-changed.http"].decode()
        assert sent(made)[2] == "< ./0123456789ab-request-type-changed.body"

    def test_an_object_as_xml_is_left_to_the_reader(self, tmp_path: Path) -> None:
        made = http(tmp_path, {**CALL, "content_type": "application/xml", "body": {"a": 1}})
        assert '# The body as application/xml is yours to write: {"a": 1}\n' in made
        assert sent(made)[1:] == ({"Content-Type": "application/xml"}, "")

    @pytest.mark.parametrize(
        ("range_", "concrete"),
        [("*/*", "application/json"), ("application/*+json", "application/json")],
    )
    def test_a_range_becomes_a_type(self, tmp_path: Path, range_: str, concrete: str) -> None:
        made = http(tmp_path, {**CALL, "content_type": range_, "body": [1]})
        assert sent(made)[1]["Content-Type"] == concrete

    def test_braces_in_json_are_never_variables(self, tmp_path: Path) -> None:
        body = {"a": "{{$dotenv SECRET}}{{{", "{{host}}": [{}]}
        made = http(tmp_path, {**JSON_CALL, "body": body})
        assert json.loads(sent(made)[2]) == body

    def test_null_is_a_body(self, tmp_path: Path) -> None:
        assert sent(http(tmp_path, {**JSON_CALL, "body": None}))[2] == "null"


class TestHeads:
    @pytest.mark.parametrize(
        ("target", "line"),
        [
            ("/a b?x=ä", "/a%20b?x=%C3%A4"),
            ("/a%20b?x=100%", "/a%20b?x=100%25"),
            ("/{{host}}?f[0]=1#x", "/%7B%7Bhost%7D%7D?f%5B0%5D=1%23x"),
            ("/a HTTP/1.1\r\nHost: evil", "/a%20HTTP/1.1%0D%0AHost:%20evil"),
            ("http://evil.example/a?b", "/a?b"),
            ("relative", "/relative"),
            ("//evil.example/a", "//evil.example/a"),
            ("/\ud800", "/%EF%BF%BD"),
        ],
    )
    def test_targets_are_encoded(self, tmp_path: Path, target: str, line: str) -> None:
        made = http(tmp_path, {"method": "GET", "target": target})
        assert sent(made)[0] == f"GET http://localhost:8080{line} HTTP/1.1"

    def test_headers_and_cookies_cannot_break_out(self, tmp_path: Path) -> None:
        made = http(
            tmp_path,
            {
                **CALL,
                "headers": {
                    "X-Plain": "é ok",
                    "X-Wide": "很",
                    "X-Split": "a\r\nX-Evil: 1",
                    "X-Brace": "{{$processEnv A}}",
                    "Bad Name\r\n": "x",
                    "#comment": "x",
                    "Content-Length": "3",
                },
                "cookies": {"a;b": "1; Path=/\r\nX: y"},
            },
        )
        assert sent(made)[1] == {
            "X-Plain": "é ok",
            "X-Wide": "%E5%BE%88",
            "X-Split": "a%0D%0AX-Evil: 1",
            "X-Brace": "%7B{$processEnv A}}",
            "Cookie": "a%3Bb=1%3B%20Path=/%0D%0AX:%20y",
        }

    @pytest.mark.parametrize(
        ("server", "host"),
        [
            ("https://api.shop.example/v1/", "https://api.shop.example/v1"),
            ("https://{region}.shop.example", "http://localhost:8080"),
            ("/v1", "http://localhost:8080"),
            ("https://a\n@evil = 1", "http://localhost:8080"),
        ],
    )
    def test_the_host_is_the_server_when_it_is_an_address(
        self, tmp_path: Path, server: str, host: str
    ) -> None:
        made = http(tmp_path, {"method": "GET", "target": "/a", "server": server})
        assert f"\n@host = {host}\n" in made
        assert ("# The contract names the server" in made) is (host == "http://localhost:8080")

    def test_a_call_that_writes_is_not_aimed_at_a_live_system(self, tmp_path: Path) -> None:
        made = http(tmp_path, {**CALL, "server": "https://api.shop.example"})
        assert "\n@host = http://localhost:8080\n" in made
        assert "# The contract names the server https://api.shop.example.\n" in made

    def test_comments_stay_comments(self, tmp_path: Path) -> None:
        text = "a\n@host = http://evil\r\nGET / \u2028\ud800{{$processEnv A}}"
        made = written(
            tmp_path,
            finding(
                {**CALL, "security": {text: [text]}, "status": 200, "body": {text: text}},
                message=text,
                rule=text,
            ),
        )
        [name] = [n for n in made if n.endswith(".http")]
        content = made[name].decode()
        meant = [x for x in content.split("\n") if x and not x.startswith("#")]
        assert meant == ["@host = http://localhost:8080", "POST {{host}}/orders?dry=true HTTP/1.1"]
        assert content.count("{{") == 1

    def test_an_odd_method_is_not_sent(self, tmp_path: Path) -> None:
        made = http(tmp_path, {**CALL, "method": "GET /x\r\n"})
        assert sent(made)[0].startswith("GET http://localhost:8080/orders")


class TestNames:
    @pytest.mark.parametrize(
        "rule", ["../../etc/passwd", "a/b\\c:d", "nul\x00", "ü" * 300, "x" * 500, "", "."]
    )
    def test_are_safe_on_every_file_system(self, tmp_path: Path, rule: str) -> None:
        files = written(tmp_path, finding(CALL, rule=rule))
        assert len(files) == 3
        for name in files:
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,140}", name)

    def test_never_meet_each_other_even_without_case(self, tmp_path: Path) -> None:
        files = written(
            tmp_path,
            finding(CALL, rule="Rule"),
            finding(CALL, rule="rule"),
            finding(CALL, rule="r"),
        )
        assert len({name.lower() for name in files}) == 7
