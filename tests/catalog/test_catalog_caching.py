"""A document met again is recognised by content, within bounds; and loading says its phases."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.catalog import ContractCache, Limits, Source, load_contract, read_overlay

TEXT = 'openapi: 3.1.0\ninfo: {title: %s, version: "1"}\npaths: {}\n'
OVERLAY = b"""overlay: 1.0.0
info: {title: x, version: '1', x-reason: y}
actions: [{target: $.info, update: {title: Store}}]
"""


def source(title: str = "Shop", label: str = "shop.yaml") -> Source:
    return Source(label, (TEXT % title).encode())


def test_the_same_document_is_the_same_contract() -> None:
    cache = ContractCache()
    first = load_contract(source(), cache=cache)
    assert load_contract(source(), cache=cache) is first
    assert load_contract(source()) is not first


def test_anything_that_could_matter_makes_another_document() -> None:
    cache = ContractCache()
    first = load_contract(source(), cache=cache)
    overlay = read_overlay(Source("fixes.yaml", OVERLAY))
    others = [
        load_contract(source("Store"), cache=cache),
        load_contract(source(label="other.yaml"), cache=cache),
        load_contract(source(), overlays=[overlay], cache=cache),
        load_contract(source(), limits=Limits(depth=9), cache=cache),
    ]
    assert all(other is not first for other in others)
    assert [o.contract.title for o in others] == ["Store", "Shop", "Store", "Shop"]
    assert load_contract(source(), cache=cache) is first


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    size = len(source("a").text)
    cache = ContractCache(bytes_max=2 * size)
    first, second = (load_contract(source(t), cache=cache) for t in "ab")
    assert load_contract(source("a"), cache=cache) is first
    load_contract(source("c"), cache=cache)
    assert load_contract(source("a"), cache=cache) is first
    assert load_contract(source("b"), cache=cache) is not second


def test_a_document_larger_than_the_cache_is_not_remembered() -> None:
    cache = ContractCache(bytes_max=10)
    assert load_contract(source(), cache=cache) is not load_contract(source(), cache=cache)


def test_a_document_that_pulls_in_files_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {}\n"
        "components: {schemas: {A: {$ref: part.yaml}}}\n",
        encoding="utf-8",
    )
    part = tmp_path / "part.yaml"
    cache = ContractCache()
    kinds = []
    for kind in ("string", "integer"):
        part.write_text(f"type: {kind}\n", encoding="utf-8")
        contract = load_contract(tmp_path / "api.yaml", cache=cache).contract
        kinds.append(contract.schemas["x-driftgate-files"]["part.yaml"]["type"])
    assert kinds == ["string", "integer"]


@pytest.mark.parametrize("corrected", [False, True])
def test_every_phase_is_told_once_it_ended(corrected: bool) -> None:
    phases: list[str] = []
    overlays = [read_overlay(Source("fixes.yaml", OVERLAY))] if corrected else []
    load_contract(source(), overlays=overlays, lap=phases.append)
    middle = ["overlay"] if corrected else []
    assert phases == ["read", "parse", *middle, "link", "normalise"]
