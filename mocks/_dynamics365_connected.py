"""Subscriptions, notifications and batches of Business Central."""

from __future__ import annotations

from typing import Any

from harness.model.instants import to_text
from harness.model.values import JsonObject
from mocks import _dynamics365_reading as reading
from mocks._dynamics365_accounting import Accounting
from mocks._dynamics365_batch import InnerCalls
from mocks._dynamics365_changes import check_address, read_resource
from mocks.kit.etags import etag_of
from mocks.kit.events import ACTIVE, Subscription
from mocks.kit.simulator import Answer, AskFirst, Call, SimulatorSetup, handles


class ConnectedCentral(Accounting):
    """Business Central as programs meet it: it tells them what changes and takes batches."""

    def __init__(self, setup: SimulatorSetup) -> None:
        """Open the companies."""
        super().__init__(setup)
        self.inner = InnerCalls(self)

    @handles("listSubscriptions")
    def list_subscriptions(self, call: Call) -> Answer:
        """List the subscriptions of the tenant."""
        self._tenant(call)
        found = self.manners.events.subscriptions(call.account, call.now_us)
        rows = [_Numbered(number, one) for number, one in enumerate(found)]
        return self._list(
            call,
            "Subscription",
            "subscriptions",
            rows,
            lambda row: self._subscription(row.subscription),
        )

    def _subscription(self, subscription: Subscription) -> JsonObject:
        company = self.companies[subscription.account].id
        shown: dict[str, Any] = {
            "@odata.etag": _tag(subscription),
            "subscriptionId": subscription.id,
            "notificationUrl": subscription.url,
            "resource": f"companies({company})/{subscription.topic}",
            "expirationDateTime": to_text(subscription.expires_us or 0),
        }
        if subscription.facts["clientState"] is not None:
            shown["clientState"] = subscription.facts["clientState"]
        return shown

    def _read_subscription(self, call: Call) -> tuple[str, JsonObject]:
        company, body = self._tenant(call), reading.as_object(call.body)
        manners = self.manners.events.manners
        topics = tuple(manners.topics) if manners is not None else ()
        check_address(str(body["notificationUrl"]))
        return read_resource(str(body["resource"]), company.id, topics), body

    @handles("createSubscription")
    def create_subscription(self, call: Call) -> Answer | AskFirst:
        """Subscribe an address once it has echoed its token."""
        entity, body = self._read_subscription(call)
        made = self.manners.events.subscribe(
            call.account,
            entity,
            str(body["notificationUrl"]),
            call.now_us,
            clientState=body.get("clientState"),
            version=call.version,
        )
        return self._verified(made, 201)

    def _verified(self, subscription: Subscription, status: int) -> Answer | AskFirst:
        def then(passed: bool) -> Answer:  # noqa: FBT001 - the kit's signature
            if not passed:
                msg = "The notification address did not echo the validation token with 200."
                raise reading.invalid(msg)
            self.changes.subscribed(subscription.account, subscription.topic)
            return Answer(status, self._subscription(subscription))

        return self.manners.events.verify(subscription, then)

    @handles("renewSubscription")
    def renew_subscription(self, call: Call) -> Answer | AskFirst:
        """Let a subscription live for three more days; the address is asked again."""
        found = self._found(call)
        entity, body = self._read_subscription(call)
        self.manners.etags.guard(call, _tag(found))
        if entity != found.topic:
            msg = "The resource of a subscription cannot change."
            raise reading.invalid(msg)
        found.url = str(body["notificationUrl"])
        found.facts["clientState"] = body.get("clientState")
        self.manners.events.renew(found, call.now_us)
        wish = self._verified(found, 200)
        # While it is asked again it is still told what happens.
        found.state = ACTIVE
        return wish

    def _found(self, call: Call) -> Subscription:
        self._tenant(call)
        return self.manners.events.find(call.account, call.path["subscriptionId"], call.now_us)

    @handles("deleteSubscription")
    def delete_subscription(self, call: Call) -> Answer:
        """End a subscription."""
        found = self._found(call)
        self.manners.etags.guard(call, _tag(found))
        self.manners.events.remove(found.id)
        return Answer(204)

    @handles("batch")
    def batch(self, call: Call) -> Answer:
        """Answer the requests of a batch one by one."""
        self._tenant(call)
        return self.inner.run(call)


class _Numbered:
    """A subscription and its place."""

    def __init__(self, sequence: int, subscription: Subscription) -> None:
        self.sequence = sequence
        self.subscription = subscription


def _tag(subscription: Subscription) -> str:
    facts: Any = [subscription.id, subscription.expires_us, subscription.url]
    return etag_of(facts)
