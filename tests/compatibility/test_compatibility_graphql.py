"""Proves of each kind of change to a GraphQL schema what it does to old clients, with proof."""

from __future__ import annotations

import json
from typing import Any

import graphql
import pytest

from harness.catalog import Source, load_contract
from harness.catalog.graphql_text import schema_of
from harness.compatibility import CompareOptions, compare
from harness.model.contract import Contract
from harness.model.errors import UsageError
from harness.model.finding import Category, Direction, Finding, Proof, Report, Verdict

BREAKING, UNPROVEN, COMPATIBLE = Verdict.BREAKING, Verdict.UNPROVEN, Verdict.COMPATIBLE


def contract(text: str, name: str = "shop.graphql") -> Contract:
    return load_contract(Source(name, text.encode())).contract


def judged(old: str, new: str, **options: Any) -> Report:
    pair = contract(old, "old.graphql"), contract(new, "new.graphql")
    return compare(*pair, options=CompareOptions(**options))


def confirm(finding: Finding, old: str, new: str) -> None:
    """Judge a witness again, without any of our code."""
    assert finding.witness is not None
    before, after = schema_of(contract(old)), schema_of(contract(new))
    exchange = finding.witness.exchange
    document = graphql.parse(exchange["request"]["body"]["query"])
    assert graphql.validate(before, document) == []
    if "response" not in exchange:
        assert finding.witness.value == exchange["request"]["body"]
        assert graphql.validate(after, document)
        return
    data = exchange["response"]["body"]["data"]
    given = graphql.execute_sync(after, document, data)
    assert given.errors is None
    assert given.data == data
    read = graphql.execute_sync(before, document, data)
    assert read.errors or json.dumps(read.data) != json.dumps(data)


