"""The channel owner's report: what changed, what it means, what to do, and how far we looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.drift.store import FindingsStore
from harness.model.finding import Finding, NotChecked, Report, Severity, Verdict, overall_verdict
from harness.model.instants import to_text
from harness.model.values import Json, JsonObject


def owner_report(
    store: FindingsStore,
    system: JsonObject,
    *,
    generated_at: str,
    details: Mapping[str, Json] | None = None,
    replay: str | None = None,
) -> Report:
    """Return what one channel's owner needs to read, from the findings that are open.

    ``system`` is the parsed ``system.yaml``; ``details`` adds sections of the caller's. A channel
    that was never scanned, or whose last scan missed operations, is *not checked* there: an empty
    list of findings alone is no good news.
    """
    name = str(system["name"])
    title = str(system.get("title", name))
    findings = store.open_findings(name)
    last_scans = _last_scans([s for s in store.scans() if s["system"] == name])
    not_checked = _gaps(name, last_scans)
    verdict = overall_verdict(findings, not_checked)
    urgent = [f for f in findings if f.verdict is not Verdict.COMPATIBLE]
    return Report(
        command="report",
        title=f"Drift report: {title}",
        headline=_headline(title, findings, urgent, last_scans),
        verdict=verdict,
        findings=findings,
        not_checked=not_checked,
        summary={
            "breaking": sum(f.verdict is Verdict.BREAKING for f in findings),
            "unproven": sum(f.verdict is Verdict.UNPROVEN for f in findings),
            "compatible": sum(f.verdict is Verdict.COMPATIBLE for f in findings),
        },
        details={
            "who_to_ask": _contacts(system),
            "last_scans": [_scan_row(scan) for scan in last_scans],
            **(details or {}),
        },
        generated_at=generated_at,
        replay=replay or f"driftgate report {name}",
    )


def _last_scans(scans: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the newest scan of each API, environment, region and account."""
    newest: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for scan in scans:
        scope = tuple(scan[k] for k in ("api", "environment", "region", "account"))
        newest[scope] = scan
    return [newest[scope] for scope in sorted(newest)]


def _gaps(name: str, scans: Sequence[Mapping[str, Any]]) -> tuple[NotChecked, ...]:
    if not scans:
        return (
            NotChecked(
                name,
                "No scan of this channel is on record.",
                f"Run: driftgate scan {name} --url ADDRESS",
            ),
        )
    return tuple(
        NotChecked(
            f"{name} {scan['api']}",
            f"The last scan reached {scan['operations_checked']} of "
            f"{scan['operations_planned']} reading operations.",
            "See the coverage of that scan for the reasons.",
        )
        for scan in scans
        if scan["operations_checked"] < scan["operations_planned"]
    )


def _headline(
    title: str,
    findings: Sequence[Finding],
    urgent: Sequence[Finding],
    scans: Sequence[Mapping[str, Any]],
) -> str:
    if not scans:
        return f"Nothing is known about {title}: no scan is on record."
    looked = f"Last looked at {_moment(to_text(max(s['finished_us'] for s in scans)))}."
    checked = sum(s["operations_checked"] for s in scans)
    planned = sum(s["operations_planned"] for s in scans)
    if not checked and not findings:
        return f"Nothing is known about {title}: the last scan reached no operation. {looked}"
    if checked < planned:
        looked = f"Only {checked} of {planned} reading operations were checked. {looked}"
    if not findings:
        return f"No difference from the agreed contract was seen. {looked}"
    if not urgent:
        return f"{_count(len(findings), 'difference')}, all tolerated: nothing to do. {looked}"
    worst = min(urgent, key=lambda f: (f.severity or Severity.INFO).rank)
    level = f" ({worst.severity.value})" if worst.severity else ""
    first_seen = min((f.context.first_seen or "" for f in urgent), default="")
    since = f" First seen {_moment(first_seen)}." if first_seen else ""
    effect = f"{worst.context.effect} " if worst.context.effect else ""
    return (
        f"{_count(len(urgent), 'difference')} from the agreed contract "
        f"{'needs' if len(urgent) == 1 else 'need'} you. "
        f"The worst{level}: {effect}{worst.message.rstrip('.')}.{since} {looked}"
    )


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:16]} UTC"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _contacts(system: JsonObject) -> dict[str, Json]:
    owner = system.get("owner", {})
    support = system.get("support", {})
    return {
        "channel_owner": owner.get("role"),
        "deputy": owner.get("deputy"),
        "mapping_steward": system.get("mapping_steward", {}).get("role"),
        "finance_contact": system.get("finance_contact", {}).get("role"),
        "vendor_route": support.get("route"),
        "the_vendor_wants": support.get("wants", []),
    }


def _scan_row(scan: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "api": scan["api"],
        "environment": scan["environment"] or None,
        "region": scan["region"] or None,
        "account": scan["account"] or None,
        "finished": to_text(scan["finished_us"]),
        "verdict": str(scan["verdict"]).replace("_", " "),
        "operations_checked": f"{scan['operations_checked']} of {scan['operations_planned']}",
        "samples": scan["samples"],
    }
