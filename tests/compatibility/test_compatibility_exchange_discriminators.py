"""Proves what is said about tags, by which generated code chooses a class."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.catalog import load_contract
from harness.catalog.sources import Source
from harness.compatibility.exchanges.discriminators import discriminator_changes, discriminator_of
from harness.compatibility.exchanges.pairing import Structural
from harness.model.contract import Contract
from harness.model.finding import Verdict

PET = "/components/schemas/Pet"


def contract(schemas: dict[str, Any], *, version: str = "3.0.3") -> Contract:
    info = {"title": "Pets", "version": "1"}
    document: dict[str, Any] = {"openapi": version, "info": info, "paths": {}}
    document["components"] = {"schemas": schemas}
    return load_contract(Source("pets.json", json.dumps(document).encode())).contract


def swagger(schemas: dict[str, Any]) -> Contract:
    info = {"title": "Pets", "version": "1"}
    document = {"swagger": "2.0", "info": info, "paths": {}, "definitions": schemas}
    return load_contract(Source("pets.json", json.dumps(document).encode())).contract


def kind(**more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"kind": {"type": "string"}, **more},
        "required": ["kind"],
    }


def union(
    *names: str, mapping: dict[str, str] | None = None, tag: str = "kind", **more: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"propertyName": tag}
    if mapping is not None:
        said["mapping"] = mapping
    branches = [{"$ref": f"#/components/schemas/{n}"} for n in names]
    schemas = {"Cat": kind(), "Dog": kind(), "Fish": kind(), **more}
    return {**schemas, "Pet": {"oneOf": branches, "discriminator": said}}


def ref(name: str) -> str:
    return f"#/components/schemas/{name}"


def told(old: Contract, new: Contract, *, request: bool, at: str = PET) -> dict[str, Structural]:
    found = {s.rule: s for s in discriminator_changes(old, new, at, at, request=request)}
    assert all(s.pointer.old == s.pointer.new == at for s in found.values())
    return found


BOTH = {"cat": ref("Cat"), "dog": ref("Dog")}


def test_a_tag_nobody_answers_to_breaks_in_requests() -> None:
    old, new = (
        contract(union("Cat", "Dog", mapping=BOTH)),
        contract(union("Cat", "Dog", mapping={"cat": ref("Cat")})),
    )
    found = told(old, new, request=True)["request-discriminator-value-removed"]
    assert found.verdict is Verdict.BREAKING
    assert found.old == "dog"
    assert found.value == {"kind": "dog"}
    assert told(new, old, request=True)["request-discriminator-value-added"].verdict is (
        Verdict.COMPATIBLE
    )


def test_a_tag_nobody_knows_breaks_in_answers() -> None:
    less, more = (
        contract(union("Cat", mapping={"cat": ref("Cat")})),
        contract(union("Cat", "Dog", mapping=BOTH)),
    )
    added = told(less, more, request=False)["response-discriminator-value-added"]
    assert (added.verdict, added.new) == (Verdict.BREAKING, "dog")
    gone = told(more, less, request=False)["response-discriminator-value-removed"]
    assert gone.verdict is Verdict.COMPATIBLE


@pytest.mark.parametrize("request_side", [True, False])
def test_a_tag_that_leads_to_another_schema_breaks(request_side: bool) -> None:
    old = contract(union("Cat", "Dog", mapping=BOTH))
    new = contract(union("Cat", "Dog", mapping={"cat": ref("Dog"), "dog": ref("Cat")}))
    side = "request" if request_side else "response"
    rule = f"{side}-discriminator-value-retargeted"
    assert told(old, new, request=request_side)[rule].verdict is Verdict.BREAKING


@pytest.mark.parametrize("request_side", [True, False])
def test_the_property_that_tells_the_kind_must_stay(request_side: bool) -> None:
    old, new = (
        contract(union("Cat", mapping=BOTH)),
        contract(union("Cat", mapping=BOTH, tag="sort")),
    )
    side = "request" if request_side else "response"
    found = told(old, new, request=request_side)[f"{side}-discriminator-property-changed"]
    assert (found.old, found.new, found.verdict) == ("kind", "sort", Verdict.BREAKING)


def test_a_discriminator_that_comes_or_goes_is_told() -> None:
    plain = union("Cat", "Dog")
    del plain["Pet"]["discriminator"]
    with_tags = contract(union("Cat", "Dog"))
    for request in (True, False):
        side = "request" if request else "response"
        gone = told(with_tags, contract(plain), request=request)
        assert list(gone) == [f"{side}-discriminator-removed"]
        assert list(told(contract(plain), with_tags, request=request)) == [
            f"{side}-discriminator-added"
        ]


SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("order", union("Cat", "Dog", mapping=BOTH), union("Dog", "Cat", mapping=BOTH)),
    (
        "names-written-out",
        union("Cat", "Dog"),
        union("Cat", "Dog", mapping={"Cat": ref("Cat"), "Dog": "Dog"}),
    ),
    (
        "target-renamed",
        union("Cat", mapping={"cat": ref("Cat")}),
        union("Feline", mapping={"cat": ref("Feline")}, Feline=kind()),
    ),
    (
        "names-that-cannot-travel",
        union("Cat", Cat=kind(kind={"enum": ["cat"]})),
        union("Feline", Feline=kind(kind={"enum": ["cat"]})),
    ),
]


@pytest.mark.parametrize(("name", "old", "new"), SAME, ids=[c[0] for c in SAME])
def test_tags_that_mean_the_same_are_the_same(
    name: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert told(contract(old), contract(new), request=True) == {}
    assert told(contract(old), contract(new), request=False) == {}


def test_a_schema_whose_name_is_the_tag_was_renamed() -> None:
    old = contract(union("Cat", "Dog", Cat=kind(claws={"type": "integer"})))
    new = contract(union("Feline", "Dog", Feline=kind(claws={"type": "integer"})))
    found = told(old, new, request=True)
    assert list(found) == ["request-discriminator-value-renamed"]
    assert found["request-discriminator-value-renamed"].new == "Feline"


def base(**more: Any) -> dict[str, Any]:
    return {**kind(), "discriminator": "kind", **more}


def extending(parent: str, **more: Any) -> dict[str, Any]:
    return {"allOf": [{"$ref": f"#/definitions/{parent}"}, {"type": "object"}], **more}


def test_in_swagger_subtypes_are_the_tags() -> None:
    old = swagger({"Pet": base(), "Cat": extending("Pet"), "Lion": extending("Cat")})
    new = swagger({"Pet": base(), "Cat": extending("Pet")})
    at = "/definitions/Pet"
    known = discriminator_of(old, at)
    assert known is not None
    assert sorted(known.tags) == ["Cat", "Lion", "Pet"]
    found = told(old, new, request=True, at=at)["request-discriminator-value-removed"]
    assert (found.old, found.value) == ("Lion", {"kind": "Lion"})
    assert told(new, old, request=False, at=at)["response-discriminator-value-added"].new == "Lion"
    assert told(old, old, request=True, at=at) == {}


def test_a_value_that_a_subtype_states_wins_over_its_name() -> None:
    old = swagger({"Pet": base(), "Cat": extending("Pet", **{"x-ms-discriminator-value": "cat"})})
    new = swagger(
        {"Pet": base(), "Feline": extending("Pet", **{"x-ms-discriminator-value": "cat"})}
    )
    assert told(old, new, request=True, at="/definitions/Pet") == {}


def test_what_has_no_discriminator_says_nothing() -> None:
    assert told(contract({"Pet": kind()}), contract({"Pet": kind()}), request=True) == {}
    broken = contract({"Pet": {**kind(), "discriminator": "kind"}})
    assert discriminator_of(broken, PET) is None
    assert discriminator_of(broken, "/components/schemas/None") is None


def test_circles_of_subtypes_end() -> None:
    old = swagger(
        {"Pet": {**base(), "allOf": [{"$ref": "#/definitions/Cat"}]}, "Cat": extending("Pet")}
    )
    known = discriminator_of(old, "/definitions/Pet")
    assert known is not None
    assert sorted(known.tags) == ["Cat", "Pet"]


def test_tags_may_lead_into_other_files() -> None:
    def split(tag: str) -> Contract:
        place = "pets/cat.json#/Cat"
        said = {"propertyName": "kind", "mapping": {tag: place}}
        pet = {"oneOf": [{"$ref": place}], "discriminator": said}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Pets", "version": "1"},
            "paths": {},
            "components": {"schemas": {"Pet": pet}},
        }
        files = {"pets/cat.json": json.dumps({"Cat": kind()}).encode()}
        source = Source("pets.json", json.dumps(document).encode(), beside=files.__getitem__)
        return load_contract(source).contract

    known = discriminator_of(split("cat"), PET)
    assert known is not None
    assert list(known.tags) == ["cat"]
    found = told(split("cat"), split("tom"), request=True)
    assert found["request-discriminator-value-removed"].value == {"kind": "cat"}


def test_tags_that_lead_nowhere_stand_for_nothing() -> None:
    lost = {"a": "#/nowhere", "b": "https://far.example/x.json", "c": "#%zz~9"}
    old = contract(union("Cat", mapping={"cat": ref("Cat"), **lost}))
    new = contract(union("Cat", mapping={"cat": ref("Cat")}))
    assert told(old, new, request=True) == told(new, old, request=False) == {}
    gone = contract(union("Cat", mapping={"cat": "#/nowhere"}))
    assert "request-discriminator-value-removed" in told(new, gone, request=True)
