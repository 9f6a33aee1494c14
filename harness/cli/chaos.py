"""``driftgate chaos``: what does a bad night do to a sync engine?"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from harness.cli.output import FormatOption, OutputOption, emit, finish, say
from harness.model.errors import UsageError
from harness.model.finding import Verdict

if TYPE_CHECKING:
    from harness.model.ports import Engine

_EPILOG = """Examples:

  driftgate chaos list

  driftgate chaos run throttle-squeeze

  driftgate chaos run answer-lost-after-commit --seed 7 --engine my_sync.engine:Engine

  driftgate chaos run my-night.yaml --format json --trace night.ndjson
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Play bad nights against a sync engine in virtual time.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.add_typer(group, name="chaos")

    @group.command("run", epilog=_EPILOG)
    def run(
        scenario: Annotated[str, typer.Argument(help="A scenario file, or a shipped scenario.")],
        seed: Annotated[
            int | None, typer.Option("--seed", min=0, help="Replaces the scenario's own seed.")
        ] = None,
        engine: Annotated[
            str | None,
            typer.Option("--engine", help="module:Class of the engine.", metavar="MODULE:CLASS"),
        ] = None,
        trace: Annotated[
            Path | None, typer.Option("--trace", help="Write every event to this file (NDJSON).")
        ] = None,
        contracts: Annotated[
            str | None, typer.Option("--contracts", help="The folder of contracts to use.")
        ] = None,
        fmt: FormatOption = "text",
        output: OutputOption = None,
    ) -> None:
        """Play one scenario and judge the engine by the simulators' books alone."""
        from harness.catalog import Catalog, contracts_root
        from harness.chaos.runner import DEFAULT_ENGINE, replay_command, run_scenario
        from harness.chaos.scenario_file import find_scenario, load_scenario

        night = load_scenario(find_scenario(scenario))
        name = engine or DEFAULT_ENGINE
        factory = load_engine(name)
        chosen = night.seed if seed is None else seed
        say(f"seed {chosen}; replay with: {replay_command(night, chosen, name)}")
        sink = _open_trace(trace) if trace else nullcontext()
        with sink as stream:
            result = run_scenario(
                night,
                seed=chosen,
                engine_factory=factory,
                engine_name=name,
                catalog=Catalog(contracts_root(contracts)),
                trace_sink=stream,
                progress=say,
            )
        emit(result.report, fmt, output)
        if result.report.findings:
            say(f"replay with: {result.report.replay}")
        finish(result.report, frozenset({Verdict.BREAKING}))

    @group.command("list")
    def list_scenarios() -> None:
        """List the scenarios that come with driftgate."""
        from harness.chaos.scenario_file import load_scenario, shipped_scenarios

        for path in shipped_scenarios():
            sys.stdout.write(f"{path.stem:32} {load_scenario(path).title}\n")


def _open_trace(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        msg = f"Cannot write {path}: {error.strerror}."
        raise UsageError(msg, remedy="Choose another place with --trace.") from error


def load_engine(name: str) -> Callable[[], Engine]:
    """Return the engine class named ``module:Class``; raises ``UsageError`` when there is none."""
    module_name, _, class_name = name.partition(":")
    remedy = "Name it like --engine my_package.my_module:MyEngine, importable from here."
    if not module_name or not class_name:
        msg = f"--engine {name!r} is not module:Class."
        raise UsageError(msg, remedy=remedy)
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as python -m does: the user's engine lies where they stand
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        msg = f"the engine {name!r} cannot be loaded: {error}."
        raise UsageError(msg, remedy=remedy) from error
    if not callable(getattr(found, "run", None)):
        msg = f"{name!r} has no run(world)."
        raise UsageError(msg, remedy="An engine is a class with: async def run(self, world).")
    factory: Callable[[], Engine] = found
    return factory
