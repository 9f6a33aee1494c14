"""Proves that lists page and lag as declared, over rows that change, and not otherwise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from harness.simulation.streams import SeededStreams
from mocks.kit.accounts import Account
from mocks.kit.visibility import ListView, Visibility


def _load(name: str) -> Any:
    """Load a helper beside this file; tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


manners = _load("toy_manners")
Market, play = manners.Market.of, manners.play

SECOND = 1_000_000


def paging(kind: str, **more: Any) -> dict[str, Any]:
    request = "offset" if kind == "offset" else "token"
    rule = {"operations": ["shop/v1#listItems"], "kind": kind, "request": request}
    return {"paging": [{**rule, "response": "/next", "size": "limit", "max": 3, **more}]}


def stocked(behaviour: dict[str, Any], count: int = 7, **options: Any) -> Any:
    market = Market(behaviour, **options)
    for number in range(count):
        market.simulator.put(f"I{number}", 10 + number)
    return market


def follow(kind: str, answer: Any) -> str | None:
    """Return where the next page is, as a client of this kind finds it."""
    after = answer.json()["next"]
    if kind == "link":
        link = answer.header("link")
        return None if link is None else link.partition("<")[2].partition(">")[0]
    if after is None:
        return None
    if kind == "cursor":
        assert after.startswith("?")
        return f"/items{after}"
    if kind == "next_url":
        return str(after)
    name = "offset" if kind == "offset" else "token"
    return f"/items?limit=3&{name}={after}"


async def walk(market: Any, kind: str, between: Any = None) -> list[str]:
    seen: list[str] = []
    target: str | None = "/items?limit=3"
    while target is not None:
        answer = await market.call("GET", target)
        assert answer.status == 200, answer
        seen += answer.json()["items"]
        target = follow(kind, answer)
        if between is not None:
            between()
            between = None
    return seen


KINDS = ("offset", "token", "cursor", "link", "next_url")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_every_row_once_while_nothing_changes(kind: str) -> None:
    seen = play(stocked(paging(kind)), lambda m: walk(m, kind))
    assert seen == [f"I{n}" for n in range(7)]


@pytest.mark.parametrize("kind", KINDS)
def test_only_offsets_lose_a_row_when_an_earlier_one_moves_away(kind: str) -> None:
    market = stocked(paging(kind))

    def move() -> None:
        market.simulator.put("I0", 1000)  # changed: it now stands last

    seen = play(market, lambda m: walk(m, kind, move))
    assert seen[-1] == "I0"
    assert ("I3" in seen) == (kind != "offset")


def test_without_a_rule_there_is_one_page_and_no_way_to_a_next_one() -> None:
    async def story(m: Any) -> Any:
        return (await m.call("GET", "/items?limit=3&offset=2")).json()

    shown = play(stocked({}), story)
    assert (len(shown["items"]), shown["next"]) == (7, None)


@pytest.mark.parametrize(
    ("more", "query", "reason"),
    [
        ({}, "limit=4", "paging.size"),
        ({}, "limit=0", "paging.size"),
        ({}, "limit=x", "paging.size"),
        ({"over_max": "clamp"}, "limit=99", None),
        ({}, "offset=-1", "paging.offset"),
        ({}, "limit=2&offset=3", None),
        ({"aligned": True}, "limit=2&offset=3", "paging.offset"),
        ({"pages_max": 2}, "limit=2&offset=4", "paging.offset"),
        ({"pages_max": 2}, "limit=2&offset=3", None),
    ],
)
def test_offsets_and_sizes_are_refused_as_declared(
    more: dict[str, Any], query: str, reason: str | None
) -> None:
    answer = play(stocked(paging("offset", **more)), lambda m: m.call("GET", f"/items?{query}"))
    assert answer.status == (400 if reason else 200)
    assert answer.json().get("reason") == reason


def test_an_offset_may_count_pages() -> None:
    rule = paging("offset", offset_unit="pages")
    answer = play(stocked(rule), lambda m: m.call("GET", "/items?limit=3&offset=1"))
    assert (answer.json()["items"], answer.json()["next"]) == (["I3", "I4", "I5"], "2")


def test_an_empty_list_is_an_error_only_where_declared() -> None:
    def status(behaviour: dict[str, Any]) -> int:
        answer = play(Market(behaviour), lambda m: m.call("GET", "/items"))
        return int(answer.status)

    assert status(paging("cursor", empty_status=404)) == 404
    assert status(paging("cursor")) == 200


def test_a_token_is_bound_to_its_query_account_and_life() -> None:
    accounts = (Account("seller"), Account("other"))
    market = stocked(paging("token", token_seconds=60), accounts=accounts)

    async def story(m: Any) -> list[Any]:
        other = await m.log_in("other")
        token = (await m.call("GET", "/items?limit=3&colour=red")).json()["next"]
        asked = [
            (f"token={token}&colour=red", m.token),
            (f"token={token}", m.token),
            (f"token={token}&limit=2", m.token),
            (f"token={token}&colour=blue", m.token),
            (f"token={token[:-4]}xxxx", m.token),
            ("token=%FF", m.token),
            (f"token={token}", other),
        ]
        answers = [await m.call("GET", f"/items?{q}", token=t) for q, t in asked]
        await m.clock.sleep(61)
        answers.append(await m.call("GET", f"/items?token={token}"))
        return [answer.json().get("reason") for answer in answers]

    wrong = "paging.token"
    expected = [None, None, None, "paging.query", wrong, wrong, wrong, "paging.expired"]
    assert play(market, story) == expected


def test_a_token_may_be_used_twice_unless_declared_otherwise() -> None:
    async def story(m: Any) -> list[int]:
        token = (await m.call("GET", "/items?limit=3")).json()["next"]
        return [(await m.call("GET", f"/items?token={token}")).status for _ in range(2)]

    assert play(stocked(paging("token")), story) == [200, 200]
    assert play(stocked(paging("token", reuse=False)), story) == [200, 400]


def test_a_link_carries_the_token_and_the_size_only_on_the_host_that_was_called() -> None:
    async def story(m: Any) -> Any:
        host = (("host", "shop.example"),)
        return await m.call("GET", "/items?limit=3&colour=red", headers=host)

    url = follow("link", play(stocked(paging("link")), story)) or ""
    assert url.startswith("https://shop.example/items?limit=3&token=")
    assert [name for name, _ in parse_qsl(url.partition("?")[2])] == ["limit", "token"]


LAG = {"visibility": {"views": [{"operations": ["shop/v1#listItems"], "lag_seconds": [20, 40]}]}}


def test_a_list_lags_the_detail_within_the_declared_range_and_only_where_declared() -> None:
    async def story(m: Any) -> tuple[int, int, int, int]:
        m.simulator.put("A", m.clock.now_us())
        detail = (await m.call("GET", "/items/A")).status
        totals = []
        for wait in (0, 19, 22):
            await m.clock.sleep(wait)
            totals.append((await m.call("GET", "/items")).json()["total"])
        return detail, *totals

    assert play(Market(LAG), story) == (200, 0, 0, 1)
    assert play(Market({}), story) == (200, 1, 1, 1)
    assert play(Market(LAG, settings={"list_lag_seconds": 0}), story) == (200, 1, 1, 1)


def test_lags_differ_by_row_and_repeat_with_the_seed() -> None:
    def lags(seed: int, share: float = 1.0) -> list[int]:
        view = {**LAG["visibility"]["views"][0], "share": share}
        visibility = Visibility({"visibility": {"views": [view]}}, {}, SeededStreams(seed), "toy")
        return [visibility.seen_from_us("shop/v1#listItems", f"I{n}", 0) for n in range(200)]

    assert lags(1) == lags(1) != lags(2)
    assert len(set(lags(1))) > 150
    assert all(20 * SECOND <= lag <= 40 * SECOND for lag in lags(1))
    assert 20 < sum(lag > 0 for lag in lags(1, 0.25)) < 80


def test_a_lagging_view_shows_the_former_state_of_a_row_never_a_later_one_first() -> None:
    visibility = Visibility(LAG, {}, SeededStreams(3), "toy")
    view: ListView[str] = ListView(visibility, "shop/v1#listItems")
    view.note("A", "new", 0)
    view.note("A", "sent", 100 * SECOND)
    assert list(view.rows(10 * SECOND)) == []
    assert list(view.rows(99 * SECOND)) == [("A", 0, "new")]
    assert list(view.rows(110 * SECOND)) == [("A", 0, "new")]
    assert list(view.rows(150 * SECOND)) == [("A", 100 * SECOND, "sent")]
