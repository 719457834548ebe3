"""Whole runs into a store on S3 (moto, in this process): two at once, one killed, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.command_line import main
from pipeline.compact import compact
from pipeline.compare import compare
from pipeline.errors import RunError, UsageError
from pipeline.export import export
from pipeline.store import Store
from pipeline.vacuum import vacuum
from schemas.tables import STORE_TABLES
from tests.pipeline.object_store import broken, given, keys, put, rows, run_at
from tests.pipeline.store_reading import ROOT

pytestmark = pytest.mark.engines


def test_two_runs_compacted_explained_and_exported(s3: Any, bucket: str, tmp_path: Path) -> None:
    store, disk = f"{bucket}/store", str(tmp_path / "store")
    for name, numbers in (("first", range(9)), ("second", range(6, 18))):
        path = given(tmp_path, name, *numbers)
        run_at(disk, path)
        put(s3, path, f"{bucket}/news/{name}.jsonl")
        run_at(store, f"{bucket}/news")
    assert compare(Store(disk), Store(store)).same
    for table in STORE_TABLES:
        assert rows(disk, table).equals(rows(store, table)), table
    assert export(Store(store), str(tmp_path / "a")) == export(Store(disk), str(tmp_path / "b"))
    with pytest.raises(UsageError, match="expected a local folder"):
        export(Store(store), f"{bucket}/export")
    assert main(["explain", "--store", store, "a2"]) == 0
    compact(store)
    compact(disk)
    assert broken(store) == []
    # Ids of runs hold what was read from where: their numbers are the same.
    gone, of_disk = ({one.path.split("-")[0] for one in vacuum(path, 0)} for path in (store, disk))
    assert gone == of_disk
    assert "clean/run=00000001" in gone
    by_pattern = [name for name in keys(s3, store) if name.startswith("clean/run=")]
    assert [name for name in by_pattern if "compact" not in name] == []
    assert by_pattern
    assert broken(store) == []
    assert compare(Store(disk), Store(store)).same


def test_of_two_writers_that_both_think_they_are_alone_one_commits(
    s3: Any, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = [given(tmp_path, name, *numbers) for name, numbers in (("one", range(6)), ("two", range(6, 12)))]
    store, both_ready = f"{bucket}/store", threading.Barrier(2, timeout=120)
    commit = Store.commit

    def at_the_same_time(self: Store, manifest: dict[str, Any]) -> str:
        both_ready.wait()
        return commit(self, manifest)

    monkeypatch.setattr(Store, "commit", at_the_same_time)
    ended: dict[Path, Any] = {}

    def write(path: Path) -> None:
        try:
            ended[path] = run_at(store, path, sole_writer=True)
        except RunError as error:
            ended[path] = error

    writers = [threading.Thread(target=write, args=(path,)) for path in inputs]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    refused = [path for path in inputs if isinstance(ended[path], RunError)]
    assert len(refused) == 1, ended
    assert "another run has committed meanwhile" in str(ended[refused[0]])
    assert len(Store(store).runs) == 1
    assert broken(store) == []
    monkeypatch.setattr(Store, "commit", commit)
    assert run_at(store, refused[0])["number"] == 2
    run_at(str(tmp_path / "store"), *inputs)
    assert broken(store) == []
    assert compare(Store(str(tmp_path / "store")), Store(store)).same
    vacuum(store, 0)
    assert broken(store) == []
    runs = {one["run_id"] for one in Store(store).runs}
    assert {name.split("run=")[1].split("/")[0] for name in keys(s3, store) if "run=" in name} == runs


def test_what_a_killed_run_left_is_cleared_by_vacuum(s3: Any, bucket: str, tmp_path: Path) -> None:
    store = f"{bucket}/store"
    run_at(store, given(tmp_path, "first", *range(6)))
    before = set(keys(s3, store))
    killing = (
        "import os, signal, sys; from pipeline.store import Store; from pipeline.command_line import main; "
        "Store.commit = lambda *_: os.kill(os.getpid(), signal.SIGKILL); sys.exit(main(sys.argv[1:]))"
    )
    more = given(tmp_path, "more", *range(6, 12))
    command = [sys.executable, "-c", killing, "run", "--store", store, "--input", str(more)]
    killed = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    left = set(keys(s3, store)) - before
    assert any(name.startswith("clean/") for name in left)
    assert any(name.startswith("_staging/") for name in left)
    assert broken(store) == []
    # The claim of a process of this host that is no more does not last.
    assert vacuum(store, 7) == []
    assert {one.path for one in vacuum(store, 0, dry_run=True)} == left
    vacuum(store, 0)
    assert set(keys(s3, store)) == before
    assert run_at(store, more)["number"] == 2
    assert broken(store) == []
