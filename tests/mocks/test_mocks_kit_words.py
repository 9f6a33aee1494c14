"""Proves that every word behaviour.yaml and drift packs may use is explained, and no other is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import metadata_schema

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "contracts" / "README.md").read_text(encoding="utf-8")
KIT = (ROOT / "mocks" / "kit" / "README.md").read_text(encoding="utf-8")
SECTION = GUIDE[GUIDE.index("## behaviour.yaml") : GUIDE.index("## Import a vendor")]
# Words whose meaning is their name, explained once for all parts.
PLAIN = frozenset({"id", "operations", "evidence", "kind", "behaviour", "note", "value"})


def words(schema: Any) -> Iterator[str]:
    """Yield every property name and every value of an enumeration below a schema."""
    if isinstance(schema, dict):
        for name, part in schema.get("properties", {}).items():
            yield name
            yield from words(part)
        for name, part in schema.items():
            if name != "properties":
                yield from words(part)
        for value in schema.get("enum", ()):
            if isinstance(value, str):
                yield value
    elif isinstance(schema, list):
        for part in schema:
            yield from words(part)


def explained(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", text) is not None


@pytest.mark.parametrize("part", sorted(metadata_schema("behaviour")["properties"]))
def test_every_part_of_behaviour_yaml_is_explained(part: str) -> None:
    assert explained(part, SECTION)


def test_every_word_of_behaviour_yaml_is_explained() -> None:
    unknown = sorted(set(words(metadata_schema("behaviour"))) - PLAIN)
    assert [word for word in unknown if not explained(word, SECTION)] == []


def test_every_word_of_a_drift_pack_is_explained() -> None:
    begin = GUIDE.index("## Drift packs")
    section = GUIDE[begin : GUIDE.index("\n## ", begin + 5)]
    unknown = sorted(set(words(metadata_schema("drift_pack"))) - PLAIN)
    assert [word for word in unknown if not explained(word, section)] == []


def test_every_reason_the_kit_gives_stands_in_its_guide() -> None:
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "mocks" / "kit").glob("*.py")]
    found = {m for text in sources for m in re.findall(r'reason="([a-z_.]+)"', text)}
    found |= {m for text in sources for m in re.findall(r'"((?:parameter|body)\.[a-z]+)"\)', text)}
    assert len(found) > 20
    missing = [
        reason
        for reason in sorted(found)
        if f"`{reason}`" not in KIT and f"`.{reason.partition('.')[2]}`" not in KIT
    ]
    assert missing == []
