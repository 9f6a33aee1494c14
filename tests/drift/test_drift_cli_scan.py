"""Proves what ``driftgate scan`` tells the shell when it cannot start or cannot look."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.cli.real_world import checked_base_url, credentials_from_environment
from harness.cli.scan import ScanRequest, parse_known, replay_line, run_scan
from harness.model.errors import ExitCode, UsageError
from harness.model.finding import Verdict

SECRETS = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")


def request(url: str, store: str) -> ScanRequest:
    return ScanRequest(
        "amazon_spapi", "orders/2026-01-01", url, None, None, None, 2, 3, store, None, (), False
    )


def test_missing_credentials_are_named() -> None:
    with pytest.raises(UsageError, match="DRIFTGATE_SHOP_CLIENT_SECRET") as caught:
        credentials_from_environment("shop", ("client_id", "client_secret"), {})
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_host_elsewhere_needs_permission_and_encryption() -> None:
    with pytest.raises(UsageError, match="not this machine"):
        checked_base_url("https://shop.example", allow_remote=False)
    with pytest.raises(UsageError, match="unencrypted"):
        checked_base_url("http://shop.example", allow_remote=True)
    assert checked_base_url("https://shop.example", allow_remote=True)


def test_an_unreachable_target_is_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(f"DRIFTGATE_AMAZON_SPAPI_{name}", "not-a-secret")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        report = run_scan(request(url, f"sqlite:///{tmp_path / 'f.db'}"))

    assert report.verdict is Verdict.NOT_CHECKED
    assert report.exit_code() is ExitCode.NOT_CHECKED
    assert "not-a-secret" not in str(report.to_json())


def test_the_replay_line_holds_the_seed() -> None:
    assert "--seed 3" in replay_line(request("http://127.0.0.1:1", "sqlite://"))


def test_known_values_are_read_by_name() -> None:
    assert parse_known(("a=1", "a=2", "b=x=y")) == {"a": ("1", "2"), "b": ("x=y",)}
    with pytest.raises(UsageError):
        parse_known(("a",))
