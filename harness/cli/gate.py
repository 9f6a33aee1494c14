"""``driftgate gate``: may this contract change be merged?"""

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
)

_EPILOG = """Examples:

  driftgate gate --base origin/main

  driftgate gate --base origin/main --format github    (annotations on a pull request)

  driftgate gate --base v1.4.0 --head v1.5.0 --fail-on breaking,unproven
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("gate", epilog=_EPILOG)
    def command(
        base: Annotated[
            str, typer.Option("--base", help="The git revision this change will be merged into.")
        ],
        head: Annotated[
            str, typer.Option("--head", help="The git revision that holds the change.")
        ] = "HEAD",
        repository: Annotated[
            Path, typer.Option("--repository", help="A folder inside the git repository.")
        ] = Path(),
        fmt: FormatOption = "text",
        fail_on: FailOnOption = "breaking",
        output: OutputOption = None,
    ) -> None:
        """Validate and compare every contract document touched between two git revisions."""
        from harness.gate import GateOptions, gate

        levels = parse_fail_on(fail_on)
        report = gate(
            repository,
            GateOptions(base=base, head=head, progress=lambda name: say(f"checking {name}")),
        )
        emit(report, fmt, output)
        finish(report, levels)
