"""Killed anywhere, a full disk, a folder that can't be written, an input gone, signals, a wrong clock, two at once.

All kill points: `python -m tests.benchmarks.kills`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from pipeline import run as run_module
from pipeline.command_line import main
from pipeline.store import Store
from tests.benchmarks.faults import Fault, Started
from tests.benchmarks.kills import Scenario, broken, differences, kill_and_go_on, orphans, points_of, scenario
from tests.benchmarks.month import day_of
from tests.pipeline.store_reading import ROOT, run_over, write_jsonl

KILLS = 8


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return scenario("second", tmp_path_factory.mktemp("faults"))


def touch(given: Scenario, event: str, part: str) -> int:
    """The number of the first touch of a kind."""
    return next(
        number for number, (one, path) in enumerate(given.ended.touches, 1) if one == event and part in path
    )  # fmt: skip


def assert_goes_on(given: Scenario, store: Path) -> None:
    """The same command again ends as if nothing had happened."""
    again = given.run(store)
    assert again.code == 0, again.err
    assert differences(given.reference, store) == []


@pytest.mark.parametrize("point", range(KILLS))
def test_killed_anywhere_it_goes_on(given: Scenario, point: int) -> None:
    _, _, wrong = kill_and_go_on(given, points_of(given.ended, KILLS)[point])
    assert wrong == []


def test_what_a_killed_run_put_in_place_is_gone_after_another(given: Scenario, tmp_path: Path) -> None:
    """Killed before its manifest, its folders are in place; a run over more files doesn't go on with it."""
    store = given.start_from(given.folder / "store")
    assert given.run(store, Fault(touch(given, "os.link", "/manifest/"))).code == -9
    assert orphans(Store(str(store))) != []
    more = write_jsonl(tmp_path / "more.jsonl", day_of(0, 12))
    run_over(store, given.inputs, more)
    assert orphans(Store(str(store))) == []
    assert broken(Store(str(store))) == []
    assert len(Store(str(store)).manifests) == 2


@pytest.mark.parametrize("what", ["full", "read-only"])
def test_a_disk_that_takes_no_more(given: Scenario, what: str) -> None:
    """Nothing is committed, one screen says what to do, and with the cause mended it goes on."""
    told = {"full": "The disk is full", "read-only": "Let this user write"}[what]
    event, part = {"full": ("open", "/staged/articles/"), "read-only": ("os.link", "/manifest/")}[what]
    store = given.start_from(given.folder / "store")
    failed = given.run(store, Fault(touch(given, event, part), what))
    assert failed.code == 1
    assert told in failed.err
    assert len(Store(str(store)).manifests) == 1
    assert broken(Store(str(store))) == []
    assert_goes_on(given, store)


