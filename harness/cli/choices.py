"""The options that ``diff`` and ``gate`` share, and what they mean together."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from harness.catalog import Source
    from harness.gate.accepted import AcceptedFile
    from harness.gate.judging import Choices
    from harness.gate.severity import SeverityPolicy

FailLevelOption = Annotated[
    str,
    typer.Option(
        "--fail-on",
        help="What makes the exit code 1, comma separated: verdicts (breaking, unproven), or a "
        "severity such as high: breaking findings graded high or worse, or not graded.",
        metavar="LEVELS",
    ),
]
CategoryOption = Annotated[
    str,
    typer.Option(
        "--category",
        help="What counts, comma separated: wire-request, wire-response, policy, sdk-source, "
        "data-loss, docs, or all. The rest stays listed.",
        metavar="CATEGORIES",
    ),
]
CheckVersionOption = Annotated[
    bool,
    typer.Option(
        "--check-version", help="Check that info.version rose as much as the change demands."
    ),
]
NoAcceptedOption = Annotated[
    bool, typer.Option("--no-accepted", help="Ignore accepted.yaml beside the contracts.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="The day that expiry and sunsets are measured against; today in UTC otherwise.",
        metavar="DATE",
    ),
]
GraceDaysOption = Annotated[
    int,
    typer.Option(
        "--grace-days",
        min=0,
        help="Days that must pass after an announced sunset before a removal is in order.",
    ),
]
NoticeDaysOption = Annotated[
    int,
    typer.Option(
        "--notice-days",
        min=0,
        help="Days that must lie between the announcement of a sunset and the sunset.",
    ),
]
DEFAULT_PICK = "wire-request,wire-response,policy"


def parse_day(text: str | None) -> date:
    """Return the day that was named, or today; raises ``UsageError`` for one that is none."""
    if text is None:
        from harness.cli.real_world import today

        return today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"--as-of does not know {text!r}."
        raise UsageError(msg, remedy="Write a date such as 2026-12-31.") from None


def make_choices(
    *,
    category: str,
    check_version: bool,
    no_accepted: bool,
    as_of: str | None,
    accepted: Path | None = None,
    severity: Path | None = None,
    consumers: Path | None = None,
    strict_open: bool = False,
    grace_days: int = 0,
    notice_days: int = 0,
) -> Choices:
    """Return what the options of a command say together.

    Raises ``UsageError`` for a word no option knows, and ``MetadataError`` or ``DocumentError``
    for a named file with mistakes.
    """
    from harness.gate.counting import parse_categories
    from harness.gate.judging import Choices

    if no_accepted and accepted is not None:
        msg = "--accepted and --no-accepted contradict each other."
        raise UsageError(msg, remedy="Leave one of them out.")
    categories, day = parse_categories(category), parse_day(as_of)
    if consumers is not None:
        from harness.gate.pacts import pacts_from

        pacts = pacts_from(consumers)
    else:
        pacts = ()
    return Choices(
        today=day,
        categories=categories,
        check_version=check_version,
        pacts=pacts,
        use_accepted=not no_accepted,
        accepted=_accepted(accepted) if accepted else None,
        severity=_severity(severity) if severity else None,
        strict_open=strict_open,
        grace_days=grace_days,
        notice_days=notice_days,
    )


def _accepted(path: Path) -> AcceptedFile:
    from harness.gate.accepted import read_accepted

    source = _opened(path, "--accepted")
    return read_accepted(source.text, source.label)


def _severity(path: Path) -> SeverityPolicy:
    from harness.gate.severity import read_severity

    source = _opened(path, "--severity")
    return read_severity(source.text, source.label)


def _opened(path: Path, option: str) -> Source:
    from harness.catalog import open_source

    if not path.is_file():
        msg = f"{option} names {path}, which is no file."
        raise UsageError(msg, remedy="Check the path.")
    return open_source(path)


def replay_command(command: str, *arguments: str, **options: object) -> str:
    """Return the command that gives the same report again.

    Options stand as typer spells them (``check_version=True`` is ``--check-version``); those
    without a value are left out.
    """
    words = ["driftgate", command, *arguments]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif isinstance(value, list | tuple):
            words += [word for one in value for word in (flag, str(one))]
        elif value not in (None, False):
            words += [flag, str(value)]
    return shlex.join(words)
