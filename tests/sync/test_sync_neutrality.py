"""Proves that the engine knows no system by name: a new channel is data."""

from __future__ import annotations

from pathlib import Path

import harness.canonical
import harness.sync
from harness.catalog import Catalog, contracts_root


def test_no_module_of_engine_or_mapping_names_a_system() -> None:
    names = Catalog(contracts_root()).system_names()
    words = sorted({word for name in names for word in name.split("_") if len(word) > 3})
    assert words
    for package in (harness.sync, harness.canonical):
        for path in sorted(Path(str(package.__file__)).parent.glob("*.py")):
            text = path.read_text(encoding="utf-8").lower()
            assert [word for word in words if word in text] == [], path.name
