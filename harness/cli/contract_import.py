"""``driftgate contract import``: file a vendor's document as a version, and say what changed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

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
from harness.model.errors import UsageError
from harness.model.finding import Report, Verdict

if TYPE_CHECKING:
    from harness.catalog import Loaded, Overlay, Source
    from harness.catalog.filing import Filing, Shelf
    from harness.model.contract import Contract, Problem

IMPORT_EXAMPLES = """Examples:

  driftgate contract import openapi.yaml --system shop --api orders

  driftgate contract import https://shop.example/api.json --allow-remote --system shop --api orders

  driftgate contract import orders.json --system shop --api orders --version v2 --overlay fixes.yaml

  driftgate contract import orders.json --system shop --api orders --replace --format markdown
"""
_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for."""

    source: str
    shelf: Shelf
    version: str | None
    overlays: tuple[str, ...]
    allow_remote: bool
    replace: bool


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A document that was read, named as it will be filed, and where that will be."""

    source: Source
    loaded: Loaded
    overlays: tuple[Overlay, ...]
    version: str
    document: str

    def sameness(self) -> tuple[bytes, ...]:
        """Return what makes two filings the same: the document, and every overlay."""
        return (self.source.text, *(o.source.text for o in self.overlays))


def import_contract(
    source: Annotated[
        str, typer.Argument(metavar="URL|FILE", help="The vendor's document: URL, file, folder, -.")
    ],
    system: Annotated[
        str, typer.Option("--system", metavar="S", help="The system the API belongs to.")
    ],
    api: Annotated[
        str, typer.Option("--api", metavar="A", help="The API, as its folder is named.")
    ],
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="V", help="The version; the document's own by default."),
    ] = None,
    contracts: Annotated[
        str | None, typer.Option("--contracts", metavar="DIR", help="The contracts folder to use.")
    ] = None,
    overlay: Annotated[
        list[str] | None,
        typer.Option("--overlay", metavar="FILE", help="Corrections to file with it; repeatable."),
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Fetch from a host that is not this machine.")
    ] = False,
    replace_version: Annotated[
        bool, typer.Option("--replace", help="Replace a different document of the same version.")
    ] = False,
    fmt: FormatOption = "text",
    fail_on: FailOnOption = "none",
    output: OutputOption = None,
) -> None:
    """File a vendor's document as a new version of an API, and say what changed since the last.

    The document is kept byte for byte, so that lines are the vendor's, with source.yaml beside it:
    where it came from, its SHA-256, when, and the overlays that correct it whenever it is loaded.
    A document that is filed already is recognised, and nothing is written.
    """
    from harness.catalog import contracts_root
    from harness.catalog.filing import Shelf

    levels = parse_fail_on(fail_on)
    root = contracts_root(contracts)
    say(f"contracts: {root.path} ({root.how})")
    shelf = Shelf(root.path, system, api)
    request = _Request(source, shelf, version, tuple(overlay or ()), allow_remote, replace_version)
    report = _import(request)
    emit(report, fmt, output)
    finish(report, levels)


def _import(request: _Request) -> Report:
    arrival = _arrival(request)
    _tell_problems(request, arrival)
    shelf = request.shelf
    previous = shelf.before(arrival.version)
    for version in dict.fromkeys((arrival.version, *shelf.versions()[-1:])):
        if _filed(shelf, version) == arrival.sameness():
            say(f"nothing new: this document is filed as {shelf.folder / version}")
            headline = f"Nothing new: {shelf.system}/{shelf.api} {version} is this document."
            return _plain(request, arrival, headline)
    if previous == arrival.version and not request.replace:
        msg = f"{shelf.folder / arrival.version} holds a different document of this version."
        raise UsageError(
            msg, remedy="Give the new one another --version, or --replace the one that is there."
        )
    filing = _filing(request, arrival)
    report = _comparison(request, arrival, previous)
    filing.write()
    say(f"filed as {filing.folder}")
    if not (shelf.root / shelf.system / "system.yaml").exists():
        say(f"{shelf.system} has no system.yaml yet: see contracts/README.md")
    return report


# ------------------------------------------------------------------------------------- what came in


def _arrival(request: _Request) -> _Arrival:
    from harness.catalog import load_contract, open_source, read_overlay
    from harness.catalog.filing import check_name, folder_version
    from harness.catalog.remote import is_address
    from harness.cli.real_world import is_loopback, wall_clock

    name = request.source
    if is_address(name) and not (request.allow_remote or is_loopback(name)):
        msg = "the document stands on another machine"
        raise UsageError(msg, remedy="Add --allow-remote to fetch it, or download it first.")
    clock = wall_clock()
    source = open_source(name, allow_remote=True, clock=lambda: clock.now_us() / 1_000_000)
    overlays = tuple(read_overlay(path) for path in request.overlays)
    loaded = load_contract(source, overlays=overlays)
    version = request.version or folder_version(loaded.contract.version)
    if not version:
        msg = "the document does not say its version"
        raise UsageError(msg, remedy="Give it one with --version.")
    check_name("version", version)
    document = _document_name(source, loaded.contract)
    label = f"contracts/{request.shelf.system}/{request.shelf.api}/{version}/{document}"
    named = replace(source, label=label)
    return _Arrival(named, load_contract(named, overlays=overlays), overlays, version, document)


def _document_name(source: Source, contract: Contract) -> str:
    from harness.catalog.json_text import read_json
    from harness.catalog.limits import DEFAULT_LIMITS
    from harness.catalog.parsing import decode
    from harness.model.contract import Dialect
    from harness.model.errors import DocumentError

    stem = "schema" if contract.dialect is Dialect.JSON_SCHEMA else "openapi"
    try:
        read_json(decode(source.text, source.label), source.label, DEFAULT_LIMITS)
    except DocumentError:
        return f"{stem}.yaml"
    return f"{stem}.json"


def _tell_problems(request: _Request, arrival: _Arrival) -> None:
    """Say what is wrong with the document: it is filed all the same, it is the vendor's."""
    from harness.catalog import all_problems

    problems = all_problems(arrival.loaded)
    for problem in problems[:_SHOWN_MAX]:
        say(_told(problem))
    if len(problems) > _SHOWN_MAX:
        say(f"... and {len(problems) - _SHOWN_MAX} more problems")
    if problems:
        say(f"{request.source}: {_counted(len(problems), 'problem')} in the document as published")


