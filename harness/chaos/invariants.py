"""The promises about orders and stock, judged from the simulators' books alone.

Each invariant is one small function from the books to findings; the registry gives it the name
that scenarios use. One finding speaks for one broken promise on one system and carries samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.chaos.ledger import ChannelOrder, Ledger, call_json, content_of, entry_json
from harness.chaos.traffic import quota_respected, retries_bounded
from harness.chaos.verdicts import Breach, to_finding
from harness.model.finding import Category, Finding, Severity
from harness.model.values import Json
from mocks.kit.books import BookEntry, BookKind

_LUCK = 0.15
Check = Callable[[Ledger], Iterable[Breach]]


def orders_exactly_once(ledger: Ledger) -> Iterable[Breach]:
    """One sales order per channel order, whatever was retried; none that nobody placed."""
    for channel in ledger.channels:
        mine = [o for o in ledger.orders if o.channel == channel]
        doubled = [o for o in mine if len(ledger.created[o.order_id]) > 1]
        if doubled:
            first = doubled[0]
            times = len(ledger.created[first.order_id])
            yield Breach(
                system=channel,
                message=f"{len(doubled)} of {len(mine)} orders are in the ERP more than once; "
                f"{first.order_id} is there {times} times.",
                samples=[_order_sample(ledger, o) for o in doubled],
                checked=len(mine),
                at_us=ledger.created[first.order_id][1].at_us,
                effect="Goods are shipped and booked twice.",
            )
    if ledger.strays:
        yield Breach(
            system=ledger.erp.system,
            message=f"{len(ledger.strays)} sales orders belong to no order of any channel, "
            f"the first is {ledger.strays[0].key}.",
            samples=[entry_json(e) for e in ledger.strays],
            checked=sum(1 for _ in ledger.erp.of(BookKind.SALES_ORDER_CREATED)),
            at_us=ledger.strays[0].at_us,
            effect="Goods are shipped that nobody ordered.",
        )


def orders_none_lost(ledger: Ledger) -> Iterable[Breach]:
    """Every released order is in the ERP when everything has settled."""
    for channel in ledger.channels:
        due = [o for o in ledger.due() if o.channel == channel]
        lost = [o for o in due if not ledger.created[o.order_id]]
        if lost:
            yield Breach(
                system=channel,
                message=f"{len(lost)} of {len(due)} released orders never reached the ERP; "
                f"the first is {lost[0].order_id}.",
                samples=[_order_sample(ledger, o) for o in lost],
                checked=len(due),
                at_us=lost[0].placed.at_us,
                effect="Buyers have paid for goods nobody will ship.",
            )


def orders_lines_exact(ledger: Ledger) -> Iterable[Breach]:
    """SKU, quantity, unit price and currency in the ERP are those the buyer saw."""
    for channel in ledger.channels:
        pairs = [
            (order, created)
            for order in ledger.orders
            if order.channel == channel
            for created in ledger.created[order.order_id]
        ]
        wrong = [
            (order, created)
            for order, created in pairs
            if content_of(ledger.final_state(created)) != order.content
        ]
        if wrong:
            order, created = wrong[0]
            yield Breach(
                system=channel,
                message=f"{len(wrong)} of {len(pairs)} sales orders differ from what was "
                f"placed; the first is {order.order_id}.",
                samples=[
                    {"placed": dict(o.placed.data), "erp": dict(ledger.final_state(c))}
                    for o, c in wrong
                ],
                checked=len(pairs),
                at_us=created.at_us,
                request_id=created.request_id,
                effect="Buyers get or pay for something else than they ordered.",
            )


def no_unreleased_orders(ledger: Ledger) -> Iterable[Breach]:
    """An order the channel still holds back is not in the ERP."""
    for channel in ledger.channels:
        held = [
            o for o in ledger.orders if o.channel == channel and o.placed.data.get("pending", False)
        ]
        early = [o for o in held if _created_before_release(ledger, o)]
        if early:
            yield Breach(
                system=channel,
                message=f"{len(early)} of {len(held)} pending orders were put into the ERP before "
                f"the channel released them; the first is {early[0].order_id}.",
                samples=[_order_sample(ledger, o) for o in early],
                checked=len(held),
                at_us=ledger.created[early[0].order_id][0].at_us,
                effect="Goods are reserved or shipped for orders that may never be paid.",
            )


def _created_before_release(ledger: Ledger, order: ChannelOrder) -> bool:
    return any(
        order.released_us is None or entry.at_us < order.released_us
        for entry in ledger.created[order.order_id]
    )


def records_neighbours_flow(ledger: Ledger) -> Iterable[Breach]:
    """While some records change shape, the others still arrive, and in good time."""
    within_us = ledger.scenario.tolerances.neighbours_within_us
    for change in ledger.scenario.changes:
        until_us = change.until_us or ledger.scenario.phases.start_us("quiesce")
        seen = [
            o
            for o in ledger.orders
            if o.channel == change.system
            and o.released_us is not None
            and not o.cancelled
            and change.from_us <= ledger.since_start(o.released_us) < until_us
        ]
        stuck = [o for o in seen if _late(ledger, o, within_us)]
        # Which records were hit is drawn per answer; their share is known, and some luck allowed.
        margin = _LUCK if change.touches else 0.0
        if stuck and len(stuck) > len(seen) * min(1.0, change.touches + margin):
            yield Breach(
                system=change.system,
                message=f"after the change {change.pack}, which touches {change.touches:.0%} of "
                f"orders, {len(stuck)} of {len(seen)} were not in the ERP within "
                f"{within_us // 60_000_000} minutes; the first is {stuck[0].order_id}.",
                samples=[_order_sample(ledger, o) for o in stuck],
                checked=len(seen),
                at_us=stuck[0].placed.at_us,
                effect="One unreadable record stops all the others.",
            )


def _late(ledger: Ledger, order: ChannelOrder, within_us: int) -> bool:
    created = ledger.created[order.order_id]
    due_us = (order.released_us or 0) + within_us
    return created[0].at_us > due_us if created else ledger.ended_us > due_us


def stock_converges(ledger: Ledger) -> Iterable[Breach]:
    """When everything has settled, buyers see what the ERP has."""
    for channel, listed in ledger.listed.items():
        reserved = _reserved(ledger, channel)
        wrong = [
            (sku, shown, ledger.available.get(sku))
            for sku, shown in listed.items()
            if not _agrees(shown, ledger.available.get(sku), reserved.get(sku, 0))
        ]
        if wrong:
            sku, shown, has = wrong[0]
            yield Breach(
                system=channel,
                message=f"{len(wrong)} of {len(listed)} SKUs show a quantity the ERP does not "
                f"have; {sku} shows {shown}, the ERP has {has}.",
                samples=[{"sku": s, "listed": q, "available": a} for s, q, a in wrong],
                checked=len(listed),
                at_us=ledger.ended_us,
                effect="Goods are sold that are not there, or not sold although they are.",
            )


def _agrees(shown: int | None, has: int | None, reserved: int) -> bool:
    if shown is None or has is None:
        return shown == has
    # The channel holds goods back for orders the ERP has not been told of (pending, unreadable).
    return max(0, has - reserved) <= shown <= has


def _reserved(ledger: Ledger, channel: str) -> Mapping[str, int]:
    reserved: dict[str, int] = {}
    for order in ledger.orders:
        if order.channel != channel or order.cancelled or ledger.created[order.order_id]:
            continue
        for line in order.placed.data["lines"]:
            reserved[line["sku"]] = reserved.get(line["sku"], 0) + line["quantity"]
    return reserved


def stock_never_negative(ledger: Ledger) -> Iterable[Breach]:
    """No channel is ever told a quantity below zero."""
    for channel, books in ledger.channels.items():
        published = list(books.of(BookKind.QUANTITY_PUBLISHED))
        wrong = [e for e in published if e.data["quantity"] < 0]
        if wrong:
            yield Breach(
                system=channel,
                message=f"{len(wrong)} of {len(published)} published quantities are below zero; "
                f"the first is {wrong[0].data['quantity']} for {wrong[0].key}.",
                samples=[entry_json(e) for e in wrong],
                checked=len(published),
                at_us=wrong[0].at_us,
                request_id=wrong[0].request_id,
                effect="The channel refuses the update and goes on selling.",
            )


def stock_zero_means_zero(ledger: Ledger) -> Iterable[Breach]:
    """What is sold out in the ERP is sold out on the channel when everything has settled."""
    gone = sorted(sku for sku, has in ledger.available.items() if has == 0)
    for channel, listed in ledger.listed.items():
        selling = [(sku, listed.get(sku)) for sku in gone if (listed.get(sku) or 0) > 0]
        if selling:
            yield Breach(
                system=channel,
                message=f"{len(selling)} of {len(gone)} sold-out SKUs are still on sale; "
                f"{selling[0][0]} shows {selling[0][1]}.",
                samples=[{"sku": sku, "listed": q, "available": 0} for sku, q in selling],
                checked=len(gone),
                at_us=ledger.ended_us,
                effect="Buyers order goods that are gone.",
            )


def _order_sample(ledger: Ledger, order: ChannelOrder) -> Json:
    entries: Sequence[BookEntry] = ledger.created[order.order_id]
    calls = [ledger.call(ledger.erp, e.request_id) for e in entries]
    return {
        "placed": entry_json(order.placed),
        "released_us": order.released_us,
        "sales_orders": [entry_json(e) for e in entries],
        "calls": [call_json(c) for c in calls if c is not None],
    }


# Name, check, what it breaks, how bad it is.
_CATALOGUE: tuple[tuple[str, Check, Category, Severity], ...] = (
    ("orders.exactly_once", orders_exactly_once, Category.POLICY, Severity.CRITICAL),
    ("orders.none_lost", orders_none_lost, Category.DATA_LOSS, Severity.CRITICAL),
    ("orders.lines_exact", orders_lines_exact, Category.DATA_LOSS, Severity.CRITICAL),
    ("no.unreleased_orders", no_unreleased_orders, Category.POLICY, Severity.CRITICAL),
    ("records.neighbours_flow", records_neighbours_flow, Category.POLICY, Severity.CRITICAL),
    ("stock.converges", stock_converges, Category.DATA_LOSS, Severity.CRITICAL),
    ("stock.never_negative", stock_never_negative, Category.POLICY, Severity.HIGH),
    ("stock.zero_means_zero", stock_zero_means_zero, Category.DATA_LOSS, Severity.CRITICAL),
    ("quota.respected", quota_respected, Category.POLICY, Severity.HIGH),
    ("retries.bounded", retries_bounded, Category.POLICY, Severity.HIGH),
)

INVARIANTS: Mapping[str, Check] = {name: check for name, check, _, _ in _CATALOGUE}


def judge(ledger: Ledger) -> tuple[Finding, ...]:
    """Return one finding per promise the scenario names and the books show broken."""
    return tuple(
        to_finding(ledger, name, breach, category, severity)
        for name, check, category, severity in _CATALOGUE
        if name in ledger.scenario.invariants
        for breach in check(ledger)
    )
