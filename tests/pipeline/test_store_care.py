"""`copydesk compact` and `vacuum`: the same store in fewer files; leftovers go and nothing that is needed does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline import compact as compact_module
from pipeline import run as run_module
from pipeline.command_line import main
from pipeline.compact import compact
from pipeline.compare import compare
from pipeline.errors import RunError
from pipeline.export import export
from pipeline.store import Store, locked
from pipeline.vacuum import vacuum
from pipeline.verify import verify
from tests.pipeline.store_reading import ROOT, SEEDS, articles_of, as_input, run_over, write_jsonl
from tests.pipeline.test_export import held

EVAL = ROOT.parent / "shared" / "eval"
RUNS = 5


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("care")
    run_over(folder / "seeds", SEEDS / "articles")
    rows = sorted(articles_of(folder / "seeds"), key=lambda row: (row["kept_id"] == row["article_id"], row["text"]))
    given = [as_input(row) for row in rows]
    return [write_jsonl(folder / f"{number}.jsonl", given[number::RUNS]) for number in range(RUNS)]


@pytest.fixture(scope="module")
def runs(inputs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of four runs; the fifth input is still to come. Relabelled articles are among them."""
    store = tmp_path_factory.mktemp("care") / "store"
    relabelled = [run_over(store, path)["counts"]["relabelled"] for path in inputs[:-1]]
    assert sum(relabelled)
    return store


@pytest.fixture
def store(runs: Path, tmp_path: Path) -> Path:
    shutil.copytree(runs, tmp_path / "store")
    return tmp_path / "store"


def whole(store: Path) -> bool:
    return not any(broken for _, broken in verify(Store(str(store))))


