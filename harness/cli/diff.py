"""``driftgate diff``: compare two versions of a contract, or many pairs in one process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.output import FailOnOption, FormatOption, OutputOption, emit, finish, parse_fail_on
from harness.model.errors import DocumentError, DriftgateError, ExitCode, UsageError
from harness.model.finding import NotChecked, Report, Verdict

if TYPE_CHECKING:
    from harness.compatibility import CompareOptions

_EXAMPLES = """Examples:

  driftgate diff old.yaml new.yaml

  driftgate diff main:contracts/shop/orders/v1/openapi.yaml contracts/shop/orders/v1 --format json

  driftgate diff old.yaml new.yaml --fail-on breaking,unproven --format html --output report.html

  driftgate diff --batch pairs.ndjson
"""
_SUMMARY = {"breaking": 0, "unproven": 0, "compatible": 0, "operations_compared": 0}


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
    fail_on: FailOnOption = "breaking",
    strict_open: Annotated[
        bool,
        typer.Option(
            "--strict-open",
            help="Assume that senders may add properties their schema does not mention.",
        ),
    ] = False,
    output: OutputOption = None,
) -> None:
    """Say whether clients of OLD keep working with NEW, with an exchange that proves it if not."""
    from harness.compatibility import CompareOptions

    levels = parse_fail_on(fail_on)
    options = CompareOptions(strict_open=strict_open)
    if batch is not None:
        if old is not None or new is not None:
            msg = "--batch takes its pairs from the file."
            raise UsageError(msg, remedy="Leave OLD and NEW out.")
        _finish_batch(batch, options, levels, output)
    if old is None or new is None:
        msg = "Two contracts are needed: OLD and NEW."
        raise UsageError(msg, remedy="See driftgate diff --help.")
    try:
        report = _compare(old, new, options)
    except DocumentError as error:
        if _is_missing(old) or _is_missing(new):
            raise
        sys.stderr.write(f"driftgate: {error} Nothing was checked.\n")
        raise typer.Exit(int(ExitCode.NOT_CHECKED)) from error
    emit(report, fmt, output)
    finish(report, levels)


def _is_missing(source: str) -> bool:
    return source != "-" and ":" not in source and not Path(source).exists()


def _compare(old: str, new: str, options: CompareOptions) -> Report:
    from harness.catalog import load_contract
    from harness.compatibility import compare

    return compare(load_contract(old).contract, load_contract(new).contract, options=options)


def _finish_batch(
    batch: Path, options: CompareOptions, levels: frozenset[Verdict], output: Path | None
) -> None:
    try:
        lines = batch.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The batch file {batch} cannot be read: {error}."
        raise UsageError(msg, remedy="Give a file with one JSON object a line.") from error
    verdicts: set[str] = set()
    found: set[Verdict] = set()
    out = output.open("w", encoding="utf-8") if output else sys.stdout
    for result in _results(lines, batch.parent, options):
        verdicts.add(result["verdict"])
        found |= {Verdict(f["verdict"]) for f in result["findings"]}
        out.write(json.dumps(result, ensure_ascii=True) + "\n")
        out.flush()
    if output:
        out.close()
    if found & levels:
        raise typer.Exit(int(ExitCode.FINDINGS))
    if "not_checked" in verdicts:
        raise typer.Exit(int(ExitCode.NOT_CHECKED))
    raise typer.Exit(int(ExitCode.CLEAN))


def _results(lines: list[str], folder: Path, options: CompareOptions) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pair = json.loads(line)
            names = {side: str(pair[side]) for side in ("old", "new")}
        except (ValueError, KeyError, TypeError) as error:
            what = NotChecked(
                f"line {number}", f"not a pair: {error!r}", 'Write {"id", "old", "new"}.'
            )
            yield _unanswered(None, [what])
            continue
        yield _one(pair.get("id"), names, folder, options)


def _one(
    identity: object, names: dict[str, str], folder: Path, options: CompareOptions
) -> dict[str, Any]:
    from harness.catalog import load_contract
    from harness.compatibility import compare

    sides = {}
    missing: list[NotChecked] = []
    for side, name in names.items():
        try:
            sides[side] = load_contract(_beside(name, folder)).contract
        except DriftgateError as error:
            missing.append(NotChecked(side, f"{name}: {error.message}", error.remedy))
        except Exception as error:  # noqa: BLE001 - one bad pair must not cost the others
            missing.append(
                NotChecked(side, f"{name}: {type(error).__name__}: {error}", "Report this bug.")
            )
    if missing:
        return _unanswered(identity, missing)
    try:
        return {"id": identity, **compare(sides["old"], sides["new"], options=options).to_json()}
    except Exception as error:  # noqa: BLE001 - one bad pair must not cost the others
        what = NotChecked("comparison", f"{type(error).__name__}: {error}", "Report this bug.")
        return _unanswered(identity, [what])


def _unanswered(identity: object, missing: list[NotChecked]) -> dict[str, Any]:
    report = Report("diff", "", Verdict.NOT_CHECKED, not_checked=tuple(missing), summary=_SUMMARY)
    return {"id": identity, **report.to_json()}


def _beside(name: str, folder: Path) -> str:
    """Return the path as given, or the one beside the batch file when only that exists."""
    if not Path(name).exists() and (folder / name).exists():
        return str(folder / name)
    return name
