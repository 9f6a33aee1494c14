"""Rules that only GraphQL needs; where a schema says the same as OpenAPI, the rule is the same."""

from __future__ import annotations

from harness.compatibility.rules.rule import Rule
from harness.model.finding import Category

_Q, _A, _P = Category.WIRE_REQUEST, Category.WIRE_RESPONSE, Category.POLICY

RULES = (
    Rule(
        "request-field-refused",
        "An operation that selects a field nobody defines is refused as a whole.",
        _Q,
        "response-property-added",
    ),
    Rule(
        "request-argument-refused",
        "An operation that gives an argument nobody defines is refused as a whole.",
        _Q,
        "request-parameter-added",
    ),
    Rule(
        "request-selection-refused",
        "A value takes no selection and an object needs one, so old operations are refused.",
        _Q,
        "The opposite change is the same change.",
    ),
    Rule(
        "request-type-condition-refused",
        "An operation with a fragment on a type that cannot occur there is refused as a whole.",
        _Q,
        "response-possible-type-added",
    ),
    Rule(
        "request-directive-refused",
        "An operation with a directive nobody defines there is refused as a whole.",
        _Q,
        "A directive that is new stands in no old operation.",
    ),
    Rule(
        "response-possible-type-added",
        "A union is read by fragments alone: of a type it did not name, old clients read nothing.",
        _A,
        "request-type-condition-refused",
    ),
    Rule(
        "response-implementation-added",
        "Generated clients list the types behind an interface; its own fields are served as ever.",
        Category.SDK_SOURCE,
        "request-type-condition-refused",
    ),
    Rule(
        "scalar-specification-changed",
        "A schema names the specification of a scalar and says nothing of its values.",
        _P,
        "The opposite change is the same change.",
    ),
    Rule(
        "applied-directive-added",
        "A directive on a definition may demand something that the schema cannot say.",
        _P,
        "applied-directive-removed",
    ),
    Rule(
        "applied-directive-changed",
        "A directive on a definition may demand something else that the schema cannot say.",
        _P,
        "The opposite change is the same change.",
    ),
    Rule(
        "applied-directive-removed",
        "What a directive on a definition promised or demanded is no longer said.",
        _P,
        "applied-directive-added",
    ),
)
