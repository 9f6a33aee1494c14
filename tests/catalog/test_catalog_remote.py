"""A document is fetched whole from where the user said, within bounds, or not at all."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import httpx
import pytest
from typing_extensions import override

from harness.catalog import Limits
from harness.catalog.remote import _next_address, fetch
from harness.catalog.sources import open_source
from harness.model.errors import DocumentError, Unreachable, UsageError

BODY = b"openapi: 3.1.0\n"
LIMITS = Limits(bytes=1_000)


class Vendor(BaseHTTPRequestHandler):
    """Plays what a vendor's server may do."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        redirects = {
            "/moved": "/ok",
            "/loop": "/loop",
            "/file": "file:///etc/passwd",
            "/nowhere": "http:///ok",
        }
        if path in redirects:
            self.send_response(302)
            self.send_header("Location", redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = {"/large": b"x" * 2_000, "/bomb": gzip.compress(b"x" * 1_000_000)}.get(path, BODY)
        self.send_response(404 if path == "/gone" else 200)
        if path == "/bomb":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body) + (path == "/short")))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_bytes_arrive_as_published_also_after_a_redirect(vendor: str) -> None:
    assert fetch(f"{vendor}/ok", LIMITS) == BODY
    assert fetch(f"{vendor}/moved", LIMITS) == BODY


def test_a_source_does_not_carry_the_query(vendor: str) -> None:
    source = open_source(f"{vendor}/ok?key=secret#part", allow_remote=True)
    assert source.label == f"{vendor}/ok"
    assert source.beside is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gone?key=secret", "the server answered 404"),
        ("/loop", "redirects more than 5 times"),
        ("/file", "/etc/passwd', which is not followed"),
        ("/nowhere", "not"),
        ("/short", "could not be fetched"),
    ],
)
def test_no_whole_answer_is_the_outside_worlds_trouble(vendor: str, path: str, words: str) -> None:
    with pytest.raises(Unreachable) as caught:
        fetch(vendor + path, LIMITS)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("path", ["/large", "/bomb"])
def test_a_document_that_is_too_large_is_given_up(vendor: str, path: str) -> None:
    with pytest.raises(DocumentError, match="larger than"):
        fetch(vendor + path, LIMITS)


def test_an_answer_that_takes_too_long_is_given_up(vendor: str) -> None:
    minutes = count(0, 120)
    with pytest.raises(Unreachable, match="within 60 seconds"):
        fetch(f"{vendor}/ok", LIMITS, clock=lambda: float(next(minutes)))


def test_a_server_that_is_not_there_is_the_outside_worlds_trouble() -> None:
    with pytest.raises(Unreachable, match="could not be fetched"):
        fetch("http://127.0.0.1:1/a", LIMITS)


@pytest.mark.parametrize("url", ["http://", "http://[", "https:///a", "http://a:b@shop.example/a"])
def test_what_is_no_address_or_holds_credentials_is_a_mistake(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        fetch(url, LIMITS)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("at", "target", "words"),
    [
        ("http://93.184.216.34/a", "http://10.0.0.1/a", "private network (10.0.0.1)"),
        ("http://93.184.216.34/a", "http://[::1]/a", "private network (::1)"),
        ("http://93.184.216.34/a", "http://169.254.169.254/latest", "private network"),
        ("https://93.184.216.34/a", "http://93.184.216.34/a", "from https to http"),
    ],
)
def test_a_redirect_does_not_lead_where_the_user_did_not_point(
    at: str, target: str, words: str
) -> None:
    answer = httpx.Response(302)
    answer.next_request = httpx.Request("GET", target)
    with pytest.raises(Unreachable) as caught:
        _next_address(at, answer, at)
    assert words in str(caught.value)


def test_a_redirect_within_one_network_is_followed() -> None:
    answer = httpx.Response(302)
    answer.next_request = httpx.Request("GET", "http://10.0.0.2/b")
    assert _next_address("http://10.0.0.1/a", answer, "") == "http://10.0.0.2/b"
