"""``driftgate gate``: may this contract change be merged?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.choices import (
    DEFAULT_PICK,
    AsOfOption,
    CategoryOption,
    CheckVersionOption,
    FailLevelOption,
    GraceDaysOption,
    NoAcceptedOption,
    NoticeDaysOption,
    make_choices,
    replay_command,
)
from harness.cli.output import FormatOption, OutputOption, emit, say

_EPILOG = """Examples:

  driftgate gate --base origin/main

  driftgate gate --base origin/main --check-version --format github    (on a pull request)

  driftgate gate --base origin/main --category wire-request,wire-response,policy,data-loss

  driftgate gate --base v1.4.0 --head v1.5.0 --fail-on breaking,unproven

Waivers (accepted.yaml), severities (severity.yaml) and pacts (contracts/consumers) are read from
git at head.
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
        fail_on: FailLevelOption = "breaking",
        category: CategoryOption = DEFAULT_PICK,
        check_version: CheckVersionOption = False,
        no_accepted: NoAcceptedOption = False,
        as_of: AsOfOption = None,
        grace_days: GraceDaysOption = 0,
        notice_days: NoticeDaysOption = 0,
        output: OutputOption = None,
    ) -> None:
        """Validate and compare every contract document touched between two git revisions."""
        from harness.gate.counting import FailLevel, exit_code
        from harness.gate.decision import GateOptions, gate

        level = FailLevel.parse(fail_on)
        choices = make_choices(
            category=category,
            check_version=check_version,
            no_accepted=no_accepted,
            as_of=as_of,
            grace_days=grace_days,
            notice_days=notice_days,
        )
        replay = replay_command(
            "gate",
            base=base,
            head=head,
            repository=None if repository == Path() else repository,
            fail_on=None if fail_on == "breaking" else fail_on,
            category=None if category == DEFAULT_PICK else category,
            check_version=check_version,
            no_accepted=no_accepted,
            as_of=as_of,
            grace_days=grace_days,
            notice_days=notice_days,
        )
        options = GateOptions(
            base=base,
            choices=choices,
            head=head,
            progress=lambda name: say(f"checking {name}"),
            replay=replay,
        )
        report = gate(repository, options)
        emit(report, fmt, output)
        raise typer.Exit(int(exit_code(report, choices.categories, level)))
