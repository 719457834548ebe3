"""The store is readable as it stands by the tools of teams downstream, and says what it is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from datasketch import MinHash, MinHashLSH

from schemas.tables import ARTICLE, SCHEMA_VERSION, STORE_TABLES
from tests.pipeline.store_reading import SEEDS, rows_of, run_over
from transforms.functions.minhash import rebuild_minhash
from transforms.functions.shingling import distinct_shingles, hash_words


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("readers") / "store"
    run_over(path, SEEDS / "articles")
    run_over(path, SEEDS / "refused")
    return path


def test_pyarrow(store: Path) -> None:
    table = ds.dataset(store / "clean").to_table()
    assert table.num_rows == len(rows_of(store, "clean"))
    assert table.schema.names == ARTICLE.names


def test_duckdb(store: Path) -> None:
    pattern = f"{store}/clean/*/*.parquet"
    [(count, spans)] = duckdb.sql(f"select count(*), sum(len(removed)) from '{pattern}'").fetchall()
    assert count == len(rows_of(store, "clean"))
    assert spans > 0
    rules = duckdb.sql(f"select distinct unnest(removed).rule from '{pattern}'").fetchall()
    assert rules


def test_polars(store: Path) -> None:
    frame = polars.scan_parquet(f"{store}/clean/*/*.parquet").select("article_id", "removed", "published_at").collect()
    assert frame.height == len(rows_of(store, "clean"))
    assert str(frame.schema["published_at"]) == "Datetime(time_unit='us', time_zone='UTC')"


def test_pandas(store: Path) -> None:
    frame = pandas.read_parquet(store / "clean", columns=["article_id", "text"])
    assert len(frame) == len(rows_of(store, "clean"))


def test_datasets(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(
        "parquet", data_files=f"{store}/clean/*/*.parquet", split="train", cache_dir=str(tmp_path)
    )
    assert found.num_rows == len(rows_of(store, "clean"))


def test_files_say_their_scheme_version_and_are_zstd(store: Path) -> None:
    files = sorted(store.glob("*/run=*/*.parquet"))
    assert {file.parts[-3] for file in files} == set(STORE_TABLES)
    for file in files:
        metadata = pq.ParquetFile(file).metadata
        assert metadata.metadata[b"schema_version"] == str(SCHEMA_VERSION).encode()
        assert metadata.metadata[b"scheme"].startswith(b"minhash=128,1,affine32;")
        assert metadata.row_group(0).column(0).compression == "ZSTD"
        assert pq.read_schema(file).remove_metadata().equals(STORE_TABLES[file.parts[-3]], check_metadata=False)


def test_minhash_goes_back_into_datasketch(store: Path) -> None:
    rows = rows_of(store, "clean") + rows_of(store, "copies")
    lsh = MinHashLSH(threshold=0.7, num_perm=128)
    for row in rows:
        lsh.insert(row["article_id"], rebuild_minhash(row["minhash"]))
    near = [row for row in rows if row["relation"] == "exact"]
    assert near
    assert all(row["kept_id"] in lsh.query(rebuild_minhash(row["minhash"])) for row in near)


def test_stored_minhash_is_that_of_the_stored_text(store: Path) -> None:
    for row in rows_of(store, "clean")[:10]:
        words, offsets = hash_words(pa.array([row["text"]]))
        reference = MinHash(num_perm=128, hashfunc=lambda value: value)
        for value in distinct_shingles(words, offsets[0], offsets[1], 5):
            reference.update(int(value) >> 32)
        assert np.array_equal(np.frombuffer(row["minhash"], "<u4"), reference.hashvalues)
