"""How an order list is walked page by page, the same in both versions of the orders API.

A walk is frozen when it starts: its query, its upper bound and what the read view showed then all
travel in the token. Rows are sorted by (instant, id) and the next page starts after a key, so an
order that arrives or changes meanwhile never repeats a row or pushes one out of sight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.model.exchange import Query
from harness.model.instants import from_text, to_text
from mocks._amazon_spapi_shop import Order, Shop, page_of
from mocks.kit.page_tokens import seal, unseal
from mocks.kit.simulator import Call, RefusalKind, Refused


@dataclass(frozen=True, slots=True)
class WalkWords:
    """What one version of the API calls the parameters of a walk."""

    created_after: str
    created_before: str
    updated_after: str
    updated_before: str
    size: str
    token: str
    created_echo: str
    updated_echo: str


WORDS_V0 = WalkWords(
    "CreatedAfter",
    "CreatedBefore",
    "LastUpdatedAfter",
    "LastUpdatedBefore",
    "MaxResultsPerPage",
    "NextToken",
    "CreatedBefore",
    "LastUpdatedBefore",
)
WORDS_2026 = WalkWords(
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "maxResultsPerPage",
    "paginationToken",
    "createdBefore",
    "lastUpdatedBefore",
)


@dataclass(frozen=True, slots=True)
class WalkRules:
    """The manners of order lists: margin of upper bounds, lags, life of a token, page size."""

    margin_us: int
    lag_us: int
    new_order_lag_us: int
    token_us: int
    page_size: int


def every_value(query: Query, name: str) -> tuple[str, ...]:
    """Return all values of a parameter, repeated or with commas."""
    return tuple(part for key, value in query if key == name for part in value.split(",") if part)


@dataclass(frozen=True, slots=True)
class OrderWalk:
    """One walk, at one page. ``token`` is the token it was resumed from."""

    words: WalkWords
    query: Query
    upper_us: int
    started_us: int
    after: tuple[int, str] | None
    now_us: int
    rules: WalkRules
    token: str | None

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter of the query that started the walk."""
        return every_value(self.query, name)

    @property
    def by_update(self) -> bool:
        """Say whether the walk follows changes rather than purchases."""
        return bool(self.values(self.words.updated_after))

    def bound_echo(self) -> dict[str, str]:
        """Return the upper bound that was applied, under the name the answer uses."""
        name = self.words.updated_echo if self.by_update else self.words.created_echo
        return {name: to_text(self.upper_us)}

    def page(self, shop: Shop, wanted: Callable[[Order], bool]) -> tuple[list[Order], str | None]:
        """Return one page and the token of the next, ``None`` at the end."""
        words, rules = self.words, self.rules
        name = words.updated_after if self.by_update else words.created_after
        from_us = _instant(self.query, name) or 0
        until_us = min(self.upper_us, self.started_us - rules.lag_us)
        born_us = self.started_us - max(rules.new_order_lag_us, rules.lag_us)
        rows = [
            (at_us, order)
            for at_us, order in shop.listed_orders(by_update=self.by_update)
            if from_us <= at_us <= until_us and order.created_us <= born_us and wanted(order)
        ]
        size = int(next(iter(self.values(words.size)), rules.page_size))
        page, last = page_of(rows, self.after, size)
        if last is None:
            return page, None
        state = {
            "query": [list(pair) for pair in self.query],
            "upper": self.upper_us,
            "started": self.started_us,
            "after": list(last),
            "issued": self.now_us,
        }
        return page, seal(state)


def open_walk(call: Call, words: WalkWords, rules: WalkRules) -> OrderWalk:
    """Start a walk, or resume the one whose token came along; refuses what breaks the rules."""
    token = call.query.get(words.token)
    if token:
        return _resume(call, words, rules, token)
    query = call.request.query
    created = _instant(query, words.created_after)
    updated = _instant(query, words.updated_after)
    if (created is None) == (updated is None):
        msg = f"Give exactly one of {words.created_after} and {words.updated_after}."
        raise Refused(RefusalKind.INVALID, msg)
    by_update = updated is not None
    before = words.updated_before if by_update else words.created_before
    other = words.created_before if by_update else words.updated_before
    if every_value(query, other):
        after = words.updated_after if by_update else words.created_after
        raise Refused(RefusalKind.INVALID, f"{other} does not go with {after}.")
    newest_us = call.now_us - rules.margin_us
    asked_us = _instant(query, before)
    if asked_us is not None and asked_us > newest_us:
        seconds = rules.margin_us // 1_000_000
        msg = f"{before} must be at least {seconds} seconds before now ({to_text(call.now_us)})."
        raise Refused(RefusalKind.INVALID, msg)
    start_us = (updated if updated is not None else created) or 0
    if start_us > call.now_us:
        raise Refused(RefusalKind.INVALID, "The window starts in the future.")
    if asked_us is not None and start_us > asked_us:
        raise Refused(RefusalKind.INVALID, f"{before} lies before the start of the window.")
    upper_us = newest_us if asked_us is None else asked_us
    return OrderWalk(words, query, upper_us, call.now_us, None, call.now_us, rules, None)


def _resume(call: Call, words: WalkWords, rules: WalkRules, token: str) -> OrderWalk:
    state = _read_token(token, call.now_us, rules, words.token)
    try:
        query = tuple((str(name), str(value)) for name, value in state["query"])
        after_us, after_id = state["after"]
        upper_us, started_us = int(state["upper"]), int(state["started"])
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{words.token} belongs to another operation."
        raise Refused(RefusalKind.INVALID, msg) from error
    for name, value in call.request.query:
        if name != words.token and (name, value) not in query:
            msg = f"{name} differs from the query {words.token} belongs to."
            raise Refused(RefusalKind.INVALID, msg)
    if not any(name in (words.created_after, words.updated_after) for name, _ in query):
        msg = f"{words.token} belongs to another operation."
        raise Refused(RefusalKind.INVALID, msg)
    after = (int(after_us), str(after_id))
    return OrderWalk(words, query, upper_us, started_us, after, call.now_us, rules, token)


def seal_items(order_id: str, start: int, now_us: int) -> str:
    """Return the token of the next page of one order's lines."""
    return seal({"items_of": order_id, "start": start, "issued": now_us})


def resume_items(token: str, order_id: str, now_us: int, rules: WalkRules) -> int:
    """Return where the next page of lines starts; refuses a token of another order."""
    state = _read_token(token, now_us, rules, "NextToken")
    if state.get("items_of") != order_id:
        raise Refused(RefusalKind.INVALID, "NextToken belongs to another order.")
    return int(state["start"])


def _read_token(token: str, now_us: int, rules: WalkRules, name: str) -> dict[str, Any]:
    try:
        state = unseal(token)
    except ValueError as error:
        raise Refused(RefusalKind.INVALID, f"{name} is not valid: {error}.") from error
    if now_us - int(state.get("issued", 0)) >= rules.token_us:
        raise Refused(RefusalKind.INVALID, f"{name} has expired.")
    return dict(state)


def _instant(query: Query, name: str) -> int | None:
    values = every_value(query, name)
    if not values:
        return None
    try:
        return max(0, from_text(values[0]))  # nothing happened before 1970
    except ValueError as error:
        msg = f"{name} must be an instant with an offset, such as 2026-11-20T09:58:00Z."
        raise Refused(RefusalKind.INVALID, msg) from error
