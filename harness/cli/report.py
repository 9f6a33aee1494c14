"""``driftgate report``: what a channel owner reads in five minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import (
    FailOnOption,
    FormatOption,
    OutputOption,
    emit,
    finish,
    parse_fail_on,
    say,
    write_file,
)
from harness.model.finding import Report

_EPILOG = """Examples:

  driftgate report amazon_spapi

  driftgate report amazon_spapi --format html --output amazon.html

  driftgate report amazon_spapi --all-formats reports/out/amazon
"""

# What the owner, the case for the vendor and the machines each need.
OWNER_FORMATS = {"html": "html", "markdown": "md", "json": "json"}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("report", epilog=_EPILOG)
    def command(
        system: Annotated[str, typer.Argument(help="The system, as its folder is named.")],
        store: Annotated[
            str, typer.Option("--store", help="Where scans keep findings, a database URL.")
        ] = "sqlite:///driftgate.db",
        contracts: Annotated[
            str | None, typer.Option("--contracts", help="The contracts folder.")
        ] = None,
        fmt: FormatOption = "text",
        output: OutputOption = None,
        all_formats: Annotated[
            Path | None,
            typer.Option(
                "--all-formats", help="Write HTML, Markdown and JSON under this path, by ending."
            ),
        ] = None,
        fail_on: FailOnOption = "none",
    ) -> None:
        """Write the drift report of one channel from the findings that scans remembered."""
        from harness.catalog import Catalog, contracts_root
        from harness.cli.real_world import wall_clock
        from harness.drift import FindingsStore
        from harness.drift.owner_report import owner_report
        from harness.model.instants import to_text

        levels = parse_fail_on(fail_on)
        record = Catalog(contracts_root(contracts)).system(system)
        findings = FindingsStore(store)
        try:
            made = owner_report(findings, record.data, generated_at=to_text(wall_clock().now_us()))
        finally:
            findings.close()
        if all_formats is not None:
            for path in write_all(made, all_formats):
                say(f"report written to {path}")
        else:
            emit(made, fmt, output)
        finish(made, levels)


def write_all(report: Report, stem: Path) -> tuple[Path, ...]:
    """Write ``<stem>.html``, ``<stem>.md`` and ``<stem>.json``; return the paths."""
    from reports import render

    written = []
    for fmt, ending in OWNER_FORMATS.items():
        path = stem.with_name(f"{stem.name}.{ending}")
        write_file(path, render(report, fmt))
        written.append(path)
    return tuple(written)