Q = "type Query { %s }"
# What changes, the old and the new schema, and the only finding: rule, verdict, field.
CASES: list[tuple[str, str, str, tuple[str, Verdict, str] | None]] = [
    (
        "a value is added to an enum that is read",
        "type Query { o: O } type O { s: S } enum S { A B }",
        "type Query { o: O } type O { s: S } enum S { A B C }",
        ("response-enum-value-added", BREAKING, "o.s"),
    ),
    (
        "a value is added to an enum that is only written",
        "type Query { o(s: S): Int } enum S { A B }",
        "type Query { o(s: S): Int } enum S { A B C }",
        None,
    ),
    (
        "a value is removed from an enum that is only read",
        "type Query { s: S } enum S { A B }",
        "type Query { s: S } enum S { A }",
        None,
    ),
    (
        "a value is removed from an enum that is written in a list of inputs",
        "type Query { o(i: [I!]): Int } input I { s: S! } enum S { A B }",
        "type Query { o(i: [I!]): Int } input I { s: S! } enum S { A }",
        ("request-enum-value-removed", BREAKING, "o(i[]).s"),
    ),
    (
        "a field is removed",
        Q % "a: Int o: O" + "type O { x: Int y: Int }",
        Q % "a: Int o: O" + "type O { x: Int }",
        ("request-field-refused", BREAKING, "o.y"),
    ),
    (
        "a field is added",
        Q % "o: O" + "type O { x: Int }",
        Q % "o: O" + "type O { x: Int y: Int }",
        ("response-property-added", COMPATIBLE, "o.y"),
    ),
    (
        "an operation is removed",
        Q % "a: Int b: Int",
        Q % "a: Int",
        ("operation-removed", BREAKING, ""),
    ),
    (
        "an operation is added",
        Q % "a: Int",
        Q % "a: Int b: Int",
        ("operation-added", COMPATIBLE, ""),
    ),
    (
        "all mutations are removed",
        Q % "a: Int" + "type Mutation { m(i: [Int]!): Int }",
        Q % "a: Int",
        ("operation-removed", BREAKING, ""),
    ),
    (
        "the first mutation is added",
        Q % "a: Int",
        Q % "a: Int" + "type Mutation { m: Int }",
        ("operation-added", COMPATIBLE, ""),
    ),
    (
        "an answer becomes nullable",
        Q % "o: [O]" + "type O { x: Int! }",
        Q % "o: [O]" + "type O { x: Int }",
        ("response-became-nullable", BREAKING, "o[].x"),
    ),
    ("an answer becomes never null", Q % "a: Int b: [Int]", Q % "a: Int! b: [Int!]!", None),
    (
        "an item of an answer becomes nullable",
        Q % "a: [Int!]!",
        Q % "a: [Int]!",
        ("response-became-nullable", BREAKING, "a"),
    ),
    (
        "an answer becomes a list",
        Q % "a: Int",
        Q % "a: [Int]",
        ("response-type-changed", BREAKING, "a"),
    ),
    (
        "an object becomes a list of them",
        Q % "o: O" + "type O { x: Int }",
        Q % "o: [O]" + "type O { x: Int }",
        ("response-type-changed", BREAKING, "o"),
    ),
    (
        "a whole number becomes any number",
        Q % "a: Int",
        Q % "a: Float",
        ("response-type-changed", BREAKING, "a"),
    ),
    (
        "any number becomes a whole one",
        Q % "a: Float",
        Q % "a: Int",
        None,
    ),
    (
        "a text becomes a number",
        Q % "a: String",
        Q % "a: Int",
        ("response-type-changed", BREAKING, "a"),
    ),
    (
        "a number becomes a truth value",
        Q % "a: Int",
        Q % "a: Boolean",
        ("response-type-changed", BREAKING, "a"),
    ),
    (
        "a text becomes an id",
        Q % "a: String",
        Q % "a: ID",
        None,
    ),
    (
        "a scalar nobody describes takes the place of another",
        Q % "a: M" + "scalar M",
        Q % "a: D" + "scalar D",
        ("response-type-changed", UNPROVEN, "a"),
    ),
    (
        "a value becomes an object",
        Q % "a: Int",
        Q % "a: O" + "type O { x: Int }",
        ("request-selection-refused", BREAKING, "a"),
    ),
    (
        "an object becomes a value",
        Q % "a: O" + "type O { x: Int }",
        Q % "a: Int",
        ("request-selection-refused", BREAKING, "a"),
    ),
    (
        "an object is of another type",
        Q % "a: O" + "type O { x: Int } ",
        Q % "a: P" + "type P { x: Int } ",
        ("response-type-changed", BREAKING, "a"),
    ),
    (
        "a narrower type answers",
        Q % "n: N o: O p: P" + "interface N { x: Int }"
        "type O implements N { x: Int } type P implements N { x: Int }",
        Q % "n: O o: O p: P" + "interface N { x: Int }"
        "type O implements N { x: Int } type P implements N { x: Int }",
        ("request-type-condition-refused", BREAKING, "n"),
    ),
    (
        "the only implementation answers",
        Q % "n: N o: O" + "interface N { x: Int }type O implements N { x: Int }",
        Q % "n: O o: O" + "interface N { x: Int }type O implements N { x: Int }",
        None,
    ),
    (
        "a union gets another type",
        Q % "u: U" + "union U = A type A { x: Int } type B { x: Int }",
        Q % "u: U" + "union U = A | B type A { x: Int } type B { x: Int }",
        ("response-possible-type-added", BREAKING, "u<B>"),
    ),
    (
        "a union loses a type",
        Q % "u: U" + "union U = A | B type A { x: Int } type B { x: Int }",
        Q % "u: U" + "union U = A type A { x: Int } type B { x: Int }",
        ("request-type-condition-refused", BREAKING, "u<B>"),
    ),
    (
        "an interface gets another implementation",
        Q % "n: N" + "interface N { x: Int } type A implements N { x: Int } type B { x: Int }",
        Q % "n: N" + "interface N { x: Int } type A implements N { x: Int } "
        "type B implements N { x: Int }",
        ("response-implementation-added", COMPATIBLE, "n<B>"),
    ),
    (
        "a type no longer implements an interface",
        Q % "n: N b: B" + "interface N { x: Int } type A implements N { x: Int } "
        "type B implements N { x: Int }",
        Q % "n: N b: B" + "interface N { x: Int } type A implements N { x: Int } type B { x: Int }",
        ("request-type-condition-refused", BREAKING, "b<N>"),
    ),
    (
        "an optional argument is added",
        Q % "a: Int",
        Q % "a(x: Int): Int",
        ("request-parameter-added", COMPATIBLE, "a(x)"),
    ),
    (
        "a required argument with a default is added",
        Q % "a: Int",
        Q % "a(x: Int! = 1): Int",
        ("request-parameter-added", COMPATIBLE, "a(x)"),
    ),
    (
        "a required argument is added",
        Q % "a: Int",
        Q % "a(x: Int!): Int",
        ("request-parameter-added-required", BREAKING, "a(x)"),
    ),
    (
        "an argument is removed",
        Q % "a(x: Int): Int",
        Q % "a: Int",
        ("request-argument-refused", BREAKING, "a(x)"),
    ),
    (
        "a required argument is removed",
        Q % "a(x: [E!]!): Int b: E" + "enum E { V }",
        Q % "a: Int b: E" + "enum E { V }",
        ("request-argument-refused", BREAKING, "a(x)"),
    ),
    (
        "an argument becomes required",
        Q % "a(x: Int): Int",
        Q % "a(x: Int!): Int",
        ("request-parameter-became-required", BREAKING, "a(x)"),
    ),
    (
        "an argument loses the default that made it optional",
        Q % "a(x: Int! = 1): Int",
        Q % "a(x: Int!): Int",
        ("request-parameter-became-required", BREAKING, "a(x)"),
    ),
    ("an argument may be left out", Q % "a(x: Int!): Int", Q % "a(x: Int): Int", None),
    (
        "an argument refuses null",
        Q % "a(x: Int = 1): Int",
        Q % "a(x: Int! = 1): Int",
        ("request-became-not-nullable", BREAKING, "a(x)"),
    ),
    (
        "the items of an argument refuse null",
        Q % "a(x: [Int]): Int",
        Q % "a(x: [Int!]): Int",
        ("request-became-not-nullable", BREAKING, "a(x)"),
    ),
    (
        "an argument is of another type",
        Q % "a(x: ID): Int",
        Q % "a(x: String): Int",
        ("request-type-changed", BREAKING, "a(x)"),
    ),
    (
        "an argument becomes a list",
        Q % "a(x: Int): Int",
        Q % "a(x: [Int]): Int",
        ("request-type-changed", BREAKING, "a(x)"),
    ),
    (
        "an argument is an input of another name",
        Q % "a(x: I): Int" + "input I { v: Int }",
        Q % "a(x: J): Int" + "input J { v: Int }",
        ("request-type-changed", BREAKING, "a(x)"),
    ),
    (
        "a default changes",
        Q % "a(x: [Int] = [1]): Int",
        Q % "a(x: [Int] = [2]): Int",
        ("request-default-changed", BREAKING, "a(x)"),
    ),
    (
        "a default is added",
        Q % "a(x: Int): Int",
        Q % "a(x: Int = 2): Int",
        ("request-default-added", COMPATIBLE, "a(x)"),
    ),
    (
        "a default is removed",
        Q % "a(x: Int = 2): Int",
        Q % "a(x: Int): Int",
        ("request-default-removed", COMPATIBLE, "a(x)"),
    ),
    (
        "a member is removed",
        Q % "a(i: I!): Int" + "input I { v: Int! w: J } input J { k: ID! }",
        Q % "a(i: I!): Int" + "input I { v: Int! } input J { k: ID! }",
        ("request-property-refused", BREAKING, "a(i).w"),
    ),
    (
        "a member is added",
        Q % "a(i: I!): Int" + "input I { v: Int! }",
        Q % "a(i: I!): Int" + "input I { v: Int! w: Int! = 1 }",
        ("request-property-added", COMPATIBLE, "a(i).w"),
    ),
    (
        "a required member is added",
        Q % "a(i: [I!]!): Int" + "input I { v: Int! }",
        Q % "a(i: [I!]!): Int" + "input I { v: Int! w: Int! }",
        ("request-required-property-added", BREAKING, "a(i[]).w"),
    ),
    (
        "a member becomes required",
        Q % "a(i: I!): Int" + "input I { v: Int! w: Int }",
        Q % "a(i: I!): Int" + "input I { v: Int! w: Int! }",
        ("request-property-became-required", BREAKING, "a(i).w"),
    ),
    (
        "exactly one member must be given",
        Q % "a(i: I!): Int" + "input I { v: Int w: Int }",
        Q % "a(i: I!): Int" + "input I @oneOf { v: Int w: Int }",
        ("request-one-of-tightened", BREAKING, "a(i)"),
    ),
    (
        "several members may be given",
        Q % "a(i: I!): Int" + "input I @oneOf { v: Int w: Int }",
        Q % "a(i: I!): Int" + "input I { v: Int w: Int }",
        None,
    ),
    (
        "a directive of operations is gone",
        Q % "a: Int" + "directive @k(x: Int!) on FIELD",
        Q % "a: Int",
        ("request-directive-refused", BREAKING, "@k"),
    ),
    (
        "a directive may no longer stand on a mutation",
        Q % "a: Int" + "type Mutation { m: Int } directive @k on FIELD | MUTATION",
        Q % "a: Int" + "type Mutation { m: Int } directive @k on FIELD",
        ("request-directive-refused", BREAKING, "@k"),
    ),
    (
        "a directive of operations demands an argument",
        Q % "a: Int" + "directive @k on QUERY",
        Q % "a: Int" + "directive @k(x: Int!) on QUERY",
        ("request-parameter-added-required", BREAKING, "@k(x)"),
    ),
    (
        "a directive of fragments loses an argument",
        Q % "a: Int" + "directive @k(x: Int) on INLINE_FRAGMENT",
        Q % "a: Int" + "directive @k on INLINE_FRAGMENT",
        ("request-argument-refused", BREAKING, "@k(x)"),
    ),
    (
        "a directive of definitions is gone",
        Q % "a: Int" + "directive @k on FIELD_DEFINITION",
        Q % "a: Int",
        None,
    ),
    (
        "a directive is put on a field",
        Q % "a: Int" + "directive @k(x: Int) on FIELD_DEFINITION",
        Q % "a: Int @k(x: 1)" + "directive @k(x: Int) on FIELD_DEFINITION",
        ("applied-directive-added", UNPROVEN, ""),
    ),
    (
        "a directive on a member says something else",
        Q % "a(i: I): Int" + "input I { v: Int @k(x: 1) } "
        "directive @k(x: Int) on INPUT_FIELD_DEFINITION",
        Q % "a(i: I): Int" + "input I { v: Int @k(x: 2) } "
        "directive @k(x: Int) on INPUT_FIELD_DEFINITION",
        ("applied-directive-changed", UNPROVEN, "a(i).v"),
    ),
    (
        "a directive is taken from an enum value",
        Q % "a: E" + "enum E { V @k } directive @k on ENUM_VALUE",
        Q % "a: E" + "enum E { V } directive @k on ENUM_VALUE",
        ("applied-directive-removed", COMPATIBLE, "a"),
    ),
    (
        "a scalar follows another specification",
        Q % "a: S" + 'scalar S @specifiedBy(url: "https://a.example/1")',
        Q % "a: S" + 'scalar S @specifiedBy(url: "https://a.example/2")',
        ("scalar-specification-changed", UNPROVEN, "a"),
    ),
    (
        "an operation is deprecated",
        Q % "a: Int",
        Q % 'a: Int @deprecated(reason: "Use b.")',
        ("operation-deprecated", COMPATIBLE, ""),
    ),
    (
        "a field is deprecated",
        Q % "o: O" + "type O { x: Int }",
        Q % "o: O" + 'type O { x: Int @deprecated(reason: "Use y.") }',
        ("schema-deprecated", COMPATIBLE, "o.x"),
    ),
    (
        "a field is no longer deprecated",
        Q % "o: O" + "type O { x: Int @deprecated }",
        Q % "o: O" + "type O { x: Int }",
        ("schema-undeprecated", COMPATIBLE, "o.x"),
    ),
    (
        "an argument is deprecated",
        Q % "a(x: Int): Int",
        Q % "a(x: Int @deprecated): Int",
        ("parameter-deprecated", COMPATIBLE, "a(x)"),
    ),
    (
        "a value is deprecated",
        Q % "a: E" + "enum E { V W }",
        Q % "a: E" + "enum E { V W @deprecated }",
        ("schema-deprecated", COMPATIBLE, "a"),
    ),
    (
        "an event is removed",
        Q % "a: Int" + "type Subscription { s: Int t: Int }",
        Q % "a: Int" + "type Subscription { t: Int }",
        ("operation-removed", BREAKING, ""),
    ),
    (
        "a type nobody reaches changes",
        Q % "a: Int" + "type O { x: Int } input I { v: Int }",
        Q % "a: Int" + "type O { y: Int } input I { w: Int! }",
        None,
    ),
    (
        "the type that queries start at is renamed",
        Q % "a: Int",
        "schema { query: Root } type Root { a: Int }",
        ("request-type-condition-refused", BREAKING, "<Query>"),
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_change_is_judged_as_what_it_does_to_old_clients(
    old: str, new: str, expected: tuple[str, Verdict, str] | None
) -> None:
    report = judged(old, new)
    found = list(report.findings)
    told = [(f.rule, f.verdict, f.field) for f in found]
    assert told == ([expected] if expected else []), [f.message for f in found]
    for finding in found:
        assert finding.message.endswith(".")
        if finding.verdict is BREAKING and finding.category is not Category.POLICY:
            assert finding.proof is Proof.WITNESS
            confirm(finding, old, new)
        if finding.verdict is UNPROVEN:
            assert finding.reason
            assert finding.witness is None


def test_names_of_types_matter_to_generated_clients_alone() -> None:
    old, new = Q % "o: O" + "type O { x: Int }", Q % "o: O" + "type O { x: Int } type P { x: Int }"
    assert judged(old, new).findings == ()
    picked = judged(new, old, judged=frozenset({Category.SDK_SOURCE}))
    assert [(f.rule, f.verdict) for f in picked.findings] == [("schema-removed", BREAKING)]
    picked = judged(Q % "a: ID", Q % "a: String", judged=frozenset({Category.SDK_SOURCE}))
    assert [(f.rule, f.verdict) for f in picked.findings] == [("schema-type-respelled", BREAKING)]


def test_one_cause_is_one_finding_with_every_operation_and_its_shortest_way() -> None:
    shop = """
      type Query { orders: Connection node(id: ID!): Node again: Query }
      type Mutation { ship(id: ID!): Order }
      interface Node { id: ID! }
      type Connection { edges: [Edge!]! }
      type Edge { node: Order! parent: Edge }
      type Order implements Node { id: ID! status: Status deep: Order }
      enum Status { OPEN%s }
    """
    (finding,) = judged(shop % "", shop % " HELD").findings
    assert finding.field == "ship.status"
    assert finding.operations[0] == "MUTATION ship"
    assert [(o.operation, o.field) for o in finding.occurrences] == [
        ("MUTATION ship", "ship.status"),
        ("QUERY again", "again.orders.edges[].node.status"),
        ("QUERY node", "node<Order>.status"),
        ("QUERY orders", "orders.edges[].node.status"),
    ]
    assert finding.direction is Direction.RESPONSE
    assert finding.witness is not None
    assert finding.witness.value == {"data": {"ship": {"status": "HELD"}}}
    assert finding.places.new is not None
    assert (finding.places.new.path, finding.places.new.line) == ("new.graphql", 8)


def test_a_type_that_is_gone_is_told_once_for_all_unions_and_interfaces() -> None:
    text = """
      type Query { u: U v: V n: N }
      union U = A%s
      union V = A%s
      interface N { x: Int }
      type A implements N { x: Int }
      %s
    """
    old = text % (" | B", " | B", "type B implements N { x: Int }")
    found = judged(old, text % ("", "", "")).findings
    refused = [f for f in found if f.verdict is BREAKING]
    assert [(f.rule, len(f.occurrences)) for f in refused] == [
        ("request-type-condition-refused", 3)
    ]


def test_a_field_of_an_interface_changes_once_for_all_that_implement_it() -> None:
    text = """
      type Query { n: N a: A b: B }
      interface N { x: Int! %(y)s }
      type A implements N { x: Int! %(y)s }
      type B implements N { x: Int! %(y)s own: Int }
    """
    (removed,) = judged(text % {"y": "y: Int"}, text % {"y": ""}).findings
    assert (removed.rule, removed.pointer.old) == ("request-field-refused", "/types/N/fields/y")
    assert removed.operations == ("QUERY a", "QUERY b", "QUERY n")
    alone = text.replace(" own: Int", "") % {"y": ""}
    (own,) = judged(text % {"y": ""}, alone).findings
    assert own.pointer.old == "/types/B/fields/own"


def test_what_no_operation_can_show_is_unproven_and_says_so() -> None:
    """The only way to the field asks for something that cannot be written down."""
    old = Q % "o(i: I!): O" + "input I { next: I! } type O { x: Int y: Int }"
    new = Q % "o(i: I!): O" + "input I { next: I! } type O { x: Int }"
    (finding,) = judged(old, new).findings
    assert (finding.rule, finding.verdict) == ("request-field-refused", UNPROVEN)
    assert "graphql-core" in finding.reason


def test_a_difference_behind_another_one_is_shown_on_another_way() -> None:
    """The short way is closed to old clients, so the answer is shown on the long one."""
    old = Q % "a: O b: P" + "type P { o: O } type O { s: S } enum S { A }"
    new = Q % "a(x: Int!): O b: P" + "type P { o: O } type O { s: S } enum S { A B }"
    by_rule = {f.rule: f for f in judged(old, new).findings}
    grown = by_rule["response-enum-value-added"]
    assert (grown.verdict, grown.field) == (BREAKING, "b.o.s")
    confirm(grown, old, new)


def test_the_budget_leaves_the_rest_unproven() -> None:
    old = Q % "a: A" + "type A { b: B } type B { c: C } type C { x: Int y: Int }"
    new = old.replace(" y: Int", "")
    report = judged(old, new, steps_max=2)
    assert {f.rule for f in report.findings} == {
        "request-comparison-too-large",
        "response-comparison-too-large",
    }
    assert report.verdict is UNPROVEN
    assert judged(old, new, steps_max=4).verdict is BREAKING


def test_a_schema_and_another_kind_of_document_are_not_compared() -> None:
    text = '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}'
    other = load_contract(Source("api.json", text.encode())).contract
    for pair in ((contract(Q % "a: Int"), other), (other, contract(Q % "a: Int"))):
        with pytest.raises(
            UsageError, match=r"shop.graphql is a GraphQL schema and api.json is not"
        ):
            compare(*pair)
