"""`copydesk stream` over a watched folder, and what ends a stream."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.compare import compare
from pipeline.errors import UsageError
from pipeline.progress import Progress
from pipeline.store import Store, locked
from pipeline.stream import StreamOptions, stream
from pipeline.stream_folder import UNREADY, FolderSource, State, settled
from pipeline.stream_sources import Lag
from pipeline.stream_status import StreamStatus
from schemas.settings import Settings
from tests.benchmarks.month import day_of
from tests.pipeline.store_reading import rows_of, run_over, write_jsonl

ROWS = day_of(0, 24)


def looked(source: FolderSource, times: int = 2) -> list[str]:
    """What is ready after so many looks at the folder."""
    for _ in range(times):
        source._looked = 0.0
        source.poll(0.0)
    return [os.path.basename(path) for path in source._ready]


class Script(FolderSource):
    """A watched folder in which something happens at each look."""

    def __init__(self, folder: Path, store: Path, *steps: Callable[[], object]) -> None:
        super().__init__(str(folder), str(store))
        self.steps = list(steps)

    def poll(self, seconds: float) -> int:
        if self.steps and not self.waiting and not self._before:
            self.steps.pop(0)()
        self._looked = 0.0
        return super().poll(seconds)


def run_stream(source: FolderSource, store: Path, **options: object) -> dict[str, int]:
    asked = StreamOptions(str(store), Settings(), **{"every": 0.0, "most": 100, "until_idle": 0.3, **options})  # type: ignore[arg-type]
    done = stream(asked, source, Progress(None))
    return {"runs": done.runs, **done.counts}


def test_files_appear_grow_and_are_renamed_in(tmp_path: Path) -> None:
    folder, store = tmp_path / "in", tmp_path / "store"
    folder.mkdir()
    write_jsonl(folder / "a.jsonl", ROWS[:8])
    source = Script(
        folder, store,
        lambda: write_jsonl(tmp_path / "b.jsonl", ROWS[8:16]).rename(folder / "b.jsonl"),
        lambda: write_jsonl(folder / "a.jsonl", ROWS[:8] + ROWS[16:]),
        lambda: shutil.copy(folder / "b.jsonl", folder / "copy of b.jsonl"),
        lambda: (folder / "b.jsonl").rename(folder / "c.jsonl"),
    )  # fmt: skip
    counts = run_stream(source, store)
    assert source.steps == []
    assert (counts["runs"], counts["records"]) == (2, 32)
    repeats = rows_of(store, "rejected")
    assert [(row["reason"], Path(row["source_uri"]).name) for row in repeats] == [("repeat", "a.jsonl")] * 8
    run_over(tmp_path / "batch", write_jsonl(tmp_path / "all.jsonl", ROWS))
    assert compare(Store(str(tmp_path / "batch")), Store(str(store))).same


def test_what_still_grows_or_is_hidden_is_left(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    source = FolderSource(str(tmp_path / "in"), str(tmp_path / "in" / "store"))
    for name in ("a.jsonl", ".hidden.jsonl", "b.jsonl.part", "c.tmp.json", "~d.json", "note.md", "deep/e.jsonl"):
        write_jsonl(tmp_path / "in" / name, ROWS[:1])
    # A file of the store's own is no input.
    write_jsonl(tmp_path / "in" / "store" / "manifest" / "00000001.json", [])
    assert looked(source, 1) == []
    write_jsonl(tmp_path / "in" / "a.jsonl", ROWS[:2])
    assert looked(source, 1) == ["e.jsonl"]
    assert source.lag().count == 2
    assert looked(source, 1) == ["e.jsonl", "a.jsonl"]
    store = Store(str(tmp_path / "in" / "store2"))
    first = source.inputs(store, 1)
    assert [os.path.basename(one.path) for one in first] == ["e.jsonl"]
    source.committed(first)
    assert looked(source) == ["a.jsonl"]
    assert source.lag().count == 1


def test_settled_files_are_those_that_did_not_change() -> None:
    before = {"a": State(1, 5, 1), "b": State(1, 2, 2), "c": State(1, 1, 3)}
    now = {"a": State(1, 5, 1), "b": State(2, 9, 2), "c": State(1, 1, 3), "d": State(1, 1, 4)}
    assert settled(before, now) == ["c", "a"]


@pytest.mark.parametrize(
    "name", ["x/.a.jsonl", "x/~a.json", "a.jsonl.tmp", "a.part.jsonl", "a.unfinished", "a.crdownload"]
)
def test_unready_names(name: str) -> None:
    assert UNREADY.search(name)


@pytest.mark.parametrize("name", ["x/a.jsonl", "tmp/a.json", "/part/x.tmpl.json", "/.cache/a.json", "apart.jsonl"])
def test_ready_names(name: str) -> None:
    assert not UNREADY.search(name)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="make the folder first"):
        FolderSource(str(tmp_path / "nowhere"), str(tmp_path / "store"))


def test_a_vanished_file_ends_no_stream(tmp_path: Path) -> None:
    folder, store = tmp_path / "in", tmp_path / "store"
    write_jsonl(folder / "a.jsonl", ROWS[:3])

    class Vanishing(FolderSource):
        def inputs(self, given: Store, most: int):  # type: ignore[no-untyped-def]
            found = super().inputs(given, most)
            if (folder / "a.jsonl").exists():
                (folder / "a.jsonl").unlink()
                write_jsonl(folder / "b.jsonl", ROWS[3:6])
            return found

    counts = run_stream(Vanishing(str(folder), str(store)), store, until_idle=1.2)
    assert (counts["runs"], counts["records"]) == (1, 3)
    assert {Path(row["source_uri"]).name for row in rows_of(store, "clean")} == {"b.jsonl"}


def test_another_command_that_writes_the_store_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, store = tmp_path / "in", tmp_path / "store"
    write_jsonl(folder / "a.jsonl", ROWS[:3])
    held = locked(str(store))
    held.__enter__()
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            held.__exit__(None, None, None)

    monkeypatch.setattr("pipeline.stream.time.sleep", wait)
    monkeypatch.setattr("pipeline.stream_folder.LOOK_SECONDS", 0.0)
    assert run_stream(FolderSource(str(folder), str(store)), store)["records"] == 3
    assert len(waited) == 2


def test_a_signal_ends_the_stream_with_the_batch_in_hand(tmp_path: Path) -> None:
    folder, store = tmp_path / "in", tmp_path / "store"
    write_jsonl(folder / "a.jsonl", ROWS[:3])
    before = signal.getsignal(signal.SIGTERM)

    class Signalled(FolderSource):
        def inputs(self, given: Store, most: int):  # type: ignore[no-untyped-def]
            os.kill(os.getpid(), signal.SIGTERM)
            return super().inputs(given, most)

    assert run_stream(Signalled(str(folder), str(store)), store, until_idle=None)["runs"] == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_stream_that_never_rests_is_reconciled_between_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never idle, and ends by a signal: only `reconcile_every` is left to act."""
    folder, store = tmp_path / "in", tmp_path / "store"
    monkeypatch.setattr("pipeline.stream_folder.LOOK_SECONDS", 0.0)

    class Busy(FolderSource):
        number = 0

        def poll(self, seconds: float) -> int:
            if not self.waiting and self.number < 4:
                write_jsonl(folder / f"{self.number}.jsonl", ROWS[6 * self.number : 6 * self.number + 6])
                self.number += 1
                return super().poll(seconds) + super().poll(seconds)
            if not self.waiting:
                os.kill(os.getpid(), signal.SIGTERM)
            return 0

    def kinds(path: Path, every: float) -> list[tuple[str, bool]]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        run_stream(Busy(str(folder), str(path)), path, until_idle=None, reconcile_every=every)
        return [(one["kind"], bool(one.get("provisional"))) for one in Store(str(path)).manifests]

    # A store's first run is final, the others are provisional; each is followed by what makes it final.
    assert kinds(store, 0.0) == [("run", False), *[("run", True), ("relabel", False)] * 3]
    assert kinds(tmp_path / "late", 3600.0) == [("run", False), *[("run", True)] * 3]


