"""Reading a store in tests, and running the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.progress import Progress
from pipeline.run import RunOptions, run
from schemas.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "seeds"


def run_over(
    store: Path, *patterns: Path | str, workers: int = 1, provisional: bool = False, **assignments: str
) -> dict[str, Any]:
    """One run in this process; gives its manifest."""
    settings = Settings().replace({key.replace("__", "."): value for key, value in assignments.items()})
    options = RunOptions(tuple(map(str, patterns)), str(store), settings, workers, provisional=provisional)
    return run(options, Progress(None))


def rows_of(store: Path, table: str) -> list[dict[str, Any]]:
    """All rows of a table, in the order of the runs."""
    files = sorted(store.glob(f"{table}/run=*/*.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def articles_of(store: Path) -> list[dict[str, Any]]:
    """Rows of clean/ and copies/ with the newest label laid over each."""
    labels = {row["article_id"]: row for row in rows_of(store, "labels")}
    names = ("story_id", "relation", "kept_id", "derived_from")
    return [
        row | {name: labels[row["article_id"]][name] for name in names} | {"table": table}
        for table in ("clean", "copies")
        for row in rows_of(store, table)
    ]


def outcome(store: Path) -> dict[str, tuple[Any, ...]]:
    """What must not depend on order, files, workers or runs: each article's current label and text."""
    return {
        row["article_id"]: (row["story_id"], row["relation"], row["kept_id"], row["derived_from"], row["text"])
        for row in articles_of(store)
    }


def expected(name: str) -> list[dict[str, Any]]:
    """The rows of a file of hand-made answers."""
    return [json.loads(line) for line in (SEEDS / "expected" / name).read_text(encoding="utf-8").splitlines()]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def as_input(row: dict[str, Any]) -> dict[str, Any]:
    """An input record of a stored article's own fields, for runs that give the same articles in other files."""
    given = {name: row[name] for name in ("source", "url", "title", "text", "language")}
    given |= {"id": row["source_id"], "published_at": row["published_at"] and row["published_at"].isoformat()}
    return {name: value for name, value in given.items() if value is not None}


__all__ = ["ROOT", "SEEDS", "articles_of", "as_input", "expected", "outcome", "rows_of", "run_over", "write_jsonl"]
