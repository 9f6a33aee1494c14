"""Rules of what an exchange holds beside its schemas: operations, parameters, statuses, headers."""

from __future__ import annotations

from harness.compatibility.rules.exchange_parts import RULES as PART_RULES
from harness.compatibility.rules.rule import Rule
from harness.model.finding import Category

_Q, _A = Category.WIRE_REQUEST, Category.WIRE_RESPONSE

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
        Rule(
            "request-nothing-possible",
            "No request matches the old schema, so nothing is known of what clients really send.",
            Category.POLICY,
        ),
        Rule("response-nothing-possible", "No answer can match the new schema any more.", _A),
        Rule("response-property-added", "A new property old clients do not read.", _A),
        Rule("response-required-header-removed", "Old clients may rely on this header.", _A),
        Rule(
            "response-header-removed", "An optional header is no longer sent.", Category.DATA_LOSS
        ),
        Rule("response-header-became-optional", "Old clients may rely on this header.", _A),
        Rule("security-tightened", "Old credentials no longer suffice.", _Q, "security-loosened"),
        Rule(
            "server-removed",
            "Calls to the old address are not described any more.",
            Category.POLICY,
            "A further address harms nobody.",
        ),
        *PART_RULES,
    )
}


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
