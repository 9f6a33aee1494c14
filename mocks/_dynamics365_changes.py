"""Notifications of Business Central: which records changed, joined for half a minute, no data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from harness.model.instants import to_text
from harness.model.values import JsonObject
from mocks.kit.events import Attempt, EventDesk
from mocks.kit.simulator import RefusalKind, Refused

_RESOURCE = re.compile(r"(?:/?api/v[12]\.0)?/?companies\(([^()]+)\)/([A-Za-z]+)")


def read_resource(text: str, company: str, topics: tuple[str, ...]) -> str:
    """Return the entity a subscription is about; raises ``Refused`` INVALID for any other."""
    found = _RESOURCE.fullmatch(text)
    if found is None or found[1].lower() != company or found[2] not in topics:
        known = ", ".join(topics)
        msg = f"The resource must be /api/v2.0/companies({company})/ and one of: {known}."
        raise Refused(RefusalKind.INVALID, msg, code="Application_DialogException")
    return found[2]


def check_address(url: str) -> None:
    """Refuse an address nothing could be sent to."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
        urlsplit("/" + url.partition("://")[2].partition("/")[2])
    except ValueError:
        fits = False
    if not fits:
        msg = "The notification address must be an http or https URL."
        raise Refused(RefusalKind.INVALID, msg, code="Application_DialogException")


@dataclass(slots=True)
class _Joined:
    """The changes of one entity since the first of them; closed once a body was made of it."""

    first_us: int
    changes: dict[str, tuple[str, int]] = field(default_factory=dict)
    closed: bool = False

    def note(self, record: str, what: str, now_us: int) -> None:
        """Take in one change; a record that was created a moment ago stays created."""
        before = self.changes.get(record)
        if before is not None and before[0] == "created" and what == "updated":
            what = "created"
        self.changes[record] = (what, now_us)


class Changes:
    """Joins changes and publishes them."""

    def __init__(
        self,
        desk: EventDesk,
        company: Callable[[str], str],
        *,
        join_us: int,
        collection_min: int,
    ) -> None:
        """Join what follows within ``join_us``; beyond ``collection_min`` name the list only."""
        self._desk = desk
        self._company = company
        self._join_us = join_us
        self._collection_min = collection_min
        self._open: dict[tuple[str, str], _Joined] = {}

    def told(self, account: str, entity: str, record: str, what: str, now_us: int) -> None:
        """Take in one change; it is told to whoever has subscribed by now."""
        manners = self._desk.manners
        if manners is None or entity not in manners.topics:
            return
        joined = self._open.get((account, entity))
        if joined is None or joined.closed or now_us >= joined.first_us + self._join_us:
            joined = _Joined(now_us)
            if self._desk.publish(entity, account, self._body(joined, entity), now_us) is None:
                return
            self._open[account, entity] = joined
        joined.note(record, what, now_us)

    def subscribed(self, account: str, entity: str) -> None:
        """Begin anew: what changes from now on concerns one subscription more."""
        self._open.pop((account, entity), None)

    def _body(self, joined: _Joined, entity: str) -> Callable[[Attempt], JsonObject]:
        def body(attempt: Attempt) -> JsonObject:
            joined.closed = True
            subscription = attempt.subscription
            common: dict[str, Any] = {"subscriptionId": subscription.id}
            if subscription.facts["clientState"] is not None:
                common["clientState"] = subscription.facts["clientState"]
            if subscription.expires_us is not None:
                common["expirationDateTime"] = to_text(subscription.expires_us)
            company = self._company(attempt.account)
            version = subscription.facts["version"]
            listed = f"api/{version}/companies({company})/{entity}"
            changes = [
                (f"{listed}({record})", what, at) for record, (what, at) in joined.changes.items()
            ]
            if len(changes) > self._collection_min:
                changes = [(listed, "collection", max(at for _, _, at in changes))]
            return {
                "value": [
                    {
                        **common,
                        "resource": resource,
                        "changeType": what,
                        "lastModifiedDateTime": to_text(at),
                    }
                    for resource, what, at in changes
                ]
            }

        return body
