"""Proves that GraphQL schemas load with their places, and that hostile ones are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import Limits, Source, all_problems, load_contract, open_source, read_overlay
from harness.catalog.graphql_text import is_graphql, schema_of
from harness.model.contract import Contract, Dialect
from harness.model.errors import DocumentError, UsageError

SHOP = '''"""The shop."""
type Query {
  orders(first: Int): [Order!]!
  old: String @deprecated(reason: "Gone soon.")
}

type Mutation { ship(id: ID!): Order }

type Order { id: ID! status: Status }
extend type Order { note: String }

enum Status {
  OPEN
  CLOSED
}
'''


def loaded(text: str, *, label: str = "shop.graphql", limits: Limits | None = None) -> Contract:
    source = Source(label, text.encode())
    return load_contract(source, limits=limits or Limits()).contract


def refusal(text: str, *, limits: Limits | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        loaded(text, limits=limits)
    return caught.value


def test_operations_are_the_fields_of_the_root_types() -> None:
    contract = loaded(SHOP)
    assert contract.dialect is Dialect.GRAPHQL
    labels = [(o.label, o.deprecated) for o in contract.operations]
    assert labels == [("QUERY old", True), ("QUERY orders", False), ("MUTATION ship", False)]
    assert schema_of(contract) is schema_of(loaded(SHOP))


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("", (1, 1)),
        ("/types/Order", (9, 6)),
        ("/types/Order/fields/status", (9, 22)),
        ("/types/Order/fields/note", (10, 21)),
        ("/types/Query/fields/orders/args/first", (3, 10)),
        ("/types/Status/values/CLOSED", (14, 3)),
    ],
)
def test_every_part_has_its_line_and_column(pointer: str, place: tuple[int, int]) -> None:
    found = loaded(SHOP).locate(pointer)
    assert found is not None
    assert (found.path, found.line, found.column) == ("shop.graphql", *place)


def test_what_stands_in_no_file_has_no_place() -> None:
    contract = loaded(SHOP)
    for pointer in ("/types/String", "/types/Nobody", "/types/Order/fields/none/args/x"):
        assert contract.locate(pointer) is None


def test_a_filed_schema_takes_title_and_version_from_its_folders(tmp_path: Path) -> None:
    folder = tmp_path / "admin" / "2026-04"
    folder.mkdir(parents=True)
    (folder / "schema.graphql").write_text(SHOP, encoding="utf-8")
    contract = load_contract(open_source(folder)).contract
    assert (contract.title, contract.version) == ("admin", "2026-04")
    assert (loaded(SHOP).title, loaded(SHOP).version) == ("", "")


@pytest.mark.parametrize(
    ("text", "complaint", "place"),
    [
        ("type Query { a: }", "Expected Name", (1, 17)),
        ("", "Unexpected <EOF>", (1, 1)),
        ("scalar A\nschema { query: A }", "query type A is not an object type", (2, 1)),
        ("type Query { a: Missing }", "The type Missing is not defined", (1, 17)),
        ("extend type Missing { a: Int }", "The type Missing is not defined", (1, 13)),
        ("type Query { a: Int\n a: Int }", "can only be defined once", (1, 14)),
        ("type Query { a: Int }\ntype Query { b: Int }", "only one type named 'Query'", (1, 6)),
        ("type Query { a: Int @nobody }", "Unknown directive", (1, 21)),
        ("query { a }\ntype Query { a: Int }", "an operation of a client", (1, 1)),
        ('type Query { a(x: Int = "\\q"): Int }', "character escape", (1, 26)),
        ("type Query { a: Int } \x00", "Unexpected character: U+0000", (1, 23)),
    ],
)
def test_a_broken_schema_is_refused_by_line_and_column(
    text: str, complaint: str, place: tuple[int, int]
) -> None:
    error = refusal(text)
    assert complaint in error.message
    assert error.remedy
    assert error.location is not None
    assert (error.location.path, error.location.line, error.location.column)[:1] == (
        "shop.graphql",
    )
    assert (error.location.line, error.location.column) == place


def test_several_mistakes_are_counted() -> None:
    assert "(and 1 more mistake)" in refusal("type Query { a: Int a: Int b: Int b: Int }").message


def test_brackets_beyond_the_limit_are_refused_where_they_are() -> None:
    error = refusal("type Query {\n a: " + "[" * 200_000 + "Int" + "]" * 200_000 + " }")
    assert "more than 128 levels" in error.message
    assert error.location is not None
    assert (error.location.line, error.location.column) == (2, 132)


def test_brackets_within_texts_and_comments_do_not_count() -> None:
    words = "[" * 500
    text = f'"""{words}"""\ntype Query {{ # {words}\n "{words}" a(x: String = "{words}"): Int }}'
    assert loaded(text).operations[0].label == "QUERY a"


def test_tokens_and_bytes_beyond_the_limits_are_refused() -> None:
    error = refusal(SHOP, limits=Limits(nodes=20))
    assert "20 tokens" in error.message
    assert "MiB" in refusal(SHOP, limits=Limits(bytes=100)).message


def test_thousands_of_types_that_lead_into_each_other_are_read() -> None:
    chain = "\n".join(f"type T{i} {{ next: T{i + 1} }}" for i in range(2_000))
    assert len(loaded(f"type Query {{ a: T0 }}\n{chain}\ntype T2000 {{ a: Int }}").operations) == 1


def test_thousands_of_unknown_types_are_refused_at_once() -> None:
    fields = "\n".join(f"f{i}: Unknown{i}" for i in range(5_000))
    types = "\n".join(f"type Known{i} {{ a: Int }}" for i in range(2_000))
    assert "The type Unknown0 is" in refusal(f"type Query {{ {fields} }}\n{types}").message


def test_an_invalid_schema_is_a_problem_with_its_place() -> None:
    text = "type Query { node: Node order: Order }\ninterface Node { id: ID! }\n"
    text += "type Order implements Node { name: String }"
    source = Source("shop.graphql", text.encode())
    (problem,) = all_problems(load_contract(source))
    assert problem.rule == "graphql-schema-invalid"
    assert "Node.id" in problem.message
    assert problem.location is not None
    assert problem.location.line in {2, 3}


def test_members_that_demand_each_other_without_end_never_end_the_check() -> None:
    chain = "\n".join(f"input I{i} {{ next: I{i + 1}! }}" for i in range(3_000))
    text = f"type Query {{ a(x: I0): Int }}\n{chain}\ninput I3000 {{ a: Int }}"
    rules = {p.rule for p in all_problems(load_contract(Source("deep.graphql", text.encode())))}
    assert rules <= {"check-incomplete"}


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("a.graphql", "anything", True),
        ("a.graphqls", "", True),
        ("a.yaml", "type Query { a: Int }", False),
        ("standard input", '# words\n"""More."""\ntype Query { a: Int }', True),
        ("standard input", "extend schema @link", True),
        ("standard input", "schema { query: Q }", True),
        ("standard input", "type: object\nproperties: {}", False),
        ("standard input", '{"openapi": "3.1.0"}', False),
        ("standard input", '"' * 5_000, False),
        ("standard input", "", False),
    ],
)
def test_a_schema_is_known_by_its_name_or_its_first_words(
    label: str, text: str, expected: bool
) -> None:
    assert is_graphql(label, text.encode()) is expected


def test_an_overlay_is_not_for_schemas(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text(
        "overlay: 1.0.0\ninfo: {title: t, version: '1'}\n"
        "actions: [{target: $.info, x-reason: because, update: {title: x}}]\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match="is a GraphQL schema"):
        load_contract(Source("a.graphql", SHOP.encode()), overlays=[read_overlay(path)])


def test_comparing_other_documents_never_imports_the_library(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}', "utf-8"
    )
    code = (
        "import sys; from harness.catalog import load_contract as load\n"
        "from harness.compatibility import compare\n"
        f"contract = load({str(path)!r}).contract\n"
        "compare(contract, contract); sys.exit('graphql' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


PIECES = st.sampled_from(
    [*SHOP.split(), "{", "}", "[", "!", "@oneOf", "input", "union U =", "|", "=", "&", '"""', '"']
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=40), st.integers(0, len(SHOP)))
def test_mangled_schemas_load_or_are_refused(pieces: list[str], at: int) -> None:
    places: list[object] = []
    for text in (" ".join(pieces), SHOP[:at] + " ".join(pieces[:3]) + SHOP[at:], SHOP[:at]):
        try:
            found = load_contract(Source("shop.graphql", text.encode()))
        except DocumentError as error:
            places.append(error.location)
            continue
        all_problems(found)
    assert None not in places
