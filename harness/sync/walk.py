"""Walks the pages of a list: every page, once, and never for ever."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from harness.model.exchange import HttpRequest
from harness.model.values import Json, pointer
from harness.sync.adapter import Adapter, Capability, broken_rule, read
from harness.sync.calls import Caller, Ending


class WalkFailed(Exception):
    """The walk did not reach its end, so its watermark must not move."""

    def __init__(self, reason: str, *, pointer: str = "", broken_contract: bool = False) -> None:
        """Say why, and where in the answer when the contract was broken."""
        super().__init__(reason)
        self.reason = reason
        self.pointer = pointer
        self.broken_contract = broken_contract


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its records and the source's high-water mark, when it gives one."""

    records: list[Json]
    high_water: str | None


async def pages(
    adapter: Adapter,
    capability: Capability,
    caller: Caller,
    variables: Mapping[str, Json],
    *,
    pages_max: int,
) -> AsyncGenerator[Page, None]:
    """Yield page after page; raises ``WalkFailed`` when one cannot be had or repeats."""
    rule: Mapping[str, Json] = capability.rules.get("next_page") or {}
    seen: set[str] = set()
    more: dict[str, str] = {}
    beside_a_token: frozenset[str] = frozenset()
    for number in range(pages_max):
        request = adapter.request(capability, variables, **more)
        body = await _page(caller, capability, request)
        high_water = read(body, capability.rules.get("high_water"))
        records = _records(capability, body)
        yield Page(records, high_water if isinstance(high_water, str) else None)
        following = _next(rule, body, number)
        levels = _levels(rule, body)
        if following is None:
            # An undeclared member where the token was expected may be the token under a new name;
            # one that an earlier page had beside a good token is a mere addition.
            strangers = _undeclared(capability, body, levels[0]) if levels else frozenset()
            if strangers - beside_a_token and _is_full(capability, request, records):
                raise _renamed_token(capability, rule)
            return
        for holder in levels:
            beside_a_token |= _undeclared(capability, body, holder)
        if following in seen:
            msg = "the same page token came twice; stopped before going round for ever"
            raise WalkFailed(msg)
        seen.add(following)
        more = {rule["send"]: following}
    msg = f"more than {pages_max} pages"
    raise WalkFailed(msg)


def _next(rule: Mapping[str, Json], body: Json, number: int) -> str | None:
    value = read(body, rule.get("read"))
    if not value:
        return None
    return str((number + 1) * int(rule["size"])) if rule["kind"] == "offset" else str(value)


def _levels(rule: Mapping[str, Json], body: Json) -> list[str]:
    """Return the objects on the way to the sign of a next page that are there, innermost first."""
    tokens = str(rule.get("read", "")).split("/")[1:-1]
    holders = ["".join(f"/{t}" for t in tokens[:depth]) for depth in range(len(tokens), -1, -1)]
    return [h for h in holders if isinstance(read(body, h) if h else body, dict)]


def _undeclared(capability: Capability, body: Json, holder: str) -> frozenset[str]:
    found = read(body, holder) if holder else body
    return frozenset(f"{holder}/{n}" for n in set(found) - capability.declared_members(holder))


def _is_full(capability: Capability, request: HttpRequest, records: list[Json]) -> bool:
    """Say whether a page may have been cut by its size; unknown sizes make every page suspect."""
    sent = [v for k, v in request.query if k == capability.page_size_name]
    size = int(sent[0]) if sent and sent[0].isdecimal() else capability.page_size
    return bool(records) and (size is None or len(records) >= size)


def _renamed_token(capability: Capability, rule: Mapping[str, Json]) -> WalkFailed:
    at = str(rule["read"])
    msg = (
        f"{capability.address} gave a full page without {at} and with an undeclared member in its "
        "place: the next page may have a new name"
    )
    return WalkFailed(msg, pointer=at, broken_contract=True)


async def _page(caller: Caller, capability: Capability, request: HttpRequest) -> Json:
    outcome = await caller.read(capability.address, request)
    if outcome.ending is not Ending.OK:
        msg = f"{capability.address} {outcome.reason}"
        raise WalkFailed(msg)
    return outcome.body


def _records(capability: Capability, body: Json) -> list[Json]:
    at = capability.rules["records"]["at"]
    records = capability.records(body)
    if records is None:
        msg = f"{capability.address} answered without the list of records at {at}"
        raise WalkFailed(msg, pointer=at, broken_contract=True)
    depth = at.count("/")
    within = at.strip("/").split("/")
    for error in capability.answer_errors(body):
        path = [str(token) for token in error.instance_path]
        if len(path) <= depth or path[:depth] != within:
            # Around the records, so no single record is to blame: trust nothing of this page.
            raise WalkFailed(broken_rule(error), pointer=pointer(*path), broken_contract=True)
    return records
