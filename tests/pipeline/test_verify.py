"""`copydesk verify`: whole stores are whole, and every kind of damage is seen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.command_line import main
from pipeline.store import Store
from pipeline.verify import verify
from tests.pipeline.store_reading import SEEDS, run_over
from transforms import staging


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verify") / "store"
    run_over(path, SEEDS / "articles")
    run_over(path, SEEDS / "refused")
    return path


def broken(store: Path) -> set[str]:
    return {promise.split(",")[0].split(" ")[-1] for promise, found in verify(Store(str(store))) if found}


def test_a_store_of_two_runs_is_whole(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert broken(whole) == set()
    assert main(["verify", "--store", str(whole)]) == 0
    assert "BROKEN" not in capsys.readouterr().out


def rewrite(store: Path, table: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Changes a table's first file and the manifest with it, as a defect of the program would."""
    path = sorted(store.glob(f"{table}/run=*/*.parquet"))[0]
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pylist(change(pq.ParquetFile(path).read().to_pylist()), schema=schema), path)
    for manifest_path in store.glob("manifest/*.json"):
        manifest = json.loads(manifest_path.read_text())
        for entry in manifest["files"]:
            if (store / entry["path"]) == path:
                entry["sha256"] = staging.sha256(str(path))
                entry["rows"] = pq.ParquetFile(path).metadata.num_rows
        manifest_path.write_text(json.dumps(manifest))


def without(rows: list[dict[str, Any]], relation: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["relation"] != relation]


@pytest.mark.parametrize(
    ("table", "change", "seen"),
    [
        ("matches", lambda rows: without(rows, "contained"), "keeper"),
        ("matches", lambda rows: [{**row, "accepted": False} for row in rows], "keeper"),
        ("labels", lambda rows: rows[1:], "label"),
        ("labels", lambda rows: [{**row, "is_kept": False} for row in rows], "kept"),
        ("labels", lambda rows: [{**row, "story_id": "f" * 32} for row in rows], "story"),
        ("sketches", lambda rows: rows[1:], "sketch"),
        ("clean", lambda rows: [*rows, rows[0]], "digits"),
    ],
)
def test_damage_is_seen(table: str, change: Any, seen: str, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "store")
    rewrite(tmp_path / "store", table, change)
    assert seen in broken(tmp_path / "store")
    assert main(["verify", "--store", str(tmp_path / "store")]) == 1


def test_a_changed_and_a_missing_file_are_seen(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "store")
    first, second = sorted((tmp_path / "store").glob("sketches/run=*/*.parquet"))
    first.write_bytes(first.read_bytes() + b"x")
    second.unlink()
    [(_, found)] = [entry for entry in verify(Store(str(tmp_path / "store"))) if "as it was committed" in entry[0]]
    assert len(found) == 2
