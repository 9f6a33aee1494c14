"""``driftgate consumers``: does a contract still give our consumers what they recorded?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import FormatOption, OutputOption, emit, finish, parse_fail_on

_EPILOG = """Examples:

  driftgate consumers check my-pact.json contracts/amazon_spapi/orders/2026-01-01
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(no_args_is_help=True, help="Check consumer contracts (Pact).")
    app.add_typer(group, name="consumers")

    @group.callback()
    def root() -> None:
        """Check consumer contracts (Pact)."""

    @group.command("check", epilog=_EPILOG)
    def check(
        pact: Annotated[Path, typer.Argument(help="A Pact file.")],
        contract: Annotated[str, typer.Argument(help="The provider's contract.")],
        fmt: FormatOption = "text",
        output: OutputOption = None,
    ) -> None:
        """Compare every interaction of a pact with a contract, without a server."""
        from harness.catalog import load_contract
        from harness.consumers import load_pact, match_pact
        from harness.model.finding import NotChecked, Report, overall_verdict

        recorded = load_pact(pact)
        findings = match_pact(recorded, load_contract(contract).contract)
        missing: tuple[NotChecked, ...] = ()
        if recorded.skipped or not recorded.interactions:
            reason = f"{recorded.skipped} message interactions; only HTTP interactions are compared"
            missing = (NotChecked(recorded.source, reason, "Verify them with Pact itself."),)
        report = Report(
            command="consumers check",
            title=f"{recorded.consumer} against {recorded.provider}",
            verdict=overall_verdict(findings, missing),
            findings=findings,
            not_checked=missing,
            summary={"interactions": len(recorded.interactions), "breaking": len(findings)},
        )
        emit(report, fmt, output)
        finish(report, parse_fail_on("breaking"))
