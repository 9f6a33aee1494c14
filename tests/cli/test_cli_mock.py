"""Proves that ``driftgate mock`` serves real ports and that the curl lines it prints work."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

COMMAND = [sys.executable, "-c", "from harness.cli.main import main; main()", "mock"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start ``mock serve`` and yield the process and what it printed until it served."""
    with subprocess.Popen(
        [*COMMAND, "serve", *arguments, "--port", "0", "--for", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            printed: list[str] = []
            for line in process.stdout:
                printed.append(line.rstrip("\n"))
                if line.startswith("serving"):
                    break
            assert printed[-1].startswith("serving"), printed
            yield process, printed
        finally:
            process.kill()


def curl(client: httpx.Client, line: str, token: str = "") -> httpx.Response:
    """Send the request a printed curl line would send."""
    words = iter(shlex.split(line.replace("$TOKEN", token)))
    assert next(words) == "curl"
    method, url, body = "GET", "", ""
    headers: dict[str, str] = {}
    form: dict[str, str] = {}
    client_login: tuple[str, str] | None = None
    for word in words:
        if word == "-s":
            continue
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-u":
            name, _, value = next(words).partition(":")
            client_login = (name, value)
        elif word == "-d":
            body = next(words)
        elif word == "--data-urlencode":
            name, _, value = next(words).partition("=")
            form[name] = value
        else:
            assert word.startswith("http://127.0.0.1:")
            url = word
    if form:
        return client.post(url, data=form, headers=headers, auth=client_login)
    return client.request(method, url, headers=headers, content=body)


def follow(client: httpx.Client, printed: list[str]) -> list[dict[str, Any]]:
    """Do what the printed lines say, system by system, and return what the calls answered."""
    answers: list[dict[str, Any]] = []
    token = ""
    for line in (text.strip() for text in printed):
        if line.startswith("TOKEN=$("):
            inner = line.removeprefix("TOKEN=$(").partition(" | sed ")[0]
            answer = curl(client, inner)
            assert answer.status_code == 200, answer.text
            token = answer.json()["access_token"]
        elif line.startswith("curl "):
            answer = curl(client, line, token)
            assert answer.status_code == 200, answer.text
            answers.append(answer.json())
    return answers


@pytest.mark.slow
def test_the_printed_lines_work_and_ctrl_c_ends_with_a_summary() -> None:
    arguments = ("amazon_spapi", "netsuite", "--orders", "3", "--seed", "7")
    with serving(*arguments) as (process, printed), httpx.Client(trust_env=False) as client:
        amazon, netsuite = follow(client, printed)
        assert len(amazon["orders"]) == 3
        assert amazon["orders"][0]["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
        assert "MUG-BLUE" in [row["itemid"] for row in netsuite["items"]]
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        rest = process.stdout.read()
        assert process.wait(timeout=30) == 0
    assert "amazon_spapi: 2 answered" in rest
    assert "netsuite: 2 answered" in rest


@pytest.mark.slow
def test_the_printed_lines_of_every_system_work() -> None:
    from mocks.kit.estate import discover

    systems = sorted(discover())
    assert {"dynamics365", "ebay", "walmart", "wms"} <= set(systems)
    with (
        serving(*systems, "--orders", "3") as (_, printed),
        httpx.Client(trust_env=False) as client,
    ):
        assert len(follow(client, printed)) == len(systems)


@pytest.mark.slow
def test_a_drift_pack_changes_what_is_served() -> None:
    pack = "2026-12-05-renamed-members"
    shapes = []
    for more in ((), ("--drift-pack", pack)):
        arguments = ("amazon_spapi", "--orders", "2", *more)
        with serving(*arguments) as (_, printed), httpx.Client(trust_env=False) as client:
            (answer,) = follow(client, printed)
            shapes.append(str(names(answer)))
    assert shapes[0] != shapes[1]


def names(value: Any) -> Any:
    """Return a value's member names without its values."""
    if isinstance(value, dict):
        return {name: names(member) for name, member in value.items()}
    return [names(element) for element in value] if isinstance(value, list) else "."


@pytest.mark.slow
def test_the_list_names_systems_apis_and_packs() -> None:
    done = run("list")
    assert done.returncode == 0
    for text in ("amazon_spapi", "orders/2026-01-01", "netsuite", "record/v1", "drift pack"):
        assert text in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("amazon_spy",), "amazon_spapi"),
        (("amazon_spapi", "--drift-pack", "nothing"), "2026-12-05-renamed-members"),
        (("amazon_spapi", "--speed", "0"), "above 0"),
    ],
)
def test_a_wrong_option_says_what_to_use(arguments: tuple[str, ...], remedy: str) -> None:
    done = run("serve", *arguments)
    assert done.returncode == 2
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr
