"""Proves that accounts of one system share nothing: data, credentials, quotas, faults, drift."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from harness.catalog import Catalog, contracts_root
from harness.model.errors import UsageError
from harness.model.exchange import HttpRequest
from harness.simulation.clock import VirtualClock
from harness.simulation.faults import FaultKind, FaultRule
from harness.simulation.loop import run_virtual
from harness.simulation.streams import SeededStreams
from mocks.kit.accounts import Account, Accounts, Door, Doors
from mocks.kit.client import InProcessClient
from mocks.kit.estate import Estate
from mocks.kit.roles import DraftLine, OrderDraft


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

REGIONS = {
    "accounts": {
        "regions": {
            "na": {"hosts": ["na.vendor.example"]},
            "eu": {"hosts": ["eu.vendor.example"], "base_path": "/eu"},
        }
    }
}
TWO = (Account("seller", region="na"), Account("other", region="eu"))


def test_each_account_sees_its_own_rows_only() -> None:
    market = Market(accounts=TWO, behaviour=REGIONS)
    market.simulator.put("A", 1, account="seller")
    market.simulator.put("B", 1, account="other")

    async def story(m: Any) -> Any:
        other = await m.log_in("other")
        mine = await m.call("GET", "/items")
        theirs = await m.call("GET", "/items", token=other)
        return mine.json()["items"], theirs.json()["items"], m.books.calls[-1].account

    assert play(market, story) == (["A"], ["B"], "other")


def test_a_quota_per_account_is_used_up_by_nobody_else() -> None:
    quota: dict[str, Any] = {"id": "q", "kind": "token_bucket", "operations": ["*"]}
    quota |= {"rate_per_second": 0.001, "burst": 1}

    async def story(m: Any) -> list[int]:
        other = await m.log_in("other")
        tokens = (m.token, m.token, other)
        return [(await m.call("GET", "/items", token=token)).status for token in tokens]

    for scope, seen in (
        ("account", [200, 429, 200]),
        ("application", [200, 429, 429]),
        (["region", "operation"], [200, 429, 200]),
    ):
        market = Market({**REGIONS, "quotas": [{**quota, "scope": scope}]}, accounts=TWO)
        assert play(market, story) == seen, scope


def test_a_fault_rule_reaches_only_the_accounts_and_regions_it_names() -> None:
    async def story(m: Any) -> list[int]:
        other = await m.log_in("other")
        return [(await m.call("GET", "/items", token=t)).status for t in (m.token, other)]

    kind = FaultKind.ERROR_UNAVAILABLE
    for rule, seen in (
        (FaultRule(kind, accounts=("other",), operations=("listItems",)), [200, 503]),
        (FaultRule(kind, regions=("na",), operations=("listItems",)), [503, 200]),
        (FaultRule(kind, operations=("listItems",), nth=1), [503, 503]),
        (FaultRule(kind, operations=("listItems",)), [503, 503]),
    ):
        assert play(Market(REGIONS, accounts=TWO, rules=(rule,)), story) == seen


def test_a_drift_pack_reaches_only_the_accounts_and_regions_it_is_switched_on_for() -> None:
    change = {"operations": ["shop/v1#listItems"], "do": "rename", "at": "/items", "to": "rows"}
    pack = {"changes": [change]}

    async def story(m: Any) -> Any:
        other = await m.log_in("other")

        async def shapes() -> list[bool]:
            answers = [await m.call("GET", "/items", token=t) for t in (m.token, other)]
            return ["rows" in answer.json() for answer in answers]

        seen = []
        m.edge.switch_drift_pack(pack, accounts=("other",))
        seen.append(await shapes())
        m.edge.switch_drift_pack(None, accounts=("other",))
        m.edge.switch_drift_pack({**pack, "regions": ["na"]})
        seen.append(await shapes())
        m.edge.switch_drift_pack(None)
        seen.append(await shapes())
        return seen

    seen = play(Market(REGIONS, accounts=TWO), story)
    assert seen == [[False, True], [True, False], [False, False]]


def test_lists_may_lag_for_one_account_alone() -> None:
    market = Market(REGIONS, accounts=TWO)

    async def story(m: Any) -> Any:
        other = await m.log_in("other")
        m.edge.lag_lists(60, accounts=("other",))
        for account in ("seller", "other"):
            m.simulator.put("A", m.clock.now_us(), account=account)
        answers = [await m.call("GET", "/items", token=t) for t in (m.token, other)]
        return [answer.json()["total"] for answer in answers]

    assert play(market, story) == [1, 0]


def test_an_address_of_one_region_refuses_credentials_of_another() -> None:
    market = Market(REGIONS, accounts=TWO)
    european = InProcessClient(market.edge, market.clock, Door("eu"))

    async def story(m: Any) -> Any:
        other = await m.log_in("other")
        asked = [
            ("/items", other, (("host", "na.vendor.example"),)),
            ("/items", other, (("host", "EU.vendor.example:443"),)),
            ("/eu/items", other, ()),
            ("/eu/items", m.token, ()),
            ("/europe/items", other, ()),
        ]
        seen = [
            (await m.call("GET", target, token=token, headers=headers)).status
            for target, token, headers in asked
        ]
        seen.append((await european.send(m.request("GET", "/items"))).status)
        return seen

    assert play(market, story) == [403, 200, 200, 403, 404, 403]


def test_an_account_with_a_host_of_its_own_is_reached_there() -> None:
    accounts = Accounts((Account("shop-1", host="one.shops.example"), Account("shop-2")))
    doors = Doors({}, accounts, "toy_shop")
    assert doors.enter("one.shops.example", "/x") == (Door(None, "shop-1"), "/x")
    assert doors.enter("elsewhere.example", "/x") == (Door(), "/x")
    base = doors.base_url(accounts["shop-1"], "https://toy-shop.test")
    assert base == "https://shop-1.toy-shop.test"
    assert doors.enter("shop-1.toy-shop.test", "/x")[0] == Door(None, "shop-1")
    assert doors.base_url(accounts["shop-1"], "http://127.0.0.1:8000") == "http://127.0.0.1:8000"


def test_accounts_that_cannot_be_are_refused_in_words() -> None:
    with pytest.raises(UsageError, match="at least one account"):
        Accounts((Account("a"), Account("a")))
    with pytest.raises(UsageError, match="there is no account 'b'"):
        Accounts((Account("a"),))["b"]
    with pytest.raises(UsageError, match="unknown region 'mars'"):
        Doors(REGIONS, Accounts((Account("a", region="mars"),)), "toy")


def test_a_second_seller_changes_nothing_of_what_the_first_one_gets() -> None:
    def first_order(accounts: tuple[Account, ...]) -> tuple[str, str]:
        estate = Estate(
            ["amazon_spapi"],
            catalog=Catalog(contracts_root()),
            clock=VirtualClock(1_790_000_000_000_000),
            streams=SeededStreams(7),
            accounts={"amazon_spapi": accounts},
        )
        amazon: Any = estate.simulators["amazon_spapi"]
        line = DraftLine("MUG", 1, "9.99", "Mug")
        draft = OrderDraft((line,), "USD", "Ada Sample", "Springfield", "US", "12345")
        for account in reversed([a.id for a in accounts]):
            amazon.list_sku("MUG", 5, 1, account=account)
            order_id = amazon.place_order(draft, 2, account=account)
        access = estate.access("amazon_spapi", account=accounts[0].id)
        entries = estate.books["amazon_spapi"].entries
        assert [e.account for e in entries] == [a.id for a in reversed(accounts)]
        return order_id, access.credentials["refresh_token"]

    one, two = Account("S1", region="na"), Account("S2", region="eu")
    assert first_order((one,)) == first_order((one, two))


def test_sellers_and_companies_of_the_real_systems_share_nothing_over_http() -> None:
    clock = VirtualClock(1_790_000_000_000_000)
    estate = Estate(
        ["amazon_spapi", "netsuite"],
        catalog=Catalog(contracts_root()),
        clock=clock,
        streams=SeededStreams(7),
        accounts={
            "amazon_spapi": (Account("S1", region="na"), Account("S2", region="eu")),
            "netsuite": (Account("C1"), Account("C2")),
        },
        check_answers=True,
    )
    amazon: Any = estate.simulators["amazon_spapi"]
    for seller in ("S1", "S2"):
        amazon.list_sku(f"MUG-{seller}", 5, clock.now_us(), account=seller)
    netsuite: Any = estate.simulators["netsuite"]
    netsuite.set_stock("MUG", 7, clock.now_us(), account="C2")
    assert (netsuite.available("MUG"), netsuite.available("MUG", account="C2")) == (None, 7)

    async def token(seller: str) -> str:
        secrets = estate.access("amazon_spapi", account=seller).credentials.values
        form = urlencode({"grant_type": "refresh_token", **secrets}).encode()
        headers = (("content-type", "application/x-www-form-urlencoded"),)
        request = HttpRequest("POST", "/auth/o2/token", (), headers, form)
        answer = await estate.client("amazon_spapi").send(request)
        return str(answer.json()["access_token"])

    async def story() -> list[int]:
        tokens = {seller: await token(seller) for seller in ("S1", "S2")}
        seen = []
        for door, caller, owner in (
            ("S1", "S1", "S1"),
            ("S2", "S2", "S2"),
            ("S1", "S2", "S2"),
            ("S2", "S2", "S1"),
        ):
            path = f"/listings/2021-08-01/items/{owner}/MUG-{owner}"
            query = (("marketplaceIds", amazon.marketplace_id),)
            request = HttpRequest("GET", path, query, (("x-amz-access-token", tokens[caller]),))
            seen.append((await estate.client("amazon_spapi", door).send(request)).status)
        return seen

    assert run_virtual(story, clock=clock, limit_s=100) == [200, 200, 403, 403]
    assert estate.failures == []
    assert estate.access("amazon_spapi", account="S2").base_url == "https://eu.amazon-spapi.test"
