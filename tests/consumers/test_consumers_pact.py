"""Proves that a pact recorded with the real library is judged right against the pinned contract."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from pact import Pact, Verifier, match

from harness.catalog import Catalog, contracts_root
from harness.consumers import load_pact, match_pact
from harness.model.contract import Contract

PATH = "/orders/2026-01-01/orders"


@pytest.fixture
def contract() -> Contract:
    return Catalog(contracts_root()).contract("amazon_spapi", "orders", "2026-01-01").contract


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PACT_DO_NOT_TRACK", "true")
    pact = Pact("sync-engine", "amazon_spapi").with_specification("V4")
    (
        pact.upon_receiving("a search for changed orders")
        .with_request("GET", PATH)
        .with_query_parameter("lastUpdatedAfter", "2026-11-20T09:00:00Z")
        .will_respond_with(200)
        .with_body(
            {"orders": match.each_like({"orderId": match.str("113-5550001-0000017")}, min=1)}
        )
    )
    with pact.serve(raises=True) as server:
        query = {"lastUpdatedAfter": "2026-11-20T09:00:00Z"}
        answer = httpx.get(f"{server.url}{PATH}", params=query, trust_env=False)
        assert answer.json()["orders"][0]["orderId"] == "113-5550001-0000017"
    pact.write_file(tmp_path, overwrite=True)
    (written,) = tmp_path.glob("*.json")
    return written


def changed(written: Path, body: Any = None, **request: Any) -> Path:
    data = json.loads(written.read_text(encoding="utf-8"))
    one = data["interactions"][0]
    one["request"].update(request)
    if body is not None:
        one["response"]["body"]["content"] = body
    written.write_text(json.dumps(data), encoding="utf-8")
    return written


def test_what_the_engine_recorded_is_allowed(recorded: Path, contract: Contract) -> None:
    pact = load_pact(recorded)

    assert len(pact.interactions) == 1
    assert match_pact(pact, contract) == ()


@pytest.mark.parametrize(
    ("body", "request_change", "rule"),
    [
        ({"orders": [{"orderId": 5}]}, {}, "consumer-response-contradicted"),
        ({"orders": [{"id": "5"}]}, {}, "consumer-response-field-undeclared"),
        (None, {"path": "/orders/v9/orders"}, "consumer-operation-unknown"),
        (None, {"query": {"since": ["x"]}}, "consumer-query-undeclared"),
    ],
)
def test_what_the_contract_does_not_allow_is_named(
    recorded: Path, contract: Contract, body: Any, request_change: dict[str, Any], rule: str
) -> None:
    pact = load_pact(changed(recorded, body, **request_change))

    assert [f.rule for f in match_pact(pact, contract)] == [rule]


@pytest.mark.slow
def test_the_real_verifier_accepts_an_answer_that_holds_what_was_recorded(recorded: Path) -> None:
    body = json.dumps({"orders": [{"orderId": "113-5550001-0000018", "more": 1}]}).encode()

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            verifier = Verifier("amazon_spapi", host="127.0.0.1").add_transport(url=url)
            verifier.add_source(str(recorded)).verify()
        finally:
            server.shutdown()
            thread.join()
