"""The rules a difference can fall under: id, why it matters, category.

Data rules are made from the obligation that fails and the direction, so each one has its mirror.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.compatibility.keywords import OPAQUE
from harness.model.finding import Category


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``why`` is one sentence for a person."""

    id: str
    why: str
    category: Category


_Q, _A = Category.WIRE_REQUEST, Category.WIRE_RESPONSE

# keyword -> (request rule, response rule, request text, response text)
DATA: dict[str, tuple[str, str, str, str]] = {
    "$ref": (
        "schema-unreadable",
        "schema-unreadable",
        "one side's schema cannot be read here",
        "one side's schema cannot be read here",
    ),
    "type": (
        "{part}-type-changed",
        "{part}-type-changed",
        "the type {mine} is no longer accepted here, only {theirs}",
        "the type {mine} may be sent here now; the old contract said {theirs}",
    ),
    "null": (
        "{part}-became-not-nullable",
        "{part}-became-nullable",
        "null is no longer accepted here",
        "null may be sent here now",
    ),
    "enum": (
        "enum-value-removed",
        "enum-value-added",
        "the value {mine} is no longer accepted",
        "the value {mine} may be sent now; the old contract did not list it",
    ),
    "closed-enum": (
        "enum-introduced",
        "enum-dropped",
        "only listed values are accepted now",
        "values outside the old list may be sent now",
    ),
    "value": (
        "value-refused",
        "value-added",
        "the value {mine} is no longer accepted",
        "the value {mine} may be sent now",
    ),
    "closed": (
        "property-refused",
        "property-refused",
        "the property {name} is refused now",
        "the property {name} may be sent now, and the old contract allowed no such name",
    ),
    "required": (
        "required-property-added",
        "required-property-removed",
        "the property {name} is required now",
        "the property {name} was always there; it is not any more",
    ),
    "required-known": (
        "property-became-required",
        "property-became-optional",
        "the property {name} is required now",
        "the property {name} was always there; it may be missing now",
    ),
}

STRUCTURE: dict[str, Rule] = {
    r.id: r
    for r in (
        Rule("operation-removed", "Calls that used to work have nowhere to go.", _Q),
        Rule("operation-added", "A new operation; nobody calls it yet.", _Q),
        Rule(
            "operation-deprecated",
            "The operation still works and will not for ever.",
            Category.POLICY,
        ),
        Rule("webhook-removed", "Events the receiver waits for are no longer sent.", _A),
        Rule("request-parameter-added-required", "Old calls do not send it.", _Q),
        Rule("request-parameter-became-required", "Old calls may leave it out.", _Q),
        Rule("request-parameter-added", "An optional parameter; old calls are unaffected.", _Q),
        Rule("request-parameter-removed", "What is sent is no longer read.", Category.DATA_LOSS),
        Rule(
            "request-parameter-style-changed",
            "The same value is spelled otherwise on the wire.",
            _Q,
        ),
        Rule("request-body-added-required", "Old calls send no body.", _Q),
        Rule("request-body-became-required", "Old calls may send no body.", _Q),
        Rule("request-body-removed", "The body old calls send is not described any more.", _Q),
        Rule("request-media-type-removed", "Old calls send this media type.", _Q),
        Rule("request-property-removed", "What is sent is no longer read.", Category.DATA_LOSS),
        Rule("request-property-added", "A new optional property; old calls are unaffected.", _Q),
        Rule("response-success-status-removed", "Old clients wait for this status.", _A),
        Rule("response-success-status-added", "A further way to succeed.", _A),
        Rule("response-error-status-removed", "One error answer fewer is described.", _A),
        Rule("response-error-status-added", "One error answer more is described.", _A),
        Rule("response-body-removed", "Old clients read a body that no longer comes.", _A),
        Rule("response-media-type-removed", "Old clients read this media type.", _A),
        Rule(
            "response-property-removed",
            "An optional property is no longer sent.",
            Category.DATA_LOSS,
        ),
        Rule("response-property-added", "A new property old clients do not read.", _A),
        Rule("response-required-header-removed", "Old clients may rely on this header.", _A),
        Rule(
            "response-header-removed", "An optional header is no longer sent.", Category.DATA_LOSS
        ),
        Rule("response-header-became-optional", "Old clients may rely on this header.", _A),
        Rule("security-tightened", "Old credentials no longer suffice.", _Q),
        Rule(
            "server-removed",
            "Calls to the old address are not described any more.",
            Category.POLICY,
        ),
    )
}


def data_rule(keyword: str, *, request: bool, part: str) -> tuple[Rule, str]:
    """Return the rule and the text pattern of a failed obligation."""
    prefix = "request" if request else "response"
    category = Category.WIRE_REQUEST if request else Category.WIRE_RESPONSE
    if keyword in DATA:
        ask, answer, ask_text, answer_text = DATA[keyword]
        name = (ask if request else answer).format(part=part)
        text = ask_text if request else answer_text
    else:
        plain = "".join(f"-{c.lower()}" if c.isupper() else c for c in keyword).strip("$")
        name = f"{plain}-{'tightened' if request else 'loosened'}"
        text = (
            f"{keyword} narrows what is accepted: {{mine}} before, {{theirs}} now"
            if request
            else f"{keyword} no longer holds as before: {{theirs}} before, {{mine}} now"
        )
    if keyword == "format":
        category = Category.POLICY
    why = "Old requests may be refused." if request else "Old clients may not read the answer."
    return Rule(f"{prefix}-{name}", why, category), text


# Obligations without a wording of their own: the rule is named after the keyword.
KEYWORDS = (
    *("minimum", "maximum", "multipleOf", "format", "pattern", "uniqueItems", "items"),
    *("minLength", "minItems", "minProperties", "maxLength", "maxItems", "maxProperties"),
    *("anyOf", "oneOf", "union", "false", "schema", "size", "additionalProperties"),
    *OPAQUE,
)
PARTS = ("body", "parameter", "header", "property")
# Why a structural rule has no counterpart in the other direction.
ONE_SIDED = {
    "request-parameter-added-required": "answers have no parameters; headers have rules of theirs",
    "request-parameter-became-required": "an answer's header may only become optional",
    "request-parameter-added": "a new header of an answer is not read by anyone yet",
    "request-parameter-removed": "response-header-removed says it of answers",
    "request-parameter-style-changed": "headers of answers have one style only",
    "request-body-added-required": "an answer with a body is read by nobody who expects none",
    "request-body-became-required": "the body of an answer has no such flag",
    "response-success-status-removed": "requests have no status",
    "response-success-status-added": "requests have no status",
    "response-error-status-removed": "requests have no status",
    "response-error-status-added": "requests have no status",
    "response-required-header-removed": "request headers are parameters",
    "response-header-removed": "request headers are parameters",
    "response-header-became-optional": "request headers are parameters",
}


def catalogue() -> tuple[Rule, ...]:
    """Return every rule that a comparison can emit, by id."""
    found = dict(STRUCTURE)
    for keyword in (*DATA, *KEYWORDS):
        for request in (True, False):
            for part in PARTS:
                rule, _ = data_rule(keyword, request=request, part=part)
                found[rule.id] = rule
    return tuple(found[name] for name in sorted(found))
