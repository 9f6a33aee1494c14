"""Proves the command line of chaos: what is told, and with which exit code."""

from __future__ import annotations

import pytest

from harness.chaos.runner import replay_command
from harness.chaos.scenario_file import find_scenario, load_scenario
from harness.cli.chaos import load_engine
from harness.cli.main import main
from harness.model.errors import UsageError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["driftgate", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_list_names_the_shipped_scenarios(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "chaos", "list") == 0
    assert "throttle-squeeze" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no-such-night",), "Shipped scenarios"),
        (("throttle-squeeze", "--engine", "nowhere"), "module:Class"),
        (("throttle-squeeze", "--engine", "harness.no_such:Engine"), "cannot be loaded"),
        (("throttle-squeeze", "--engine", "pathlib:Path"), "async def run"),
    ],
)
def test_a_wrong_word_is_exit_code_2_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    assert run(monkeypatch, "chaos", "run", *arguments) == 2
    assert told in capsys.readouterr().err


def test_the_engine_is_found_by_module_and_class() -> None:
    assert callable(load_engine("harness.sync.engine:ReferenceEngine"))
    with pytest.raises(UsageError):
        load_engine(":")


def test_the_replay_command_names_scenario_seed_and_a_foreign_engine() -> None:
    scenario = load_scenario(find_scenario("throttle-squeeze"))
    assert replay_command(scenario, 7) == "driftgate chaos run throttle-squeeze --seed 7"
    assert replay_command(scenario, 7, "a:B").endswith("--seed 7 --engine a:B")
