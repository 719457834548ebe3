"""`./run_stream.sh`: from nothing to articles that arrive clean, and nothing left behind."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store import Store
from pipeline.verify import verify
from tests.engines.kafka import install
from tests.engines.produce import lines_of
from tests.engines.streaming import records_of, wait_until
from tests.pipeline.store_reading import ROOT

SEED_LINES = len(lines_of(sorted((ROOT / "seeds" / "articles" / "jsonl").iterdir())))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like the checkout after its set-up, so that nothing is written into it."""
    install("kafka")
    for name in (
        "seeds",
        "pipeline",
        "schemas",
        "transforms",
        "tests",
        ".ci",
        ".engines",
        "setup.py",
        "pyproject.toml",
    ):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "run_stream.sh").write_text((ROOT / "run_stream.sh").read_text())
    (tmp_path / "run_stream.sh").chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name, start in (("copydesk", f'"{sys.executable}" -m pipeline'), ("python", f'"{sys.executable}"')):
        path = tmp_path / ".venv" / "bin" / name
        path.write_text(f'#!/bin/sh\nexec {start} "$@"\n')
        path.chmod(0o755)
    wanted = hashlib.sha256((ROOT / "setup.py").read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    (tmp_path / ".venv" / ".installed-kafka").write_text(wanted + "\n")
    return tmp_path


def start(folder: Path, *flags: str, **environment: str) -> subprocess.Popen[bytes]:
    """The script, in a session of its own as a terminal would have it, its output in a file."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            ["./run_stream.sh", *flags], cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env=os.environ | environment, start_new_session=True,
        )  # fmt: skip


def left_in(session: int) -> list[str]:
    """Processes that are still in a session."""
    listed = subprocess.run(["ps", "-o", "pid=,args=", "-s", str(session)], capture_output=True, text=True, check=False)
    return listed.stdout.splitlines()


def test_it_ends_by_itself_and_leaves_no_process(folder: Path) -> None:
    process = start(folder, "--until-idle", "3", PER_SECOND="100")
    assert process.wait(150) == 0, (folder / "log").read_text()[-3000:]
    said = (folder / "log").read_text()
    assert re.search(rf"runs committed: {SEED_LINES} records in, \d+ clean", said), said
    store = Store(str(folder / "out-stream"))
    assert records_of(folder / "out-stream") == SEED_LINES
    assert [promise for promise, broken in verify(store) if broken] == []
    assert left_in(process.pid) == []


def test_ctrl_c_ends_it_and_leaves_no_process(folder: Path) -> None:
    process = start(folder, PER_SECOND="2")
    wait_until(lambda: (folder / "out-stream" / "manifest").is_dir() or process.poll() is not None, 120)
    assert process.poll() is None, (folder / "log").read_text()[-3000:]
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 0, (folder / "log").read_text()[-3000:]
    assert "ending with the batch in hand" in (folder / "log").read_text()
    assert left_in(process.pid) == []