def _told(problem: Problem) -> str:
    place = f"{problem.location}: " if problem.location else ""
    return f"{place}{problem.rule}: {problem.message}"


def _filed(shelf: Shelf, version: str) -> tuple[bytes, ...]:
    """Return what makes the version on the shelf itself; nothing when it is not there."""
    from harness.catalog import open_source
    from harness.catalog.provenance import filed_overlays

    if version not in shelf.versions():
        return ()
    folder = shelf.folder / version
    return (open_source(folder).text, *(o.source.text for o in filed_overlays(folder)))


# ------------------------------------------------------------------------------------ what goes out


def _filing(request: _Request, arrival: _Arrival) -> Filing:
    from harness.catalog import FILES
    from harness.catalog.filing import Filing
    from harness.catalog.provenance import Provenance
    from harness.cli.real_world import wall_clock
    from harness.model.instants import to_text

    source = arrival.source
    names = sorted(arrival.loaded.contract.document.get(FILES, {}))
    beside = {name: source.beside(name) for name in names if source.beside}
    provenance = Provenance(
        origin=_origin(request.source),
        imported=to_text(wall_clock().now_us()),
        document=arrival.document,
        text=source.text,
        files=tuple(beside),
        overlays=tuple(
            (f"{number}-{PurePosixPath(o.source.label).name}", o.title, o.source.text)
            for number, o in enumerate(arrival.overlays, start=1)
        ),
    )
    return Filing(request.shelf.folder / arrival.version, provenance, beside)


def _origin(source: str) -> str:
    """Return where the document came from without what is private: queries, folders of ours."""
    from harness.catalog.remote import is_address, without_query

    if is_address(source):
        return without_query(source)
    return "standard input" if source == "-" else Path(source).name or source


def _comparison(request: _Request, arrival: _Arrival, previous: str | None) -> Report:
    from harness.catalog import Catalog
    from harness.compatibility import compare

    shelf = request.shelf
    if previous is None:
        headline = f"The first version of {shelf.system}/{shelf.api}: {arrival.version}."
        return _plain(request, arrival, headline)
    old = Catalog(shelf.root).contract(shelf.system, shelf.api, previous)
    report = compare(old.contract, arrival.loaded.contract)
    return replace(
        report,
        command="contract import",
        title=f"{shelf.system}/{shelf.api}: {previous} to {arrival.version}",
        replay=_replay(request),
    )


def _plain(request: _Request, arrival: _Arrival, headline: str) -> Report:
    return Report(
        command="contract import",
        title=arrival.loaded.contract.name,
        verdict=Verdict.COMPATIBLE,
        headline=headline,
        summary={"breaking": 0, "unproven": 0, "compatible": 0, "operations_compared": 0},
        replay=_replay(request),
    )


def _replay(request: _Request) -> str:
    words = ["driftgate contract import", shlex.quote(_origin(request.source))]
    words += ["--system", request.shelf.system, "--api", request.shelf.api]
    if request.version:
        words += ["--version", request.version]
    for path in request.overlays:
        words += ["--overlay", shlex.quote(_origin(path))]
    return " ".join(words)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
