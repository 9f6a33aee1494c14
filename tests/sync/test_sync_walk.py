"""Proves that a walk over pages ends, and that it never takes a cut list for a whole one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.ports import Credentials, SystemAccess
from harness.simulation.clock import VirtualClock
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from harness.sync.adapter import Adapter
from harness.sync.calls import Backoff, Caller
from harness.sync.governor import Governor
from harness.sync.manners import Manners
from harness.sync.settings import Settings
from harness.sync.tokens import Tokens
from harness.sync.walk import Page, WalkFailed, pages

ACCESS = SystemAccess(
    "amazon_spapi", "channel", "http://shop.invalid", "A1", Credentials(), {"marketplace_id": "M1"}
)
FULL = 100  # the page size that the mapping asks for


class Pages:
    """Answers with prepared pages, whatever is asked, and remembers the tokens asked for."""

    def __init__(self, bodies: Iterable[Any]) -> None:
        self._bodies = list(bodies)
        self.tokens: list[str | None] = []

    async def send(self, request: HttpRequest, *, timeout_s: float = 30.0) -> HttpResponse:
        self.tokens.append(dict(request.query).get("paginationToken"))
        body = self._bodies[min(len(self.tokens), len(self._bodies)) - 1]
        made = HttpRequest.with_json("POST", "/", body)
        return HttpResponse(200, (("content-type", "application/json"),), made.body)


def page(records: int, **around: Any) -> dict[str, Any]:
    # Records are judged one by one elsewhere; here only their number counts.
    return {"orders": [{"orderId": str(n)} for n in range(records)], **around}


def walk(*bodies: Any, pages_max: int = 50) -> tuple[list[Page], Pages, WalkFailed | None]:
    clock, settings, client = VirtualClock(0), Settings(), Pages(bodies)
    adapter = Adapter(ACCESS, Catalog(contracts_root()))
    caller = Caller(
        client,
        Tokens(ACCESS, {"kind": "none"}, client, clock),
        Governor({}, clock),
        Backoff(settings, SeededStreams(1).stream("b")),
        behaviour={},
        clock=clock,
        settings=settings,
        manners=Manners(),
    )
    found: list[Page] = []
    failures: list[WalkFailed] = []

    async def story() -> None:
        try:
            async for one in pages(
                adapter,
                adapter.capability("list_orders"),
                caller,
                {"cursor": "2026-01-01T00:00:00Z"},
                pages_max=pages_max,
            ):
                found.append(one)
        except WalkFailed as failed:
            failures.append(failed)

    run_virtual(story, clock=clock, limit_s=1000)
    return found, client, failures[0] if failures else None


def test_every_page_is_read_once_and_the_walk_ends() -> None:
    found, client, failed = walk(
        page(2, pagination={"nextToken": "b"}), page(2, pagination={"nextToken": "c"}), page(1)
    )

    assert failed is None
    assert [len(one.records) for one in found] == [2, 2, 1]
    assert client.tokens == [None, "b", "c"]


@pytest.mark.parametrize("tokens", ["aa", "aba"])
def test_a_page_token_that_comes_twice_ends_the_walk_with_an_error(tokens: str) -> None:
    found, client, failed = walk(*(page(1, pagination={"nextToken": t}) for t in tokens))

    assert failed is not None
    assert "twice" in failed.reason
    assert len(found) == len(client.tokens) == len(tokens)


def test_a_list_without_end_stops_at_the_page_limit() -> None:
    endless = (page(1, pagination={"nextToken": str(n)}) for n in range(9))
    found, _, failed = walk(*endless, pages_max=5)

    assert failed is not None
    assert len(found) == 5


@pytest.mark.parametrize(
    "around",
    [
        {"pagination": {"next": "b"}},
        {"pagination": {"cursor": {"after": "b"}}},
        {"paging": {"nextToken": "b"}},
    ],
    ids=["member-renamed", "member-wrapped", "holder-renamed"],
)
def test_a_full_page_with_a_stranger_in_the_place_of_the_token_is_no_end(around: Any) -> None:
    found, _, failed = walk(page(FULL, **around))

    assert failed is not None
    assert failed.broken_contract
    assert [len(one.records) for one in found] == [FULL]


@pytest.mark.parametrize(
    "last",
    [
        page(FULL),
        page(FULL, pagination={}),
        page(FULL, lastUpdatedBefore="2026-01-01T00:00:00Z"),
        page(FULL - 1, pagination={"pages": 7}),
        page(0, pagination={"pages": 7}),
    ],
    ids=["full", "full-empty-holder", "full-declared-member", "short-addition", "empty-addition"],
)
def test_a_page_that_may_well_be_the_last_is_the_last(last: Any) -> None:
    assert walk(last)[2] is None


def test_an_addition_seen_beside_a_good_token_is_not_taken_for_the_token() -> None:
    first = page(FULL, trace="x", pagination={"nextToken": "b", "pages": 2})

    assert walk(first, page(FULL, trace="y", pagination={"pages": 2}))[2] is None
    assert walk(first, page(FULL, trace="y"))[2] is None
    assert walk(first, page(FULL, pagination={"pages": 2, "next": "c"}))[2] is not None
