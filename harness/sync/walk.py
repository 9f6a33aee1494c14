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
    for number in range(pages_max):
        body = await _page(caller, capability, adapter.request(capability, variables, **more))
        high_water = read(body, capability.rules.get("high_water"))
        yield Page(_records(capability, body), high_water if isinstance(high_water, str) else None)
        following = _next(rule, body, number)
        if following is None:
            return
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
