"""``driftgate demo``: the whole job once, small but real, told as a story."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.output import say, write_file

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.drift import ScanResult
    from harness.model.finding import Finding, Report

SYSTEM, API, VERSION = "amazon_spapi", "orders", "2026-01-01"
DRIFT_PACK = "2026-11-30-next-shape"
SCENARIO = "answer-lost-after-commit"
ORDERS = 12
_WIDTH = 88

# What a vendor might announce for the pinned contract: pointer of the parent, member, new value.
# The drift pack that the simulator serves plays the same three changes on the wire.
_ANNOUNCED: tuple[tuple[str, str, Any], ...] = (
    ("/components/schemas/Money/properties", "amount", {"type": "number"}),
    ("/components/schemas/FulfillmentStatus/enum", "-", "AWAITING_PICKUP"),
    ("/components/schemas/Order/properties", "deliveryPromise", {"type": "object"}),
)

_EPILOG = """Examples:

  driftgate demo

  driftgate demo --seed 7 --out reports/out/seven
"""


@dataclass(slots=True)
class _Story:
    """What each step has to say, kept until all are done, so that it is told in one piece."""

    out: Path
    seed: int
    parts: list[str] = field(default_factory=list)

    def chapter(self, title: str, text: str) -> None:
        self.parts += ["", title, textwrap.indent(textwrap.fill(text, _WIDTH - 2), "  ")]

    def points(self, texts: Sequence[str]) -> None:
        for text in texts:
            self.parts.append(
                textwrap.fill(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
            )

    def json(self, text: str) -> None:
        self.parts.append(
            textwrap.fill(text, _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)
        )

    def literal(self, label: str, text: str) -> None:
        self.parts.append(f"  {label:<8} {text}")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("demo", epilog=_EPILOG)
    def command(
        seed: Annotated[int, typer.Option("--seed", help="The same seed, the same night.")] = 1,
        out: Annotated[
            Path, typer.Option("--out", help="The folder that receives contracts and reports.")
        ] = Path("reports/out/demo"),
        contracts: Annotated[
            str | None, typer.Option("--contracts", help="The contracts folder.")
        ] = None,
    ) -> None:
        """Watch driftgate do its whole job: judge a change, scan, survive a night, report.

        Needs nothing but this program: the channel and the ERP are simulated on this machine.
        The exit code is 0 when every step ran.
        """
        from harness.catalog import Catalog, contracts_root

        root = contracts_root(contracts)
        say(f"contracts: {root.path} ({root.how}); seed {seed}")
        typer.echo(run_demo(Catalog(root), seed=seed, out=out))


def run_demo(catalog: Catalog, *, seed: int, out: Path) -> str:
    """Play all four steps, write the reports under ``out`` and return the story."""
    story = _Story(out, seed)
    say("[1/4] comparing two versions of a marketplace contract ...")
    change = _judge_change(catalog, story)
    say("[2/4] scanning a simulated channel that serves a newer shape than the pinned one ...")
    scanned = asyncio.run(_scan_drifted_channel(catalog, story))
    say("[3/4] putting the reference sync engine through a bad night, in virtual time ...")
    night = _bad_night(catalog, story)
    say("[4/4] writing the channel owner's report ...")
    _write_report(catalog, story, scanned, {"change": change, "night": night})
    return "\n".join(story.parts)


def _judge_change(catalog: Catalog, story: _Story) -> Report:
    from harness.catalog import load_contract
    from harness.compatibility import compare

    pinned = catalog.contract(SYSTEM, API, VERSION).contract
    announced = deepcopy(dict(pinned.document))
    for parent, member, value in _ANNOUNCED:
        _edit(announced, parent, member, value)
    paths = (story.out / "orders-pinned.json", story.out / "orders-announced.json")
    for path, document in zip(paths, (pinned.document, announced), strict=True):
        write_file(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    old, new = (load_contract(path).contract for path in paths)
    report = compare(old, new)
    breaking = _breaking(report.findings)
    story.chapter(
        "1. An announced change, judged with proof",
        f"The marketplace announces a new order document. Against the pinned one, "
        f"{report.summary['operations_compared']} operations were compared and "
        f"{len(breaking)} differences break clients of the old contract:",
    )
    story.points([f.message for f in breaking])
    proved = [f for f in breaking if f.witness is not None]
    if proved:
        story.parts.append(
            "  An answer that the new document allows and a client of the old one cannot read:"
        )
        story.json(min((_witness(f) for f in proved), key=len))
    story.literal("again", f"driftgate diff {paths[0]} {paths[1]}")
    return report


def _edit(document: Any, parent: str, member: str, value: Any) -> None:
    from harness.model.values import resolve_pointer

    place = resolve_pointer(document, parent)
    if isinstance(place, list):
        place.append(value)
    else:
        place[member] = value


def _breaking(findings: Sequence[Finding]) -> list[Finding]:
    from harness.model.finding import Verdict

    return [f for f in findings if f.verdict is Verdict.BREAKING]


def _witness(finding: Finding) -> str:
    return json.dumps(finding.witness.value if finding.witness else None, ensure_ascii=False)


async def _scan_drifted_channel(catalog: Catalog, story: _Story) -> ScanResult:
    from harness.cli.real_world import WireClient, wall_clock
    from harness.drift import Budget, ScanTarget, scan
    from harness.simulation.streams import SeededStreams
    from mocks.kit.estate import Estate
    from mocks.kit.seeding import seed as seed_estate
    from mocks.kit.wire import serve_all

    clock, streams = wall_clock(), SeededStreams(story.seed)
    estate = Estate(
        [SYSTEM],
        catalog=catalog,
        clock=clock,
        streams=streams,
        drift_packs={SYSTEM: DRIFT_PACK},
    )
    seed_estate(estate.simulators.values(), orders=ORDERS, streams=streams, now_us=clock.now_us())
    running = await serve_all(dict(estate.edges), lambda _name: 0)
    _, url = running[SYSTEM]
    access = estate.access(SYSTEM, url)
    target = ScanTarget(
        name=SYSTEM,
        api=f"{API}/{VERSION}",
        credentials=access.credentials,
        behaviour=catalog.behaviour(SYSTEM),
        system=catalog.system(SYSTEM).data,
        mapping=catalog.mapping(SYSTEM, API, VERSION),
        environment="simulator",
        region=access.parameters.get("region"),
        account=access.account,
        known={"marketplaceIds": (access.parameters["marketplace_id"],)},
    )
    try:
        async with WireClient(url) as client:
            result = await scan(
                target,
                catalog.contract(SYSTEM, API, VERSION).contract,
                client=client,
                clock=clock,
                streams=SeededStreams(story.seed),
                budget=Budget(samples=8),
                progress=lambda text: say(f"      {text}"),
            )
    finally:
        for server, _ in running.values():
            await server.close()
    calls = sum(c.sent for c in result.coverage)
    checked = sum(c.checked for c in result.coverage)
    story.chapter(
        "2. A nightly scan of a channel that drifted",
        f"The channel on {url} already answers in a shape the pinned contract does not know "
        f"(drift pack {DRIFT_PACK}). The scan only read, within the quotas: {calls} calls, "
        f"{checked} of {len(result.coverage)} reading operations checked. It found:",
    )
    story.points(
        [
            f"{f.verdict.value}, {f.severity.value if f.severity else 'info'}: {f.message}"
            for f in result.findings
        ]
    )
    return result


def _bad_night(catalog: Catalog, story: _Story) -> Report:
    from harness.chaos.runner import run_scenario
    from harness.chaos.scenario_file import find_scenario, load_scenario
    from harness.sync.engine import ReferenceEngine

    scenario = load_scenario(find_scenario(SCENARIO))
    result = run_scenario(
        scenario,
        seed=story.seed,
        engine_factory=ReferenceEngine,
        catalog=catalog,
        progress=lambda text: say(f"      {text}"),
    )
    report = result.report
    minutes = report.summary["virtual_minutes"]
    faults = ", ".join(f"{n} x {kind}" for kind, n in report.details["faults_fired"].items())
    story.chapter(
        "3. A bad night for the sync engine",
        f"{scenario.title}: {minutes:.0f} minutes of trade between the marketplace and the ERP, "
        f"played in virtual time with {report.summary['calls']} calls. What went wrong on "
        f"purpose: {faults}, and the engine was killed once. Judged from the simulators' books "
        f"alone: {report.headline}",
    )
    levels = report.details["service_levels"]["order_to_erp"]["all"]
    story.points(
        [
            f"order to ERP: half within {levels['p50_seconds']:.0f} s, "
            f"99 % within {levels['p99_seconds']:.0f} s",
            f"trace digest {result.digest}: the same seed gives the same night, byte for byte",
        ]
    )
    if report.replay:
        story.literal("again", report.replay)
    return report


def _write_report(
    catalog: Catalog, story: _Story, scanned: ScanResult, others: dict[str, Report]
) -> None:
    from harness.cli.report import write_all
    from harness.drift import FindingsStore
    from harness.drift.owner_report import owner_report
    from harness.model.instants import to_text

    path = story.out / "driftgate.db"
    store = FindingsStore(f"sqlite:///{path}")
    try:
        store.remember(scanned)
        report = owner_report(
            store,
            catalog.system(SYSTEM).data,
            generated_at=to_text(scanned.finished_us),
            details={
                "announced_change": _outline(others["change"]),
                "bad_night": _outline(others["night"]),
            },
            replay=f"driftgate demo --seed {story.seed}",
        )
    finally:
        store.close()
    story.chapter("4. The channel owner's report", report.headline)
    for written in write_all(report, story.out / "channel-report"):
        story.literal(written.suffix.removeprefix("."), str(written))
    story.literal("findings", f"{path} (driftgate report {SYSTEM} --store sqlite:///{path})")


def _outline(report: Report) -> dict[str, str | None]:
    return {
        "what": report.title,
        "verdict": report.verdict.value.replace("_", " "),
        "in_short": report.headline,
        "replay": report.replay,
    }
