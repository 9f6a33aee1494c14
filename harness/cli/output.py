"""What every reporting command shares: where the report goes, and how the command ends."""

from __future__ import annotations

import os
import shutil
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from harness.model.errors import UsageError
from harness.model.finding import Report, Verdict

# The choices a reporting command offers, spelled once.
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        help="text, json, ndjson, markdown, html, sarif, junit or github.",
        metavar="FORMAT",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the report to this file instead of the screen."),
]
FailOnOption = Annotated[
    str,
    typer.Option(
        "--fail-on", help="Verdicts that make the exit code 1, comma separated.", metavar="VERDICTS"
    ),
]


def parse_fail_on(text: str) -> frozenset[Verdict]:
    """Read ``breaking,unproven``; ``none`` never fails. Raises ``UsageError`` for another word."""
    if text.strip() == "none":
        return frozenset()
    try:
        return frozenset(Verdict(word.strip()) for word in text.split(","))
    except ValueError:
        msg = f"--fail-on does not know {text!r}."
        raise UsageError(msg, remedy="Use breaking, unproven, compatible or none.") from None


def say(text: str) -> None:
    """Tell the person at the terminal something that is not the result (standard error)."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def write_file(path: Path, text: str) -> None:
    """Write a whole file or nothing: a reader never sees half a report.

    Raises ``UsageError`` when the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        msg = f"Cannot write {path}: {error.strerror}."
        raise UsageError(msg, remedy="Choose another place with --output.") from error


def emit(report: Report, fmt: str, output: Path | None = None) -> None:
    """Render the report to a file, or to standard output with colours only on a terminal."""
    from reports import render

    if output is not None:
        write_file(output, render(report, fmt))
        say(f"report written to {output}")
        return
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal of another encoding shows an escape for a character it does not have.
        sys.stdout.reconfigure(errors="backslashreplace")
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 140))
    sys.stdout.write(render(report, fmt, colour=colour, width=width))
    sys.stdout.flush()


def finish(report: Report, fail_on: frozenset[Verdict]) -> NoReturn:
    """End the command with the exit code this report deserves."""
    raise typer.Exit(int(report.exit_code(fail_on)))
