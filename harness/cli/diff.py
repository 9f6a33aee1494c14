"""``driftgate diff``: compare two versions of a contract, or many pairs in one process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from harness.model.errors import DocumentError, ExitCode, UsageError
from harness.model.finding import Report

if TYPE_CHECKING:
    from harness.catalog.overlay import Overlay
    from harness.cli.pairs import Pairs
    from harness.cli.timing import Stopwatch

_EXAMPLES = """Examples:

  driftgate diff old.yaml new.yaml

  driftgate diff main:contracts contracts    (every API that both folders hold)

  driftgate diff main:contracts/shop/orders/v1 contracts/shop/orders/v1 --check-version

  driftgate diff old.yaml new.yaml --consumers pacts --witness-dir proof

  driftgate diff old.yaml new.yaml --category all --fail-on high,unproven

  driftgate diff vendor-1.json vendor-2.json --overlay corrections.yaml --format html -o out.html

  driftgate diff --batch pairs.ndjson
"""
_BATCH_FORMATS = {"text", "json", "ndjson"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diff", epilog=_EXAMPLES)(diff)


def diff(
    old: Annotated[
        str | None,
        typer.Argument(help="The contract clients know: file, directory, -, URL or revision:path."),
    ] = None,
    new: Annotated[str | None, typer.Argument(help="The contract that takes its place.")] = None,
    batch: Annotated[
        Path | None,
        typer.Option(help='Compare many pairs: one {"id", "old", "new"} JSON object a line.'),
    ] = None,
    fmt: FormatOption = "text",
    fail_on: FailLevelOption = "breaking",
    category: CategoryOption = DEFAULT_PICK,
    check_version: CheckVersionOption = False,
    consumers: Annotated[
        Path | None,
        typer.Option(
            "--consumers",
            help="Pact files (a folder or one file): name whom each difference touches. Data that "
            "a consumer uses and that is lost counts as breaking.",
        ),
    ] = None,
    accepted: Annotated[
        Path | None,
        typer.Option(
            "--accepted", help="Accepted differences; accepted.yaml beside NEW, then OLD otherwise."
        ),
    ] = None,
    no_accepted: NoAcceptedOption = False,
    severity: Annotated[
        Path | None,
        typer.Option(
            "--severity",
            help="A severity policy; severity.yaml of the contract's system otherwise.",
        ),
    ] = None,
    overlay: Annotated[
        list[Path] | None,
        typer.Option("--overlay", help="OpenAPI Overlay to correct both sides; may be repeated."),
    ] = None,
    strict_open: Annotated[
        bool,
        typer.Option(
            "--strict-open",
            help="Assume that senders may add properties their schema does not mention.",
        ),
    ] = False,
    witness_dir: Annotated[
        Path | None,
        typer.Option("--witness-dir", help="Write each proof as a request to run, and as JSON."),
    ] = None,
    as_of: AsOfOption = None,
    grace_days: GraceDaysOption = 0,
    notice_days: NoticeDaysOption = 0,
    timing: Annotated[
        bool, typer.Option("--timing", help="Say on standard error where the time went.")
    ] = False,
    output: OutputOption = None,
) -> None:
    """Say whether clients of OLD keep working with NEW, with an exchange that proves it if not."""
    from harness.cli.pairs import Pairs
    from harness.gate.counting import FailLevel, exit_code

    level = FailLevel.parse(fail_on)
    watch = _stopwatch() if timing else None
    choices = make_choices(
        category=category,
        check_version=check_version,
        no_accepted=no_accepted,
        as_of=as_of,
        grace_days=grace_days,
        notice_days=notice_days,
        accepted=accepted,
        severity=severity,
        consumers=consumers,
        strict_open=strict_open,
    )
    pairs = Pairs(choices, _overlays(overlay or []), watch.lap if watch else _no_lap)
    if watch:
        watch.lap("start and options")

    def code(report: Report) -> ExitCode:
        return exit_code(report, choices.categories, level)

    if batch is not None:
        if old is not None or new is not None:
            msg = "--batch takes its pairs from the file."
            raise UsageError(msg, remedy="Leave OLD and NEW out.")
        if fmt not in _BATCH_FORMATS:
            msg = f"--batch answers in JSON lines, not as {fmt}."
            raise UsageError(msg, remedy="Leave --format out.")
        ended = _batch(batch, pairs, code, witness_dir, output)
        _tell_time(watch)
        raise typer.Exit(int(ended))
    if old is None or new is None:
        msg = "Two contracts are needed: OLD and NEW."
        raise UsageError(msg, remedy="See driftgate diff --help.")
    report = _compare(old, new, pairs)
    if "-" not in (old, new):
        replay = replay_command(
            "diff",
            old,
            new,
            fail_on=None if fail_on == "breaking" else fail_on,
            category=None if category == DEFAULT_PICK else category,
            check_version=check_version,
            consumers=consumers,
            accepted=accepted,
            no_accepted=no_accepted,
            severity=severity,
            overlay=overlay or [],
            strict_open=strict_open,
            as_of=as_of,
            grace_days=grace_days,
            notice_days=notice_days,
        )
        report = replace(report, replay=replay)
    emit(report, fmt, output)
    if watch:
        watch.lap("write the report")
    if witness_dir is not None:
        _write_witnesses(report, witness_dir)
    _tell_time(watch)
    raise typer.Exit(int(code(report)))


def _no_lap(_phase: str) -> None:
    return None


def _stopwatch() -> Stopwatch:
    from harness.cli.real_world import wall_clock
    from harness.cli.timing import Stopwatch

    return Stopwatch(wall_clock())


def _tell_time(watch: Stopwatch | None) -> None:
    if watch:
        say("\n".join(["where the time went:", *watch.lines()]))


def _overlays(paths: list[Path]) -> tuple[Overlay, ...]:
    if not paths:
        return ()
    from harness.catalog.overlay import read_overlay

    return tuple(read_overlay(path) for path in paths)


def _compare(old: str, new: str, pairs: Pairs) -> Report:
    from harness.gate.conclusion import pair_report
    from harness.gate.folders import documents_under

    here = Path.cwd()
    before, after = documents_under(old, here), documents_under(new, here)
    if before is not None and after is not None:
        from harness.cli.diff_folders import compare_folders

        if pairs.overlays:
            msg = "--overlay corrects one contract, not a folder of them."
            raise UsageError(msg, remedy="Compare that contract alone.")
        _refuse_accepted(pairs)
        return compare_folders(old, new, before, after, pairs)
    try:
        first = pairs.read(_single(old, before), "old")
        second = pairs.read(_single(new, after), "new")
    except DocumentError as error:
        if _is_missing(old) or _is_missing(new):
            raise
        sys.stderr.write(f"driftgate: {error} Nothing was checked.\n")
        raise typer.Exit(int(ExitCode.NOT_CHECKED)) from error
    return pair_report(pairs.judged(first, second), pairs.choices)


def _refuse_accepted(pairs: Pairs) -> None:
    """Refuse waivers of one contract for many: each would match nothing nearly everywhere."""
    if pairs.choices.accepted is not None:
        msg = "--accepted names the waivers of one contract; there are several here."
        raise UsageError(msg, remedy="Put accepted.yaml beside each contract, or leave it out.")


def _single(name: str, documents: dict[str, str] | None) -> str:
    """Return the one document a source names; a folder of several cannot face a single one."""
    if documents is None:
        return name
    if len(documents) == 1:
        return next(iter(documents.values()))
    msg = f"{name} holds {len(documents)} documents, the other side is one."
    raise UsageError(msg, remedy="Compare two folders, or name one of the documents.")


def _is_missing(source: str) -> bool:
    return source != "-" and ":" not in source and not Path(source).exists()


def _batch(
    path: Path,
    pairs: Pairs,
    code: Callable[[Report], ExitCode],
    witness_dir: Path | None,
    output: Path | None,
) -> ExitCode:
    from harness.catalog.caching import ContractCache
    from harness.cli.diff_batch import Batch

    _refuse_accepted(pairs)

    def keep(report: Report, number: int) -> None:
        if witness_dir is not None:
            from harness.cli.witness_files import write_witnesses

            write_witnesses(report, witness_dir / f"line-{number:05d}")

    return Batch(path, replace(pairs, cache=ContractCache()), code, keep).run(output)


def _write_witnesses(report: Report, folder: Path) -> None:
    from harness.cli.witness_files import write_witnesses

    written = write_witnesses(report, folder)
    say(f"{len(written)} files written to {folder}")
