"""The entry point: finds the commands, and turns errors into one message and an exit code."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from harness import __version__
from harness.model.errors import DriftgateError, ExitCode

_EPILOG = (
    "Exit codes: 0 clean, 1 findings at the fail level, 2 wrong usage, "
    "3 could not run (nothing was checked), 4 a bug of driftgate."
)


def _show_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"driftgate {__version__}\n")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return the application with every command module beside this file registered."""
    app = typer.Typer(
        name="driftgate",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=_EPILOG,
    )

    @app.callback()
    def root(
        version: Annotated[
            bool,
            typer.Option(
                "--version", callback=_show_version, is_eager=True, help="Print the version."
            ),
        ] = False,
    ) -> None:
        """Find out what a channel changed, with proof, before your customers do."""

    for module in sorted(pkgutil.iter_modules([str(Path(__file__).parent)]), key=lambda m: m.name):
        register = getattr(importlib.import_module(f"harness.cli.{module.name}"), "register", None)
        if register is not None:
            register(app)
    return app


def main() -> None:
    """Run the command line."""
    try:
        build_app()()
    except DriftgateError as error:
        sys.stderr.write(f"driftgate: {error}\n")
        sys.exit(int(error.exit_code))
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes exit code 4
        sys.stderr.write(
            f"driftgate: this is a bug of driftgate ({type(error).__name__}: {error}). "
            "Run again with DRIFTGATE_TRACEBACK=1 and send what it prints.\n"
        )
        if os.environ.get("DRIFTGATE_TRACEBACK"):
            traceback.print_exc()
        sys.exit(int(ExitCode.BUG))
