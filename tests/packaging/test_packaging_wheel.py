"""The wheel works in a clean environment away from the sources, and brings no stray names."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": %s}}}'
ANSWER = (
    '{"responses": {"200": {"description": "d", "content":'
    ' {"application/json": {"schema": {"type": "%s"}}}}}}'
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_top_level_names_are_the_three_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
        bundled = [n for n in archive.namelist() if n.startswith("harness/_contracts/")]
    assert {n for n in names if not n.endswith(".dist-info")} == {"harness", "mocks", "reports"}
    assert any(n.endswith("orders/v0/openapi.yaml") for n in bundled)
    assert not [n for n in bundled if n.endswith(".py")]


@pytest.mark.slow
def test_installed_wheel_runs_without_the_sources(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    # Clean of the sources and of the editable install; the locked dependencies are borrowed by
    # path, because downloading them a second time would prove nothing about the wheel.
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
    )
    borrowed = [p for p in sys.path if p.endswith("site-packages")]
    (Path(site) / "zz_dependencies.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [home / "bin" / "driftgate", *arguments],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )

    where = subprocess.run(
        [python, "-c", "import harness, mocks, reports; print(harness.__file__)"],
        cwd=tmp_path,
        env=clean,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert where.startswith(str(home))
    assert run("--version").stdout.startswith("driftgate ")
    (tmp_path / "old.json").write_text(OLD % (ANSWER % "integer"), encoding="utf-8")
    (tmp_path / "new.json").write_text(OLD % (ANSWER % "string"), encoding="utf-8")
    different = run("diff", "old.json", "new.json")
    assert different.returncode == 1, different.stderr
    assert "breaking" in different.stdout
    same = run("diff", "old.json", "old.json")
    assert same.returncode == 0, same.stderr
    listed = run("contract", "list")
    assert "amazon_spapi" in listed.stdout, listed.stderr
    assert "bundled" in listed.stdout + listed.stderr
