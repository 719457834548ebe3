"""`copydesk export`: kept articles by their newest labels; equal stores give equal bytes; whole or absent."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline import export as export_module
from pipeline.command_line import main
from pipeline.errors import RunError, UsageError
from pipeline.export import EXPORTED, export
from pipeline.store import Store
from tests.pipeline.store_reading import SEEDS, articles_of, as_input, rows_of, run_over, write_jsonl
from transforms import staging


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The seeds in one run, and in four in which copies come before what they are copies of."""
    folder = tmp_path_factory.mktemp("export")
    run_over(folder / "seeds", SEEDS / "articles")
    rows = sorted(articles_of(folder / "seeds"), key=lambda row: (row["kept_id"] == row["article_id"], row["text"]))
    given = [as_input(row) for row in rows]
    run_over(folder / "a", write_jsonl(folder / "all.jsonl", given))
    for number in range(4):
        quarter = given[number * len(given) // 4 : (number + 1) * len(given) // 4]
        run_over(folder / "b", write_jsonl(folder / f"{number}.jsonl", quarter))
    return folder / "a", folder / "b"


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_equal_stores_give_equal_bytes(
    form: str, stores: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "FILE_ROWS", 10)
    monkeypatch.setattr(export_module, "BATCH_ROWS", 7)
    for name, store in zip("ab", stores, strict=True):
        assert main(["export", "--store", str(store), "--to", str(tmp_path / name), "--format", form]) == 0
    assert len(held(tmp_path / "a")) > 3
    assert held(tmp_path / "a") == held(tmp_path / "b")


def exported(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.ParquetFile(path).read().to_pylist()]


def test_it_holds_what_is_kept_now(stores: tuple[Path, Path], tmp_path: Path) -> None:
    _, store = stores
    export(Store(str(store)), str(tmp_path / "out"))
    rows = exported(tmp_path / "out")
    now = {row["article_id"]: row for row in articles_of(store)}
    kept = {one for one, row in now.items() if row["kept_id"] == one}
    assert [row["article_id"] for row in rows] == sorted(kept)
    # Articles that a later run relabelled are what this is about: of both kinds there are some.
    in_clean = {row["article_id"] for row in rows_of(store, "clean")}
    assert in_clean - kept
    for row in rows:
        assert {name: row[name] for name in EXPORTED.names} == {
            name: now[row["article_id"]][name] for name in EXPORTED.names
        }


def test_an_article_in_copies_that_is_kept_now_is_in_it(stores: tuple[Path, Path], tmp_path: Path) -> None:
    _, store = stores
    partial = next(row for row in articles_of(store) if row["relation"] == "partial")
    given = [as_input(row) for row in articles_of(store)]
    path = write_jsonl(tmp_path / "in.jsonl", given)
    run_over(tmp_path / "store", path, relate__drop="exact,near,contained,partial")
    extra = write_jsonl(tmp_path / "extra.jsonl", [{"id": "extra", "text": "Nine boats lay ashore before the gale."}])
    run_over(tmp_path / "store", extra)
    dropped = {row["source_id"]: row["article_id"] for row in rows_of(tmp_path / "store", "copies")}
    export(Store(str(tmp_path / "store")), str(tmp_path / "out"))
    assert dropped[partial["source_id"]] in {row["article_id"] for row in exported(tmp_path / "out")}


def test_json_lines_say_the_same(stores: tuple[Path, Path], tmp_path: Path) -> None:
    for form in ("parquet", "jsonl"):
        export(Store(str(stores[0])), str(tmp_path / form), form)
    lines = (tmp_path / "jsonl" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()
    rows = exported(tmp_path / "parquet")
    for line, row in zip(map(json.loads, lines), rows, strict=True):
        published = row["published_at"] and row["published_at"].isoformat().replace("+00:00", "Z")
        assert line == row | {"published_at": published}


def test_the_manifest_names_every_file_with_its_digest(stores: tuple[Path, Path], tmp_path: Path) -> None:
    export(Store(str(stores[0])), str(tmp_path / "out"))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {entry["path"] for entry in manifest["files"]} | {"manifest.json"} == set(held(tmp_path / "out"))
    for entry in manifest["files"]:
        path = tmp_path / "out" / entry["path"]
        assert entry["sha256"] == staging.sha256(str(path))
        assert entry["rows"] == pq.ParquetFile(path).metadata.num_rows
    assert manifest["articles"] == sum(entry["rows"] for entry in manifest["files"])


def test_an_earlier_export_is_replaced_and_nothing_else_is(stores: tuple[Path, Path], tmp_path: Path) -> None:
    store = Store(str(stores[0]))
    export(store, str(tmp_path / "out"), "jsonl")
    (tmp_path / ".out.unfinished" / "finished").mkdir(parents=True)
    (tmp_path / ".out.unfinished" / "finished" / "part-00000.parquet").write_text(
        "half of one, from an export that was killed"
    )
    export(store, str(tmp_path / "out"))
    assert not list((tmp_path / "out").glob("*.jsonl"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious.txt").write_text("precious")
    for target in (tmp_path / "other", tmp_path / "other" / "precious.txt"):
        with pytest.raises(UsageError, match="expected"):
            export(store, str(target))
    assert (tmp_path / "other" / "precious.txt").read_text() == "precious"


def test_a_failed_export_leaves_the_earlier_one(
    stores: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(stores[0]))
    export(store, str(tmp_path / "out"))
    before = held(tmp_path / "out")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setitem(export_module.FORMS, "parquet", full)
        with pytest.raises(OSError, match="No space"):
            export(store, str(tmp_path / "out"))
    assert held(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_two_exports_to_one_place_are_refused(stores: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / ".out.unfinished").mkdir()
    held_open = os.open(tmp_path / ".out.unfinished", os.O_RDONLY)
    try:
        fcntl.flock(held_open, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="another export"):
            export(Store(str(stores[0])), str(tmp_path / "out"))
        assert (tmp_path / ".out.unfinished").is_dir()
    finally:
        os.close(held_open)


def test_a_store_of_refusals_alone_exports_nothing(tmp_path: Path) -> None:
    run_over(tmp_path / "store", SEEDS / "refused" / "not_objects.jsonl")
    assert export(Store(str(tmp_path / "store")), str(tmp_path / "out"))["articles"] == 0
    assert sorted(held(tmp_path / "out")) == ["manifest.json", "part-00000.parquet"]
    assert exported(tmp_path / "out") == []
