"""The corpus as it stands now: kept articles by their newest labels, in the order of their ids, as plain files.

Two stores that hold the same give the same bytes. So what tells when and from which file a record came in is left out
(`run_id`, `ingested_at`, `source_uri`, `position`), and so is `minhash`, which follows from the text.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import RunError, UsageError
from pipeline.known_furniture import known_furniture, learning_settings
from pipeline.labels import current_labels
from pipeline.store import Store, read_in_batches
from schemas.settings import PublishSettings
from schemas.tables import ARTICLE, SCHEMA_VERSION
from transforms import staging
from transforms.functions.furniture_spans import apply_furniture

LEFT_OUT = ("run_id", "ingested_at", "source_uri", "position", "minhash", "kept_id", "schema_version")
"""Columns of clean/ that an export lacks: of a run, of a fingerprint, or (kept_id: itself) of one value."""

EXPORTED = pa.schema([field for field in ARTICLE if field.name not in LEFT_OUT])
LABELLED = ("story_id", "relation", "derived_from")

FILE_ROWS = 20_000
"""Articles a file: one file is held in memory and sorted, 70 MB at the 3.3 kB of an average article."""
MOST_FILES = 400
"""More files than this would need as many open at once; a larger corpus gets larger files."""
BATCH_ROWS = 4096
MANIFEST = "manifest.json"
FINISHED, SPILLED = "finished", "spilled"


def export(store: Store, folder: str, form: str = "parquet") -> dict[str, Any]:
    """Writes the kept articles under `folder`, whole or not at all; gives the export's manifest.

    An earlier export in `folder` is replaced.

    Args:
        form: "parquet" or "jsonl".

    Raises:
        UsageError: `folder` holds something else, or can't be written. RunError: another export writes it now.
    """
    if not staging.is_local(folder):
        raise UsageError(
            f"{folder} is not on this machine's filesystem, where an export could not be replaced whole; expected a "
            "local folder. Export there, then copy it"
        )
    folder = os.path.abspath(folder)
    _check_target(folder)
    labels = current_labels(store)
    kept = labels.filter(labels.column("is_kept")).sort_by("article_id")
    with _unfinished(folder) as unfinished:
        files = _write_files(store, kept, unfinished, form)
        manifest = {
            "format": form, "articles": kept.num_rows, "schema_version": SCHEMA_VERSION,
            "columns": EXPORTED.names, "files": files,
        }  # fmt: skip
        staging.write_json(os.path.join(unfinished, FINISHED, MANIFEST), manifest)
        _replace(folder, unfinished)
    return manifest


def _check_target(folder: str) -> None:
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UsageError(f"{folder} is a file; expected a folder for the export, or a path where there is nothing yet")
    if os.path.isdir(folder) and os.listdir(folder) and not os.path.isfile(os.path.join(folder, MANIFEST)):
        raise UsageError(
            f"{folder} holds something other than an export (it has no {MANIFEST}); expected an empty or a new folder"
        )


@contextmanager
def _unfinished(folder: str) -> Iterator[str]:
    """A folder beside the target, held by this process alone; what an export that was killed left in it goes."""
    path = os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}{staging.UNFINISHED}")
    try:
        os.makedirs(path, exist_ok=True)
        held = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise UsageError(f"{folder} can't be written ({error.strerror}); expected one this user may write") from error
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"another export is writing {folder}; wait until it has ended, then export again") from None
        try:
            for name in os.listdir(path):
                shutil.rmtree(os.path.join(path, name))
            for name in (FINISHED, SPILLED):
                os.mkdir(os.path.join(path, name))
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(held)


def _replace(folder: str, unfinished: str) -> None:
    """Puts the finished files where the export is to be; an earlier export goes first."""
    if os.path.isdir(folder):
        os.rename(folder, os.path.join(unfinished, "earlier"))
    os.rename(os.path.join(unfinished, FINISHED), folder)


def _write_files(store: Store, kept: pa.Table, folder: str, form: str) -> list[dict[str, Any]]:
    """Sorts the kept articles by id in two passes: every batch to the files its ids belong to, then file by file."""
    rows = max(FILE_ROWS, -(-kept.num_rows // MOST_FILES))
    count = max(1, -(-kept.num_rows // rows))
    spilled, finished = os.path.join(folder, SPILLED), os.path.join(folder, FINISHED)
    _spill(store, kept, rows, [os.path.join(spilled, f"{number}.arrow") for number in range(count)])
    settings = learning_settings(store)
    known = known_furniture(store, settings)
    write = FORMS[form]
    files = []
    for number in range(count):
        labels = kept.slice(number * rows, rows)
        source = os.path.join(spilled, f"{number}.arrow")
        table = _as_known_now(pa.ipc.open_stream(pa.memory_map(source)).read_all(), labels, store)
        table = apply_furniture(table, known, settings.furniture)
        name = f"part-{number:05d}.{form}"
        path = os.path.join(finished, name)
        size = staging.write_whole(path, partial(write, table))
        files.append({"path": name, "rows": table.num_rows, "bytes": size, "sha256": staging.sha256(path)})
        os.unlink(source)
    return files


def _spill(store: Store, kept: pa.Table, rows: int, paths: Sequence[str]) -> None:
    """Every kept article, wherever in the store it lies, to the stream of the file it belongs to."""
    stored = pa.schema([field for field in EXPORTED if field.name not in LABELLED])
    ids = kept.column("article_id").combine_chunks()
    with ExitStack() as opened:
        streams = [opened.enter_context(pa.ipc.new_stream(path, stored)) for path in paths]
        # An article that a later run relabelled as kept lies in copies/, and the other way round.
        for path in [*store.files("clean"), *store.files("copies")]:
            for batch in read_in_batches(path, stored, BATCH_ROWS):
                place = pc.index_in(batch.column("article_id"), ids)
                number = place.drop_null().to_numpy() // rows
                order = np.argsort(number, kind="stable")
                bounds = np.searchsorted(number[order], np.arange(len(paths) + 1))
                batch = batch.filter(place.is_valid()).take(pa.array(order))
                for one in np.unique(number).tolist():
                    streams[one].write_table(batch.slice(bounds[one], bounds[one + 1] - bounds[one]))


def _as_known_now(articles: pa.Table, labels: pa.Table, store: Store) -> pa.Table:
    """The articles of one file in the order of their labels, with what is known of them now: EXPORTED.

    Raises:
        RunError: a kept article is in none of the store's files.
    """
    at = pc.index_in(labels.column("article_id"), articles.column("article_id"))
    if at.null_count:
        [lost] = labels.filter(at.is_null()).column("article_id").slice(0, 1).to_pylist()
        raise RunError(f"{store.path} has a label for article {lost} but not the article; see `copydesk verify`")
    articles = articles.take(at)
    columns = {name: articles.column(name) for name in articles.column_names}
    columns |= {name: labels.column(name) for name in LABELLED}
    return pa.table([columns[name] for name in EXPORTED.names], schema=EXPORTED)


def _parquet(table: pa.Table, sink: BinaryIO) -> None:
    default = PublishSettings()
    # In one piece each: where the chunks end must not tell which runs the articles came from.
    whole = table.combine_chunks()
    staging.write_parquet_to(
        sink, [whole], EXPORTED, row_group_rows=default.row_group_rows, zstd_level=default.zstd_level
    )


def _json_lines(table: pa.Table, sink: BinaryIO) -> None:
    """A JSON object a line, every column in each; times are ISO 8601."""
    for batch in table.to_batches(BATCH_ROWS):
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            sink.write(orjson.dumps(dict(zip(table.column_names, row, strict=True)), option=JSON_OPTIONS))


JSON_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
FORMS: dict[str, Callable[[pa.Table, BinaryIO], None]] = {"parquet": _parquet, "jsonl": _json_lines}
