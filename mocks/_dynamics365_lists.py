"""Lists as OData pages them: filtered, ordered, cut, and walked by an opaque address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from harness.model.contract import Contract
from harness.model.values import JsonObject
from mocks import _dynamics365_odata as odata
from mocks.kit.paging import Pager, own_url
from mocks.kit.simulator import Answer, Call


class Placed(Protocol):
    """A record with a place in lists."""

    @property
    def sequence(self) -> int:
        """Return the place in which the record was created."""
        ...


R = TypeVar("R", bound=Placed)


def as_shown(_record: Placed, shown: JsonObject) -> JsonObject:
    """Finish a record that has nothing to expand."""
    return shown


class Lists:
    """Answers the lists of one system."""

    def __init__(self, contracts: Mapping[str, Contract], pager: Pager) -> None:
        """Read the members of records from ``contracts`` when they are first asked for."""
        self._contracts = contracts
        self._pager = pager
        self._members: dict[tuple[str, str], odata.Members] = {}

    def members(self, call: Call, schema: str) -> odata.Members:
        """Return the members of one kind of record in the version that is called."""
        key = (f"{call.api}/{call.version}", schema)
        found = self._members.get(key)
        if found is None:
            document = self._contracts[key[0]].schemas
            found = self._members[key] = odata.members_of(document, schema)
        return found

    def one(self, call: Call, schema: str, shown: JsonObject, *, status: int = 200) -> Answer:
        """Answer with one record, cut by ``$select``; its ETag is also a header."""
        body = odata.only(shown, call.query.get("$select"), self.members(call, schema))
        tag = shown.get("@odata.etag")
        return Answer(status, body, (("etag", str(tag)),) if tag is not None else ())

    def answer(
        self,
        call: Call,
        schema: str,
        rows: Iterable[R],
        show: Callable[[R], JsonObject],
        *,
        context: str,
        page_max: int,
        finish: Callable[[R, JsonObject], JsonObject] = as_shown,
    ) -> Answer:
        """Answer with one page of ``rows``; raises ``Refused`` for what cannot be asked.

        ``show`` gives what conditions and orders look at, ``finish`` adds what was expanded;
        ``page_max`` is the largest page.
        """
        members = self.members(call, schema)
        size = odata.page_size(call.request.header("prefer"), page_max)
        walk = self._pager.open(call, default=size)
        size = int(walk.carried.get("size", size))
        top, left = walk.value("$top"), walk.carried.get("left")
        if left is None and top is not None:
            left = int(top)
        text, select = walk.value("$filter"), walk.value("$select")
        odata.only({}, select, members)
        test = odata.condition(text, members) if text else None
        wanted = odata.ordering(walk.value("$orderby"), members)
        found = [
            (row, shown) for row, shown in ((r, show(r)) for r in rows) if not test or test(shown)
        ]

        def key(entry: tuple[R, JsonObject]) -> tuple[object, ...]:
            return (*odata.order_key(entry[1], wanted), entry[0].sequence)

        if wanted:
            found.sort(key=key)
        if walk.token is None:
            del found[: int(walk.value("$skip") or 0)]
        take = size if left is None else min(size, left)
        rest = None if left is None else left - take
        page = replace(walk, size=take).carrying(size=size, left=rest).page(found, key)
        body: dict[str, Any] = {
            "@odata.context": own_url(call, context),
            "value": [finish(row, odata.only(shown, select, members)) for row, shown in page.items],
        }
        if page.next is not None and rest != 0:
            body["@odata.nextLink"] = page.next
        return Answer(200, body)
