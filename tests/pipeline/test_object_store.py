"""A store, its inputs and its staging on S3 (moto, in this process): the same promises as on a disk."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import claims
from pipeline.errors import RunError, UsageError
from pipeline.inputs import find_inputs
from pipeline.store import Store, locked
from schemas.tables import STORE_TABLES
from tests.pipeline.object_store import broken, given, keys, place, put, rows, run_at
from transforms import staging


def test_a_run_gives_the_store_that_a_disk_has(s3: Any, bucket: str, tmp_path: Path) -> None:
    path, store = given(tmp_path, "news", *range(9)), f"{bucket}/store"
    put(s3, path, f"{bucket}/news/news.jsonl")
    with locked(store), pytest.raises(RunError, match=r"another run is writing .* process \d+, last heard of"):
        run_at(store, f"{bucket}/news")
    run_at(store, f"{bucket}/news")
    run_at(str(tmp_path / "store"), path)
    assert run_at(store, f"{bucket}/news/*.jsonl").get("nothing_new")
    assert broken(store) == []
    for table in STORE_TABLES:
        assert rows(str(tmp_path / "store"), table).equals(rows(store, table)), table
    assert rows(store, "copies").num_rows == 3
    assert [name for name in keys(s3, store) if name.startswith("_staging/")] == ["_staging/lock"]


def test_one_of_many_writers_makes_a_manifest(bucket: str) -> None:
    manifests = [{"number": 1, "run_id": str(writer), "schema_version": 1} for writer in range(12)]
    stores = [Store(bucket) for _ in manifests]
    start, refused = threading.Barrier(len(manifests)), []

    def commit(store: Store, manifest: dict[str, Any]) -> None:
        start.wait()
        try:
            store.commit(manifest)
        except RunError as error:
            refused.append(str(error))

    writers = [threading.Thread(target=commit, args=both) for both in zip(stores, manifests, strict=True)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(Store(bucket).manifests) == 1
    assert len(refused) == len(manifests) - 1
    assert all("another run has committed meanwhile" in said for said in refused)


def test_a_claim_that_was_not_renewed_is_taken_over(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = f"{bucket}/_staging/lock"
    s3.put_object(**place(lock), Body=json.dumps({"host": "elsewhere", "pid": 1, "token": "t"}).encode())
    with pytest.raises(RunError, match="on elsewhere, process 1"), locked(bucket):
        pytest.fail("another's claim was taken")
    read = claims.S3Objects.read
    late = claims.CLAIM_SECONDS + 1
    monkeypatch.setattr(claims.S3Objects, "read", lambda *given: replace(read(*given), age_seconds=late))
    with locked(bucket):
        assert json.loads(s3.get_object(**place(lock))["Body"].read())["pid"] == os.getpid()


def test_a_server_without_conditional_writes_is_refused(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put_always = claims.S3Objects._put
    monkeypatch.setattr(claims.S3Objects, "_put", lambda self, path, content, **_: put_always(self, path, content))
    with pytest.raises(UsageError, match="overwrites an object although asked not to"), locked(bucket):
        pytest.fail("it was locked")
    with locked(bucket, sole_writer=True):
        assert not staging.exists(f"{bucket}/manifest/00000001.json")


def test_a_filesystem_that_promises_nothing_is_refused_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "objects_of", lambda _path: None)
    with pytest.raises(UsageError, match="--sole-writer"), claims.claimed("other://store", "lock", sole_writer=False):
        pytest.fail("it was locked")
    with claims.claimed("other://store", "lock", sole_writer=True) as held:
        assert held is None


def test_an_unknown_filesystem_is_named() -> None:
    with pytest.raises(UsageError, match="knows no filesystem nowhere://"):
        Store("nowhere://place")


def test_an_object_is_not_written_by_halves(bucket: str) -> None:
    def write(sink: Any) -> None:
        sink.write(b"half")
        raise ValueError("the disk is full, say")

    with pytest.raises(ValueError, match="full"):
        staging.write_whole(f"{bucket}/file", write)
    assert not staging.exists(f"{bucket}/file")


def test_a_stores_own_files_are_no_input(s3: Any, bucket: str, tmp_path: Path) -> None:
    path = given(tmp_path, "news", *range(3))
    put(s3, path, f"{bucket}/news.jsonl")
    put(s3, path, f"{bucket}/clean/run=1/part.jsonl")
    assert [entry.path for entry in find_inputs([bucket], bucket).files] == [f"{bucket}/news.jsonl"]
