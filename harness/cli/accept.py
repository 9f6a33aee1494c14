"""``driftgate accept``: write down who answers for a difference, why, and until when."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.choices import parse_day
from harness.cli.output import say, write_file
from harness.model.errors import MetadataError, UsageError

_EPILOG = """Examples:

  driftgate accept 802deb9bf1fa --owner "channel owner" --expires 2027-01-31 --reason "..."

  driftgate accept 802deb9bf1fa --for contracts/shop/orders/v1 --owner ... --expires ...
"""
_NEW = "accepted: 1\ndifferences: []\n"
_ITEM = re.compile(r"^( *)- ", re.MULTILINE)
_EMPTY = re.compile(r"^differences: *\[ *\] *$", re.MULTILINE)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("accept", epilog=_EPILOG)(accept)


def accept(
    mark: Annotated[
        str, typer.Argument(metavar="FINGERPRINT", help="As driftgate diff prints it.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why this may pass.")],
    owner: Annotated[
        str, typer.Option("--owner", help="Who answers for it: a role, never a person.")
    ],
    expires: Annotated[
        str, typer.Option("--expires", help="The last day it holds.", metavar="DATE")
    ],
    contract: Annotated[
        Path, typer.Option("--for", help="The contract it stands beside: a file or its folder.")
    ] = Path(),
) -> None:
    """Append an accepted difference to accepted.yaml beside a contract, comments kept."""
    from harness.catalog import open_source
    from harness.gate.accepted import read_accepted
    from harness.gate.beside import ACCEPTED

    if not contract.exists():
        msg = f"--for names {contract}, which is not there."
        raise UsageError(msg, remedy="Name the contract's file or its folder.")
    _check(mark, reason, owner, expires)
    folder = contract if contract.is_dir() else contract.parent
    path = folder / ACCEPTED
    data = open_source(path).text if path.is_file() else _NEW.encode()
    known = read_accepted(data, str(path)).entries
    before = data.decode("utf-8")
    if any(e.fingerprint == mark for e in known):
        msg = f"{path} has an entry for {mark} already."
        raise UsageError(msg, remedy="Change its reason or its day there.")
    entry = _entry(mark, reason, owner, expires)
    after = _appended(before, entry)
    if not _holds(after, [*(e.fingerprint for e in known), mark]):
        lines = "".join(f"\n{line}" for line in entry)
        msg = f"{path} is not written as a plain list, so nothing was added."
        raise UsageError(msg, remedy=f"Add this entry by hand:{lines}")
    write_file(path, after)
    say(f"accepted until {expires}: {path}")


def _check(mark: str, reason: str, owner: str, expires: str) -> None:
    """Refuse an entry that would be wrong from its first day, before a file is touched."""
    from harness.gate.accepted import read_accepted

    text = _appended(_NEW, _entry(mark, reason, owner, expires))
    try:
        (entry,) = read_accepted(text.encode(), "the entry").entries
    except MetadataError as error:
        msg = f"this entry would not be valid: {error.message}."
        raise UsageError(msg, remedy="See driftgate accept --help.") from error
    if entry.expires < parse_day(None):
        msg = f"--expires {expires} has passed."
        raise UsageError(msg, remedy="Name a day to come, the sooner the better.")


def _entry(mark: str, reason: str, owner: str, expires: str) -> list[str]:
    """Return the lines of an entry; JSON's quotes keep any text one line of YAML."""
    values = {"fingerprint": mark, "reason": reason, "owner": owner, "expires": expires}
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]


def _appended(text: str, entry: list[str]) -> str:
    found = _ITEM.search(text)
    indent = found[1] if found else "  "
    block = "".join(f"{indent}{line}\n" for line in entry)
    text = _EMPTY.sub("differences:", text)
    return (text if text.endswith("\n") else f"{text}\n") + block


def _holds(text: str, marks: list[str]) -> bool:
    from harness.gate.accepted import read_accepted
    from harness.model.errors import UserMistake

    try:
        return [e.fingerprint for e in read_accepted(text.encode(), "").entries] == marks
    except UserMistake:
        return False
