"""Proves that a drift pack changes manners for whom it says, and gives back what it took."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import metadata_schema
from harness.catalog.metadata import checked_metadata
from harness.model.errors import MetadataError
from harness.model.values import canonical_json
from mocks.kit.accounts import Account


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


QUOTA = {
    "quotas": [
        {
            "id": "q",
            "kind": "token_bucket",
            "operations": ["*"],
            "rate_per_second": 1,
            "burst": 3,
        }
    ]
}
TWO = (Account("seller"), Account("other"))


def pack(*changes: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "title": "T",
        "date": "2026-12-01",
        "evidence": "made up",
        "changes": [],
    }
    made |= {"drift_pack": 1, "manners": list(changes)}
    text = canonical_json(made).encode()
    return dict(checked_metadata(text, "pack.yaml", metadata_schema("drift_pack")))


async def burst(m: Any, token: str | None = None) -> int:
    """Call until refused; return how many calls passed, and let the bucket fill again."""
    passed = 0
    while passed < 9 and (await m.call("GET", "/items", token=token)).status == 200:
        passed += 1
    await m.clock.sleep(100)
    return passed


def test_a_quota_is_cut_for_everybody_or_for_one_account_and_comes_back() -> None:
    cut = pack({"do": "quota", "quota": "q", "limit": 1})

    async def story(m: Any) -> list[int]:
        other = await m.log_in("other")
        seen = []
        for accounts in ((), ("other",)):
            m.edge.switch_drift_pack(cut, accounts=accounts)
            seen += [await burst(m), await burst(m, other)]
            m.edge.switch_drift_pack(None, accounts=accounts)
            await m.clock.sleep(100)
        return [*seen, await burst(m), await burst(m, other)]

    assert play(Market(QUOTA, accounts=TWO), story) == [1, 1, 3, 1, 3, 3]


def test_a_key_becomes_mandatory_and_optional_again() -> None:
    rule = {"operations": ["shop/v1#pay"], "kind": "header", "header": "Idempotency-Key"}
    mandatory = pack({"do": "setting", "name": "idempotency_required", "value": True})

    async def story(m: Any) -> list[int]:
        seen = []
        for now in (None, mandatory, None):
            m.edge.switch_drift_pack(now)
            seen.append((await m.call("POST", "/payments", {})).status)
        return seen

    assert play(Market({"idempotency": [rule]}), story) == [200, 400, 200]


def test_an_operation_is_withdrawn_from_one_account_and_comes_back() -> None:
    gone = pack({"do": "withdraw", "operations": ["shop/v1#listItems"], "status": 410})

    async def story(m: Any) -> list[int]:
        other = await m.log_in("other")
        seen = []
        for now in (gone, None):
            m.edge.switch_drift_pack(now, accounts=("other",))
            for token in (m.token, other):
                seen.append((await m.call("GET", "/items", token=token)).status)
        return [*seen, (await m.call("GET", "/items/A")).status]

    assert play(Market(accounts=TWO), story) == [200, 410, 200, 200, 404]


def versions() -> Any:
    """Return a market whose API has two versions at the same addresses."""
    old = manners.CONTRACT
    kept = tuple(o for o in old.operations if o.operation_id != "pay")
    new = replace(old, operations=kept, version="2")
    market_class = manners.Market
    return market_class(behaviour=manners.BEHAVIOUR, contracts={"shop/v1": old, "shop/v2": new})


def test_the_latest_version_answers_at_a_shared_address_until_another_is_served() -> None:
    async def story(m: Any) -> list[str]:
        seen = []
        for now in (None, pack({"do": "serve", "api": "shop", "version": "v1"}), None):
            m.edge.switch_drift_pack(now)
            await m.call("GET", "/items")
            seen.append(m.books.calls[-1].operation_id)
        m.edge.serve_version("shop", "v1")
        await m.call("GET", "/items")
        return [*seen, m.books.calls[-1].operation_id]

    new, old = "shop/v2#listItems", "shop/v1#listItems"
    assert play(versions(), story) == [new, old, new, old]


def test_what_cannot_be_drifted_is_told() -> None:
    market = Market(accounts=TWO)
    with pytest.raises(MetadataError, match="some accounts"):
        market.edge.switch_drift_pack(
            pack({"do": "setting", "name": "x", "value": 1}), accounts=("other",)
        )
    assert market.edge.simulator.settings.get("x") is None
    cut = {"do": "quota", "quota": "nothing"}
    with pytest.raises(MetadataError, match="no quota 'nothing'"):
        market.edge.switch_drift_pack(pack({"do": "setting", "name": "x", "value": 1}, cut))
    assert "x" not in market.edge.simulator.settings  # a pack is played whole or not at all
    with pytest.raises(MetadataError, match="no version 'v9'"):
        market.edge.serve_version("shop", "v9")
    with pytest.raises(MetadataError, match="manners"):
        pack({"do": "explode"})
