"""What a manifest names is on the disk before the manifest is: the names too, which no file's fsync puts there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.compact import compact
from tests.pipeline.store_reading import run_over, write_jsonl
from transforms import staging


def test_names_are_on_disk_before_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, done = tmp_path / "store", list[str]()
    synced, renamed, linked = staging.sync_folder, os.rename, os.link
    monkeypatch.setattr(staging, "sync_folder", lambda path: (done.append(f"sync {path}"), synced(path)))
    monkeypatch.setattr(os, "rename", lambda old, new: (done.append(f"rename {new}"), renamed(old, new)))
    monkeypatch.setattr(os, "link", lambda old, new: (done.append(f"link {new}"), linked(old, new)))
    for number in range(2):
        given = [{"id": str(number), "text": f"The harbour of the town was closed for {number} days after a storm."}]
        run_over(store, write_jsonl(tmp_path / f"{number}.jsonl", given))
    compact(str(store))
    start = 0
    for number in (1, 2, 3):
        commit = done.index(f"link {store}/manifest/{number:08d}.json")
        before = done[start:commit]
        moved = [one.removeprefix("rename ") for one in before if one.startswith("rename ")]
        assert len(moved) > 3
        for target in moved:
            at = before.index(f"rename {target}")
            assert before[at - 1].startswith("sync ")
            assert before[at - 1].endswith(os.path.basename(target))
            assert f"sync {os.path.dirname(target)}" in before[at:]
        assert f"sync {store}" in before
        assert f"sync {store}/manifest" in done[commit:]
        start = commit


def test_what_a_killed_writer_left_is_not_moved(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "store" / "target"
    source.mkdir()
    staging.write_whole(str(source / "part.parquet"), lambda sink: sink.write(b"whole"))
    (source / f"part.parquet.host-1-1{staging.UNFINISHED}").write_bytes(b"half")
    staging.move_folder(str(source), str(target))
    assert [one.name for one in target.iterdir()] == ["part.parquet"]
