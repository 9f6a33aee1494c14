"""Proves detection and silence: broken engines are caught by name, the careful one is clean."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from harness.catalog import Catalog, contracts_root
from harness.chaos.runner import ChaosResult, run_scenario
from harness.chaos.scenario_file import find_scenario, load_scenario
from harness.model.errors import ExitCode
from harness.model.ports import Engine, World
from harness.sync.engine import ReferenceEngine

HERE = Path(__file__).parent


def _load_broken() -> ModuleType:
    spec = importlib.util.spec_from_file_location("broken_engines", HERE / "broken_engines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BROKEN = _load_broken()


def play(name: str, factory: Callable[[], Engine], seed: int | None = None) -> ChaosResult:
    return run_scenario(
        load_scenario(find_scenario(name)),
        engine_factory=factory,
        catalog=Catalog(contracts_root()),
        seed=seed,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "scenario", "caught_by"),
    [
        ("KeyPerAttempt", "answer-lost-after-commit", "orders.exactly_once"),
        ("ZeroIsNoValue", "answer-lost-after-commit", "stock.zero_means_zero"),
        ("KnocksAgainAtOnce", "throttle-squeeze", "quota.respected"),
        ("DoneBeforeSent", "answer-lost-after-commit", "orders.none_lost"),
        ("OneBadRecordStopsThePage", "shape-change-mid-run", "records.neighbours_flow"),
    ],
)
def test_a_broken_engine_is_caught_by_name(engine: str, scenario: str, caught_by: str) -> None:
    report = play(scenario, getattr(BROKEN, engine)).report
    assert caught_by in {f.rule for f in report.findings}
    assert report.exit_code() is ExitCode.FINDINGS


@pytest.mark.slow
@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize(
    "scenario", ["answer-lost-after-commit", "shape-change-mid-run", "throttle-squeeze"]
)
def test_the_careful_engine_stays_silent(scenario: str, seed: int | None) -> None:
    report = play(scenario, ReferenceEngine, seed).report
    assert [(f.rule, f.message) for f in report.findings] == []
    assert report.exit_code() is ExitCode.CLEAN


@pytest.mark.slow
def test_the_same_seed_is_the_same_night_under_another_hash_seed(tmp_path: Path) -> None:
    traces = []
    for hash_seed in ("1", "2"):
        trace = tmp_path / f"{hash_seed}.ndjson"
        command = [sys.executable, "-m", "harness.cli", "chaos", "run"]
        if importlib.util.find_spec("harness.cli.__main__") is None:
            call = "from harness.cli.main import main; main()"
            command = [sys.executable, "-c", call, "chaos", "run"]
        subprocess.run(
            [*command, "answer-lost-after-commit", "--trace", str(trace), "--format", "json"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        )
        traces.append(trace.read_bytes())
    assert traces[0] == traces[1]
    assert traces[0].count(b"\n") > 1000
    assert b"driftgate-chaos-" not in traces[0], "a temporary path would differ in every run"


class Idle:
    """Does nothing at all."""

    async def run(self, world: World) -> None:
        while True:
            await world.clock.sleep(60)


class Raises:
    """Dies of its own accord."""

    async def run(self, world: World) -> None:
        await world.clock.sleep(60)
        msg = "out of ideas"
        raise ValueError(msg)


@pytest.mark.slow
def test_an_engine_that_does_nothing_loses_every_order() -> None:
    rules = {f.rule for f in play("throttle-squeeze", Idle).report.findings}
    assert {"orders.none_lost", "stock.converges", "scenario.too_tame"} <= rules


@pytest.mark.slow
def test_an_engine_that_raises_is_a_finding_with_its_words() -> None:
    report = play("throttle-squeeze", Raises).report
    (finding,) = [f for f in report.findings if f.rule == "engine.crashed"]
    assert "ValueError: out of ideas" in finding.message


class KeepsFile:
    """Counts its starts on its storage, and tries to write once more when it is cancelled."""

    starts: list[str]
    after_death: list[str]

    async def run(self, world: World) -> None:
        path = world.storage / "starts"
        path.write_text((path.read_text() if path.exists() else "") + "x")
        self.starts.append(path.read_text())
        try:
            while True:
                await world.clock.sleep(30)
        finally:
            path.write_text("lies")
            try:
                world.now()
            except BaseException as error:
                self.after_death.append(type(error).__name__)
                raise


@pytest.mark.slow
def test_a_crash_cuts_every_port_and_keeps_the_storage_of_that_moment(tmp_path: Path) -> None:
    text = find_scenario("answer-lost-after-commit").read_text("utf-8")
    path = tmp_path / "crash.yaml"
    path.write_text(text.replace("after: upsertSalesOrder, ", ""), "utf-8")
    KeepsFile.starts, KeepsFile.after_death = [], []
    run_scenario(load_scenario(path), engine_factory=KeepsFile, catalog=Catalog(contracts_root()))
    assert KeepsFile.starts == ["x", "xx"]
    assert KeepsFile.after_death == ["EngineCrashed"]
