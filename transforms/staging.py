"""Files on any filesystem that Beam opens: whole or absent, never half written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

UNFINISHED = ".unfinished"


def is_local(path: str) -> bool:
    """Whether a path is on this machine's own filesystem."""
    return "://" not in path


def absolute(path: str) -> str:
    """A path that means the same in a process that was started elsewhere."""
    return os.path.abspath(path) if is_local(path) else path


def join(*parts: str) -> str:
    return FileSystems.join(*parts)


def open_file(path: str) -> BinaryIO:
    """Opens a file for reading, its bytes as they are (nothing decompressed).

    Raises:
        FileNotFoundError: there is no such file.
    """
    if is_local(path):
        return open(path, "rb")
    try:
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except BeamIOError as error:
        raise FileNotFoundError(f"{path} can't be opened: {error}") from error


def exists(path: str) -> bool:
    return os.path.exists(path) if is_local(path) else bool(FileSystems.exists(path))


def write_whole(path: str, write: Callable[[BinaryIO], object]) -> int:
    """Writes a file so that it is there whole or not at all; returns its size in bytes.

    Locally it is written under another name, flushed to disk and renamed. Elsewhere an object appears when its
    writer closes.
    """
    if not is_local(path):
        with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as sink:
            write(sink)
        return int(FileSystems.match([path])[0].metadata_list[0].size_in_bytes)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    unfinished = f"{path}.{os.getpid()}{UNFINISHED}"
    with open(unfinished, "wb") as sink:
        write(sink)
        sink.flush()
        os.fsync(sink.fileno())
        size = sink.tell()
    os.replace(unfinished, path)
    return size


def sha256(path: str) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with open_file(path) as source:
        digest = hashlib.sha256()
        while block := source.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def write_json(path: str, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1)
    write_whole(path, lambda sink: sink.write(text.encode()))


def read_json(path: str) -> Any:
    with open_file(path) as source:
        return json.loads(source.read())


def write_arrow(path: str, table: pa.Table) -> int:
    """Writes an uncompressed Arrow IPC file, which readers can map into memory."""

    def write(sink: BinaryIO) -> None:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    return write_whole(path, write)


def read_arrow(path: str) -> pa.Table:
    """The table of an Arrow IPC file: mapped, not read, where the file is local."""
    if is_local(path):
        return pa.ipc.open_file(pa.memory_map(path)).read_all()
    with open_file(path) as source:
        return pa.ipc.open_file(pa.py_buffer(source.read())).read_all()


def write_parquet(path: str, table: pa.Table, *, row_group_rows: int, zstd_level: int) -> int:
    """Writes a zstd Parquet file; returns its size in bytes."""

    def write(sink: BinaryIO) -> None:
        write_parquet_to(sink, [table], table.schema, row_group_rows=row_group_rows, zstd_level=zstd_level)

    return write_whole(path, write)


def write_parquet_to(
    sink: BinaryIO, tables: Iterable[pa.Table], schema: pa.Schema, *, row_group_rows: int, zstd_level: int
) -> None:
    """Writes tables of one schema as one zstd Parquet file, each in row groups of its own."""
    with pq.ParquetWriter(
        sink, schema, compression="zstd", compression_level=zstd_level,
        use_dictionary=[name for name in DICTIONARY_COLUMNS if name in schema.names],
        write_statistics=[name for name in schema.names if name not in UNSORTED_COLUMNS],
        coerce_timestamps="us", store_schema=True,
    ) as writer:  # fmt: skip
        for table in tables:
            writer.write_table(table, row_group_rows)


DICTIONARY_COLUMNS = ("source", "language", "agency", "relation", "run_id", "stage", "reason", "source_uri")
"""Columns of few values; the rest would only pay for a dictionary that overflows."""

UNSORTED_COLUMNS = ("text", "minhash", "anchors", "words", "payload", "removed", "story", "lines")
"""Columns by whose smallest and largest value nobody skips."""


def read_parquet(path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A Parquet file's columns, those that it has; all where `columns` is None."""
    with open_file(path) as source:
        file = pq.ParquetFile(source)
        held = set(file.schema_arrow.names)
        return file.read(columns=None if columns is None else [name for name in columns if name in held])
