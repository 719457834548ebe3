"""Many small runs' files into few. Nothing that a committed run wrote changes, and no reader is disturbed.

A compaction writes new files under `_compacted/TABLE/run=ID/` and commits a manifest of its own that names them and the
files they supersede: with it, readers of the manifests read the new ones. Where the superseded files are taken off the
older manifests too, a reader that only gathers what manifests name reads right as well. The superseded files stay where
they are, so that whoever has listed them can read on, and readers by pattern see them and nothing twice; `vacuum` puts
the new ones in their place (`pipeline.vacuum`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.labels import newest
from pipeline.retention import Retention, plan_retention
from pipeline.store import COMPACTED, COMPACTION, MANIFESTS, STAGING, Store, locked, read_in_batches
from schemas.settings import PublishSettings
from schemas.tables import SCHEMA_VERSION, STORE_TABLES
from transforms import staging

KEPT_WHOLE = ("clean", "copies", "rejected", "sketches", "furniture")
"""Tables of which every row stays."""
NEWEST_OF = {"labels": ("article_id",), "matches": ("left_id", "right_id")}
"""Tables of which the newest row of each of these stays."""

FILE_ROWS = 50_000
"""Rows of a compacted file, as many as a run's own file has at most."""
SMALL_ROWS = 25_000
"""A file of fewer rows is worth compacting; a larger one is left as it is."""


def compact(path: str, retain_days: int | None = None, *, sole_writer: bool = False) -> dict[str, Any]:
    """Compacts a store and commits that; gives the manifest, or {"nothing_to_do": True}.

    Args:
        retain_days: cut the sketches of articles that are older, counted from the newest of today or before
            (`pipeline.retention`).

    Raises:
        UsageError: there is no store, it can't be written, or so few days can't be retained. RunError: a run is
            writing it.
    """
    Store(path).require()
    with locked(path, sole_writer=sole_writer):
        store = Store(path)
        settle(store)
        started = datetime.now(UTC)
        run_id = f"{store.next_number:08d}-compact"
        local = staging.is_local(store.path)
        # Where files can't be renamed they are written to their place at once: nobody reads what no manifest names.
        folder = staging.join(store.path, STAGING, run_id) if local else staging.join(store.path, COMPACTED)
        if local:
            shutil.rmtree(folder, ignore_errors=True)
        files: list[dict[str, Any]] = []
        supersedes: list[str] = []
        today = (started.date() - date(1970, 1, 1)).days
        retention = None if retain_days is None else plan_retention(store, retain_days, today)
        for table in STORE_TABLES:
            made, gone = _compact_table(store, table, folder, run_id, retention)
            files += made
            supersedes += gone
        if not files:
            return {"nothing_to_do": True}
        manifest = _manifest(store, run_id, started, files, supersedes)
        if retention is not None:
            manifest["whole_from"] = retention.whole_from
        if local:
            _move_into_place(store.path, folder, run_id)
        store.commit(manifest)
        settle(Store(path))
        return manifest


