"""Events of one seller, and the subscriptions to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.model.exchange import HttpRequest, HttpResponse
from harness.model.instants import from_text, to_text
from harness.model.values import Json, JsonObject
from mocks.kit.answers import encode_json
from mocks.kit.calls import Answer, AskFirst, Call, RefusalKind, Refused
from mocks.kit.events import ACTIVE, DISABLED, Attempt, EventDesk, Subscription

_TEST_TIMEOUT_S = 10.0
RESOURCES = {"INVENTORY_OOS": "INVENTORY", "RETURN_NOTIFICATIONS": "RETURNS"}


def _body(payload: JsonObject) -> Callable[[Attempt], Json]:
    """Return what words an event; its id is the same in every repeat."""

    def worded(attempt: Attempt) -> Json:
        source = {
            "eventType": attempt.topic,
            "eventTime": to_text(attempt.happened_us),
            "eventId": attempt.event_id,
        }
        return {"source": source, "payload": payload}

    return worded


class Herald:
    """Tells what happens to one seller. The three old order events end on a day of their own."""

    def __init__(self, desk: EventDesk, account: str, *, old_events_end: str) -> None:
        """Publish for ``account``; ``old_events_end`` is the first day without the old ones."""
        self._desk = desk
        self._account = account
        self._old_until_us = from_text(f"{old_events_end}T00:00:00Z")

    def order(self, order_id: str, what: str, now_us: int) -> None:
        """Tell what happened to an order, by ORDER_UPDATES and, while it lasts, the old event."""
        payload = {"partnerId": self._account, "purchaseOrderId": order_id}
        self._publish("ORDER_UPDATES", {**payload, "subEventType": what}, now_us)
        if now_us < self._old_until_us:
            self._publish(what, payload, now_us)

    def sold_out(self, sku: str, node: str, now_us: int) -> None:
        """Tell that nothing of a SKU is left to sell."""
        payload = {"partnerId": self._account, "sku": sku, "shipNode": node}
        self._publish("INVENTORY_OOS", payload, now_us)

    def returned(self, return_id: str, now_us: int) -> None:
        """Tell that something happened to a return."""
        payload = {"partnerId": self._account, "returnOrderId": return_id}
        self._publish("RETURN_NOTIFICATIONS", payload, now_us)

    def _publish(self, topic: str, payload: JsonObject, now_us: int) -> None:
        self._desk.publish(topic, self._account, _body(payload), now_us)


def event_types(desk: EventDesk) -> Answer:
    """Return the events one may subscribe to: those that are sent here."""
    topics = desk.manners.topics if desk.manners is not None else {}
    return Answer(200, {"events": [_kind(topic) for topic in topics]})


def _kind(topic: str) -> dict[str, str]:
    resource = RESOURCES.get(topic, "ORDER")
    return {"eventType": topic, "eventVersion": "V1", "resourceName": resource}


def _shown(subscription: Subscription) -> dict[str, Any]:
    return {
        "subscriptionId": subscription.id,
        **_kind(subscription.topic),
        **subscription.facts,
        "eventUrl": subscription.url,
        "status": "ACTIVE" if subscription.state == ACTIVE else "INACTIVE",
    }


def listed(subscriptions: list[Subscription]) -> Answer:
    """Return subscriptions in the vendor's shape."""
    return Answer(200, {"events": [_shown(one) for one in subscriptions]})


def subscribe(desk: EventDesk, call: Call) -> Answer:
    """Take in every subscription of a call, or none when one of them cannot be."""
    rows = call.body["events"]
    topics = desk.manners.topics if desk.manners is not None else {}
    for row in rows:
        _check_url(row["eventUrl"])
        if row["eventType"] not in topics:
            msg = f"events of type {row['eventType']} are not sent here"
            raise Refused(RefusalKind.INVALID, msg, reason="events.topic")
    made = []
    for row in rows:
        facts = {"eventVersion": row["eventVersion"], "resourceName": row["resourceName"]}
        secret = _secret(row.get("authDetails"))
        one = desk.subscribe(
            call.account, row["eventType"], row["eventUrl"], call.now_us, secret=secret, **facts
        )
        one.state = DISABLED if row.get("status") == "INACTIVE" else ACTIVE
        made.append(one)
    return listed(made)


def change(desk: EventDesk, call: Call) -> Answer:
    """Change what a call names of a subscription."""
    one = desk.find(call.account, call.path["subscriptionId"], call.now_us)
    wanted = call.body if isinstance(call.body, Mapping) else {}
    if "eventUrl" in wanted:
        _check_url(wanted["eventUrl"])
        one.url = wanted["eventUrl"]
    if "status" in wanted:
        one.state = ACTIVE if wanted["status"] == "ACTIVE" else DISABLED
    if "authDetails" in wanted:
        one.secret = _secret(wanted["authDetails"])
    return listed([one])


def try_out(desk: EventDesk, call: Call, partner: str) -> AskFirst:
    """Send a sample event to an address and say what came back."""
    url, topic = call.body["eventUrl"], call.body["eventType"]
    _check_url(url)
    source = {"eventType": topic, "eventTime": to_text(call.now_us), "eventId": desk.new_id()}
    payload = {"partnerId": partner, "purchaseOrderId": "0000000000000"}
    target = "/" + url.partition("://")[2].partition("/")[2]
    content = encode_json({"source": source, "payload": payload})
    headers = (("content-type", "application/json"),)
    request = HttpRequest.from_target("POST", target, headers, content)

    def judge(reply: HttpResponse | None) -> Answer:
        text = "did not answer" if reply is None else f"answered {reply.status}"
        return Answer(200, {"message": f"The receiver {text}."})

    return AskFirst(url, request, _TEST_TIMEOUT_S, judge)


def _check_url(url: str) -> None:
    if not url.startswith(("https://", "http://")):
        msg = "eventUrl must be an address that starts with https://"
        raise Refused(RefusalKind.INVALID, msg, reason="body.wrong")


def _secret(details: Any) -> str:
    """Return the secret of an HMAC subscription; others are signed with the client secret."""
    if not isinstance(details, Mapping) or details.get("authMethod") != "HMAC":
        return ""
    value = details.get("clientSecret")
    return value if isinstance(value, str) else ""