def test_status_tells_lag_rate_and_last_commit(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    source = FolderSource(str(folder), str(tmp_path / "store"))
    status = StreamStatus(source, str(tmp_path / "store"), Progress(None), str(tmp_path / "m.prom"))
    assert status.line(Lag(0, 0.0, "messages")).startswith("lag 0 messages | 0.0 records/s | last commit none yet")
    counts = {"records": 30, "clean": 20, "copies": 9, "rejected": 1, "relabelled": 0}
    manifest = {
        "number": 4, "run_id": "4-x", "committed_at": "2026-05-01T10:11:12.0+00:00", "counts": counts, "files": [],
        "inputs": [], "tallies": {}, "warnings": [],
    }  # fmt: skip
    status.add(manifest, 1.5)
    line = status.line(Lag(1200, 3.14, "messages"))
    assert "lag 1,200 messages, 3.1 s | 30.0 records/s | last commit 10:11:12 UTC (run 4) | 20 clean" in line
    source.trouble = "broker down"
    assert status.line(Lag(0, 0.0, "files")).endswith("| broker down")
    told = dict(line.rsplit(" ", 1) for line in status.metrics_text(True).splitlines() if line[0] != "#")
    wanted = {"copydesk_stream_lag": 0, "copydesk_stream_runs": 1, 'copydesk_stream_records{table="copies"}': 9,
              "copydesk_stream_batch_seconds": 1.5, "copydesk_stream_trouble": 1}  # fmt: skip
    assert {name: float(told[name]) for name in wanted} == wanted
