"""Articles and stores on an object store, for tests that have the fixtures `s3` and `bucket`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.progress import Progress
from pipeline.run import RunOptions, run
from pipeline.store import Store
from pipeline.verify import verify
from schemas.settings import Settings
from tests.functions.made_up import text_of
from tests.pipeline.store_reading import write_jsonl


def given(folder: Path, name: str, *numbers: int) -> Path:
    """A file of articles of which every third is a copy of the one before it."""
    articles = [
        {
            "id": f"a{number}", "source": f"paper {number % 4}", "published_at": f"2026-07-{1 + number % 9:02d}T06:00Z",
            "title": f"title {number}", "text": text_of(number - (number % 3 == 2), 150),
        }
        for number in numbers
    ]  # fmt: skip
    return write_jsonl(folder / f"{name}.jsonl", articles)


def place(path: str) -> dict[str, str]:
    """Bucket and key, as boto3 takes them."""
    bucket, _, key = path.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def put(s3: Any, path: Path, target: str) -> str:
    """A file of this machine, put there."""
    s3.put_object(**place(target), Body=path.read_bytes())
    return target


def keys(s3: Any, path: str) -> list[str]:
    """Names of the objects under a path, without it."""
    where = place(path + "/")
    found = s3.list_objects_v2(Bucket=where["Bucket"], Prefix=where["Key"]).get("Contents", [])
    return [one["Key"].removeprefix(where["Key"]) for one in found]


def run_at(store: str, *patterns: Path | str, **more: Any) -> dict[str, Any]:
    """A run in this process; gives its manifest."""
    return run(RunOptions(tuple(map(str, patterns)), store, Settings(), **more), Progress(None))


def broken(store: str) -> list[str]:
    """What `copydesk verify` finds."""
    return [f"{promise}: {what[0]}" for promise, what in verify(Store(store)) if what]


def rows(store: str, table: str) -> pa.Table:
    """A table's rows, without what tells of the run and of the file they came from."""
    read = Store(store).read(table)
    return read.select([name for name in read.column_names if name not in ("run_id", "ingested_at", "source_uri")])
