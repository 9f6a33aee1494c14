"""One cause is one finding, with every place it shows and a fingerprint that outlives edits."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from harness.catalog import load_contract
from harness.compatibility import CompareOptions, compare
from harness.model.contract import Contract
from harness.model.finding import Category, Finding, Report, Verdict

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "state"],
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["open", "sent"]},
        "note": {"type": "string"},
    },
}


def document(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def answers(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a GET operation that answers with this schema."""
    content = {"application/json": {"schema": schema}}
    return {"get": {"responses": {"200": {"description": "ok", "content": content}}}}


def contract(folder: Path, name: str, content: dict[str, Any], *, indent: int = 1) -> Contract:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=indent), encoding="utf-8")
    return load_contract(str(path)).contract


def compared(folder: Path, old: dict[str, Any], new: dict[str, Any], **options: Any) -> Report:
    return compare(
        contract(folder, "old", old),
        contract(folder, "new", new),
        options=CompareOptions(**options),
    )


def breaking(report: Report) -> list[Finding]:
    return [f for f in report.findings if f.verdict is Verdict.BREAKING]


def grown(order: dict[str, Any]) -> dict[str, Any]:
    """Return the order with one more state."""
    changed = copy.deepcopy(order)
    changed["properties"]["state"]["enum"].append("lost")
    return changed


def forty_operations() -> dict[str, Any]:
    one = {"$ref": "#/components/schemas/Order"}
    page = {"type": "object", "properties": {"orders": {"type": "array", "items": one}}}
    return {f"/o{n:02}": answers(one if n % 2 else page) for n in range(40)}


def test_a_change_that_forty_operations_reach_is_one_finding(tmp_path: Path) -> None:
    old = document(forty_operations(), {"Order": ORDER})
    new = document(forty_operations(), {"Order": grown(ORDER)})
    (finding,) = breaking(compared(tmp_path, old, new))
    assert len(finding.operations) == 40
    assert finding.field == "state", "the shortest of all paths"
    fields = {o.operation: o.field for o in finding.occurrences}
    assert fields["GET /o00"] == "orders[].state"
    assert fields["GET /o01"] == "state"


def test_a_base_that_others_include_changes_in_one_place(tmp_path: Path) -> None:
    def estate(base: dict[str, Any]) -> dict[str, Any]:
        schemas: dict[str, Any] = {"Base": base}
        paths = {}
        for name in ("Sale", "Return", "Repair"):
            own = {"type": "object", "properties": {name.lower(): {"type": "string"}}}
            schemas[name] = {"allOf": [{"$ref": "#/components/schemas/Base"}, own]}
            paths[f"/{name}"] = answers({"$ref": f"#/components/schemas/{name}"})
        return document(paths, schemas)

    relaxed = {**ORDER, "required": ["state"]}
    (finding,) = breaking(compared(tmp_path, estate(ORDER), estate(relaxed)))
    assert finding.rule == "response-property-became-optional"
    assert finding.pointer.old == finding.pointer.new == "/components/schemas/Base"
    assert sorted(finding.operations) == ["GET /Repair", "GET /Return", "GET /Sale"]

    shorter = copy.deepcopy(ORDER)
    del shorter["properties"]["note"]
    report = compared(tmp_path, estate(ORDER), estate(shorter))
    (lost,) = [f for f in report.findings if f.category is Category.DATA_LOSS]
    assert (lost.field, len(lost.operations)) == ("note", 3)


def test_two_schemas_with_the_same_edit_stay_two_findings(tmp_path: Path) -> None:
    def estate(order: dict[str, Any]) -> dict[str, Any]:
        refs = {n: answers({"$ref": f"#/components/schemas/{n}"}) for n in ("A", "B")}
        return document({f"/{n}": r for n, r in refs.items()}, {"A": order, "B": order})

    found = breaking(compared(tmp_path, estate(ORDER), estate(grown(ORDER))))
    assert [f.operations for f in found] == [("GET /A",), ("GET /B",)]
    assert len({f.fingerprint for f in found}) == 2


def test_a_fingerprint_survives_what_is_no_change_of_the_cause(tmp_path: Path) -> None:
    def fingerprints(paths: dict[str, Any], schemas: dict[str, Any], **layout: Any) -> list[str]:
        old, new = document(paths, schemas), document(paths, schemas)
        changed = next(name for name in schemas if "state" in schemas[name]["properties"])
        new["components"]["schemas"] = {**schemas, changed: grown(schemas[changed])}
        report = compare(
            contract(tmp_path, "old", old, **layout), contract(tmp_path, "new", new, **layout)
        )
        return [f.fingerprint for f in breaking(report)]

    def paths(name: str, placeholder: str = "id") -> dict[str, Any]:
        item = answers({"$ref": f"#/components/schemas/{name}"})
        item["parameters"] = [
            {"name": placeholder, "in": "path", "required": True, "schema": {"type": "string"}}
        ]
        return {f"/orders/{{{placeholder}}}": item}

    plain = fingerprints(paths("Order"), {"Order": ORDER})
    assert len(plain) == 1
    assert fingerprints(paths("SalesOrder"), {"SalesOrder": ORDER}) == plain, "renamed component"
    assert fingerprints(paths("Order"), {"Order": ORDER}, indent=7) == plain, "moved lines"
    assert fingerprints(paths("Order", "orderId"), {"Order": ORDER}) == plain, "renamed placeholder"
    texts = {**copy.deepcopy(ORDER), "description": "An order as the shop knows it."}
    assert fingerprints(paths("Order"), {"Order": texts}) == plain, "other words"
    other = {"Other": {"type": "object", "properties": {"x": {"type": "string"}}}}
    more = {**paths("Order"), "/z": answers({"$ref": "#/components/schemas/Order"})}
    assert fingerprints(more, {**other, "Order": ORDER}) == plain, "one more operation"


def test_a_lost_property_breaks_only_where_somebody_asks_for_that_category(tmp_path: Path) -> None:
    shorter = copy.deepcopy(ORDER)
    del shorter["properties"]["note"]
    paths = {"/o": answers({"$ref": "#/components/schemas/Order"})}
    old, new = document(paths, {"Order": ORDER}), document(paths, {"Order": shorter})
    assert compared(tmp_path, old, new).verdict is Verdict.COMPATIBLE
    report = compared(tmp_path, old, new, judged=frozenset({Category.DATA_LOSS}))
    (lost,) = breaking(report)
    assert lost.rule == "response-property-removed"
    assert report.verdict is Verdict.BREAKING


def test_phases_are_told_in_order(tmp_path: Path) -> None:
    told: list[str] = []
    paths = {"/o": answers(ORDER)}
    compared(tmp_path, document(paths, {}), document(paths, {}), lap=told.append)
    assert told == [
        "match operations",
        "compare requests",
        "compare answers",
        "rules beside containment",
        "order and locate",
    ]
