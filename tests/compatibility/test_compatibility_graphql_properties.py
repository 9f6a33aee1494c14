"""Proves over generated schemas: spelling means nothing, swaps turn around, breaks are found."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import graphql
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.catalog import Source, load_contract
from harness.catalog.graphql_text import schema_of
from harness.compatibility import CompareOptions, compare
from harness.model.contract import Contract
from harness.model.errors import DocumentError
from harness.model.finding import Category, Finding, Proof, Verdict

MODEST = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
LEAVES = ("Int", "Float", "String", "Boolean", "ID", "Colour", "Money")
OBJECTS = ("Order", "Item", "Node", "Hit", "Query")


@dataclass(frozen=True)
class Member:
    name: str
    type: str
    arguments: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        given = ", ".join(f"{n}: {t}" for n, t in self.arguments)
        return f"{self.name}{f'({given})' if given else ''}: {self.type}"


@dataclass(frozen=True)
class Shop:
    """A small schema, as parts that can be changed one by one."""

    query: tuple[Member, ...]
    order: tuple[Member, ...]
    item: tuple[Member, ...]
    wish: tuple[Member, ...]
    colours: tuple[str, ...]
    hits: tuple[str, ...]
    node: bool

    def definitions(self) -> list[str]:
        def block(head: str, members: tuple[Member, ...]) -> str:
            return f"{head} {{ {' '.join(m.text() for m in members)} }}"

        implements = " implements Node" if self.node else ""
        name = Member("id", "ID!")
        return [
            block("type Query", (Member("any", "Node"), *self.query)),
            block("interface Node", (name,)),
            block(f"type Order{implements}", (name, *self.order)),
            block("type Item implements Node", (name, *self.item)),
            block("input Wish", self.wish),
            f"enum Colour {{ {' '.join(self.colours)} }}",
            f"union Hit = {' | '.join(self.hits)}",
            "scalar Money",
        ]

    def sdl(self) -> str:
        return "\n".join(self.definitions())


def wrapped(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    shapes = st.sampled_from(("{}", "{}!", "[{}]", "[{}!]!"))
    return st.builds(lambda shape, name: shape.format(name), shapes, st.sampled_from(names))


def members(
    prefix: str, types: st.SearchStrategy[str], *, arguments: bool = False
) -> st.SearchStrategy[tuple[Member, ...]]:
    asked = st.lists(
        st.tuples(st.sampled_from(("x", "y")), wrapped((*LEAVES, "Wish"))),
        max_size=2 if arguments else 0,
        unique_by=lambda pair: pair[0],
    )
    names = st.sampled_from([f"{prefix}{n}" for n in "abc"])
    one = st.builds(lambda n, t, a: Member(n, t, tuple(a)), names, types, asked)
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda m: m.name).map(tuple)


SHOPS = st.builds(
    Shop,
    query=members("q", wrapped((*LEAVES, *OBJECTS)), arguments=True),
    order=members("o", wrapped((*LEAVES, *OBJECTS)), arguments=True),
    item=members("i", wrapped(LEAVES)),
    wish=members("w", wrapped(LEAVES)),
    colours=st.lists(st.sampled_from(("RED", "BLUE", "GREY")), min_size=1, unique=True).map(tuple),
    hits=st.sampled_from((("Order",), ("Item",), ("Order", "Item"))),
    node=st.booleans(),
)
PARTS = ("query", "order", "item", "wish", "colours", "hits", "node")


def contract(text: str) -> Contract:
    return load_contract(Source("shop.graphql", text.encode())).contract


def findings(old: str, new: str) -> list[Finding]:
    return list(compare(contract(old), contract(new)).findings)


def mixed(old: Shop, other: Shop, part: str) -> Shop:
    return replace(old, **{part: getattr(other, part)})


@MODEST
@given(SHOPS, st.randoms(use_true_random=False))
def test_order_texts_and_spelling_say_nothing_beyond_the_documentation(
    shop: Shop, chance: st.DataObject
) -> None:
    definitions = shop.definitions()
    chance.shuffle(definitions)  # type: ignore[attr-defined]
    told = ['"""Words."""\n' + re.sub(r" ([a-z]{2}[:(])", r' "More." \1', d) for d in definitions]
    turned = replace(shop, colours=shop.colours[::-1], hits=shop.hits[::-1], wish=shop.wish[::-1])
    assert findings(shop.sdl(), "\n".join(definitions)) == []
    assert findings(shop.sdl(), turned.sdl()) == []
    assert {f.category for f in findings(shop.sdl(), "\n".join(told))} <= {Category.DOCS}
    assert findings(shop.sdl(), graphql.print_schema(schema_of(contract(shop.sdl())))) == []


@MODEST
@given(SHOPS, SHOPS, st.sampled_from(PARTS))
def test_every_breaking_verdict_about_data_is_shown_and_nothing_else_is_left_open(
    old: Shop, other: Shop, part: str
) -> None:
    new = mixed(old, other, part)
    for finding in findings(old.sdl(), new.sdl()):
        if finding.category in {Category.WIRE_REQUEST, Category.WIRE_RESPONSE}:
            assert (finding.verdict is Verdict.BREAKING) is (finding.proof is Proof.WITNESS)
        if finding.verdict is Verdict.UNPROVEN:
            assert "Money" in finding.reason or "graphql-core" in finding.reason


@MODEST
@given(SHOPS, SHOPS, st.sampled_from(PARTS))
def test_what_graphql_core_calls_breaking_is_never_met_with_silence(
    old: Shop, other: Shop, part: str
) -> None:
    """graphql-core also judges types nobody reaches, so only reachable ones are asked about."""
    new = mixed(old, other, part)
    pair = contract(old.sdl()), contract(new.sdl())
    schemas = [schema_of(c) for c in pair]
    picked = CompareOptions(judged=frozenset({Category.SDK_SOURCE}))
    told = compare(*pair, options=picked).findings
    for change in graphql.find_breaking_changes(*schemas):
        for operation in re.findall(r"Query\.(q\w)", change.description)[:1]:
            places = [
                f"{f.field} {f.operations}" for f in told if f.verdict is not Verdict.COMPATIBLE
            ]
            assert any(operation in place for place in places), change.description


@MODEST
@given(SHOPS, SHOPS, st.sampled_from(("query", "wish", "item")))
def test_a_compatible_schema_accepts_every_operation_of_the_old_one(
    old: Shop, other: Shop, part: str
) -> None:
    """Operations that select every field with every argument say it without our rules."""
    new = mixed(old, other, part)
    report = compare(contract(old.sdl()), contract(new.sdl()))
    assume(report.verdict is Verdict.COMPATIBLE)
    before, after = (schema_of(contract(s.sdl())) for s in (old, new))
    for field in before.query_type.fields.values() if before.query_type else ():
        declared = " ".join(f"${n}: {a.type}" for n, a in field.args.items())
        given_ = ", ".join(f"{n}: ${n}" for n in field.args)
        name = field.ast_node.name.value if field.ast_node else ""
        leaf = graphql.is_leaf_type(graphql.get_named_type(field.type))
        text = f"{name}{f'({given_})' if given_ else ''}{'' if leaf else ' { __typename }'}"
        document = graphql.parse(f"query {f'({declared})' if declared else ''} {{ {text} }}")
        assert graphql.validate(before, document) == []
        assert graphql.validate(after, document) == []


@MODEST
@given(SHOPS, SHOPS)
def test_swapping_the_sides_turns_what_came_into_what_went(one: Shop, other: Shop) -> None:
    there = findings(one.sdl(), replace(one, colours=other.colours).sdl())
    back = findings(replace(one, colours=other.colours).sdl(), one.sdl())
    added = {f.new for f in there if f.rule == "response-enum-value-added"}
    removed = {f.old for f in back if f.rule == "request-enum-value-removed"}
    assert added <= set(other.colours) - set(one.colours)
    assert removed <= set(other.colours) - set(one.colours)
    fields = findings(one.sdl(), replace(one, item=other.item).sdl())
    turned = findings(replace(one, item=other.item).sdl(), one.sdl())
    gone = {f.old for f in fields if f.rule == "request-field-refused"}
    came = {f.new for f in turned if f.rule == "response-property-added"}
    assert gone == came


@MODEST
@given(SHOPS, SHOPS, st.sampled_from(PARTS))
def test_fingerprints_outlive_lines_and_words(old: Shop, other: Shop, part: str) -> None:
    new = mixed(old, other, part)
    moved = "\n\n# Words.\n" + "\n\n".join(new.definitions()[::-1])
    first = {f.fingerprint for f in findings(old.sdl(), new.sdl())}
    second = {f.fingerprint for f in findings(old.sdl(), moved)}
    assert first == second


WHOLE = """
type Query { orders(first: Int = 1, by: [S!] = [A]): [Order!]! node(id: ID!): Node u: U q: Query }
type Mutation { set(i: In!): Order }
interface Node { id: ID! }
type Order implements Node { id: ID! s: S! m: Money deep(a: In): Order }
type Item implements Node { id: ID! o: [Order] }
union U = Order | Item
enum S { A B }
scalar Money
input In @oneOf { a: Int b: In c: [S!] }
directive @k(x: In) on FIELD | QUERY | FIELD_DEFINITION
"""
TOKENS = re.findall(r"\w+|[^\s\w]", WHOLE)


@settings(MODEST, max_examples=300)
@given(st.integers(0, len(TOKENS) - 1), st.sampled_from(sorted(set(TOKENS))), st.booleans())
def test_a_schema_with_a_slip_is_refused_or_judged(at: int, token: str, instead: bool) -> None:
    slipped = [*TOKENS[:at], token, *TOKENS[at + instead :]]
    try:
        other = contract(" ".join(slipped))
    except DocumentError:
        return
    for pair in ((contract(WHOLE), other), (other, contract(WHOLE))):
        for finding in compare(*pair).findings:
            if finding.category in {Category.WIRE_REQUEST, Category.WIRE_RESPONSE}:
                assert (finding.verdict is Verdict.BREAKING) is (finding.proof is Proof.WITNESS)


def test_a_difference_too_deep_to_be_shown_is_unproven() -> None:
    chain = "\n".join(f"type T{i} {{ next: T{i + 1} }}" for i in range(1_500))
    old, new = (
        f"type Query {{ a: T0 }}\n{chain}\ntype T1500 {{ a: Int {b} }}" for b in ("b: Int", "")
    )
    (finding,) = findings(old, new)
    assert (finding.rule, finding.verdict) == ("request-field-refused", Verdict.UNPROVEN)
