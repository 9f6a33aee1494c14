"""``driftgate scan``: does a live system still keep its contract?"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import (
    FailOnOption,
    FormatOption,
    OutputOption,
    emit,
    finish,
    parse_fail_on,
    say,
)
from harness.model.errors import UsageError

if TYPE_CHECKING:
    from harness.drift import ScanResult, ScanTarget
    from harness.gate.severity import SeverityPolicy
    from harness.model.contract import Contract
    from harness.model.finding import Report

_EPILOG = """Examples:

  driftgate scan amazon_spapi --api orders/2026-01-01 --url http://127.0.0.1:8080

  driftgate scan netsuite --url http://127.0.0.1:8401 --operation listSalesOrders
  --operation getInventoryItem --known getInventoryItem.id=2001

  driftgate scan amazon_spapi --url https://sandbox.sellingpartnerapi-na.amazon.com
  --environment sandbox --region na --account main --allow-remote-host --format markdown

Credentials come from the environment: DRIFTGATE_<SYSTEM>_CLIENT_ID, _CLIENT_SECRET,
_REFRESH_TOKEN and so on, or a ready _ACCESS_TOKEN.
"""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What the user asked for."""

    system: str
    api: str | None
    url: str
    environment: str | None
    region: str | None
    account: str | None
    samples: int
    seed: int
    store: str
    contracts: str | None
    known: tuple[str, ...]
    allow_remote_host: bool
    operations: tuple[str, ...] = ()


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("scan", epilog=_EPILOG)
    def command(
        system: Annotated[str, typer.Argument(help="The system, as its folder is named.")],
        url: Annotated[str, typer.Option("--url", help="Where the system answers.")],
        api: Annotated[
            str | None, typer.Option("--api", help="One API, like orders/2026-01-01; default all.")
        ] = None,
        environment: Annotated[
            str | None, typer.Option("--environment", help="production, sandbox, ...")
        ] = None,
        region: Annotated[str | None, typer.Option("--region", help="Region, like na.")] = None,
        account: Annotated[
            str | None, typer.Option("--account", help="An alias of the account.")
        ] = None,
        samples: Annotated[
            int, typer.Option("--samples", min=1, help="Calls per operation at most.")
        ] = 6,
        seed: Annotated[int, typer.Option("--seed", help="Makes the same requests again.")] = 1,
        known: Annotated[
            list[str] | None,
            typer.Option(
                "--known",
                help="A parameter value that exists: NAME=VALUE, or OPERATION.NAME=VALUE for one "
                "operation; repeatable.",
            ),
        ] = None,
        operation: Annotated[
            list[str] | None,
            typer.Option("--operation", help="Check only this reading operation; repeatable."),
        ] = None,
        store: Annotated[
            str, typer.Option("--store", help="Where findings are kept, a database URL.")
        ] = "sqlite:///driftgate.db",
        contracts: Annotated[
            str | None, typer.Option("--contracts", help="The contracts folder.")
        ] = None,
        allow_remote_host: Annotated[
            bool, typer.Option("--allow-remote-host", help="Call a host other than this machine.")
        ] = False,
        fmt: FormatOption = "text",
        fail_on: FailOnOption = "breaking",
        output: OutputOption = None,
    ) -> None:
        """Compare what a live system answers with its contract: reading only, within its quotas."""
        levels = parse_fail_on(fail_on)
        request = ScanRequest(
            system=system,
            api=api,
            url=url,
            environment=environment,
            region=region,
            account=account,
            samples=samples,
            seed=seed,
            store=store,
            contracts=contracts,
            known=tuple(known or ()),
            allow_remote_host=allow_remote_host,
            operations=tuple(operation or ()),
        )
        report = run_scan(request)
        emit(report, fmt, output)
        finish(report, levels)


def run_scan(request: ScanRequest) -> Report:
    """Scan, remember and return one report; the same seed asks the same questions."""
    import asyncio

    from harness.catalog import Catalog, contracts_root
    from harness.cli.real_world import checked_base_url, credentials_from_environment
    from harness.drift import FindingsStore, ScanTarget
    from harness.drift.access import needed_credentials
    from harness.gate.severity import severity_of

    url = checked_base_url(request.url, allow_remote=request.allow_remote_host)
    root = contracts_root(request.contracts)
    say(f"contracts: {root.path} ({root.how})")
    catalog = Catalog(root)
    record = catalog.system(request.system)
    behaviour = catalog.behaviour(request.system)
    credentials = credentials_from_environment(record.name, needed_credentials(behaviour))
    apis = _apis(catalog.apis(request.system), request.api)
    known = parse_known(request.known)
    targets = [
        ScanTarget(
            name=record.name,
            api=f"{api}/{version}",
            credentials=credentials,
            behaviour=behaviour,
            system=record.data,
            mapping=catalog.mapping(request.system, api, version),
            environment=request.environment,
            region=request.region,
            account=request.account,
            known=known,
        )
        for api, version in apis
    ]
    pairs = [
        (target, catalog.contract(request.system, api, version).contract)
        for target, (api, version) in zip(targets, apis, strict=True)
    ]
    pairs = chosen_operations(pairs, request.operations)
    policy = severity_of(catalog.root / request.system)
    replay = replay_line(request)
    say(f"replay: {replay}")
    # Opened before the first request: a scan whose findings cannot be kept should not start.
    store = FindingsStore(request.store)
    try:
        results = [
            _graded(asyncio.run(_scan_one(request, url, target, contract)), policy)
            for target, contract in pairs
        ]
        reports = [r.report(replay=replay, findings=store.remember(r)) for r in results]
    finally:
        store.close()
    return joined(reports, title=f"Drift scan of {record.name}")


