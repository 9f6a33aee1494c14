"""Rules of the finer parts of an exchange: spellings, parts, credentials, events, links, tags."""

from __future__ import annotations

from harness.compatibility.rules.rule import Rule
from harness.model.finding import Category

_Q, _A = Category.WIRE_REQUEST, Category.WIRE_RESPONSE
_P, _L, _S = Category.POLICY, Category.DATA_LOSS, Category.SDK_SOURCE

_PATHS = (
    Rule(
        "operation-path-generalised",
        "A template now serves what a path of its own served before.",
        _P,
        "A template that is split into paths of their own is operation-removed.",
    ),
    Rule(
        "request-path-literal-refused",
        "The old path is a value of a parameter now, and that value is refused.",
        _Q,
        "Answers have no path.",
    ),
)
_REQUESTS = (
    Rule(
        "request-parameter-empty-refused",
        "Old calls may send the name of the parameter with nothing behind it.",
        _Q,
        "Answers have no parameters that may be empty.",
    ),
    Rule(
        "request-parameter-reserved-changed",
        "Reserved characters of the value are encoded otherwise, and decode alike.",
        _P,
        "Headers of answers are never percent-encoded.",
    ),
    Rule(
        "request-body-added", "A body may be sent; old calls send none.", _Q, "response-body-added"
    ),
    Rule(
        "request-media-type-added",
        "Bodies may be of one type more; old calls go on with theirs.",
        _Q,
        "request-media-type-removed",
    ),
    Rule(
        "request-media-type-named",
        "Nobody had said which type bodies are of; now it is said.",
        _P,
        "Answers whose type becomes known are read as before.",
    ),
    Rule(
        "request-part-media-type-removed",
        "Old calls may send this part in the media type that is refused now.",
        _Q,
        "Answers in several parts are read by their own media types.",
    ),
    Rule(
        "request-part-style-changed",
        "The same field of a form is spelled otherwise on the wire.",
        _Q,
        "Answers are not sent as forms.",
    ),
    Rule(
        "request-part-header-required",
        "Old calls do not send this header with the part.",
        _Q,
        "Answers in several parts are read by their own media types.",
    ),
)
_RESPONSES = (
    Rule(
        "response-body-added",
        "An answer that had no body has one; old clients do not read it.",
        _A,
        "response-body-removed",
    ),
    Rule(
        "response-media-type-added",
        "Answers may come in one type more, to clients that ask for it.",
        _A,
        "response-media-type-removed",
    ),
    Rule(
        "response-header-added",
        "A new header old clients do not read.",
        _A,
        "response-header-removed",
    ),
    Rule(
        "response-header-style-changed",
        "The same value is spelled otherwise in the header.",
        _A,
        "request-parameter-style-changed",
    ),
    Rule(
        "response-link-removed",
        "Clients that follow links have one way fewer.",
        _L,
        "response-link-added",
    ),
    Rule("response-link-added", "A further call an answer leads to.", _A, "response-link-removed"),
    Rule(
        "response-link-broken",
        "The link leads to an operation that is not described.",
        _L,
        "A link that leads somewhere again is response-link-added.",
    ),
    Rule(
        "response-link-target-changed",
        "Clients that follow the link arrive at another operation.",
        _P,
        "Requests have no links.",
    ),
    Rule(
        "response-link-parameters-changed",
        "Clients that follow the link fill the call with other values.",
        _P,
        "Requests have no links.",
    ),
)
_ACCESS = (
    Rule(
        "security-loosened",
        "Credentials that were refused are accepted now.",
        _P,
        "security-tightened",
    ),
    Rule(
        "security-flow-removed",
        "Clients that get their tokens by this flow get none.",
        _Q,
        "A further flow harms nobody.",
    ),
    Rule(
        "security-address-changed",
        "Clients ask the old address for their tokens.",
        _P,
        "The change back is the same change.",
    ),
    Rule(
        "security-scope-removed",
        "Clients that ask for this scope are refused a token.",
        _Q,
        "A further scope on offer harms nobody.",
    ),
    Rule(
        "server-variable-value-removed",
        "Calls to the address with this value are not described any more.",
        _P,
        "A further address harms nobody.",
    ),
)
_EVENTS = (
    Rule(
        "webhook-added", "A new event; who did not subscribe is unaffected.", _A, "webhook-removed"
    ),
    Rule(
        "callback-removed",
        "Events the receiver waits for are no longer sent.",
        _A,
        "callback-added",
    ),
    Rule("callback-added", "A new event for who asks for it.", _A, "callback-removed"),
    Rule(
        "webhook-parameter-removed",
        "Receivers read a parameter that no longer comes.",
        _A,
        "A parameter more is ignored by old receivers.",
    ),
    Rule(
        "webhook-parameter-style-changed",
        "Receivers may read another value out of the other spelling.",
        _A,
        "request-parameter-style-changed",
    ),
    Rule(
        "webhook-parameter-became-optional",
        "Receivers may rely on this parameter.",
        _A,
        "A parameter that always comes harms no receiver.",
    ),
    Rule(
        "webhook-body-removed",
        "Receivers read a body that no longer comes.",
        _A,
        "A body more is ignored by old receivers.",
    ),
    Rule(
        "webhook-body-became-optional",
        "Receivers may rely on the body.",
        _A,
        "A body that always comes harms no receiver.",
    ),
    Rule(
        "webhook-media-type-added",
        "Events may come in a type that old receivers do not read.",
        _A,
        "A type fewer is one receivers need not read.",
    ),
    Rule(
        "webhook-answer-status-removed",
        "Old receivers answer with this status.",
        _Q,
        "A further status no old receiver uses harms nobody.",
    ),
    Rule(
        "webhook-answer-body-added",
        "Old receivers answer without a body.",
        _Q,
        "A body that is not expected any more is ignored.",
    ),
    Rule(
        "webhook-answer-media-type-removed",
        "Old receivers answer in this media type.",
        _Q,
        "A further type no old receiver uses harms nobody.",
    ),
    Rule(
        "webhook-answer-header-required",
        "Old receivers do not send this header.",
        _Q,
        "A header that is not demanded any more is ignored.",
    ),
)
_TAGS = (
    Rule(
        "request-discriminator-value-removed",
        "Old calls send this tag, and nothing answers to it any more.",
        _Q,
        "response-discriminator-value-added",
    ),
    Rule(
        "request-discriminator-value-added",
        "A new kind of value; old calls do not send it.",
        _Q,
        "response-discriminator-value-removed",
    ),
    Rule(
        "response-discriminator-value-added",
        "Old clients know no class for this tag.",
        _S,
        "request-discriminator-value-removed",
    ),
    Rule(
        "response-discriminator-value-removed",
        "One kind of value fewer is sent.",
        _A,
        "request-discriminator-value-added",
    ),
    Rule(
        "request-discriminator-value-retargeted",
        "The same tag stands for another schema.",
        _Q,
        "response-discriminator-value-retargeted",
    ),
    Rule(
        "response-discriminator-value-retargeted",
        "The same tag stands for another schema.",
        _A,
        "request-discriminator-value-retargeted",
    ),
    Rule(
        "request-discriminator-value-renamed",
        "The name of a schema is the tag, and the schema was renamed.",
        _S,
        "response-discriminator-value-renamed",
    ),
    Rule(
        "response-discriminator-value-renamed",
        "The name of a schema is the tag, and the schema was renamed.",
        _S,
        "request-discriminator-value-renamed",
    ),
    Rule(
        "request-discriminator-property-changed",
        "The kind of a value is read from another property.",
        _Q,
        "response-discriminator-property-changed",
    ),
    Rule(
        "response-discriminator-property-changed",
        "Old clients read the kind of a value from the old property.",
        _A,
        "request-discriminator-property-changed",
    ),
    *(
        Rule(
            f"{side}-discriminator-{what}",
            why,
            _S,
            f"{side}-discriminator-{'added' if what == 'removed' else 'removed'}",
        )
        for side in ("request", "response")
        for what, why in (
            ("removed", "Generated code has nothing to choose a class by any more."),
            ("added", "Generated code chooses a class by a property now."),
        )
    ),
)
RULES = (*_PATHS, *_REQUESTS, *_RESPONSES, *_ACCESS, *_EVENTS, *_TAGS)