def test_a_store_that_cannot_be_written_from_the_start(given: Scenario) -> None:
    store = given.start_from(given.folder / "store")
    failed = given.run(store, Fault(touch(given, "open", "/lock"), "denied"))
    assert failed.code == 2
    assert "can't be written" in failed.err
    assert len(Store(str(store)).manifests) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 600 kB, where this user may make one."""
    (tmp_path / "disk").mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(tmp_path / "disk")]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a filesystem")
    yield tmp_path / "disk"
    subprocess.run(["umount", str(tmp_path / "disk")], check=True)


def test_a_disk_that_fills_up(given: Scenario, small_disk: Path) -> None:
    """Writes fail in their midst, wherever that is; then there is room."""
    store = given.start_from(small_disk / "store")
    failed = given.run(store)
    assert failed.code == 1
    assert "The disk is full" in failed.err
    assert broken(Store(str(store))) == []
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert_goes_on(given, store)


def test_an_input_that_vanishes(given: Scenario, tmp_path: Path) -> None:
    """Between being listed and being read; the next run does without it, and takes it when it is back."""
    inputs = tmp_path / "in"
    shutil.copytree(given.inputs, inputs)
    gone = inputs / "later.jsonl"
    # It is opened first to be known by its content, and then to be read.
    to_be_read = [number for number, (_, path) in enumerate(given.ended.touches, 1) if path.endswith(gone.name)][1]
    mine = Scenario(given.name, tmp_path, given.before, inputs, given.reference, given.ended)
    store = mine.start_from(tmp_path / "store")
    failed = mine.run(store, Fault(to_be_read, "vanish"))
    assert not gone.exists()
    assert failed.code == 1
    assert gone.name in failed.err
    assert "vanished" in failed.err
    assert len(Store(str(store)).manifests) == 1
    assert mine.run(store).code == 0
    shutil.copy(given.inputs / gone.name, gone)
    assert mine.run(store).code == 0
    assert broken(Store(str(store))) == []
    kept = {entry["path"] for manifest in Store(str(store)).manifests for entry in manifest["inputs"] if entry["clean"]}
    assert str(gone) in kept


@pytest.mark.parametrize(("what", "event", "part"), [
    ("term", "open", "/staged/articles/"), ("int", "os.rename", "/matched/anchors"), ("term", "os.link", "/manifest/"),
])  # fmt: skip
def test_a_signal_ends_it_cleanly(given: Scenario, what: str, event: str, part: str) -> None:
    """Exit code 130 and nothing committed, or, once the run exists, 0 as if no signal had come."""
    store = given.start_from(given.folder / "store")
    ended = given.run(store, Fault(touch(given, event, part), what))
    committed = event == "os.link"
    assert ended.code == (0 if committed else 130)
    assert ("interrupted" in ended.err) != committed
    assert "Traceback" not in ended.err
    assert len(Store(str(store)).manifests) == (2 if committed else 1)
    assert_goes_on(given, store)


def test_a_clock_moved_back(given: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run starts, by its clock, years before the first; the newest label is still its own."""

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Earlier:  # type: ignore[override]
            return super().now(tz) - timedelta(days=2000)

    store = given.start_from(tmp_path / "store")
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "datetime", Earlier)
        manifest = run_over(store, given.inputs)
    first, second = Store(str(store)).manifests
    assert second["started_at"] < first["started_at"]
    assert manifest["counts"]["relabelled"] > 0
    assert differences(given.reference, store) == []
    for command in ("report", "verify"):
        assert main([command, "--store", str(store)]) == 0


def test_two_at_once_on_one_store(given: Scenario, tmp_path: Path) -> None:
    """The second is refused while the first works, and finds nothing new afterwards."""
    store = given.start_from(tmp_path / "store")
    point = Fault(touch(given, "os.rename", "/staged/articles/"), "pause")
    first = Started(given.command(store), tmp_path / "first", (store, given.inputs), point)
    wait_for(lambda: state_of(first.process.pid) in ("T", "t"))
    second = Started(given.command(store), tmp_path / "second", (store, given.inputs)).ended()
    assert second.code == 1
    assert "another run is writing" in second.err
    os.kill(first.process.pid, signal.SIGCONT)
    assert first.ended().code == 0
    assert differences(given.reference, store) == []
    assert given.run(store).code == 0
    assert len(Store(str(store)).manifests) == 2


def wait_for(happened: object, seconds: float = 60.0) -> None:
    """Waits until a call gives true."""
    assert callable(happened)
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def state_of(process: int) -> str:
    """The state of a process in one letter, as /proc has it; empty where it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(process: int) -> set[int]:
    """Every process that a process started, and those that they did."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found: set[int] = set()
    while more := {one for one, parent in parents.items() if parent in found | {process}} - found:
        found |= more
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_run(number: signal.Signals, given: Scenario, tmp_path: Path) -> None:
    store = given.start_from(tmp_path / "store")
    command = [sys.executable, "-m", "pipeline", *given.command(store), "--workers", "2"]
    with open(tmp_path / "log", "w") as log:
        run = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_for(lambda: len(descendants(run.pid)) >= 2 and any((store / "_staging").glob("*/staged/articles/*")))
        workers = descendants(run.pid)
        run.send_signal(number)
        assert run.wait(30) == {signal.SIGKILL: -9, signal.SIGTERM: 130}[number], (tmp_path / "log").read_text()
        wait_for(lambda: all(state_of(one) in ("", "Z") for one in workers), 15)
    finally:
        run.kill()
    assert_goes_on(given, store)