def _graded(result: ScanResult, policy: SeverityPolicy | None) -> ScanResult:
    from dataclasses import replace

    from harness.gate.severity import apply_severity

    return replace(result, findings=apply_severity(result.findings, policy))


async def _scan_one(
    request: ScanRequest, url: str, target: ScanTarget, contract: Contract
) -> ScanResult:
    from harness.cli.real_world import WireClient, wall_clock
    from harness.drift import Budget, scan
    from harness.simulation.streams import SeededStreams

    async with WireClient(url) as client:
        return await scan(
            target,
            contract,
            client=client,
            clock=wall_clock(),
            streams=SeededStreams(request.seed),
            budget=Budget(samples=request.samples, operations=request.operations),
            progress=say,
        )


def _apis(offered: tuple[tuple[str, str], ...], wanted: str | None) -> tuple[tuple[str, str], ...]:
    if wanted is None:
        return offered
    chosen = tuple(pair for pair in offered if "/".join(pair) == wanted)
    if not chosen:
        names = ", ".join("/".join(pair) for pair in offered) or "none"
        msg = f"there is no API {wanted!r}."
        raise UsageError(msg, remedy=f"Choose one of: {names}.")
    return chosen


def chosen_operations(
    pairs: list[tuple[ScanTarget, Contract]], wanted: tuple[str, ...]
) -> list[tuple[ScanTarget, Contract]]:
    """Return the APIs that have a wanted operation; raises ``UsageError`` for one nobody reads."""
    from harness.drift.plan import reading_operations

    if not wanted:
        return pairs
    names = {t.api: [o.operation_id for o in reading_operations(t, c)] for t, c in pairs}
    offered = sorted({n for of_one in names.values() for n in of_one if n})
    for name in wanted:
        if name not in offered:
            msg = f"there is no reading operation {name!r}."
            raise UsageError(msg, remedy=f"Choose among: {', '.join(offered) or 'none'}.")
    return [(t, c) for t, c in pairs if set(wanted).intersection(names[t.api])]


def parse_known(pairs: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Read ``NAME=VALUE`` pairs; a name given twice keeps both values."""
    known: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not (name and sign and value):
            msg = f"--known does not understand {pair!r}."
            raise UsageError(msg, remedy="Write it like --known marketplaceIds=ATVPDKIKX0DER.")
        known[name] = (*known.get(name, ()), value)
    return known


def replay_line(request: ScanRequest) -> str:
    """Return the command that asks the same questions again; it holds no secret."""
    words = ["driftgate", "scan", request.system]
    options: list[tuple[str, str | None]] = [
        ("--api", request.api),
        ("--url", request.url),
        ("--environment", request.environment),
        ("--region", request.region),
        ("--account", request.account),
        ("--samples", str(request.samples)),
        ("--seed", str(request.seed)),
        *(("--known", pair) for pair in request.known),
        *(("--operation", name) for name in request.operations),
    ]
    for name, value in options:
        if value is not None:
            words += [name, value]
    if request.allow_remote_host:
        words.append("--allow-remote-host")
    return shlex.join(words)


def joined(reports: list[Report], *, title: str) -> Report:
    """Return the reports of several APIs as one; a single one stays as it is."""
    from dataclasses import replace

    from harness.model.finding import Report, Severity, Verdict, overall_verdict

    if len(reports) == 1:
        return reports[0]
    if not reports:
        return Report("scan", title, Verdict.NOT_CHECKED, headline="The system has no contract.")
    findings = sorted(
        (f for r in reports for f in r.findings),
        key=lambda f: (f.verdict is not Verdict.BREAKING, (f.severity or Severity.INFO).rank),
    )
    missing = tuple(n for r in reports for n in r.not_checked)
    return replace(
        reports[0],
        title=title,
        verdict=overall_verdict(tuple(findings), missing),
        findings=tuple(findings),
        not_checked=missing,
        headline=" ".join(r.headline for r in reports),
        summary={name: sum(r.summary[name] for r in reports) for name in reports[0].summary},
        details={
            "targets": [r.details["target"] for r in reports],
            "coverage": [
                {**row, "api": r.details["target"]["api"]}
                for r in reports
                for row in r.details["coverage"]
            ],
        },
        generated_at=reports[-1].generated_at,
    )
