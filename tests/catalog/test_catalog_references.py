"""Every reference arrives inside the document, or is reported; none leaves the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import FILES, UNRESOLVED, Limits, Loaded, Source, load_contract
from harness.model.contract import Problem
from harness.model.errors import DocumentError
from harness.model.values import resolve_pointer

SCHEMA = "/paths/~1a/get/responses/200/content/application~1json/schema"


def document(schema: Any, **more: Any) -> dict[str, Any]:
    answer = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "a", "responses": {"200": answer}}
    info = {"title": "x", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": {"/a": {"get": operation}}, **more}


def load(folder: Path, value: dict[str, Any], **files: Any) -> Loaded:
    for name, content in {"openapi.json": value, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return load_contract(folder / "openapi.json")


def only_problem(loaded: Loaded) -> Problem:
    (problem,) = loaded.problems
    return problem


@pytest.mark.parametrize(
    ("reference", "rule"),
    [
        ("#/components/schemas/Gone", "dangling-reference"),
        ("#nowhere", "dangling-reference"),
        ("gone.json", "dangling-reference"),
        ("http://api.example/x.json#/A", "remote-reference-refused"),
        ("//api.example/x.json", "remote-reference-refused"),
        ("file:///etc/passwd", "remote-reference-refused"),
        ("../outside.json", "reference-outside-folder"),
        ("a/../../outside.json", "reference-outside-folder"),
        ("%2e%2e/outside.json", "reference-outside-folder"),
        ("/etc/passwd", "reference-outside-folder"),
        ("..\\outside.json", "reference-outside-folder"),
        ("a%00b.json", "reference-outside-folder"),
        (f"#{SCHEMA}", "circular-reference"),
    ],
)
def test_a_reference_that_does_not_arrive_is_reported(
    reference: str, rule: str, tmp_path: Path
) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    (tmp_path / "outside.json").write_text('{"type": "string"}', encoding="utf-8")
    loaded = load(folder, document({"$ref": reference}))
    problem = only_problem(loaded)
    assert (problem.rule, problem.pointer, problem.value) == (rule, SCHEMA, reference)
    assert UNRESOLVED in resolve_pointer(loaded.contract.schemas, SCHEMA)
    assert loaded.contract.operation("a").responses[0].status == "200"  # the rest stays usable


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    (tmp_path / "secret.json").write_text('{"type": "string"}', encoding="utf-8")
    (folder / "linked.json").symlink_to(tmp_path / "secret.json")
    (folder / "inside.json").write_text('{"type": "string"}', encoding="utf-8")
    (folder / "harmless.json").symlink_to(folder / "inside.json")
    problem = only_problem(load(folder, document({"$ref": "linked.json"})))
    assert problem.rule == "dangling-reference"
    assert load(folder, document({"$ref": "harmless.json"})).problems == ()


def test_two_references_that_only_name_each_other_are_circular(tmp_path: Path) -> None:
    schemas = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
    }
    loaded = load(tmp_path, document({"type": "string"}, components={"schemas": schemas}))
    assert {p.rule for p in loaded.problems} == {"circular-reference"}
    assert {p.pointer for p in loaded.problems} == {
        "/components/schemas/A",
        "/components/schemas/B",
    }


def test_a_member_called_ref_is_a_property_not_a_reference(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"$ref": {"type": "string"}}}
    assert load(tmp_path, document(schema)).problems == ()


def test_external_files_are_bundled_and_found_again_by_line(tmp_path: Path) -> None:
    order = {"type": "object", "properties": {"state": {"$ref": "common.json#/State"}}}
    loaded = load(
        tmp_path,
        document({"$ref": "schemas/order.json"}),
        **{"schemas/order.json": order, "schemas/common.json": {"State": {"enum": ["A"]}}},
    )
    contract = loaded.contract
    assert loaded.problems == ()
    assert set(contract.document[FILES]) == {"schemas/order.json", "schemas/common.json"}
    reference = resolve_pointer(contract.schemas, SCHEMA)["$ref"]
    target = f"/{FILES}/schemas~1order.json"
    assert reference == f"#{target}"
    inner = resolve_pointer(contract.schemas, f"{target}/properties/state")["$ref"]
    assert resolve_pointer(contract.schemas, inner.removeprefix("#")) == {"enum": ["A"]}
    place = contract.locate(f"{target}/properties/state")
    assert place is not None
    assert place.path == str(tmp_path / "schemas/order.json")
    assert place.line == 1


def test_a_file_may_refer_back_to_the_document(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        document({"$ref": "other.json"}, components={"schemas": {"A": {"type": "string"}}}),
        **{"other.json": {"items": {"$ref": "openapi.json#/components/schemas/A"}}},
    )
    assert loaded.problems == ()
    items = resolve_pointer(loaded.contract.schemas, f"/{FILES}/other.json/items")
    assert items == {"$ref": "#/components/schemas/A"}


def test_anchors_and_identifiers_become_pointers(tmp_path: Path) -> None:
    schemas = {
        "A": {"$anchor": "here", "type": "string"},
        "B": {"$id": "urn:shop:b", "type": "integer"},
        "C": {"anyOf": [{"$ref": "#here"}, {"$ref": "urn:shop:b"}]},
    }
    loaded = load(
        tmp_path, document({"$ref": "#/components/schemas/C"}, components={"schemas": schemas})
    )
    assert loaded.problems == ()
    assert resolve_pointer(loaded.contract.schemas, "/components/schemas/C/anyOf") == [
        {"$ref": "#/components/schemas/A"},
        {"$ref": "#/components/schemas/B"},
    ]


def test_a_broken_external_file_is_a_problem_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    problem = only_problem(load(tmp_path, document({"$ref": "broken.yaml"})))
    assert "broken.yaml:" in problem.message
    assert "not valid YAML" in problem.message


def test_problems_inside_an_external_file_are_kept(tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("type: string\ntype: string\n", encoding="utf-8")
    problem = only_problem(load(tmp_path, document({"$ref": "twice.yaml"})))
    assert (problem.rule, problem.pointer) == ("duplicate-key", f"/{FILES}/twice.yaml/type")


def test_a_document_without_a_folder_says_why_it_reads_no_files() -> None:
    source = Source("-", json.dumps(document({"$ref": "a.json"})).encode())
    problem = only_problem(load_contract(source))
    assert "does not come from a folder" in problem.message


def bundle(**limits: int) -> Loaded:
    parts = {f"p{i}.json": {"enum": list(range(50))} for i in range(4)}
    schema = {"anyOf": [{"$ref": name} for name in parts]}
    source = Source(
        "a.json",
        json.dumps(document(schema)).encode(),
        beside=lambda name: json.dumps(parts[name]).encode(),
    )
    return load_contract(source, limits=Limits(**limits))


def test_the_number_of_external_files_is_bounded() -> None:
    assert bundle(files=4).problems == ()
    with pytest.raises(DocumentError, match="more than 3 external files"):
        bundle(files=3)


def test_values_are_bounded_over_all_files_together() -> None:
    assert bundle(nodes=300).problems == ()
    with pytest.raises(DocumentError, match="files it refers to hold more than 150 values"):
        bundle(nodes=150)


def test_bytes_are_bounded_over_all_files_together() -> None:
    with pytest.raises(DocumentError, match="files it refers to hold more than"):
        bundle(bytes=600)


@pytest.mark.parametrize("names", [["~0", "a~1b"], ["ü", "a b"], ["%41", "x"]])
def test_names_that_need_escaping_are_found(names: list[str], tmp_path: Path) -> None:
    from harness.catalog import reference_to
    from harness.model.values import pointer

    schemas = {name: {"type": "string"} for name in names}
    parts = [{"$ref": reference_to(pointer("components", "schemas", n))} for n in names]
    loaded = load(tmp_path, document({"anyOf": parts}, components={"schemas": schemas}))
    assert loaded.problems == ()
