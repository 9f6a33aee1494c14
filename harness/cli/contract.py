"""``driftgate contract``: which contracts there are, and whether they are written correctly."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.contract_import import IMPORT_EXAMPLES, import_contract
from harness.cli.output import (
    FailOnOption,
    FormatOption,
    OutputOption,
    emit,
    finish,
    parse_fail_on,
    say,
)
from harness.model.errors import DocumentError, MetadataError, UsageError, UserMistake
from harness.model.finding import (
    Finding,
    NotChecked,
    Report,
    Verdict,
    overall_verdict,
)

if TYPE_CHECKING:
    from harness.catalog import Catalog

_LIST_EXAMPLES = """Examples:

  driftgate contract list

  driftgate contract list --contracts ../our-contracts
"""
_VALIDATE_EXAMPLES = """Examples:

  driftgate contract validate

  driftgate contract validate amazon_spapi

  driftgate contract validate openapi.yaml vendor/shipping-v2.json --format github

  driftgate contract validate main:contracts/netsuite/record/v1 --format json

  curl -s https://shop.example/openapi.json | driftgate contract validate -
"""

ContractsOption = Annotated[
    str | None, typer.Option("--contracts", metavar="DIR", help="The contracts folder to use.")
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        no_args_is_help=True, help="The contracts at hand, and whether they are written correctly."
    )
    group.command("list", epilog=_LIST_EXAMPLES)(_list)
    group.command("validate", epilog=_VALIDATE_EXAMPLES)(_validate)
    group.command("import", epilog=IMPORT_EXAMPLES)(import_contract)
    app.add_typer(group, name="contract")


def _list(contracts: ContractsOption = None) -> None:
    """List the systems, their APIs and versions, and their drift packs."""
    from harness.catalog import Catalog, contracts_root

    root = contracts_root(contracts)
    catalog = Catalog(root)
    lines = [f"contracts: {root.path} ({root.how})"]
    for name in catalog.system_names():
        lines.append(f"{name}  {_title(catalog, name)}".rstrip())
        lines += [f"  api         {api}/{version}" for api, version in catalog.apis(name)]
        lines += [f"  drift pack  {pack}" for pack in catalog.drift_packs(name)]
    sys.stdout.write("\n".join(lines) + "\n")


def _title(catalog: Catalog, name: str) -> str:
    """Return the title, or a hint: one broken file must not hide the other systems."""
    try:
        return str(catalog.system(name).data.get("title", ""))
    except UserMistake:
        return f"(system.yaml has mistakes: driftgate contract validate {name})"


def _validate(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE_OR_SYSTEM",
            help="A file, folder, -, revision:path, or a system; all systems when none is named.",
        ),
    ] = None,
    contracts: ContractsOption = None,
    fmt: FormatOption = "text",
    fail_on: FailOnOption = "breaking",
    output: OutputOption = None,
) -> None:
    """Report everything wrong with contract documents and our metadata, by file and line.

    A name that is a file or folder here is read as one; otherwise a system of that name is
    checked whole: every document, system.yaml, behaviour.yaml, mappings and drift packs.
    """
    from harness.catalog import Catalog, contracts_root

    levels = parse_fail_on(fail_on)
    checked = _Checked()
    catalog: Catalog | None = None
    for name in dict.fromkeys(sources or [""]):
        if name and not _may_be_system(name):
            checked.document(name)
            continue
        if catalog is None:
            root = contracts_root(contracts)
            say(f"contracts: {root.path} ({root.how})")
            catalog = Catalog(root)
        if name and name not in catalog.system_names():
            msg = f"{name!r} is neither a file or folder here nor a system."
            known = ", ".join(catalog.system_names()) or "none"
            raise UsageError(msg, remedy=f"Known systems: {known}.")
        for system in [name] if name else catalog.system_names():
            checked.system(catalog, system)
        if not name:
            checked.canonical(catalog)
    report = checked.report(sources or [])
    emit(report, fmt, output)
    finish(report, levels)


def _may_be_system(name: str) -> bool:
    return name != "-" and ":" not in name and not Path(name).exists()


@dataclass(slots=True)
class _Checked:
    """What has been looked at so far."""

    findings: list[Finding] = field(default_factory=list)
    not_checked: list[NotChecked] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def document(self, name: str) -> None:
        """Check one contract document, as the overlays filed with it correct it."""
        from harness.catalog import all_problems, filed_overlays, load_contract, problem_finding

        self.files.append(name)
        try:
            overlays = filed_overlays(Path(name)) if Path(name).is_dir() else ()
            loaded = load_contract(name, overlays=overlays)
        except (DocumentError, MetadataError) as error:
            self._unreadable(name, error)
            return
        source = loaded.contract.source
        self.findings.extend(problem_finding(p, source) for p in all_problems(loaded))

    def system(self, catalog: Catalog, name: str) -> None:
        """Check every file of one system."""
        for kind, path in _metadata_files(catalog, name):
            self._metadata(kind, path)
        for api, version in catalog.apis(name):
            self.document(str(catalog.root / name / api / version))

    def canonical(self, catalog: Catalog) -> None:
        """Check that the canonical objects are schemas at all."""
        import jsonschema_rs

        from harness.catalog import load_metadata

        for path in sorted(catalog.root.glob("canonical/*/*.schema.json")):
            self.files.append(str(path))
            try:
                schema = load_metadata(path, {"type": "object"})
                jsonschema_rs.Draft202012Validator(dict(schema))
            except UserMistake as error:
                self._unreadable(str(path), error)
            except (jsonschema_rs.ValidationError, ValueError) as error:
                reason = " ".join(str(error).split())[:300]
                self.not_checked.append(NotChecked(str(path), f"not a usable schema: {reason}."))

    def _metadata(self, kind: str, path: Path) -> None:
        from harness.catalog import problem_finding
        from harness.gate.mistakes import problems_of

        self.files.append(str(path))
        try:
            problems = problems_of(kind, path)
        except UserMistake as error:
            self._unreadable(str(path), error)
            return
        self.findings.extend(problem_finding(p, str(path)) for p in problems)

    def _unreadable(self, name: str, error: UserMistake) -> None:
        place = str(error.location or name)
        reason = error.message if place == name else f"{place}: {error.message}"
        self.not_checked.append(NotChecked(name, f"{reason}.", error.remedy))

    def report(self, named: list[str]) -> Report:
        """Return the report over everything checked."""
        findings, not_checked = tuple(self.findings), tuple(self.not_checked)
        verdict = overall_verdict(findings, not_checked)
        counts = Counter(f.verdict for f in findings)
        return Report(
            command="contract validate",
            title="Contract documents and metadata",
            headline=_headline(verdict, len(self.files)),
            verdict=verdict,
            findings=findings,
            not_checked=not_checked,
            summary={
                "files": len(self.files),
                "breaking": counts[Verdict.BREAKING],
                "unproven": counts[Verdict.UNPROVEN],
                "not_checked": len(not_checked),
            },
            replay=" ".join(["driftgate contract validate", *named]),
        )


def _metadata_files(catalog: Catalog, name: str) -> Iterator[tuple[str, Path]]:
    """Yield (kind, path): what every system must have, then what it may have."""
    folder = catalog.root / name
    yield "system", folder / "system.yaml"
    yield "behaviour", folder / "behaviour.yaml"
    if (folder / "severity.yaml").exists():
        yield "severity", folder / "severity.yaml"
    for pack in catalog.drift_packs(name):
        yield "drift_pack", folder / "drift" / f"{pack}.yaml"
    for api, version in catalog.apis(name):
        for kind in ("mapping", "accepted", "source"):
            path = folder / api / version / f"{kind}.yaml"
            if path.exists():
                yield kind, path


def _headline(verdict: Verdict, files: int) -> str:
    counted = f"{files} file" if files == 1 else f"{files} files"
    return {
        Verdict.BREAKING: f"{counted} checked: there are mistakes to correct.",
        Verdict.NOT_CHECKED: f"{counted} named, and not all could be read: this is not a pass.",
        Verdict.UNPROVEN: f"{counted} checked; some parts could not be checked to the end.",
        Verdict.COMPATIBLE: f"{counted} checked, nothing wrong.",
    }[verdict]
