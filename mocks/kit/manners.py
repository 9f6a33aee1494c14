"""The manners a simulator works with, made from its ``behaviour.yaml`` in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.ports import Streams
from harness.model.values import JsonObject
from mocks.kit.batches import Batches
from mocks.kit.etags import Etags
from mocks.kit.events import EventDesk
from mocks.kit.idempotency import IdempotencyKeys
from mocks.kit.jobs import Jobs
from mocks.kit.paging import Pager
from mocks.kit.visibility import Visibility


class Manners:
    """What a handler reaches for as ``self.manners``; each part reads its own declaration.

    ``pager`` opens list walks, ``visibility`` says what lists show yet, ``jobs`` runs
    asynchronous work, ``batches`` answers row by row, ``etags`` guards writes, ``events`` holds
    subscriptions and publishes. ``keys`` (idempotency) is worked by the edge.
    """

    def __init__(
        self,
        behaviour: JsonObject,
        settings: Mapping[str, Any],
        streams: Streams,
        *,
        system: str,
    ) -> None:
        """Read the declarations; ``settings`` are those of the run."""
        self.visibility = Visibility(behaviour, settings, streams, system)
        self.pager = Pager(behaviour, settings)
        self.jobs = Jobs(behaviour, streams, system)
        self.keys = IdempotencyKeys(behaviour, settings)
        self.etags = Etags(behaviour)
        self.batches = Batches(behaviour)
        self.events = EventDesk(behaviour, streams, system)
