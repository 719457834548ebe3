"""Every command and example of the README is run, in order, in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.store_reading import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(bash|python)\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the checkout, so that nothing is written into it."""
    path = tmp_path_factory.mktemp("readme")
    for name in ("seeds", "pipeline", "schemas", "transforms", ".ci", "setup.py", "pyproject.toml"):
        (path / name).symlink_to(ROOT / name)
    (path / "run_local.sh").write_text((ROOT / "run_local.sh").read_text())
    (path / ".venv" / "bin").mkdir(parents=True)
    (path / ".venv" / "bin" / "copydesk").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n')
    (path / ".venv" / "bin" / "copydesk").chmod(0o755)
    return path


def commands() -> list[str]:
    """The README's shell lines, but for run_tests.sh, which is what runs this."""
    shell = [line for kind, block in BLOCKS if kind == "bash" for line in block.splitlines()]
    lines = [line.split("  # ")[0].strip() for line in shell]
    return [line for line in lines if line and not line.startswith("./run_tests.sh")]


def call(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_commands_and_examples_run(folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(folder), "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    ran = 0
    for command in commands():
        if command.startswith("./run_local.sh"):
            # The set-up itself is run by run_tests.sh; here the script's own way with flags.
            command = ".venv/bin/copydesk run --input seeds/articles seeds/refused --store out"
        done = call(["/bin/sh", "-c", command], folder, environment)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        ran += 1
    assert ran >= 6
    for kind, block in BLOCKS:
        if kind == "python":
            done = call([sys.executable, "-c", block], folder, environment)
            assert done.returncode == 0, f"{block}\n{done.stderr}"


def test_readme_is_short_and_has_its_sections() -> None:
    assert len(README.splitlines()) <= 240
    for heading in ("The flow", "Reading the store", "Which files a run reads", "Care of a store", "Exit codes"):
        assert f"## {heading}" in README