def broken_outside(store: Path) -> set[str]:
    """Promises that the outside checker, which reads by pattern, finds broken; none where it is not here.

    What it says of the stored figures is between it and matching: care of a store must add nothing.
    """
    if not EVAL.is_dir():
        return set()
    command = [sys.executable, str(EVAL / "check_store.py"), str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "broken:" in done.stdout, done.stderr
    return {line.split("(")[0] for line in done.stdout.splitlines() if line.startswith("BROKEN")}


def same(a: Path, b: Path) -> bool:
    found = compare(Store(str(a)), Store(str(b)))
    return not any(difference.count for difference in found.kinds.values())


def by_hand(store: Path, table: str) -> int:
    """Rows of a table as a reader counts them that knows nothing but that manifests name files."""
    manifests = [json.loads(path.read_text()) for path in sorted(store.glob("manifest/*.json"))]
    paths = [entry["path"] for manifest in manifests for entry in manifest["files"] if entry["table"] == table]
    return sum(pq.ParquetFile(store / path).metadata.num_rows for path in paths)


def by_pattern(store: Path, table: str) -> int:
    return sum(pq.ParquetFile(path).metadata.num_rows for path in store.glob(f"{table}/*/*.parquet"))


def test_a_compacted_store_is_the_same_store(store: Path, runs: Path, inputs: list[Path], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in store.rglob("run=*/*")}
    files = {table: len(Store(str(store)).files(table)) for table in ("clean", "labels", "sketches")}
    assert min(files.values()) >= RUNS - 1
    manifest = compact(str(store))
    assert {len(Store(str(store)).files(table)) for table in files} == {1}
    assert before == {path: path.read_bytes() for path in before}, "a committed run's file changed"
    assert whole(store)
    assert same(store, runs)
    for name, one in (("a", store), ("b", runs)):
        export(Store(str(one)), str(tmp_path / name))
    assert held(tmp_path / "a") == held(tmp_path / "b")
    labels = pq.ParquetFile(Store(str(store)).files("labels")[0]).metadata.num_rows
    assert labels == by_hand(store, "clean") + by_hand(store, "copies")
    for table in ("clean", "copies", "sketches"):
        assert by_hand(store, table) == by_pattern(store, table) == by_pattern(runs, table)
    assert compact(str(store)) == {"nothing_to_do": True}
    assert broken_outside(store) <= broken_outside(runs)
    # The next run goes on as it would have done.
    shutil.copytree(runs, tmp_path / "plain")
    for one in (store, tmp_path / "plain"):
        run_over(one, inputs[-1])
    assert whole(store)
    assert same(store, tmp_path / "plain")
    assert manifest["number"] == RUNS


def test_vacuum_puts_compacted_files_in_place_when_they_are_old_enough(store: Path, runs: Path) -> None:
    compact(str(store))
    vacuum(str(store), 7)
    assert by_pattern(store, "labels") == by_pattern(runs, "labels")
    after = datetime.now(UTC) + timedelta(days=8)
    told = vacuum(str(store), 7, dry_run=True, now=after)
    assert told
    assert len(list(store.glob("clean/run=*"))) == RUNS - 1
    assert vacuum(str(store), 7, now=after) == told
    assert [path.name for path in store.glob("clean/run=*")] == [f"run={RUNS:08d}-compact"]
    for table in ("clean", "copies", "sketches"):
        assert by_hand(store, table) == by_pattern(store, table) == by_pattern(runs, table)
    assert whole(store)
    assert same(store, runs)
    assert broken_outside(store) <= broken_outside(runs)
    assert vacuum(str(store), 0, now=after) == []


def test_a_store_is_compacted_again_and_again(store: Path, inputs: list[Path], runs: Path, tmp_path: Path) -> None:
    compact(str(store))
    run_over(store, inputs[-1])
    compact(str(store))
    shutil.copytree(runs, tmp_path / "plain")
    run_over(tmp_path / "plain", inputs[-1])
    assert whole(store)
    assert same(store, tmp_path / "plain")
    assert broken_outside(store) <= broken_outside(runs)
    vacuum(str(store), 0, now=datetime.now(UTC) + timedelta(seconds=1))
    assert [path.name for path in store.glob("clean/run=*")] == [f"run={RUNS + 2:08d}-compact"]
    assert by_hand(store, "clean") == by_pattern(store, "clean")
    assert whole(store)
    assert same(store, tmp_path / "plain")
    assert broken_outside(store) <= broken_outside(runs)
    assert run_over(store, *inputs)["nothing_new"]


@pytest.mark.parametrize("at", ["_move_into_place", "commit", "settle"])
def test_a_killed_compaction_leaves_the_store_as_it_was(
    at: str, store: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def stop(*_: Any) -> None:
        raise Killed

    settle = compact_module.settle
    with monkeypatch.context() as patch:
        if at == "commit":
            patch.setattr(Store, "commit", stop)
        elif at == "settle":
            patch.setattr(compact_module, "settle", lambda one: settle(one) if not one.superseded else stop())
        else:
            patch.setattr(compact_module, at, stop)
        with pytest.raises(Killed):
            compact(str(store))
    assert whole(store)
    assert same(store, runs)
    vacuum(str(store), 7)
    assert by_hand(store, "clean") == by_pattern(store, "clean")
    compact(str(store))
    assert len(Store(str(store)).files("clean")) == 1
    assert whole(store)
    assert same(store, runs)


def test_a_reader_between_commit_and_settling_reads_each_file_once(store: Path) -> None:
    """It lists the manifests before the compaction's is there, and reads them after they were settled."""
    files = {table: Store(str(store)).files(table) for table in ("clean", "labels")}
    compact(str(store))
    newest = sorted(store.glob("manifest/*.json"))[-1]
    newest.rename(store / "kept-aside")
    assert {table: Store(str(store)).files(table) for table in files} == files


def killed_run(store: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was killed when all its files were in place, just before its manifest."""

    class Killed(BaseException):
        pass

    def stop(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", stop)
        with pytest.raises(Killed):
            run_over(store, path)


def test_a_killed_run_can_go_on_after_vacuum_until_it_is_old(
    store: Path, inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_run(store, inputs[-1], monkeypatch)
    assert vacuum(str(store), 7) == []
    original, built = run_module.RunInProgress._job, []

    def note(self: Any, name: str, build_job: Any) -> Any:
        return original(self, name, lambda pipeline, listing: (built.append(name), build_job(pipeline, listing)))

    with monkeypatch.context() as patch:
        patch.setattr(run_module.RunInProgress, "_job", note)
        run_over(store, inputs[-1])
    assert built == []
    assert whole(store)


def test_leftovers_of_a_killed_run_go(
    store: Path, runs: Path, inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {path for path in store.rglob("*") if path.is_file()}
    killed_run(store, inputs[-1], monkeypatch)
    (store / "clean" / "part.parquet.77.unfinished").write_text("half")
    (store / "_staging" / "manifest-00000009.json").write_text("{}")
    orphans = {path for path in store.rglob("*") if path.is_file()} - files
    assert len(orphans) > 7
    later = datetime.now(UTC) + timedelta(days=8)
    told = vacuum(str(store), 7, dry_run=True, now=later)
    assert {path for path in store.rglob("*") if path.is_file()} == files | orphans
    assert vacuum(str(store), 7, now=later) == told
    assert {path for path in store.rglob("*") if path.is_file()} == files
    assert whole(store)
    assert broken_outside(store) <= broken_outside(runs)


def test_a_run_that_no_command_goes_on_with_is_cleared_by_the_next(
    store: Path, runs: Path, inputs: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killed_run(store, inputs[-1], monkeypatch)
    other = write_jsonl(tmp_path / "other.jsonl", [{"id": "other", "text": "Nine boats lay ashore before the gale."}])
    run_over(store, other)
    assert not vacuum(str(store), 7)
    assert whole(store)
    assert broken_outside(store) <= broken_outside(runs)


def test_never_while_a_run_holds_the_lock(store: Path) -> None:
    with locked(str(store)):
        for care in (lambda: vacuum(str(store), 0), lambda: compact(str(store))):
            with pytest.raises(RunError, match="another run"):
                care()


def test_the_commands(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compact", "--store", str(store)]) == 0
    assert "files are" in capsys.readouterr().out
    assert main(["compact", "--json", "--store", str(store)]) == 0
    assert json.loads(capsys.readouterr().out) == {"nothing_to_do": True}
    assert main(["vacuum", "--store", str(store), "--keep-days", "0", "--dry-run"]) == 0
    assert "would be removed" in capsys.readouterr().out
    assert main(["vacuum", "--json", "--store", str(store), "--keep-days", "0"]) == 0
    assert {one["why"] for one in json.loads(capsys.readouterr().out)} == {"superseded by a compaction"}
    assert main(["report", "--store", str(store)]) == 0
    assert "records in" in capsys.readouterr().out
    for command in ("compact", "vacuum"):
        assert main([command, "--store", str(tmp_path / "none")]) == 2
    with pytest.raises(SystemExit, match="2"):
        main(["vacuum", "--store", str(store), "--keep-days", "-1"])
