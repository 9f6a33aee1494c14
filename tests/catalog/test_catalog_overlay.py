"""An overlay corrects a document as its standard says, with a reason, and never in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import (
    Limits,
    Loaded,
    Source,
    all_problems,
    apply_overlay,
    load_contract,
    read_overlay,
    stale_everywhere,
)
from harness.model.errors import DocumentError, MetadataError

BASE = """openapi: 3.0.3
info: {title: Shop, version: "1"}
paths:
  /stock:
    get:
      tags: [a, b, c]
      parameters:
        - {name: one, in: query, schema: {type: string}}
        - {name: two, in: query, schema: {type: string}}
        - {name: three, in: query, schema: {type: string}}
      responses:
        "200": {description: ok, content: {"*/*": {schema: {$ref: '#/components/schemas/Stock'}}}}
components:
  schemas:
    Stock:
      type: object
      properties:
        count: {type: integer}
        place: {type: string}
"""
HEAD = (
    "overlay: 1.0.0\ninfo: {title: Fixes, version: '1', x-reason: the vendor is wrong}\nactions:\n"
)


ACTION = "  - {target: $.a, remove: true}\n"


def overlay(actions: str, head: str = HEAD) -> Any:
    return read_overlay(Source("fixes.yaml", (head + actions).encode()))


def corrected(actions: str, document: Any) -> Any:
    return apply_overlay(document, overlay(actions)).document


def loaded(actions: str, base: str = BASE) -> Loaded:
    return load_contract(Source("shop.yaml", base.encode()), overlays=[overlay(actions)])


def place(found: Loaded, pointer: str) -> str:
    return str(found.contract.locate(pointer))


# ------------------------------------------------------------------------------------ the standard


@pytest.mark.parametrize(
    ("document", "action", "expected"),
    [
        (
            {"a": {"b": 1, "c": 2}},
            "{target: $.a, update: {b: 3, d: 4}}",
            {"a": {"b": 3, "c": 2, "d": 4}},
        ),
        (
            {"a": {"b": {"c": 1}}},
            "{target: $, update: {a: {b: {d: 2}}}}",
            {"a": {"b": {"c": 1, "d": 2}}},
        ),
        ({"a": [1]}, "{target: $.a, update: 2}", {"a": [1, 2]}),
        ({"a": [1]}, "{target: $.a, update: [2, 3]}", {"a": [1, 2, 3]}),
        ({"a": [1]}, "{target: $, update: {a: [2]}}", {"a": [1, 2]}),
        ({"a": 1}, "{target: $.a, update: two}", {"a": "two"}),
        ({"a": 1}, "{target: $.a, update: true}", {"a": True}),
        ({"a": 1}, "{target: $, update: {a: [1]}}", {"a": [1]}),
        ({"a": {"b": 1}}, "{target: $, update: {a: null}}", {"a": None}),
        ({"a": 1, "b": 2}, "{target: $.a, remove: true}", {"b": 2}),
        ({"a": [1, 2, 3, 4]}, "{target: '$.a[?@ > 1 && @ < 4]', remove: true}", {"a": [1, 4]}),
        ({"a": [[1, 2], [3]]}, "{target: '$..[0]', remove: true}", {"a": [[]]}),
        ({"a": [1]}, "{target: $.a, update: 2, remove: true}", {}),
        (
            {"a": {"x": 1}, "b": {"x": 1}},
            "{target: $.*, update: {x: 2}}",
            {"a": {"x": 2}, "b": {"x": 2}},
        ),
        ({"a": [1]}, "{target: \"$['a', 'a']\", update: 2}", {"a": [1, 2]}),
    ],
)
def test_an_action_does_what_the_standard_says(document: Any, action: str, expected: Any) -> None:
    before = json.dumps(document)
    assert corrected(f"  - {action}\n", document) == expected
    assert json.dumps(document) == before


def test_actions_see_what_the_ones_before_them_did() -> None:
    actions = "  - {target: $.a, remove: true}\n  - {target: $, update: {a: {c: 1}}}\n"
    actions += "  - {target: $.a, update: {d: 2}}\n"
    assert corrected(actions, {"a": {"b": 1}}) == {"a": {"c": 1, "d": 2}}


def test_one_update_put_in_two_places_is_two_values() -> None:
    actions = '  - {target: \'$["a", "b"]\', update: {x: {y: 1}}}\n'
    actions += "  - {target: $.a.x, update: {y: 2}}\n"
    assert corrected(actions, {"a": {}, "b": {}}) == {"a": {"x": {"y": 2}}, "b": {"x": {"y": 1}}}


def test_search_and_match_select_by_expression() -> None:
    document = {"a": [{"n": "ab"}, {"n": "b"}, {"n": "abc"}]}
    whole = corrected("  - {target: \"$.a[?match(@.n, 'a.')]\", remove: true}\n", document)
    assert whole == {"a": [{"n": "b"}, {"n": "abc"}]}
    part = corrected("  - {target: \"$.a[?search(@.n, 'a')]\", remove: true}\n", document)
    assert part == {"a": [{"n": "b"}]}


# ------------------------------------------------------------------------------ lines of both files


def test_places_are_those_of_the_file_that_wrote_the_part() -> None:
    found = loaded(
        "  - target: $.components.schemas.Stock.properties\n"
        "    update:\n"
        "      count: {type: string}\n"
        "      shelf: {type: string}\n"
    )
    start = "/components/schemas/Stock/properties"
    assert place(found, f"{start}/count/type") == "fixes.yaml:6:15"
    assert place(found, f"{start}/count") == "shop.yaml:18:9"
    assert place(found, f"{start}/shelf/type") == "fixes.yaml:7:15"
    assert place(found, f"{start}/place/type") == "shop.yaml:19:17"
    assert found.contract.schemas["components"]["schemas"]["Stock"]["properties"]["count"] == {
        "type": "string"
    }


def test_elements_that_move_up_keep_their_lines() -> None:
    found = loaded(
        "  - {target: \"$.paths.*.get.parameters[?@.name == 'two']\", remove: true}\n"
        "  - {target: '$.paths.*.get.tags[0]', remove: true}\n"
        "  - {target: $.paths.*.get.parameters, update: {name: four, in: query}}\n"
    )
    operation = found.contract.operations[0]
    assert [p.name for p in operation.parameters] == ["one", "three", "four"]
    lines = [place(found, p.pointer) for p in operation.parameters]
    assert lines == ["shop.yaml:8:11", "shop.yaml:10:11", "fixes.yaml:6:40"]
    assert place(found, "/paths/~1stock/get/tags/0") == "shop.yaml:6:17"


def test_a_problem_that_an_overlay_brings_stands_in_the_overlay() -> None:
    update = "{properties: {place: {type: nothing}}}"
    found = loaded(f"  - target: $.components.schemas.Stock\n    update: {update}\n")
    (problem,) = [p for p in all_problems(found) if p.rule == "unusable-schema"]
    assert str(problem.location) == "fixes.yaml:5:35"


# --------------------------------------------------------------------------------- never in silence


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ("{target: $.paths.gone, remove: true}", "overlay-target-absent"),
        ("{target: $.components.schemas.Gone, update: {type: string}}", "overlay-target-absent"),
        ("{target: $.info, update: {title: Shop}}", "overlay-without-effect"),
    ],
)
def test_a_stale_correction_is_a_problem_with_its_reason(action: str, rule: str) -> None:
    (problem,) = loaded(f"  - {action}\n").problems
    assert problem.rule == rule
    assert "the vendor is wrong" in problem.message
    assert str(problem.location) == "fixes.yaml:4:6"


def test_a_target_that_one_side_lacks_is_no_mistake_for_both() -> None:
    actions = "  - {target: $.info.contact, remove: true}\n  - {target: $.gone, remove: true}\n"
    old = loaded(actions).problems
    new = loaded(actions, BASE.replace("title: Shop", "title: Shop, contact: {}")).problems
    assert [p.value for p in stale_everywhere(old, new)] == ["$.gone"]
    assert [p.value for p in stale_everywhere(old)] == ["$.info.contact", "$.gone"]
    assert stale_everywhere() == ()


WITHOUT_REASON = "overlay: 1.0.0\ninfo: {title: Fixes, version: '1'}\nactions:\n"


def test_a_reason_is_asked_for_by_line() -> None:
    reasoned = "  - {target: $.a, remove: true, x-reason: it never worked}\n"
    assert overlay(reasoned, WITHOUT_REASON).actions[0].reason == "it never worked"
    with pytest.raises(MetadataError, match="gives no reason") as caught:
        overlay(reasoned + "  - {target: $.b, remove: true}\n", WITHOUT_REASON)
    assert str(caught.value.location) == "fixes.yaml:5:5"
    assert "x-reason" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + "  - {target: $.a, udpate: 1}\n", 4, "'udpate' is not a known name"),
        (HEAD + "  - {target: a.b, remove: true}\n", 4, "does not match"),
        (HEAD + "  - {target: $.a}\n", 4, "changes nothing"),
        (HEAD + "  - {target: $, remove: true}\n", 4, "whole document"),
        (HEAD + "  - {target: $.a, copy: $.b}\n", 4, "'copy' is not a known name"),
        (HEAD + "  []\n", 3, "less than 1 item"),
        (HEAD.replace("1.0.0", "2.0.0") + ACTION, 1, "does not match"),
        (HEAD.replace("title: Fixes, ", "") + ACTION, 2, "title"),
    ],
)
def test_a_badly_written_overlay_is_refused_by_line(text: str, line: int, words: str) -> None:
    with pytest.raises(MetadataError) as caught:
        read_overlay(Source("fixes.yaml", text.encode()))
    assert words in str(caught.value)
    assert caught.value.location
    assert caught.value.location.line == line


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("{target: '$.paths[', remove: true}", "not a JSONPath query"),
        ("{target: $.paths | $.info, remove: true}", "not a JSONPath query"),
        ("{target: $.info.title, update: {a: 1}}", "does not fit /info/title"),
        ("{target: $.info, update: text}", "does not fit /info"),
    ],
)
def test_an_action_that_cannot_be_done_is_refused_with_its_line(action: str, words: str) -> None:
    with pytest.raises(MetadataError, match=words) as caught:
        loaded(f"  - {action}\n")
    assert caught.value.location
    assert caught.value.location.line == 4


def test_an_overlay_cannot_turn_a_document_into_something_else() -> None:
    with pytest.raises(DocumentError, match="not a version we read"):
        loaded("  - {target: $.openapi, update: '9.9'}\n")


# ------------------------------------------------------------------------------------------- bounds


def grown(actions: str, limits: Limits) -> None:
    document: dict[str, Any] = {"a": {"b": {}}, "c": [[] for _ in range(50)]}
    apply_overlay(document, overlay(actions), limits=limits)


def test_corrections_that_grow_too_far_are_refused() -> None:
    doubling = "  - {target: $.c, update: [1, 2, 3, 4, 5, 6, 7, 8]}\n" * 10
    with pytest.raises(MetadataError, match="more than 100 values"):
        grown(doubling, Limits(nodes=100))
    deeper = "  - {target: $..b, update: {b: {b: {b: {}}}}}\n" * 3
    with pytest.raises(MetadataError, match="more than 6 levels"):
        grown(deeper, Limits(depth=6))


@pytest.mark.slow
def test_a_query_that_looks_at_everything_for_everything_ends() -> None:
    document: dict[str, Any] = {"a": [{"b": [{} for _ in range(60)]} for _ in range(60)]}
    slow = overlay("  - {target: '$..[?count($..[?@.c]) > count(@..[?@.c])]', remove: true}\n")
    with pytest.raises(MetadataError, match="values to look at"):
        apply_overlay(document, slow)


def test_an_expression_made_to_run_forever_ends() -> None:
    slow = overlay("  - {target: \"$[?search(@, '^(a|a)*(a|a)*(a|a)*$')]\", remove: true}\n")
    assert apply_overlay({"x": "a" * 5_000 + "b"}, slow).document


def test_the_same_overlay_twice_is_a_second_time_without_effect(tmp_path: Path) -> None:
    path = tmp_path / "fixes.yaml"
    path.write_text(HEAD + "  - {target: $.info, update: {title: Store}}\n", encoding="utf-8")
    once = read_overlay(path)
    found = load_contract(Source("shop.yaml", BASE.encode()), overlays=[once, once])
    assert found.contract.title == "Store"
    assert [p.rule for p in found.problems] == ["overlay-without-effect"]
