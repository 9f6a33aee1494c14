"""Many pairs in one process: one JSON object a line in, one a line out, in the same order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from harness.cli.output import say
from harness.cli.pairs import Pairs
from harness.model.errors import DriftgateError, ExitCode, UsageError
from harness.model.finding import NotChecked, Report, Verdict

_SUMMARY = {"breaking": 0, "unproven": 0, "compatible": 0, "operations_compared": 0}
_EVERY = 25


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch file and what to do with each report.

    ``code`` says what exit code one report deserves; ``keep`` is handed each report with the
    number of its line.
    """

    path: Path
    pairs: Pairs
    code: Callable[[Report], ExitCode]
    keep: Callable[[Report, int], None] = field(default=lambda _report, _number: None)

    def run(self, output: Path | None) -> ExitCode:
        """Answer every line; return findings before not checked before clean.

        Raises ``UsageError`` when the batch cannot be read or the output not written.
        """
        lines = self._lines()
        codes: set[ExitCode] = set()
        total = sum(bool(line.strip()) for line in lines)
        with _writer(output) as out:
            for done, (identity, number, report) in enumerate(self._reports(lines), start=1):
                codes.add(self.code(report))
                out.write(json.dumps({"id": identity, **report.to_json()}) + "\n")
                out.flush()
                self.keep(report, number)
                _progress(done, total)
        for code in (ExitCode.FINDINGS, ExitCode.NOT_CHECKED):
            if code in codes:
                return code
        return ExitCode.CLEAN

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"The batch file {self.path} cannot be read: {error}."
            raise UsageError(msg, remedy="Give a file with one JSON object a line.") from error

    def _reports(self, lines: list[str]) -> Iterator[tuple[object, int, Report]]:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                pair = json.loads(line)
                names = {side: str(pair[side]) for side in ("old", "new")}
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                what = f"not a pair: {type(error).__name__}: {error}"
                remedy = 'Write {"id", "old", "new"}.'
                yield None, number, _unanswered([NotChecked(f"line {number}", what, remedy)])
                continue
            yield pair.get("id"), number, self._one(names)

    def _one(self, names: dict[str, str]) -> Report:
        from harness.gate.conclusion import pair_report

        sides: dict[str, Any] = {}
        missing: list[NotChecked] = []
        for side, name in names.items():
            try:
                sides[side] = self.pairs.read(_beside(name, self.path.parent), side)
            except DriftgateError as error:
                missing.append(NotChecked(side, f"{name}: {error.message}", error.remedy))
            except Exception as error:  # noqa: BLE001 - one bad pair must not cost the others
                missing.append(NotChecked(side, f"{name}: {_bug(error)}", "Report this bug."))
        if missing:
            return _unanswered(missing)
        try:
            judged = self.pairs.judged(sides["old"], sides["new"])
            return pair_report(judged, self.pairs.choices)
        except DriftgateError as error:
            return _unanswered([NotChecked("comparison", f"{error}", error.remedy)])
        except Exception as error:  # noqa: BLE001 - one bad pair must not cost the others
            return _unanswered([NotChecked("comparison", _bug(error), "Report this bug.")])


def _bug(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _unanswered(missing: list[NotChecked]) -> Report:
    return Report("diff", "", Verdict.NOT_CHECKED, not_checked=tuple(missing), summary=_SUMMARY)


def _beside(name: str, folder: Path) -> str:
    """Return the path as given, or the one beside the batch file when only that exists."""
    if not Path(name).exists() and (folder / name).exists():
        return str(folder / name)
    return name


def _progress(done: int, total: int) -> None:
    """Tell a person how far it is; a log gets nothing."""
    if sys.stderr.isatty() and (done % _EVERY == 0 or done == total):
        sys.stderr.write(f"\r{done} of {total} pairs" + ("\n" if done == total else ""))
        sys.stderr.flush()


@contextmanager
def _writer(output: Path | None) -> Iterator[TextIO]:
    """Yield where lines go; a named file appears whole, once every line is answered."""
    if output is None:
        yield sys.stdout
        return
    partial = output.with_name(f".{output.name}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        stream = partial.open("w", encoding="utf-8")
    except OSError as error:
        msg = f"Cannot write {output}: {error.strerror}."
        raise UsageError(msg, remedy="Choose another place with --output.") from error
    try:
        with stream:
            yield stream
        partial.replace(output)
        say(f"results written to {output}")
    finally:
        partial.unlink(missing_ok=True)
