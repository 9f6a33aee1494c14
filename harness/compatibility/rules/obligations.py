"""Rules of containment: one for each obligation that may fail, in each direction."""

from __future__ import annotations

from typing import NamedTuple

from harness.compatibility.rules.rule import Rule
from harness.model.finding import Category


class Words(NamedTuple):
    """Both rules of one obligation: ids, texts of their findings, and why somebody should care."""

    ask: str
    answer: str
    ask_text: str
    answer_text: str
    ask_why: str
    answer_why: str


_UNREAD = "Nothing can be proved about a schema that cannot be read."
_TOO_LARGE = "What was not looked at is neither proved nor refuted."

# Obligations with words of their own.
DATA: dict[str, Words] = {
    "$ref": Words(
        "schema-unreadable",
        "schema-unreadable",
        "one side's schema cannot be read here",
        "one side's schema cannot be read here",
        _UNREAD,
        _UNREAD,
    ),
    "schema": Words(
        "schema-tightened",
        "schema-loosened",
        "a value that was accepted is refused by the schema as a whole",
        "a value may be sent now that the old schema as a whole refuses",
        "Keywords that are harmless one by one refuse a value together.",
        "Keywords that are harmless one by one let a value through together.",
    ),
    "size": Words(
        "comparison-too-large",
        "comparison-too-large",
        "there are more pairs of schemas than the budget",
        "there are more pairs of schemas than the budget",
        _TOO_LARGE,
        _TOO_LARGE,
    ),
    "union": Words(
        "union-too-large",
        "union-too-large",
        "there are more alternatives than the budget",
        "there are more alternatives than the budget",
        _TOO_LARGE,
        _TOO_LARGE,
    ),
    "false": Words(
        "nothing-accepted",
        "nothing-described",
        "no value at all is accepted here now",
        "values may be sent here now; the old contract described none",
        "Whatever old calls send here is refused.",
        "Old clients read nothing here.",
    ),
    "type": Words(
        "type-changed",
        "type-changed",
        "the type {mine} is no longer accepted here, only {theirs}",
        "the type {mine} may be sent here now; the old contract said {theirs}",
        "Old calls send values of a type that is refused.",
        "Old clients read values of another type.",
    ),
    "null": Words(
        "became-not-nullable",
        "became-nullable",
        "null is no longer accepted here",
        "null may be sent here now",
        "Old calls may send null.",
        "Old clients do not expect null.",
    ),
    "enum": Words(
        "enum-value-removed",
        "enum-value-added",
        "the value {mine} is no longer accepted",
        "the value {mine} may be sent now; the old contract did not list it",
        "Old calls may send the value.",
        "Old clients do not know the value.",
    ),
    "closed-enum": Words(
        "enum-introduced",
        "enum-dropped",
        "only listed values are accepted now",
        "values outside the old list may be sent now",
        "Old calls may send values outside the list.",
        "Old clients know only the listed values.",
    ),
    "value": Words(
        "value-refused",
        "value-added",
        "the value {mine} is no longer accepted",
        "the value {mine} may be sent now",
        "Old calls may send the value.",
        "Old clients do not expect the value.",
    ),
    "closed": Words(
        "property-refused",
        "undeclared-property-added",
        "the property {name} is refused now",
        "the property {name} may be sent now, and the old contract allowed no such name",
        "Old calls may send the property.",
        "Old clients refuse properties that they were told cannot come.",
    ),
    "required": Words(
        "required-property-added",
        "required-property-removed",
        "the property {name} is required now",
        "the property {name} was always there; it is not any more",
        "Old calls do not send the property.",
        "Old clients rely on the property.",
    ),
    "required-known": Words(
        "property-became-required",
        "property-became-optional",
        "the property {name} is required now",
        "the property {name} was always there; it may be missing now",
        "Old calls may leave the property out.",
        "Old clients rely on the property.",
    ),
}

# Obligations whose rules are named after the keyword: what may be the matter with a value.
KEYWORDS: dict[str, str] = {
    "minimum": "a smaller number",
    "maximum": "a greater number",
    "multipleOf": "a number of another step",
    "format": "a text of another format",
    "pattern": "a text of another pattern",
    "minLength": "a shorter text",
    "maxLength": "a longer text",
    "contentEncoding": "a text that stands for its bytes in another way",
    "contentMediaType": "a text that holds a document of another type",
    "minItems": "a shorter list",
    "maxItems": "a longer list",
    "uniqueItems": "a list with a value that stands in it twice",
    "items": "a list with more items than are described",
    "contains": "a list without, or with other, values of the kind that it must hold",
    "unevaluatedItems": "a list with items that nothing else describes",
    "minProperties": "an object of fewer members",
    "maxProperties": "an object of more members",
    "additionalProperties": "an object with members that are not named",
    "patternProperties": "an object with other values under names of a pattern",
    "propertyNames": "an object with other names",
    "dependentRequired": "an object with one member and without the one that belongs to it",
    "dependentSchemas": "an object that does not match what one of its members demands",
    "unevaluatedProperties": "an object with members that nothing else describes",
    "anyOf": "a value that matches none of the alternatives",
    "oneOf": "a value that matches none, or more than one, of the alternatives",
    "not": "a value that was excluded on one side only",
    "if": "a value that meets a condition and not its consequence",
    "$dynamicRef": "a value of a schema that is chosen at run time",
}


def data_rule(keyword: str, *, request: bool) -> tuple[Rule, str]:
    """Return the rule and the text pattern of a failed obligation."""
    side, other = ("request", "response") if request else ("response", "request")
    category = Category.WIRE_REQUEST if request else Category.WIRE_RESPONSE
    if keyword in DATA:
        words = DATA[keyword]
        name, mirror = (words.ask, words.answer) if request else (words.answer, words.ask)
        text = words.ask_text if request else words.answer_text
        why = words.ask_why if request else words.answer_why
    else:
        plain = "".join(f"-{c.lower()}" if c.isupper() else c for c in keyword).strip("$")
        ends = ("tightened", "loosened") if request else ("loosened", "tightened")
        name, mirror = (f"{plain}-{end}" for end in ends)
        text = (
            f"{keyword} narrows what is accepted: {{mine}} before, {{theirs}} now"
            if request
            else f"{keyword} no longer holds as before: {{theirs}} before, {{mine}} now"
        )
        about = KEYWORDS[keyword]
        why = f"Old calls may send {about}." if request else f"Old clients may be sent {about}."
    if keyword == "format":
        category = Category.POLICY
    return Rule(f"{side}-{name}", why, category, f"{other}-{mirror}"), text