def _compact_table(
    store: Store, table: str, folder: str, run_id: str, retention: Retention | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Writes a table's new files; gives their entries and the paths of those they supersede."""
    entries = [entry for manifest in store.manifests for entry in store.entries(manifest) if entry["table"] == table]
    schema = STORE_TABLES[table]
    if table in NEWEST_OF:
        if len(entries) < 2:
            return [], []
        rows = newest(store.read(table).combine_chunks(), NEWEST_OF[table])
        groups: list[Iterable[pa.Table]] = [[rows.slice(at, ROWS_AT_ONCE)] for at in range(0, len(rows), ROWS_AT_ONCE)]
    elif table in KEPT_WHOLE:
        cut = retention if table == "sketches" else None
        changed = cut.files if cut is not None else frozenset[str]()
        small = [entry for entry in entries if entry["rows"] < SMALL_ROWS]
        entries = [
            entry for entry in entries
            if (entry in small and len(small) > 1) or staging.join(store.path, entry["path"]) in changed
        ]  # fmt: skip
        if not entries:
            return [], []
        groups = [_rows(store, group, schema) for group in _grouped(entries)]
        if cut is not None:
            groups = [map(cut.cut, group) for group in groups]
    else:
        return [], []
    metadata = {
        "scheme": store.manifests[-1]["scheme"], "schema_version": str(SCHEMA_VERSION), "run_id": run_id,
        "writer": "copydesk",
    }  # fmt: skip
    made = []
    for number, group in enumerate(groups):
        name = f"{table}/run={run_id}/part-{number:05d}.parquet"
        path = staging.join(folder, name)
        size = staging.write_whole(path, partial(_write, group, schema.with_metadata(metadata)))
        with staging.open_file(path) as source:
            count = pq.ParquetFile(source).metadata.num_rows
        made.append(
            {
                "table": table,
                "path": f"{COMPACTED}/{name}",
                "rows": count,
                "bytes": size,
                "sha256": staging.sha256(path),
            }
        )
    return made, [entry["path"] for entry in entries]


ROWS_AT_ONCE = 1_000_000


def _grouped(entries: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Entries in their order, together as long as they have no more than FILE_ROWS rows."""
    groups: list[list[dict[str, Any]]] = [[]]
    for entry in entries:
        if groups[-1] and sum(one["rows"] for one in groups[-1]) + entry["rows"] > FILE_ROWS:
            groups.append([])
        groups[-1].append(entry)
    return groups


def _rows(store: Store, entries: list[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of files, a row group's worth at a time."""
    waiting: list[pa.Table] = []
    for entry in entries:
        for part in read_in_batches(staging.join(store.path, entry["path"]), schema, GROUP_ROWS):
            waiting.append(part)
            if sum(one.num_rows for one in waiting) >= GROUP_ROWS:
                yield pa.concat_tables(waiting)
                waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


GROUP_ROWS = PublishSettings().row_group_rows


def _write(tables: Iterable[pa.Table], schema: pa.Schema, sink: BinaryIO) -> None:
    cast = (table.cast(schema) for table in tables)
    staging.write_parquet_to(sink, cast, schema, row_group_rows=GROUP_ROWS, zstd_level=PublishSettings().zstd_level)


def _manifest(
    store: Store, run_id: str, started: datetime, files: list[dict[str, Any]], supersedes: list[str]
) -> dict[str, Any]:
    last = store.manifests[-1]
    return {
        "kind": COMPACTION, "number": store.next_number, "run_id": run_id, "schema_version": SCHEMA_VERSION,
        "scheme": last["scheme"], "started_at": started.isoformat(timespec="microseconds"),
        "committed_at": datetime.now(UTC).isoformat(timespec="microseconds"), "settings": last["settings"],
        "counts": dict.fromkeys(last["counts"], 0), "caps": {}, "inputs": [], "tallies": {},
        "files": files, "supersedes": supersedes,
    }  # fmt: skip


def _move_into_place(store: str, folder: str, run_id: str) -> None:
    for table in sorted(os.listdir(folder)):
        target = os.path.join(store, COMPACTED, table, f"run={run_id}")
        staging.move_folder(os.path.join(folder, table, f"run={run_id}"), target)
    for parent in (os.path.join(store, COMPACTED), store):
        staging.sync_folder(parent)
    shutil.rmtree(folder)


def settle(store: Store) -> None:
    """Takes superseded files off the list of the manifests that name them; done again after a kill, it finishes."""
    for manifest in store.manifests:
        gone = [entry for entry in manifest["files"] if entry["path"] in store.superseded]
        if gone:
            manifest["files"] = [entry for entry in manifest["files"] if entry["path"] not in store.superseded]
            manifest["superseded"] = [*manifest.get("superseded", []), *gone]
            staging.write_json(staging.join(store.path, MANIFESTS, f"{manifest['number']:08d}.json"), manifest)
