"""Prints the CPU time of ``driftgate --help`` and of a small ``driftgate diff``, and heavy imports.

Run it with the interpreter that has driftgate installed; an argument sets the number of runs.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HEAVY = ("openapi_spec_validator", "schemathesis", "hypothesis", "pact", "sqlalchemy", "jinja2")
HEAVY += ("rich", "httpx", "jsonschema", "jsonschema_rs", "yaml", "typer", "click")
RUN = "from harness.cli.main import main; main()"
LIST = (
    "import sys\nfrom harness.cli.main import main\ntry: main()\n"
    f"finally: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
)


def contract(limit: int) -> str:
    schema = {"type": "integer", "maximum": limit}
    answer = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    operation = {"responses": {"200": answer}}
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Shop", "version": "1"},
            "paths": {"/stock": {"get": operation}},
        }
    )


def cpu_ms(code: str, arguments: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", code, *arguments]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "old.json").write_text(contract(10), encoding="utf-8")
        (folder / "new.json").write_text(contract(20), encoding="utf-8")
        for arguments in (["--help"], ["diff", "old.json", "new.json"]):
            times = [cpu_ms(RUN, arguments, folder) for _ in range(runs)]
            loaded = subprocess.run(
                [sys.executable, "-c", LIST, *arguments],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            ).stderr.strip()
            print(
                f"driftgate {' '.join(arguments)}: min {min(times):.0f} ms, "
                f"median {statistics.median(times):.0f} ms CPU; imports {loaded.splitlines()[-1]}"
            )


if __name__ == "__main__":
    main()
