"""Destinations, subscriptions and what is sent to them.

A destination proves that it knows its verification token before it exists; a subscription joins a
destination to a topic. The kit signs and delivers.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.instants import to_text
from mocks._ebay_orders import Order
from mocks.kit.accounts import PerAccount
from mocks.kit.elliptic import public_key_der
from mocks.kit.event_delivery import Courier
from mocks.kit.events import DISABLED, Attempt, Body, EventDesk, Subscription
from mocks.kit.manners import Manners
from mocks.kit.paging import own_url
from mocks.kit.simulator import Answer, AskFirst, Call, RefusalKind, Refused

ROOT = "/commerce/notification/v1"
ORDER_CONFIRMATION = "ORDER_CONFIRMATION"
ACCOUNT_DELETION = "MARKETPLACE_ACCOUNT_DELETION"


@dataclass(slots=True)
class Destination:
    """One address notifications go to."""

    destination_id: str
    name: str
    status: str
    endpoint: str
    subscriptions: list[Subscription] = field(default_factory=list)


class Notices:
    """The notification service of every seller."""

    def __init__(self, manners: Manners) -> None:
        """Start with nobody listening."""
        self._manners = manners
        self._events: EventDesk = manners.events
        self._destinations: PerAccount[dict[str, Destination]] = PerAccount(lambda _account: {})

    # Destinations

    def create_destination(self, call: Call) -> Answer | AskFirst:
        """Challenge an endpoint, and keep it as a destination when it passes."""
        body = call.body
        endpoint = str(body["deliveryConfig"]["endpoint"])
        if not endpoint.startswith("https://") and not _local(endpoint):
            raise Refused(RefusalKind.INVALID, "The endpoint must be an https address.")
        mine = self._destinations[call.account]
        if any(known.endpoint == endpoint for known in mine.values()):
            raise Refused(RefusalKind.CONFLICT, "A destination with this endpoint exists.")
        made = Destination(self._events.new_id(), str(body["name"]), str(body["status"]), endpoint)
        probe = Subscription(
            made.destination_id, call.account, "", endpoint, call.now_us, expires_us=None, secret=""
        )

        def then(passed: bool) -> Answer:  # noqa: FBT001 - the kit's own call
            if not passed:
                msg = "The endpoint did not answer the challenge as it should."
                raise Refused(RefusalKind.INVALID, msg)
            mine[made.destination_id] = made
            return _made(call, "destination", made.destination_id)

        token = str(body["deliveryConfig"]["verificationToken"])
        return self._events.verify(probe, then, token=token)

    def destinations(self, call: Call) -> Answer:
        """List destinations; those whose subscriptions were given up are marked down."""
        rows = list(self._destinations[call.account].values())
        page = self._manners.pager.open(call).page(rows)
        shown = [
            {
                "destinationId": row.destination_id,
                "name": row.name,
                "status": self._status(row),
                "deliveryConfig": {"endpoint": row.endpoint},
            }
            for row in page.items
        ]
        return Answer(200, _frame(call, page.total, page.size, page.next, "destinations", shown))

    def _status(self, destination: Destination) -> str:
        down = any(not self._events.is_alive(s) for s in destination.subscriptions)
        return "MARKED_DOWN" if down else destination.status

    # Subscriptions

    def create_subscription(self, call: Call) -> Answer:
        """Subscribe a destination to a topic."""
        body = call.body
        destination = self._destinations[call.account].get(str(body["destinationId"]))
        if destination is None:
            msg = f"There is no destination {body['destinationId']!r}."
            raise Refused(RefusalKind.INVALID, msg)
        if self._status(destination) == "MARKED_DOWN":
            raise Refused(RefusalKind.CONFLICT, "The destination is marked down.")
        made = self._events.subscribe(
            call.account,
            str(body["topicId"]),
            destination.endpoint,
            call.now_us,
            destination=destination.destination_id,
            payload=dict(body["payload"]),
        )
        if "DISABLED" in (body["status"], destination.status):
            made.state = DISABLED
        destination.subscriptions.append(made)
        return _made(call, "subscription", made.id)

    def subscriptions(self, call: Call) -> Answer:
        """List subscriptions."""
        rows = self._events.subscriptions(call.account, call.now_us)
        page = self._manners.pager.open(call).page(rows)
        shown = [
            {
                "subscriptionId": row.id,
                "topicId": row.topic,
                "status": "DISABLED" if row.state == DISABLED else "ENABLED",
                "destinationId": row.facts["destination"],
                "payload": row.facts["payload"],
            }
            for row in page.items
        ]
        return Answer(200, _frame(call, page.total, page.size, page.next, "subscriptions", shown))

    def public_key(self, call: Call) -> Answer:
        """Return the key notifications are signed with, under the name signatures give it."""
        # The signer belongs to the courier, which has put its own method here to be woken with.
        courier = getattr(self._events.wake, "__self__", None)
        wanted = call.path.get("public_key_id", "")
        if not isinstance(courier, Courier) or courier.signer.key_id != wanted:
            raise Refused(RefusalKind.NOT_FOUND, f"There is no public key {wanted!r}.")
        key = courier.signer.public_key
        if key is None:
            raise Refused(RefusalKind.NOT_FOUND, "Notifications are not signed with a key pair.")
        text = base64.b64encode(public_key_der(key)).decode()
        pem = f"-----BEGIN PUBLIC KEY-----{text}-----END PUBLIC KEY-----"
        rules: Mapping[str, Any] = {} if self._events.manners is None else self._signing()
        return Answer(
            200, {"key": pem, "algorithm": "ECDSA", "digest": str(rules.get("digest", "SHA256"))}
        )

    def _signing(self) -> Mapping[str, Any]:
        manners = self._events.manners
        return {} if manners is None else manners.signature

    # What happens

    def order_confirmed(self, account: str, order: Order, now_us: int) -> None:
        """Tell of a new order, once for each of its lines."""
        for line in order.lines:
            data = {"orderId": order.order_id, "orderLineItemId": line.line_id}
            self._tell(ORDER_CONFIRMATION, account, data, now_us)

    def user_deleted(self, account: str, username: str, now_us: int) -> None:
        """Tell that everything stored about a user must go."""
        data = {"username": username, "userId": f"id-{username}", "eiasToken": ""}
        self._tell(ACCOUNT_DELETION, account, data, now_us)

    def _tell(self, topic: str, account: str, data: dict[str, str], now_us: int) -> None:
        self._events.publish(topic, account, _worded(topic, data), now_us)


def _worded(topic: str, data: dict[str, str]) -> Body:
    def word(attempt: Attempt) -> dict[str, Any]:
        return {
            "metadata": {"topic": topic, "schemaVersion": "1.0", "deprecated": False},
            "notification": {
                "notificationId": attempt.event_id,
                "eventDate": to_text(attempt.happened_us),
                "publishDate": to_text(attempt.sent_us),
                "publishAttemptCount": attempt.number,
                "data": data,
            },
        }

    return word


def _made(call: Call, what: str, made_id: str) -> Answer:
    return Answer(201, None, (("location", own_url(call, f"{ROOT}/{what}/{made_id}")),))


def _frame(
    call: Call, total: int, size: int, following: str | None, name: str, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    shown: dict[str, Any] = {"total": total, "href": own_url(call), "limit": size, name: rows}
    if following is not None:
        shown["next"] = following
    return shown


def _local(endpoint: str) -> bool:
    """Say whether an address is this machine's own, where tests on the wire listen without TLS."""
    return endpoint.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
