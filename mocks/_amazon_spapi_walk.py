"""How an order list is walked page by page, the same in both versions of the orders API.

A walk is frozen when it starts: its query, its upper bound and what the read view showed then all
travel in the token. Rows are sorted by (instant, id) and the next page starts after a key, so an
order that arrives or changes meanwhile never repeats a row or pushes one out of sight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.model.exchange import Query
from harness.model.instants import from_text, to_text
from mocks._amazon_spapi_shop import Order, Shop
from mocks.kit.calls import Call, RefusalKind, Refused
from mocks.kit.paging import Pager, Walk, every_value
from mocks.kit.visibility import Visibility


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
    """The manners of order lists: margin of upper bounds, how late orders are listed."""

    margin_us: int
    new_order_lag_us: int
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class OrderWalk:
    """One walk, at one page."""

    walk: Walk
    words: WalkWords
    rules: WalkRules

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter of the query that started the walk."""
        return self.walk.values(name)

    @property
    def by_update(self) -> bool:
        """Say whether the walk follows changes rather than purchases."""
        return bool(self.values(self.words.updated_after))

    @property
    def upper_us(self) -> int:
        """Return the upper bound that was applied."""
        return int(self.walk.carried["upper"])

    def bound_echo(self) -> dict[str, str]:
        """Return the upper bound that was applied, under the name the answer uses."""
        name = self.words.updated_echo if self.by_update else self.words.created_echo
        return {name: to_text(self.upper_us)}

    def page(self, shop: Shop, wanted: Callable[[Order], bool]) -> tuple[list[Order], str | None]:
        """Return one page and the token of the next, ``None`` at the end."""
        words, rules, started_us = self.words, self.rules, self.walk.started_us
        name = words.updated_after if self.by_update else words.created_after
        from_us = _instant(self.walk.query, name) or 0
        until_us = min(self.upper_us, started_us)
        born_us = started_us - rules.new_order_lag_us
        sees, call = rules.visibility.sees, self.walk.call
        rows = [
            (at_us, order.order_id, order)
            for at_us, order in shop.listed_orders(by_update=self.by_update)
            if from_us <= at_us <= until_us
            and order.created_us <= born_us
            and sees(call, order.order_id, order.created_us, started_us)
            and sees(call, order.order_id, at_us, started_us)
            and wanted(order)
        ]
        page = self.walk.page(rows, _place)
        return [order for _, _, order in page.items], page.next


def _place(row: tuple[int, str, Order]) -> tuple[int, str]:
    return row[0], row[1]


def open_walk(call: Call, words: WalkWords, pager: Pager, rules: WalkRules) -> OrderWalk:
    """Start a walk, or resume the one whose token came along; refuses what breaks the rules."""
    walk = pager.open(call)
    if walk.token is None:
        walk = walk.carrying(upper=_upper_bound(call, words, rules))
    return OrderWalk(walk, words, rules)


def _upper_bound(call: Call, words: WalkWords, rules: WalkRules) -> int:
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
    return newest_us if asked_us is None else asked_us


def _instant(query: Query, name: str) -> int | None:
    values = every_value(query, name)
    if not values:
        return None
    try:
        return max(0, from_text(values[0]))  # nothing happened before 1970
    except (ValueError, OverflowError) as error:
        msg = f"{name} must be an instant with an offset, such as 2026-11-20T09:58:00Z."
        raise Refused(RefusalKind.INVALID, msg) from error
