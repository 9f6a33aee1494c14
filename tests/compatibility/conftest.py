"""Compares two documents given as values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.catalog.sources import Source
from harness.compatibility import compare
from harness.model.finding import Report

Judge = Callable[[dict[str, Any], dict[str, Any]], Report]


@pytest.fixture
def judge() -> Judge:
    """Return a function that says what clients of one document meet in another."""

    def judged(old: dict[str, Any], new: dict[str, Any]) -> Report:
        contracts = [
            load_contract(Source(f"{name}.json", json.dumps(content).encode())).contract
            for name, content in (("old", old), ("new", new))
        ]
        return compare(*contracts)

    return judged
