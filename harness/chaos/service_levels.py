"""Service levels, measured in the world's own time from what was meant to happen.

Latency counts from when a buyer placed (or the channel released) an order, not from when the
engine first looked: a slow poll is part of the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.chaos.ledger import Ledger
from harness.chaos.scenario import Percentile
from harness.chaos.verdicts import Breach, to_finding
from harness.model.finding import Category, Finding, Severity
from harness.model.instants import SECOND_US
from harness.model.values import Json
from mocks.kit.books import BookEntry, BookKind

_PHASES = ("all", "warm", "chaos", "heal")
_SHOWN = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that had to travel; ``took_us`` is ``None`` when it never arrived."""

    system: str
    key: str
    began_us: int
    took_us: int | None


def percentile_us(waits: Sequence[Wait], percent: int) -> int | None:
    """Return the nearest-rank percentile; ``None`` when that one never arrived (or none began)."""
    if not waits:
        return None
    # What never arrived sorts last: it waited longest of all.
    times = sorted((w.took_us is None, w.took_us or 0) for w in waits)
    never, took_us = times[max(0, -(-len(times) * percent // 100) - 1)]
    return None if never else took_us


def order_waits(ledger: Ledger) -> tuple[Wait, ...]:
    """Return how long each order that was due took into the ERP."""
    waits = []
    for order in ledger.due():
        began_us = order.released_us or order.placed.at_us
        created = ledger.created[order.order_id]
        took_us = max(0, created[0].at_us - began_us) if created else None
        waits.append(Wait(order.channel, order.order_id, began_us, took_us))
    return tuple(waits)


def stock_waits(ledger: Ledger) -> tuple[Wait, ...]:
    """Return how long each stock count in the ERP took to the buyers of each channel.

    A count has arrived when a quantity is published that the ERP had at the count or later.
    """
    history = _available_history(ledger)
    waits = []
    for channel, books in ledger.channels.items():
        published: dict[str, list[BookEntry]] = {}
        for entry in books.of(BookKind.QUANTITY_PUBLISHED):
            published.setdefault(entry.key, []).append(entry)
        for count in ledger.erp.of(BookKind.STOCK_SET):
            if count.at_us == ledger.scenario.start_us or count.key not in ledger.listed[channel]:
                continue  # the opening stock is listed by hand
            took_us = _until_shown(count, published.get(count.key, ()), history[count.key])
            waits.append(Wait(channel, count.key, count.at_us, took_us))
    return tuple(waits)


def _until_shown(
    count: BookEntry, published: Iterable[BookEntry], history: Sequence[tuple[int, int]]
) -> int | None:
    for entry in published:
        if entry.at_us < count.at_us:
            continue
        since = {q for at_us, q in history if count.at_us <= at_us <= entry.at_us}
        if entry.data["quantity"] in since:
            return entry.at_us - count.at_us
    return None


def _available_history(ledger: Ledger) -> Mapping[str, list[tuple[int, int]]]:
    """Return (instant, available) per SKU: counts set it, open sales orders reserve from it."""
    raw: dict[str, int] = {}
    held: dict[str, Mapping[str, int]] = {}
    history: dict[str, list[tuple[int, int]]] = {}
    for entry in ledger.erp.entries:
        if entry.kind is BookKind.STOCK_SET:
            changed = {entry.key: entry.data["quantity"] - raw.get(entry.key, 0)}
        elif entry.kind in (BookKind.SALES_ORDER_CREATED, BookKind.SALES_ORDER_UPDATED):
            order_id, wanted = str(entry.data.get("id")), _wanted(entry.data)
            before = held.get(order_id, {})
            changed = {
                sku: before.get(sku, 0) - wanted.get(sku, 0) for sku in sorted({*before, *wanted})
            }
            held[order_id] = wanted
        else:
            continue
        for sku, difference in changed.items():
            raw[sku] = raw.get(sku, 0) + difference
            history.setdefault(sku, []).append((entry.at_us, max(0, raw[sku])))
    return history


def _wanted(data: Mapping[str, Any]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for line in data.get("lines", ()):
        wanted[line["sku"]] = wanted.get(line["sku"], 0) + int(line["quantity"])
    return wanted


def recovery_us(ledger: Ledger) -> int | None:
    """Return how long after the faults ended the last order from before was in the ERP.

    Zero when nothing was left over; ``None`` when something never arrived.
    """
    heal_us = ledger.scenario.start_us + ledger.scenario.phases.start_us("heal")
    before = [w for w in order_waits(ledger) if w.began_us < heal_us]
    ends = [None if w.took_us is None else w.began_us + w.took_us for w in before]
    if any(end is None for end in ends):
        return None
    return max([0, *(end - heal_us for end in ends if end is not None)])


_MEASURES: Mapping[str, Callable[[Ledger], tuple[Wait, ...]]] = {
    "order_to_erp": order_waits,
    "stock_to_channel": stock_waits,
}


def measure(ledger: Ledger) -> Json:
    """Return the service levels as seconds, by measure, phase and percentile."""
    shown: dict[str, Json] = {}
    for name, waits_of in _MEASURES.items():
        waits = waits_of(ledger)
        shown[name] = {
            phase: {
                "count": len(chosen),
                "never": sum(1 for w in chosen if w.took_us is None),
                **{f"p{p}_seconds": _seconds(percentile_us(chosen, p)) for p in _SHOWN},
            }
            for phase in _PHASES
            if (chosen := _during(ledger, waits, phase))
        }
    shown["recover_after_heal_seconds"] = _seconds(recovery_us(ledger))
    return shown


def missed(ledger: Ledger) -> tuple[Finding, ...]:
    """Return one finding per promised time that was not kept."""
    promised = ledger.scenario.service_levels
    findings: list[Finding] = []
    for name, levels in (
        ("order_to_erp", promised.order_to_erp),
        ("stock_to_channel", promised.stock_to_channel),
    ):
        waits = _MEASURES[name](ledger) if levels else ()
        for level in levels:
            findings += _judge(ledger, name, level, _during(ledger, waits, level.during))
    if promised.recover_after_heal_us is not None:
        took_us = recovery_us(ledger)
        if took_us is None or took_us > promised.recover_after_heal_us:
            text = f"the backlog was {_words(took_us, 'cleared')} after the faults ended"
            rule = "service_level.recover_after_heal"
            findings.append(_finding(ledger, rule, text, promised.recover_after_heal_us, ()))
    return tuple(findings)


def _judge(
    ledger: Ledger, name: str, level: Percentile, waits: Sequence[Wait]
) -> Iterable[Finding]:
    took_us = percentile_us(waits, level.percentile)
    if not waits or (took_us is not None and took_us <= level.max_us):
        return
    slow = sorted(
        (w for w in waits if w.took_us is None or w.took_us > level.max_us),
        key=lambda w: (w.took_us is not None, -(w.took_us or 0), w.key),
    )
    text = f"{name} at p{level.percentile} ({level.during}) {_words(took_us, 'took')}"
    yield _finding(
        ledger, f"service_level.{name}.p{level.percentile}", text, level.max_us, slow, len(waits)
    )


def _finding(
    ledger: Ledger, rule: str, text: str, max_us: int, waits: Sequence[Wait], checked: int = 0
) -> Finding:
    breach = Breach(
        system=waits[0].system if waits else ledger.erp.system,
        message=f"{text}; promised is {max_us / SECOND_US:g} s.",
        samples=[
            {"key": w.key, "began_us": w.began_us, "took_seconds": _seconds(w.took_us)}
            for w in waits
        ],
        checked=checked,
        at_us=waits[0].began_us if waits else ledger.ended_us,
    )
    return to_finding(ledger, rule, breach, Category.POLICY, Severity.HIGH)


def _words(took_us: int | None, verb: str) -> str:
    return f"never {verb}" if took_us is None else f"{verb} {took_us / SECOND_US:.1f} s"


def _during(ledger: Ledger, waits: Sequence[Wait], phase: str) -> list[Wait]:
    phases = ledger.scenario.phases
    return [
        w for w in waits if phase == "all" or phases.at(ledger.since_start(w.began_us)) == phase
    ]


def _seconds(took_us: int | None) -> float | None:
    return None if took_us is None else round(took_us / SECOND_US, 3)
