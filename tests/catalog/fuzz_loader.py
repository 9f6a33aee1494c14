"""Coverage-guided fuzzing of the loader, for a night with time to spare; needs ``atheris``.

Every input must end in a contract or a driftgate error. Bytes are taken as a document, and those
after the first NUL as an overlay. Run it with a folder of documents to start from:

    pip install atheris
    python tests/catalog/fuzz_loader.py -max_total_time=600 -max_len=4096 corpus/
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]  # optional

with atheris.instrument_imports(include=["harness.catalog", "harness.model"]):
    from harness.catalog import (  # noqa: F401 - instrumented
        Limits,
        Source,
        all_problems,
        caching,
        json_schema,
        load_contract,
        overlay,
        read_overlay,
        yaml_text,
    )
    from harness.model.errors import DriftgateError

LIMITS = Limits(bytes=20_000, depth=40, nodes=5_000, files=3)


def one_input(data: bytes) -> None:
    """Load one input; anything but a contract or a driftgate error is a crash to look at."""
    document, _, correction = data.partition(b"\0")
    try:
        overlays = [read_overlay(Source("fixes.yaml", correction))] if correction else []
        loaded = load_contract(Source("document", document), overlays=overlays, limits=LIMITS)
    except DriftgateError:
        return
    for problem in all_problems(loaded):
        assert problem.message


def main() -> None:
    """Hand over to atheris, which reads libFuzzer's options."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
